"""Sends token and code with every call of an a2a-sdk client."""

from __future__ import annotations

import importlib
from collections.abc import (
    Mapping,
)
from typing import Any

from a2a_totp.a2a.card_places import urls_of_card
from a2a_totp.client_errors import CredentialsError
from a2a_totp.extras import Extra
from a2a_totp.origins import Destination, host_and_port, is_loopback, origin_of, origin_of_url
from a2a_totp.sending import (
    CredentialSource,
    Outgoing,
    driven_async,
    own_fields,
    require_code_suffices,
    sending_of,
    source_of,
)


def _interceptor_base() -> Any:
    """The SDK's, where it is installed: one file can stand for this package in a program that has httpx alone."""
    try:
        from a2a.client import ClientCallInterceptor
    except ImportError:
        return object
    return ClientCallInterceptor


_INTERCEPTOR_BASE: Any = _interceptor_base()


class TOTPInterceptor(_INTERCEPTOR_BASE):  # type: ignore[misc]
    """Sends token and code with every call of an a2a-sdk client: of 1.x over all three bindings, of 0.3 over JSON-RPC
    alone (its REST and gRPC transports ignore interceptors).

    Prefer TOTPAuth and `totp_channel_factory`: an interceptor does not see the request. It cannot sign, so it takes no
    credentials of an agent that requires that: CannotSignError. It cannot stop a redirect from carrying the code to
    another host, so give the SDK a client that follows none. What it sees is the card: a call raises CredentialsError
    if any interface of it has another origin than the agent's URL (`credentials.url`; else than the first one of the
    first card), or over gRPC, where any port will do, another host; if it is over plain http beyond loopback, or over
    gRPC beyond loopback without `grpc_tls`, which says that the SDK's `grpc_channel_factory` makes channels with TLS.
    Under policy `once` each call waits for a time step. `credentials` may be given as those of TOTPAuth.
    """

    def __init__(
        self,
        credentials: CredentialSource | None = None,
        *,
        insecure_http: bool = False,
        grpc_tls: bool = False,
        max_wait: float | None = None,
        **fields: Any,
    ) -> None:
        with Extra("a2a"):
            importlib.import_module("a2a.client")
        self._source = source_of(credentials, fields)
        require_code_suffices(self._source.current(), "auto", "an interceptor")
        self._host = Destination(insecure_http=insecure_http, by_host=True)
        self._destination = Destination(insecure_http=insecure_http)
        self._insecure = insecure_http
        self._grpc_tls = grpc_tls
        self._max_wait = max_wait

    async def before(self, args: Any) -> None:
        """Called by a2a-sdk 1.x before each call."""
        from a2a.client import ClientCallContext

        context: Any = args.context or ClientCallContext()
        context.service_parameters = await self._with_credentials(context.service_parameters, args.agent_card)
        args.context = context

    async def after(self, args: Any) -> None:
        """Called by a2a-sdk 1.x after each call."""

    async def intercept(
        self,
        method_name: str,
        request_payload: dict[str, Any],
        http_kwargs: dict[str, Any],
        agent_card: Any,
        context: Any,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Called by a2a-sdk 0.3 before each call."""
        headers = await self._with_credentials(http_kwargs.get("headers"), agent_card)
        return request_payload, {**http_kwargs, "headers": headers}

    async def _with_credentials(self, headers: Mapping[str, str] | None, card: Any) -> dict[str, str]:
        """The caller's headers but for other spellings of the two, and fresh ones."""
        credentials = self._source.current()
        require_code_suffices(credentials, "auto", "an interceptor")
        for binding, url in urls_of_card(card):
            self._require_place(binding, url, credentials.url)
        outgoing = Outgoing("POST", "/", (), None)
        attempt = await driven_async(sending_of(credentials, outgoing, sign="never", max_wait=self._max_wait))
        stale = own_fields(credentials)
        return {
            **{name: value for name, value in (headers or {}).items() if name.lower() not in stale},
            **attempt.fields,
        }

    def _require_place(self, binding: str, url: str, agent_url: str | None) -> None:
        if binding != "GRPC":
            origin = origin_of_url(url)
            # The host of a card's gRPC interfaces binds the others too, where no URL does.
            self._host.admit(origin, agent_url)
            self._destination.admit(origin, agent_url)
            return
        host, port = host_and_port(url)
        safe = self._grpc_tls or is_loopback(host) or self._insecure
        if not safe:
            raise CredentialsError(
                "the card has a gRPC interface, and the SDK's channels are plaintext unless grpc_channel_factory makes "
                "others: use totp_channel_factory, or pass grpc_tls=True if yours has TLS"
            )
        self._host.admit(origin_of("https" if self._grpc_tls else "http", host, port), agent_url)
