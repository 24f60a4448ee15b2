"""Every state that a test of the contract is run with."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from redis_server import RedisServer, require_redis

from a2a_totp.state.contract import Attempt, Decision, State
from a2a_totp.state.memory import MemoryState
from a2a_totp.state.redis_scripts import DECIDE
from a2a_totp.state.redis_state import RedisState

MakeState = Callable[..., Awaitable[State]]
"""Makes a state with an empty memory that begins at `since`, in unix seconds; by default long ago."""
Run = Callable[[Callable[[MakeState], Awaitable[None]]], None]
"""Runs a test with such a function."""


@pytest.fixture(name="server", scope="session")
def server_fixture() -> Iterator[RedisServer]:
    require_redis()
    server = RedisServer()
    yield server
    server.stop()


def run_in_memory(test: Callable[[MakeState], Awaitable[None]]) -> None:
    """With the state of one process."""

    async def make(since: float = 0, **options: Any) -> State:
        return MemoryState(since, **options)

    asyncio.run(_ran(test(make)))


def run_in_redis(test: Callable[[MakeState], Awaitable[None]], port: int, **client_options: Any) -> None:
    """With the state in Redis. The time-out is not what most tests are about, and the machine may be busy."""
    from redis.asyncio import Redis

    async def run() -> None:
        async with Redis(port=port, host="127.0.0.1", **client_options) as client:
            await client.script_load(DECIDE.text)

            async def make(since: float = 0, **options: Any) -> State:
                prefix = str(uuid.uuid4())
                await client.set(f"{{{prefix}}}:begun", str(round(since * 1000)))
                return RedisState(client, prefix=prefix, timeout_ms=10_000, **options)

            await test(make)

    asyncio.run(run())


@pytest.fixture(name="run", params=["memory", "redis", "redis, decoded"])
def run_fixture(request: pytest.FixtureRequest) -> Run:
    if request.param == "memory":
        return run_in_memory
    port: int = request.getfixturevalue("server").port
    return lambda test: run_in_redis(test, port, decode_responses=request.param == "redis, decoded")


async def kinds_of(state: State, *attempts: Attempt) -> list[str]:
    """What is decided, one after the other."""
    return [(await state.decide(attempt)).outcome for attempt in attempts]


async def all_at_once(state: State, attempts: list[Attempt]) -> list[Decision]:
    """What is decided of simultaneous ones."""
    return list(await asyncio.gather(*(state.decide(attempt) for attempt in attempts)))


async def _ran(test: Awaitable[None]) -> None:
    await test
