"""The scheme gives the verdicts on signed requests that every implementation must give."""

import json
from datetime import datetime
from typing import Any

import pytest
from deciding import VECTORS, Agent, run

from a2a_totp.scheme import AuthRequest, Caller
from a2a_totp.state.memory import MemoryState


def seconds(text: str) -> float:
    """Unix seconds of a vector's instant."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def verdict_of(outcome: object) -> dict[str, Any]:
    """An outcome in the words of the vectors."""
    names = {"status": "status", "reason": "reason", "retryAfter": "retry_after"}
    if isinstance(outcome, Caller):
        names = {"peer": "peer", "seedId": "seed_id", "timeStep": "time_step", "drift": "drift", "proof": "proof"}
    values = {word: getattr(outcome, name) for word, name in names.items()}
    return {word: value for word, value in values.items() if value is not None}


@pytest.mark.parametrize("vector", VECTORS["signedRuns"], ids=lambda vector: vector["name"])
def test_verdicts(vector: dict[str, Any]) -> None:
    """One run of requests."""
    file = json.dumps(VECTORS["files"][vector["file"]])
    agent = Agent(file, state=MemoryState(since=seconds(vector["since"])))
    for request in vector["requests"]:
        agent.at = seconds(request["at"])
        head = AuthRequest(
            [(name, value) for name, value in request["headers"]],
            request.get("source", ""),
            request["method"],
            request["target"],
            content=request.get("body", "").encode(),
        )
        assert verdict_of(run(agent.scheme.authenticate(head))) == request["verdict"], request
