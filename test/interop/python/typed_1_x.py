"""The places of a2a-sdk 1.x that take a context_builder, for type checkers."""

from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.server.routes.jsonrpc_routes import create_jsonrpc_routes
from a2a.server.routes.rest_routes import create_rest_routes
from a2a_totp.a2a import TOTPCallContextBuilder
from a2a_totp.scheme import TOTPServerAuthScheme


def mount(handler: RequestHandler, scheme: TOTPServerAuthScheme) -> None:
    """Each of them."""
    create_jsonrpc_routes(handler, "/", context_builder=TOTPCallContextBuilder())
    create_rest_routes(handler, context_builder=TOTPCallContextBuilder(scheme))
    GrpcHandler(handler, context_builder=TOTPCallContextBuilder(scheme))
