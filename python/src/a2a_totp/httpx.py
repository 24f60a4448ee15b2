"""Sends token, code and proof with every request of an httpx client."""

from __future__ import annotations

from collections.abc import (
    Generator,
)

import httpx

from a2a_totp.credentials import CannotSignError, CredentialsError, TotpCredentials
from a2a_totp.origins import is_loopback

_PROOF_FIELDS = ("content-digest", "signature-input", "signature")


class TOTPAuth(httpx.Auth):
    """Sends token and code with every request of an httpx client, made at the moment of sending, and signs it.

    They go to the origin of `credentials.url` where that is known, and over plain http to loopback only, unless
    `insecure_http`: elsewhere it raises CredentialsError. Do not let the client follow redirects: httpx would carry
    the code on to another origin.
    """

    def __init__(self, credentials: TotpCredentials, *, insecure_http: bool = False) -> None:
        self._credentials = credentials
        self._insecure_http = insecure_http
        self._origin = _origin(httpx.URL(credentials.url)) if credentials.url else None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx once a request."""
        if self._origin and _origin(request.url) != self._origin:
            raise CredentialsError(f"the credentials are not for {request.url.host}, but for $A2A_TOTP_URL")
        if request.url.scheme != "https" and not self._insecure_http and not is_loopback(request.url.host):
            raise CredentialsError("credentials go over https only; plain http is for loopback")
        for name in _PROOF_FIELDS:
            request.headers.pop(name, None)
        request.headers.update(self._credentials.headers())
        request.headers.update(self._proof_of(request))
        yield request

    def _proof_of(self, request: httpx.Request) -> dict[str, str]:
        """Nothing where the request cannot be signed and need not be."""
        credentials = self._credentials
        if credentials.agent is None:
            return {}
        try:
            try:
                content = request.content
            except httpx.RequestNotRead:
                raise CannotSignError(
                    "a body that is a stream cannot be signed; send one that is known whole"
                ) from None
            fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
            return credentials.proof(request.method, request.url.raw_path.decode("latin-1"), fields, content)
        except CannotSignError:
            if credentials.signed == "require":
                raise
            return {}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
