"""Holds the package, or the vendored files, to the vectors without any other package.

Runs inside an interpreter that has nothing else, such as Pyodide, where `a2a_totp_server` and `a2a_totp_client` can be
imported: the SDK's few classes that vendored files name are stood in for. Expects `wire` and `rfc` (JSON) as globals;
`report` is JSON of the version, how many checks there were, and which went wrong.
"""

import base64
import importlib
import json
import logging
import sys
import types
import warnings
from datetime import datetime, timezone
from typing import Any

GIVEN = globals()


def stand_in(name: str, **members: Any) -> None:
    """A module with these members and no others."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


def seconds(text: str) -> float:
    """Unix seconds of a vector's instant, without the parser that is under test."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def verdict_of(server: Any, outcome: Any) -> dict[str, Any]:
    """An outcome in the words of the vectors."""
    if isinstance(outcome, server.Caller):
        names = {"peer": "peer", "seedId": "seed_id", "timeStep": "time_step", "drift": "drift"}
    else:
        names = {"status": "status", "reason": "reason", "retryAfter": "retry_after"}
    return {key: found for key, name in names.items() if (found := getattr(outcome, name)) is not None}


async def verdicts(server: Any, files: Any, runs: Any) -> Any:
    """(name, whether it is as it should be) of each request."""
    for run in runs:
        roster, clock = server.parse_server_file(json.dumps(files[run["file"]])), [seconds(run["since"])]
        looks: list[Any] = []
        scheme = server.TOTPServerAuthScheme._of_roster(
            lambda roster=roster: roster,
            now=lambda clock=clock: clock[0],
            state=server.MemoryState(since=clock[0]),
            later=looks.append,
        )
        for request in run["requests"]:
            clock[0] = seconds(request["at"])
            for _ in range(request.get("times", 1)):
                fields = [(name, value) for name, value in request["headers"]]
                outcome = await scheme.authenticate(server.AuthRequest(fields, request.get("source", "")))
                while looks:
                    await looks.pop()()
                yield run["name"], verdict_of(server, outcome) == request["verdict"]


def server_files(server: Any, files: Any, changes: Any) -> Any:
    """The same for each file that has to be read or refused."""
    for change in changes:
        document = json.loads(json.dumps(files[change["file"]]))
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
        try:
            server.parse_server_file(json.dumps(document))
            accepted = True
        except server.ServerFileError:
            accepted = False
        yield change["name"], accepted == change["accepted"]


def codes(client: Any, totp: Any) -> Any:
    """The same for RFC 6238 Appendix B."""
    for case in totp["cases"]:
        for algorithm, ascii_seed in totp["seedAscii"].items():
            seed = base64.b32encode(ascii_seed.encode()).decode()
            credentials = client.TotpCredentials(
                token="t",  # noqa: S106
                seed=seed,
                algorithm=algorithm,
                digits=totp["digits"],
                period=totp["period"],
            )
            yield f"{algorithm} at {case['unix']}", credentials.code(case["unix"]) == case[algorithm]


async def main() -> str:
    """All of them. A deprecation is an error."""
    warnings.simplefilter("error")
    logging.disable(logging.CRITICAL)
    # Pyodide leaves this one of the standard library out.
    stand_in("ssl", SSLError=type("SSLError", (OSError,), {}))
    stand_in("a2a")
    stand_in("a2a.auth")
    stand_in("a2a.auth.user", User=object)
    stand_in("a2a.client", ClientCallContext=object, ClientCallInterceptor=object)
    stand_in("httpx", Auth=object, URL=str, Request=object, Response=object)
    server, client = importlib.import_module("a2a_totp_server"), importlib.import_module("a2a_totp_client")
    vectors = json.loads(GIVEN["wire"])
    checks = [
        *[check async for check in verdicts(server, vectors["files"], vectors["runs"])],
        *server_files(server, vectors["files"], vectors["serverFiles"]),
        *codes(client, json.loads(GIVEN["rfc"])["totp"]),
    ]
    wrong = [name for name, right in checks if not right]
    return json.dumps({"version": sys.version.split()[0], "checks": len(checks), "wrong": wrong})


report = await main()  # noqa: F704, PLE1142
