"""TOTPFileAuth: each agent of a client file gets its own credentials, and nobody gets another's."""

import copy
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from client_parts import SEED, Recorder, recorder
from test_httpx import PATIENCE, Send, both, sync_send

from a2a_totp.client_errors import CredentialsError
from a2a_totp.httpx import TOTPFileAuth

NAMES = ("billing", "stock", "orders")


@pytest.fixture
def agents() -> Iterator[dict[str, Recorder]]:
    """Three servers."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(recorder()) for name in NAMES}


def entries(agents: dict[str, Recorder]) -> dict[str, dict[str, Any]]:
    """Each with a token of its own."""
    return {name: {"url": f"{agent.url}/a2a", "token": f"of-{name}", "seed": SEED} for name, agent in agents.items()}


def written(path: Path, agents: dict[str, Any]) -> Path:
    """Replaced whole."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"version": 1, "peer": "alice", "agents": agents}), encoding="utf-8")
    fresh.chmod(0o600)
    return fresh.replace(path)


def tokens(agent: Recorder) -> list[str]:
    """Those that arrived."""
    return [one.values("authorization")[0].removeprefix("Bearer ") for one in agent.received]


@both
def test_the_origin_decides_whose_credentials_are_sent(send: Send, tmp_path: Path, agents: dict[str, Recorder]) -> None:
    """Signed for that agent too; elsewhere nothing is sent."""
    auth = TOTPFileAuth(written(tmp_path / "c.json", entries(agents)))
    for one in (auth, copy.deepcopy(auth)):
        for name, agent in agents.items():
            send(one, "POST", f"{agent.url}/rpc", json={"to": name})
            assert tokens(agent)[-1] == f"of-{name}"
            assert agent.received[-1].values("signature-input")
    with recorder() as stranger:
        with pytest.raises(CredentialsError, match=r"no agent of the client file is at .*; it has billing at http"):
            send(auth, "POST", f"{stranger.url}/rpc")
        assert stranger.received == []


@both
def test_a_redirect_to_another_agent_is_not_followed(send: Send, tmp_path: Path, agents: dict[str, Recorder]) -> None:
    """Its credentials are the caller's choice, not the first agent's."""
    auth = TOTPFileAuth(written(tmp_path / "c.json", entries(agents)))
    agents["billing"].answer = lambda _: (307, {"Location": f"{agents['stock'].url}/"})
    with pytest.raises(CredentialsError, match="redirect"):
        send(auth, "POST", f"{agents['billing'].url}/", follow_redirects=True)
    assert agents["stock"].received == []


def test_a_refused_code_of_the_past_is_sent_anew(tmp_path: Path, agents: dict[str, Recorder]) -> None:
    """As TOTPAuth does it."""
    path = written(tmp_path / "c.json", {"billing": {**entries(agents)["billing"], "replay": "once", "period": 10}})
    answers = iter([(401, {"Retry-After": "1"}), (200, {})])
    agents["billing"].answer = lambda _: next(answers)
    assert sync_send(TOTPFileAuth(path), "GET", agents["billing"].url).status_code == 200
    assert len(agents["billing"].received) == 2


def test_the_file_is_followed(tmp_path: Path, agents: dict[str, Recorder], caplog: pytest.LogCaptureFixture) -> None:
    """Agents join and leave; a broken file leaves the last good one in force."""
    own = entries(agents)
    path = written(tmp_path / "c.json", {name: own[name] for name in ("billing", "stock")})
    auth = TOTPFileAuth(path)
    with httpx.Client(auth=auth, timeout=PATIENCE) as client:

        def answers(name: str) -> bool:
            try:
                return client.get(agents[name].url).is_success
            except CredentialsError:
                return False

        def eventually(**expected: bool) -> None:
            deadline = time.monotonic() + 20
            while {name: answers(name) for name in NAMES} != expected:
                assert time.monotonic() < deadline
                time.sleep(0.05)

        eventually(billing=True, stock=True, orders=False)
        written(path, {"stock": {**own["stock"], "token": "fresh"}, "orders": own["orders"]})
        eventually(billing=False, stock=True, orders=True)
        assert tokens(agents["stock"])[-1] == "fresh"
        written(path, {"billing": own["billing"], "stock": own["billing"]})
        deadline = time.monotonic() + 20
        while "billing and stock are both at" not in caplog.text:
            assert not answers("billing")
            assert time.monotonic() < deadline
            time.sleep(0.05)
        eventually(billing=False, stock=True, orders=True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"stock": {"url": None}}, r"agents\.stock\.url is missing"),
        ({"stock": {"url": "ftp://x"}}, "must look like https"),
        ({"stock": {"token": "two words"}}, "b64token"),
        ({"stock": {"seed": None}}, "has no seed"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_at_the_start(
    tmp_path: Path, agents: dict[str, Recorder], changed: dict[str, dict[str, Any]], message: str
) -> None:
    """One that quotes nothing."""
    own = entries(agents)
    path = written(tmp_path / "c.json", {name: {**own[name], **changed.get(name, {})} for name in own})
    with pytest.raises(CredentialsError, match=message) as caught:
        TOTPFileAuth(path)
    assert SEED not in str(caught.value)
    with pytest.raises(CredentialsError, match="cannot read"):
        TOTPFileAuth(tmp_path / "none.json")
    with pytest.raises(CredentialsError, match="no agents"):
        TOTPFileAuth(written(path, {}))


def test_a_file_of_one_agent_at_its_top(tmp_path: Path, agents: dict[str, Recorder]) -> None:
    """As an older tool wrote it."""
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"version": 1, "agent": "billing", **entries(agents)["billing"]}), encoding="utf-8")
    path.chmod(0o600)
    assert sync_send(TOTPFileAuth(path), "GET", agents["billing"].url).is_success
