"""What may be given in more than one way: credentials of clients, fields of requests; and copies of clients."""

import asyncio
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from a2a_totp.codes import generate_code
from a2a_totp.credentials import CredentialsError, TotpCredentials
from a2a_totp.origins import origin_of
from a2a_totp.scheme import AuthRequest, Caller, TOTPServerAuthScheme

httpx = pytest.importorskip("httpx")

TOKEN = "a2at_" + "c" * 43
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
FIELDS = [("Authorization", f"Bearer {TOKEN}"), ("X-TOTP", generate_code(SEED, at=0)), ("Accept", "text/plain")]


def unpickled(one: Any) -> Any:
    """A copy by way of a pickle."""
    return pickle.loads(pickle.dumps(one))  # noqa: S301


def seams() -> list[Callable[..., Any]]:
    """Both kinds of clients that take credentials alone."""
    from a2a_totp.a2a import TOTPInterceptor
    from a2a_totp.httpx import TOTPAuth

    return [TOTPAuth, TOTPInterceptor]


@pytest.mark.parametrize("seam", seams())
def test_credentials(seam: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """One object, its fields, or the environment."""
    monkeypatch.setenv("A2A_TOTP_TOKEN", TOKEN)
    monkeypatch.setenv("A2A_TOTP_SEED", SEED)
    monkeypatch.setenv("A2A_TOTP_DIGITS", "8")
    plain = TotpCredentials(TOKEN, SEED)
    assert seam(plain)._source.current() == seam(credentials=plain)._source.current() == plain
    assert seam(token=TOKEN, seed=SEED)._source.current() == plain
    assert seam(token=TOKEN, seed=SEED, digits=7)._source.current() == TotpCredentials(TOKEN, SEED, digits=7)
    assert seam()._source.current() == TotpCredentials(TOKEN, SEED, digits=8)
    for wrong in (lambda: seam(plain, token=TOKEN), lambda: seam(TOKEN), lambda: seam(token=TOKEN)):
        with pytest.raises(TypeError) as caught:
            wrong()
        assert TOKEN not in str(caught.value)
    with pytest.raises(CredentialsError):
        seam(token=TOKEN, seed="018")
    monkeypatch.delenv("A2A_TOTP_SEED")
    with pytest.raises(CredentialsError):
        seam()


@pytest.mark.parametrize("seam", seams())
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, unpickled])
def test_copies_are_pinned(seam: Callable[..., Any], copied: Callable[[Any], Any]) -> None:
    """A copy goes where the original goes, and nowhere else."""
    original = seam(token=TOKEN, seed=SEED)
    original._destination.admit(origin_of("https", "one.example", None), None)
    another = copied(original)
    another._destination.admit(origin_of("https", "one.example", None), None)
    with pytest.raises(CredentialsError):
        another._destination.admit(origin_of("https", "two.example", None), None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_pins_the_original(copied: Callable[[Any], Any]) -> None:
    """Also one that was made before the first request."""
    original = seams()[0](token=TOKEN, seed=SEED)
    copied(original)._destination.admit(origin_of("https", "one.example", None), None)
    with pytest.raises(CredentialsError):
        original._destination.admit(origin_of("https", "two.example", None), None)


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        iter(FIELDS),
        dict(FIELDS),
        [(name.lower().encode(), value.encode()) for name, value in FIELDS],
        httpx.Headers(FIELDS),
    ],
    ids=["pairs", "iterator", "mapping", "bytes", "httpx"],
)
def test_fields_of_a_request(fields: Any) -> None:
    """They count in each shape, and do not print."""
    scheme = TOTPServerAuthScheme(peer_seeds={"alice": SEED}, token_to_peer={TOKEN: "alice"}, now=lambda: 1.0)
    request = AuthRequest(fields)
    assert TOKEN not in repr(request)
    assert isinstance(asyncio.run(scheme.authenticate(request)), Caller)


def test_a_doubled_field_stays_doubled() -> None:
    """Bytes or not."""
    scheme = TOTPServerAuthScheme(peer_seeds={"alice": SEED}, token_to_peer={TOKEN: "alice"}, now=lambda: 1.0)
    lines: Any = [(name.encode(), value.encode()) for name, value in FIELDS]
    outcome = asyncio.run(scheme.authenticate(AuthRequest([*lines, lines[1]])))
    assert getattr(outcome, "reason", None) == "code-doubled"
