"""What a state is asked, and what it answers."""

from __future__ import annotations

import functools
import math
from collections.abc import (
    Callable,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from a2a_totp.roster import Peer

Outcome = Literal["accepted", "wrong", "replayed", "throttled", "unknown", "full"]
_GUESSES_A_DAY = 150
"""With 6 digits and a window of 0: at most 1.5e-4 accepted guesses of a seed a day, which is one in 18 years."""
_LEAST_IN_SHORT = 5
"""A client that restarts may send a few wrong codes; no limit is below this, unless that of a day is."""
LATE_CODE = 20 * 60
"""How far outside of the window a code is still recognised, in seconds."""


@functools.cache
def limits_for(digits: int, window: int) -> tuple[tuple[int, int], ...]:
    """Guesses allowed at one seed, as (how many, in how many seconds). They follow from the risk of a day.

    A success resets nothing: while a thief guesses, the real peer succeeds all day.
    """
    day = _GUESSES_A_DAY * 10 ** (digits - 6) // (2 * window + 1)
    shorter = ((day // 10, 30), (day * 2 // 5, 3600))
    return *((min(max(limit, _LEAST_IN_SHORT), day), seconds) for limit, seconds in shorter), (day, 86_400)


def wait_for(events: Sequence[float], budgets: Sequence[tuple[int, int]], at: float) -> float:
    """Seconds until one more event fits every budget; `events` are instants, oldest first."""
    free = at
    for limit, seconds in budgets:
        if len(events) >= limit:
            free = max(free, events[-limit] + seconds)
    return free - at


def whole_seconds(wait: float) -> int:
    return max(1, math.ceil(wait))


@dataclass(frozen=True)
class Match:
    """Where a code matched: `seed` is the seed's digest, `drift` the matching time step minus the current one."""

    seed_id: str
    seed: str
    time_step: int
    drift: int


@dataclass(frozen=True)
class SpentProof:
    """What a proof spends. Both instants are unix seconds, by the peer's clock."""

    nonce: str
    created: int
    expires: int


@dataclass(frozen=True)
class Attempt:
    """A well-formed code that came with a live token of the peer; without `match` it is a guess.

    `is_live` tells of the hash of a token whether guesses with it count; without it, all do.
    """

    peer: Peer
    token_hash: str = field(repr=False)
    code: str = field(repr=False)
    match: Match | None
    at: float
    is_live: Callable[[str], bool] | None = None
    proof: SpentProof | None = None
    """One that was verified but for its nonce. Then there is a match."""

    @property
    def time_step(self) -> int:
        """The current one, to which a guess belongs."""
        return self.peer.profile.time_step(self.at)

    @property
    def limits(self) -> tuple[tuple[int, int], ...]:
        """Those on the guesses at each of the peer's seeds."""
        return limits_for(self.peer.profile.digits, self.peer.profile.window)


@dataclass(frozen=True)
class Decision:
    """The state's answer; of a guess, whether it was `counted`, and whether it `tripped`: it exhausted a budget."""

    outcome: Outcome
    retry_after: int | None = None
    counted: bool = False
    tripped: bool = False


@runtime_checkable
class State(Protocol):
    """What is remembered of attempts, asked and answered in one atomic step."""

    async def decide(self, attempt: Attempt) -> Decision:
        """Whether an attempt may pass."""
        ...

    async def take_back(self, attempt: Attempt, late: Match) -> bool:
        """Takes back a counted guess that turned out to be a code outside of the window, and says whether it did."""
        ...
