"""Gives the verdicts of the Python package on runs of requests. JSON in, JSON out."""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from a2a_totp_server import AuthRequest, Caller, MemoryState, Refusal, TOTPServerAuthScheme, parse_server_file


class SecondLooks(logging.Handler):
    """Hears what the second look at a guess showed."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Before the next request."""
        self.stale: int | None = None
        self.suspected = False

    def emit(self, record: logging.LogRecord) -> None:
        """Called for each record."""
        text = record.getMessage()
        stale = re.match(r"code_stale: .* drift=(-?\d+) ", text)
        if stale:
            self.stale = int(stale[1])
        self.suspected = self.suspected or "token_compromise_suspected" in text


def verdict_of(outcome: Caller | Refusal, looks: SecondLooks) -> dict[str, Any]:
    """All that a caller and a log get to know."""
    if isinstance(outcome, Caller):
        return {
            "peer": outcome.peer,
            "seedId": outcome.seed_id,
            "timeStep": outcome.time_step,
            "drift": outcome.drift,
            "proof": outcome.proof,
        }
    body = outcome.body.decode()
    headers = [
        *outcome.headers,
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    return {
        "reason": outcome.reason,
        "peer": outcome.peer,
        "stale": looks.stale,
        "suspected": looks.suspected,
        "http": {"status": outcome.status, "headers": headers, "body": body},
        "grpc": {"status": outcome.grpc_status, "details": outcome.message, "trailers": outcome.headers},
    }


async def verdicts_of(files: dict[str, Any], run: dict[str, Any], looks: SecondLooks) -> list[dict[str, Any]]:
    """One run, with nothing remembered at its start."""
    roster = parse_server_file(json.dumps(files[run["file"]]))
    clock = [run["since"] / 1000]
    later: list[Callable[[], Awaitable[None]]] = []
    scheme = TOTPServerAuthScheme._of_roster(
        lambda: roster, now=lambda: clock[0], state=MemoryState(since=clock[0]), later=later.append
    )
    verdicts = []
    for request in run["requests"]:
        clock[0] = request["at"] / 1000
        looks.forget()
        fields = [(name, value) for name, value in request["fields"]]
        method, target, body = request.get("method", "POST"), request.get("target", "/"), request.get("body", "")
        outcome = await scheme.authenticate(
            AuthRequest(fields, request["source"], method, target, content=body.encode())
        )
        while later:
            await later.pop()()
        verdicts.append(verdict_of(outcome, looks))
    return verdicts


def main() -> None:
    """Reads, decides, prints."""
    looks = SecondLooks()
    logger = logging.getLogger("a2a_totp")
    logger.addHandler(looks)
    logger.propagate = False
    given = json.load(sys.stdin)
    print(json.dumps([asyncio.run(verdicts_of(given["files"], run, looks)) for run in given["runs"]]))


main()
