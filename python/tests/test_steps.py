"""Time steps of their own under `once`: in order, bounded, shared by threads and loops."""

import asyncio
import threading

import pytest
from client_parts import credentials

from a2a_totp.client_errors import StepSpentError
from a2a_totp.steps import StepQueue, step_queue


class Clock:
    """One that waits by moving on."""

    def __init__(self, at: float) -> None:
        self.at = at
        self._lock = threading.Lock()

    def now(self) -> float:
        """In unix seconds."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Never backwards."""
        with self._lock:
            self.at += seconds


def test_steps_only_increase() -> None:
    """The first request has the current one; each other waits for the next."""
    clock = Clock(95)
    queue = StepQueue(30, now=clock.now, sleep=clock.sleep)
    assert [queue.next() for _ in range(3)] == [3, 4, 5]
    assert clock.at == 150
    clock.at = 1000
    assert queue.next() == 33


def test_the_wait_is_bounded() -> None:
    """A request that would wait longer fails at once, names the time, and spends nothing."""
    clock = Clock(95)
    queue = StepQueue(30, now=clock.now, sleep=clock.sleep)
    queue.next()
    with pytest.raises(StepSpentError, match="25 s") as caught:
        queue.next(20)
    assert caught.value.retry_after == 25
    assert clock.at == 95
    assert queue.next(25) == 4
    # By default a period and a second: two requests ahead are too many.
    queue._reserve(None, 0)
    with pytest.raises(StepSpentError):
        queue.next()


def test_an_agent_may_say_when_to_come_again() -> None:
    """Not before that, and in a step that is not spent."""
    clock = Clock(95)
    queue = StepQueue(30, now=clock.now, sleep=clock.sleep)
    queue.next()
    assert queue.next(not_before=118) == 4
    assert queue.next(60, not_before=200) == 6


def test_a_clock_that_was_far_ahead_costs_no_time_once_it_is_set_back() -> None:
    """Back by up to twice the largest window, the agent may have accepted what was used."""
    clock = Clock(3695)
    queue = StepQueue(30, now=clock.now, sleep=clock.sleep)
    assert [queue.next(), queue.share()] == [123, 123]
    clock.at = 95
    assert [queue.next(), queue.next()] == [3, 4]
    for steps in range(1, 5):
        clock.at += 30 * steps
        used = queue.next(1000)
        clock.at -= 30 * steps
        assert queue.next(1000) == used + 1


def test_one_who_waits_while_the_clock_is_set_back_waits_no_longer() -> None:
    """It takes the next step by the clock as it is now."""
    clock = Clock(3695)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds - 3600 if clock.at > 3600 else seconds)

    queue = StepQueue(30, now=clock.now, sleep=sleep)
    assert queue.next() == 123
    assert queue.next() == 4


def test_signed_requests_share_a_step() -> None:
    """Others then need a later one."""
    clock = Clock(95)
    queue = StepQueue(30, now=clock.now, sleep=clock.sleep)
    assert [queue.share(), queue.share(), queue.next(), queue.share(), queue.next()] == [3, 3, 4, 4, 5]


def test_a_machine_that_slept_past_its_step_takes_another() -> None:
    """The code of the one that it waited for would be late."""
    clock = Clock(95)
    queue = StepQueue(30, now=clock.now, sleep=lambda _: clock.sleep(100))
    queue.next()
    assert queue.next() == 6


def test_threads_and_loops_wait_behind_each_other() -> None:
    """No two have one step. In real time, with a period of a fraction of a second."""
    queue = StepQueue(1)
    steps: list[int] = []

    def take() -> None:
        steps.append(queue.next(60))

    async def take_some() -> None:
        steps.extend(await asyncio.gather(*(queue.next_async(60) for _ in range(2))))

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    asyncio.run(take_some())
    for thread in threads:
        thread.join()
    assert len(set(steps)) == 4
    assert max(steps) - min(steps) == 3


def test_a_request_that_gives_up_while_it_waits_spends_nothing() -> None:
    """If none is behind it."""
    queue = StepQueue(3600)
    first = queue.next()

    async def give_up() -> None:
        waiting = asyncio.create_task(queue.next_async(3601))
        await asyncio.sleep(0)
        assert queue._last == first + 1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    assert queue._last == first


def test_all_requests_with_a_seed_share_its_queue() -> None:
    """Whatever else is known of the agent."""
    one, other = credentials(), credentials(token="another", agent="a", url="https://h", digits=8)  # noqa: S106
    assert step_queue(one.seed_id, 30) is step_queue(other.seed_id, 30)
    assert credentials(period=60).seed_id != one.seed_id


def test_a_thread_that_is_interrupted_while_it_waits_spends_nothing() -> None:
    """As a task that is cancelled."""

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    queue = StepQueue(30, now=lambda: 95, sleep=interrupted)
    assert queue.next() == 3
    with pytest.raises(KeyboardInterrupt):
        queue.next()
    assert queue._last == 3
