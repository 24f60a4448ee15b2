"""What clients sign."""

import base64
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from signed_requests import FILE, SEED, TOKEN, ProofAgent, server_file

from a2a_totp.a2a.interceptor import TOTPInterceptor
from a2a_totp.credentials import CannotSignError, CredentialsError, TotpCredentials
from a2a_totp.httpx import TOTPAuth
from a2a_totp.proof import RequestHead

BASE32 = base64.b32encode(SEED).decode()


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
    given = {
        "token": TOKEN,
        "seed": BASE32,
        "agent": FILE["agent"],
        "signed": policy,
        **changes,
    }
    return TotpCredentials(**given)


@pytest.mark.parametrize(
    "request_",
    [{"method": "POST", "json": {"é": 1}}, {"method": "GET"}, {"method": "DELETE"},
     {"method": "POST", "data": {"a": "b"}},
     {"method": "POST", "content": b"\0\xff", "headers": {"A2A-Version": "1.0", "signature": "stale"}}],
)  # fmt: skip
def test_httpx_signs_what_the_agent_verifies(request_: dict[str, Any]) -> None:
    """Whatever the body, if it is whole."""
    agent = ProofAgent(server_file("require"))
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
    environment = {
        "TOKEN": TOKEN,
        "SEED": BASE32,
        "AGENT": "billing",
        "SIGNED": "require",
        "WINDOW": "2",
    }
    read = TotpCredentials.from_env({f"A2A_TOTP_{name}": value for name, value in environment.items()})
    assert (read.agent, read.signed, read.window) == ("billing", "require", 2)
    for name, value in {"AGENT": "a b", "SIGNED": "yes", "WINDOW": "3"}.items():
        with pytest.raises(CredentialsError):
            TotpCredentials.from_env({f"A2A_TOTP_{key}": text for key, text in {**environment, name: value}.items()})
