"""The Python module gives the verdicts that every implementation must give."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import ServerFileError, parse_server_file
from a2a_totp.state.memory import MemoryState

VECTORS = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))


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


def outcomes_of(run: dict[str, Any]) -> Iterator[tuple[Caller | Refusal, dict[str, Any]]]:
    """What a module that remembers nothing answers to each request, one after the other."""
    roster = parse_server_file(json.dumps(VECTORS["files"][run["file"]]))
    clock = [seconds(run["since"])]
    authenticator = TOTPServerAuthScheme(
        lambda: roster, now=lambda: clock[0], guard=MemoryState(since=clock[0]), later=lambda look: look()
    )
    for request in run["requests"]:
        clock[0] = seconds(request["at"])
        for _ in range(request.get("times", 1)):
            fields = [(name, value) for name, value in request["headers"]]
            yield authenticator.authenticate(fields, request.get("source", "")), request


@pytest.mark.parametrize("run", VECTORS["runs"], ids=lambda run: run["name"])
def test_verdicts(run: dict[str, Any]) -> None:
    """One run of requests."""
    for outcome, request in outcomes_of(run):
        assert verdict_of(outcome) == request["verdict"], request


@pytest.mark.parametrize("run", VECTORS["answers"], ids=lambda run: run["name"])
def test_answers_over_http(run: dict[str, Any]) -> None:
    """As the middleware sends them: status, every field, and the body."""
    roster = parse_server_file(json.dumps(VECTORS["files"][run["file"]]))
    clock = [seconds(run["since"])]
    checker = TOTPServerAuthScheme(lambda: roster, now=lambda: clock[0], guard=MemoryState(since=clock[0]))
    sent: list[dict[str, Any]] = []

    async def app(*_: Any) -> None:
        """Who is let in says nothing here."""

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    for request in run["requests"]:
        sent.clear()
        clock[0] = seconds(request["at"])
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request["headers"]]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "client": None}
        asyncio.run(TOTPMiddleware(app, checker)(scope, None, send))  # type: ignore[arg-type]
    start, body = sent
    assert {
        "status": start["status"],
        "headers": [[name.decode(), value.decode()] for name, value in start["headers"]],
        "body": body["body"].decode(),
    } == run["http"]


@pytest.mark.parametrize("run", VECTORS["answers"], ids=lambda run: run["name"])
def test_answers_over_grpc(run: dict[str, Any]) -> None:
    """What the interceptor aborts with."""
    *_, (refusal, _request) = outcomes_of(run)
    assert isinstance(refusal, Refusal)
    trailers = [[key, value] for key, value in refusal.headers]
    assert {"status": refusal.grpc_status, "details": refusal.message, "trailers": trailers} == run["grpc"]


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
