"""The places of a2a-sdk 0.3 that take a context_builder, for type checkers."""

from a2a.server.apps import A2AFastAPIApplication, A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import AgentCard
from a2a_totp.a2a import TOTPCallContextBuilder
from a2a_totp.scheme import TOTPServerAuthScheme


def mount(card: AgentCard, handler: RequestHandler, scheme: TOTPServerAuthScheme) -> None:
    """Each of them."""
    A2AStarletteApplication(card, handler, context_builder=TOTPCallContextBuilder())
    A2AFastAPIApplication(card, handler, context_builder=TOTPCallContextBuilder(scheme))
    A2ARESTFastAPIApplication(card, handler, context_builder=TOTPCallContextBuilder(scheme))
    GrpcHandler(card, handler, context_builder=TOTPCallContextBuilder(scheme))
