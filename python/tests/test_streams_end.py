"""Open streams end with the credentials of their caller: over real HTTP and real gRPC."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from agents import Agent
from live import HTTP_SERVERS, PATIENCE, Answered, grpc_served, raw_request, read_answer, served
from signed_requests import AT, metadata_of, plain, server_file, signed, without
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import StreamingResponse
from starlette.routing import Route

from a2a_totp.asgi import CallerEndedError, TOTPMiddleware, caller_of
from a2a_totp.proof import RequestHead
from a2a_totp.server_file_text import parse_server_file

LIMIT = 4
"""Seconds until a stream has to be over."""


def agent() -> Agent:
    """Alice's, who may call more than once in a time step."""
    return Agent(server_file("accept", "reuse"), at=AT)


def revoke(scheme: Agent) -> None:
    """Alice leaves the file."""
    file = server_file()
    scheme.roster = parse_server_file(json.dumps({**file, "peers": {"bob": file["peers"]["alice"] | {"tokens": [
        {"id": "t", "hash": "sha256:" + "0" * 64}]}}}))  # fmt: skip


def expire(scheme: Agent) -> None:
    """Alice's token has an end, and the clock is there."""
    file = server_file("accept", "reuse")
    token = {**file["peers"]["alice"]["tokens"][0], "expiresAt": "2026-06-01T16:40:09Z"}
    scheme.roster = parse_server_file(
        json.dumps({**file, "peers": {"alice": {**file["peers"]["alice"], "tokens": [token]}}})
    )
    scheme.at = AT + 60


def rename(scheme: Agent) -> None:
    """New ids, another policy: nothing ends."""
    file = server_file("require", "once")
    seeds = [{**file["peers"]["alice"]["seeds"][0], "id": "renamed"}]
    scheme.roster = parse_server_file(
        json.dumps({**file, "peers": {"alice": {**file["peers"]["alice"], "seeds": seeds}}})
    )


class Streaming:
    """An app that streams until it is told to stop, and says how it was left."""

    def __init__(self) -> None:
        self.left: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.kind = "stream"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        assert caller_of(scope)
        try:
            if self.kind == "upload":
                while (message := await receive()).get("more_body", False):
                    self.begun.set()
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": message["body"]})
            elif self.kind == "late":
                self.begun.set()
                await self.go_on.wait()
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
                await send({"type": "http.response.body", "body": b"done"})
            else:
                await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
                await send({"type": "http.response.body", "body": b"first", "more_body": True})
                self.begun.set()
                await self.go_on.wait()
                await send({"type": "http.response.body", "body": b"last"})
        except BaseException as error:
            self.left.set_result(type(error).__name__)
            raise
        self.left.set_result("done")


@asynccontextmanager
async def opened(port: int, request: bytes) -> AsyncIterator[tuple[asyncio.Task[Answered], asyncio.StreamWriter]]:
    """An open request, and its answer to come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.ensure_future(read_answer(reader))
    try:
        writer.write(request)
        yield answer, writer
    finally:
        answer.cancel()
        writer.close()


async def in_time(waiting: Any, begin: float) -> Any:
    """What comes of something, which has to be over within the limit."""
    found = await asyncio.wait_for(waiting, PATIENCE)
    assert time.monotonic() - begin < LIMIT
    return found


SIGNED = {"plain": plain, "signed": lambda: signed(head=RequestHead("POST", "/"), content=b"")}


@pytest.mark.parametrize("end", [revoke, expire])
@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("server", HTTP_SERVERS)
def test_a_stream_over_http_is_cut(server: str, kind: str, end: Any) -> None:
    """It does not end cleanly, and the app is cancelled; another caller's goes on."""

    async def run() -> None:
        scheme, app = agent(), Streaming()
        request = raw_request("POST", "/", SIGNED[kind]())
        async with served(TOTPMiddleware(app, scheme.scheme), server) as port, opened(port, request) as (answer, _):
            await asyncio.wait_for(app.begun.wait(), PATIENCE)
            rename(scheme)
            await asyncio.sleep(0.6)
            assert not answer.done() and not app.left.done()
            begin = time.monotonic()
            end(scheme)
            cut = await in_time(answer, begin)
            assert (cut.status, cut.body, cut.is_whole) == (200, b"first", False)
            assert await in_time(app.left, begin) == "CancelledError"

    asyncio.run(run())


@pytest.mark.parametrize("server", HTTP_SERVERS)
def test_what_a_caller_streams_is_cut_too(server: str) -> None:
    """A request that is still being sent."""

    async def run() -> None:
        scheme, app = agent(), Streaming()
        app.kind = "upload"
        async with served(TOTPMiddleware(app, scheme.scheme), server) as port:
            request = raw_request("POST", "/", plain(), b"x" * 10)[:-5]
            async with opened(port, request) as (_, _writer):
                await asyncio.wait_for(app.begun.wait(), PATIENCE)
                begin = time.monotonic()
                revoke(scheme)
                assert await in_time(app.left, begin) == "CancelledError"

    asyncio.run(run())


@pytest.mark.parametrize("server", HTTP_SERVERS)
def test_a_call_that_is_answered_whole_is_finished(server: str) -> None:
    """Its caller was let in."""

    async def run() -> None:
        scheme, app = agent(), Streaming()
        app.kind = "late"
        request = raw_request("POST", "/", plain())
        async with served(TOTPMiddleware(app, scheme.scheme), server) as port, opened(port, request) as (answer, _):
            await asyncio.wait_for(app.begun.wait(), PATIENCE)
            revoke(scheme)
            await asyncio.sleep(0.6)
            app.go_on.set()
            whole = await asyncio.wait_for(answer, PATIENCE)
            assert (whole.body, whole.is_whole, await app.left) == (b"done", True, "done")

    asyncio.run(run())


def test_a_stream_of_starlette_is_cut() -> None:
    """With BaseHTTPMiddleware behind the guard. (In front of it, that would end it cleanly.)"""

    async def run() -> None:
        scheme, begun = agent(), asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            yield b"first"
            begun.set()
            await asyncio.Event().wait()

        async def stream(_: Any) -> Any:
            return StreamingResponse(endless())

        app = Starlette(routes=[Route("/", stream, methods=["POST"])])
        app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
        app.add_middleware(TOTPMiddleware, scheme=scheme.scheme)
        async with served(app) as port, opened(port, raw_request("POST", "/", plain())) as (answer, _):
            await asyncio.wait_for(begun.wait(), PATIENCE)
            begin = time.monotonic()
            revoke(scheme)
            cut = await in_time(answer, begin)
            assert (cut.body, cut.is_whole) == (b"first", False)

    asyncio.run(run())


def test_an_answer_that_is_over_leaves_nothing_behind() -> None:
    """No task, and no timer that would wait for its credentials."""

    async def run() -> None:
        scheme, app = agent(), Streaming()
        app.go_on.set()
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(name.lower().encode(), value.encode()) for name, value in plain()]
        scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "headers": headers}
        before = asyncio.all_tasks()
        await TOTPMiddleware(app, scheme.scheme)(scope, None, send)  # type: ignore[arg-type]
        assert asyncio.all_tasks() == before
        assert sent[-1] == {"type": "http.response.body", "body": b"last"}

    asyncio.run(run())


def test_timeouts_around_a_cut_stream_are_not_confused() -> None:
    """The cancellation was the guard's own."""

    async def run() -> None:
        scheme, app = agent(), Streaming()

        async def send(message: Any) -> None:
            """Goes nowhere."""

        headers = [(name.lower().encode(), value.encode()) for name, value in plain()]
        scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "headers": headers}

        async def call() -> str:
            try:
                await TOTPMiddleware(app, scheme.scheme)(scope, None, send)  # type: ignore[arg-type]
            except CallerEndedError:
                await asyncio.sleep(0)
                return "cut"
            return "ended"

        calling = asyncio.ensure_future(asyncio.wait_for(call(), PATIENCE))
        await asyncio.wait_for(app.begun.wait(), PATIENCE)
        revoke(scheme)
        assert await calling == "cut"

    asyncio.run(run())


# gRPC


class Streams:
    """Streams in every shape, which say how they were left."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.left: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def _until_told(self) -> None:
        self.begun.set()
        try:
            await self.go_on.wait()
        except BaseException as error:
            self.left.set_result(type(error).__name__)
            raise
        self.left.set_result("done")

    async def down(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """As a2a-sdk streams."""
        yield b"first"
        await self._until_told()
        yield b"last"

    async def written(self, request: bytes, context: Any) -> None:
        """As the health service watches."""
        await context.write(b"first")
        await self._until_told()

    async def deaf(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """As a2a-sdk 1.3 does: it takes its cancellation for that of something that it waits for, and ends well."""
        yield b"first"
        with contextlib.suppress(asyncio.CancelledError):
            await self._until_told()

    async def failing(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """The cancellation becomes another error."""
        yield b"first"
        try:
            await self._until_told()
        except asyncio.CancelledError:
            raise RuntimeError from None

    async def up(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        """Waits for messages."""
        await anext(aiter(requests))
        await self._until_told()
        return b"last"

    async def both(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """As reflection does."""
        async for _ in requests:
            yield b"first"
            await self._until_told()

    async def unary(self, request: bytes, context: Any) -> bytes:
        """No stream."""
        await self._until_told()
        return b"whole"

    def handlers(self) -> grpc.GenericRpcHandler:
        """All of them."""
        return grpc.method_handlers_generic_handler(
            "t.S",
            {
                "Down": grpc.unary_stream_rpc_method_handler(self.down),
                "Written": grpc.unary_stream_rpc_method_handler(self.written),
                "Deaf": grpc.unary_stream_rpc_method_handler(self.deaf),
                "Failing": grpc.unary_stream_rpc_method_handler(self.failing),
                "Up": grpc.stream_unary_rpc_method_handler(self.up),
                "Both": grpc.stream_stream_rpc_method_handler(self.both),
                "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            },
        )


async def messages() -> AsyncIterator[bytes]:
    """One, and no end."""
    yield b"message"
    await asyncio.Event().wait()


METADATA = {
    "plain": lambda path: [(name.lower(), value) for name, value in without(plain(), "Content-Type")],
    "signed": metadata_of,
}


async def all_of(call: Any) -> list[bytes]:
    """The answers of a call, until it fails."""
    if not hasattr(call, "read"):
        return [await call]
    return [answer async for answer in call]


@pytest.mark.parametrize("end", [revoke, expire])
@pytest.mark.parametrize("kind", METADATA)
@pytest.mark.parametrize("method", ["Down", "Written", "Deaf", "Failing", "Up", "Both"])
def test_a_stream_over_grpc_ends_unauthenticated(method: str, kind: str, end: Any) -> None:
    """And its service is cancelled."""

    async def run() -> None:
        scheme, service = agent(), Streams()
        path = f"/t.S/{method}"
        async with grpc_served(scheme.scheme, service.handlers()) as channel:
            makers = {"Up": channel.stream_unary, "Both": channel.stream_stream}
            call: Any = makers.get(method, channel.unary_stream)(path)(
                messages() if method in makers else b"message", metadata=METADATA[kind](path)
            )
            answers = asyncio.ensure_future(all_of(call))
            await asyncio.wait_for(service.begun.wait(), PATIENCE)
            begin = time.monotonic()
            end(scheme)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await in_time(answers, begin)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert caught.value.details() == "the credentials that opened this stream are no longer valid"
            assert await in_time(service.left, begin) == "CancelledError"

    asyncio.run(run())


def test_a_unary_call_over_grpc_is_finished() -> None:
    """Its caller was let in; a stream whose credentials last is finished too."""

    async def run() -> None:
        scheme, service = agent(), Streams()
        async with grpc_served(scheme.scheme, service.handlers()) as channel:
            call = channel.unary_unary("/t.S/Unary")(b"message", metadata=METADATA["plain"](""))
            answer = asyncio.ensure_future(all_of(call))
            await asyncio.wait_for(service.begun.wait(), PATIENCE)
            revoke(scheme)
            await asyncio.sleep(0.6)
            service.go_on.set()
            assert await asyncio.wait_for(answer, PATIENCE) == [b"whole"]
        scheme, service = agent(), Streams()
        service.go_on.set()
        async with grpc_served(scheme.scheme, service.handlers()) as channel:
            stream = channel.unary_stream("/t.S/Down")(b"message", metadata=METADATA["signed"]("/t.S/Down"))
            assert await asyncio.wait_for(all_of(stream), PATIENCE) == [b"first", b"last"]

    asyncio.run(run())


@pytest.mark.parametrize("server", [one for one in HTTP_SERVERS if "hypercorn" not in one.values])
def test_an_app_that_goes_on_after_the_cut_reads_nothing_more(server: str) -> None:
    """What it was cancelled in may have swallowed that."""

    async def run() -> None:
        scheme, begun = agent(), asyncio.Event()
        cancelled, left = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def stubborn(_scope: Any, receive: Any, _send: Any) -> None:
            try:
                while True:
                    try:
                        message = await receive()
                        if cancelled.is_set():
                            left.set_result(message)
                            return
                        begun.set()
                    except asyncio.CancelledError:
                        if cancelled.is_set():
                            raise
                        cancelled.set()
            except Exception as error:  # noqa: BLE001
                left.set_result(error)

        async with served(TOTPMiddleware(stubborn, scheme.scheme), server) as port:
            request = raw_request("POST", "/", plain(), b"x" * 10)[:-5]
            async with opened(port, request) as (_, writer):
                await asyncio.wait_for(begun.wait(), PATIENCE)
                revoke(scheme)
                await asyncio.wait_for(cancelled.wait(), PATIENCE)
                writer.write(b"xx")
                assert isinstance(await asyncio.wait_for(left, PATIENCE), CallerEndedError)

    asyncio.run(run())
