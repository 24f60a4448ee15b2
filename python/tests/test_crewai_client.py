"""crewAI's client: the scheme of this package in its configuration, at the demo agent."""

import asyncio
import copy
import os
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("crewai.a2a.auth")

from a2a.types import AgentCard
from client_parts import SEED, TOKEN, credentials, recorder
from crewai.a2a.auth import APIKeyAuth, BearerTokenAuth
from crewai.a2a.auth.utils import validate_auth_against_agent_card
from crewai.a2a.config import A2AClientConfig
from crewai.a2a.updates import PollingConfig, StreamingConfig
from crewai.a2a.utils.delegation import aexecute_a2a_delegation
from demo import demo, needs_demo
from pydantic import SecretStr, ValidationError

from a2a_totp.client_errors import CredentialsError
from a2a_totp.crewai import TOTPClientAuthScheme


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of A2A_TOTP_*, and no proxies."""
    for name in list(os.environ):
        if name.startswith("A2A_TOTP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def sent(scheme: TOTPClientAuthScheme, url: str) -> httpx.Response:
    """With a client as crewAI makes it."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            scheme.configure_client(client)
            headers = await scheme.apply_auth(client, {})
            assert headers == {}
            return await client.get(url, headers=headers)

    return asyncio.run(send())


def test_the_usage_example_of_the_design() -> None:
    """A delegate for the first factor: crewAI's own."""
    scheme = TOTPClientAuthScheme(
        delegate=BearerTokenAuth(token="my-bearer-token"),  # noqa: S106
        seed="JBSWY3DPEHPK3PXP",
    )
    assert isinstance(scheme, BearerTokenAuth | APIKeyAuth)
    with recorder() as agent:
        sent(scheme, agent.url)
    (request,) = agent.received
    assert request.values("authorization") == ["Bearer my-bearer-token"]
    assert request.values("x-totp")[0].isdigit()
    assert scheme.code(59) == credentials(seed="JBSWY3DPEHPK3PXP").code(59)
    with pytest.raises(ValueError, match="no seed"):
        TOTPClientAuthScheme(delegate=BearerTokenAuth(token=TOKEN))
    with pytest.raises(ValueError, match="no bearer token"):
        TOTPClientAuthScheme(seed=SEED)


def test_headers_of_one_request() -> None:
    """The design's own way, for a client that was not configured: fresh ones, over those of the request before."""
    scheme = TOTPClientAuthScheme(token=TOKEN, seed=SEED, digits=8)

    async def applied() -> dict[str, str]:
        async with httpx.AsyncClient() as client:
            return dict(await scheme.apply_auth(client, {"X-TOTP": "00000000", "Accept": "text/plain"}))

    before = scheme.code()
    headers = asyncio.run(applied())
    assert headers.pop("X-TOTP") in (before, scheme.code())
    assert headers == {"Authorization": f"Bearer {TOKEN}", "Accept": "text/plain"}


def test_the_environment_is_that_of_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a seed that is given, it may be about another agent."""
    variables = {
        "TOKEN": TOKEN,
        "SEED": SEED,
        "DIGITS": "8",
        "HEADER": "X-Code",
        "AGENT": "billing",
        "SIGNED": "accept",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"A2A_TOTP_{name}", value)
    expected = credentials(digits=8, header="X-Code", agent="billing", signed="accept")
    assert TOTPClientAuthScheme().current() == expected
    assert TOTPClientAuthScheme(digits=7).current().digits == 7
    assert TOTPClientAuthScheme(token=TOKEN, seed=SecretStr(SEED)).current() == credentials()


@pytest.mark.parametrize(
    "wrong",
    [{"seed": "0189"}, {"token": "a b"}, {"digits": 5}, {"period": 5}, {"name": "Authorization"}, {"algorithm": "MD5"},
     {"signed": "require"}, {"replay": "never"}, {"window": 3}, {"agent": "-"}],
)  # fmt: skip
def test_bad_fields_are_an_error_that_quotes_no_secret(wrong: dict[str, Any]) -> None:
    """At construction."""
    with pytest.raises(ValidationError) as caught:
        TOTPClientAuthScheme(**{"token": TOKEN, "seed": SEED, **wrong})
    for secret in (SEED, TOKEN, "0189", "a b"):
        assert secret not in str(caught.value)


def test_no_secret_is_shown() -> None:
    """Nor in the configuration around it."""
    scheme = TOTPClientAuthScheme(token=TOKEN, seed=SEED)
    config = A2AClientConfig(endpoint="https://agent.example", auth=scheme)
    for text in (repr(scheme), str(scheme), repr(config), str(config)):
        assert SEED not in text
        assert TOKEN not in text
    assert SEED not in scheme.model_dump_json()


def test_configurations_can_be_copied() -> None:
    """And pickled, and their fields replaced."""
    scheme = TOTPClientAuthScheme(token=TOKEN, seed=SEED, digits=8)
    config = A2AClientConfig(endpoint="https://agent.example", auth=scheme)
    configurations = [config.model_copy(deep=True), config.model_copy(), copy.deepcopy(config)]
    schemes: list[Any] = [one.auth for one in configurations]
    schemes.append(pickle.loads(pickle.dumps(scheme)))  # noqa: S301
    for one in schemes:
        assert one.current() == scheme.current()
    changed = scheme.model_copy(update={"digits": 6})
    assert changed.current() == credentials()
    with recorder() as agent:
        for one in [*schemes, changed]:
            assert sent(one, agent.url).status_code == 200
    assert [len(request.values("x-totp")[0]) for request in agent.received] == [8, 8, 8, 8, 6]


def test_it_is_kept_to_one_origin() -> None:
    """Like any other client of this package; a redirect carries nothing elsewhere."""
    with recorder() as other, recorder(lambda _: (307, {"Location": other.url})) as agent:
        with pytest.raises(CredentialsError):
            sent(TOTPClientAuthScheme(token=TOKEN, seed=SEED, url="https://agent.example"), agent.url)
        assert agent.received == []

        async def follow() -> None:
            async with httpx.AsyncClient(follow_redirects=True) as client:
                TOTPClientAuthScheme(token=TOKEN, seed=SEED).configure_client(client)
                await client.get(agent.url)

        with pytest.raises(CredentialsError):
            asyncio.run(follow())
    assert other.received == []


@pytest.mark.parametrize("first", ["bearer", "totp"])
def test_crewai_takes_it_for_either_order_of_a_requirement(first: str) -> None:
    """It looks at the first key alone."""
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "totp": {"type": "apiKey", "in": "header", "name": "X-TOTP"},
    }
    names = [first, *(name for name in schemes if name != first)]
    card = AgentCard.model_validate(
        {
            "name": "a", "description": "a", "version": "1", "url": "https://agent.example", "capabilities": {},
            "defaultInputModes": [], "defaultOutputModes": [], "skills": [], "securitySchemes": schemes,
            "security": [{name: [] for name in names}],
        }
    )  # fmt: skip
    validate_auth_against_agent_card(card, TOTPClientAuthScheme(token=TOKEN, seed=SEED))


@needs_demo
@pytest.mark.parametrize("policies", [("--signed", "require"), ("--strict",), ("--signed", "off")])
@pytest.mark.parametrize("updates", [PollingConfig(interval=0.2), StreamingConfig()])
def test_delegations(tmp_path: Path, policies: tuple[str, ...], updates: Any) -> None:
    """crewAI's own path: the card, the message, polls and streams."""
    with demo(tmp_path, *policies) as agent:
        fields = {"name" if name == "header" else name: value for name, value in agent.fields.items()}
        scheme = TOTPClientAuthScheme(agent="billing", **fields)
        config = A2AClientConfig(endpoint=agent.card, auth=scheme, updates=updates)
        result = asyncio.run(
            aexecute_a2a_delegation(
                endpoint=str(config.endpoint),
                auth=config.auth,
                timeout=60,
                task_description="hello from crewAI",
                updates=config.updates,
            )
        )
    assert "hello from crewAI" in str(result.get("result")), result
