"""The bodies of signed requests, as the middleware compares them on their way to an app."""

import asyncio
from typing import Any

import pytest
from signed_requests import BODY, HEAD, App, Fields, Message, ProofAgent, server_file, signed

from a2a_totp.asgi import ContentRefusedError, TOTPMiddleware
from a2a_totp.proof import RequestHead


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


def call(
    app: App, fields: Fields, messages: list[Message], agent: ProofAgent | None = None, **more: Any
) -> list[Message]:
    """What a server would send."""
    sent: list[Message] = more.pop("sent", [])
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
    middleware = TOTPMiddleware(app, (agent or ProofAgent()).scheme, **options)
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
    agent = ProofAgent()
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
    assert status_of(call(app, signed(), chunks(b"x", b"y"), ProofAgent(server_file(policy)))) == 200
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
    """The server hears of it, and closes the connection: a return would let what is in front end it cleanly."""

    async def hasty(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await Reader()(scope, receive, send)

    sent: list[Message] = []
    with pytest.raises(ContentRefusedError):
        call(hasty, signed(), chunks(b"x", b"y"), sent=sent)
    assert [message["type"] for message in sent] == ["http.response.start"]


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
        TOTPMiddleware(Reader(), ProofAgent().scheme, path_prefix=prefix)  # type: ignore[arg-type]


def test_a_guard_twice_asks_once() -> None:
    """Otherwise the second would take the first for a replay."""
    agent = ProofAgent()
    app = TOTPMiddleware(Reader(), agent.scheme)  # type: ignore[arg-type]
    assert status_of(call(app, signed(), chunks(BODY[:5], BODY[5:]), agent)) == 200  # type: ignore[arg-type]
