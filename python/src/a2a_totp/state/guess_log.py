"""The guesses at one seed."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from a2a_totp.state.budgets import longest_ms, memory_of
from a2a_totp.state.contract import ALL_OTHERS, GUESS_SKEW_MS, MOST_TOKENS_APART, Attempt
from a2a_totp.state.kept import Kept


@dataclass
class _TokenLog:
    """The guesses with one token, oldest first."""

    instants: list[int] = field(default_factory=list)
    """In milliseconds: whole numbers, so that an instant can be searched for."""
    guesses: list[tuple[int, str]] = field(default_factory=list)
    """Time step and code."""

    def count_since(self, instant: int) -> int:
        """How many are not older."""
        return len(self.instants) - bisect.bisect_left(self.instants, instant)


@dataclass
class GuessLog(Kept):
    """The recent guesses at one seed, by token. Its length is bounded by the limits, its number by the seeds."""

    tokens: dict[str, _TokenLog] = field(default_factory=dict)
    """By the hash of the token. Those with guesses alone: others need no place."""
    step: int = -1
    codes: set[str] = field(default_factory=set)
    """The distinct wrong codes of that time step, late ones included."""

    def wait_for_room(self, attempt: Attempt) -> int:
        """Milliseconds until one more guess is allowed, 0 if it is now. Guesses with dead tokens do not count."""
        wait = _longest_pause(self.tokens.values(), attempt)
        listed = attempt.live_tokens() if wait > 0 and attempt.live_tokens else None
        if listed is None:
            return wait
        live = {*listed, ALL_OTHERS}
        counted = [log for token, log in self.tokens.items() if token in live]
        return wait if len(counted) == len(self.tokens) else _longest_pause(counted, attempt)

    def add(self, attempt: Attempt) -> None:
        """Counts a guess."""
        now, longest = attempt.at_ms, longest_ms(attempt.budgets)
        # Not before the newest one, if the clock was set back a little: no guess is forgotten early.
        instant = max(now, min(_newest_of(self.tokens.values(), now), now + GUESS_SKEW_MS))
        token = self._token_for(attempt.token, now - longest)
        log = self.tokens.setdefault(token, _TokenLog())
        place = bisect.bisect_right(log.instants, instant)
        log.instants.insert(place, instant)
        log.guesses.insert(place, (attempt.time_step, attempt.code))
        # The limits ask for no more than that.
        if len(log.guesses) > memory_of(attempt.budgets):
            del log.guesses[0], log.instants[0]
        self.keep(longest / 1000, attempt.at)

    def remove(self, attempt: Attempt) -> None:
        """Takes a guess back."""
        guess = attempt.time_step, attempt.code
        for token in {ALL_OTHERS, attempt.token or ALL_OTHERS}:
            log = self.tokens.get(token)
            if log is None or guess not in log.guesses:
                continue
            # The newest, if the clock was set back into its time step.
            place = len(log.guesses) - 1 - log.guesses[::-1].index(guess)
            del log.guesses[place], log.instants[place]
            if not log.guesses:
                del self.tokens[token]

    def _token_for(self, token: str | None, since: int) -> str:
        """The token, if there is a place for one more. Guesses that are not newer than `since` no longer count."""
        if token is None:
            return ALL_OTHERS
        if token in self.tokens or self._has_room():
            return token
        for other in [other for other, log in self.tokens.items() if log.instants[-1] <= since]:
            del self.tokens[other]
        return token if self._has_room() else ALL_OTHERS

    def _has_room(self) -> bool:
        return len(self.tokens.keys() - {ALL_OTHERS}) < MOST_TOKENS_APART


NO_GUESSES = GuessLog(tokens={ALL_OTHERS: _TokenLog()})
"""Stands in where there are none, so that it takes as long."""


def _newest_of(logs: Iterable[_TokenLog], default: int) -> int:
    return max((log.instants[-1] for log in logs), default=default)


def _longest_pause(logs: Collection[_TokenLog], attempt: Attempt) -> int:
    """Milliseconds for which a limit is exhausted from now on, the longest of all limits."""
    now = attempt.at_ms
    pause = 0
    for limit, seconds in attempt.budgets:
        length = seconds * 1000
        pause = max(pause, _nth_newest(logs, limit, now - length) + length - now)
    return pause


def _nth_newest(logs: Collection[_TokenLog], n: int, since: int) -> int:
    """The instant of the nth newest guess; `since` if there are not so many newer than that."""
    if len(logs) == 1:
        # Nearly always, and quicker.
        (log,) = logs
        return max(log.instants[-n], since) if len(log.instants) >= n else since

    def count_since(instant: int) -> int:
        return sum(log.count_since(instant) for log in logs)

    instants = range(since, max(since, _newest_of(logs, since)) + 1)
    beyond = bisect.bisect_right(instants, -n, lo=1, key=lambda instant: -count_since(instant))
    return instants[beyond - 1]
