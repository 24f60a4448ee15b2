"""An agent on a2a-sdk 1.x that knows nothing of codes: JSON-RPC, REST and gRPC, protocols 1.0 and 0.3.

Answers with the name in the field TotpPeer, and names any field with credentials that reached it. A stream waits
between its two artifacts until a message says so. Prints where it listens, as JSON.
"""

import asyncio
import json
import socket
from typing import Any

import grpc
import uvicorn
from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.helpers import new_task_from_user_message, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCard, a2a_pb2_grpc
from google.protobuf.json_format import ParseDict
from starlette.applications import Starlette

CREDENTIALS = ("authorization", "x-totp", "signature", "signature-input", "content-digest")


def fields_of(context: RequestContext) -> dict[str, Any]:
    """The fields of a request, or the metadata of a call."""
    state = context.call_context.state if context.call_context else {}
    if "grpc_context" in state:
        return {name.lower(): value for name, value in state["grpc_context"].invocation_metadata() or ()}
    return {name.lower(): value for name, value in state["headers"].items()}


class Echo(AgentExecutor):
    """Says who sent what."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """A task with one artifact, or with two if it streams."""
        fields = fields_of(context)
        leaked = [name for name in CREDENTIALS if name in fields]
        text = context.get_user_input()
        task = context.current_task or new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        said = f"{fields.get('totppeer', 'nobody')} said: {text}{' with ' if leaked else ''}{', '.join(leaked)}"
        await updater.add_artifact([new_text_part(said)])
        if text == "go on":
            self.released.set()
        if text == "stream":
            await self.released.wait()
            self.released.clear()
            await updater.add_artifact([new_text_part("and went on")])
        await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nothing is cancelled here."""


async def main() -> None:
    """Serves until it is killed."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    rpc = grpc.aio.server()
    rpc_address = f"127.0.0.1:{rpc.add_insecure_port('127.0.0.1:0')}"
    urls = {"JSONRPC": f"{origin}/a2a/jsonrpc", "HTTP+JSON": f"{origin}/a2a/rest", "GRPC": rpc_address}
    card = ParseDict(
        {
            "name": "unguarded",
            "description": "Says who called.",
            "version": "1.0.0",
            "capabilities": {"streaming": True},
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": [{"id": "echo", "name": "Echo", "description": "Echoes.", "tags": ["test"]}],
            "supportedInterfaces": [
                {"url": url, "protocolBinding": binding, "protocolVersion": version}
                for version in ("1.0", "0.3")
                for binding, url in urls.items()
            ],
        },
        AgentCard(),
    )
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card)
    app = Starlette(
        routes=[
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/a2a/jsonrpc", enable_v0_3_compat=True),
            *create_rest_routes(handler, enable_v0_3_compat=True, path_prefix="/a2a/rest"),
        ]
    )
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(handler), rpc)
    a2a_v0_3_pb2_grpc.add_A2AServiceServicer_to_server(CompatGrpcHandler(handler), rpc)
    await rpc.start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(json.dumps({"http": origin, "grpc": f"http://{rpc_address}"}), flush=True)
    await serving


asyncio.run(main())
