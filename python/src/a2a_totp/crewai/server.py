"""crewAI's own shape of the server side."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from crewai.a2a.auth.server_schemes import (  # type: ignore[attr-defined]
    AuthenticatedUser,
    HTTPException,
    ServerAuthScheme,
)
from pydantic import ConfigDict, Field, SecretStr, field_validator

from a2a_totp.scheme.outcome import Caller
from a2a_totp.scheme.scheme import TOTPServerAuthScheme as Authenticator

_OPTIONS = frozenset(
    {
        *("delegate", "peer_seeds", "token_to_peer", "shared_seed", "profile", "replay", "agent", "signed"),
        *("path_prefix", "throttle_risk", "state", "canaries", "allow_weak_seeds", "on_event"),
    }
)
_FILE_OPTIONS = frozenset(
    {"delegate", "path_prefix", "throttle_risk", "state", "allow_weak_seeds", "on_event"},
)


class TOTPServerAuthScheme(ServerAuthScheme):
    """Bearer token AND TOTP code, in the shape of crewAI's ServerAuthScheme: `A2AServerConfig(auth=…)` takes it.

        TOTPServerAuthScheme(
            delegate=SimpleTokenAuth(token=token),
            peer_seeds={"alice": seed},
            token_to_peer={token: "alice"},
        )

    The options are those of `a2a_totp.scheme.TOTPServerAuthScheme`, which checks; it is found as `authenticator`, for
    TOTPMiddleware. Without seeds it follows the server file that `$A2A_TOTP_SERVER_FILE` or `file` names. An
    `authenticator` may also be given in place of all of that.

    `authenticate_with_totp` is the only way in. A copy, deep or not, shares what was spent with the original. A pickle
    makes a new scheme from the options.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    delegate: Any = Field(default=None, repr=False, exclude=True)
    peer_seeds: dict[str, Any] | None = Field(default=None, repr=False, exclude=True)
    token_to_peer: dict[str, str] | None = Field(default=None, repr=False, exclude=True)
    shared_seed: Any = Field(default=None, repr=False, exclude=True)
    profile: Any = None
    replay: str = "reuse"
    agent: str | None = None
    signed: str = "off"
    path_prefix: str = ""
    throttle_risk: float | None = None
    state: Any = Field(default=None, repr=False, exclude=True)
    canaries: tuple[Any, ...] = Field(default=(), repr=False, exclude=True)
    allow_weak_seeds: bool = False
    on_event: Any = Field(default=None, repr=False, exclude=True)
    file: str | None = None
    authenticator: Any = Field(default=None, repr=False, exclude=True)

    @field_validator("peer_seeds")
    @classmethod
    def _hides_seeds(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if given is None else {peer: _hidden(seed) for peer, seed in given.items()}

    @field_validator("shared_seed")
    @classmethod
    def _hides_seed(cls, given: Any) -> Any:
        return _hidden(given)

    def model_post_init(self, context: Any, /) -> None:
        """Makes what checks, so that a mistake is found here. Raises ValueError."""
        super().model_post_init(context)
        if self.authenticator is None:
            self.authenticator = self._made()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> TOTPServerAuthScheme:
        """What is given, a state or a delegate say, may have locks, and is shared by copies anyway."""
        return self.__copy__()

    def _made(self) -> Authenticator:
        if self.peer_seeds is None and self.shared_seed is None:
            if self.token_to_peer is not None and self.file is None:
                # The error that says what is missing.
                return Authenticator(self.delegate, None, self.token_to_peer)
            self._refuse(_OPTIONS - _FILE_OPTIONS, "the server file decides")
            return Authenticator.from_file(self.file, **{name: getattr(self, name) for name in _FILE_OPTIONS})
        self._refuse({"file"}, "seeds are given")
        return Authenticator(**{name: getattr(self, name) for name in _OPTIONS})

    def _refuse(self, names: Collection[str], why: str) -> None:
        """Options that would be ignored in silence. One that is None was not meant."""
        given = sorted(name for name in self.model_fields_set & set(names) if getattr(self, name) is not None)
        if given:
            raise ValueError(f"{', '.join(given)} cannot be given where {why}")

    async def authenticate(self, token: str) -> AuthenticatedUser:
        """Always raises HTTPException 401: the token is one factor of two."""
        return await self.authenticate_with_totp(token, None)

    async def authenticate_with_totp(self, token: str, code: str | None, source: str = "") -> AuthenticatedUser:
        """Checks both factors, once a request. The peer's name is in `claims["sub"]`, beside what the delegate proved.

        Raises HTTPException 401, 429 or 503, with the headers to answer.
        """
        outcome = await self.authenticator.authenticate_with_totp(token, code, source)
        if isinstance(outcome, Caller):
            return AuthenticatedUser(token=token, scheme="totp", claims={**outcome.claims, "sub": outcome.peer})
        headers: dict[str, str] = {}
        for name, value in outcome.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        raise HTTPException(outcome.status, outcome.message, headers)


def _hidden(seed: Any) -> Any:
    """Text as a SecretStr, which does not print."""
    return SecretStr(seed) if isinstance(seed, str) else seed
