"""Second factor for crewAI as an A2A client: a fresh TOTP code with every request, in polls and streams too.

Made by `a2a-totp config client NAME --format crewai`. Save it as `a2a_totp_crewai_client.py`. It holds no secret:
token and seed come from the environment, as `a2a-totp config client NAME --format env` prints them.

    agent = Agent(..., a2a=A2AClientConfig(endpoint=card_url, auth=TOTPClientAuthScheme()))

Works over JSON-RPC and REST. crewAI's gRPC transport sends a bearer token only, so do not prefer it. Token and code go
over https only, or over plain http to loopback, and where `$A2A_TOTP_URL` is set only to its origin: a card that names
another host gets neither.
Polls and streams are more than one request in a period: the agent's policy for this peer has to be `reuse`.
For crewai with its a2a extra, Python 3.10 and up; needs no other package.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import logging
import os
import re
import struct
import time
from collections.abc import Generator, MutableMapping
from typing import Literal

import httpx
from crewai.a2a.auth import APIKeyAuth, BearerTokenAuth
from pydantic import ConfigDict, Field, SecretStr, field_validator

__all__ = ["TOTPClientAuthScheme"]

logger = logging.getLogger("a2a_totp")

MINIMUM_SEED_BITS = 128
"""RFC 4226 section 4, R6: the shared secret MUST have at least 128 bits."""

_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def _variable(name: str, default: str | None = None) -> str:
    value = os.environ.get(f"A2A_TOTP_{name}") or default
    if value is None:
        raise ValueError(f"set $A2A_TOTP_{name}; `a2a-totp config client NAME` prints it")
    return value


class TOTPClientAuthScheme(BearerTokenAuth, APIKeyAuth):
    """Bearer token AND TOTP code, for `A2AClientConfig(auth=…)`.

    Both a BearerTokenAuth and an APIKeyAuth, because crewAI looks only at the first key of a card's requirement and
    wants the class that goes with it. crewAI asks `apply_auth` for headers once and then reuses them, so the work is
    done by `configure_client`, which sees each request.
    """

    # What pydantic says of a bad seed or token would else quote it.
    model_config = ConfigDict(hide_input_in_errors=True)

    token: str = Field(default_factory=lambda: _variable("TOKEN").strip(), repr=False, validate_default=True)
    seed: SecretStr = Field(default_factory=lambda: SecretStr(_variable("SEED")), validate_default=True)
    algorithm: Literal["SHA1", "SHA256", "SHA512"] = Field(
        default_factory=lambda: _variable("ALGORITHM", "SHA1"),
        validate_default=True,
    )
    digits: int = Field(default_factory=lambda: int(_variable("DIGITS", "6")), ge=6, le=8, validate_default=True)
    period: int = Field(default_factory=lambda: int(_variable("PERIOD", "30")), ge=10, le=120, validate_default=True)
    name: str = Field(default_factory=lambda: _variable("HEADER", "X-TOTP"))
    url: str | None = Field(default_factory=lambda: os.environ.get("A2A_TOTP_URL") or None)
    insecure_http: bool = False
    api_key: str = ""

    @field_validator("token")
    @classmethod
    def _is_b64token(cls, token: str) -> str:
        # One that no header can carry would fail in each request, with an error that quotes it.
        if not _TOKEN.fullmatch(token):
            raise ValueError("the token is not an RFC 6750 b64token")
        return token

    @field_validator("seed")
    @classmethod
    def _is_base32(cls, seed: SecretStr) -> SecretStr:
        bits = 8 * len(_key(seed))
        if bits < MINIMUM_SEED_BITS:
            logger.warning("the seed has %d bits, RFC 4226 asks for 128: ask who issued it for a longer one", bits)
        return seed

    def code(self, at: float | None = None) -> str:
        """The code (RFC 6238) for an instant in unix seconds, by default now."""
        step = int((time.time() if at is None else at) // self.period)
        digest = hmac.new(_key(self.seed), struct.pack(">Q", step), _HASHES[self.algorithm]).digest()
        offset = digest[-1] & 0x0F
        number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
        return str(number % 10**self.digits).zfill(self.digits)

    async def apply_auth(
        self, client: httpx.AsyncClient, headers: MutableMapping[str, str]
    ) -> MutableMapping[str, str]:
        """Adds nothing: crewAI would send the same headers for as long as a delegation lasts."""
        return headers

    def configure_client(self, client: httpx.AsyncClient) -> None:
        """Called by crewAI with each client that it makes."""
        client.auth = _FreshHeaders(self)


class _FreshHeaders(httpx.Auth):
    """Sets both headers at the moment of sending, and sends them nowhere else than to their agent."""

    def __init__(self, scheme: TOTPClientAuthScheme) -> None:
        self._scheme = scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        scheme, url = self._scheme, request.url
        if scheme.url and _origin(url) != _origin(httpx.URL(scheme.url)):
            raise ValueError(f"token and code are not for {url.host}, but for $A2A_TOTP_URL")
        if url.scheme != "https" and not scheme.insecure_http and not _is_loopback(url.host):
            raise ValueError("token and code go over https only; plain http is for loopback")
        request.headers["Authorization"] = f"Bearer {self._scheme.token}"
        request.headers[self._scheme.name] = self._scheme.code()
        yield request


def _key(seed: SecretStr) -> bytes:
    letters = re.sub(r"\s", "", seed.get_secret_value()).rstrip("=")
    if not re.fullmatch("[A-Za-z2-7]+", letters) or len(letters) % 8 in (1, 3, 6):
        raise ValueError("the seed is not base32")
    return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
