"""Time steps of their own, for requests to an agent whose policy is `once`."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import (
    Callable,
)

from a2a_totp.client_errors import StepSpentError

# In time steps: twice the largest window.
_MOST_SET_BACK = 4


class StepQueue:
    """Assigns each request a time step of its own, in the order of the requests.

    Steps only increase: to the agent, a used step and all older ones are spent (RFC 6238 section 5.2). Only where the
    clock is set back by minutes they begin anew. Threads and event loops may share one.
    """

    def __init__(
        self, period: int, *, now: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`period` is in seconds; `now` is a clock in unix seconds, and `sleep` waits by it in threads."""
        self._period = period
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._last = -1
        # When a step was last given out.
        self._latest = -math.inf

    def next(self, max_wait: float | None = None, *, not_before: float = 0) -> int:
        """Waits for an unused time step, and spends it.

        `max_wait` is in seconds, by default one period and a second; `not_before`, in unix seconds, is when the agent
        accepts a code again. Raises StepSpentError at once if the wait would be longer, and then spends nothing.
        """
        while True:
            step = self._reserve(max_wait, not_before)
            try:
                wait, before = self._until(step), math.inf
                while 0 < wait <= before:
                    self._sleep(wait)
                    wait, before = self._until(step), wait
            except BaseException:
                self._give_back(step)
                raise
            if wait > 0:
                # The clock was set back, by more than was left to wait.
                self._give_back(step)
            elif self._is_current(step):
                return step

    async def next_async(self, max_wait: float | None = None, *, not_before: float = 0) -> int:
        """The same in an event loop. A request that is cancelled while it waits spends nothing if it was the last."""
        while True:
            step = self._reserve(max_wait, not_before)
            try:
                wait, before = self._until(step), math.inf
                while 0 < wait <= before:
                    await asyncio.sleep(wait)
                    # Not 0 yet where the timer was early.
                    wait, before = self._until(step), wait
            except BaseException:
                self._give_back(step)
                raise
            if wait > 0:
                # The clock was set back, by more than was left to wait.
                self._give_back(step)
            elif self._is_current(step):
                return step

    def share(self) -> int:
        """The current time step at once, for a signed request: any number of those may share one.

        Requests that are not signed then need a later one.
        """
        with self._lock:
            now = self._look()
            step = self._step_at(now)
            self._last = max(self._last, step)
            return step

    def _reserve(self, max_wait: float | None, not_before: float) -> int:
        limit = self._period + 1 if max_wait is None else max_wait
        with self._lock:
            now = self._look()
            step = max(self._step_at(max(now, not_before)), self._last + 1)
            wait = self._until(step)
            if wait > limit:
                raise StepSpentError(math.ceil(wait))
            self._last = step
            return step

    def _look(self) -> float:
        """The time, and whether the clock was set back by more than twice the largest window.

        An agent that accepted the last step refuses those of now anyway then, and one that accepts those of now did not
        accept it: so there is nothing to wait for.
        """
        now = self._now()
        if now < self._latest - _MOST_SET_BACK * self._period:
            self._last = -1
        self._latest = now
        return now

    def _give_back(self, step: int) -> None:
        """Of those that nobody reserved a later one behind."""
        with self._lock:
            if self._last == step:
                self._last = step - 1

    def _until(self, step: int) -> float:
        return step * self._period - self._now()

    def _is_current(self, step: int) -> bool:
        """Not where the machine slept past it."""
        return self._step_at(self._now()) <= step

    def _step_at(self, at: float) -> int:
        return math.floor(at / self._period)


_queues: dict[str, StepQueue] = {}
_queues_lock = threading.Lock()


def step_queue(seed_id: str, period: int) -> StepQueue:
    """The queue of a seed in this process, whoever asks: to its agent, all of its requests are one caller's."""
    with _queues_lock:
        return _queues.setdefault(seed_id, StepQueue(period))
