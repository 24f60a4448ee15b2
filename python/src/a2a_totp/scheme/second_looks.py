"""A second look at each counted guess, after its request was answered."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from a2a_totp.roster import Peer
from a2a_totp.scheme.events import Event, OnEvent, compromise_suspected, emit
from a2a_totp.state.contract import Attempt, Match, State
from a2a_totp.state.late_codes import find_late_code

_MOST_AT_A_BUDGET = 100
"""So many guesses wait at one budget; further ones stay counted."""
_MOST_LOOKS = 1000
"""So many wait in all."""
_TAKE_BACK = 2.0
"""Seconds. A state that does not answer in this time has not taken the guess back."""


@dataclass
class _Look:
    peer: Peer
    attempt: Attempt
    tripped: bool
    base: Event
    reopened: bool = False
    """Whether an earlier guess was taken back since it was counted: then it no longer exhausts its budget."""


@dataclass
class _Lane:
    """The guesses that wait at one budget, in the order in which they were counted."""

    looks: deque[_Look] = field(default_factory=deque)
    due: int = 0
    busy: bool = False


class SecondLooks:
    """Is a counted guess a late code? A peer whose clock is wrong sends such codes all day, and is no thief.

    Takes such a guess back where the state allows it. Suspects somebody only when a guess exhausted a budget, is none
    of those, and the budget is still exhausted. A look computes hundreds of codes: on the way to the answer the time
    would tell that the token is live.
    """

    def __init__(
        self, state: State, on_event: OnEvent, later: Callable[[Callable[[], Awaitable[None]]], object]
    ) -> None:
        self._state, self._on_event, self._later = state, on_event, later
        self._lock = threading.Lock()
        self._lanes: dict[tuple[str, ...], _Lane] = {}
        self._waiting = 0

    def add(self, peer: Peer, attempt: Attempt, tripped: bool, base: Event) -> None:
        """Adds a guess, as soon as it was counted. Without room for it, it stays counted."""
        # Whoever shares the seeds shares a budget.
        key = attempt.seeds
        with self._lock:
            lane = self._lanes.setdefault(key, _Lane())
            has_room = len(lane.looks) < _MOST_AT_A_BUDGET and (self._waiting < _MOST_LOOKS or not lane.looks)
            if has_room:
                lane.looks.append(_Look(peer, attempt, tripped, base))
                self._waiting += 1
        if has_room:
            self._later(functools.partial(self._look_at_next, key))
        elif tripped:
            self._later(functools.partial(self._suspect, peer.name, base))

    async def _suspect(self, peer: str, base: Event) -> None:
        emit(self._on_event, compromise_suspected(peer, base))

    async def _look_at_next(self, key: tuple[str, ...]) -> None:
        """Looks at the first one; while that is under way, those that come meanwhile are looked at by it too."""
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                return
            lane.due += 1
            if lane.busy:
                return
            lane.busy = True
        try:
            while lane.due > 0 and lane.looks:
                try:
                    await self._look_at(lane.looks[0], lane)
                finally:
                    with self._lock:
                        lane.due -= 1
                        lane.looks.popleft()
                        self._waiting -= 1
        finally:
            with self._lock:
                lane.busy = False
                if not lane.looks:
                    self._lanes.pop(key, None)

    async def _look_at(self, look: _Look, lane: _Lane) -> None:
        attempt, base = look.attempt, look.base
        peer = look.peer.name
        late = find_late_code(look.peer, attempt.code, attempt.at)
        if late:
            facts = {"seedId": late.seed_id, "timeStep": late.time_step, "drift": late.drift}
            # Before the state is asked, which may take its time.
            emit(self._on_event, {"type": "code_stale", **base, "peer": peer, **facts})
        earlier = list(lane.looks)
        if late and await self._take_back(attempt, late):
            for other in earlier:
                other.reopened = True
        elif look.tripped and not look.reopened:
            emit(self._on_event, compromise_suspected(peer, base))

    async def _take_back(self, attempt: Attempt, late: Match) -> bool:
        """Whether the state took the guess back. One of the user's own may raise, return anything, or never answer."""
        try:
            return await asyncio.wait_for(self._state.take_back(attempt, late), _TAKE_BACK) is True
        except Exception:  # noqa: BLE001
            return False
