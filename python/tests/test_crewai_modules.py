"""crewAI's own checks take the schemes; runs where crewAI is installed."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("crewai")

import a2a_totp_crewai_client
import httpx
from a2a.types import AgentCard
from crewai.a2a.auth.server_schemes import HTTPException  # type: ignore[attr-defined]
from crewai.a2a.auth.utils import validate_auth_against_agent_card
from crewai.a2a.config import A2AServerConfig

from a2a_totp.codes import code_of_step
from a2a_totp.crewai.client import TOTPClientAuthScheme
from a2a_totp.crewai.server import TOTPServerAuthScheme
from a2a_totp.profile import Profile
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

VECTORS_FOLDER = Path(__file__).parents[2] / "test" / "vectors"
RFC = json.loads((VECTORS_FOLDER / "rfc.json").read_text(encoding="utf-8"))["totp"]
FILE = json.loads((VECTORS_FOLDER / "wire.json").read_text(encoding="utf-8"))["files"]["own"]
SEED = base64.b32encode(b"12345678901234567890").decode()
TOKEN = "a2at_vector-token-of-alice"  # noqa: S105
AT = 1_780_332_007.0

# Loopback is localhost, 127.0.0.0/8 and ::1; a resolver may answer any other name with any address.
IN_THE_CLEAR = [
    *("http://agent.example/", "http://127.0.0.1.agent.example/", "http://10.0.0.1/", "http://0.0.0.0/"),
    *("http://agent.localhost/", "http://localhost./", "http://[::ffff:127.0.0.1]/"),
]


def client_scheme(**fields: Any) -> TOTPClientAuthScheme:
    """A usable one."""
    return TOTPClientAuthScheme(**{"token": TOKEN, "seed": SEED, **fields})


@pytest.mark.parametrize("order", [["bearer", "totp"], ["totp", "bearer"]])
def test_crewai_takes_it_for_a_card_in_either_order(order: list[str]) -> None:
    """It looks at the first key alone."""
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "totp": {"type": "apiKey", "in": "header", "name": "X-TOTP"},
    }
    card = {
        "name": "a", "description": "a", "version": "1", "url": "https://h", "capabilities": {},
        "defaultInputModes": [], "defaultOutputModes": [], "skills": [],
        "securitySchemes": schemes, "security": [{name: [] for name in order}],
    }  # fmt: skip
    validate_auth_against_agent_card(AgentCard.model_validate(card), client_scheme())


def test_rfc_6238_appendix_b() -> None:
    """All algorithms."""
    for case in RFC["cases"]:
        for algorithm, ascii_seed in RFC["seedAscii"].items():
            seed = base64.b32encode(ascii_seed.encode()).decode()
            made = client_scheme(seed=seed, algorithm=algorithm, digits=RFC["digits"], period=RFC["period"])
            assert made.code(case["unix"]) == case[algorithm]


def test_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is missing or wrong there is an error at once."""
    with pytest.raises(ValueError, match="A2A_TOTP_TOKEN"):
        TOTPClientAuthScheme()
    variables = {"TOKEN": TOKEN, "SEED": SEED, "DIGITS": "8", "PERIOD": "60", "ALGORITHM": "SHA256", "HEADER": "X-C"}
    for name, value in variables.items():
        monkeypatch.setenv(f"A2A_TOTP_{name}", value)
    made = TOTPClientAuthScheme()
    assert (made.token, made.digits, made.period, made.algorithm, made.name) == (TOKEN, 8, 60, "SHA256", "X-C")
    for name, value in {"DIGITS": "5", "PERIOD": "1000", "ALGORITHM": "MD5", "SEED": "0189"}.items():
        with monkeypatch.context() as patched, pytest.raises(ValueError, match=r"(?i)" + name):
            patched.setenv(f"A2A_TOTP_{name}", value)
            TOTPClientAuthScheme()


def test_each_request_of_a_client_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though crewAI asks for headers once."""
    clock = [AT]
    monkeypatch.setattr(a2a_totp_crewai_client.time, "time", lambda: clock[0])
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        seen.append(request.headers["x-totp"])
        return httpx.Response(200)

    async def calls() -> None:
        scheme = client_scheme()
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            assert await scheme.apply_auth(client, {}) == {}
            scheme.configure_client(client)
            for _ in range(3):
                await client.get("https://agent.example")
                clock[0] += 30

    asyncio.run(calls())
    assert len(set(seen)) == 3


def test_a_weak_seed_still_gives_its_code_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It is not the client's to choose."""
    assert len(client_scheme(seed="JBSWY3DPEHPK3PXP").code()) == 6
    assert "80 bits" in caplog.text
    assert "JBSWY3DP" not in caplog.text


def sent_to(url: str, **fields: Any) -> httpx.Headers:
    """The headers of the request that a client of crewAI's making would send."""
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200)

    async def call() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            client_scheme(**fields).configure_client(client)
            await client.get(url)

    asyncio.run(call())
    return seen[0]


@pytest.mark.parametrize("url", IN_THE_CLEAR)
def test_nothing_is_sent_in_the_clear(url: str) -> None:
    """Loopback needs no TLS, and somebody may say that the network encrypts."""
    with pytest.raises(ValueError, match="https"):
        sent_to(url)
    assert "x-totp" in sent_to(url, insecure_http=True)
    for loopback in ("http://127.0.0.1:1/", "http://[::1]/", "http://localhost/"):
        assert "x-totp" in sent_to(loopback)


@pytest.mark.parametrize("url", ["https://other.example/", "https://agent.example:8443/", "http://agent.example/"])
def test_credentials_go_to_their_agent_only(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its URL is known, whatever host the card names."""
    monkeypatch.setenv("A2A_TOTP_URL", "https://agent.example/a2a")
    assert "x-totp" in sent_to("https://agent.example:443/else")
    with pytest.raises(ValueError, match="not for"):
        sent_to(url, insecure_http=True)


def test_a_client_scheme_does_not_print_its_secrets() -> None:
    """Wherever it is shown."""
    assert SEED not in repr(client_scheme())
    assert TOKEN not in repr(client_scheme())


@pytest.mark.parametrize(
    "fields", [{"seed": f"{SEED}1"}, {"token": f"{TOKEN}\n"}, {"token": f"{TOKEN} "}, {"digits": 5}]
)
def test_no_error_quotes_a_seed_or_a_token(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Given or from the environment."""
    with pytest.raises(ValueError, match="TOTPClientAuthScheme") as caught:
        client_scheme(**fields)
    assert SEED[:8] not in str(caught.value)
    assert TOKEN[:8] not in str(caught.value)
    monkeypatch.setenv("A2A_TOTP_TOKEN", f"{TOKEN}\n")
    monkeypatch.setenv("A2A_TOTP_SEED", f"{SEED}1")
    with pytest.raises(ValueError, match="base32") as caught:
        TOTPClientAuthScheme()
    assert SEED[:8] not in str(caught.value)


def server_scheme() -> TOTPServerAuthScheme:
    """One whose clock stands still."""
    roster = parse_server_file(json.dumps(FILE))
    return TOTPServerAuthScheme(
        authenticator=TOTPServerAuthScheme(lambda: roster, now=lambda: AT, guard=MemoryState(since=0))
    )


def test_a_token_alone_is_never_enough() -> None:
    """crewAI's own method is one factor."""
    A2AServerConfig(auth=server_scheme())
    with pytest.raises(HTTPException) as caught:
        asyncio.run(server_scheme().authenticate(TOKEN))
    assert caught.value.status_code == 401
    assert caught.value.headers == {
        "www-authenticate": 'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"'
    }


def test_both_factors_are_the_only_way_in() -> None:
    """And the user is the peer."""
    code = code_of_step(b"\x01" * 20, Profile(), int(AT // 30))
    user = asyncio.run(server_scheme().authenticate_with_totp(TOKEN, code))
    assert (user.scheme, user.claims) == ("totp", {"sub": "alice"})
    for token, wrong in ((TOKEN, "000000"), (TOKEN, ""), ("a2at_nobody", code)):
        with pytest.raises(HTTPException):
            asyncio.run(server_scheme().authenticate_with_totp(token, wrong))
