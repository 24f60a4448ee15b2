"""Until when a caller's credentials are valid."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from a2a_totp.roster import Roster

End = Literal["expired", "revoked"]
_LONGEST_WAIT = 0.25
"""Seconds without a look: a server file may change, a clock may be set, and neither moves a timer."""
_SHORTEST_WAIT = 0.025


@dataclass
class UsedCredentials:
    """What a caller was let in with."""

    peer: str
    token_hash: str = field(repr=False)
    token_ends_at: float
    """When the token ends by what its delegate says, in unix seconds."""
    seed: bytes = field(repr=False)
    ends_at: float
    """When the first of the two ends: infinite for never, minus infinity once one was withdrawn."""
    roster: Roster = field(repr=False)
    """The one that `ends_at` comes from."""


class Lifetime:
    """Until when what a caller was let in with is valid: `await caller.lifetime.wait()` in a stream that has to end.

    It ends when the token or the seed that was used expires, or when a changed server file no longer has it (or has the
    token for another peer). Costs nothing until it is asked. Ids, order, policies and profiles do not matter.
    """

    def __init__(self, leases: Leases | None = None, used: UsedCredentials | None = None) -> None:
        self._leases, self._used = leases, used

    @property
    def ended(self) -> End | None:
        """How it has ended, by the clock and the rules of now; None while it lasts."""
        return self._leases.end_of(self._used) if self._leases and self._used else None

    async def wait(self) -> End:
        """Returns once it has ended, within a second, and says how. Cancel it when the stream is over by itself."""
        if self._leases is None or self._used is None:
            never: asyncio.Future[End] = asyncio.get_running_loop().create_future()
            return await never
        return await self._leases.wait(self._used)

    def __deepcopy__(self, _memo: object) -> Lifetime:
        return self

    def __reduce__(self) -> tuple[type[Lifetime], tuple[()]]:
        # Of another process nothing is known here.
        return Lifetime, ()

    def __repr__(self) -> str:
        return "Lifetime()"


class Leases:
    """Everything that waits for the end of its credentials. Each loop has one timer, while anything waits in it."""

    def __init__(
        self,
        roster: Callable[[], Roster],
        now: Callable[[], float],
        end_under: Callable[[UsedCredentials, Roster], float],
    ) -> None:
        self._roster, self._now, self._end_under = roster, now, end_under
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, dict[asyncio.Future[End], UsedCredentials]] = {}

    def end_of(self, used: UsedCredentials) -> End | None:
        """How credentials have ended; None while they are valid."""
        roster = self._roster()
        if used.roster is not roster:
            used.ends_at, used.roster = self._end_under(used, roster), roster
        if used.ends_at > self._now():
            return None
        return "revoked" if used.ends_at == -math.inf else "expired"

    async def wait(self, used: UsedCredentials) -> End:
        """Returns at their end."""
        end = self.end_of(used)
        if end is not None:
            return end
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[End] = loop.create_future()
        wait = self._wait_until(used.ends_at)
        with self._lock:
            # Those of loops that were closed meanwhile are nobody's.
            for other in [other for other in self._waiting if other.is_closed()]:
                del self._waiting[other]
            own = self._waiting.setdefault(loop, {})
            own[ended] = used
            if len(own) == 1:
                loop.call_later(wait, self._look, loop, own)
        try:
            return await ended
        finally:
            with self._lock:
                own.pop(ended, None)
                if not own and self._waiting.get(loop) is own:
                    del self._waiting[loop]

    def _wait_until(self, first_end: float) -> float:
        return min(max(first_end - self._now(), _SHORTEST_WAIT), _LONGEST_WAIT)

    def _look(self, loop: asyncio.AbstractEventLoop, own: dict[asyncio.Future[Any], UsedCredentials]) -> None:
        with self._lock:
            waiting = list(own.items())
        wait, first_end = _LONGEST_WAIT, math.inf
        try:
            for ended, used in waiting:
                end = self.end_of(used)
                if end is not None and not ended.done():
                    ended.set_result(end)
                first_end = min(first_end, used.ends_at if end is None else math.inf)
            wait = self._wait_until(first_end)
        finally:
            # Also where clock or roster failed this once: without a further look no open stream would ever end.
            with self._lock:
                if own and self._waiting.get(loop) is own:
                    loop.call_later(wait, self._look, loop, own)
