"""gRPC: a guard in front of the services of `grpc.aio.server`."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from a2a_totp.a2a.context_builder import report_peers_by_default
from a2a_totp.callers import LetIn, grpc_verdict
from a2a_totp.extras import Extra
from a2a_totp.grpc.content import SignedMessages, comparing, signed_messages, to_the_end
from a2a_totp.grpc.ending import ENDED_DETAILS, EndingStream, StreamEndedError
from a2a_totp.guards import scheme_of_guard
from a2a_totp.log import logger
from a2a_totp.proof.content import content_digest
from a2a_totp.scheme.key import GuardMissingError
from a2a_totp.scheme.outcome import SCHEME_FAILED, Caller, Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme

if TYPE_CHECKING:
    import grpc

_HEALTH_METHODS = frozenset(f"/grpc.health.v1.Health/{name}" for name in ("Check", "Watch", "List"))
"""Spelled as a server keeps them: a call has to match one exactly."""


def totp_interceptor(
    scheme: TOTPServerAuthScheme | None = None, *, open_health: bool = False
) -> grpc.aio.ServerInterceptor:
    """An interceptor for `grpc.aio.server` that lets only callers with both factors reach a service.

    It decides before the message is parsed, for every service of the server: health and reflection too. `open_health`
    leaves `Check`, `Watch` and `List` of `grpc.health.v1.Health` open, for load balancers and orchestrators, which have
    no credentials. The server answers an unknown method before any interceptor runs.

    The message of a signed call is compared before the service gets it; a stream of messages is signed by its first
    one, and a second one is refused. An open stream ends with UNAUTHENTICATED once its caller's token or seed expires
    or leaves the server file; its service is cancelled then.

    It takes asynchronous services, as a2a-sdk makes them. A method that is not `async def` is answered with
    UNIMPLEMENTED, as the methods that a service lacks. From here on, the SDK's own gRPC builder reports who called,
    where it would report nobody.
    """
    # Here, since an agent without gRPC need not have it.
    with Extra("grpc"):
        import grpc

    report_peers_by_default()
    guard = _GrpcGuard(scheme_of_guard(scheme))

    class TOTPServerInterceptor(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            handler = await continuation(handler_call_details)
            method = str(getattr(handler_call_details, "method", ""))
            if not handler or (open_health and method in _HEALTH_METHODS):
                return handler
            return guard.guarded(handler, method)

    return TOTPServerInterceptor()


class _GrpcGuard:
    """Wraps the handlers of a server."""

    def __init__(self, scheme: TOTPServerAuthScheme) -> None:
        import grpc

        self._grpc, self._scheme = grpc, scheme
        self._makers = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        self._synchronous: set[str] = set()

    def guarded(self, handler: Any, method: str) -> Any:
        """A handler that runs the service for those who may call."""
        behavior = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        parse = handler.request_deserializer
        streams = handler.request_streaming
        # Called from here, a synchronous one would not stop at its own `context.abort`. Generated services have one for
        # each method that they lack: who may not call is refused first, like everywhere.
        is_async = inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)

        async def begin(request: Any, context: Any) -> tuple[Any, LetIn]:
            entry, content = await self._admit(context, method, None if streams else request)
            if not is_async:
                await self._refuse_synchronous(context, method)
            if content:
                return to_the_end(request, content), entry
            if streams or not parse:
                return request, entry
            try:
                return parse(request), entry
            except Exception:
                await context.abort(self._grpc.StatusCode.INTERNAL, "Error deserializing request")
                raise

        async def call(request: Any, context: Any) -> Any:
            message, entry = await begin(request, context)
            if not streams:
                return await behavior(message, context)
            ending = EndingStream(entry.caller) if entry.caller else None
            try:
                answer = await (ending.inside(behavior(message, context)) if ending else behavior(message, context))
                self._end_of_content()
                return answer
            except Exception as error:
                await self._end(context, error)
                raise
            finally:
                if ending:
                    ending.release()

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            message, entry = await begin(request, context)
            ending = EndingStream(cast("Caller", entry.caller))
            try:
                answers = behavior(message, context)
                if inspect.isawaitable(answers):
                    await ending.inside(answers)  # it writes to the context itself
                else:
                    async with contextlib.aclosing(ending.answers(answers)) as until_the_end:
                        async for answer in until_the_end:
                            yield answer
                self._end_of_content()
            except Exception as error:
                await self._end(context, error)
                raise
            finally:
                ending.release()

        make = self._makers[streams, handler.response_streaming]
        return make(
            stream if handler.response_streaming else call,
            request_deserializer=comparing(parse) if streams else None,
            response_serializer=handler.response_serializer,
        )

    async def _admit(self, context: Any, method: str, message: bytes | None) -> tuple[LetIn, SignedMessages | None]:
        """Who may call, and what compares a stream of messages. Ends the call of anybody else."""
        fields = [
            (key, value if isinstance(value, str) else value.decode("latin-1"))
            for key, value in context.invocation_metadata() or ()
        ]
        request = AuthRequest(fields, _host_of(context.peer()), "POST", method, "grpc")
        outcome: Caller | Refusal
        examined = None
        try:
            examined = await self._scheme.examine(request)
            compares = message is not None and examined.digest is not None
            outcome = examined.compare(content_digest("grpc", message or b"")) if compares else examined.let_in()
        except Exception as error:  # noqa: BLE001
            # Fails closed, and without the error's text, which may hold what a state was asked.
            logger.error("a call could not be checked: %s", type(error).__name__)
            outcome = SCHEME_FAILED
        if isinstance(outcome, Refusal):
            await self._refuse(context, outcome)
            raise GuardMissingError("the refused call was not aborted")  # by a context that somebody wrapped
        entry = LetIn(self._scheme, outcome)
        grpc_verdict.set((context, entry))
        content = None
        if message is None and examined and examined.digest is not None:

            def take_back() -> None:
                entry.caller = None

            content = SignedMessages(examined, take_back)
        signed_messages.set(content)
        return entry, content

    async def _refuse(self, context: Any, refusal: Refusal) -> None:
        code = self._grpc.StatusCode[refusal.grpc_status]
        await context.abort(code, refusal.message, tuple(refusal.headers))

    async def _refuse_synchronous(self, context: Any, method: str) -> None:
        if method not in self._synchronous:
            self._synchronous.add(method)
            logger.error("%s is not implemented as an `async def`, which totp_interceptor needs", method)
        await context.abort(self._grpc.StatusCode.UNIMPLEMENTED, "the method is not implemented")
        raise TypeError("totp_interceptor guards asynchronous services only; write `async def` handlers")

    def _end_of_content(self) -> None:
        content = signed_messages.get()
        if content:
            content.take_end()

    async def _end(self, context: Any, error: Exception) -> None:
        """Ends a call that the guard ends; whatever else the service raised is its own."""
        content = signed_messages.get()
        if content and content.refusal:
            await self._refuse(context, content.refusal)
        if isinstance(error, StreamEndedError):
            await context.abort(self._grpc.StatusCode.UNAUTHENTICATED, ENDED_DETAILS)


def _host_of(peer: str) -> str:
    """The address in `ipv4:127.0.0.1:50051` or `ipv6:[::1]:50051`, as HTTP has it: without scheme and port."""
    if not peer.startswith(("ipv4:", "ipv6:")):
        return peer
    return unquote(peer[5:].rpartition(":")[0]).strip("[]")
