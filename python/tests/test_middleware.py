"""The middleware in front of an ASGI app: what it answers, what passes, and who the user is."""

import asyncio
import json
from typing import Any

import pytest
from deciding import AT, TOKEN, Agent

from a2a_totp.a2a.context_builder import PeerUser, TOTPCallContextBuilder, caller_of
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.scheme import CALLER_KEY, GuardMissingError


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
    return [(b"authorization", f"Bearer {TOKEN}".encode()), (b"x-totp", Agent().code().encode())]


def test_whitespace_around_a_value_is_no_part_of_it() -> None:
    """Uvicorn on httptools leaves it behind a value."""
    inner, agent = App(), Agent()
    spaced = [(name, b" \t" + value + b"\t ") for name, value in good_headers()]
    request(TOTPMiddleware(inner, agent.scheme), spaced)
    assert inner.scopes[0]["user"].display_name == "alice"


def test_a_scheme_that_fails_itself_says_when_to_come_again() -> None:
    """As where its state does, and without the text of the error."""
    inner, agent = App(), Agent()
    guarded, headers = TOTPMiddleware(inner, agent.scheme), good_headers()

    def broken() -> float:
        raise OSError("secret")

    agent.scheme._now = broken
    start, body = request(guarded, headers)
    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]
    assert b"secret" not in body["body"]
    assert not inner.scopes


def test_a_refusal_is_what_the_wire_contract_says() -> None:
    """And the app never runs."""
    inner = App()
    guarded = TOTPMiddleware(inner, Agent().scheme)
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
    guarded = TOTPMiddleware(App(), Agent().scheme)
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
    assert request(TOTPMiddleware(App(), Agent().scheme), [], **scope)[0]["status"] == status


def test_one_public_path_is_a_collection_of_one() -> None:
    """As a text it would be one of letters, and `/` public."""
    with pytest.raises(TypeError, match="public_paths"):
        TOTPMiddleware(App(), Agent().scheme, "/healthz")
    health = TOTPMiddleware(App(), Agent().scheme, ["/healthz"])
    assert request(health, [], method="GET", path="/healthz")[0]["status"] == 204
    assert request(health, [], method="GET", path="/")[0]["status"] == 401


def test_web_sockets_are_closed() -> None:
    """A2A has none, so nothing would guard them: not even one that is public, or comes out of a request that passed."""
    inner, checker = App(), Agent().scheme
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
        request(TOTPMiddleware(inner, Agent().scheme), good_headers(), **front)
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
        guarded = TOTPMiddleware(inner, Agent().scheme)
        request(guarded, good_headers(), method="GET", path="/.well-known/agent-card.json", **front)
        request(guarded, [], type="lifespan", **front)
        assert [scope.get("user") for scope in inner.scopes] == [front.get("user")] * 2
        assert [caller_of(Request(scope)) for scope in inner.scopes] == [None, None]


def test_a_second_guard_restores_the_user_that_was_replaced_in_between() -> None:
    """As by an AuthenticationMiddleware between the app's guard and that of a part of it."""
    inner, checker = App(), Agent().scheme

    async def between(scope: Any, receive: Any, send: Any) -> None:
        scope["user"] = object()
        await TOTPMiddleware(inner, checker)(scope, receive, send)

    request(TOTPMiddleware(between, checker), good_headers())
    assert inner.scopes[0]["user"].display_name == "alice"


def test_a_request_is_decided_about_once_however_often_it_is_guarded() -> None:
    """Under `once` a second question would be a replay."""
    inner, checker = App(), Agent().scheme
    dave = [(b"authorization", b"Bearer a2at_vector-token-of-dave")]
    code = code_of_step(b"\x05" * 64, Profile("SHA512"), int(AT // 30))
    guarded = TOTPMiddleware(TOTPMiddleware(inner, checker), checker)
    assert request(guarded, [*dave, (b"x-totp", code.encode())])[0]["status"] == 204
    assert inner.scopes[0]["user"].caller.peer == "dave"


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
