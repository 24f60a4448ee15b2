"""What is logged where nobody listens, and what wakes somebody."""

import asyncio
import json
import logging
from typing import Any

import pytest
from deciding import FILE, TOKEN, VECTORS_FOLDER, WRONG, Agent, changed, run

from a2a_totp.scheme import PeerTokenAuth, TOTPServerAuthScheme, hash_token
from a2a_totp.scheme.events import compromise_suspected, emit
from a2a_totp.state.memory import MemoryState
from a2a_totp.text import printable, quoted_name

NAMES = json.loads((VECTORS_FOLDER.parent / "support" / "names.json").read_text(encoding="utf-8"))["cases"]
BAIT = [{"name": "bait", "id": "k1", "hash": hash_token("bait-token")}]


def warnings_in(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    """The lines of a kind."""
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith(word)]


def test_the_use_of_a_canary_is_an_error_once_a_minute_and_source(caplog: pytest.LogCaptureFixture) -> None:
    """The answer is that of an unknown token."""
    agent = Agent(changed(canaries=BAIT), looks=True, on_event=None)
    unknown = agent.ask([("authorization", "Bearer nobody"), ("x-totp", "000000")])
    assert agent.ask([("authorization", "Bearer bait-token"), ("x-totp", "000000")], "2001:db8::1") == unknown
    for _ in range(5):
        agent.reason("bait-token", "000000", "2001:db8::1")
    line = 'canary_used: the token of canary "bait" was sent from [2001:db8::1]: the place where it is planted was read'
    assert warnings_in(caplog, "canary_used") == [line]
    agent.at += 61
    agent.reason("bait-token", "000000", "2001:db8::1")
    assert warnings_in(caplog, "canary_used") == [line] * 2
    assert "bait-token" not in caplog.text


def test_an_outage_is_one_line_a_minute_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    """However many requests it refuses; and it quotes no error."""

    class Down(MemoryState):
        async def decide(self, attempt: Any) -> Any:
            raise ConnectionRefusedError(111, f"redis://user:password@host {attempt.code}")

    agent = Agent(state=Down(since=0), on_event=None)
    for _ in range(50):
        refusal = agent.ask([("authorization", f"Bearer {TOKEN}"), ("x-totp", "000000")])
    assert (refusal.status, refusal.reason, refusal.retry_after) == (503, "guard-failed", 5)  # type: ignore[union-attr]
    start = "guard-failed: the state cannot be asked, so requests are answered 503 (ECONNREFUSED): is it running"
    assert [line.startswith(start) for line in warnings_in(caplog, "guard-failed")] == [True]
    agent.at += 61
    agent.reason(TOKEN, "000000")
    assert warnings_in(caplog, "guard-failed")[1].endswith("(49 more since the last warning)")
    assert "password" not in caplog.text


def test_what_is_sent_stays_on_one_line_without_commands(caplog: pytest.LogCaptureFixture) -> None:
    """Sources are what a header says, and names what a delegate's token says."""
    caplog.set_level(logging.INFO)
    for source in ("a\n::error::b", "##[group]x", "\u202eevil", "x\x1b[31m", "##vso[task.complete]"):
        agent = Agent(on_event=None)
        agent.reason(TOKEN, agent.code(), source)
        agent.reason("nobody", "000000", source)
        listening = Agent()
        listening.reason("nobody", "000000", source)
        told = [record.getMessage() for record in caplog.records] + [listening.events[0]["source"]]
        for text in told:
            assert text == printable(text)
            assert not any(mark in text for mark in ("\n", "::", "##[", "##vso", "\x1b", "\u202e"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alice", "alice"),
        (" a\r\nb ", "a b"),
        ("::error::x", ": :error: :x"),
        ("[::1]:80", "[::1]:80"),
        ("[fe80::1]::x", "[fe80::1]: :x"),
        ("##[error]", "# #[error]"),
        ("a\u2028b\u200bc", "a b c"),
        ("\ud800", ""),
    ],
)
def test_text_is_made_printable_as_in_typescript(text: str, shown: str) -> None:
    """And twice changes nothing."""
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize("case", NAMES)
def test_a_name_is_quoted_as_in_typescript(case: dict[str, str]) -> None:
    """Escaped rather than replaced, so that two names never look the same."""
    assert quoted_name(case["name"]) == case["shown"]


def test_the_advice_about_a_guesser_quotes_the_name_once() -> None:
    """What is safe stays as it is when the event is made safe."""
    heard: list[dict[str, Any]] = []
    emit(heard.append, compromise_suspected('a"b\x1b', {}))
    assert heard[0]["advice"] == r'someone with a live token of "a\"b\u001b" is guessing codes: rotate it'
    assert heard[0]["peer"] == 'a"b'


def test_a_listener_may_fail_or_take_its_time() -> None:
    """Nobody waits for it, and its errors are its own."""
    heard: list[str] = []

    async def slow(event: dict[str, Any]) -> None:
        heard.append(event["type"])
        raise RuntimeError("too late")

    def broken(_: dict[str, Any]) -> None:
        raise RuntimeError("no")

    for listener in (slow, broken):
        agent = Agent(on_event=listener)
        assert agent.reason(TOKEN, agent.code()) == "accepted"
    run(_turn())
    assert heard == ["authenticated"]


async def _turn() -> None:
    await asyncio.sleep(0.01)


def test_without_a_listener_a_guesser_and_an_older_file_wake_somebody(
    caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """As before."""
    agent = Agent(looks=True, on_event=None)
    for code in WRONG[:5]:
        agent.reason(TOKEN, code, "192.0.2.1")
    assert warnings_in(caplog, "token_compromise") == [
        "token_compromise_suspected: peer=alice; run `a2a-totp rotate alice`"
    ]
    path = tmp_path / "server.json"
    path.write_text(json.dumps({**FILE, "serial": 9}))
    path.chmod(0o600)
    scheme = TOTPServerAuthScheme.from_file(path, delegate=PeerTokenAuth({"t": "alice"}))
    scheme._roster._look_every = 0  # type: ignore[attr-defined]
    path.write_text(json.dumps({**FILE, "serial": 8}))
    assert scheme.agent == "vectors"
    assert "is an older one (serial 8); what was revoked since is valid again" in caplog.text
    path.write_text("{")
    assert scheme.agent == "vectors"
    assert "server_file_refused: server file" in caplog.text
