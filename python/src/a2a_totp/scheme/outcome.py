"""What is decided: a caller, or a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from a2a_totp.scheme.lifetime import Lifetime
from a2a_totp.state.contract import Outcome
from a2a_totp.state.failure import Failure

Kind = Literal["unauthenticated", "throttled", "unavailable"]
_ANSWERS: dict[Kind, tuple[int, str, str]] = {
    "unauthenticated": (401, "UNAUTHENTICATED", "a bearer token and a valid one-time code are required"),
    "throttled": (429, "RESOURCE_EXHAUSTED", "too many failed attempts; try again later"),
    "unavailable": (503, "UNAVAILABLE", "the request cannot be verified at the moment; try again later"),
}
OUTCOMES: dict[Outcome, tuple[Kind, str]] = {
    "wrong": ("unauthenticated", "code-wrong"),
    "replayed": ("unauthenticated", "code-replayed"),
    "throttled": ("throttled", "guesses-exhausted"),
    "unknown": ("unavailable", "replay-unknown"),
    "full": ("unavailable", "nonces-full"),
}
RETRY_AFTER_FAILURE = 5
"""Whole seconds to stay away while a delegate, the state or the scheme itself fails."""


@dataclass(frozen=True)
class Caller:
    """Who called, and what proved it: the code alone, or (`signed`) also a proof that the request is bound to."""

    peer: str
    seed_id: str
    time_step: int
    drift: int
    proof: Literal["code", "signed"] = "code"
    agent: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    """Anything else that the delegate proved."""
    lifetime: Lifetime = field(default_factory=Lifetime, repr=False, compare=False)
    """Ends when the token or the seed that was used expires or is withdrawn: streams end with it."""


@dataclass(frozen=True)
class Refusal:
    """An expected no. `kind` is what the caller may know, `reason` and `peer` are for the log only."""

    kind: Kind
    reason: str
    peer: str | None = None
    retry_after: int | None = None
    challenges: tuple[str, ...] = ()
    accept_signature: str | None = None
    """What a proof has to be like (RFC 9421 section 5.1), where the agent requires one."""
    failure: Failure | None = None
    """Why the state or the delegate could not be asked. For the log only."""

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return _ANSWERS[self.kind][0]

    @property
    def grpc_status(self) -> str:
        """The name of the gRPC status code."""
        return _ANSWERS[self.kind][1]

    @property
    def message(self) -> str:
        """What the caller is told."""
        return _ANSWERS[self.kind][2]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields that go with the answer, the challenges first."""
        fields = [("www-authenticate", value) for value in self.challenges]
        if self.accept_signature is not None:
            fields.append(("accept-signature", self.accept_signature))
        if self.retry_after is not None:
            fields.append(("retry-after", str(self.retry_after)))
        return fields

    @property
    def body(self) -> bytes:
        """The HTTP body: the same bytes for every reason of a kind."""
        code, status, message = _ANSWERS[self.kind]
        return json.dumps(
            {"error": {"code": code, "status": status, "message": message}}, separators=(",", ":")
        ).encode()


SCHEME_FAILED = Refusal("unavailable", "guard-failed", retry_after=RETRY_AFTER_FAILURE)
"""Where the scheme itself failed. Without a challenge, since it is not the caller's fault."""
