"""What becomes of a guess after its answer: codes of a clock that is wrong, and what is reported."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import httpx
import pytest
import uvicorn
from deciding import AT, STEP, Agent, reason_of, run
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware

from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.codes import code_of_step
from a2a_totp.grpc import totp_interceptor
from a2a_totp.profile import Profile
from a2a_totp.scheme import TOTPServerAuthScheme, code_book, second_looks
from a2a_totp.state import late_codes
from a2a_totp.state.contract import Attempt, Match
from a2a_totp.state.late_codes import find_late_code
from a2a_totp.state.memory import MemoryState

TOKEN = ("authorization", "Bearer a2at_vector-token-of-alice")
WRONG = ["000001", "000002", "000003", "000004", "000005"]
"""Codes of no step near."""


def late(drift: int) -> tuple[str, str]:
    """Alice's code, so many time steps away."""
    return "x-totp", code_of_step(b"\x01" * 20, Profile(), STEP + drift)


def authenticator() -> TOTPServerAuthScheme:
    """One whose clock stands still, and which looks again as it does in a server."""
    roster = Agent().roster
    return TOTPServerAuthScheme._of_roster(lambda: roster, now=lambda: AT, state=MemoryState(since=0))


def test_a_late_code_is_reported_with_its_drift_after_its_refusal() -> None:
    """And without the code."""
    agent = Agent()
    assert reason_of(agent.ask([TOKEN, late(-4)], "192.0.2.1")) == "code-wrong"
    assert agent.types() == ["refused"]
    run(agent.looks.pop()())
    base = {"at": "2026-06-01T16:40:07.000Z", "binding": "http", "source": "192.0.2.1"}
    facts = {"peer": "alice", "seedId": "a1", "timeStep": STEP - 4, "drift": -4}
    assert agent.events[1:] == [{"type": "code_stale", **base, **facts}]


def test_a_late_code_is_logged_where_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    """Without the code."""
    agent = Agent(looks=True, on_event=None)
    agent.ask([TOKEN, late(-4)], "192.0.2.1")
    assert caplog.messages[1:] == [f"code_stale: peer=alice seed=a1 step={STEP - 4} drift=-4 source=192.0.2.1"]
    assert late(-4)[1] not in caplog.text


def test_no_code_is_computed_on_the_way_to_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 are after it, whatever is found."""
    computed: list[int] = []

    def counting(key: bytes, profile: Profile, step: int) -> str:
        computed.append(step)
        return code_of_step(key, profile, step)

    for module in (code_book, late_codes):
        monkeypatch.setattr(module, "code_of_step", counting)
    agent = Agent()
    agent.ask([TOKEN, late(0)])
    assert computed
    for fields in (late(-5), late(5), ("x-totp", WRONG[0])):
        computed.clear()
        agent.ask([TOKEN, fields])
        assert not computed
        run(agent.looks.pop()())
        assert sorted(computed) == sorted({*range(STEP - 41, STEP + 42)} - {STEP - 1, STEP, STEP + 1})


def test_a_guess_is_looked_at_before_anybody_is_suspected() -> None:
    """It may be what exhausts a budget, and no guess."""
    agent = Agent(looks=True)
    for code in WRONG[:4]:
        agent.ask([TOKEN, ("x-totp", code)])
    agent.ask([TOKEN, late(-4)])
    assert "token_compromise_suspected" not in agent.types()
    assert reason_of(agent.ask([TOKEN, late(0)])) == "accepted"
    agent.ask([TOKEN, late(10)])
    assert agent.types()[-3:] == ["refused", "code_stale", "token_compromise_suspected"]
    assert agent.events[-1]["advice"] == 'someone with a live token of "alice" is guessing codes: rotate it'
    assert reason_of(agent.ask([TOKEN, late(0)])) == "guesses-exhausted"


def test_looks_are_taken_in_the_order_of_the_guesses_whenever_they_begin() -> None:
    """A guess that was taken back opens the budget again, so the one that exhausted it suspects nobody."""
    agent = Agent()
    for code in WRONG[:3]:
        agent.ask([TOKEN, ("x-totp", code)])
    agent.ask([TOKEN, late(-4)])
    agent.ask([TOKEN, ("x-totp", WRONG[4])])
    for look in reversed(agent.looks):
        run(look())
    assert agent.types() == [*["refused"] * 5, "code_stale"]
    assert not agent.scheme._reports._looks._lanes


def test_a_state_that_cannot_take_back_does_not_hide_a_thief() -> None:
    """Whatever it does."""

    class Broken(MemoryState):
        async def take_back(self, attempt: Attempt, late: Match) -> bool:
            raise RuntimeError(attempt.code)

    agent = Agent(looks=True, state=Broken(since=0))
    for code in WRONG[:4]:
        agent.ask([TOKEN, ("x-totp", code)])
    agent.ask([TOKEN, late(-4)])
    assert agent.types()[-3:] == ["refused", "code_stale", "token_compromise_suspected"]


def test_a_code_is_looked_at_once_in_its_step() -> None:
    """However often it is sent."""
    agent = Agent(looks=True)
    for _ in range(20):
        agent.ask([TOKEN, late(-4)])
    assert agent.types().count("code_stale") == 1


@pytest.mark.parametrize("drift", [-4, -20, 4, 20])
def test_a_clock_that_is_wrong_for_hours_raises_no_alarm(drift: int) -> None:
    """It locks nobody out, and the peer is served once its clock is right."""
    agent = Agent(looks=True)
    # More late codes than guesses are allowed in a day.
    for step in range(STEP, STEP + 240):
        agent.at = step * 30 + 7
        assert reason_of(agent.ask([TOKEN, ("x-totp", agent.code(drift))])) == "code-wrong"
    assert reason_of(agent.ask([TOKEN, ("x-totp", agent.code())])) == "accepted"
    assert agent.types().count("code_stale") == 240
    assert "token_compromise_suspected" not in agent.types()


def test_what_runs_after_an_answer_does_not_print_the_code() -> None:
    """asyncio prints callbacks that were slow, or failed."""
    agent = Agent()
    agent.ask([TOKEN, ("x-totp", "918273")])
    printed = repr(agent.looks) + repr(agent.scheme._reports._looks._lanes)
    assert "918273" not in printed
    assert "sha256" not in printed


class SecondLook:
    """Stops the server in its second look until the answer has arrived."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answered = threading.Event()
        self.over = threading.Event()
        self.was_answered = False

        def looking(*args: Any) -> Any:
            self.was_answered = self.answered.wait(5)
            found = find_late_code(*args)
            self.over.set()
            return found

        monkeypatch.setattr(second_looks, "find_late_code", looking)

    def came_after_the_answer(self) -> bool:
        """Called with the answer in hand."""
        self.answered.set()
        return self.over.wait(10) and self.was_answered


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The origin where uvicorn serves an app."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def test_over_http_the_second_look_comes_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a server as it is used."""
    look = SecondLook(monkeypatch)
    with served(TOTPMiddleware(Starlette(), authenticator())) as origin:
        assert httpx.post(origin, headers=[TOKEN, late(-4)], timeout=20).status_code == 401
        assert look.came_after_the_answer()


def test_over_http_behind_a_middleware_that_holds_answers_up_it_comes_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Starlette's base class for middleware hands each part of an answer to another task."""
    look = SecondLook(monkeypatch)

    async def pass_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    app = BaseHTTPMiddleware(TOTPMiddleware(Starlette(), authenticator()), dispatch=pass_on)
    with served(app) as origin:
        assert httpx.post(origin, headers=[TOKEN, late(-4)], timeout=20).status_code == 401
        assert look.came_after_the_answer()


def test_over_grpc_the_second_look_comes_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked from another thread, since the server's is stopped."""
    look = SecondLook(monkeypatch)

    def ask(address: str) -> bool:
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/test.Service/Any")(b"", metadata=[TOKEN, late(-4)], timeout=20)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        return look.came_after_the_answer()

    async def answer(_request: bytes, _context: Any) -> bytes:
        return b""

    async def run() -> None:
        server = grpc.aio.server(interceptors=[totp_interceptor(authenticator())])
        methods = {"Any": grpc.unary_unary_rpc_method_handler(answer)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", methods),))
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        try:
            assert await asyncio.to_thread(ask, address)
        finally:
            await server.stop(None)

    asyncio.run(run())
