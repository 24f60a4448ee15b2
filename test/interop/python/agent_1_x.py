"""An agent on a2a-sdk 1.x behind the Python package: JSON-RPC, REST and gRPC, protocols 1.0 and 0.3."""

import asyncio

from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.helpers import new_text_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCard, a2a_pb2_grpc
from a2a_totp_server import TOTPCallContextBuilder, TOTPServerAuthScheme
from google.protobuf.json_format import ParseDict
from starlette.applications import Starlette

from agent_serving import SECURITY_1_0, bound_socket, card_basics, grpc_server, serve


class Echo(AgentExecutor):
    """Answers with the caller's name and text."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Runs behind the guard only."""
        user = context.call_context.user.user_name if context.call_context else "nobody"
        await event_queue.enqueue_event(new_text_message(f"{user} said: {context.get_user_input()}"))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nothing runs long enough."""


async def main() -> None:
    """Serves until it is killed."""
    scheme = TOTPServerAuthScheme.from_file()
    listener, origin = bound_socket()
    rpc, rpc_address = grpc_server(scheme)
    urls = {"JSONRPC": f"{origin}/a2a/jsonrpc", "HTTP+JSON": f"{origin}/a2a/rest", "GRPC": rpc_address}
    interfaces = [
        {"url": url, "protocolBinding": binding, "protocolVersion": version}
        for version in ("1.0", "0.3")
        for binding, url in urls.items()
    ]
    card = ParseDict({**card_basics(), **SECURITY_1_0, "supportedInterfaces": interfaces}, AgentCard())
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card)
    builder = TOTPCallContextBuilder()
    app = Starlette(
        routes=[
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/a2a/jsonrpc", context_builder=builder, enable_v0_3_compat=True),
            *create_rest_routes(handler, context_builder=builder, enable_v0_3_compat=True, path_prefix="/a2a/rest"),
        ]
    )
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(handler, context_builder=builder), rpc)
    a2a_v0_3_pb2_grpc.add_A2AServiceServicer_to_server(CompatGrpcHandler(handler, context_builder=builder), rpc)
    await serve(app, listener, origin, scheme, rpc)


asyncio.run(main())
