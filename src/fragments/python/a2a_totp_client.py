"""Second factor for an A2A client: sends the bearer token and a fresh TOTP code with every request.

Made by `a2a-totp config client NAME --format python`. Save it as `a2a_totp_client.py`. It holds no secret: token
and seed come from the environment, as `a2a-totp config client NAME --format env` prints them.

    credentials = TotpCredentials.from_env()
    http = httpx.AsyncClient(auth=TOTPAuth(credentials))               # JSON-RPC, REST and the agent card
    ClientFactory(config).create(card, interceptors=[TOTPInterceptor(credentials)])  # gRPC too; a2a-sdk 1.x

Use one of the two. TOTPAuth is the better one for HTTP: it sees where a request goes. On a2a-sdk 0.3 an interceptor
reaches JSON-RPC only. (The SDK's own AuthInterceptor sends only the first of two schemes that a card demands together.)

Where `$A2A_TOTP_AGENT` is known, TOTPAuth also signs each request (RFC 9421) whose body is at hand: then the request is
good once and cannot be changed. A body that is a stream is not signed, and is refused here where `$A2A_TOTP_SIGNED` is
`require`. The interceptor does not see the request and signs nothing.

Under policy `once` a code is good for one unsigned request: more than one in a period is answered 401 with Retry-After,
and when to send the next is for the caller to say.

For a2a-sdk 0.3 and 1.x, Python 3.10 and up; needs no other package.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import logging
import math
import os
import re
import secrets
import struct
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from a2a.client import ClientCallContext, ClientCallInterceptor

__all__ = ["CannotSignError", "CredentialsError", "TOTPAuth", "TOTPInterceptor", "TotpCredentials"]

logger = logging.getLogger("a2a_totp")

MINIMUM_SEED_BITS = 128
"""RFC 4226 section 4, R6: the shared secret MUST have at least 128 bits."""

_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SIGNED = ("off", "observe", "accept", "require")

_PROOF_TAG = "a2a-totp/proof/v1"
_PROOF_FIELDS = ("content-digest", "signature-input", "signature")
_OPTIONAL_COMPONENTS = ("content-type", "a2a-version", "a2a-extensions")
"""Signed whenever the request has them."""
_PLAIN_VALUE = re.compile(r"[\t\x20-\x7e]*")


class CredentialsError(ValueError):
    """Token, seed or profile cannot be used, or must not be sent there. The message never quotes a secret."""


class CannotSignError(CredentialsError):
    """A request that has to be signed cannot be."""


@dataclass(frozen=True)
class TotpCredentials:
    """What one peer needs to call one agent. `period` is in seconds; `url` is the agent's, where it is known.

    Requests are signed where the `agent`'s name is known; `signed` is its policy, and `require` means that none is sent
    unsigned. `window` is the agent's, in time steps, and decides how long a signature lives.
    """

    token: str = field(repr=False)
    seed: str = field(repr=False)
    algorithm: str = "SHA1"
    digits: int = 6
    period: int = 30
    header: str = "X-TOTP"
    url: str | None = None
    agent: str | None = None
    signed: str = "off"
    window: int | None = None

    def __post_init__(self) -> None:
        """Raises CredentialsError for what could never pass."""
        if not _TOKEN.fullmatch(self.token):
            raise CredentialsError("the token is not an RFC 6750 b64token")
        if self.algorithm not in _HASHES:
            raise CredentialsError("the algorithm must be one of SHA1, SHA256, SHA512")
        if self.digits not in (6, 7, 8) or not 10 <= self.period <= 120:
            raise CredentialsError("digits must be 6, 7 or 8, and the period 10 to 120 seconds")
        if self.agent is not None and not _AGENT.fullmatch(self.agent):
            raise CredentialsError(
                "the agent must be a name: a letter or digit, then up to 63 letters, digits, . - and _"
            )
        if self.signed not in _SIGNED or self.window not in (None, 0, 1, 2):
            raise CredentialsError(f"signed must be one of {', '.join(_SIGNED)}, and the window 0, 1 or 2")
        if self.signed == "require" and self.agent is None:
            raise CannotSignError("the agent lets in signed requests only, so its name is needed: set $A2A_TOTP_AGENT")
        bits = 8 * len(self._key())
        if bits < MINIMUM_SEED_BITS:
            logger.warning("the seed has %d bits, RFC 4226 asks for 128: ask who issued it for a longer one", bits)

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> TotpCredentials:
        """Reads `A2A_TOTP_TOKEN`, `A2A_TOTP_SEED` and, where they differ from the defaults, the other `A2A_TOTP_*`.

        Raises CredentialsError when token or seed is missing, or a value is not allowed.
        """

        def read(name: str, default: str | None = None) -> str:
            value = environment.get(f"A2A_TOTP_{name}") or default
            if value is None:
                raise CredentialsError(f"set $A2A_TOTP_{name}; `a2a-totp config client NAME` prints it")
            return value

        try:
            digits, period = int(read("DIGITS", "6")), int(read("PERIOD", "30"))
            window = environment.get("A2A_TOTP_WINDOW")
            known_window = int(window) if window else None
        except ValueError as error:
            if isinstance(error, CredentialsError):
                raise
            raise CredentialsError(
                "$A2A_TOTP_DIGITS, $A2A_TOTP_PERIOD and $A2A_TOTP_WINDOW must be whole numbers"
            ) from None
        return cls(
            token=read("TOKEN").strip(),
            seed=read("SEED"),
            algorithm=read("ALGORITHM", "SHA1"),
            digits=digits,
            period=period,
            header=read("HEADER", "X-TOTP"),
            url=environment.get("A2A_TOTP_URL") or None,
            agent=environment.get("A2A_TOTP_AGENT") or None,
            signed=read("SIGNED", "off"),
            window=known_window,
        )

    def code(self, at: float | None = None) -> str:
        """The code (RFC 6238) for an instant in unix seconds, by default now."""
        step = int((time.time() if at is None else at) // self.period)
        digest = hmac.new(self._key(), struct.pack(">Q", step), _HASHES[self.algorithm]).digest()
        offset = digest[-1] & 0x0F
        number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
        return str(number % 10**self.digits).zfill(self.digits)

    def headers(self, at: float | None = None) -> dict[str, str]:
        """Both headers of one request. Make them anew for each attempt."""
        return {"Authorization": f"Bearer {self.token}", self.header: self.code(at)}

    def proof(
        self,
        method: str,
        target: str,
        fields: Iterable[tuple[str, str]],
        content: bytes,
        *,
        at: float | None = None,
        nonce: bytes | None = None,
    ) -> dict[str, str]:
        """The three headers that sign one request (RFC 9421): it is then good once, and cannot be changed.

        `target` is the path with its query, exactly as it is sent, and `fields` are all headers, token and code too.

        Raises CannotSignError for a request that no signature can cover, or where the agent's name is not known.
        """
        if self.agent is None:
            raise CannotSignError("set $A2A_TOTP_AGENT to the agent's name: it is part of a signature")
        lines: dict[str, list[str]] = {}
        for name, value in fields:
            lines.setdefault(name.lower(), []).append(value)
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
        path, _, query = target.partition("?")
        always = ("authorization", self.header.lower())
        names = [*always, *(name for name in _OPTIONAL_COMPONENTS if name in lines)]
        values = {
            "@method": method,
            "@path": path,
            "@query": f"?{query}",
            "content-digest": digest,
            **{name: ", ".join(line.strip(" \t") for line in lines.get(name, ())) for name in names},
        }
        if "content-encoding" in lines:
            raise CannotSignError("a request with a Content-Encoding cannot be signed; send the body as it is")
        for name, value in values.items():
            if not _PLAIN_VALUE.fullmatch(value) or (name in always and name not in lines):
                raise CannotSignError(f"the request cannot be signed: its {name} is missing, or not printable ASCII")
        created = math.floor(time.time() if at is None else at)
        life = self.period if self.window is None else (self.window + 1) * self.period
        covered = " ".join(f'"{name}"' for name in values)
        fresh = base64.urlsafe_b64encode(nonce or secrets.token_bytes(16)).decode().rstrip("=")
        keyid = f"{self.agent}/{base64.urlsafe_b64encode(self._proof_key('kid')[:6]).decode()}"
        parameters = (
            f'({covered});created={created};expires={created + life};nonce="{fresh}";keyid="{keyid}";tag="{_PROOF_TAG}"'
        )
        base = "\n".join(
            [*(f'"{name}": {value}' for name, value in values.items()), f'"@signature-params": {parameters}']
        )
        mac = hmac.digest(self._proof_key("mac"), base.encode("ascii"), "sha256")
        return {
            "Content-Digest": digest,
            "Signature-Input": f"a2a-totp={parameters}",
            "Signature": f"a2a-totp=:{base64.b64encode(mac).decode()}:",
        }

    def _proof_key(self, name: str) -> bytes:
        """HKDF-SHA256 (RFC 5869): independent of the codes, and of other agents' keys."""
        extracted = hmac.digest(_PROOF_TAG.encode(), self._key(), "sha256")
        return hmac.digest(extracted, f"{name} {self.agent}\x01".encode(), "sha256")

    def _key(self) -> bytes:
        grouped = re.fullmatch("([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*", re.sub(r"\s", "", self.seed))
        letters = grouped[1].replace("-", "") if grouped else ""
        if not letters or len(letters) % 8 in (1, 3, 6):
            raise CredentialsError("the seed is not base32")
        return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)


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
        if request.url.scheme != "https" and not self._insecure_http and not _is_loopback(request.url.host):
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


class TOTPInterceptor(ClientCallInterceptor):
    """Sends token and code with every call of an a2a-sdk client, of either line.

    It does not see where the call goes: create clients only from cards that you trust. (a2a-sdk 0.3 runs interceptors
    for JSON-RPC; its REST and gRPC transports ignore them.) It cannot sign, so it takes no credentials of an agent that
    requires that: CannotSignError.
    """

    def __init__(self, credentials: TotpCredentials) -> None:
        if credentials.signed == "require":
            raise CannotSignError(
                "the agent lets in signed requests only, and an interceptor cannot sign; use TOTPAuth"
            )
        self._credentials = credentials

    async def before(self, args: Any) -> None:
        """Called by a2a-sdk 1.x before each call."""
        context: Any = args.context or ClientCallContext()
        context.service_parameters = self._with_credentials(context.service_parameters)
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
        return request_payload, {**http_kwargs, "headers": self._with_credentials(http_kwargs.get("headers"))}

    def _with_credentials(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """The caller's headers but for other spellings of the two, and fresh ones."""
        fresh = self._credentials.headers()
        stale = {name.lower() for name in fresh}
        return {**{name: value for name, value in (headers or {}).items() if name.lower() not in stale}, **fresh}


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
