"""What one peer needs to call one agent."""

from __future__ import annotations

import functools
import math
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

from a2a_totp.base32 import bytes_of_base32
from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.client_file import read_client_file
from a2a_totp.client_variables import profile_variables
from a2a_totp.codes.of_step import code_of_step
from a2a_totp.followed_file import FollowedFile
from a2a_totp.header_names import is_code_header
from a2a_totp.log import logger
from a2a_totp.names import NAME_RULE, is_name
from a2a_totp.origins import origin_of_url
from a2a_totp.policies import SIGNED
from a2a_totp.profile import HASHES, Algorithm, Profile, as_whole
from a2a_totp.proof.keys import ProofKey, proof_key
from a2a_totp.proof.reading import RequestHead
from a2a_totp.proof.signing import sign_request
from a2a_totp.secret_strings import revealed
from a2a_totp.seeds import MINIMUM_SEED_BYTES, seed_digest
from a2a_totp.tokens import is_b64token

__all__ = ["CannotSignError", "CredentialsError", "StepSpentError", "TotpCredentials"]


@dataclass(frozen=True)
class TotpCredentials:
    """What one peer needs to call one agent. `period` is in seconds; `url` is the agent's, where it is known.

    Requests are signed where the `agent`'s name is known; `signed` is its policy, and `require` means that none is sent
    unsigned. `window` is the agent's, in time steps, and decides how long a signature lives. `replay` is its policy for
    codes: under `once` each request that is not signed waits for a time step of its own. Token and seed may be a
    pydantic SecretStr.
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
    replay: str = "reuse"

    def __post_init__(self) -> None:
        """Raises CredentialsError for what could never pass."""
        for name in ("token", "seed"):
            object.__setattr__(self, name, revealed(getattr(self, name)))
        if not isinstance(self.token, str) or not is_b64token(self.token):
            raise CredentialsError("the token is not an RFC 6750 b64token")
        if self.algorithm not in HASHES:
            raise CredentialsError("the algorithm must be one of SHA1, SHA256, SHA512")
        for name in ("digits", "period", "window"):
            object.__setattr__(self, name, as_whole(getattr(self, name)))
        numbers = all(type(one) is int for one in (self.digits, self.period))
        if not numbers or self.digits not in (6, 7, 8) or not 10 <= self.period <= 120:
            raise CredentialsError("digits must be 6, 7 or 8, and the period 10 to 120 whole seconds")
        if not is_code_header(self.header):
            raise CredentialsError(
                "the header must be an RFC 9110 token other than Authorization, Cookie, Host, A2A-*, grpc-*, *-bin, "
                "Signature*, Totp* and those of HTTP itself"
            )
        if self.url is not None:
            origin_of_url(self.url)
        if self.agent is not None and not is_name(self.agent):
            raise CredentialsError(f"the agent must be a name: {NAME_RULE}")
        window_fits = self.window is None or (type(self.window) is int and 0 <= self.window <= 2)
        if self.signed not in SIGNED or not window_fits:
            raise CredentialsError(f"signed must be one of {', '.join(SIGNED)}, and the window 0, 1 or 2")
        if self.replay not in ("once", "reuse"):
            raise CredentialsError("replay must be once or reuse")
        if self.signed == "require" and self.agent is None:
            raise CannotSignError("the agent lets in signed requests only, so its name is needed: set $A2A_TOTP_AGENT")
        if len(self._key) < MINIMUM_SEED_BYTES:
            bits = 8 * len(self._key)
            logger.warning("the seed has %d bits, RFC 4226 asks for 128: ask who issued it for a longer one", bits)

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ, *, replay: str = "reuse") -> TotpCredentials:
        """Reads `A2A_TOTP_TOKEN`, `A2A_TOTP_SEED` and, where they are set, the other `A2A_TOTP_*`.

        The policy for codes is in none of them.

        Raises CredentialsError when token or seed is missing, or a value is not allowed.
        """

        def read(name: str, default: str | None = None) -> str:
            value = environment.get(f"A2A_TOTP_{name}") or default
            if value is None:
                raise CredentialsError(f"set $A2A_TOTP_{name}; `a2a-totp config client NAME` prints it")
            return value

        return TotpCredentials(
            token=read("TOKEN").strip(), seed=read("SEED"), **profile_variables(environment), replay=replay
        )

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], agent: str | None = None) -> TotpCredentials:
        """Reads a client file, as `a2a-totp config client NAME --format json` prints it, and follows its changes.

        `agent` is needed where the file has more than one. Later, a file that cannot be used is logged, and the
        credentials before it stay in force.

        Raises CredentialsError when the file cannot be used now.
        """
        return _FollowedCredentials(os.fspath(path), agent)

    def current(self) -> TotpCredentials:
        """The credentials of this moment, which do not change: those of a file, or these themselves."""
        return self

    def time_step(self, at: float | None = None) -> int:
        """The time step of an instant in unix seconds, by default now."""
        return self.profile.time_step(time.time() if at is None else at)

    def code(self, at: float | None = None) -> str:
        """The code (RFC 6238) for an instant in unix seconds, by default now."""
        now = self.current()
        return now.code_of(now.time_step(at))

    def code_of(self, step: int) -> str:
        """The code of a time step."""
        now = self.current()
        return code_of_step(now._key, now.profile, step)

    def headers(self, at: float | None = None) -> dict[str, str]:
        """Both headers of one request. Make them anew for each attempt."""
        now = self.current()
        return now.headers_of(now.time_step(at))

    def headers_of(self, step: int) -> dict[str, str]:
        """The same with the code of a time step."""
        now = self.current()
        return {"Authorization": f"Bearer {now.token}", now.header: now.code_of(step)}

    def proof(
        self,
        method: str,
        target: str,
        fields: Iterable[tuple[str, str]],
        content: bytes,
        *,
        binding: Literal["http", "grpc"] = "http",
        at: float | None = None,
        nonce: bytes | None = None,
    ) -> dict[str, str]:
        """The three headers that sign one request (RFC 9421): it is then good once, and cannot be changed.

        `target` is the path with its query, exactly as it is sent, and `fields` are all headers, token and code too.
        Over gRPC `method` is POST, `target` `/package.Service/Method`, and `content` the serialised message.

        Raises CannotSignError for a request that no signature can cover, or where the agent's name is not known.
        """
        now = self.current()
        if now._proof_key is None:
            raise CannotSignError("set $A2A_TOTP_AGENT to the agent's name: it is part of a signature")
        return sign_request(
            RequestHead(method, target, binding),
            fields,
            content,
            key=now._proof_key,
            header=now.header,
            created=math.floor(time.time() if at is None else at),
            life=now.period if now.window is None else now.profile.proof_life,
            nonce=nonce or secrets.token_bytes(16),
        )

    @functools.cached_property
    def profile(self) -> Profile:
        """How codes are made and sent. The window is 1 where the agent's is not known."""
        window = 1 if self.window is None else self.window
        return Profile(cast("Algorithm", self.algorithm), self.digits, self.period, window, self.header)

    @functools.cached_property
    def seed_id(self) -> str:
        """A digest of the seed and its period, which is not secret: requests with one seed share its time steps."""
        return seed_digest(self._key, self.profile)

    @property
    def shares_steps(self) -> bool:
        """Whether signed requests may share a time step. Elsewhere their codes are counted like any others."""
        return self.signed in ("accept", "require")

    @functools.cached_property
    def _key(self) -> bytes:
        key = bytes_of_base32(self.seed) if isinstance(self.seed, str) else None
        if key is None:
            raise CredentialsError("the seed is not base32")
        return key

    @functools.cached_property
    def _proof_key(self) -> ProofKey | None:
        return None if self.agent is None else proof_key(self._key, self.agent)


class _ClientFile(FollowedFile[TotpCredentials]):
    """The credentials of one agent in a client file."""

    def __init__(self, path: str, agent: str | None) -> None:
        self.path, self._agent = path, agent
        super().__init__(path)

    def _read(self) -> TotpCredentials:
        return TotpCredentials(**read_client_file(self.path, self._agent))

    def _why(self, error: OSError | ValueError) -> str:
        return (error.strerror or "unreadable") if isinstance(error, OSError) else str(error)

    def _on_loaded(self, before: TotpCredentials, now: TotpCredentials) -> None:
        logger.info("the client file read again")

    def _on_refused(self, error: OSError | ValueError, why: str) -> None:
        logger.error("the client file changed but cannot be used, so the old one stays in force: %s", why)


class _FollowedCredentials(TotpCredentials):
    """Those of a client file. Each attribute is that of the file in force."""

    def __init__(self, path: str, agent: str | None) -> None:
        self.__dict__.update(_origin_of_file=(path, agent))
        try:
            self.__dict__.update(_file=_ClientFile(path, agent))
        except OSError as error:
            raise CredentialsError(f"cannot read the client file: {error.strerror}") from error

    def current(self) -> TotpCredentials:
        file: _ClientFile = self.__dict__["_file"]
        return file.current()

    def __getattribute__(self, name: str) -> Any:
        # Two of one request ask `current` once, and then what it returned.
        return getattr(self.current(), name) if name in _FOLLOWED else super().__getattribute__(name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _FollowedCredentials, self.__dict__["_origin_of_file"]


_FOLLOWED = frozenset({*(one.name for one in fields(TotpCredentials)), "profile", "seed_id", "_key", "_proof_key"})
