"""The events of the Python package for requests that arrive as JSON: one line of JSON for each request."""

import asyncio
import json
import sys
from typing import Any

from a2a_totp.scheme import AuthRequest, TOTPServerAuthScheme
from a2a_totp.scheme.refused_proofs import RefusedProofs
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

# What is held back for a second of this machine would come at any request.
RefusedProofs._timer_for = lambda *_: None  # type: ignore[assignment,method-assign,return-value]


async def tell(run: dict[str, Any]) -> None:
    """One request after the other, and what is done after its answer before the next one."""
    now = run["since"] / 1000
    events: list[dict[str, Any]] = []
    looks: list[Any] = []
    roster = parse_server_file(json.dumps(run["file"]))
    scheme = TOTPServerAuthScheme._of_roster(
        lambda: roster,
        now=lambda: now,
        state=MemoryState(since=now),
        later=looks.append,
        on_event=events.append,
    )
    for request in run["requests"]:
        now = request["at"] / 1000
        fields = [(name, value) for name, value in request["fields"]]
        content = request["body"].encode()
        source = request["source"]
        await scheme.authenticate(AuthRequest(fields, source, "POST", request["target"], content=content))
        while looks:
            await looks.pop(0)()
        print(json.dumps(events))
        events.clear()
    scheme.close()
    print(json.dumps(events))


asyncio.run(tell(json.load(sys.stdin)))
