"""What the kit's branch 1.0-dev is run against: its own agent on a2a-sdk 1.x. `$A2A_TCK` is the checkout.

Guarded if there is a server file. The kit's program is for an alpha of the SDK, whose server modules are gone: its
executor alone is used.
"""

import ast
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from a2a.helpers import new_task_from_user_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.routes import (
    create_agent_card_routes,
    create_jsonrpc_routes,
    create_rest_routes,
)
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCard, a2a_pb2_grpc
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.grpc import totp_interceptor
from a2a_totp.scheme import TOTPServerAuthScheme
from google.protobuf.json_format import ParseDict
from starlette.applications import Starlette

GONE = ("a2a.server.apps", "a2a.server.request_handlers.default_request_handler")


def kit_executor() -> Any:
    """The kit's executor, without the imports of its server."""
    path = Path(os.environ["A2A_TCK"], "sut/a2a-python/sut_agent.py")
    module = ast.parse(path.read_text(encoding="utf-8"))
    module.body = [node for node in module.body if not (isinstance(node, ast.ImportFrom) and node.module in GONE)]
    names: dict[str, Any] = {"__name__": "sut_agent"}
    exec(compile(module, path, "exec"), names)  # noqa: S102 - the checkout that the caller names
    return names["TckAgentExecutor"]()


class Announced(AgentExecutor):
    """Begins each task before the kit's executor changes it, which the SDK has required since."""

    def __init__(self, inner: AgentExecutor) -> None:
        self._inner = inner

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """As the kit, but for that."""
        is_message = context.message.message_id.startswith("tck-message-response")
        if context.current_task is None and not is_message:
            await event_queue.enqueue_event(new_task_from_user_message(context.message))
        await self._inner.execute(context, event_queue)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """As the kit."""
        await self._inner.cancel(context, event_queue)


origin = os.environ["PUBLIC_URL"]
grpc_address = os.environ["GRPC_ADDRESS"]
urls = {"JSONRPC": origin, "HTTP+JSON": f"{origin}/a2a/rest", "GRPC": grpc_address}
card = ParseDict(
    {
        "name": "tck",
        "description": "The agent of the kit.",
        "version": "1.0.0",
        "provider": {
            "organization": "A2A Project",
            "url": "https://github.com/a2aproject",
        },
        "supportedInterfaces": [
            {"url": url, "protocolBinding": binding, "protocolVersion": "1.0"} for binding, url in urls.items()
        ],
        "capabilities": {"streaming": True, "pushNotifications": False},
        "defaultInputModes": ["text"],
        "defaultOutputModes": ["text"],
        "skills": [
            {
                "id": "tck",
                "name": "TCK",
                "description": "Answers the cases.",
                "tags": ["tck"],
            }
        ],
    },
    AgentCard(),
)
handler = DefaultRequestHandler(Announced(kit_executor()), InMemoryTaskStore(), card)
scheme = TOTPServerAuthScheme.from_file() if "A2A_TOTP_SERVER_FILE" in os.environ else None


@asynccontextmanager
async def with_grpc(_: Starlette) -> AsyncIterator[None]:
    """Serves gRPC too, as long as HTTP."""
    rpc = grpc.aio.server(interceptors=[totp_interceptor(scheme)] if scheme else [])
    rpc.add_insecure_port(grpc_address)
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(handler), rpc)
    await rpc.start()
    yield
    await rpc.stop(None)


app = Starlette(
    lifespan=with_grpc,
    routes=[
        *create_agent_card_routes(card),
        *create_rest_routes(handler, path_prefix="/a2a/rest"),
        *create_jsonrpc_routes(handler, "/"),
    ],
)
if scheme:
    app.add_middleware(TOTPMiddleware, scheme=scheme)
