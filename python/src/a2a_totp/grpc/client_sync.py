"""gRPC: token, code and proof with every call of a client on plain `grpc`, in threads."""

from __future__ import annotations

from typing import Any

from a2a_totp.extras import Extra
from a2a_totp.grpc.calls import CallSigner
from a2a_totp.sending import CredentialSource, Sign, driven


def totp_sync_client_interceptor(
    credentials: CredentialSource,
    target: str,
    *,
    insecure_http: bool = False,
    sign: Sign = "auto",
    max_wait: float | None = None,
) -> Any:
    """For `grpc.intercept_channel(channel, …)`, with a channel to that target. As `totp_client_interceptors` does."""
    # Here, since a client without gRPC need not have it.
    with Extra("grpc"):
        import grpc

    signer = CallSigner(credentials, target, insecure_http=insecure_http, sign=sign, max_wait=max_wait)

    def send(continuation: Any, details: Any, message: Any, request: Any) -> Any:
        plan = driven(signer.plan(details.method, details.metadata or (), message, details.credentials))

        class Details(grpc.ClientCallDetails):
            method = details.method
            timeout = details.timeout
            metadata = plan.metadata
            credentials = plan.credentials
            wait_for_ready = getattr(details, "wait_for_ready", None)
            compression = getattr(details, "compression", None)

        call = continuation(Details(), request)

        def ended(_: Any) -> None:
            if call.code() is grpc.StatusCode.UNAUTHENTICATED:
                signer.notice(plan, call.trailing_metadata())

        if hasattr(call, "add_done_callback"):
            call.add_done_callback(ended)
        return call

    class TOTPSyncInterceptor(
        grpc.UnaryUnaryClientInterceptor,
        grpc.UnaryStreamClientInterceptor,
        grpc.StreamUnaryClientInterceptor,
        grpc.StreamStreamClientInterceptor,
    ):
        def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            return send(continuation, client_call_details, request, request)

        def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            return send(continuation, client_call_details, request, request)

        def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
            return send(continuation, client_call_details, None, request_iterator)

        def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
            return send(continuation, client_call_details, None, request_iterator)

    return TOTPSyncInterceptor()
