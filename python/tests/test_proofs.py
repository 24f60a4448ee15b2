"""Signed requests: what each policy makes of them, what is remembered, and how bodies and messages are compared."""

import asyncio
import base64
import itertools
import json
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from a2a_totp.a2a.interceptor import TOTPInterceptor
from a2a_totp.asgi import ContentRefusedError, TOTPMiddleware
from a2a_totp.credentials import CannotSignError, CredentialsError, TotpCredentials
from a2a_totp.grpc.guard import totp_interceptor
from a2a_totp.httpx import TOTPAuth
from a2a_totp.proof.reading import RequestHead
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import ServerFileError, parse_server_file
from a2a_totp.state.memory import MemoryState

FILE = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))["files"][
    "own"
]
AT = 1_780_332_007.0
TOKEN = "a2at_vector-token-of-alice"  # noqa: S105
CREDENTIALS = TotpCredentials(
    token=TOKEN, seed=base64.b32encode(b"\x01" * 20).decode(), agent=FILE["agent"], window=FILE["profile"]["window"]
)
HEAD = RequestHead("POST", "/a2a?x=%2F")
BODY = b'{"jsonrpc":"2.0"}'

Fields = list[tuple[str, str]]


def server_file(signed: str = "accept", replay: str = "once", **changes: Any) -> dict[str, Any]:
    """Alice alone, with these policies; the agent's own is the same."""
    alice = {**FILE["peers"]["alice"], "signed": signed, "replay": replay}
    return {**FILE, "signed": signed, "peers": {"alice": alice}, **changes}


numbers = itertools.count()


class Agent:
    """An authenticator whose clock is set by hand."""

    def __init__(self, file: dict[str, Any] | None = None, since: float = 0, **bounds: int) -> None:
        roster = parse_server_file(json.dumps(file or server_file()))
        self.at = AT
        # Of each agent its own: what an earlier one held back is logged while a later one is watched.
        self.source = f"agent-{next(numbers)}"
        self.guard = MemoryState(since=since, **bounds)
        self.checker = TOTPServerAuthScheme(
            lambda: roster, now=lambda: self.at, guard=self.guard, later=lambda look: look()
        )

    def ask(self, fields: Fields, content: bytes | None = BODY, head: RequestHead | None = HEAD) -> str:
        """Which way a caller came in, or why it did not."""
        outcome = self.checker.authenticate(fields, self.source, head, content)
        return outcome.reason if isinstance(outcome, Refusal) else outcome.proof

    def refusal(self, fields: Fields, content: bytes = BODY) -> Refusal:
        """What a caller that does not come in gets."""
        outcome = self.checker.authenticate(fields, "", HEAD, content)
        assert isinstance(outcome, Refusal)
        return outcome


def plain(at: float = AT, **changes: str) -> Fields:
    """Token and code."""
    return [*{**CREDENTIALS.headers(at), "Content-Type": "application/json", **changes}.items()]


def signed(at: float = AT, *, head: RequestHead = HEAD, content: bytes = BODY, **changes: str) -> Fields:
    """The same with a proof."""
    fields = plain(at, **changes)
    return [*fields, *CREDENTIALS.proof(head.method, head.target, fields, content, at=at).items()]


def without(fields: Fields, *names: str) -> Fields:
    """The others."""
    return [(name, value) for name, value in fields if name not in names]


def forged(fields: Fields) -> Fields:
    """With a MAC of nobody."""
    mac = f"a2a-totp=:{base64.b64encode(bytes(32)).decode()}:"
    return [*without(fields, "Signature"), ("Signature", mac)]


PROOF = ("Content-Digest", "Signature-Input", "Signature")
REQUESTS: dict[str, Callable[[], Fields]] = {
    "plain": plain,
    "signed": signed,
    "stripped": lambda: without(signed(), *PROOF),
    "half": lambda: without(signed(), "Signature"),
    "forged": lambda: forged(signed()),
    "stale": lambda: [*plain(), *CREDENTIALS.proof("POST", HEAD.target, plain(), BODY, at=AT - 61).items()],
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
    agent = Agent(server_file(policy))
    fields = REQUESTS[name]()
    assert agent.ask(fields) == VERDICTS[policy][name]
    if agent.ask(fields) == "signed":
        raise AssertionError("a signed request was let in twice")


def test_proofs_never_become_guesses() -> None:
    """Neither invalid ones nor wrong codes beside valid ones; and a valid one passes an exhausted budget."""
    agent = Agent()
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
    agent = Agent()
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
    agent, fields = Agent(), signed()
    assert agent.ask(fields) == "signed"
    refusal = agent.refusal(fields)
    assert (refusal.status, refusal.reason, refusal.retry_after) == (401, "proof-replayed", None)


def test_64_equal_requests_at_once_let_one_in() -> None:
    """In as many threads."""
    agent, fields = Agent(), signed()
    start, outcomes = threading.Barrier(64), []

    def ask() -> None:
        start.wait()
        outcomes.append(agent.ask(fields))

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["proof-replayed"] * 63 + ["signed"]


def test_a_proof_from_before_the_memory_begins_is_unknown() -> None:
    """One of the very second in which it begins is known."""
    agent = Agent(since=AT + 3.5)
    agent.at = AT + 3.6
    assert agent.ask(signed(AT + 2)) == "replay-unknown"
    refusal = agent.refusal(signed(AT + 1))
    assert (refusal.status, refusal.retry_after, refusal.challenges) == (503, 1, ())
    assert agent.ask(signed(AT + 3)) == "signed"


def test_a_nonce_is_forgotten_by_both_clocks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was forgotten under a clock that is set back is unknown, not new."""
    uptime = [time.monotonic()]
    monkeypatch.setattr(a2a_totp_server.time, "monotonic", lambda: uptime[0])
    agent, old = Agent(most_nonces=1), signed()
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
    agent = Agent(most_nonces_in_all=3)
    asked = [signed() for _ in range(5)]
    assert [agent.ask(one) for one in asked] == ["signed"] * 3 + ["nonces-full"] * 2
    assert [agent.ask(one) for one in asked[:3]] == ["proof-replayed"] * 3
    for bounds in ({"most_nonces": 0}, {"most_nonces_in_all": -1}):
        with pytest.raises(ValueError, match="most_nonces"):
            MemoryState(0, **bounds)


def test_the_challenge_asks_for_a_proof_where_the_agent_requires_one() -> None:
    """Whoever asks, and whatever the peer's own policy is."""
    refusal = Agent({**server_file("accept"), "signed": "require"}).refusal([])
    assert refusal.headers == [
        ("www-authenticate", 'Bearer realm="a2a"'),
        ("www-authenticate", 'TOTP realm="a2a", header="X-TOTP", proof="required"'),
        (
            "accept-signature",
            'a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "x-totp");created;expires;'
            'tag="a2a-totp/proof/v1"',
        ),
    ]
    assert Agent({**server_file("require"), "signed": "accept"}).refusal([]).accept_signature is None


def test_an_unknown_token_is_refused_as_one_whatever_its_proof() -> None:
    """It takes a decoy's key."""
    stranger = TotpCredentials(token="a2at_nobody", seed=CREDENTIALS.seed, agent=CREDENTIALS.agent)  # noqa: S106
    fields = [*stranger.headers(AT).items()]
    fields += stranger.proof("POST", HEAD.target, fields, BODY, at=AT).items()
    odd = [*without(fields, "X-TOTP"), ("X-TOTP", "é")]
    for one in (fields, forged(fields), without(fields, "Signature"), odd):
        assert Agent(server_file("require")).ask(one) == "token-refused"


def test_another_agents_proof_has_another_key() -> None:
    """Even with the same seed."""
    other = TotpCredentials(token=TOKEN, seed=CREDENTIALS.seed, agent="else")
    assert Agent().ask([*plain(), *other.proof("POST", HEAD.target, plain(), BODY, at=AT).items()]) == "proof-key"


def test_without_a_view_of_the_request_a_signed_one_is_refused() -> None:
    """Where proofs matter; it is never let in unlooked at."""
    assert Agent().ask(signed(), content=None) == "guard-failed"
    assert Agent().ask(signed(), content=None, head=None) == "guard-failed"
    assert Agent(server_file("require")).ask(plain(), head=None) == "proof-missing"
    assert Agent(server_file("observe")).ask(signed(), content=None, head=None) == "code"
    assert Agent().ask(plain(), head=None) == "code"
    get = RequestHead("GET", "/x")
    assert Agent().ask(signed(head=get, content=b""), None, get) == "signed"


def test_the_log_says_what_a_proof_was_worth(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing that is in it. Under `off` it says nothing."""
    caplog.set_level(logging.INFO)
    asked = [("observe", signed()), ("observe", forged(signed())), ("observe", signed(content=b"other"))]
    asked += [("observe", plain()), ("require", plain()), ("off", signed())]
    told, lines = [], []
    for policy, fields in asked:
        agent = Agent(server_file(policy))
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
    assert CREDENTIALS.agent and CREDENTIALS.agent not in "".join(lines)


def test_refused_proofs_are_logged_once_a_second_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    """A thief of the token can send any number."""
    agent, begun = Agent(), time.monotonic()

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
    with pytest.raises(ServerFileError, match="unless signed is require"):
        parse_server_file(json.dumps({**shared, "peers": {"alice": {**peer, "signed": "accept"}}}))


def test_nothing_that_is_sent_raises() -> None:
    """10,000 times, of all fields that a proof consists of."""
    numbers = random.Random(7)  # noqa: S311
    agent = Agent()
    pieces = ['a2a-totp=("@method" ', ");created=1", ';tag="a2a-totp/proof/v1"', "sha-256=:", ":", "=", ",", '"', "\\"]
    pieces += ["(", ")", ";", "?1", "-1.5", "\xff", "\0", " ", "\t", "9" * 20, "*", "a=1", ';nonce="', "A" * 22]
    for number in range(10_000):
        fields = signed() if number % 3 else plain()
        for name in numbers.sample(("Signature-Input", "Signature", "Content-Digest", "Content-Type"), 2):
            fields = [*without(fields, name), (name, "".join(numbers.choices(pieces, k=numbers.randrange(12))))]
        assert agent.ask(fields) in ("code", "code-replayed") or agent.ask(fields).startswith("proof-")


# ASGI


Message = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Reader:
    """An app that reads as the ASGI documents say, and takes whatever follows for the end."""

    def __init__(self) -> None:
        self.read: list[bytes] = []
        self.done = False
        self.started = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers 200."""
        self.started = True
        more = True
        while more:
            message = await receive()
            self.read.append(message.get("body", b""))
            more = message.get("more_body", False)
        self.done = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"".join(self.read)})


def chunks(*bodies: bytes) -> list[Message]:
    """A body in so many pieces."""
    last = len(bodies) - 1
    return [{"type": "http.request", "body": body, "more_body": at < last} for at, body in enumerate(bodies)]


GONE: Message = {"type": "http.disconnect"}


def call(app: App, fields: Fields, messages: list[Message], agent: Agent | None = None, **more: Any) -> list[Message]:
    """What a server would send."""
    sent: list[Message] = []
    options = {"path_prefix": more.pop("path_prefix")} if "path_prefix" in more else {}
    waiting = iter(messages)

    async def receive() -> Message:
        return next(waiting, GONE)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
    scope = {
        **{"type": "http", "method": "POST", "path": "/a2a", "raw_path": b"/a2a", "query_string": b"x=%2F"},
        **{"headers": headers, "client": None},
        **more,
    }
    middleware = TOTPMiddleware(app, (agent or Agent()).checker, **options)
    asyncio.run(middleware(scope, receive, send))  # type: ignore[arg-type]
    return sent


def status_of(sent: list[Message]) -> int:
    """Of one whole answer, and no more."""
    start, body = sent
    assert (start["type"], body["type"]) == ("http.response.start", "http.response.body")
    return int(start["status"])


@pytest.mark.parametrize("pieces", [[BODY], [BODY[:5], BODY[5:]], [b"", BODY, b""], [bytes([byte]) for byte in BODY]])
def test_the_signed_body_reaches_the_app_as_it_was_sent(pieces: list[bytes]) -> None:
    """In as many pieces."""
    app = Reader()
    sent = call(app, signed(), chunks(*pieces))
    assert (status_of(sent), app.read) == (200, pieces)


@pytest.mark.parametrize("pieces", [[b"x"], [b""], [BODY[:5], b"x"], [BODY, b"x"], [BODY[:5], b""]])
def test_the_end_of_another_body_is_withheld(pieces: list[bytes]) -> None:
    """The app is not done, and the caller gets the uniform answer, once."""
    app = Reader()
    fields = signed()
    agent = Agent()
    assert status_of(call(app, fields, chunks(*pieces), agent)) == 401
    assert not app.done
    assert b"".join(app.read) == b"".join(pieces[:-1])
    # What was claimed is not given back.
    assert status_of(call(Reader(), fields, chunks(BODY), agent)) == 401


def test_a_body_in_one_piece_is_compared_before_the_app_starts() -> None:
    """As nearly all are."""
    app = Reader()
    call(app, signed(), chunks(b"x"))
    assert not app.started


def test_a_body_that_is_cut_off_has_no_end() -> None:
    """The app is told so by an exception, which stays inside."""
    app = Reader()
    assert call(app, signed(), [*chunks(BODY[:5], BODY[5:])[:1], GONE]) == []
    assert not app.done
    early = Reader()
    assert status_of(call(early, signed(), [GONE])) == 401
    assert not early.started


@pytest.mark.parametrize("policy", ["off", "observe"])
def test_nothing_is_withheld_where_proofs_do_not_matter(policy: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is only logged."""
    app = Reader()
    assert status_of(call(app, signed(), chunks(b"x", b"y"), Agent(server_file(policy)))) == 200
    assert ("proof_observed" in caplog.text) == (policy == "observe")


def test_what_an_app_makes_of_a_refused_body_goes_nowhere() -> None:
    """Neither its answer nor its exceptions."""

    async def stubborn(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            await receive()
            try:
                await receive()
            except ContentRefusedError:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"done"})
        raise RuntimeError("no body")

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("its own")

    assert status_of(call(stubborn, signed(), chunks(b"x", b"y"))) == 401
    with pytest.raises(RuntimeError, match="its own"):
        call(broken, signed(), chunks(BODY))


def test_an_answer_that_has_begun_is_cut_off() -> None:
    """The server closes the connection where an app returns too early."""

    async def hasty(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await Reader()(scope, receive, send)

    assert [message["type"] for message in call(hasty, signed(), chunks(b"x", b"y"))] == ["http.response.start"]


def test_a_request_without_content_is_compared_before_the_app_starts() -> None:
    """A body that comes all the same, in pieces too."""
    get = RequestHead("GET", HEAD.target)
    app = Reader()
    assert status_of(call(app, signed(head=get, content=b""), chunks(b""), method="GET")) == 200
    for pieces in ([b"x"], [b"", b"x"], [b"x" * 600_000] * 3):
        app = Reader()
        assert status_of(call(app, signed(head=get, content=b""), chunks(*pieces), method="GET")) == 401
        assert not app.started
    app = Reader()
    assert status_of(call(app, signed(head=get, content=b"xy"), chunks(b"x", b"y"), method="GET")) == 200
    assert app.read == [b"x", b"y"]


def test_the_path_counts_as_it_was_received() -> None:
    """Not as a mount or a decoder leaves it; and a prefix is put back."""
    assert status_of(call(Reader(), signed(), chunks(BODY), path="/", root_path="/a2a")) == 200
    assert status_of(call(Reader(), signed(), chunks(BODY), raw_path=b"/a2a?x=%2F")) == 200
    odd = RequestHead("POST", "/a%2Fb%20c?x=%2F")
    assert status_of(call(Reader(), signed(head=odd), chunks(BODY), path="/a/b c", raw_path=b"/a%2Fb%20c")) == 200
    assert status_of(call(Reader(), signed(head=odd), chunks(BODY), path="/a/b c", raw_path=b"/a/b%20c")) == 401
    # Without a raw path, the best that can be done.
    spaced = RequestHead("POST", "/b%20c?x=%2F")
    assert status_of(call(Reader(), signed(head=spaced), chunks(BODY), path="/b c", raw_path=None)) == 200
    behind = RequestHead("POST", "/agents/billing/a2a?x=%2F")
    assert status_of(call(Reader(), signed(head=behind), chunks(BODY), path_prefix="/agents/billing")) == 200
    assert status_of(call(Reader(), signed(head=behind), chunks(BODY))) == 401


@pytest.mark.parametrize("prefix", ["agents", "/agents/", "/", "/a?b", "/a b", "//a"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    """At the start."""
    with pytest.raises(ValueError, match="path_prefix"):
        TOTPMiddleware(Reader(), Agent().checker, path_prefix=prefix)  # type: ignore[arg-type]


def test_a_guard_twice_asks_once() -> None:
    """Otherwise the second would take the first for a replay."""
    agent = Agent()
    app = TOTPMiddleware(Reader(), agent.checker)  # type: ignore[arg-type]
    assert status_of(call(app, signed(), chunks(BODY[:5], BODY[5:]), agent)) == 200  # type: ignore[arg-type]


# gRPC


METHOD = "/test.Service/Unary"


def metadata(method: str = METHOD, content: bytes = b"message") -> list[tuple[str, str]]:
    """Of a signed call, whose digest is of the message with its prefix."""
    framed = b"\0" + len(content).to_bytes(4, "big") + content
    fields = [*CREDENTIALS.headers(AT).items()]
    fields += CREDENTIALS.proof("POST", method, fields, framed, at=AT).items()
    return [(name.lower(), value) for name, value in fields]


def called(asks: Callable[[grpc.aio.Channel], Awaitable[Any]], policy: str = "accept") -> tuple[Any, list[bytes]]:
    """What a real server answers to real calls, or the status; and the messages that its service parsed."""
    parsed: list[bytes] = []

    def parse(message: bytes) -> bytes:
        parsed.append(message)
        return message

    async def unary(request: bytes, context: Any) -> bytes:
        return request

    async def stream(request: bytes, context: Any) -> Any:
        yield request

    async def upload(requests: Any, context: Any) -> bytes:
        return b"".join([request async for request in requests])

    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, parse),
        "Stream": grpc.unary_stream_rpc_method_handler(stream, parse),
        "Upload": grpc.stream_unary_rpc_method_handler(upload, parse),
    }

    async def run() -> Any:
        server = grpc.aio.server(interceptors=[totp_interceptor(Agent(server_file(policy)).checker)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", methods),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", compression=grpc.Compression.Gzip) as channel:
                return await asyncio.wait_for(asks(channel), 20)
        except grpc.aio.AioRpcError as error:
            return error
        finally:
            await server.stop(None)

    return asyncio.run(run()), parsed


def unary(fields: list[tuple[str, str]], message: bytes = b"message") -> Callable[[grpc.aio.Channel], Any]:
    """One call."""
    return lambda channel: channel.unary_unary(METHOD)(message, metadata=fields)


def test_a_signed_call_is_let_in_with_its_message() -> None:
    """Compressed or not, and an answer that streams too."""
    assert called(unary(metadata())) == (b"message", [b"message"])

    async def first(channel: grpc.aio.Channel) -> bytes:
        answers = channel.unary_stream("/test.Service/Stream")(b"message", metadata=metadata("/test.Service/Stream"))
        return await anext(aiter(answers))

    assert called(first, "require") == (b"message", [b"message"])


@pytest.mark.parametrize(
    "ask",
    [unary(metadata(), b"other"), unary(metadata("/test.Service/Other")), unary(metadata()[:2] + metadata()[3:])],
    ids=["another message", "another method", "half a proof"],
)
def test_another_call_is_refused_and_not_parsed(ask: Callable[[grpc.aio.Channel], Any]) -> None:
    """With the challenge of an agent that requires proofs."""
    error, parsed = called(ask, "require")
    assert (error.code(), parsed) == (grpc.StatusCode.UNAUTHENTICATED, [])
    assert "accept-signature" in dict(error.trailing_metadata())


def test_a_signed_call_counts_once() -> None:
    """The second is a replay."""
    fields = metadata()

    async def twice(channel: grpc.aio.Channel) -> Any:
        await unary(fields)(channel)
        return await unary(fields)(channel)

    error, parsed = called(twice)
    assert (error.code(), len(parsed)) == (grpc.StatusCode.UNAUTHENTICATED, 1)


def test_a_signed_stream_of_messages_is_refused_where_proofs_matter(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is signed of it. It is not let in as if it were unsigned."""
    method = "/test.Service/Upload"
    upload: Callable[[grpc.aio.Channel], Any] = lambda channel: channel.stream_unary(method)(  # noqa: E731
        iter([b"message"]), metadata=metadata(method)
    )
    error, _ = called(upload)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "reason=guard-failed" in caplog.text
    assert called(upload, "observe")[0] == b"message"


# The client


def sent_by(auth: TOTPAuth, **request: Any) -> httpx.Request:
    """What httpx would send."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        client.request(url="https://agent.example/a%2Fb?x=1&y=%20", **request)
    return seen[0]


def current(policy: str = "off", **changes: Any) -> TotpCredentials:
    """Those of alice."""
    given = {"token": TOKEN, "seed": CREDENTIALS.seed, "agent": CREDENTIALS.agent, "signed": policy, **changes}
    return TotpCredentials(**given)


@pytest.mark.parametrize(
    "request_",
    [{"method": "POST", "json": {"é": 1}}, {"method": "GET"}, {"method": "DELETE"},
     {"method": "POST", "data": {"a": "b"}},
     {"method": "POST", "content": b"\0\xff", "headers": {"A2A-Version": "1.0", "signature": "stale"}}],
)  # fmt: skip
def test_httpx_signs_what_the_agent_verifies(request_: dict[str, Any]) -> None:
    """Whatever the body, if it is whole."""
    agent = Agent(server_file("require"))
    for window in (None, 1):
        request = sent_by(TOTPAuth(current(window=window)), **request_)
        agent.at = time.time()
        fields = [(name.decode(), value.decode()) for name, value in request.headers.raw]
        head = RequestHead(request.method, request.url.raw_path.decode())
        assert agent.ask(fields, request.content, head) == "signed"


def test_what_cannot_be_signed_is_sent_unsigned_unless_the_agent_requires_proofs() -> None:
    """A stream, a Content-Encoding, a field with other characters."""
    requests: list[Callable[[], dict[str, Any]]] = [
        lambda: {"content": iter([b"x"])},
        lambda: {"content": b"x", "headers": {"Content-Encoding": "identity"}},
        lambda: {"content": b"x", "headers": {"A2A-Extensions": b"\xe9"}},
    ]
    for make in requests:
        assert "signature" not in sent_by(TOTPAuth(current("accept")), method="POST", **make()).headers
        with pytest.raises(CannotSignError):
            sent_by(TOTPAuth(current("require")), method="POST", **make())
    assert "signature" not in sent_by(TOTPAuth(current(agent=None)), method="GET").headers
    with pytest.raises(CannotSignError, match="A2A_TOTP_AGENT"):
        current("require", agent=None)
    with pytest.raises(CannotSignError, match="TOTPAuth"):
        TOTPInterceptor(current("require"))
    TOTPInterceptor(current("accept"))


def test_the_environment_says_whether_and_how_to_sign() -> None:
    """As the CLI writes it."""
    environment = {"TOKEN": TOKEN, "SEED": CREDENTIALS.seed, "AGENT": "billing", "SIGNED": "require", "WINDOW": "2"}
    read = TotpCredentials.from_env({f"A2A_TOTP_{name}": value for name, value in environment.items()})
    assert (read.agent, read.signed, read.window) == ("billing", "require", 2)
    for name, value in {"AGENT": "a b", "SIGNED": "yes", "WINDOW": "3"}.items():
        with pytest.raises(CredentialsError):
            TotpCredentials.from_env({f"A2A_TOTP_{key}": text for key, text in {**environment, name: value}.items()})


def test_a_caller_says_how_it_came_in() -> None:
    """And at which agent."""
    caller = Agent().checker.authenticate(signed(), "", HEAD, BODY)
    assert isinstance(caller, Caller)
    assert (caller.peer, caller.proof, caller.agent) == ("alice", "signed", FILE["agent"])
