"""The client module: right codes, both headers fresh, and only where they belong."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from a2a_totp.a2a.interceptor import TOTPInterceptor
from a2a_totp.credentials import CredentialsError, TotpCredentials
from a2a_totp.httpx import TOTPAuth

RFC = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "rfc.json").read_text(encoding="utf-8"))["totp"]
SEED = base64.b32encode(b"12345678901234567890").decode()
TOKEN = "a2at_test"  # noqa: S105

# Loopback is localhost, 127.0.0.0/8 and ::1; a resolver may answer any other name with any address.
IN_THE_CLEAR = [
    *("http://agent.example/", "http://127.0.0.1.agent.example/", "http://10.0.0.1/", "http://0.0.0.0/"),
    *("http://agent.localhost/", "http://localhost./", "http://[::ffff:127.0.0.1]/"),
]


def credentials(**fields: Any) -> TotpCredentials:
    """Usable ones."""
    return TotpCredentials(**{"token": TOKEN, "seed": SEED, **fields})


def test_rfc_6238_appendix_b() -> None:
    """All algorithms."""
    for case in RFC["cases"]:
        for algorithm, ascii_seed in RFC["seedAscii"].items():
            seed = base64.b32encode(ascii_seed.encode()).decode()
            made = credentials(seed=seed, algorithm=algorithm, digits=RFC["digits"], period=RFC["period"])
            assert made.code(case["unix"]) == case[algorithm]


def test_the_environment_is_read_as_the_cli_writes_it() -> None:
    """Defaults where it says nothing."""
    usual = TotpCredentials.from_env({"A2A_TOTP_TOKEN": TOKEN, "A2A_TOTP_SEED": SEED, "A2A_TOTP_PERIOD": ""})
    assert usual == credentials()
    unusual = {"ALGORITHM": "SHA512", "DIGITS": "8", "PERIOD": "60", "HEADER": "X-Code", "URL": "https://h"}
    named = {f"A2A_TOTP_{name}": value for name, value in {"TOKEN": TOKEN, "SEED": SEED, **unusual}.items()}
    expected = credentials(algorithm="SHA512", digits=8, period=60, header="X-Code", url="https://h")
    assert TotpCredentials.from_env(named) == expected


@pytest.mark.parametrize(
    "wrong",
    [{"A2A_TOTP_TOKEN": ""}, {"A2A_TOTP_SEED": "0189"}, {"A2A_TOTP_SEED": "A"}, {"A2A_TOTP_TOKEN": "a b"},
     {"A2A_TOTP_DIGITS": "six"}, {"A2A_TOTP_PERIOD": "5"}, {"A2A_TOTP_ALGORITHM": "MD5"}],
)  # fmt: skip
def test_bad_credentials_are_an_error_that_quotes_none(wrong: dict[str, str]) -> None:
    """At construction, not at the first call."""
    with pytest.raises(CredentialsError) as caught:
        TotpCredentials.from_env({"A2A_TOTP_TOKEN": TOKEN, "A2A_TOTP_SEED": SEED, **wrong})
    assert SEED not in str(caught.value)
    assert TOKEN not in repr(credentials())
    assert SEED not in repr(credentials())


def test_a_weak_seed_still_gives_its_code_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It is not the client's to choose."""
    assert len(credentials(seed="JBSWY3DPEHPK3PXP").code()) == 6
    assert "80 bits" in caplog.text
    assert "JBSWY3DP" not in caplog.text
    caplog.clear()
    credentials()
    assert not caplog.records


def sent_to(url: str, auth: TOTPAuth) -> httpx.Request:
    """The request that httpx would send."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        client.get(url, headers={"authorization": "Bearer stale", "x-totp": "000000"})
    return seen[0]


def test_httpx_sends_both_headers_once() -> None:
    """Whatever was there before."""
    request = sent_to("https://agent.example/x", TOTPAuth(credentials()))
    assert request.headers.get_list("authorization") == [f"Bearer {TOKEN}"]
    (code,) = request.headers.get_list("x-totp")
    assert code != "000000"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://127.9.9.9/"])
def test_plain_http_is_for_loopback(url: str) -> None:
    """Which needs no TLS."""
    assert "x-totp" in sent_to(url, TOTPAuth(credentials())).headers


@pytest.mark.parametrize("url", IN_THE_CLEAR)
def test_nothing_is_sent_in_the_clear(url: str) -> None:
    """Unless somebody says that the network encrypts."""
    with pytest.raises(CredentialsError, match="https"):
        sent_to(url, TOTPAuth(credentials()))
    assert "x-totp" in sent_to(url, TOTPAuth(credentials(), insecure_http=True)).headers


@pytest.mark.parametrize("url", ["https://other.example/", "https://agent.example:8443/", "http://agent.example/"])
def test_credentials_go_to_their_agent_only(url: str) -> None:
    """Where its URL is known."""
    auth = TOTPAuth(credentials(url="https://agent.example/a2a"), insecure_http=True)
    assert "x-totp" in sent_to("https://agent.example:443/else", auth).headers
    with pytest.raises(CredentialsError, match="not for"):
        sent_to(url, auth)


def test_the_interceptor_replaces_stale_headers_of_any_spelling() -> None:
    """SDK 0.3; the caller's own dictionary stays as it was."""
    given = {"headers": {"x-totp": "000000", "AUTHORIZATION": "stale", "X-Trace": "1"}, "timeout": 5}
    interceptor = TOTPInterceptor(credentials())
    payload, kwargs = asyncio.run(interceptor.intercept("message/send", {"a": 1}, given, None, None))
    assert payload == {"a": 1}
    assert kwargs["timeout"] == 5
    assert {name: value for name, value in kwargs["headers"].items() if name != "X-TOTP"} == {
        "X-Trace": "1",
        "Authorization": f"Bearer {TOKEN}",
    }
    assert given["headers"]["x-totp"] == "000000"  # type: ignore[index]
