"""What the scheme decides, as rosters and clocks change."""

import asyncio
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from deciding import AT, FILE, KEY, STEP, TOKEN, VECTORS_FOLDER, WRONG, Agent, alice, changed, reason_of, rotated, run

from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.scheme import AuthRequest, Caller, TOTPServerAuthScheme
from a2a_totp.seeds import seed_digest
from a2a_totp.server_file_text import ServerFileError
from a2a_totp.state.memory import MemoryState

DAVE = "a2at_vector-token-of-dave"
DAVES_KEY, DAVES_PROFILE = b"\x05" * 64, Profile("SHA512")


def test_a_clock_that_was_ahead_and_was_set_back_is_taken_for_wrong() -> None:
    """Under `once` all requests would else be answered 503 until the wrong time came."""
    agent = Agent(alice(replay="once"), state=MemoryState(since=AT + 1_000_000))

    def ask(at: float) -> str:
        agent.at = at
        return agent.reason(TOKEN, agent.code())

    reasons = [ask(AT + 1_000_000), ask(AT), ask(AT + 60), ask(AT + 60)]
    assert reasons == ["replay-unknown", "replay-unknown", "accepted", "code-replayed"]


def test_a_peer_that_is_taken_out_is_refused_at_once_and_what_was_used_stays_used() -> None:
    """The state outlives the roster."""
    agent = Agent()
    code = agent.code(key=DAVES_KEY, profile=DAVES_PROFILE)
    assert agent.reason(DAVE, code) == "accepted"
    agent.publish(alice())
    assert agent.reason(DAVE, code) == "token-refused"
    agent.publish(json.dumps(FILE))
    assert agent.reason(DAVE, code) == "code-replayed"


def test_a_new_token_restores_service_at_once_and_guesses_with_the_old_one_count_again_if_it_comes_back() -> None:
    """`rotate --token --now`, and its undoing."""
    agent = Agent(rotated("stolen"))
    assert {agent.reason("stolen", code) for code in WRONG[:5]} == {"code-wrong"}
    assert agent.reason("stolen", agent.code()) == "guesses-exhausted"
    agent.publish(rotated("fresh"))
    assert agent.reason("fresh", agent.code()) == "accepted"
    assert {agent.reason("fresh", code) for code in WRONG[5:10]} == {"code-wrong"}
    assert agent.reason("fresh", agent.code()) == "guesses-exhausted"
    agent.publish(rotated("fresh", "stolen"))
    assert agent.reason("stolen", agent.code()) == "guesses-exhausted"
    agent.publish(rotated("newer"))
    assert agent.reason("newer", agent.code()) == "accepted"


def test_a_token_that_moved_to_another_peer_is_dead_for_the_first_one() -> None:
    """Unless they share a seed: then they share its budget."""
    bob = {**FILE["peers"]["bob"], "replay": "reuse", "tokens": FILE["peers"]["alice"]["tokens"]}
    agent = Agent(rotated(TOKEN))
    assert {agent.reason(TOKEN, code) for code in WRONG[:5]} == {"code-wrong"}
    agent.publish(changed(peers={**json.loads(rotated("fresh"))["peers"], "bob": bob}))
    assert agent.reason("fresh", agent.code()) == "accepted"


def test_guesses_with_more_than_sixteen_tokens_count_whatever_becomes_of_these() -> None:
    """So many are told apart: a log of them is bounded."""
    agent = Agent()
    for number in range(18):
        agent.publish(rotated(f"token-{number}"))
        assert agent.reason(f"token-{number}", WRONG[number]) == "code-wrong"
    assert {agent.reason("token-17", code) for code in WRONG[18:21]} == {"code-wrong"}
    assert agent.reason("token-17", agent.code()) == "guesses-exhausted"
    agent.publish(rotated("fresh"))
    assert agent.reason("fresh", agent.code()) == "guesses-exhausted"


def test_guesses_with_dead_tokens_displace_none_that_count() -> None:
    """Each token has a log of its own."""
    profile = {**FILE["profile"], "window": 2}
    agent = Agent()

    def publish(*tokens: str) -> None:
        agent.publish(json.dumps({**json.loads(rotated(*tokens)), "profile": profile}))

    codes = iter(WRONG)
    publish("kept")
    assert agent.reason("kept", next(codes)) == "code-wrong"
    for number in range(15):
        publish("kept", f"dead-{number}")
        assert {agent.reason(f"dead-{number}", next(codes)) for _ in range(4)} == {"code-wrong"}
        assert agent.reason("kept", agent.code()) == "guesses-exhausted"
    publish("kept")
    assert agent.reason("kept", agent.code()) == "accepted"
    assert {agent.reason("kept", next(codes)) for _ in range(4)} == {"code-wrong"}
    assert agent.reason("kept", agent.code()) == "guesses-exhausted"


@pytest.mark.parametrize("why", ["taken back", "a day old"])
def test_a_token_whose_guesses_are_gone_leaves_its_place(why: str) -> None:
    """Its guesses are late codes, or older than the longest budget."""
    agent = Agent(rotated("fresh"), looks=True)
    for number in range(16):
        agent.publish(rotated(f"token-{number}"))
        sent = agent.code(-2 - number) if why == "taken back" else WRONG[number]
        assert agent.reason(f"token-{number}", sent) == "code-wrong"
    agent.at += 0 if why == "taken back" else 86_400
    agent.publish(rotated("stolen"))
    assert {agent.reason("stolen", code) for code in WRONG[:5]} == {"code-wrong"}
    assert agent.reason("stolen", WRONG[5]) == "guesses-exhausted"
    agent.publish(rotated("fresh"))
    assert agent.reason("fresh", agent.code()) == "accepted"


def test_what_is_accepted_under_reuse_is_spent_when_the_policy_becomes_once() -> None:
    """And nothing is refused before, nor after it is reuse again."""
    agent = Agent(alice(replay="reuse"))
    earlier, now, next_one = (agent.code(drift) for drift in (-1, 0, 1))
    assert {agent.reason(TOKEN, code) for code in (now, now, earlier)} == {"accepted"}
    agent.publish(alice(replay="once"))
    assert {agent.reason(TOKEN, code) for code in (now, earlier)} == {"code-replayed"}
    assert agent.reason(TOKEN, next_one) == "accepted"
    agent.publish(alice(replay="reuse"))
    assert {agent.reason(TOKEN, code) for code in (earlier, now, next_one)} == {"accepted"}
    agent.publish(alice(replay="once"))
    assert agent.reason(TOKEN, next_one) == "code-replayed"


def test_guesses_of_a_peer_that_shares_no_seed_count_for_it_alone_whatever_others_share() -> None:
    """A token that went to another peer is dead for the first one, unless the two share a budget."""
    peers, moved = FILE["peers"], FILE["peers"]["alice"]["tokens"]
    others = {"bob": {**peers["bob"], "replay": "reuse"}, "eve": {**peers["bob"], "replay": "reuse", "tokens": []}}
    agent = Agent(changed(peers={**others, "alice": peers["alice"]}))
    assert {agent.reason(TOKEN, code) for code in WRONG[:5]} == {"code-wrong"}
    fresh = json.loads(rotated("fresh"))["peers"]
    agent.publish(changed(peers={**others, **fresh, "eve": {**others["eve"], "tokens": moved}}))
    assert agent.reason("fresh", agent.code()) == "accepted"


@pytest.mark.parametrize("sent", [[], [("x-totp", "12345")], [("x-totp", "12345x")], [("x-totp", "000001")] * 2])
def test_without_a_well_formed_code_nothing_of_a_peer_is_computed(sent: list[tuple[str, str]]) -> None:
    """Else the time would tell whether the codes of its seed are known already."""
    agent = Agent()
    agent.ask([("authorization", f"Bearer {TOKEN}"), *sent])
    pages = agent.scheme._decider._tools.book._pages
    assert KEY not in [key for key, _ in pages]
    assert "digests" not in vars(agent.roster.peers["alice"])
    agent.reason(TOKEN, agent.code())
    assert KEY in [key for key, _ in pages]


def test_a_seed_is_known_by_the_same_digest_as_in_typescript() -> None:
    """HKDF-SHA256 of the key as HMAC uses it, by algorithm and period."""
    key = b"12345678901234567890"
    assert seed_digest(key, Profile()) == "oalPogCpjJSLVZ_MwIGndQ"
    assert seed_digest(key + b"\0\0", Profile(digits=8, window=2)) == "oalPogCpjJSLVZ_MwIGndQ"
    assert seed_digest(key, Profile(period=60)) != "oalPogCpjJSLVZ_MwIGndQ"
    for algorithm, block, new_hash in (("SHA1", 64, hashlib.sha1), ("SHA512", 128, hashlib.sha512)):
        profile, long = Profile(algorithm), b"\x07" * (block + 1)  # type: ignore[arg-type]
        assert seed_digest(long, profile) == seed_digest(new_hash(long).digest(), profile)
        assert seed_digest(long[:-1], profile) != seed_digest(new_hash(long[:-1]).digest(), profile)


def test_of_many_threads_with_one_code_under_once_one_passes() -> None:
    """One decision is one atomic step."""
    agent = Agent()
    for step in range(STEP - 1, STEP + 2):
        code = code_of_step(DAVES_KEY, DAVES_PROFILE, step)
        request = AuthRequest([("authorization", f"Bearer {DAVE}"), ("x-totp", code)])
        with ThreadPoolExecutor(64) as threads:
            asked = threads.map(lambda one: asyncio.run(agent.scheme.authenticate(one)), [request] * 64)
            outcomes = list(asked)
        assert [isinstance(outcome, Caller) for outcome in outcomes].count(True) == 1
        assert {reason_of(outcome) for outcome in outcomes} == {"accepted", "code-replayed"}


def test_strangers_take_no_more_memory_than_they_may() -> None:
    """Whatever they send and wherever from."""
    agent = Agent()

    async def ask() -> None:
        for source in range(11_000):
            fields = [("authorization", f"Bearer stranger-{source}"), ("x-totp", "000000")]
            await agent.scheme.authenticate(AuthRequest(fields, str(source)))

    run(ask())
    decider = agent.scheme._decider
    assert len(decider._gate._limit._sources) == 10_000
    assert not agent.state._guesses
    assert len(decider._decoy_state._guesses) == 1


def test_a_missing_file_is_an_error_at_the_start(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is a missing variable."""
    with pytest.raises(ServerFileError, match="no such file"):
        TOTPServerAuthScheme.from_file(tmp_path / "none")
    monkeypatch.delenv("A2A_TOTP_SERVER_FILE", raising=False)
    with pytest.raises(ServerFileError, match="A2A_TOTP_SERVER_FILE"):
        TOTPServerAuthScheme.from_file()
    (tmp_path / "server.json").write_text(json.dumps(FILE))
    monkeypatch.setenv("A2A_TOTP_SERVER_FILE", str(tmp_path / "server.json"))
    assert TOTPServerAuthScheme.from_file().agent == "vectors"


def test_events_and_logs_hold_no_token_and_no_code(caplog: pytest.LogCaptureFixture) -> None:
    """Accepted or refused."""
    for listener in ({}, {"on_event": None}):
        agent = Agent(looks=True, **listener)
        code = agent.code()
        assert agent.reason(TOKEN, code, "192.0.2.1") == "accepted"
        for wrong in WRONG[:6]:
            agent.reason(TOKEN, wrong, "192.0.2.1")
        told = json.dumps(agent.events) if agent.events else caplog.text
        assert told.count("token_compromise_suspected") == 1
        assert "alice" in told
        for secret in (TOKEN, code, *WRONG[:6]):
            assert secret not in told


def test_rfc_6238_appendix_b() -> None:
    """Eight digits, ASCII seeds of 20, 32 and 64 bytes."""
    totp = json.loads((VECTORS_FOLDER / "rfc.json").read_text(encoding="utf-8"))["totp"]
    for case in totp["cases"]:
        for algorithm, seed in totp["seedAscii"].items():
            profile = Profile(algorithm, digits=totp["digits"])
            assert code_of_step(seed.encode(), profile, case["unix"] // totp["period"]) == case[algorithm]
