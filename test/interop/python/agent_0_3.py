"""An agent on a2a-sdk 0.3 behind the Python package: JSON-RPC, REST and gRPC."""

import asyncio

from a2a.grpc import a2a_pb2_grpc
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCard
from a2a.utils import new_agent_text_message
from a2a_totp_server import TOTPCallContextBuilder, TOTPServerAuthScheme
from starlette.routing import Mount

from agent_serving import SECURITY_0_3, bound_socket, card_basics, grpc_server, serve


class Echo(AgentExecutor):
    """Answers with the caller's name and text."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Runs behind the guard only."""
        user = context.call_context.user.user_name if context.call_context else "nobody"
        await event_queue.enqueue_event(new_agent_text_message(f"{user} said: {context.get_user_input()}"))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nothing runs long enough."""


async def main() -> None:
    """Serves until it is killed."""
    scheme = TOTPServerAuthScheme.from_file()
    listener, origin = bound_socket()
    rpc, rpc_address = grpc_server(scheme)
    card = AgentCard.model_validate(
        {
            **card_basics(),
            **SECURITY_0_3,
            "protocolVersion": "0.3.0",
            "url": f"{origin}/a2a/jsonrpc",
            "preferredTransport": "JSONRPC",
            "additionalInterfaces": [
                {"transport": "JSONRPC", "url": f"{origin}/a2a/jsonrpc"},
                {"transport": "HTTP+JSON", "url": f"{origin}/a2a/rest"},
                {"transport": "GRPC", "url": rpc_address},
            ],
        }
    )
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore())
    builder = TOTPCallContextBuilder()
    app = A2AStarletteApplication(card, handler, context_builder=builder).build(rpc_url="/a2a/jsonrpc")
    rest = A2ARESTFastAPIApplication(card, handler, context_builder=builder).build()
    app.router.routes.append(Mount("/a2a/rest", app=rest))
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(card, handler, context_builder=builder), rpc)
    await serve(app, listener, origin, scheme, rpc)


asyncio.run(main())
