"""gRPC: token, code and proof with every call of a client on `grpc.aio`."""

from __future__ import annotations

import asyncio
from collections.abc import (
    Callable,
    Iterable,
    Sequence,
)
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import grpc
from a2a_totp.client_errors import CredentialsError
from a2a_totp.extras import Extra
from a2a_totp.grpc.calls import CallPlan, CallSigner
from a2a_totp.origins import Destination, host_and_port, is_loopback
from a2a_totp.sending import CredentialSource, Sign, driven_async


def totp_client_interceptors(
    credentials: CredentialSource,
    target: str,
    *,
    insecure_http: bool = False,
    sign: Sign = "auto",
    max_wait: float | None = None,
) -> list[grpc.aio.ClientInterceptor]:
    """For `interceptors=` of a `grpc.aio` channel to that target: token and code with every call, and a proof where the
    agent's name is known. The proof is of the serialised message; a call that streams its requests is not signed.
    Interceptors that change the message have to come before these.

    `target` is what the channel is made for, such as `agent.example:50051`. Its host has to be that of the agent's URL
    (`credentials.url`), where it is known. Beyond loopback they are sent over TLS only, unless `insecure_http`: gRPC
    refuses the call otherwise. They are sent only where the channel's authority is that host. On loopback they are not
    sent through a proxy. Under policy `once` a call that is not signed waits for a time step of its own, for at most
    `max_wait` seconds.

    Raises CredentialsError for a target that they must not go to; a call raises it too, and StepSpentError, and
    CannotSignError for one that has to be signed and cannot be. No call is sent twice.
    """
    return _interceptors(
        CallSigner(credentials, target, insecure_http=insecure_http, sign=sign, max_wait=max_wait),
    )


def totp_channel_factory(
    credentials: CredentialSource,
    *,
    channel_credentials: grpc.ChannelCredentials | None = None,
    options: Sequence[tuple[str, Any]] = (),
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    insecure_http: bool = False,
    sign: Sign = "auto",
    max_wait: float | None = None,
) -> Callable[[str], grpc.aio.Channel]:
    """For `ClientConfig(grpc_channel_factory=…)` of a2a-sdk, 0.3 and 1.x: makes channels that send token, code and
    proof, as `totp_client_interceptors` does. `interceptors` come before those.

    The channels have TLS (`channel_credentials`, by default the machine's authorities), but plaintext on loopback
    without `channel_credentials`. All go to one host, that of the agent's URL, else that of the first channel: a card
    cannot add another. The factory raises CredentialsError for any other.
    """
    destination = Destination(insecure_http=insecure_http, by_host=True)

    def channel(target: str) -> grpc.aio.Channel:
        # Here, since a client without gRPC need not have it.
        with Extra("grpc"):
            import grpc

        signer = CallSigner(
            credentials,
            target,
            destination=destination,
            insecure_http=insecure_http,
            sign=sign,
            max_wait=max_wait,
            past_proxies=True,
        )
        host, port = host_and_port(target)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        chain = [*interceptors, *_interceptors(signer)]
        # What was sent may have been done: gRPC is not to send it again.
        own = [("grpc.enable_retries", 0)]
        if channel_credentials is None and (is_loopback(host) or insecure_http):
            plain = [*own, ("grpc.enable_http_proxy", 0), *options]
            return grpc.aio.insecure_channel(address, options=plain, interceptors=chain)
        tls = channel_credentials or grpc.ssl_channel_credentials()
        past_proxies = [("grpc.enable_http_proxy", 0)] if is_loopback(host) else []
        return grpc.aio.secure_channel(address, tls, options=[*own, *past_proxies, *options], interceptors=chain)

    return channel


def _interceptors(signer: CallSigner) -> list[grpc.aio.ClientInterceptor]:
    with Extra("grpc"):
        import grpc

    noticing: set[asyncio.Task[None]] = set()

    async def notice(call: Any, plan: CallPlan) -> None:
        if await call.code() is grpc.StatusCode.UNAUTHENTICATED:
            signer.notice(plan, _pairs(await call.trailing_metadata()))

    async def send(continuation: Any, details: Any, message: Any, request: Any) -> Any:
        method = details.method.decode() if isinstance(details.method, bytes) else details.method
        plan = await driven_async(signer.plan(method, _pairs(details.metadata), message, details.credentials))
        metadata = grpc.aio.Metadata(*plan.metadata)
        planned = grpc.aio.ClientCallDetails(
            details.method, details.timeout, metadata, plan.credentials, details.wait_for_ready
        )
        try:
            call = await continuation(planned, request)
        except grpc.aio.UsageError as error:
            if plan.credentials is None or plan.credentials is details.credentials:
                raise
            raise CredentialsError(
                "token and code go over TLS only, and this channel is plaintext: use totp_channel_factory, or a secure "
                "channel"
            ) from error

        def ended(_: Any) -> None:
            task = asyncio.ensure_future(notice(call, plan))
            noticing.add(task)
            task.add_done_callback(noticing.discard)

        call.add_done_callback(ended)
        return call

    class TOTPUnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            return await send(continuation, client_call_details, request, request)

    class TOTPUnaryStream(grpc.aio.UnaryStreamClientInterceptor):
        async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            return await send(continuation, client_call_details, request, request)

    class TOTPStreamUnary(grpc.aio.StreamUnaryClientInterceptor):
        async def intercept_stream_unary(
            self, continuation: Any, client_call_details: Any, request_iterator: Any
        ) -> Any:
            return await send(continuation, client_call_details, None, request_iterator)

    class TOTPStreamStream(grpc.aio.StreamStreamClientInterceptor):
        async def intercept_stream_stream(
            self, continuation: Any, client_call_details: Any, request_iterator: Any
        ) -> Any:
            return await send(continuation, client_call_details, None, request_iterator)

    return [TOTPUnaryUnary(), TOTPUnaryStream(), TOTPStreamUnary(), TOTPStreamStream()]


def _pairs(metadata: Any) -> Iterable[tuple[str, Any]]:
    return tuple((name, value) for name, value in metadata or ())
