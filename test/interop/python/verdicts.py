"""Gives the verdicts of the emitted module on runs of requests. JSON in, JSON out."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "src" / "fragments" / "python"))

from a2a_totp_server import Authenticator, Caller, MemoryState, Refusal, parse_server_file

FILES = json.loads((Path(__file__).parents[2] / "vectors" / "wire.json").read_text(encoding="utf-8"))["files"]


class Suspicions(logging.Handler):
    """Hears whether a guess was the one that exhausts a budget."""

    heard = False

    def emit(self, record: logging.LogRecord) -> None:
        """Called for each record."""
        self.heard = self.heard or "token_compromise_suspected" in record.getMessage()


def verdict_of(outcome: Caller | Refusal, suspected: bool) -> dict[str, Any]:
    """All that a caller and a log get to know."""
    if isinstance(outcome, Caller):
        return {
            "peer": outcome.peer,
            "seedId": outcome.seed_id,
            "timeStep": outcome.time_step,
            "drift": outcome.drift,
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
        "suspected": suspected,
        "http": {"status": outcome.status, "headers": headers, "body": body},
        "grpc": {"status": outcome.grpc_status, "details": outcome.message, "trailers": outcome.headers},
    }


def verdicts_of(run: dict[str, Any], suspicions: Suspicions) -> list[dict[str, Any]]:
    """One run, with nothing remembered at its start."""
    roster = parse_server_file(json.dumps(FILES[run["file"]]))
    clock = [run["since"] / 1000]
    authenticator = Authenticator(lambda: roster, now=lambda: clock[0], guard=MemoryState(since=clock[0]))
    verdicts = []
    for request in run["requests"]:
        clock[0] = request["at"] / 1000
        suspicions.heard = False
        fields = [(name, value) for name, value in request["fields"]]
        outcome = authenticator.authenticate(fields, request["source"])
        verdicts.append(verdict_of(outcome, suspicions.heard))
    return verdicts


def main() -> None:
    """Reads, decides, prints."""
    suspicions = Suspicions()
    logger = logging.getLogger("a2a_totp")
    logger.addHandler(suspicions)
    logger.propagate = False
    print(json.dumps([verdicts_of(run, suspicions) for run in json.load(sys.stdin)]))


main()
