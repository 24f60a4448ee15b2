"""What the server module does besides giving verdicts: the file, the middleware, the interceptor, the context."""

import ast
import asyncio
import errno
import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from a2a_totp.a2a.context_builder import PeerUser, TOTPCallContextBuilder, caller_of
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.scheme.key import CALLER_KEY, GuardMissingError
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.seeds import seed_digest
from a2a_totp.server_file import ServerFile
from a2a_totp.server_file_text import ServerFileError, parse_server_file
from a2a_totp.state.contract import limits_for
from a2a_totp.state.memory import MemoryState

VECTORS = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))
RFC = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "rfc.json").read_text(encoding="utf-8"))
FILE = VECTORS["files"]["own"]
AT = 1_780_332_007.0
TOKEN = "a2at_vector-token-of-alice"  # noqa: S105
KEY = b"\x01" * 20


def changed(**changes: Any) -> str:
    """The server file with other top-level fields."""
    return json.dumps({**FILE, **changes})


def alice(**changes: Any) -> str:
    """The server file with alice alone, and other fields of hers."""
    return changed(peers={"alice": {**FILE["peers"]["alice"], **changes}})


def profiled(**changes: Any) -> str:
    """The server file with another profile."""
    return changed(profile={**FILE["profile"], **changes})


def authenticator() -> TOTPServerAuthScheme:
    """One whose clock stands still."""
    roster = parse_server_file(json.dumps(FILE))
    return TOTPServerAuthScheme(lambda: roster, now=lambda: AT, guard=MemoryState(since=0))


def reason_of(outcome: Caller | Refusal) -> str:
    """What the log says."""
    return outcome.reason if isinstance(outcome, Refusal) else "accepted"


def good_code() -> str:
    """Alice's code."""
    return code_of_step(KEY, Profile(), int(AT // 30))


def test_a_clock_that_was_ahead_and_was_set_back_is_taken_for_wrong() -> None:
    """Under `once` all requests would else be answered 503 until the wrong time came."""
    roster = parse_server_file(alice(replay="once"))
    clock = [AT + 1_000_000]
    checker = TOTPServerAuthScheme(lambda: roster, now=lambda: clock[0], guard=MemoryState(since=clock[0]))

    def ask(at: float) -> str:
        clock[0] = at
        code = code_of_step(KEY, Profile(), int(at // 30))
        return reason_of(checker.authenticate([("authorization", f"Bearer {TOKEN}"), ("x-totp", code)]))

    reasons = [ask(AT + 1_000_000), ask(AT), ask(AT + 60), ask(AT + 60)]
    assert reasons == ["replay-unknown", "replay-unknown", "accepted", "code-replayed"]


SHORT_SEED = [{"id": "a", "seed": "JBSWY3DPEHPK3PXP"}]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the file"),
        (changed(version=2), "version"),
        (changed(version=True), "version"),
        (changed(requires=["proofs"]), "requires"),
        (profiled(period=5), "profile.period"),
        (profiled(window=True), "profile.window"),
        (profiled(algorithm=["SHA1"]), "profile.algorithm"),
        (profiled(header="Authorization"), "profile.header"),
        (changed(peers={"a2at_pasted-in-the-wrong-place": {}}), r"peers.\(not shown\).replay"),
        (changed(sharedSeeds=FILE["peers"]["alice"]["seeds"]), "exclude"),
        (changed(peers={"a b": {}}), "name"),
        (alice(replay="never"), "peers.alice.replay"),
        (alice(seeds=[]), "peers.alice.seeds"),
        (alice(seeds=SHORT_SEED), r"seeds\[0\].seed has less than 128 bits"),
        (alice(seeds=[{"id": "a", "seed": "not base32!"}]), r"seeds\[0\].seed"),
        (alice(tokens=[{"id": "t", "hash": "md5:00"}]), r"tokens\[0\].hash"),
        (alice(tokens=FILE["peers"]["alice"]["tokens"] * 2), "listed twice"),
        (alice(tokens=[{**FILE["peers"]["alice"]["tokens"][0], "expiresAt": "tomorrow"}]), "expiresAt"),
        (alice(tokens=[{**FILE["peers"]["alice"]["tokens"][0], "expiresAt": "2030-01-01T00:00:00"}]), "zone"),
    ],
)
def test_a_bad_file_is_refused_by_the_name_of_its_field(text: str, field: str) -> None:
    """And never quotes a seed."""
    with pytest.raises(ServerFileError, match=field) as caught:
        parse_server_file(text)
    assert "JBSWY3DP" not in str(caught.value)


def test_a_weak_seed_passes_where_that_is_asked_for() -> None:
    """RFC 4226 R6, and the way round it."""
    roster = parse_server_file(alice(seeds=SHORT_SEED), allow_weak_seeds=True)
    assert len(roster.peers["alice"].seeds) == 1


def test_secrets_do_not_print() -> None:
    """Neither seeds nor token hashes."""
    printed = repr(parse_server_file(json.dumps(FILE)))
    assert repr(KEY) not in printed
    assert "sha256:" not in printed


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "server.json"
    path.write_text(json.dumps(FILE))
    path.chmod(0o600)
    yield path


def test_a_swapped_file_is_followed_and_a_broken_one_is_not(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the path, as Kubernetes swaps a link."""
    monkeypatch.setattr(ServerFile, "_look_every", 0)
    link = path.with_name("mounted")
    link.symlink_to(path)
    follow = ServerFile(link)
    assert set(follow().peers) == {"alice", "bob", "carol", "dave"}

    other = path.with_name("other.json")
    other.write_text(alice())
    other.chmod(0o600)
    swapped = path.with_name("swapped")
    swapped.symlink_to(other)
    os.replace(swapped, link)  # noqa: PTH105
    assert set(follow().peers) == {"alice"}

    other.write_text("broken")
    assert set(follow().peers) == {"alice"}
    other.unlink()
    assert set(follow().peers) == {"alice"}
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 2


def test_an_older_file_is_loaded_and_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ServerFile, "_look_every", 0)
    path.write_text(json.dumps({**FILE, "serial": 7}))
    follow = ServerFile(path)
    for serial, warnings in ((9, 0), (8, 1), (8, 1), (10, 1), (None, 1), (1, 1)):
        content = FILE if serial is None else {**FILE, "serial": serial}
        path.write_text(json.dumps(content) + " " * (serial or 0))
        assert follow().serial == serial
        assert [record.levelno for record in caplog.records].count(logging.WARNING) == warnings
    assert "serial 8, was 9" in caplog.text


def test_a_new_file_is_read_once_it_can_be(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process out of descriptors, say: the file does not change again, and must not be missed."""
    monkeypatch.setattr(ServerFile, "_look_every", 0)
    follow = ServerFile(path)
    path.write_text(alice())
    with monkeypatch.context() as patched:

        def exhausted(_: ServerFile) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        patched.setattr(ServerFile, "_read", exhausted)
        for _ in range(3):
            assert len(follow().peers) == 4
    assert set(follow().peers) == {"alice"}
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1


def test_a_mounted_secret_that_is_swapped_is_in_force_within_a_second(tmp_path: Path) -> None:
    """As the kubelet does it: a new folder, and one rename of `..data`."""

    def publish(version: str, text: str) -> None:
        folder = tmp_path / version
        folder.mkdir()
        (folder / "server.json").write_text(text)
        (folder / "server.json").chmod(0o640)
        (tmp_path / "..data_tmp").symlink_to(version)
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")  # noqa: PTH105

    publish("..v1", json.dumps(FILE))
    (tmp_path / "server.json").symlink_to("..data/server.json")
    follow = ServerFile(tmp_path / "server.json")
    for version, text, peers in (("..v2", alice(), 1), ("..v3", json.dumps(FILE), 4)):
        publish(version, text)
        until = time.monotonic() + 1
        while len(follow().peers) != peers:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_peer_that_is_taken_out_is_refused_at_once_and_what_was_used_stays_used() -> None:
    """The guard outlives the roster."""
    rosters = [parse_server_file(json.dumps(FILE))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0))
    dave = [
        ("authorization", "Bearer a2at_vector-token-of-dave"),
        ("x-totp", code_of_step(b"\x05" * 64, Profile("SHA512"), int(AT // 30))),
    ]
    assert isinstance(checker.authenticate(dave), Caller)
    rosters.append(parse_server_file(alice()))
    assert reason_of(checker.authenticate(dave)) == "token-refused"
    rosters.append(parse_server_file(json.dumps(FILE)))
    assert reason_of(checker.authenticate(dave)) == "code-replayed"


def rotated(*tokens: str) -> str:
    """The server file with alice alone, and these tokens of hers."""
    hashes = ["sha256:" + hashlib.sha256(token.encode()).hexdigest() for token in tokens]
    return alice(tokens=[{"id": f"t{place}", "hash": token_hash} for place, token_hash in enumerate(hashes)])


def guess(checker: TOTPServerAuthScheme, token: str, code: str) -> str:
    """What the log says of a wrong code."""
    return reason_of(checker.authenticate([("authorization", f"Bearer {token}"), ("x-totp", code)]))


WRONG = [f"0000{number:02}" for number in range(1, 90)]
"""None is a code of a step near."""


def unlooked(_: object) -> None:
    """No second look at any guess."""


def test_a_new_token_restores_service_at_once_and_guesses_with_the_old_one_count_again_if_it_comes_back() -> None:
    """`rotate --token --now`, and its undoing."""
    rosters = [parse_server_file(rotated("stolen"))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0), later=unlooked)
    assert {guess(checker, "stolen", code) for code in WRONG[:5]} == {"code-wrong"}
    assert guess(checker, "stolen", good_code()) == "guesses-exhausted"
    rosters.append(parse_server_file(rotated("fresh")))
    assert guess(checker, "fresh", good_code()) == "accepted"
    assert {guess(checker, "fresh", code) for code in WRONG[5:10]} == {"code-wrong"}
    assert guess(checker, "fresh", good_code()) == "guesses-exhausted"
    rosters.append(parse_server_file(rotated("fresh", "stolen")))
    assert guess(checker, "stolen", good_code()) == "guesses-exhausted"
    rosters.append(parse_server_file(rotated("newer")))
    assert guess(checker, "newer", good_code()) == "accepted"


def test_a_token_that_moved_to_another_peer_is_dead_for_the_first_one() -> None:
    """Unless they share a seed: then they share its budget."""
    bob = {**FILE["peers"]["bob"], "replay": "reuse", "tokens": FILE["peers"]["alice"]["tokens"]}
    rosters = [parse_server_file(rotated(TOKEN))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0), later=unlooked)
    assert {guess(checker, TOKEN, code) for code in WRONG[:5]} == {"code-wrong"}
    peers = json.loads(rotated("fresh"))["peers"]
    rosters.append(parse_server_file(changed(peers={**peers, "bob": bob})))
    assert guess(checker, "fresh", good_code()) == "accepted"


def test_guesses_with_more_than_sixteen_tokens_count_whatever_becomes_of_these() -> None:
    """So many are told apart: a log of them is bounded."""
    rosters = [parse_server_file(json.dumps(FILE))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0), later=unlooked)
    for number in range(18):
        rosters.append(parse_server_file(rotated(f"token-{number}")))
        assert guess(checker, f"token-{number}", WRONG[number]) == "code-wrong"
    assert {guess(checker, "token-17", code) for code in WRONG[18:21]} == {"code-wrong"}
    assert guess(checker, "token-17", good_code()) == "guesses-exhausted"
    rosters.append(parse_server_file(rotated("fresh")))
    assert guess(checker, "fresh", good_code()) == "guesses-exhausted"


def test_guesses_with_dead_tokens_displace_none_that_count() -> None:
    """Each token has a log of its own."""
    profile = {**FILE["profile"], "window": 2}
    rosters = [parse_server_file(json.dumps(FILE))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0), later=unlooked)

    def publish(*tokens: str) -> None:
        rosters.append(parse_server_file(json.dumps({**json.loads(rotated(*tokens)), "profile": profile})))

    codes = iter(WRONG)
    publish("kept")
    assert guess(checker, "kept", next(codes)) == "code-wrong"
    for number in range(15):
        publish("kept", f"dead-{number}")
        assert {guess(checker, f"dead-{number}", next(codes)) for _ in range(4)} == {"code-wrong"}
        assert guess(checker, "kept", good_code()) == "guesses-exhausted"
    publish("kept")
    assert guess(checker, "kept", good_code()) == "accepted"
    assert {guess(checker, "kept", next(codes)) for _ in range(4)} == {"code-wrong"}
    assert guess(checker, "kept", good_code()) == "guesses-exhausted"


@pytest.mark.parametrize("why", ["taken back", "a day old"])
def test_a_token_whose_guesses_are_gone_leaves_its_place(why: str) -> None:
    """Its guesses are late codes, or older than the longest budget."""
    rosters = [parse_server_file(rotated("fresh"))]
    clock = [AT]
    checker = TOTPServerAuthScheme(
        lambda: rosters[-1], now=lambda: clock[0], guard=MemoryState(since=0), later=lambda look: look()
    )
    for number in range(16):
        rosters.append(parse_server_file(rotated(f"token-{number}")))
        sent = code_of_step(KEY, Profile(), int(AT // 30) - 2 - number) if why == "taken back" else WRONG[number]
        assert guess(checker, f"token-{number}", sent) == "code-wrong"
    clock[0] += 0 if why == "taken back" else 86_400
    rosters.append(parse_server_file(rotated("stolen")))
    assert {guess(checker, "stolen", code) for code in WRONG[:5]} == {"code-wrong"}
    assert guess(checker, "stolen", WRONG[5]) == "guesses-exhausted"
    rosters.append(parse_server_file(rotated("fresh")))
    right = code_of_step(KEY, Profile(), int(clock[0] // 30))
    assert guess(checker, "fresh", right) == "accepted"


def test_what_is_accepted_under_reuse_is_spent_when_the_policy_becomes_once() -> None:
    """And nothing is refused before, nor after it is reuse again."""
    rosters = [parse_server_file(alice(replay="reuse"))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0), later=unlooked)
    earlier, now, next_one = (code_of_step(KEY, Profile(), int(AT // 30) + drift) for drift in (-1, 0, 1))
    assert {guess(checker, TOKEN, code) for code in (now, now, earlier)} == {"accepted"}
    rosters.append(parse_server_file(alice(replay="once")))
    assert {guess(checker, TOKEN, code) for code in (now, earlier)} == {"code-replayed"}
    assert guess(checker, TOKEN, next_one) == "accepted"
    rosters.append(parse_server_file(alice(replay="reuse")))
    assert {guess(checker, TOKEN, code) for code in (earlier, now, next_one)} == {"accepted"}
    rosters.append(parse_server_file(alice(replay="once")))
    assert guess(checker, TOKEN, next_one) == "code-replayed"


def test_guesses_of_a_peer_that_shares_no_seed_count_for_it_alone_whatever_others_share() -> None:
    """A token that went to another peer is dead for the first one, unless the two share a budget."""
    peers, moved = FILE["peers"], FILE["peers"]["alice"]["tokens"]
    others = {"bob": {**peers["bob"], "replay": "reuse"}, "eve": {**peers["bob"], "replay": "reuse", "tokens": []}}
    rosters = [parse_server_file(changed(peers={**others, "alice": peers["alice"]}))]
    checker = TOTPServerAuthScheme(lambda: rosters[-1], now=lambda: AT, guard=MemoryState(since=0), later=unlooked)
    assert {guess(checker, TOKEN, code) for code in WRONG[:5]} == {"code-wrong"}
    fresh = json.loads(rotated("fresh"))["peers"]
    rosters.append(parse_server_file(changed(peers={**others, **fresh, "eve": {**others["eve"], "tokens": moved}})))
    assert guess(checker, "fresh", good_code()) == "accepted"


def test_what_is_remembered_is_bounded_and_the_guesses_of_one_peer_displace_none_of_another() -> None:
    """However many distinct codes a day."""
    roster = parse_server_file(json.dumps(FILE))
    clock = [AT]
    guard = MemoryState(since=0)
    checker = TOTPServerAuthScheme(lambda: roster, now=lambda: clock[0], guard=guard, later=unlooked)
    assert {guess(checker, TOKEN, code) for code in WRONG[:5]} == {"code-wrong"}
    for number in range(20_000):
        clock[0] = AT + number / 1000
        guess(checker, "a2at_vector-token-of-carol", f"{number:06}")
    assert guess(checker, TOKEN, good_code()) == "guesses-exhausted"
    assert len(guard._guesses) == 2 + 1  # alice's seed, and both of carol's: her old one was live at first
    for number in range(10_000):
        clock[0] = AT + number * 40
        guess(checker, TOKEN, f"{number:06}")
    assert max(len(log.guesses) for seed in guard._guesses.values() for log in seed.tokens.values()) == 50


def test_a_claim_is_kept_while_the_clock_may_be_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is looked through once a minute, by the uptime: neither clock alone makes anything forgotten."""
    roster = parse_server_file(alice(replay="once"))
    clock, uptime = [AT], [0.0]
    monkeypatch.setattr(a2a_totp_server.time, "monotonic", lambda: uptime[0])
    guard = MemoryState(since=0)
    checker = TOTPServerAuthScheme(lambda: roster, now=lambda: clock[0], guard=guard, later=unlooked)
    assert guess(checker, TOKEN, good_code()) == "accepted"
    month = 32 * 86_400
    for later in ((AT + 3600, 120.0), (AT - 3600, 240.0), (AT + month, 360.0), (AT, month)):
        clock[0], uptime[0] = later
        guess(checker, TOKEN, WRONG[0])
    clock[0] = AT
    assert guess(checker, TOKEN, good_code()) == "code-replayed"
    clock[0], uptime[0] = AT + month, 3.0 * month
    guess(checker, TOKEN, WRONG[0])
    assert not guard._claims


@pytest.mark.parametrize("sent", [[], [("x-totp", "12345")], [("x-totp", "12345x")], [("x-totp", "000001")] * 2])
def test_without_a_well_formed_code_nothing_of_a_peer_is_computed(sent: list[tuple[str, str]]) -> None:
    """Else the time would tell whether the codes of its seed are known already."""
    checker = authenticator()
    checker.authenticate([("authorization", f"Bearer {TOKEN}"), *sent])
    assert KEY not in [key for key, _ in checker._book._pages]
    assert "digests" not in vars(checker._roster().peers["alice"])
    guess(checker, TOKEN, good_code())
    assert KEY in [key for key, _ in checker._book._pages]


def test_a_seed_is_known_by_the_same_digest_as_in_typescript() -> None:
    """HKDF-SHA256 of the key as HMAC uses it, by algorithm and period."""
    key = b"12345678901234567890"
    assert seed_digest(key, Profile()) == "oalPogCpjJSLVZ_MwIGndQ"
    assert seed_digest(key + b"\0\0", Profile(digits=8, window=2)) == "oalPogCpjJSLVZ_MwIGndQ"
    assert seed_digest(key, Profile(period=60)) != "oalPogCpjJSLVZ_MwIGndQ"
    for algorithm, block, new_hash in (("SHA1", 64, hashlib.sha1), ("SHA512", 128, hashlib.sha512)):
        profile, long = Profile(algorithm), b"\x07" * (block + 1)
        assert seed_digest(long, profile) == seed_digest(new_hash(long).digest(), profile)
        assert seed_digest(long[:-1], profile) != seed_digest(new_hash(long[:-1]).digest(), profile)


@pytest.mark.parametrize(
    ("digits", "window", "limits"),
    [
        (6, 0, ((15, 30), (60, 3600), (150, 86_400))),
        (6, 1, ((5, 30), (20, 3600), (50, 86_400))),
        (6, 2, ((5, 30), (12, 3600), (30, 86_400))),
        (7, 1, ((50, 30), (200, 3600), (500, 86_400))),
        (8, 2, ((300, 30), (1200, 3600), (3000, 86_400))),
    ],
)
def test_limits_follow_from_digits_and_window(digits: int, window: int, limits: tuple[tuple[int, int], ...]) -> None:
    """A day has 1.5e-4 over the chance of a guess, an hour 40 % of that, 30 s 10 %."""
    assert limits_for(digits, window) == limits


def test_of_many_threads_with_one_code_under_once_one_passes() -> None:
    """One decision is one atomic step."""
    checker = authenticator()
    key, profile = b"\x05" * 64, Profile("SHA512")
    for step in range(int(AT // 30) - 1, int(AT // 30) + 2):
        dave = [("authorization", "Bearer a2at_vector-token-of-dave"), ("x-totp", code_of_step(key, profile, step))]
        with ThreadPoolExecutor(64) as threads:
            outcomes = list(threads.map(checker.authenticate, [dave] * 64))
        assert [isinstance(outcome, Caller) for outcome in outcomes].count(True) == 1
        assert {reason_of(outcome) for outcome in outcomes} == {"accepted", "code-replayed"}


def test_strangers_take_no_more_memory_than_they_may() -> None:
    """Whatever they send and wherever from."""
    checker = authenticator()
    for source in range(11_000):
        checker.authenticate([("authorization", f"Bearer stranger-{source}"), ("x-totp", "000000")], str(source))
    assert len(checker._strangers._sources) == 10_000
    assert not checker._guard._guesses
    assert len(checker._decoy_guard._guesses) == 1


def test_the_modules_need_nothing_that_the_sdk_does_not_bring() -> None:
    """And gRPC only where it is asked for."""
    for module, allowed in (("server", {"a2a", "grpc"}), ("client", {"a2a", "httpx"})):
        source = (Path(a2a_totp_server.__file__).parent / f"a2a_totp_{module}.py").read_text(encoding="utf-8")
        imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {(node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
        assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == allowed
    without = "import sys; sys.modules['grpc'] = None; import a2a_totp_server"
    subprocess.run(  # noqa: S603
        [sys.executable, "-c", without], check=True, env={"PYTHONPATH": str(Path(a2a_totp_server.__file__).parent)}
    )


def test_a_file_that_everybody_reads_is_a_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Group-readable is how it is mounted."""
    path.chmod(0o640)
    ServerFile(path)
    assert not caplog.records
    path.chmod(0o644)
    ServerFile(path)
    assert "chmod o-r" in caplog.text


def test_a_missing_file_is_an_error_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is a missing variable."""
    with pytest.raises(ServerFileError, match="cannot read"):
        TOTPServerAuthScheme.from_file(tmp_path / "none")
    monkeypatch.delenv("A2A_TOTP_SERVER_FILE", raising=False)
    with pytest.raises(ServerFileError, match="A2A_TOTP_SERVER_FILE"):
        TOTPServerAuthScheme.from_file()


class App:
    """An ASGI app that remembers what reached it."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers 204."""
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def request(app: Any, headers: list[tuple[bytes, bytes]], **scope: Any) -> list[dict[str, Any]]:
    """What an ASGI app sends."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        raise AssertionError("a guard reads no body")

    whole = {"type": "http", "method": "POST", "path": "/a2a", "headers": headers, "client": ("192.0.2.1", 5), **scope}
    asyncio.run(app(whole, receive, send))
    return sent


def good_headers() -> list[tuple[bytes, bytes]]:
    """Both factors."""
    return [(b"authorization", f"Bearer {TOKEN}".encode()), (b"x-totp", good_code().encode())]


def test_a_refusal_is_what_the_wire_contract_says() -> None:
    """And the app never runs."""
    inner = App()
    guarded = TOTPMiddleware(inner, authenticator())
    start, body = request(guarded, good_headers()[:1])
    assert start["status"] == 401
    assert start["headers"] == [
        (b"www-authenticate", b'Bearer realm="a2a", error="invalid_token"'),
        (b"www-authenticate", b'TOTP realm="a2a", header="X-TOTP"'),
        (b"cache-control", b"no-store"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body["body"])).encode()),
    ]
    assert json.loads(body["body"])["error"]["status"] == "UNAUTHENTICATED"
    anonymous, _ = request(guarded, [])
    assert anonymous["headers"][0] == (b"www-authenticate", b'Bearer realm="a2a"')
    assert not inner.scopes


def test_refusals_of_one_kind_are_the_same_bytes() -> None:
    """Unknown token, missing code, malformed code, wrong code."""
    guarded = TOTPMiddleware(App(), authenticator())
    token = good_headers()[0]
    answers = [
        request(guarded, headers)
        for headers in (
            [(b"authorization", b"Bearer a2at_nobody"), good_headers()[1]],
            [token],
            [token, (b"x-totp", b"\xb9\xb2\xb3456")],
            [token, (b"x-totp", b"000000")],
            [token, *good_headers()[1:] * 2],
        )
    ]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"method": "GET", "path": "/.well-known/agent-card.json"}, 204),
        ({"method": "HEAD", "path": "/.well-known/agent-card.json"}, 204),
        ({"method": "GET", "path": "/base/.well-known/agent-card.json", "root_path": "/base"}, 204),
        ({"method": "POST", "path": "/.well-known/agent-card.json"}, 401),
        ({"method": "GET", "path": "/.well-known/agent-card.json/"}, 401),
        ({"method": "GET", "path": "//.well-known/agent-card.json"}, 401),
        ({"method": "GET", "path": "/.well-known/agent-card.json/../../a2a"}, 401),
        ({"method": "GET", "path": "/.WELL-KNOWN/agent-card.json"}, 401),
        ({"method": "GET", "path": "/.well-known/agent-card.json\0"}, 401),
        ({"method": "GET", "path": "/base/.well-known/agent-card.json"}, 401),
        ({"method": "OPTIONS"}, 401),
    ],
)
def test_only_the_card_is_public(scope: dict[str, Any], status: int) -> None:
    """By its exact path."""
    assert request(TOTPMiddleware(App(), authenticator()), [], **scope)[0]["status"] == status


def test_one_public_path_is_a_collection_of_one() -> None:
    """As a text it would be one of letters, and `/` public."""
    with pytest.raises(TypeError, match="public_paths"):
        TOTPMiddleware(App(), authenticator(), "/healthz")
    health = TOTPMiddleware(App(), authenticator(), ["/healthz"])
    assert request(health, [], method="GET", path="/healthz")[0]["status"] == 204
    assert request(health, [], method="GET", path="/")[0]["status"] == 401


def test_web_sockets_are_closed() -> None:
    """A2A has none, so nothing would guard them: not even one that is public, or comes out of a request that passed."""
    inner, checker = App(), authenticator()
    guarded = TOTPMiddleware(inner, checker)
    request(guarded, good_headers())
    passed = inner.scopes.pop()
    for scope in ({}, {"path": "/.well-known/agent-card.json"}, {CALLER_KEY: passed[CALLER_KEY]}):
        sent = request(guarded, good_headers(), **{**scope, "type": "websocket"})
        assert sent == [{"type": "websocket.close", "code": 1008}]
    assert not inner.scopes


def test_the_user_of_a_request_is_its_peer() -> None:
    """In the shape of Starlette's BaseUser, whose package may be missing here. Whatever was in front."""
    for front in ({}, {"user": object()}):
        inner = App()
        request(TOTPMiddleware(inner, authenticator()), good_headers(), **front)
        user = inner.scopes[0]["user"]
        assert (user.is_authenticated, user.display_name, user.identity) == (True, "alice", "alice")
        assert user.caller is caller_of(Request(inner.scopes[0]))
        # What the SDK keeps tasks under is the same with our builder.
        assert PeerUser(user.caller).user_name == user.display_name


def test_the_user_is_none_of_ours_where_nobody_is_asked() -> None:
    """The card has no user, or the one that was there in front; so has a lifespan."""
    other = object()
    for front in ({}, {"user": other}):
        inner = App()
        guarded = TOTPMiddleware(inner, authenticator())
        request(guarded, good_headers(), method="GET", path="/.well-known/agent-card.json", **front)
        request(guarded, [], type="lifespan", **front)
        assert [scope.get("user") for scope in inner.scopes] == [front.get("user")] * 2
        assert [caller_of(Request(scope)) for scope in inner.scopes] == [None, None]


def test_a_second_guard_restores_the_user_that_was_replaced_in_between() -> None:
    """As by an AuthenticationMiddleware between the app's guard and that of a part of it."""
    inner, checker = App(), authenticator()

    async def between(scope: Any, receive: Any, send: Any) -> None:
        scope["user"] = object()
        await TOTPMiddleware(inner, checker)(scope, receive, send)

    request(TOTPMiddleware(between, checker), good_headers())
    assert inner.scopes[0]["user"].display_name == "alice"


def test_a_request_is_decided_about_once_however_often_it_is_guarded() -> None:
    """Under `once` a second question would be a replay."""
    inner, checker = App(), authenticator()
    dave = [(b"authorization", b"Bearer a2at_vector-token-of-dave")]
    code = code_of_step(b"\x05" * 64, Profile("SHA512"), int(AT // 30))
    guarded = TOTPMiddleware(TOTPMiddleware(inner, checker), checker)
    assert request(guarded, [*dave, (b"x-totp", code.encode())])[0]["status"] == 204
    assert inner.scopes[0][CALLER_KEY][1].peer == "dave"


class Request:
    """What a call-context builder sees of a request."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope


def test_without_a_guard_there_is_no_call_context() -> None:
    """A forgotten guard is never an open agent."""
    with pytest.raises(GuardMissingError):
        TOTPCallContextBuilder().build(Request({}))
    with pytest.raises(GuardMissingError):
        TOTPCallContextBuilder().build(object())


def test_logs_hold_no_token_and_no_code(caplog: pytest.LogCaptureFixture) -> None:
    """Accepted or refused."""
    caplog.set_level(logging.DEBUG)
    roster = parse_server_file(json.dumps(FILE))
    checker = TOTPServerAuthScheme(
        lambda: roster, now=lambda: AT, guard=MemoryState(since=0), later=lambda look: look()
    )
    token, code = ("Authorization", f"Bearer {TOKEN}"), good_code()
    assert isinstance(checker.authenticate([token, ("X-TOTP", code)], "192.0.2.1"), Caller)
    for wrong in ("000001", "000002", "000003", "000004", "000005", "000006"):
        checker.authenticate([token, ("X-TOTP", wrong)], "192.0.2.1")
        assert wrong not in caplog.text
    assert "token_compromise_suspected: peer=alice" in caplog.text
    assert caplog.text.count("token_compromise_suspected") == 1
    assert TOKEN not in caplog.text
    assert code not in caplog.text


def test_rfc_6238_appendix_b() -> None:
    """Eight digits, ASCII seeds of 20, 32 and 64 bytes."""
    totp = RFC["totp"]
    for case in totp["cases"]:
        for algorithm, seed in totp["seedAscii"].items():
            profile = Profile(algorithm, digits=totp["digits"])
            assert code_of_step(seed.encode(), profile, case["unix"] // totp["period"]) == case[algorithm]
