"""Signed requests: what each policy makes of them, and what is remembered."""

import asyncio
import json
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from signed_requests import (
    AT,
    BODY,
    FILE,
    HEAD,
    Fields,
    ProofAgent,
    forged,
    plain,
    proof_of,
    server_file,
    signed,
    without,
)

from a2a_totp.proof import RequestHead
from a2a_totp.scheme import AuthRequest, Caller, TOTPServerAuthScheme
from a2a_totp.server_file_text import ServerFileError, parse_server_file
from a2a_totp.state.memory import MemoryState

PROOF = ("Content-Digest", "Signature-Input", "Signature")
REQUESTS: dict[str, Callable[[], Fields]] = {
    "plain": plain,
    "signed": signed,
    "stripped": lambda: without(signed(), *PROOF),
    "half": lambda: without(signed(), "Signature"),
    "forged": lambda: forged(signed()),
    "stale": lambda: [*plain(), *proof_of(HEAD, plain(), BODY, AT - 61)],
    "uncovered": lambda: [*signed(), ("A2A-Version", "1.0")],
    "other path": lambda: signed(head=RequestHead("POST", "/a2a?x=/")),
    "other body": lambda: signed(content=b"other"),
    "wrong code": lambda: signed(**{"X-TOTP": "000000"}),
    "wrong code, forged": lambda: forged(signed(**{"X-TOTP": "000000"})),
    "wrong code, plain": lambda: plain(**{"X-TOTP": "000000"}),
}
UNLIKE = {"plain": "code", "stripped": "code", "wrong code, plain": "code-wrong"}
ACCEPT = {
    **UNLIKE,
    **{"signed": "signed", "half": "proof-malformed", "forged": "proof-mac", "stale": "proof-stale"},
    **{"uncovered": "proof-uncovered", "other path": "proof-mac", "other body": "proof-digest"},
    **{"wrong code": "code-wrong", "wrong code, forged": "proof-mac"},
}
VERDICTS = {
    "accept": ACCEPT,
    "require": {**ACCEPT, **dict.fromkeys(UNLIKE, "proof-missing")},
    "off": {name: "code-wrong" if name.startswith("wrong") else "code" for name in REQUESTS},
}
VERDICTS["observe"] = VERDICTS["off"]


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("policy", VERDICTS)
def test_what_a_policy_makes_of_a_request(policy: str, name: str) -> None:
    """And every request with a proof that counts is refused the second time."""
    agent = ProofAgent(server_file(policy))
    fields = REQUESTS[name]()
    assert agent.ask(fields) == VERDICTS[policy][name]
    if agent.ask(fields) == "signed":
        raise AssertionError("a signed request was let in twice")


def test_proofs_never_become_guesses() -> None:
    """Neither invalid ones nor wrong codes beside valid ones; and a valid one passes an exhausted budget."""
    agent = ProofAgent()
    for number in range(200):
        agent.ask(forged(signed(**{"X-TOTP": f"{number:06}"})))
        agent.ask(signed(**{"X-TOTP": f"{number:06}"}))
    assert agent.ask(plain()) == "code"
    tries = [agent.ask(plain(**{"X-TOTP": f"{number:06}"})) for number in range(50)]
    assert tries[-1] == "guesses-exhausted"
    assert agent.ask(signed()) == "signed"
    assert agent.ask(forged(signed())) == "proof-mac"
    assert agent.ask(plain()) == "guesses-exhausted"


def test_any_number_of_signed_requests_share_a_step_and_raise_the_mark() -> None:
    """Also where the step was used; plain requests of it are replays then."""
    agent = ProofAgent()
    assert [agent.ask(signed()) for _ in range(20)] == ["signed"] * 20
    assert agent.ask(plain()) == "code-replayed"
    agent.at += 30
    assert agent.ask(plain(AT + 30)) == "code"
    assert [agent.ask(signed(AT + 30)) for _ in range(3)] == ["signed"] * 3
    # The code of the step before this one: the mark does not fall.
    assert agent.ask(signed()) == "signed"
    assert agent.ask(plain(AT + 30)) == "code-replayed"


def test_a_refusal_of_a_spent_nonce_gives_no_time_to_come_back() -> None:
    """A new time step does not make it good."""
    agent, fields = ProofAgent(), signed()
    assert agent.ask(fields) == "signed"
    refusal = agent.refusal(fields)
    assert (refusal.status, refusal.reason, refusal.retry_after) == (401, "proof-replayed", None)


def test_64_equal_requests_at_once_let_one_in() -> None:
    """In one loop, which asks the state about all of them before it answers any."""

    async def ask_all() -> list[str]:
        agent, fields = ProofAgent(), signed()
        outcomes = await asyncio.gather(*(agent.decide(agent.request(fields)) for _ in range(64)))
        return [outcome.proof if isinstance(outcome, Caller) else outcome.reason for outcome in outcomes]

    assert sorted(asyncio.run(ask_all())) == ["proof-replayed"] * 63 + ["signed"]


def test_a_proof_from_before_the_memory_begins_is_unknown() -> None:
    """One of the very second in which it begins is known."""
    agent = ProofAgent(since=AT + 3.5)
    agent.at = AT + 3.6
    assert agent.ask(signed(AT + 2)) == "replay-unknown"
    refusal = agent.refusal(signed(AT + 1))
    assert (refusal.status, refusal.retry_after, refusal.challenges) == (503, 1, ())
    assert agent.ask(signed(AT + 3)) == "signed"


def test_a_nonce_is_forgotten_by_both_clocks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was forgotten under a clock that is set back is unknown, not new."""
    uptime = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: uptime[0])
    agent, old = ProofAgent(most_nonces=1), signed()
    assert agent.ask(old) == "signed"
    refusal = agent.refusal(signed())
    assert (refusal.status, refusal.reason) == (503, "nonces-full")
    assert refusal.retry_after and 60 < refusal.retry_after <= 91
    assert agent.ask(old) == "proof-replayed"
    agent.at += 200
    assert agent.ask(signed(agent.at)) == "nonces-full"
    uptime[0] += 200
    assert agent.ask(signed(agent.at)) == "signed"
    agent.at = AT
    assert agent.ask(old) == "replay-unknown"


def test_the_bound_on_all_nonces_holds_for_all_seeds() -> None:
    """And none is evicted."""
    agent = ProofAgent(most_nonces_in_all=3)
    asked = [signed() for _ in range(5)]
    assert [agent.ask(one) for one in asked] == ["signed"] * 3 + ["nonces-full"] * 2
    assert [agent.ask(one) for one in asked[:3]] == ["proof-replayed"] * 3
    for bounds in ({"most_nonces": 0}, {"most_nonces_in_all": -1}):
        with pytest.raises(ValueError, match="most_nonces"):
            MemoryState(0, **bounds)


def test_the_challenge_asks_for_a_proof_where_the_agent_requires_one() -> None:
    """Whoever asks, and whatever the peer's own policy is."""
    refusal = ProofAgent({**server_file("accept"), "signed": "require"}).refusal([])
    assert refusal.headers == [
        ("www-authenticate", 'Bearer realm="a2a"'),
        ("www-authenticate", 'TOTP realm="a2a", header="X-TOTP", proof="required"'),
        (
            "accept-signature",
            'a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "x-totp");created;expires;'
            'tag="a2a-totp/proof/v1"',
        ),
    ]
    assert ProofAgent({**server_file("require"), "signed": "accept"}).refusal([]).accept_signature is None


def test_an_unknown_token_is_refused_as_one_whatever_its_proof() -> None:
    """It takes a decoy's key."""
    named = plain(Authorization="Bearer a2at_nobody")
    fields = [*named, *proof_of(HEAD, named, BODY)]
    odd = [*without(fields, "X-TOTP"), ("X-TOTP", "é")]
    for one in (fields, forged(fields), without(fields, "Signature"), odd):
        assert ProofAgent(server_file("require")).ask(one) == "token-refused"


def test_another_agents_proof_has_another_key() -> None:
    """Even with the same seed."""
    assert ProofAgent().ask([*plain(), *proof_of(HEAD, plain(), BODY, agent="else")]) == "proof-key"


def test_without_a_view_of_the_request_a_signed_one_is_refused() -> None:
    """Where proofs matter; it is never let in unlooked at."""
    assert ProofAgent().ask(signed(), content=None) == "guard-failed"
    assert ProofAgent().ask(signed(), content=None, head=None) == "guard-failed"
    assert ProofAgent(server_file("require")).ask(plain(), head=None) == "proof-missing"
    assert ProofAgent(server_file("observe")).ask(signed(), content=None, head=None) == "code"
    assert ProofAgent().ask(plain(), head=None) == "code"
    get = RequestHead("GET", "/x")
    assert ProofAgent().ask(signed(head=get, content=b""), None, get) == "signed"


def test_the_log_says_what_a_proof_was_worth(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing that is in it. Under `off` it says nothing."""
    caplog.set_level(logging.INFO)
    asked = [("observe", signed()), ("observe", forged(signed())), ("observe", signed(content=b"other"))]
    asked += [("observe", plain()), ("require", plain()), ("off", signed())]
    told, lines = [], []
    for policy, fields in asked:
        agent = ProofAgent(server_file(policy))
        agent.ask(fields)
        mark = f"source={agent.source}"
        lines += [record.getMessage() for record in caplog.records if mark in record.getMessage()]
        told += [line.partition(mark)[2].strip() for line in lines[len(told) :]]
    assert told == [
        "proof=valid",
        "proof=invalid proof_reason=proof-mac",
        "proof=valid",
        "proof=invalid proof_reason=proof-digest",
        "proof=absent",
        "proof=absent count=1",
        "",
    ]
    assert lines[3].startswith("proof_observed: peer=alice")
    assert FILE["agent"] not in "".join(lines)


LONG: dict[str, Fields] = {
    "nothing else": proof_of(HEAD, plain(), BODY, life=100),
    "an uncovered field": [*proof_of(HEAD, plain(), BODY, life=100), ("A2A-Version", "1.0")],
    "an encoded content": [*proof_of(HEAD, plain(), BODY, life=100), ("Content-Encoding", "gzip")],
    "the key of another agent": proof_of(HEAD, plain(), BODY, agent="other", life=100),
    "another target": proof_of(RequestHead("POST", "/other"), plain(), BODY, life=100),
    "a clock far behind": proof_of(HEAD, plain(), BODY, AT - 1000, life=100),
    "a clock far ahead": proof_of(HEAD, plain(), BODY, AT + 1000, life=100),
}


@pytest.mark.parametrize("period", [30, 60])
@pytest.mark.parametrize("name", LONG)
def test_a_life_beyond_that_of_the_peer_is_found_first(name: str, period: int) -> None:
    """Whatever the period of others, up to which all proofs are read."""
    bob = {**FILE["peers"]["bob"], "signed": "accept", "period": period}
    agent = ProofAgent({**server_file(), "peers": {**server_file()["peers"], "bob": bob}})
    assert agent.ask([*plain(), *LONG[name]]) == "proof-malformed"


def observed(request: AuthRequest) -> list[dict[str, Any]]:
    """The events of a request that is let in under `observe`."""
    events: list[dict[str, Any]] = []
    roster = parse_server_file(json.dumps(server_file("observe")))
    scheme = TOTPServerAuthScheme._of_roster(
        lambda: roster, now=lambda: AT, state=MemoryState(since=0), on_event=events.append
    )
    assert isinstance(asyncio.run(scheme.authenticate(request)), Caller)
    return events


@pytest.mark.parametrize(
    ("method", "target", "content", "expected"),
    [
        ("POST", "/x", b"signed", ["valid"]),
        ("POST", "/x", b"other", ["valid", "proof-digest"]),
        ("POST", "/x", None, ["valid", "content-unseen"]),
        ("POST", None, None, ["content-unseen", "content-unseen"]),
        ("POST", None, b"signed", ["content-unseen", "content-unseen"]),
        ("GET", "/x", None, ["valid", "proof-digest"]),
        ("GET", None, None, ["content-unseen", "content-unseen"]),
    ],
)
def test_observe_reports_what_accept_would_refuse(
    method: str, target: str | None, content: bytes | None, expected: list[str]
) -> None:
    """Also where nobody passes the content on, or the head: then its advice says what to do."""
    fields = signed(head=RequestHead(method, "/x"), content=b"signed")
    events = observed(AuthRequest(fields, "", method, target, content=content))
    assert [event["type"] for event in events] == ["authenticated", "proof_observed"][: len(expected)]
    assert [event.get("proofReason", event["proof"]) for event in events] == expected
    assert ["advice" in event for event in events[1:]] == [reason == "content-unseen" for reason in expected[1:]]


def test_a_request_without_a_proof_is_no_unseen_one() -> None:
    """Whatever the server sees of it."""
    events = observed(AuthRequest(plain()))
    assert [(event["type"], event["proof"]) for event in events] == [("authenticated", "absent")]


def test_refused_proofs_are_logged_once_a_second_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    """A thief of the token can send any number."""
    agent, begun = ProofAgent(), time.monotonic()

    def counts() -> list[int]:
        lines = [record.getMessage() for record in caplog.records if f"source={agent.source}" in record.getMessage()]
        return [int(line.rpartition("count=")[2]) for line in lines]

    for _ in range(50):
        agent.ask(forged(signed()))
    while sum(counts()) < 50 and time.monotonic() - begun < 60:
        time.sleep(0.02)
    assert sum(counts()) == 50
    assert counts()[0] == 1
    assert len(counts()) <= 2 + time.monotonic() - begun


def test_no_thread_is_started_before_the_answer_to_a_refused_proof() -> None:
    """It takes a tenth of a millisecond, and only for live tokens: it would tell which ones are."""
    agent, roster = ProofAgent(), parse_server_file(json.dumps(server_file("require")))
    scheme = TOTPServerAuthScheme._of_roster(lambda: roster, now=lambda: AT, state=MemoryState(since=0))

    async def threads() -> tuple[set[int], set[int], set[int]]:
        await scheme.authenticate(agent.request(forged(signed())))
        before = {thread.ident or 0 for thread in threading.enumerate()}
        await scheme.authenticate(agent.request(forged(signed())))
        answered = {thread.ident or 0 for thread in threading.enumerate()}
        later, begun = answered, time.monotonic()
        while later == answered and time.monotonic() - begun < 20:
            await asyncio.sleep(0.01)
            later = {thread.ident or 0 for thread in threading.enumerate()}
        return before, answered, later

    before, answered, later = asyncio.run(threads())
    assert answered <= before
    assert len(later - answered) == 1


@pytest.mark.parametrize("policy", ["Accept", "", None, 1, ["accept"]])
def test_a_policy_that_is_none_refuses_the_file(policy: Any) -> None:
    """By the name of its field."""
    with pytest.raises(ServerFileError, match=r"peers\.alice\.signed must be one of off, observe, accept, require"):
        parse_server_file(json.dumps({**server_file(policy), "signed": "off"}))
    with pytest.raises(ServerFileError, match=r"^signed must be one of"):
        parse_server_file(json.dumps({**FILE, "signed": policy}))


def test_a_shared_seed_goes_with_once_where_each_request_is_signed() -> None:
    """Since any number of them may share a code."""
    alice = FILE["peers"]["alice"]
    peer = {"replay": "once", "tokens": alice["tokens"]}
    shared = {**FILE, "requires": ["once", "signed", "shared-seed"], "sharedSeeds": alice["seeds"]}
    parse_server_file(json.dumps({**shared, "peers": {"alice": {**peer, "signed": "require"}}}))
    with pytest.raises(ServerFileError, match=r"must not be once: .*, or require proofs"):
        parse_server_file(json.dumps({**shared, "peers": {"alice": {**peer, "signed": "accept"}}}))


def test_nothing_that_is_sent_raises() -> None:
    """10,000 times, of all fields that a proof consists of."""
    numbers = random.Random(7)  # noqa: S311
    agent = ProofAgent()
    pieces = ['a2a-totp=("@method" ', ");created=1", ';tag="a2a-totp/proof/v1"', "sha-256=:", ":", "=", ",", '"', "\\"]
    pieces += ["(", ")", ";", "?1", "-1.5", "\xff", "\0", " ", "\t", "9" * 20, "*", "a=1", ';nonce="', "A" * 22]

    async def ask_all() -> set[str]:
        reasons = set()
        for number in range(10_000):
            fields = signed() if number % 3 else plain()
            for name in numbers.sample(("Signature-Input", "Signature", "Content-Digest", "Content-Type"), 2):
                fields = [*without(fields, name), (name, "".join(numbers.choices(pieces, k=numbers.randrange(12))))]
            outcome = await agent.decide(agent.request(fields))
            reasons.add(outcome.proof if isinstance(outcome, Caller) else outcome.reason)
        return reasons

    found = asyncio.run(ask_all())
    assert found - {"code", "code-replayed"} == {reason for reason in found if reason.startswith("proof-")}
    assert {"code", "proof-malformed"} <= found


def test_a_caller_says_how_it_came_in() -> None:
    """And at which agent."""
    agent = ProofAgent()
    caller = agent.decided(agent.request(signed()))
    assert isinstance(caller, Caller)
    assert (caller.peer, caller.proof, caller.agent) == ("alice", "signed", FILE["agent"])
