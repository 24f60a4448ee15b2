"""Second factor for crewAI as an A2A client: a fresh TOTP code with every request, in polls and streams too.

Made by `a2a-totp config client NAME --format crewai`. Save it as `a2a_totp_crewai_client.py`. It holds no secret:
token and seed come from the environment, as `a2a-totp config client NAME --format env` prints them.

    agent = Agent(..., a2a=A2AClientConfig(endpoint=card_url, auth=TOTPClientAuthScheme()))

Works over JSON-RPC and REST. crewAI's gRPC transport sends a bearer token only, so do not prefer it. Token and code go
over https only, or over plain http to loopback, and where `$A2A_TOTP_URL` is set only to its origin: a card that names
another host gets neither.
Where `$A2A_TOTP_AGENT` is known, each request is also signed (RFC 9421): it is then good once, and cannot be changed.
Polls and streams are more than one request in a period: unsigned, they need an agent whose policy for this peer is
`reuse`.
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
import secrets
import struct
import time
from collections.abc import Generator, MutableMapping
from typing import Literal

import httpx
from crewai.a2a.auth import APIKeyAuth, BearerTokenAuth
from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

__all__ = ["TOTPClientAuthScheme"]

logger = logging.getLogger("a2a_totp")

MINIMUM_SEED_BITS = 128
"""RFC 4226 section 4, R6: the shared secret MUST have at least 128 bits."""

_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

_PROOF_TAG = "a2a-totp/proof/v1"
_PROOF_FIELDS = ("content-digest", "signature-input", "signature")
_OPTIONAL_COMPONENTS = ("content-type", "a2a-version", "a2a-extensions")
"""Signed whenever the request has them."""
_PLAIN_VALUE = re.compile(r"[\t\x20-\x7e]*")


def _variable(name: str, default: str | None = None) -> str:
    value = os.environ.get(f"A2A_TOTP_{name}") or default
    if value is None:
        raise ValueError(f"set $A2A_TOTP_{name}; `a2a-totp config client NAME` prints it")
    return value


def _whole(name: str) -> int | None:
    value = os.environ.get(f"A2A_TOTP_{name}")
    return int(value) if value else None


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
    agent: str | None = Field(
        default_factory=lambda: os.environ.get("A2A_TOTP_AGENT") or None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        validate_default=True,
    )
    signed: Literal["off", "observe", "accept", "require"] = Field(
        default_factory=lambda: _variable("SIGNED", "off"), validate_default=True
    )
    window: int | None = Field(default_factory=lambda: _whole("WINDOW"), ge=0, le=2, validate_default=True)
    insecure_http: bool = False
    api_key: str = ""

    @model_validator(mode="after")
    def _knows_the_agent(self) -> TOTPClientAuthScheme:
        if self.signed == "require" and self.agent is None:
            raise ValueError("the agent lets in signed requests only, so its name is needed: set $A2A_TOTP_AGENT")
        return self

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
        for name in _PROOF_FIELDS:
            request.headers.pop(name, None)
        request.headers["Authorization"] = f"Bearer {self._scheme.token}"
        request.headers[self._scheme.name] = self._scheme.code()
        proof = _proof_of(request, scheme)
        if proof is None and scheme.signed == "require":
            raise ValueError("the request cannot be signed, and the agent lets in no other; see what it consists of")
        request.headers.update(proof or {})
        yield request


def _proof_of(request: httpx.Request, scheme: TOTPClientAuthScheme) -> dict[str, str] | None:
    """The three headers that sign a request (RFC 9421); None if its body is a stream, or no signature can cover it."""
    try:
        content = request.content
    except httpx.RequestNotRead:
        return None
    if scheme.agent is None or "content-encoding" in request.headers:
        return None
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
    path, _, query = request.url.raw_path.decode("latin-1").partition("?")
    lines: dict[str, list[str]] = {}
    for field, value in request.headers.raw:
        lines.setdefault(field.decode("latin-1").lower(), []).append(value.decode("latin-1").strip(" \t"))
    names = ["authorization", scheme.name.lower(), *(name for name in _OPTIONAL_COMPONENTS if name in lines)]
    values = {
        "@method": request.method,
        "@path": path,
        "@query": f"?{query}",
        "content-digest": digest,
        **{name: ", ".join(lines[name]) for name in names},
    }
    if not all(_PLAIN_VALUE.fullmatch(value) for value in values.values()):
        return None
    extracted = hmac.digest(_PROOF_TAG.encode(), _key(scheme.seed), "sha256")
    mac_key, kid = (hmac.digest(extracted, f"{use} {scheme.agent}\x01".encode(), "sha256") for use in ("mac", "kid"))
    created = int(time.time())
    life = scheme.period if scheme.window is None else (scheme.window + 1) * scheme.period
    covered = " ".join(f'"{name}"' for name in values)
    nonce = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    keyid = f"{scheme.agent}/{base64.urlsafe_b64encode(kid[:6]).decode()}"
    parameters = (
        f'({covered});created={created};expires={created + life};nonce="{nonce}";keyid="{keyid}";tag="{_PROOF_TAG}"'
    )
    base = "\n".join([*(f'"{name}": {value}' for name, value in values.items()), f'"@signature-params": {parameters}'])
    mac = hmac.digest(mac_key, base.encode("ascii"), "sha256")
    return {
        "Content-Digest": digest,
        "Signature-Input": f"a2a-totp={parameters}",
        "Signature": f"a2a-totp=:{base64.b64encode(mac).decode()}:",
    }


def _key(seed: SecretStr) -> bytes:
    letters = re.sub(r"\s", "", seed.get_secret_value()).rstrip("=")
    if not re.fullmatch("[A-Za-z2-7]+", letters) or len(letters) % 8 in (1, 3, 6):
        raise ValueError("the seed is not base32")
    return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine for certain: a resolver may answer any name but localhost with any address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # Not what is_loopback says of IPv6: it takes ::ffff:127.0.0.1 for loopback, by version of Python.
    return address.is_loopback if address.version == 4 else address == ipaddress.IPv6Address("::1")
