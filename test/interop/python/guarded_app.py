"""A plain ASGI app behind the package's middleware. Prints its port as soon as it answers.

Arguments: the server file, and the middleware's path prefix.
"""

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "python" / "src"))

import uvicorn
from a2a_totp.asgi import TOTPMiddleware, caller_of
from a2a_totp.scheme import TOTPServerAuthScheme


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers who called, or `nobody`, and what was read."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    caller = caller_of(scope)
    shown = {"caller": caller.peer if caller else "nobody", "proof": caller.proof if caller else None}
    text = json.dumps({**shown, "body": body.decode()}, separators=(",", ":")).encode()
    fields = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": text})


async def main(path: str, prefix: str) -> None:
    """Serves until it is killed."""
    guarded = TOTPMiddleware(app, TOTPServerAuthScheme.from_file(path), path_prefix=prefix)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(json.dumps(listener.getsockname()[1]), flush=True)
    config = uvicorn.Config(guarded, log_level="critical", lifespan="off", ws="none", server_header=False)
    await uvicorn.Server(config).serve(sockets=[listener])


asyncio.run(main(*sys.argv[1:]))
