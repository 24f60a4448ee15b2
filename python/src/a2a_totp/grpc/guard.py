"""gRPC: a guard in front of the services of `grpc.aio.server`."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncIterator,
)
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    import grpc
from a2a_totp.a2a.context_builder import report_peers_by_default
from a2a_totp.grpc.verdict import grpc_verdict
from a2a_totp.proof.content import content_digest
from a2a_totp.scheme.key import GuardMissingError
from a2a_totp.scheme.outcome import Caller
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme


def totp_interceptor(scheme: TOTPServerAuthScheme | None = None) -> grpc.aio.ServerInterceptor:
    """An interceptor for `grpc.aio.server` that lets only callers with both factors reach a service.

    It decides before the message is parsed, for every service of the server: health and reflection too. The message of
    a signed call is compared before; a signed call with a stream of messages is refused where proofs matter. It takes
    asynchronous services, as a2a-sdk makes them, and refuses calls of others. From here on, the SDK's own gRPC builder
    reports who called, where it would report nobody.
    """
    # Here, since an agent without gRPC need not have it.
    import grpc

    report_peers_by_default()
    checker = scheme or TOTPServerAuthScheme.from_file()
    makers = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }

    async def admit(context: Any, method: str, message: Any) -> None:
        metadata = context.invocation_metadata() or ()
        seen = isinstance(message, bytes)
        fields = [(key, value if isinstance(value, str) else value.decode("latin-1")) for key, value in metadata]
        request = AuthRequest(fields, _host_of(context.peer()), "POST", method, "grpc")
        examined = await checker.examine(request, sees_content=seen)
        compares = seen and examined.digest is not None
        outcome = examined.compare(content_digest("grpc", message)) if compares else examined.let_in()
        if isinstance(outcome, Caller):
            grpc_verdict.set((context, outcome))
            return
        await context.abort(grpc.StatusCode[outcome.grpc_status], outcome.message, tuple(outcome.headers))
        raise GuardMissingError("the refused call was not aborted")  # by a context that somebody wrapped

    def guarded(handler: Any, method: str) -> Any:
        behavior = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        parse = handler.request_deserializer
        late = parse is not None and not handler.request_streaming
        # Called from here, a synchronous one would not stop at its own `context.abort`. Generated services have one for
        # each method that they lack: who may not call is refused first, like everywhere.
        is_async = inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)

        def require_async() -> None:
            if not is_async:
                raise TypeError("totp_interceptor guards asynchronous services only; give it `async def` handlers")

        # Of a stream of messages nothing is signed.
        def message_in(request: Any) -> Any:
            return None if handler.request_streaming else request

        async def call(request: Any, context: Any) -> Any:
            await admit(context, method, message_in(request))
            require_async()
            return await behavior(parse(request) if late else request, context)

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            await admit(context, method, message_in(request))
            require_async()
            answers = behavior(parse(request) if late else request, context)
            if inspect.isawaitable(answers):
                await answers  # it writes to the context itself
                return
            async for answer in answers:
                yield answer

        make = makers[handler.request_streaming, handler.response_streaming]
        return make(
            stream if handler.response_streaming else call,
            request_deserializer=None if late else parse,
            response_serializer=handler.response_serializer,
        )

    class TOTPInterceptor(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            handler = await continuation(handler_call_details)
            return guarded(handler, str(getattr(handler_call_details, "method", ""))) if handler else handler

    return TOTPInterceptor()


def _host_of(peer: str) -> str:
    """The address in `ipv4:127.0.0.1:50051` or `ipv6:[::1]:50051`, as HTTP has it: without scheme and port."""
    if not peer.startswith(("ipv4:", "ipv6:")):
        return peer
    return unquote(peer[5:].rpartition(":")[0]).strip("[]")
