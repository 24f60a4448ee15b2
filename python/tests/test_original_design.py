"""The test list of the design that this package finishes, against real servers: uvicorn, with httpx as the client."""

import asyncio
import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.requests import Request

from a2a_totp.a2a import TOTPCallContextBuilder
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.codes import code_of_step
from a2a_totp.credentials import TotpCredentials
from a2a_totp.httpx import TOTPAuth
from a2a_totp.profile import Profile
from a2a_totp.scheme import Caller, GuardMissingError, SimpleTokenAuth, TOTPServerAuthScheme

MRPINK, CHARLIE = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "KZQW6ZTBNFXHG33NKZQW6ZTBNFXHG33N"
KEYS = {"mrpink": base64.b32decode(MRPINK), "charlie": base64.b32decode(CHARLIE)}
TOKENS = {"bearer-token-mrpink": "mrpink", "bearer-token-charlie": "charlie"}
WEAK = {"mrpink": "JBSWY3DPEHPK3PXP", "charlie": "KZQW6ZTBNFXHG33N"}
"""Those of the design's own example."""


def code(peer: str, ago: float = 0) -> str:
    """The code of a peer, by the clock of this machine."""
    return code_of_step(KEYS[peer], Profile(), int((time.time() - ago) // 30))


async def says_who(scope: Any, _receive: Any, send: Any) -> None:
    """An app behind the guard: what the builder of call contexts says."""
    context = TOTPCallContextBuilder().build(Request(scope))
    body = f"{context.user.user_name} {context.user.is_authenticated}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def served(scheme: TOTPServerAuthScheme) -> Iterator[str]:
    """The origin of a real server behind the middleware."""
    server = uvicorn.Server(
        uvicorn.Config(TOTPMiddleware(says_who, scheme), port=0, log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def asked(origin: str, token: str | None, sent: str | None) -> httpx.Response:
    """The answer to a request with these factors."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.post(origin, headers=headers if sent is None else {**headers, "X-TOTP": sent}, timeout=20)


def per_peer() -> TOTPServerAuthScheme:
    """The design's server, with seeds that are long enough."""
    return TOTPServerAuthScheme(peer_seeds={"mrpink": MRPINK, "charlie": CHARLIE}, token_to_peer=TOKENS)


def shared() -> TOTPServerAuthScheme:
    """One token and one seed."""
    return TOTPServerAuthScheme(delegate=SimpleTokenAuth(token="bearer-token"), shared_seed=MRPINK)  # noqa: S106


def test_valid_token_and_valid_code_succeed() -> None:
    """Per peer, and with one seed for all."""
    with served(per_peer()) as origin:
        assert asked(origin, "bearer-token-mrpink", code("mrpink")).text == "mrpink True"
        assert asked(origin, "bearer-token-charlie", code("charlie")).text == "charlie True"
    with served(shared()) as origin:
        assert asked(origin, "bearer-token", code("mrpink")).text == "peer True"


@pytest.mark.parametrize(
    ("token", "sent"),
    [
        pytest.param("bearer-token-mrpink", None, id="missing code"),
        pytest.param("bearer-token-mrpink", "000000", id="wrong code"),
        pytest.param("bearer-token-mrpink", lambda: code("mrpink", ago=300), id="expired code, 5 minutes old"),
        pytest.param("stolen", lambda: code("mrpink"), id="invalid bearer token"),
        pytest.param("bearer-token-mrpink", lambda: code("charlie"), id="code of another peer's seed"),
        pytest.param(None, lambda: code("mrpink"), id="missing Authorization header"),
        pytest.param("bearer-token-mrpink", "12345", id="short code"),
    ],
)
def test_anything_else_is_a_401(token: str | None, sent: Any) -> None:
    """Fails closed, and with one answer."""
    with served(per_peer()) as origin:
        answer = asked(origin, token, sent() if callable(sent) else sent)
    assert answer.status_code == 401
    error = ', error="invalid_token"' if token else ""
    assert answer.headers.get_list("www-authenticate") == [
        f'Bearer realm="a2a"{error}',
        'TOTP realm="a2a", header="X-TOTP"',
    ]
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


def test_a_code_30_seconds_off_is_within_the_window() -> None:
    """The design's valid_window=1."""
    with served(per_peer()) as origin:
        # The step must not end between the code and its arrival.
        while time.time() % 30 > 25:
            time.sleep(0.1)
        for ago in (30, 0, -30):
            assert asked(origin, "bearer-token-mrpink", code("mrpink", ago)).status_code == 200


def test_the_builder_reports_who_called_and_never_checks_again() -> None:
    """Valid request; without a guard in front there is no context, whatever the headers say."""
    scheme = per_peer()
    with served(scheme) as origin:
        assert asked(origin, "bearer-token-mrpink", code("mrpink")).text == "mrpink True"
    headers = [(b"authorization", b"Bearer bearer-token-mrpink"), (b"x-totp", code("mrpink").encode())]
    with pytest.raises(GuardMissingError):
        TOTPCallContextBuilder().build(Request({"type": "http", "headers": headers}))


def test_the_design_s_own_method_checks_both() -> None:
    """For servers that have no more of a request."""

    async def run() -> None:
        scheme = per_peer()
        assert isinstance(await scheme.authenticate_with_totp("bearer-token-mrpink", code("mrpink")), Caller)
        for token, sent in (("bearer-token-mrpink", None), ("bearer-token-mrpink", code("charlie")), (None, "000000")):
            assert not isinstance(await scheme.authenticate_with_totp(token, sent), Caller)

    asyncio.run(run())


def test_missing_seed_is_a_value_error() -> None:
    """At construction."""
    with pytest.raises(ValueError, match="peer_seeds"):
        TOTPServerAuthScheme(delegate=SimpleTokenAuth(token="t"))  # noqa: S106
    with pytest.raises(ValueError, match="it has no seed"):
        TOTPServerAuthScheme(peer_seeds={"mrpink": ""}, token_to_peer={"t": "mrpink"})


def test_the_example_s_seeds_are_weak_and_are_accepted_where_that_is_asked_for() -> None:
    """80 bits; RFC 4226 asks for 128."""
    example = {"peer_seeds": WEAK, "token_to_peer": TOKENS}
    with pytest.raises(ValueError, match=r"mrpink.*80 bits.*allow_weak_seeds") as caught:
        TOTPServerAuthScheme(**example)
    assert "JBSWY" not in str(caught.value)
    with served(TOTPServerAuthScheme(**example, allow_weak_seeds=True)) as origin:
        sent = code_of_step(b"Hello!\xde\xad\xbe\xef", Profile(), int(time.time() // 30))
        assert asked(origin, "bearer-token-mrpink", sent).text == "mrpink True"


def test_the_example_as_it_is_maps_tokens_that_its_delegate_refuses() -> None:
    """Its SimpleTokenAuth knows one token, and the map has two others: `create` says so."""

    async def run() -> None:
        await TOTPServerAuthScheme.create(
            delegate=SimpleTokenAuth(token="bearer-token"),  # noqa: S106
            peer_seeds=WEAK,
            token_to_peer=TOKENS,
            allow_weak_seeds=True,
        )

    with pytest.raises(ValueError, match='"mrpink" can never be accepted'):
        asyncio.run(run())


def test_a_client_adds_both_headers_which_the_server_takes() -> None:
    """With each request, from credentials that were given or from the environment."""
    variables = {"A2A_TOTP_TOKEN": "bearer-token-charlie", "A2A_TOTP_SEED": CHARLIE}
    given = TotpCredentials(token="bearer-token-mrpink", seed=MRPINK)  # noqa: S106
    with served(per_peer()) as origin:
        for credentials, peer in ((given, "mrpink"), (TotpCredentials.from_env(variables), "charlie")):
            with httpx.Client(auth=TOTPAuth(credentials), timeout=20) as client:
                answer = client.post(origin)
            assert answer.text == f"{peer} True"
            assert answer.request.headers["authorization"] == f"Bearer bearer-token-{peer}"
            assert answer.request.headers["x-totp"].isdigit()


def test_a_client_without_a_seed_is_a_value_error() -> None:
    """At construction, and by the name of the variable."""
    with pytest.raises(ValueError, match="A2A_TOTP_SEED"):
        TotpCredentials.from_env({"A2A_TOTP_TOKEN": "bearer-token-mrpink"})
