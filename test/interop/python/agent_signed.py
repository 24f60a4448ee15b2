"""An ASGI app on uvicorn behind the middleware. It reads bodies in pieces, and says what it saw."""

import asyncio
import hashlib
import json
import resource
from typing import Any

import uvicorn
from a2a_totp_server import TOTPMiddleware, TOTPServerAuthScheme, caller_of

from agent_serving import bound_socket

seen = {"started": 0, "whole": 0}


class Request:
    """What `caller_of` asks."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Takes whatever follows for the end of a body, as the ASGI documents do."""
    if scope["type"] != "http":
        return
    if scope["path"] != "/seen":
        seen["started"] += 1
    digest, length, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        digest.update(message.get("body", b""))
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    if scope["path"] != "/seen":
        seen["whole"] += 1
    caller = caller_of(Request(scope))
    answer = {
        **seen,
        "sha256": digest.hexdigest(),
        "length": length,
        "proof": caller.proof if caller else None,
        "peakKiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    body = json.dumps(answer).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


async def main() -> None:
    """Serves until it is killed. GET /seen is open."""
    listener, origin = bound_socket()
    guarded = TOTPMiddleware(app, TOTPServerAuthScheme.from_file(), public_paths=["/seen"])  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(guarded, log_level="warning", lifespan="off"))  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(json.dumps({"url": origin}), flush=True)
    await serving


asyncio.run(main())
