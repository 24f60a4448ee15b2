"""The scheme decides as every implementation must, and reads the server files that every one must read."""

import asyncio
import json
from typing import Any

import pytest
from agents import Agent, seconds
from vectors import read_vectors

from a2a_totp.scheme import AuthRequest, Caller, Refusal
from a2a_totp.server_file_text import ServerFileError, parse_server_file

VECTORS = read_vectors("wire")


def verdict_of(outcome: Caller | Refusal) -> dict[str, Any]:
    """An outcome in the words of the vectors."""
    if isinstance(outcome, Caller):
        return {
            "peer": outcome.peer,
            "seedId": outcome.seed_id,
            "timeStep": outcome.time_step,
            "drift": outcome.drift,
        }
    verdict = {"status": outcome.status, "reason": outcome.reason, "retryAfter": outcome.retry_after}
    return {key: value for key, value in verdict.items() if value is not None}


def outcomes_of(run: dict[str, Any]) -> list[tuple[Caller | Refusal, dict[str, Any]]]:
    """What a scheme that remembers nothing answers to each request, one after the other."""

    async def decide() -> list[tuple[Caller | Refusal, dict[str, Any]]]:
        agent = Agent(VECTORS["files"][run["file"]], at=seconds(run["since"]), since=seconds(run["since"]))
        outcomes = []
        for request in run["requests"]:
            agent.at = seconds(request["at"])
            fields = [(name, value) for name, value in request["headers"]]
            for _ in range(request.get("times", 1)):
                asked = AuthRequest(fields, request.get("source", ""), "POST", "/")
                outcomes.append((await agent.decide(asked), request))
        return outcomes

    return asyncio.run(decide())


@pytest.mark.parametrize("run", VECTORS["runs"], ids=lambda run: run["name"])
def test_verdicts(run: dict[str, Any]) -> None:
    """One run of requests."""
    for outcome, request in outcomes_of(run):
        assert verdict_of(outcome) == request["verdict"], request


@pytest.mark.parametrize("change", VECTORS["serverFiles"], ids=lambda change: change["name"])
def test_server_files(change: dict[str, Any]) -> None:
    """Read, or refused."""
    document = json.loads(json.dumps(VECTORS["files"][change["file"]]))
    *path, last = change["at"]
    parent = document
    for key in path:
        parent = parent[key]
    if "value" not in change:
        del parent[last]
    elif isinstance(parent, list) and last == len(parent):
        parent.append(change["value"])
    else:
        parent[last] = change["value"]
    if change["accepted"]:
        parse_server_file(json.dumps(document))
        return
    with pytest.raises(ServerFileError):
        parse_server_file(json.dumps(document))
