"""A real gRPC server that records calls, for the tests of clients."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.struct_pb2 import Struct

SERVICE = "/test.Service"


@dataclass
class Call:
    """A call as it arrived. `content` is the serialised message, or the first one of a stream."""

    method: str
    fields: list[tuple[str, str]]
    content: bytes

    def values(self, name: str) -> list[str]:
        """All entries of a name."""
        return [value for one, value in self.fields if one == name]


@dataclass
class GrpcRecorder(grpc.GenericRpcHandler):
    """Answers each call with its own message, or refuses it with the trailers that it is given."""

    refusal: tuple[tuple[str, str], ...] | None = None
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def service(self, details: Any) -> Any:
        """Four kinds of methods, by their names. Messages stay bytes."""

        async def answer(content: bytes, context: Any) -> bytes:
            metadata = [(key, value) for key, value in context.invocation_metadata() if isinstance(value, str)]
            self.calls.append(Call(details.method, metadata, content))
            if self.refusal is not None:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no", self.refusal)
            return content

        async def unary_unary(request: bytes, context: Any) -> bytes:
            return await answer(request, context)

        async def unary_stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
            yield await answer(request, context)

        async def stream_unary(requests: AsyncIterator[bytes], context: Any) -> bytes:
            return await answer(b"".join([one async for one in requests]), context)

        async def stream_stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            yield await answer(b"".join([one async for one in requests]), context)

        makers = {
            f"{SERVICE}/UnaryUnary": grpc.unary_unary_rpc_method_handler(unary_unary),
            f"{SERVICE}/UnaryStream": grpc.unary_stream_rpc_method_handler(unary_stream),
            f"{SERVICE}/StreamUnary": grpc.stream_unary_rpc_method_handler(stream_unary),
            f"{SERVICE}/StreamStream": grpc.stream_stream_rpc_method_handler(stream_stream),
        }
        return makers.get(details.method)


@asynccontextmanager
async def grpc_recorder(
    tls: tuple[bytes, bytes] | None = None, refusal: tuple[tuple[str, str], ...] | None = None
) -> AsyncIterator[GrpcRecorder]:
    """On loopback, with TLS where it has key and certificate."""
    recording = GrpcRecorder(refusal)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((recording,))
    if tls is None:
        recording.port = server.add_insecure_port("127.0.0.1:0")
    else:
        recording.port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([tls]))
    await server.start()
    try:
        yield recording
    finally:
        await server.stop(None)


def certificate(folder: Path, name: str) -> tuple[bytes, bytes]:
    """A key, and a certificate that signs itself, for a host."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"),
        *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(cert)),
    ]
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603
    return key.read_bytes(), cert.read_bytes()


def message(**texts: str) -> Struct:
    """One with a map in it, whose order could differ."""
    made = Struct()
    made.update(texts)
    return made
