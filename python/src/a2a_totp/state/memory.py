"""The state of one process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.state.codes_ahead import CodesAhead
from a2a_totp.state.contract import CLAIM_KEPT, Attempt, Decision, Match, SpentProof, Supports, milliseconds
from a2a_totp.state.decisions import ACCEPTED, replayed_until, throttled_for, unknown_until
from a2a_totp.state.guess_log import NO_GUESSES, GuessLog
from a2a_totp.state.kept import Kept
from a2a_totp.state.nonces import SpentNonces

_SWEEP_EVERY = 60.0


@dataclass
class _Claim(Kept):
    """The newest time step of a seed that was spent."""

    time_step: int = -1


class MemoryState:
    """A state for one process. It is lost when the process ends.

    Claims and budgets belong to a seed. Memory is bounded by the number of seeds, and by the bounds on nonces, which
    only callers with a seed can fill. It may be shared by threads and by schemes.

    `since`, in unix seconds, is since when it has seen every attempt; by default since it was created. Under `once`, a
    code that may have been spent before is `unknown`, for up to window + 1 periods after a restart. So is a proof that
    was created before that second. Pass an instant in the past if no caller was accepted since then, not even before
    a restart.

    `most_nonces` is how many nonces of signed requests are remembered at most for each seed: with the default profile,
    at least 1,300 signed requests a second if the peer's clock is right. Beyond that its signed requests are refused
    (503), and none is forgotten early. `most_nonces_in_all` is the same for all seeds together.

    Raises TOTPError ERR_CONFIG_INVALID when `since` is no instant, or a bound no whole number above 0.
    """

    def __init__(
        self, since: float | None = None, *, most_nonces: int = 120_000, most_nonces_in_all: int = 480_000
    ) -> None:
        begins = time.time() if since is None else since
        # No instant is before NaN, so every code would count as known.
        if isinstance(begins, bool) or not isinstance(begins, (int, float)) or not math.isfinite(begins):
            raise TOTPError("ERR_CONFIG_INVALID", "since must be an instant in unix seconds")
        self._since = milliseconds(begins)
        self._lock = threading.Lock()
        # By the digest of the seed.
        self._claims: dict[str, _Claim] = {}
        self._guesses: dict[str, GuessLog] = {}
        self._nonces = SpentNonces(most_nonces, most_nonces_in_all)
        self._ahead = CodesAhead()
        self._next_sweep = -math.inf

    @property
    def supports(self) -> Supports:
        """Both."""
        return Supports(once=True, proofs=True)

    async def decide(self, attempt: Attempt) -> Decision:
        """Whether an attempt may pass."""
        with self._lock:
            self._sweep(attempt)
            if attempt.proof and attempt.match:
                return self._spend_nonce(attempt, attempt.match, attempt.proof)
            wait = self._wait_for_room(attempt)
            if wait > 0:
                return throttled_for(wait)
            return self._claim(attempt, attempt.match) if attempt.match else self._count(attempt)

    async def take_back(self, attempt: Attempt, late: Match) -> bool:
        """Takes back a counted guess that turned out to be a code outside of the window, and says whether it did."""
        if attempt.match:
            return False
        first = attempt.seeds[0] if attempt.seeds else ""
        with self._lock:
            if late.drift > 0 and not self._ahead.expected((first, attempt.peer), late, attempt.at_ms):
                return False
            for seed in attempt.seeds:
                if seed in self._guesses:
                    self._guesses[seed].remove(attempt)
        return True

    def _wait_for_room(self, attempt: Attempt) -> int:
        # Where there are no guesses, or no live seeds, it takes as long.
        logs = [self._guesses.get(seed, NO_GUESSES) for seed in attempt.seeds] or [NO_GUESSES]
        return max(log.wait_for_room(attempt) for log in logs)

    def _count(self, attempt: Attempt) -> Decision:
        if not attempt.seeds or not attempt.budgets:
            return Decision("wrong")
        sent = self._guesses.setdefault(attempt.seeds[0], GuessLog())
        if sent.step != attempt.time_step:
            sent.step, sent.codes = attempt.time_step, set()
        if attempt.code in sent.codes:
            return Decision("wrong")
        sent.codes.add(attempt.code)
        for seed in attempt.seeds:
            self._guesses.setdefault(seed, GuessLog()).add(attempt)
        return Decision("wrong", counted=True, tripped=self._wait_for_room(attempt) > 0)

    def _claim(self, attempt: Attempt, match: Match) -> Decision:
        claim = self._claims.get(match.seed)
        if attempt.policy == "reuse":
            # For when the policy becomes `once`.
            if not claim or match.time_step > claim.time_step:
                self._spend(attempt, match)
            return ACCEPTED
        if claim and match.time_step <= claim.time_step:
            return replayed_until(attempt, claim.time_step)
        since = self._beginning(attempt)
        if attempt.acceptable_from_ms(match.time_step) < since:
            return unknown_until(attempt, since)
        self._spend(attempt, match)
        return ACCEPTED

    def _spend_nonce(self, attempt: Attempt, match: Match, proof: SpentProof) -> Decision:
        refused = self._nonces.spend(attempt, match.seed, proof, self._beginning(attempt) // 1000)
        if refused:
            return refused
        self._spend(attempt, match)
        return ACCEPTED

    def _beginning(self, attempt: Attempt) -> int:
        """When the memory begins, in milliseconds. A beginning far in the future is that of a clock that was wrong."""
        if self._since > attempt.at_ms + attempt.life_ms:
            self._since = attempt.at_ms
        return self._since

    def _spend(self, attempt: Attempt, match: Match) -> None:
        claim = self._claims.setdefault(match.seed, _Claim())
        claim.time_step = max(claim.time_step, match.time_step)
        claim.keep(attempt.life_ms / 1000 + CLAIM_KEPT, attempt.at)

    def _sweep(self, attempt: Attempt) -> None:
        uptime = time.monotonic()
        if uptime < self._next_sweep:
            return
        self._next_sweep = uptime + _SWEEP_EVERY
        _forget_what_is_over(self._claims, attempt.at, uptime)
        _forget_what_is_over(self._guesses, attempt.at, uptime)
        self._nonces.sweep(attempt.at_ms)
        self._ahead.sweep(attempt.at_ms)


def memory_state(
    *, since: float | None = None, most_nonces: int = 120_000, most_nonces_in_all: int = 480_000
) -> MemoryState:
    """A state for one process; see MemoryState."""
    return MemoryState(since, most_nonces=most_nonces, most_nonces_in_all=most_nonces_in_all)


def _forget_what_is_over(entries: MutableMapping[str, Any], at: float, uptime: float) -> None:
    for key in [key for key, kept in entries.items() if kept.is_over(at, uptime)]:
        del entries[key]
