"""What is of the state in Redis alone: what Redis gets to see, how it is asked, and what becomes of losses."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis_server import RedisServer
from state_attempts import BUDGETS, PERIOD, SOME_STEP, in_step, late_by, right_code, signed, wrong_code
from states import kinds_of, server_fixture  # noqa: F401

from a2a_totp.errors import TOTPError
from a2a_totp.state.budgets import Budget
from a2a_totp.state.contract import Decision
from a2a_totp.state.redis_scripts import DECIDE
from a2a_totp.state.redis_state import RedisState, redis_state

PATIENT = 10_000


def with_client(server: RedisServer, test: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    """Runs a test with a client that knows the script."""
    from redis.asyncio import Redis

    async def run() -> None:
        async with Redis(port=server.port, host="127.0.0.1", **options) as client:
            await client.script_load(DECIDE.text)
            await test(client)

    asyncio.run(run())


def fresh(client: Any, at: float = in_step(SOME_STEP), **options: Any) -> tuple[RedisState, str]:
    """A state with an empty memory of its own, and its prefix."""
    prefix = str(uuid.uuid4())
    given = {"timeout_ms": PATIENT, "now": lambda: at, **options}
    return redis_state(client, prefix=prefix, **given), prefix


async def keys_of(client: Any, prefix: str) -> list[str]:
    """Those that there are."""
    return sorted(key.decode() for key in await client.keys(f"*{prefix}*"))


def test_an_empty_memory_begins_later_than_now_by_all_that_clocks_and_answers_may_lag(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        turn = in_step(SOME_STEP, 30)
        for before, expected in ((11.0, Decision("accepted")), (10.999, Decision("unknown", 60))):
            state, _ = fresh(client, turn - before, clock_skew_ms=1000, timeout_ms=PATIENT)
            assert await state.decide(right_code(SOME_STEP + 2, at=turn)) == expected

    with_client(server, test)


def test_a_beginning_that_only_a_wrong_clock_can_have_set_is_not_believed(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        state, prefix = fresh(client)
        ahead = redis_state(client, prefix=prefix, timeout_ms=PATIENT, now=lambda: in_step(SOME_STEP + 1_000_000))
        await ahead.decide(right_code(SOME_STEP + 1_000_000))
        assert await kinds_of(state, right_code(SOME_STEP), right_code(SOME_STEP + 3)) == ["unknown", "accepted"]

    with_client(server, test)


def test_nothing_is_known_from_before_a_flush(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        used = right_code(SOME_STEP + 2)
        state, prefix = fresh(client, used.at)
        await client.set(f"{{{prefix}}}:begun", "0")
        assert await kinds_of(state, used) == ["accepted"]
        proof = signed(SOME_STEP + 2)
        assert await kinds_of(state, proof) == ["accepted"]
        await client.delete(*await keys_of(client, prefix))
        assert await kinds_of(state, used, proof, right_code(SOME_STEP + 5)) == ["unknown", "unknown", "accepted"]

    with_client(server, test)


def test_nothing_is_known_from_before_a_server_that_does_not_know_the_script(server: RedisServer) -> None:
    """It has started or taken over, and may lack what the other one was told last."""

    async def test(client: Any) -> None:
        at = in_step(SOME_STEP + 2)
        state, prefix = fresh(client, at)
        await client.set(f"{{{prefix}}}:begun", "0")
        used = right_code(SOME_STEP + 2)
        assert await kinds_of(state, used) == ["accepted"]
        await client.script_flush()
        perhaps = right_code(SOME_STEP + 2, seeds=("seed-3",))
        after = (used, perhaps, right_code(SOME_STEP + 5))
        assert await kinds_of(state, *after) == ["replayed", "unknown", "accepted"]

    with_client(server, test)


def test_a_decision_asks_once(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        state, _ = fresh(client)
        await state.decide(right_code(SOME_STEP))
        await client.config_resetstat()
        for step in range(SOME_STEP, SOME_STEP + 10):
            await state.decide(right_code(step, budgets=BUDGETS))
            await state.decide(signed(step, budgets=BUDGETS))
            await state.decide(wrong_code(str(step), in_step(step), budgets=BUDGETS))
        stats = await client.info("commandstats")
        assert stats["cmdstat_evalsha"]["calls"] == 30
        assert not {"cmdstat_eval", "cmdstat_script|load"} & stats.keys()

    with_client(server, test)


def test_a_dead_token_costs_a_second_question_once(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        state, _ = fresh(client)
        stolen = {"budgets": BUDGETS, "token": "sha256:stolen", "live_tokens": lambda: ("sha256:stolen",)}
        for code in "123":
            await state.decide(wrong_code(code, in_step(SOME_STEP), **stolen))
        new = {**stolen, "token": "sha256:new", "live_tokens": lambda: ("sha256:new",), "policy": "reuse"}
        asked = []
        for _ in range(3):
            await client.config_resetstat()
            assert await kinds_of(state, right_code(SOME_STEP, **new)) == ["accepted"]
            asked.append((await client.info("commandstats"))["cmdstat_evalsha"]["calls"])
        assert asked == [2, 1, 1]

    with_client(server, test)


def test_all_keys_of_a_deployment_are_in_one_slot_also_for_names_with_braces(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        state, prefix = fresh(client)
        await client.set(f"{{{prefix}}}:begun", "0")
        given = {"peer": "}{a{b}", "seeds": ("}{s{",), "token": "}{t{", "live_tokens": tuple, "budgets": BUDGETS}
        wrong = wrong_code("1", in_step(SOME_STEP), **given)
        await kinds_of(state, right_code(SOME_STEP, **given), signed(SOME_STEP, **given), wrong)
        await state.take_back(wrong_code("2", in_step(SOME_STEP), **given), late_by(5))
        keys = await keys_of(client, prefix)
        kinds = ["ahead", "begun", "claim", "guesses", "nonces", "nonces", "seen", "tokens"]
        assert sorted(key.split(":")[1] for key in keys) == kinds
        for key in keys:
            assert re.fullmatch(r"\{[^{}]+\}:[a-z]+(:[\w-]{22}(:[\w*-]{8}|:\d+)?)?", key)

    with_client(server, test)


def test_redis_sees_no_code_no_peer_no_token_hash_and_no_digest_of_a_seed(server: RedisServer) -> None:
    asked: list[str] = []

    async def test(client: Any) -> None:
        class Watched:
            async def evalsha(self, sha: str, numkeys: int, *given: str) -> Any:
                asked.extend(given)
                return await client.evalsha(sha, numkeys, *given)

            async def eval(self, script: str, numkeys: int, *given: str) -> Any:
                asked.extend(given)
                return await client.eval(script, numkeys, *given)

        state, _ = fresh(Watched())
        given = {
            "peer": "alice",
            "token": "sha256:abcdef",
            "live_tokens": lambda: ["sha256:abcdef"],
            "budgets": BUDGETS,
        }
        wrong = wrong_code("918273", in_step(SOME_STEP), **given)
        await state.decide(wrong)
        await state.take_back(wrong, late_by(5))
        await kinds_of(state, right_code(SOME_STEP, **given), signed(SOME_STEP, **given))

    with_client(server, test)
    assert len(asked) > 10
    assert not re.search("918273|alice|abcdef", "\n".join(asked))


def test_nothing_is_kept_for_longer_than_it_can_matter_but_the_beginning(server: RedisServer) -> None:
    async def test(client: Any) -> None:
        state, prefix = fresh(client)
        guess = wrong_code("1", in_step(SOME_STEP), budgets=(Budget(3, 3600),))
        await kinds_of(state, right_code(SOME_STEP), right_code(SOME_STEP + 3), guess)
        lives = {key.split(":")[1]: await client.ttl(key) for key in await keys_of(client, prefix)}
        expected = {"begun": -1, "claim": 31 * 86_400 + 3 * PERIOD, "seen": 2 * PERIOD, "guesses": 3600, "tokens": 3600}
        assert lives.keys() == expected.keys()
        for kind, life in expected.items():
            assert life - 15 <= lives[kind] <= life

    with_client(server, test)


@pytest.mark.parametrize(
    "options",
    [
        {"prefix": ""},
        {"prefix": "a{b}"},
        {"prefix": "a b"},
        {"prefix": "a" * 65},
        {"timeout_ms": 0},
        {"timeout_ms": 0.5},
        {"timeout_ms": True},
        {"clock_skew_ms": -1},
        {"most_nonces": 0},
    ],
    ids=str,
)
def test_options_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    class Silent:
        async def evalsha(self, *_: Any) -> None: ...
        async def eval(self, *_: Any) -> None: ...

    with pytest.raises(TOTPError) as caught:
        redis_state(Silent(), **options)
    assert caught.value.code == "ERR_CONFIG_INVALID"


def test_a_client_that_would_stop_the_event_loop_is_refused(server: RedisServer) -> None:
    import redis

    with redis.Redis(port=server.port) as client, pytest.raises(TOTPError, match=r"redis\.asyncio"):
        redis_state(client)
    with pytest.raises(TOTPError, match=r"redis\.asyncio"):
        redis_state("redis://127.0.0.1")  # type: ignore[arg-type]
