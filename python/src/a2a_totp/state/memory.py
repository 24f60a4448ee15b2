"""The state of one process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import (
    Iterable,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any

from a2a_totp.state.contract import LATE_CODE, Attempt, Decision, Match, SpentProof, whole_seconds
from a2a_totp.state.guess_log import NO_GUESSES, GuessLog
from a2a_totp.state.kept import CLAIM_KEPT, Kept
from a2a_totp.state.nonces import Nonces

_SWEEP_EVERY = 60.0


@dataclass
class _Claim(Kept):
    """The newest time step of a seed that was spent."""

    time_step: int = -1


class MemoryState:
    """Replay protection and throttle of one process, asked and answered in one atomic step.

    Claims and budgets belong to a seed. A guess counts at every live seed of its peer, and the peer is throttled while
    the budget of one is exhausted. Memory is bounded by the number of seeds.

    Under `once`, a code that could have been spent before `since` (unix seconds) is `unknown`: after a restart
    that lasts up to window + 1 periods. So is a proof that was created before that second.

    A proof takes another way, also while a budget is exhausted: in one step its nonce is spent, and the claim of its
    seed rises to the time step of the code. So many nonces of a seed, and of all seeds, are remembered at most; beyond
    that proofs are refused, and none is forgotten early. Only who has a seed can fill it.
    """

    def __init__(self, since: float, *, most_nonces: int = 120_000, most_nonces_in_all: int = 480_000) -> None:
        self._since = since
        self._lock = threading.Lock()
        # By the digest of the seed.
        self._claims: dict[str, _Claim] = {}
        self._guesses: dict[str, GuessLog] = {}
        self._nonces = Nonces(most_nonces, most_nonces_in_all)
        # Codes ahead of the window, by the first live seed, peer and drift: their time step, and when they came.
        self._ahead: dict[tuple[str, str, int], tuple[int, float]] = {}
        self._next_sweep = -math.inf

    async def decide(self, attempt: Attempt) -> Decision:
        """Whether an attempt may pass."""
        seeds = attempt.peer.live_digests(attempt.at)
        with self._lock:
            self._sweep(attempt.at)
            if attempt.proof and attempt.match:
                return self._spend_nonce(attempt, attempt.match, attempt.proof)
            wait = self._wait_for(attempt, seeds)
            if wait > 0:
                return Decision("throttled", whole_seconds(wait))
            if attempt.match is None:
                return self._count(attempt, seeds)
            return self._claim(attempt, attempt.match)

    async def take_back(self, attempt: Attempt, late: Match) -> bool:
        """Takes back a counted guess that turned out to be a code outside of the window, and says whether it did.

        A code *behind* is over: whoever has it learns nothing. One *ahead* is taken back only if another one of that
        peer came within 20 minutes, at the same drift (one more or less) and for an earlier time step: otherwise a
        budget would tell that a guess was a code to come.
        """
        seeds = attempt.peer.live_digests(attempt.at)
        with self._lock:
            if late.drift > 0 and not self._expected_ahead(attempt, late, seeds):
                return False
            for seed in seeds:
                if seed in self._guesses:
                    self._guesses[seed].remove(attempt)
        return True

    def _expected_ahead(self, attempt: Attempt, late: Match, seeds: Sequence[str]) -> bool:
        # Of the peer with that seed, as guesses are: one with the same name may have another.
        first, name, drift = seeds[0] if seeds else "", attempt.peer.name, late.drift
        near = [self._ahead.get((first, name, drift + other)) for other in (-1, 0, 1)]
        self._ahead[first, name, drift] = late.time_step, attempt.at
        return any(seen and seen[0] < late.time_step and _is_recent(seen[1], attempt.at) for seen in near)

    def _wait_for(self, attempt: Attempt, seeds: Iterable[str]) -> float:
        # Where there are no guesses, or no live seeds, it takes as long.
        logs = [self._guesses.get(seed, NO_GUESSES) for seed in seeds] or [NO_GUESSES]
        return max(log.wait_for(attempt) for log in logs)

    def _count(self, attempt: Attempt, seeds: Sequence[str]) -> Decision:
        if not seeds:
            return Decision("wrong")
        sent = self._guesses.setdefault(seeds[0], GuessLog())
        if sent.step != attempt.time_step:
            sent.step, sent.codes = attempt.time_step, set()
        if attempt.code in sent.codes:
            return Decision("wrong")
        sent.codes.add(attempt.code)
        for seed in seeds:
            self._guesses.setdefault(seed, GuessLog()).add(attempt)
        return Decision("wrong", counted=True, tripped=self._wait_for(attempt, seeds) > 0)

    def _claim(self, attempt: Attempt, match: Match) -> Decision:
        profile, at = attempt.peer.profile, attempt.at
        claim = self._claims.get(match.seed)
        if attempt.peer.replay == "reuse":
            # For when the policy becomes `once`.
            if not claim or match.time_step > claim.time_step:
                self._spend(attempt, match)
            return Decision("accepted")
        if claim and match.time_step <= claim.time_step:
            next_step = max(claim.time_step, attempt.time_step) + 1
            return Decision("replayed", whole_seconds(next_step * profile.period - at))
        since = self._beginning(attempt)
        if (match.time_step - profile.window) * profile.period < since:
            first_known = math.ceil(since / profile.period) + profile.window
            return Decision("unknown", whole_seconds(first_known * profile.period - at))
        self._spend(attempt, match)
        return Decision("accepted")

    def _spend_nonce(self, attempt: Attempt, match: Match, proof: SpentProof) -> Decision:
        refused = self._nonces.spend(attempt, match.seed, proof, math.floor(self._beginning(attempt)))
        if refused:
            return refused
        self._spend(attempt, match)
        return Decision("accepted")

    def _beginning(self, attempt: Attempt) -> float:
        """When the memory begins. A beginning far in the future is that of a clock that was wrong."""
        if self._since > attempt.at + attempt.peer.profile.life:
            self._since = attempt.at
        return self._since

    def _spend(self, attempt: Attempt, match: Match) -> None:
        claim = self._claims.setdefault(match.seed, _Claim())
        claim.time_step = max(claim.time_step, match.time_step)
        claim.keep(attempt.peer.profile.life + CLAIM_KEPT, attempt.at)

    def _sweep(self, at: float) -> None:
        uptime = time.monotonic()
        if uptime < self._next_sweep:
            return
        self._next_sweep = uptime + _SWEEP_EVERY
        _forget(self._claims, at, uptime)
        _forget(self._guesses, at, uptime)
        self._nonces.sweep(at)
        for key in [key for key, (_, came) in self._ahead.items() if not _is_recent(came, at)]:
            del self._ahead[key]


def _forget(entries: MutableMapping[str, Any], at: float, uptime: float) -> None:
    for key in [key for key, kept in entries.items() if kept.is_over(at, uptime)]:
        del entries[key]


def _is_recent(came: float, at: float) -> bool:
    return abs(at - came) <= LATE_CODE
