"""What the head of a request shows."""

from __future__ import annotations

import hmac
from collections.abc import (
    Callable,
)
from dataclasses import dataclass, field
from typing import Literal

from a2a_totp.policies import Signed
from a2a_totp.proof.reading import ReadProof
from a2a_totp.roster import Canary, Peer
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.state.contract import Attempt, Match
from a2a_totp.state.failure import Failure


@dataclass(frozen=True)
class CheckedProof:
    """What the head of a request shows of its proof. `unseen`: there may be one, and nobody told the request's head."""

    kind: Literal["absent", "invalid", "valid", "unseen"]
    reason: str = ""
    proof: ReadProof | None = None
    seed: int = -1
    """The number of the seed that it was made with."""


ABSENT_PROOF = CheckedProof("absent")
CONTENT_UNSEEN = Failure(
    "content-unseen",
    "a signed request came without a view of its content: mount the guard in front of any body parser, and use "
    "totp_interceptor for gRPC",
)


@dataclass(frozen=True)
class Examined:
    """What the head of a request shows. Whoever passes the request on asks `let_in`, and compares its content.

    `digest` is what the content has to have; None where there is nothing to compare. Where `withholds` is false,
    another content is only logged.
    """

    outcome: Caller | Refusal
    digest: bytes | None
    withholds: bool
    _log: Callable[[Caller | Refusal, bool], None] = field(repr=False)
    _refusal: Callable[[], Refusal] = field(repr=False)

    def let_in(self) -> Caller | Refusal:
        """The outcome, which is logged. Ask once."""
        self._log(self.outcome, False)
        return self.outcome

    def mismatch(self) -> Refusal | None:
        """The content is another one: the refusal to answer with; None where it is only logged."""
        refusal = self._refusal()
        self._log(refusal, not self.withholds)
        return refusal if self.withholds else None

    def compare(self, digest: bytes) -> Caller | Refusal:
        """The outcome for a request whose content has that digest. Ask once, in place of `let_in`."""
        if self.digest is None or hmac.compare_digest(digest, self.digest):
            return self.let_in()
        if self.withholds:
            return self.mismatch() or self.outcome
        outcome = self.let_in()
        self.mismatch()
        return outcome


@dataclass(frozen=True)
class Decided:
    outcome: Caller | Refusal
    checked: CheckedProof
    policy: Signed
    refusal_of_content: Callable[[], Refusal]
    counted: tuple[Peer, Attempt, bool] | None = None
    """A guess that was counted, whose it is, and whether it exhausted a budget."""
    peer: Peer | None = None
    """The one that the token belongs to."""
    match: Match | None = None
    canary: Canary | None = None
    """The token is bait. Then it belongs to nobody."""
    has_canaries: bool = False
    requires_proof: bool = False
    """The scheme's own policy."""

    @property
    def observes(self) -> bool:
        """Whether a caller is let in whatever its proof is worth, which is reported."""
        return self.policy == "observe" and isinstance(self.outcome, Caller)

    @property
    def is_like_a_refused_proof(self) -> bool:
        """Whether it would be reported as one if the token were a peer's."""
        return self.checked.kind == "invalid" or (self.requires_proof and self.checked.kind == "absent")
