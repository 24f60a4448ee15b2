"""What a state is asked, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from a2a_totp.policies import Replay
from a2a_totp.state.budgets import Budget

Outcome = Literal["accepted", "wrong", "replayed", "throttled", "unknown", "full"]

LATE_CODE = 20 * 60
"""How far outside of the window a code is still recognised, in seconds."""
MOST_TOKENS_APART = 16
"""Guesses with so many tokens are told apart at each seed; those with further tokens always count."""
ALL_OTHERS = "*"
"""Stands for all tokens that are not told apart."""
GUESS_SKEW_MS = 60_000
"""A clock that was set back by at most so many milliseconds forgets no guess early."""
CLAIM_KEPT = 31 * 86_400
"""How long a claim outlives its code, in seconds, since clocks can be set back. There is one for each seed."""


@dataclass(frozen=True)
class Match:
    """Where a code matched: `seed` is the seed's digest, `drift` the matching time step minus the current one."""

    seed_id: str
    seed: str
    time_step: int
    drift: int


@dataclass(frozen=True)
class SpentProof:
    """What a proof spends. It belongs to the seed that the code matched."""

    nonce: str
    """22 to 64 characters of base64url."""
    created: int
    """In unix seconds, by the peer's clock."""
    expires: int
    """In unix seconds. Until then, that second included, the nonce is remembered."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request with a live token of the peer and a well-formed code. It holds no seed and no token."""

    peer: str
    seeds: tuple[str, ...]
    """The live seeds of the peer, each by its digest. Claims and budgets belong to a seed, whatever id, peer or agent
    it is listed under."""
    token: str | None = field(default=None, repr=False)
    """The hash of the token, `sha256:` and hex; None where tokens are not listed."""
    live_tokens: Callable[[], Collection[str] | None] | None = field(default=None, repr=False)
    """Returns the hashes of all live tokens whose guesses count. Guesses with other tokens are ignored, so a new token
    restores service. Where it is None, or returns it, all guesses count."""
    policy: Replay
    budgets: tuple[Budget, ...]
    """The limits on the guesses at a seed; without any, nothing is throttled."""
    at: float
    """In unix seconds. What is decided depends on whole milliseconds."""
    time_step: int
    """The current one, to which a guess belongs."""
    period: int
    """In seconds."""
    window: int
    """In time steps."""
    code: str = field(default="", repr=False)
    """The wrong code, to tell distinct guesses of a time step apart; empty where there is a match. A state that stores
    it outside of this process hashes it."""
    match: Match | None = None
    """What the code matched. Without, it is a guess."""
    proof: SpentProof | None = None
    """One that the request is bound to, verified but for its nonce. Then there is a match."""

    @property
    def at_ms(self) -> int:
        """In whole milliseconds, rounded down but for what is an error of rounding."""
        return milliseconds(self.at)

    @property
    def life_ms(self) -> int:
        """How long a code is acceptable, in milliseconds."""
        return (2 * self.window + 1) * self.period * 1000

    @property
    def proof_life(self) -> int:
        """How long a proof may live, in seconds."""
        return (self.window + 1) * self.period

    def acceptable_from_ms(self, time_step: int) -> int:
        """When a code of a time step can first be accepted: the peer may be ahead by the window."""
        return (time_step - self.window) * self.period * 1000


@dataclass(frozen=True)
class Decision:
    """What a state returns for an attempt.

    `accepted`. `wrong`: a guess; `counted` is False for a code that was sent before in this time step, `tripped` is
    True only for the guess that exhausts a budget. `replayed`: the time step is spent, it or a newer one was claimed;
    for a proof its nonce is, and no retry makes sense. `throttled`: a budget is exhausted, and the code was ignored.
    `unknown`: time step or nonce may have been spent before the memory begins. `full`: as many nonces of the seed, or
    of all of them, are remembered as there is room for.

    `retry_after` is in whole seconds, at least 1.
    """

    outcome: Outcome
    retry_after: int | None = None
    counted: bool = False
    tripped: bool = False


@dataclass(frozen=True)
class Supports:
    """What a state can do: remember used codes (`once`), and the nonces of proofs."""

    once: bool
    proofs: bool = False


@runtime_checkable
class State(Protocol):
    """Remembers attempts and decides whether one is accepted: replay protection and throttle in one atomic step.

    In this order:

    1. While a budget of one of the seeds is exhausted, every attempt is `throttled`.
    2. A guess is `wrong`. It is counted at each of the seeds, once per distinct code and time step.
    3. Under `reuse`, a match is `accepted`. Its time step is claimed all the same, for when the policy becomes `once`.
    4. Under `once`, a match is `replayed` unless its time step is newer than the last one claimed for its seed;
       `unknown` if that step may have been spent before the memory begins; otherwise it is claimed and `accepted`. The
       last claim of a seed is never forgotten while the seed is in use.

    An attempt with a proof takes another way, under either policy, also while a budget is exhausted: `replayed` if its
    nonce is spent; `unknown` if it was created before the second in which the memory begins; `full`; otherwise, in one
    step, the nonce is spent, the claim of the seed rises to the time step of the code (it never falls), and the attempt
    is `accepted`. A nonce is forgotten only when the real time and the scheme's clock are both past `expires`.

    A state that cannot answer raises, and the request is refused.
    """

    @property
    def supports(self) -> Supports:
        """A scheme whose policies need more does not start."""
        ...

    async def decide(self, attempt: Attempt) -> Decision:
        """Whether an attempt may pass."""
        ...

    async def take_back(self, attempt: Attempt, late: Match) -> bool:
        """Takes back a counted guess that turned out to be a code of a live seed outside of the window.

        It is called after the request was answered, with the attempt that was decided, unchanged.

        A code *behind* the window is always taken back: it is over, and whoever has it learns nothing. A code *ahead*
        is taken back only if another one of that peer was seen at the same drift (± 1) and for an earlier time step
        within the last 20 minutes. So the first one counts, and nobody can tell from a budget that a guess was a code
        to come.

        Returns whether it was taken back; a state that never does returns False.
        """
        ...


def milliseconds(at: float) -> int:
    """Unix seconds as whole milliseconds, rounded down: a thousandth of one is for what floating point loses."""
    return math.floor(at * 1000 + 1e-3)


def seconds_until(instant: int, at: int) -> int:
    """Whole seconds from one instant to another (both in milliseconds), rounded up, at least 1."""
    return max(1, -((at - instant) // 1000))
