"""What a state in Redis says when Redis cannot answer: a cause and an advice, and never a text of the error."""

import asyncio
import contextlib
import json
import pickle
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer, require_redis
from state_attempts import SOME_STEP, in_step, right_code, signed, wrong_code
from states import kinds_of

from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.budgets import Budget
from a2a_totp.state.contract import Decision
from a2a_totp.state.failure import Failure
from a2a_totp.state.redis_failure import StateUnavailableError, failure_of
from a2a_totp.state.redis_state import RedisState, redis_state

PATIENT = 10_000
redis_state_module = sys.modules[RedisState.__module__]
AT = in_step(SOME_STEP)


@contextlib.contextmanager
def started(*options: str) -> Iterator[RedisServer]:
    """A Redis whose state the test may ruin."""
    require_redis()
    server = RedisServer(*options)
    try:
        yield server
    finally:
        server.stop()


async def failure_with(client: Any, timeout_ms: int = PATIENT, **given: Any) -> Failure:
    """Why a decision fails."""
    state = redis_state(client, prefix="billing", timeout_ms=timeout_ms, now=lambda: AT)
    with pytest.raises(StateUnavailableError) as caught:
        await state.decide(right_code(SOME_STEP, **given))
    assert caught.value.code == "ERR_STATE_UNAVAILABLE"
    assert str(caught.value) == f"Redis cannot answer ({caught.value.failure.cause}): {caught.value.failure.advice}"
    return caught.value.failure


def with_redis(port: int, test: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    """Runs a test with a client, by default as its users make it: it tries again for some seconds."""
    from redis.asyncio import Redis

    async def run() -> None:
        async with Redis(port=port, host="127.0.0.1", **options) as client:
            await test(client)

    asyncio.run(run())


def trying_once() -> dict[str, Any]:
    """Options of a client that gives up at once."""
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return {"retry": Retry(NoBackoff(), 0)}


APP = {"username": "app", "password": "hunter2"}
ALL = ("~{billing}:*", "+@all")
LAST_WORDS = ("CONFIG", "SET", "maxmemory-policy", "noeviction"), ("CONFIG", "SET", "maxmemory", "1")


def user(*rules: str) -> tuple[str, ...]:
    """The command that makes the user of APP."""
    return ("ACL", "SETUSER", "app", "on", ">hunter2", *rules)


@pytest.mark.parametrize(
    ("cause", "advice", "commands", "login"),
    [
        ("NOPERM", "+evalsha", [user(*ALL, "-eval", "-evalsha")], APP),
        ("NOPERM", "~{billing}:*", [user("+@all", "~{other}:*")], APP),
        ("NOPERM", "+zrange", [user(*ALL, "-zrange", "-get")], APP),
        ("NOPERM", "~{billing}:*", [user("+@all", "%R~{billing}:*")], APP),
        ("READONLY", "primary", [("REPLICAOF", "127.0.0.1", "1")], {}),
        ("OOM", "maxmemory", LAST_WORDS, {}),
        ("NOREPLICAS", "min-replicas-to-write", [("CONFIG", "SET", "min-replicas-to-write", "1")], {}),
        ("NOAUTH", "password", [("CONFIG", "SET", "requirepass", "hunter2")], {}),
        ("WRONGPASS", "password", [("CONFIG", "SET", "requirepass", "hunter2")], {"password": "hunter3"}),
        ("WRONGTYPE", "another prefix", [("SET", "{billing}:begun", "0")], {}),
    ],
)
def test_the_failure_has_the_cause_and_what_to_do(
    cause: str, advice: str, commands: Any, login: dict[str, Any]
) -> None:
    async def test(client: Any) -> None:
        found = await failure_with(client)
        assert (found.cause, advice in found.advice) == (cause, True)
        assert "hunter" not in found.advice

    with started() as server:
        if cause == "WRONGTYPE":
            from a2a_totp.state.redis_questions import decide_keys

            server.command("SADD", decide_keys("billing", right_code(SOME_STEP))[1], "x")
        for words in commands:
            server.command(*words)
        with_redis(server.port, test, **login, **trying_once())


def test_the_permissions_that_it_asks_for_are_enough_and_have_no_category() -> None:
    rules: list[str] = []

    async def refused(client: Any) -> None:
        found = await failure_with(client)
        rules.extend(word for word in re.split(r"[\s,]+", found.advice) if word[0] in "+~")

    async def allowed(client: Any) -> None:
        state = redis_state(client, prefix="billing", timeout_ms=PATIENT, now=lambda: 0)
        budgets = (Budget(1, 30),)
        guess = wrong_code("1", AT, budgets=budgets, seeds=("s",))
        attempts = (right_code(SOME_STEP), signed(SOME_STEP), guess)
        assert await kinds_of(state, *attempts) == ["accepted", "accepted", "wrong"]

    with started() as server:
        server.command(*user("+ping"))
        with_redis(server.port, refused, **APP)
        assert "+evalsha" in rules
        assert not [rule for rule in rules if "@" in rule]
        server.command(*user(*rules))
        with_redis(server.port, allowed, **APP)


def test_nothing_is_accepted_where_a_guess_could_not_be_counted() -> None:
    async def test(client: Any) -> None:
        state = redis_state(client, prefix="billing", timeout_ms=PATIENT, now=lambda: AT)
        right = right_code(SOME_STEP, policy="reuse")
        assert await kinds_of(state, right) == ["accepted"]
        for words in LAST_WORDS:
            await client.execute_command(*words)
        for attempt in (right, wrong_code("1", AT, budgets=(Budget(1, 30),))):
            with pytest.raises(StateUnavailableError):
                await state.decide(attempt)
        await client.execute_command("CONFIG", "SET", "maxmemory", "0")
        assert await kinds_of(state, right) == ["accepted"]

    with started() as server:
        with_redis(server.port, test)


def test_a_server_that_hangs_is_told_from_one_that_is_gone_and_serves_again_when_it_is_back() -> None:
    async def test(client: Any) -> None:
        await client.ping()
        server.freeze()
        began = time.monotonic()
        assert (await failure_with(client, 300)).cause == "timeout"
        assert time.monotonic() - began < 5
        server.thaw()
        server.crash()
        assert (await failure_with(client, 300)).cause == "no-connection"
        server.resume()
        state = redis_state(client, prefix="billing", timeout_ms=PATIENT, now=lambda: AT)
        assert await kinds_of(state, right_code(SOME_STEP, policy="reuse")) == ["accepted"]

    with started() as server:
        with_redis(server.port, test)


def test_a_password_that_the_client_goes_on_trying_is_named_at_the_time_out() -> None:
    async def test(client: Any) -> None:
        found = await failure_with(client, 300)
        # What it was doing at that moment: waiting to try again, or connecting.
        assert found.cause in ("WRONGPASS", "no-connection")
        assert "password" in found.advice
        assert "hunter" not in found.advice

    with started() as server:
        server.command("CONFIG", "SET", "requirepass", "hunter2")
        with_redis(server.port, test, password="hunter3")  # noqa: S106


def test_a_client_that_does_not_try_again_says_so_too() -> None:
    async def test(client: Any) -> None:
        server.crash()
        assert (await failure_with(client)).cause == "no-connection"

    with started() as server:
        with_redis(server.port, test, **trying_once())


def test_a_cluster_without_the_slot_is_named() -> None:
    async def test(client: Any) -> None:
        assert (await failure_with(client)).cause == "CLUSTERDOWN"

    with started("--cluster-enabled", "yes") as server:
        with_redis(server.port, test)


SECRET = "hunter2 of user alice-of-billing at {key}"  # noqa: S105
NO_SCRIPT = "-NOSCRIPT No matching script. Please use EVAL."
CODES = [
    *("BUSY", "CLUSTERDOWN", "CROSSSLOT", "DENIED", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOPERM"),
    *("NOREPLICAS", "OOM", "READONLY", "TRYAGAIN", "UNKILLABLE", "WRONGPASS", "WRONGTYPE"),
]


@pytest.mark.parametrize(
    ("cause", "answer", "answer_to_sha"),
    [
        ("version", "-ERR Error compiling script (new function): user_script:1: unexpected symbol", NO_SCRIPT),
        ("version", "-ERR unknown command `evalsha`, with args beginning with: `hunter2`", None),
        ("version", "-ERR unknown command 'eval'", NO_SCRIPT),
        ("maxclients", "-ERR max number of clients reached", None),
        ("unknown", f"-ERR {SECRET}", None),
        ("unknown", f"-HUNTER2 {SECRET}", None),
        ("unknown", f"-NOPERMISSION {SECRET}", None),
        ("MOVED", "-MOVED 1234 192.0.2.7:6379", None),
        ("NOSCRIPT", NO_SCRIPT, None),
        ("unexpected-reply", "$7\r\nhunter2", None),
        ("unexpected-reply", "*2\r\n$8\r\naccepted\r\n$1\r\nx", None),
        ("unexpected-reply", "*1\r\n$8\r\naccepted", None),
        *[(code, f"-{code} {SECRET}", None) for code in CODES],
    ],
)
def test_whatever_a_server_says_its_cause_is_named_and_nothing_is_quoted(
    cause: str, answer: str, answer_to_sha: str | None
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2].decode())
            given = {"EVAL": answer, "EVALSHA": answer_to_sha or answer}.get(words[0].upper(), "+OK")
            writer.write(f"{given}\r\n".encode())

    async def run() -> None:
        from redis.asyncio import Redis

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Redis(port=port, host="127.0.0.1", protocol=2, **trying_once()) as client:
            found = await failure_with(client)
        server.close()
        assert found.cause == cause
        assert not re.search(r"hunter2|HUNTER2|alice-of|\{key\}|192\.0\.2\.7|user_script", found.advice)

    require_redis()
    asyncio.run(run())


class _Silent:
    """A client that never answers, and does not care for being told to end."""

    async def evalsha(self, *_: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()

    async def eval(self, *_: Any) -> None:
        """Never reached."""


def test_the_event_of_a_503_has_the_cause_and_the_advice_and_service_is_back_with_redis() -> None:
    vectors = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))
    roster = parse_server_file(json.dumps(vectors["files"]["own"]))
    events: list[dict[str, Any]] = []

    async def test(client: Any) -> None:
        scheme = TOTPServerAuthScheme._of_roster(
            lambda: roster,
            now=lambda: AT,
            state=redis_state(client, prefix="billing", timeout_ms=PATIENT, now=lambda: 0),
            on_event=events.append,
        )
        code = code_of_step(b"\x01" * 20, Profile(), SOME_STEP)
        fields = [("authorization", "Bearer a2at_vector-token-of-alice"), ("x-totp", code)]
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")
        refusal = await scheme.authenticate(AuthRequest(fields))
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.reason, refusal.peer) == (503, "guard-failed", "alice")
        assert refusal.retry_after
        assert [(event["reason"], event["cause"]) for event in events] == [("guard-failed", "READONLY")]
        assert "primary" in events[0]["advice"]
        await client.execute_command("REPLICAOF", "NO", "ONE")
        assert isinstance(await scheme.authenticate(AuthRequest(fields)), Caller)

    with started() as server:
        with_redis(server.port, test)


def test_it_refuses_at_once_when_too_many_decisions_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand; here a hundred, which is quicker."""
    assert redis_state_module._MOST_UNANSWERED == 10_000
    monkeypatch.setattr(redis_state_module, "_MOST_UNANSWERED", 100)

    async def run() -> list[str]:
        state = RedisState(_Silent(), timeout_ms=500)

        async def ask() -> str:
            try:
                await state.decide(right_code(SOME_STEP))
            except StateUnavailableError as error:
                return error.failure.cause
            return "decided"

        first = await asyncio.gather(*(ask() for _ in range(101)))
        # There is room again.
        return [*first, await ask()]

    causes = asyncio.run(run())
    assert (causes.count("timeout"), causes.index("overload")) == (101, 100)


def test_a_caller_that_gives_up_leaves_no_question_behind() -> None:
    async def run() -> None:
        state = RedisState(_Silent(), timeout_ms=60_000)
        asking = asyncio.ensure_future(state.decide(right_code(SOME_STEP)))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        until = time.monotonic() + 20
        while len(asyncio.all_tasks()) > 1:
            assert time.monotonic() < until
            await asyncio.sleep(0)

    asyncio.run(run())


def test_the_failure_of_a_delegate_or_of_a_state_of_ones_own_is_found_by_what_caused_it() -> None:
    def caused_by(cause: BaseException) -> Failure:
        error = RuntimeError(SECRET)
        error.__cause__ = cause
        return failure_of(error)

    assert caused_by(ConnectionRefusedError(111, SECRET)).cause == "ECONNREFUSED"
    assert caused_by(TimeoutError(SECRET)).cause == "timeout"
    assert caused_by(asyncio.TimeoutError()).cause == "timeout"
    assert caused_by(ValueError(SECRET)).cause == "unknown"
    error = StateUnavailableError("Redis cannot answer", caused_by(ValueError(SECRET)))
    assert failure_of(error) is error.failure
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (copied.failure, str(copied)) == (error.failure, str(error))


def test_in_a_cluster_of_three_it_decides_on_whatever_node_an_agent_lives() -> None:
    """A node that gets keys of two slots in one script refuses with CROSSSLOT, a foreign one with MOVED."""
    from redis.asyncio import RedisCluster

    async def run(port: int) -> None:
        async with RedisCluster(host="127.0.0.1", port=port) as client:
            for agent in range(20):
                state = redis_state(client, prefix=f"agent-{agent}", timeout_ms=PATIENT, now=lambda: AT)
                guess = wrong_code("1", AT, budgets=(Budget(1, 30),), seeds=("other", "third"))
                # 10 s after the memory began, and the clocks' difference.
                proof = signed(SOME_STEP, at=AT + 12)
                attempts = (right_code(SOME_STEP), right_code(SOME_STEP + 3), right_code(SOME_STEP + 3), proof, proof)
                kinds = await kinds_of(state, *attempts)
                assert kinds == ["unknown", "accepted", "replayed", "accepted", "replayed"]
                assert await state.decide(guess) == Decision("wrong", counted=True, tripped=True)
                assert await kinds_of(state, guess) == ["throttled"]

    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(started("--cluster-enabled", "yes")) for _ in range(3)]
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        create = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(create, check=True, timeout=50, stdout=subprocess.DEVNULL)  # noqa: S603
        until = time.monotonic() + 20
        while not all("cluster_state:ok" in str(node.command("CLUSTER", "INFO")) for node in nodes):
            assert time.monotonic() < until
            time.sleep(0.05)
        asyncio.run(run(nodes[0].port))
        sizes = [node.command("DBSIZE") for node in nodes]
        assert all(isinstance(size, int) and size > 0 for size in sizes)
