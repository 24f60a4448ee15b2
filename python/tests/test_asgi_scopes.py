"""What reaches an app: by the kind of scope, the path, and the scheme whose guard is in front."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agents import Agent
from signed_requests import AT, Fields, plain, server_file

from a2a_totp.a2a import TOTPCallContextBuilder
from a2a_totp.asgi import PeerUser, TOTPMiddleware, caller_of
from a2a_totp.scheme import CALLER_KEY, GuardMissingError

CARD = "/.well-known/agent-card.json"


class Seen:
    """An app that keeps the scopes it gets, and answers nothing."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        self.scopes.append(scope)


def agent() -> Agent:
    """Alice's, who may call more than once in a time step."""
    return Agent(server_file("off", "reuse"), at=AT)


def scope_of(fields: Fields = (), **changes: Any) -> dict[str, Any]:  # type: ignore[assignment]
    """A scope of HTTP."""
    path = changes.get("path", "/")
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
    base = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "headers": headers}
    return {**base, **changes}


def sent_for(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """What the server would send."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_a_lifespan_passes_and_a_websocket_does_not() -> None:
    """Whatever it shows: nothing of a WebSocket is guarded. Kinds that are not known are refused too."""
    app = Seen()
    guarded = TOTPMiddleware(app, agent().scheme)
    assert sent_for(guarded, {"type": "lifespan"}) == []
    for kind in ("websocket", "webtransport"):
        sent = sent_for(guarded, scope_of(plain(), type=kind, path=CARD, method="GET"))
        assert sent == [{"type": "websocket.close", "code": 1008}]
    assert [scope["type"] for scope in app.scopes] == ["lifespan"]


@pytest.mark.parametrize(
    ("scope", "is_public"),
    [
        ({"path": CARD}, True),
        ({"path": f"/a2a{CARD}", "root_path": "/a2a"}, True),
        ({"path": f"/a2a{CARD}"}, False),
        ({"path": CARD, "raw_path": None}, True),
        ({"path": CARD, "raw_path": b"/.well-known%2Fagent-card.json"}, False),
        ({"path": CARD, "raw_path": CARD.encode() + b"?x"}, True),
        ({"path": CARD, "method": "POST"}, False),
        ({"path": CARD, "method": "OPTIONS"}, False),
        ({"path": CARD, "headers": [(b"Upgrade", b"h2c, WebSocket")]}, False),
        ({"path": f"{CARD}/"}, False),
        ({"path": "/"}, False),
    ],
    ids=str,
)
def test_the_card_is_public(scope: dict[str, Any], is_public: bool) -> None:
    """Spelled so, for reading."""
    app = Seen()
    sent = sent_for(TOTPMiddleware(app, agent().scheme), scope_of(**{"method": "GET", **scope}))
    assert (len(app.scopes), [message["type"] for message in sent]) == (
        (1, []) if is_public else (0, ["http.response.start", "http.response.body"])
    )


def test_other_paths_are_public_where_they_are_named() -> None:
    """And then the card no longer is."""
    app = Seen()
    guarded = TOTPMiddleware(app, agent().scheme, public_paths=["/health"])
    assert sent_for(guarded, scope_of(method="HEAD", path="/health")) == []
    assert sent_for(guarded, scope_of(method="GET", path=CARD))[0]["status"] == 401
    with pytest.raises(TypeError, match="collection"):
        TOTPMiddleware(app, agent().scheme, public_paths="/health")


def test_a_refused_head_has_the_length_and_no_body() -> None:
    """RFC 9110 section 9.3.2."""
    head, get = (
        sent_for(TOTPMiddleware(Seen(), agent().scheme), scope_of(method=method)) for method in ("HEAD", "GET")
    )
    assert head[0] == get[0]
    assert head[1] == {"type": "http.response.body", "body": b""}
    assert dict(get[0]["headers"])[b"content-length"] == str(len(get[1]["body"])).encode()


def test_a_caller_is_a_user_for_whatever_is_behind() -> None:
    """The members of Starlette's users, and of the SDK's."""
    app = Seen()
    sent_for(TOTPMiddleware(app, agent().scheme), scope_of(plain()))
    user = app.scopes[0]["user"]
    assert isinstance(user, PeerUser)
    names = (user.user_name, user.display_name, user.identity, user.caller.peer)
    assert (user.is_authenticated, set(names)) == (True, {"alice"})
    assert "a2at_" not in repr(user)


def test_a_verdict_belongs_to_its_scheme() -> None:
    """The guard of one scheme over the whole app does not open what another one's should guard."""
    first, second, app = agent(), agent(), Seen()
    sent_for(TOTPMiddleware(app, first.scheme), scope_of(plain()))
    scope = app.scopes[0]
    request = type("Request", (), {"scope": scope})()
    for asked in (scope, request):
        assert caller_of(asked) == caller_of(asked, first.scheme)
        assert caller_of(asked, second.scheme) is None
    with pytest.raises(GuardMissingError):
        TOTPCallContextBuilder(second.scheme).build(request)
    # Behind both, each has its own, and the last one counts where none is named.
    app = Seen()
    sent_for(TOTPMiddleware(TOTPMiddleware(app, second.scheme), first.scheme), scope_of(plain()))
    found = [caller_of(app.scopes[0], scheme) for scheme in (first.scheme, second.scheme, None)]
    assert all(found) and found[1] is found[2] and found[0] is not found[1]


def test_requests_that_met_no_guard_have_no_caller() -> None:
    """And a builder says which guard is missing."""
    assert [caller_of(one) for one in ({}, {"scope": 1}, object(), None)] == [None] * 4
    for builder in (TOTPCallContextBuilder(), TOTPCallContextBuilder(agent().scheme)):
        with pytest.raises(GuardMissingError, match="TOTPMiddleware"):
            builder.build(type("Request", (), {"scope": {CALLER_KEY: ()}})())
    with pytest.raises(TypeError, match="scheme"):
        TOTPCallContextBuilder("alice")  # type: ignore[arg-type]


def test_two_guards_of_one_scheme_ask_once() -> None:
    """Under `once`, asking again would be a replay."""
    once, app = Agent(server_file("off", "once"), at=AT), Seen()
    sent_for(TOTPMiddleware(TOTPMiddleware(app, once.scheme), once.scheme), scope_of(plain()))
    assert len(app.scopes) == 1


def test_a_scheme_that_fails_is_a_503_without_its_error(caplog: pytest.LogCaptureFixture) -> None:
    """It may say what a state was asked."""
    broken, app = agent(), Seen()

    async def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a2at_secret")

    broken.scheme.examine = fail  # type: ignore[method-assign]
    sent = sent_for(TOTPMiddleware(app, broken.scheme), scope_of(plain()))
    assert (sent[0]["status"], app.scopes) == (503, [])
    assert "RuntimeError" in caplog.text and "a2at_secret" not in caplog.text


PROGRAM = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"a2a", "grpc", "starlette", "fastapi", "httpx", "pydantic", "redis", "jwt"}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Missing())
import a2a_totp.a2a, a2a_totp.asgi, a2a_totp.grpc, a2a_totp.proof
from a2a_totp.a2a import PeerUser, TOTPCallContextBuilder, caller_of
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.grpc import totp_interceptor
try:
    totp_interceptor(object())
except ModuleNotFoundError as error:
    print(error)
"""


def test_nothing_is_imported_before_it_is_used() -> None:
    """The guards load where no SDK and no framework is."""
    source = Path(__file__).parents[1] / "src"
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env={"PYTHONPATH": str(source)}
    )
    assert run.stdout.strip() == "No module named 'grpc'; install it with pip install 'a2a-totp[grpc]'"
