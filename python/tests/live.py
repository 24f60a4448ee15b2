"""Real servers on a free port of the loopback address, and raw requests to them."""

import asyncio
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple

import grpc
import pytest

from a2a_totp.grpc import totp_interceptor

PATIENCE = 30
"""Seconds for what happens at once, on a busy machine too."""

SENDABLE = re.compile(r"(?:[\x21-\xff](?:[\t\x20-\xff]*[\x21-\xff])?)?")
"""Values that arrive over HTTP/1.1 as they are: servers trim whitespace, and answer 400 to control characters."""


def needs(*modules: str) -> Any:
    """A mark for a server that may not be installed, but in CI."""
    missing = [name for name in modules if not find_spec(name)]
    skips = bool(missing) and not os.environ.get("CI")
    return pytest.param("-".join(modules), marks=pytest.mark.skipif(skips, reason=f"needs {missing}"))


HTTP_SERVERS = [needs("uvicorn", "h11"), needs("uvicorn", "httptools"), needs("hypercorn")]


async def _run_uvicorn(app: Any, listener: socket.socket, parser: str, stop: asyncio.Event, **options: Any) -> None:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, http=parser, log_level="critical", lifespan="off", **options))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await stop.wait()
    server.should_exit = server.force_exit = True
    await serving


async def _run_hypercorn(app: Any, listener: socket.socket, stop: asyncio.Event) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{os.dup(listener.fileno())}"]  # which it closes
    config.graceful_timeout = 0.1
    config.errorlog = logging.getLogger("hypercorn.none")
    await serve(app, config, shutdown_trigger=stop.wait)


@asynccontextmanager
async def served(app: Any, kind: str = "uvicorn-h11", **options: Any) -> AsyncIterator[int]:
    """Serves an app, and returns its port."""
    listener, stop = socket.socket(), asyncio.Event()
    listener.bind(("127.0.0.1", 0))
    # From now on connections wait for the server: nobody has to ask whether it is there.
    listener.listen()
    if kind == "hypercorn":
        serving = asyncio.create_task(_run_hypercorn(app, listener, stop))
    else:
        serving = asyncio.create_task(_run_uvicorn(app, listener, kind.partition("-")[2], stop, **options))
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        await asyncio.wait_for(serving, PATIENCE)
        listener.close()


class Answered(NamedTuple):
    """An answer as it came. `is_whole` is false where it was cut off."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    is_whole: bool

    @property
    def own_fields(self) -> list[tuple[str, str]]:
        """Those that are not the server's."""
        return [(name, value) for name, value in self.fields if name not in ("date", "server", "connection")]


def raw_request(method: str, target: str, fields: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """The bytes of a request, whatever is in it."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def exchange(port: int, request: bytes, method: str = "POST") -> Answered:
    """Sends the bytes of one request, and reads until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await asyncio.wait_for(read_answer(reader, method), PATIENCE)
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader, method: str = "POST") -> Answered:
    """Reads one answer of HTTP/1.1, and that nothing follows it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    try:
        rest = await reader.read()
    except ConnectionError:
        rest = b""
    named = dict(fields)
    if "transfer-encoding" in named:
        is_whole = rest.endswith(b"0\r\n\r\n")
        body = b"".join(re.findall(rb"[0-9a-fA-F]+\r\n(.*?)\r\n", rest, re.DOTALL))
    else:
        body = rest
        is_whole = method == "HEAD" or len(rest) == int(named.get("content-length", len(rest)))
    return Answered(int(first.split(" ")[1]), fields, body, is_whole)


@asynccontextmanager
async def grpc_served(
    scheme: Any, *handlers: grpc.GenericRpcHandler, **options: Any
) -> AsyncIterator[grpc.aio.Channel]:
    """A server behind the interceptor, and a channel to it."""
    server = grpc.aio.server(interceptors=[totp_interceptor(scheme, **options)])
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)
