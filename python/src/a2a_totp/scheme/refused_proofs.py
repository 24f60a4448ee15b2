"""How often refused proofs are reported."""

from __future__ import annotations

import asyncio
import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

PROOF_REASONS = frozenset(
    {
        *("proof-missing", "proof-malformed", "proof-uncovered", "proof-digest", "proof-key", "proof-mac"),
        *("proof-stale", "proof-replayed"),
    }
)
_QUIET_PEER = 1.0
"""Seconds between two events of one peer."""
_MOST_HELD_PEERS = 1000
"""With more, those of the one that was reported longest ago are reported."""


@dataclass
class _Held:
    """Refusals of one peer: when they were reported last, by the scheme's clock, and the last one since."""

    emitted_at: float = -math.inf
    last: dict[str, Any] | None = None
    count: int = 0
    is_timed: bool = False
    timer: threading.Timer | None = None


class RefusedProofs:
    """Reports refused proofs at most once a second and peer, with their number: a bad proof is no guess, so nothing
    else bounds how many a thief of the token can cause. The counts add up to the number of refusals."""

    def __init__(
        self,
        emit: Callable[[dict[str, Any]], None],
        now: Callable[[], float],
        later: Callable[[Callable[[], Awaitable[None]]], object],
    ) -> None:
        """`later` runs something after the answer: starting a thread takes so long that a live token would show."""
        self._emit, self._now, self._later = emit, now, later
        self._lock = threading.Lock()
        # The one that was reported longest ago first.
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def add(self, event: dict[str, Any], at: float) -> None:
        """Reports it, or holds it back for a second."""
        for one in self._hold(event["peer"], event, at):
            self._emit(one)

    def pretend(self, at: float) -> None:
        """Takes as long as `add` does, and reports nothing: the token is nobody's."""
        self._hold("", None, at)

    def _hold(self, peer: str, event: dict[str, Any] | None, at: float) -> list[dict[str, Any]]:
        """What is to be reported now."""
        due: list[dict[str, Any]] = []
        with self._lock:
            if peer not in self._held and len(self._held) >= _MOST_HELD_PEERS:
                due += self._flush(next(iter(self._held)), self._now())
                self._held.popitem()
            held = self._held.setdefault(peer, _Held())
            held.last, held.count = event, held.count + 1
            # By the distance, because a clock can be set back.
            if abs(at - held.emitted_at) >= _QUIET_PEER:
                due += self._flush(peer, at)
            elif not held.is_timed:
                # So that the count is reported too where the refusals end.
                held.is_timed = True
                self._later(functools.partial(self._start, peer, held, _running_loop()))
        return due

    def close(self) -> None:
        """Reports what is held back."""
        with self._lock:
            due = [event for peer in list(self._held) for event in self._flush(peer, self._now())]
        for event in due:
            self._emit(event)

    async def _start(self, peer: str, held: _Held, loop: asyncio.AbstractEventLoop | None) -> None:
        with self._lock:
            # It may have been reported meanwhile.
            if held.last is not None and self._held.get(peer) is held:
                held.timer = self._timer_for(peer, loop)

    def _timer_for(self, peer: str, loop: asyncio.AbstractEventLoop | None) -> threading.Timer:
        def over() -> None:
            with self._lock:
                due = self._flush(peer, self._now()) if peer in self._held else []
            for event in due:
                try:
                    # Listeners are called in the loop that serves; where it is over, here.
                    if loop is None:
                        raise RuntimeError
                    loop.call_soon_threadsafe(self._emit, event)
                except RuntimeError:
                    self._emit(event)

        # Not of the loop, which may be over before. It keeps no process alive.
        timer = threading.Timer(_QUIET_PEER, over)
        timer.daemon = True
        timer.start()
        return timer

    def _flush(self, peer: str, at: float) -> list[dict[str, Any]]:
        held = self._held[peer]
        if held.timer is not None:
            held.timer.cancel()
        due = [] if held.last is None else [{**held.last, "count": held.count}]
        self._held[peer] = _Held(at)
        self._held.move_to_end(peer)
        return due


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
