"""What the server module does with a guess after its answer: codes of a clock that is wrong, and what is logged."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import uvicorn
from serving import bound_socket
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware

from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.codes import code_of_step
from a2a_totp.grpc.guard import totp_interceptor
from a2a_totp.profile import Profile
from a2a_totp.scheme.outcome import Refusal
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.contract import Attempt
from a2a_totp.state.late_codes import find_late_code
from a2a_totp.state.memory import MemoryState

VECTORS = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))
AT = 1_780_332_007.0
STEP = int(AT // 30)
ROSTER = parse_server_file(json.dumps(VECTORS["files"]["own"]))
TOKEN = ("authorization", "Bearer a2at_vector-token-of-alice")
WRONG = ["000001", "000002", "000003", "000004", "000005"]
"""Codes of no step near."""


def late(drift: int) -> tuple[str, str]:
    """Alice's code, so many time steps away."""
    return "x-totp", code_of_step(b"\x01" * 20, Profile(), STEP + drift)


def authenticator(**given: Any) -> TOTPServerAuthScheme:
    """One whose clock stands still."""
    return TOTPServerAuthScheme(lambda: ROSTER, now=lambda: AT, guard=MemoryState(since=0), **given)


def reason_of(outcome: object) -> str:
    """What the log says."""
    return outcome.reason if isinstance(outcome, Refusal) else "accepted"


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged: the first word of each line."""
    return [record.getMessage().split(":")[0] for record in caplog.records if record.name == "a2a_totp"]


def test_a_late_code_is_logged_with_its_drift_after_its_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """And without the code."""
    looks: list[Callable[[], None]] = []
    checker = authenticator(later=looks.append)
    assert reason_of(checker.authenticate([TOKEN, late(-4)], "192.0.2.1")) == "code-wrong"
    assert said(caplog) == ["refused"]
    looks.pop()()
    assert caplog.messages[1:] == [f"code_stale: peer=alice seed=a1 step={STEP - 4} drift=-4 source=192.0.2.1"]
    assert late(-4)[1] not in caplog.text


def test_no_code_is_computed_on_the_way_to_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 are after it, whatever is found."""
    computed: list[int] = []

    def counting(key: bytes, profile: Profile, step: int) -> str:
        computed.append(step)
        return code_of_step(key, profile, step)

    monkeypatch.setattr(a2a_totp_server, "code_of_step", counting)
    looks: list[Callable[[], None]] = []
    checker = authenticator(later=looks.append)
    checker.authenticate([TOKEN, late(0)])
    for fields in (late(-5), late(5), ("x-totp", WRONG[0])):
        computed.clear()
        checker.authenticate([TOKEN, fields])
        assert not computed
        looks.pop()()
        assert sorted(computed) == sorted({*range(STEP - 41, STEP + 42)} - {STEP - 1, STEP, STEP + 1})


def test_a_guess_is_looked_at_before_anybody_is_suspected(caplog: pytest.LogCaptureFixture) -> None:
    """It may be what exhausts a budget, and no guess."""
    checker = authenticator(later=lambda look: look())
    for code in WRONG[:4]:
        checker.authenticate([TOKEN, ("x-totp", code)])
    checker.authenticate([TOKEN, late(-4)])
    assert "token_compromise_suspected" not in said(caplog)
    assert reason_of(checker.authenticate([TOKEN, late(0)])) == "accepted"
    checker.authenticate([TOKEN, late(10)])
    assert said(caplog)[-3:] == ["refused", "code_stale", "token_compromise_suspected"]
    assert reason_of(checker.authenticate([TOKEN, late(0)])) == "guesses-exhausted"


def test_a_code_is_looked_at_once_in_its_step(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is sent."""
    checker = authenticator(later=lambda look: look())
    for _ in range(20):
        checker.authenticate([TOKEN, late(-4)])
    assert said(caplog).count("code_stale") == 1


@pytest.mark.parametrize("drift", [-4, -20, 4, 20])
def test_a_clock_that_is_wrong_for_hours_raises_no_alarm(drift: int, caplog: pytest.LogCaptureFixture) -> None:
    """It locks nobody out, and the peer is served once its clock is right."""
    clock = [AT]
    checker = TOTPServerAuthScheme(
        lambda: ROSTER, now=lambda: clock[0], guard=MemoryState(since=0), later=lambda look: look()
    )
    # More late codes than guesses are allowed in a day.
    for step in range(STEP, STEP + 240):
        clock[0] = step * 30 + 7
        fields = [TOKEN, ("x-totp", code_of_step(b"\x01" * 20, Profile(), step + drift))]
        assert reason_of(checker.authenticate(fields)) == "code-wrong"
    assert (
        reason_of(checker.authenticate([TOKEN, ("x-totp", code_of_step(b"\x01" * 20, Profile(), step))])) == "accepted"
    )
    assert said(caplog).count("code_stale") == 240
    assert "token_compromise_suspected" not in said(caplog)


def test_what_runs_after_an_answer_does_not_print_the_code() -> None:
    """asyncio prints callbacks that were slow, or failed."""
    attempt = Attempt(ROSTER.peers["alice"], "sha256:aa", "918273", None, AT)
    assert "918273" not in repr(attempt)
    assert "sha256" not in repr(attempt)


def test_without_an_event_loop_the_second_look_comes_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """In a thread, one for all."""
    heard = threading.Event()

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "code_stale" in record.getMessage():
                heard.set()

    handler = Hearing()
    logging.getLogger("a2a_totp").addHandler(handler)
    try:
        checker = authenticator()
        for drift in (-4, -5):
            heard.clear()
            checker.authenticate([TOKEN, late(drift)])
            assert heard.wait(10)
        assert [thread.name for thread in threading.enumerate()].count("a2a_totp") == 1
    finally:
        logging.getLogger("a2a_totp").removeHandler(handler)


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

        monkeypatch.setattr(a2a_totp_server, "find_late_code", looking)

    def came_after_the_answer(self) -> bool:
        """Called with the answer in hand."""
        self.answered.set()
        return self.over.wait(10) and self.was_answered


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The origin where uvicorn serves an app."""
    listener, origin = bound_socket()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield origin
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
