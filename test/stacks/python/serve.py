"""Serves an ASGI app on a free port of the loopback address, and says where once it answers."""

import asyncio
import importlib
import json
import os
import socket
import sys

import uvicorn


async def main(target: str) -> None:
    """Serves `MODULE:NAME` until it is killed. The module finds its own origin in `$PUBLIC_URL`."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    os.environ["PUBLIC_URL"] = origin
    module, _, name = target.partition(":")
    app = getattr(importlib.import_module(module), name)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        print(json.dumps({"origin": origin}), flush=True)
    await serving


asyncio.run(main(sys.argv[1]))
