"""The Python module gives the verdicts that every implementation must give."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from a2a_totp_server import Authenticator, Caller, MemoryGuard, Refusal, parse_server_file

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wire.json").read_text(encoding="utf-8"))


def seconds(text: str) -> float:
    """Unix seconds of a vector's instant."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


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


@pytest.mark.parametrize("run", VECTORS["runs"], ids=lambda run: run["name"])
def test_verdicts(run: dict[str, Any]) -> None:
    """One run of requests."""
    roster = parse_server_file(json.dumps(VECTORS["files"][run["file"]]))
    clock = [seconds(run["since"])]
    authenticator = Authenticator(lambda: roster, now=lambda: clock[0], guard=MemoryGuard(since=clock[0]))
    for index, request in enumerate(run["requests"]):
        clock[0] = seconds(request["at"])
        for time in range(request.get("times", 1)):
            outcome = authenticator.authenticate(
                [(name, value) for name, value in request["headers"]], request.get("source", "")
            )
            assert verdict_of(outcome) == request["verdict"], f"request {index}, time {time}"
