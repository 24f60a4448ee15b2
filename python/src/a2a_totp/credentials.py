"""What one peer needs to call one agent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
import re
import secrets
import struct
import time
from collections.abc import (
    Iterable,
    Mapping,
)
from dataclasses import dataclass, field

from a2a_totp.log import logger
from a2a_totp.policies import SIGNED
from a2a_totp.profile import HASHES
from a2a_totp.proof.keys import PROOF_TAG
from a2a_totp.proof.reading import OPTIONAL_COMPONENTS, PLAIN_VALUE

MINIMUM_SEED_BITS = 128
"""RFC 4226 section 4, R6: the shared secret MUST have at least 128 bits."""
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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
        if self.algorithm not in HASHES:
            raise CredentialsError("the algorithm must be one of SHA1, SHA256, SHA512")
        if self.digits not in (6, 7, 8) or not 10 <= self.period <= 120:
            raise CredentialsError("digits must be 6, 7 or 8, and the period 10 to 120 seconds")
        if self.agent is not None and not _AGENT.fullmatch(self.agent):
            raise CredentialsError(
                "the agent must be a name: a letter or digit, then up to 63 letters, digits, . - and _"
            )
        if self.signed not in SIGNED or self.window not in (None, 0, 1, 2):
            raise CredentialsError(f"signed must be one of {', '.join(SIGNED)}, and the window 0, 1 or 2")
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
        digest = hmac.new(self._key(), struct.pack(">Q", step), HASHES[self.algorithm]).digest()
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
        names = [*always, *(name for name in OPTIONAL_COMPONENTS if name in lines)]
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
            if not PLAIN_VALUE.fullmatch(value) or (name in always and name not in lines):
                raise CannotSignError(f"the request cannot be signed: its {name} is missing, or not printable ASCII")
        created = math.floor(time.time() if at is None else at)
        life = self.period if self.window is None else (self.window + 1) * self.period
        covered = " ".join(f'"{name}"' for name in values)
        fresh = base64.urlsafe_b64encode(nonce or secrets.token_bytes(16)).decode().rstrip("=")
        keyid = f"{self.agent}/{base64.urlsafe_b64encode(self._proof_key('kid')[:6]).decode()}"
        parameters = (
            f'({covered});created={created};expires={created + life};nonce="{fresh}";keyid="{keyid}";tag="{PROOF_TAG}"'
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
        extracted = hmac.digest(PROOF_TAG.encode(), self._key(), "sha256")
        return hmac.digest(extracted, f"{name} {self.agent}\x01".encode(), "sha256")

    def _key(self) -> bytes:
        grouped = re.fullmatch("([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*", re.sub(r"\s", "", self.seed))
        letters = grouped[1].replace("-", "") if grouped else ""
        if not letters or len(letters) % 8 in (1, 3, 6):
            raise CredentialsError("the seed is not base32")
        return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)
