"""TOTPInterceptor for both lines of the SDK: fresh headers, where the card leads; and no card leads them elsewhere."""

import asyncio
import base64
from types import SimpleNamespace
from typing import Any

import pytest
from client_parts import TOKEN, credentials

from a2a_totp.a2a import TOTPInterceptor
from a2a_totp.client import BearerTokenAuth, TOTPClientAuthScheme
from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.steps import step_queue


def card_1_x(*places: tuple[str, str]) -> Any:
    """What the interceptor reads of a card of 1.x."""
    interfaces = [SimpleNamespace(protocol_binding=binding, url=url) for binding, url in places]
    return SimpleNamespace(supported_interfaces=interfaces)


def card_0_3(*places: tuple[str, str]) -> Any:
    """Of 0.3, which has its first interface apart."""
    first, others = places[0], [SimpleNamespace(transport=binding, url=url) for binding, url in places[1:]]
    return SimpleNamespace(preferred_transport=first[0], url=first[1], additional_interfaces=others or None)


AGENT = ("JSONRPC", "https://agent.example/a2a")
both = pytest.mark.parametrize("line", ["1.x", "0.3"])


def called(interceptor: TOTPInterceptor, line: str, *places: tuple[str, str]) -> dict[str, str]:
    """The headers that a call is sent with."""
    given = {"x-totp": "000000", "AUTHORIZATION": "stale", "X-Trace": "1"}
    if line == "0.3":
        kwargs = {"headers": given, "timeout": 5}
        payload, sent = asyncio.run(interceptor.intercept("message/send", {"a": 1}, kwargs, card_0_3(*places), None))
        assert payload == {"a": 1}
        assert sent["timeout"] == 5
        assert given["x-totp"] == "000000"
        found: dict[str, str] = sent["headers"]
        return found
    context = SimpleNamespace(service_parameters=given)
    args = SimpleNamespace(context=context, agent_card=card_1_x(*places))
    asyncio.run(interceptor.before(args))
    return dict(args.context.service_parameters)


@both
def test_stale_headers_of_any_spelling_are_replaced(line: str) -> None:
    """With fresh ones, also those of a scheme."""
    for source in (credentials(), TOTPClientAuthScheme(BearerTokenAuth(TOKEN), credentials().seed)):
        headers = called(TOTPInterceptor(source), line, AGENT)
        code = headers.pop("X-TOTP")
        assert code != "000000"
        assert headers == {"X-Trace": "1", "Authorization": f"Bearer {TOKEN}"}


@both
@pytest.mark.parametrize(
    "place",
    [
        ("JSONRPC", "https://other.example/"),
        ("JSONRPC", "http://agent.example/"),
        ("JSONRPC", "https://agent.example:8443/"),
        ("HTTP+JSON", "https://agent.example:8443/"),
        ("JSONRPC", "https://user@agent.example/"),
        ("JSONRPC", "/relative"),
        ("HTTP+JSON", "https://agent.example.other.example/"),
        ("GRPC", "other.example:50051"),
        ("GRPC", "agent.example:50051"),
    ],
)
def test_no_card_leads_elsewhere(line: str, place: tuple[str, str]) -> None:
    """Not even with one of its interfaces; nor over plaintext."""
    for url in ("https://agent.example", None):
        interceptor = TOTPInterceptor(credentials(url=url))
        assert "X-TOTP" in called(interceptor, line, AGENT)
        with pytest.raises(CredentialsError):
            called(interceptor, line, AGENT, place)
        with pytest.raises(CredentialsError):
            called(interceptor, line, place)


@both
def test_an_http_interface_at_another_port_is_elsewhere_and_a_grpc_one_is_not(line: str) -> None:
    """On loopback too, where any user may listen; whichever interface the card has first."""
    http, other, grpc = (
        ("JSONRPC", "http://127.0.0.1:1/"),
        ("HTTP+JSON", "http://127.0.0.1:2/"),
        ("GRPC", "127.0.0.1:3"),
    )
    for url in ("http://127.0.0.1:1", None):
        for places in ((http, grpc), (grpc, http)):
            interceptor = TOTPInterceptor(credentials(url=url))
            assert "X-TOTP" in called(interceptor, line, *places)
            with pytest.raises(CredentialsError, match=r"not for http://127\.0\.0\.1:2, but for http://127\.0\.0\.1:1"):
                called(interceptor, line, *places, other)
            with pytest.raises(CredentialsError, match="but for"):
                called(interceptor, line, *places, ("GRPC", "localhost:3"))
    insecure = TOTPInterceptor(credentials(), insecure_http=True)
    with pytest.raises(CredentialsError, match="but for"):
        called(insecure, line, ("GRPC", "agent.example:1"), ("JSONRPC", "http://other.example/"))


@both
def test_grpc_beyond_loopback_needs_tls(line: str) -> None:
    """Which the interceptor cannot see, so it is told."""
    assert called(TOTPInterceptor(credentials(), grpc_tls=True), line, AGENT, ("GRPC", "agent.example:50051"))
    assert called(TOTPInterceptor(credentials()), line, ("JSONRPC", "http://127.0.0.1:5/"), ("GRPC", "127.0.0.1:6"))


@both
def test_under_once_a_call_waits_for_a_step(line: str) -> None:
    """No interceptor signs, so each needs its own."""
    seed = base64.b32encode(b"seed-of-an-intercept").decode()
    own = credentials(replay="once", period=120, seed=seed, signed="accept", agent="a")
    step_queue(own.seed_id, 120)._reserve(10_000, 0)
    with pytest.raises(StepSpentError):
        called(TOTPInterceptor(own, max_wait=0), line, AGENT)


def test_it_takes_no_credentials_of_an_agent_that_requires_proofs() -> None:
    """It cannot make one."""
    with pytest.raises(CannotSignError, match="totp_channel_factory"):
        TOTPInterceptor(credentials(agent="a", signed="require"))
