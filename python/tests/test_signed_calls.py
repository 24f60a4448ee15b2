"""The messages of signed calls over gRPC, as the interceptor compares them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from signed_requests import ProofAgent, metadata_of, server_file

from a2a_totp.grpc import totp_interceptor

METHOD = "/test.Service/Unary"


def metadata(method: str = METHOD, content: bytes = b"message") -> list[tuple[str, str]]:
    """Of a signed call."""
    return metadata_of(method, content)


def called(asks: Callable[[grpc.aio.Channel], Awaitable[Any]], policy: str = "accept") -> tuple[Any, list[bytes]]:
    """What a real server answers to real calls, or the status; and the messages that its service parsed."""
    parsed: list[bytes] = []

    def parse(message: bytes) -> bytes:
        parsed.append(message)
        return message

    async def unary(request: bytes, context: Any) -> bytes:
        return request

    async def stream(request: bytes, context: Any) -> Any:
        yield request

    async def upload(requests: Any, context: Any) -> bytes:
        return b"".join([request async for request in requests])

    async def reading(_: Any, context: Any) -> bytes:
        found = b""
        while (message := await context.read()) is not grpc.aio.EOF:
            found += message
        return found

    methods = {
        "Reading": grpc.stream_unary_rpc_method_handler(reading, parse),
        "Unary": grpc.unary_unary_rpc_method_handler(unary, parse),
        "Stream": grpc.unary_stream_rpc_method_handler(stream, parse),
        "Upload": grpc.stream_unary_rpc_method_handler(upload, parse),
    }

    async def run() -> Any:
        server = grpc.aio.server(interceptors=[totp_interceptor(ProofAgent(server_file(policy)).scheme)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", methods),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", compression=grpc.Compression.Gzip) as channel:
                return await asyncio.wait_for(asks(channel), 20)
        except grpc.aio.AioRpcError as error:
            return error
        finally:
            await server.stop(None)

    return asyncio.run(run()), parsed


def unary(fields: list[tuple[str, str]], message: bytes = b"message") -> Callable[[grpc.aio.Channel], Any]:
    """One call."""
    return lambda channel: channel.unary_unary(METHOD)(message, metadata=fields)


def test_a_signed_call_is_let_in_with_its_message() -> None:
    """Compressed or not, and an answer that streams too."""
    assert called(unary(metadata())) == (b"message", [b"message"])

    async def first(channel: grpc.aio.Channel) -> bytes:
        answers = channel.unary_stream("/test.Service/Stream")(b"message", metadata=metadata("/test.Service/Stream"))
        return await anext(aiter(answers))

    assert called(first, "require") == (b"message", [b"message"])


@pytest.mark.parametrize(
    "ask",
    [unary(metadata(), b"other"), unary(metadata("/test.Service/Other")), unary(metadata()[:2] + metadata()[3:])],
    ids=["another message", "another method", "half a proof"],
)
def test_another_call_is_refused_and_not_parsed(ask: Callable[[grpc.aio.Channel], Any]) -> None:
    """With the challenge of an agent that requires proofs."""
    error, parsed = called(ask, "require")
    assert (error.code(), parsed) == (grpc.StatusCode.UNAUTHENTICATED, [])
    assert "accept-signature" in dict(error.trailing_metadata())


def test_a_signed_call_counts_once() -> None:
    """The second is a replay."""
    fields = metadata()

    async def twice(channel: grpc.aio.Channel) -> Any:
        await unary(fields)(channel)
        return await unary(fields)(channel)

    error, parsed = called(twice)
    assert (error.code(), len(parsed)) == (grpc.StatusCode.UNAUTHENTICATED, 1)


def upload(*messages: bytes) -> Callable[[grpc.aio.Channel], Any]:
    """A call with a stream of messages, whose proof is over `message`."""
    method = "/test.Service/Upload"
    return lambda channel: channel.stream_unary(method)(iter(messages), metadata=metadata(method))


@pytest.mark.parametrize("method", ["Upload", "Reading"])
def test_a_stream_of_messages_is_signed_by_its_first_one(method: str) -> None:
    """However the service reads."""
    path = f"/test.Service/{method}"

    def ask(*messages: bytes) -> Callable[[grpc.aio.Channel], Any]:
        return lambda channel: channel.stream_unary(path)(iter(messages), metadata=metadata(path))

    assert called(ask(b"message"), "require") == (b"message", [b"message"])
    for messages in ([b"other"], [b"message", b"more"], []):
        error, parsed = called(ask(*messages))
        assert (error.code(), parsed) == (grpc.StatusCode.UNAUTHENTICATED, messages[:-1])


def test_the_messages_of_a_stream_are_only_logged_where_proofs_do_not_matter(caplog: pytest.LogCaptureFixture) -> None:
    """Once a call."""
    assert called(upload(b"other", b"more"), "observe")[0] == b"othermore"
    assert caplog.text.count("proof_observed") == 1
    assert called(upload(), "observe")[0] == b""
    assert called(upload(b"other"), "off")[0] == b"other"
