"""Sees where requests of httpx go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from a2a_totp.client_errors import CredentialsError
from a2a_totp.origins import Origin, origin_of


class RequestWatch:
    """Sees each request at the moment when its head is sent, redirects too, by httpx's extension for traces.

    An Auth does not see redirects: httpx follows them on its own, and drops Authorization there, but not the code.
    """

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._extensions = request.extensions
        self._given: Callable[[str, Any], Any] | None = request.extensions.get("trace")
        self._own: frozenset[str] = frozenset()
        self._sent = False
        self.origin: Origin | None = None

    def install(self) -> RequestWatch:
        """For a synchronous client."""

        def trace(event: str, info: Any) -> None:
            self._look(event, info)
            if self._given:
                self._given(event, info)

        self._request.extensions = {**self._request.extensions, "trace": trace}
        return self

    def install_async(self) -> RequestWatch:
        """For an asynchronous one."""

        async def trace(event: str, info: Any) -> None:
            self._look(event, info)
            if self._given:
                given: Awaitable[None] = self._given(event, info)
                await given

        self._request.extensions = {**self._request.extensions, "trace": trace}
        return self

    def end(self) -> None:
        """Leaves the request as it was: the caller may send it again."""
        self._request.extensions = self._extensions

    def expect(self, origin: Origin, own: frozenset[str]) -> None:
        """What the next request that is sent may be."""
        self.origin, self._own, self._sent = origin, own, False

    def _look(self, event: str, info: Any) -> None:
        plain = self.origin is not None and self.origin.scheme == "http"
        if plain and event.startswith(("socks.", "socks5.")):
            raise CredentialsError(_PROXIED)
        if not event.endswith(".send_request_headers.started"):
            return
        sent = info["request"]
        if sent.method == b"CONNECT":
            return  # to a proxy, which sees no more than the host
        if not sent.url.target.startswith((b"/", b"*")):
            raise CredentialsError(_PROXIED)
        scheme, host = (part.decode("latin-1") for part in (sent.url.scheme, sent.url.host))
        origin = origin_of(scheme, host, sent.url.port)
        if origin != self.origin:
            raise CredentialsError(
                f"the agent redirected to {origin}; token and code are not sent to another origin: call that URL "
                "directly if it is the same agent"
            )
        if self._sent:
            # A redirect on the same origin. If it is refused like this, it is sent again with fields of its own.
            sent.headers = [line for line in sent.headers if line[0].decode("latin-1").lower() not in self._own]
        self._sent = True


_PROXIED = (
    "token and code are not sent over plain http through a proxy, which httpx uses here (HTTP_PROXY, ALL_PROXY, or "
    "proxy=): create the client with trust_env=False, or add the host to NO_PROXY"
)


def origin_of_httpx(url: httpx.URL) -> Origin:
    return origin_of(url.scheme, url.raw_host.decode("ascii"), url.port)
