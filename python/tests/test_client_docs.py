"""The examples of docs/python-clients.md, run as they stand at a real agent."""

import ast
import asyncio
import inspect
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from client_parts import REPOSITORY
from demo import Demo, demo, needs_demo

PAGE = (REPOSITORY / "docs" / "python-clients.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def packages_of(example: str) -> list[str]:
    """The optional ones that it needs."""
    return [
        name for name in ("crewai", "a2a", "httpx", "grpc") if re.search(rf"^(import|from) {name}\b", example, re.M)
    ]


def environment(agent: Demo) -> dict[str, str]:
    """What `config client alice --format env` prints."""
    known = {name: value for name, value in agent.fields.items() if name not in ("url", "replay")}
    return {f"A2A_TOTP_{name.upper()}": str(value) for name, value in {**known, "agent": "billing"}.items()}


def two_agents(agent: Demo) -> None:
    """Puts a second agent into the client file: the same one, by another of its names."""
    file = json.loads(agent.client_file.read_text(encoding="utf-8"))
    (entry,) = file["agents"].values()
    stock = agent.origin.replace("127.0.0.1", "localhost")
    agents = {"billing": {**entry, "url": agent.origin}, "stock": {**entry, "url": stock}}
    document = {"version": 1, "peer": file["peer"], "agents": agents}
    agent.client_file.write_text(json.dumps(document), encoding="utf-8")


async def outcome(example: str) -> dict[str, Any]:
    """Runs it, and returns its names."""
    names: dict[str, Any] = {}
    code = compile(example, "docs/python-clients.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)  # noqa: S307
    if inspect.isawaitable(made):
        await made
    return names


@needs_demo
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the demo agent in place of `billing.example`. Clients that it makes let themselves be used."""
    example = EXAMPLES[number]
    for name in packages_of(example):
        if find_spec(name) is None:
            pytest.skip(f"needs {name}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with demo(tmp_path, "--signed", "require") as agent:
        for name, value in environment(agent).items():
            monkeypatch.setenv(name, value)
        if "https://stock.example" in example:
            two_agents(agent)
        example = example.replace("https://billing.example", agent.origin)
        example = example.replace("https://stock.example", agent.origin.replace("127.0.0.1", "localhost"))
        example = example.replace("/etc/alice/a2a-totp.json", str(agent.client_file))

        async def run() -> None:
            names = await outcome(example)
            if "http" in names and "client" in names:
                assert (await names["http"].get(agent.card)).status_code == 200
                await names["http"].aclose()
            if "followed" in names:
                assert names["followed"].token == agent.fields["token"]
            if "channel" in names:
                await names["channel"].close()

        asyncio.run(run())


def test_there_are_examples() -> None:
    """For each kind of client."""
    found = {name for example in EXAMPLES for name in packages_of(example)}
    assert found == {"crewai", "a2a", "httpx", "grpc"}
