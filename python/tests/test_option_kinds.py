"""Options of a wrong kind are one clear error at the start, and no refusal of every request later."""

from typing import Any

import pytest

from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.client import TOTPClientAuthScheme
from a2a_totp.client_errors import CredentialsError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.grpc import totp_interceptor
from a2a_totp.scheme import PeerTokenAuth, SimpleTokenAuth, TOTPError, TOTPServerAuthScheme

SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
GIVEN: dict[str, Any] = {"peer_seeds": {"alice": SEED}, "token_to_peer": {"a2at_alice": "alice"}}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"peer_seeds": ["alice"]}, "ERR_CONFIG_INVALID", "peer_seeds must map"),
        ({"peer_seeds": {5: SEED}}, "ERR_CONFIG_INVALID", "peer_seeds must map"),
        ({"peer_seeds": {"alice": {"seeds": SEED}}}, "ERR_CONFIG_INVALID", "seeds must be a list"),
        ({"token_to_peer": ["a2at_alice"]}, "ERR_CONFIG_INVALID", "token_to_peer must map"),
        ({"token_to_peer": {"a2at_alice": 5}}, "ERR_CONFIG_INVALID", "token_to_peer must map"),
        ({"profile": "SHA256"}, "ERR_PROFILE_INVALID", "profile must be"),
        ({"profile": {"digit": 8}}, "ERR_PROFILE_INVALID", "algorithm, digits, period, window, header"),
        ({"state": "redis://127.0.0.1"}, "ERR_CONFIG_INVALID", "state must be"),
        ({"on_event": "print"}, "ERR_CONFIG_INVALID", "on_event must be"),
        ({"now": 5}, "ERR_CONFIG_INVALID", "now must be"),
        ({"canaries": ["a2at_bait"]}, "ERR_CONFIG_INVALID", "a canary must be"),
        ({"delegate": SimpleTokenAuth}, "ERR_CONFIG_INVALID", "delegate is a class"),
    ],
)
def test_of_a_scheme(options: dict[str, Any], code: str, words: str) -> None:
    """And nothing that was given is in the message."""
    with pytest.raises(TOTPError, match=words) as caught:
        TOTPServerAuthScheme(**{**GIVEN, **options})
    assert caught.value.code == code
    assert not any(secret in str(caught.value) for secret in (SEED, "a2at_", "redis:"))


@pytest.mark.parametrize("tokens", [5, ["a2at_alice"], [("a2at_alice", "alice")], {"a2at_alice": 5}])
def test_of_a_delegate(tokens: Any) -> None:
    """One of ours."""
    with pytest.raises(TOTPError, match="list of PeerToken"):
        PeerTokenAuth(tokens)


@pytest.mark.parametrize("given", ["billing.json", {}, object(), TOTPServerAuthScheme])
def test_of_a_guard(given: Any) -> None:
    """Over HTTP and gRPC."""
    with pytest.raises(TypeError, match="a guard needs a TOTPServerAuthScheme"):
        TOTPMiddleware(None, given)  # type: ignore[arg-type]
    pytest.importorskip("grpc")
    with pytest.raises(TypeError, match="a guard needs a TOTPServerAuthScheme"):
        totp_interceptor(given)


def test_the_scheme_of_crewai_is_named() -> None:
    """By what it has."""
    crewai = type("TOTPServerAuthScheme", (), {"authenticator": None})()
    with pytest.raises(TypeError, match="`authenticator`"):
        TOTPMiddleware(None, crewai)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"period": "30 s"}, {"digits": None}, {"url": 5}, {"url": "billing.example"}, {"agent": 5}]
)
def test_of_credentials(wrong: dict[str, Any]) -> None:
    """When they are made, and not at the first request."""
    with pytest.raises(CredentialsError):
        TotpCredentials("a2at_alice", SEED, **wrong)


def test_of_a_client_scheme() -> None:
    """A token is no delegate."""
    with pytest.raises(CredentialsError, match="delegate has no token") as caught:
        TOTPClientAuthScheme("a2at_alice", SEED)  # type: ignore[arg-type]
    assert "a2at_" not in str(caught.value)
