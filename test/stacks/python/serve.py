"""Serves an ASGI app on a free port of the loopback address, and says where once it answers."""

import asyncio
import importlib
import json
import os
import socket
import sys
from typing import Any

import uvicorn


def free_address() -> str:
    """One that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


async def serve(app: Any, origin: str, listener: socket.socket) -> None:
    """Serves an app until it is killed."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        print(json.dumps({"origin": origin}), flush=True)
    await serving


def main(target: str) -> None:
    """Serves `MODULE:NAME`, which finds its own origin in `$PUBLIC_URL`, and where to serve gRPC in `$GRPC_ADDRESS`."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    os.environ.update(PUBLIC_URL=origin, GRPC_ADDRESS=free_address())
    module, _, name = target.partition(":")
    # Before there is an event loop, as the command `uvicorn` does.
    app = getattr(importlib.import_module(module), name)
    asyncio.run(serve(app, origin, listener))


main(sys.argv[1])
