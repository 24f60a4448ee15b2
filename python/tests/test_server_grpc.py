"""The interceptor in front of services that are not a2a-sdk's: every shape of call, and what it will not guard."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from live import PATIENCE, grpc_served

from a2a_totp.a2a.context_builder import GRPC_HANDLERS, report_peers_by_default
from a2a_totp.callers import caller_of
from a2a_totp.codes import code_of_step
from a2a_totp.grpc.guard import totp_interceptor
from a2a_totp.profile import Profile
from a2a_totp.scheme.key import GuardMissingError
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

VECTORS = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))
AT = 1_780_332_007.0
TOKEN = ("authorization", "Bearer a2at_vector-token-of-alice")
CODE = ("x-totp", code_of_step(b"\x01" * 20, Profile(), int(AT // 30)))


def scheme() -> TOTPServerAuthScheme:
    """One whose clock stands still."""
    roster = parse_server_file(json.dumps(VECTORS["files"]["own"]))
    return TOTPServerAuthScheme._of_roster(lambda: roster, now=lambda: AT, state=MemoryState(since=0))


class Service:
    """Answers with the caller's name, and remembers which messages were parsed and which methods ran."""

    def __init__(self) -> None:
        self.parsed: list[bytes] = []
        self.ran: list[str] = []

    def parse(self, message: bytes) -> bytes:
        """A request deserializer."""
        self.parsed.append(message)
        return bytes(message)

    def answer(self, kind: str, context: Any) -> bytes:
        """What each method answers."""
        self.ran.append(kind)
        caller = caller_of(context)
        return (caller.peer if caller else "nobody").encode()

    async def unary(self, request: bytes, context: Any) -> bytes:
        """One message, one answer."""
        return self.answer("unary", context)

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """As a2a-sdk streams."""
        yield self.answer("stream", context)

    async def written(self, request: bytes, context: Any) -> None:
        """As the health service streams: it writes to the context."""
        await context.write(self.answer("written", context))

    async def upload(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        """Many messages, one answer."""
        _ = [request async for request in requests]
        return self.answer("upload", context)

    async def chat(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """As the reflection service streams."""
        async for _ in requests:
            yield self.answer("chat", context)

    def synchronous(self, request: bytes, context: Any) -> bytes:
        """As services for threads are written."""
        return self.answer("synchronous", context)

    def handlers(self) -> grpc.GenericRpcHandler:
        """All of them, as a server takes them."""
        methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary, self.parse),
            "Raw": grpc.unary_unary_rpc_method_handler(self.unary),
            "Stream": grpc.unary_stream_rpc_method_handler(self.stream, self.parse),
            "Written": grpc.unary_stream_rpc_method_handler(self.written, self.parse),
            "Upload": grpc.stream_unary_rpc_method_handler(self.upload, self.parse),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat, self.parse),
            "Synchronous": grpc.unary_unary_rpc_method_handler(self.synchronous, self.parse),
        }
        return grpc.method_handlers_generic_handler("test.Service", methods)


Ask = Callable[[Any, Any], Any]
"""A call through a channel of grpc's synchronous client. That of `grpc.aio` writes a stream's next message though the
answer is there already, and then reports its own `INTERNAL` in place of the status that the server sent."""

SHAPES: dict[str, Ask] = {
    "Unary": lambda channel, metadata: channel.unary_unary("/test.Service/Unary")(b"x", metadata=metadata),
    "Raw": lambda channel, metadata: channel.unary_unary("/test.Service/Raw")(b"x", metadata=metadata),
    "Stream": lambda channel, metadata: next(channel.unary_stream("/test.Service/Stream")(b"x", metadata=metadata)),
    "Written": lambda channel, metadata: next(channel.unary_stream("/test.Service/Written")(b"x", metadata=metadata)),
    "Upload": lambda channel, metadata: channel.stream_unary("/test.Service/Upload")(iter([b"x"]), metadata=metadata),
    "Chat": lambda channel, metadata: next(
        channel.stream_stream("/test.Service/Chat")(iter([b"x"]), metadata=metadata)
    ),
}
SYNCHRONOUS: Ask = lambda channel, metadata: channel.unary_unary("/test.Service/Synchronous")(b"x", metadata=metadata)  # noqa: E731


async def answered(port: int, ask: Callable[[grpc.Channel], Any]) -> Any:
    """What a server of this loop answers to the synchronous client, which asks in a thread."""

    def run() -> Any:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            return ask(channel)

    return await asyncio.wait_for(asyncio.to_thread(run), PATIENCE)


def called(
    service: Service, ask: Ask, metadata: list[tuple[str, str]], checker: TOTPServerAuthScheme | None = None
) -> bytes:
    """What a real server with the interceptor answers to a real call."""

    async def run() -> bytes:
        server = grpc.aio.server(interceptors=[totp_interceptor(checker or scheme())])
        server.add_generic_rpc_handlers((service.handlers(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            return bytes(await answered(port, lambda channel: ask(channel, metadata)))
        finally:
            await server.stop(None)

    return asyncio.run(run())


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_call_knows_its_caller(shape: str) -> None:
    """Streams of either side too."""
    assert called(Service(), SHAPES[shape], [TOKEN, CODE]) == b"alice"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "metadata",
    [[], [TOKEN], [CODE], [TOKEN, CODE, CODE], [TOKEN, TOKEN, CODE], [TOKEN, ("x-totp", "000000")]],
    ids=["nothing", "token", "code", "two codes", "two tokens", "wrong code"],
)
def test_a_refused_call_runs_nothing_and_parses_nothing(shape: str, metadata: list[tuple[str, str]]) -> None:
    """And the answer carries the challenges."""
    service = Service()
    with pytest.raises(grpc.RpcError) as caught:
        called(service, SHAPES[shape], metadata)
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    challenges = [value for key, value in caught.value.trailing_metadata() if key == "www-authenticate"]
    assert challenges == [
        'Bearer realm="a2a"' + (', error="invalid_token"' if TOKEN in metadata else ""),
        'TOTP realm="a2a", header="X-TOTP"',
    ]
    assert (service.ran, service.parsed) == ([], [])


def test_a_synchronous_service_is_not_called(caplog: pytest.LogCaptureFixture) -> None:
    """Its own `context.abort` would stop nothing."""
    service = Service()
    with pytest.raises(grpc.RpcError), caplog.at_level(logging.CRITICAL + 1, "grpc"):
        called(service, SYNCHRONOUS, [TOKEN, CODE])
    assert service.ran == []


def test_a_synchronous_service_refuses_first() -> None:
    """Generated services have a synchronous handler for each method that they lack."""
    service = Service()
    with pytest.raises(grpc.RpcError) as caught:
        called(service, SYNCHRONOUS, [])
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert service.ran == []


def test_a_refusal_ends_the_call_though_abort_does_not() -> None:
    """As with a context that somebody wrapped badly."""

    class Lenient:
        async def abort(self, *_: Any) -> None:
            """Does nothing."""

        def invocation_metadata(self) -> list[tuple[str, str]]:
            return [TOKEN]

        def peer(self) -> str:
            return "ipv4:127.0.0.1:5"

    async def run() -> None:
        service = Service()

        async def found(_: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(service.unary)

        handler = await totp_interceptor(scheme()).intercept_service(found, None)
        with pytest.raises(GuardMissingError):
            await handler.unary_unary(b"x", Lenient())
        assert service.ran == []

    asyncio.run(run())


def test_strangers_of_one_address_are_one_source(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the connection, and over HTTP as over gRPC."""
    with pytest.raises(grpc.RpcError), caplog.at_level(logging.INFO):
        called(Service(), SHAPES["Unary"], [("authorization", "Bearer nobody"), CODE])
    assert "source=127.0.0.1" in caplog.text


def test_an_sdk_whose_builder_is_not_known_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without gRPC of the SDK's there is nothing to warn of."""
    report = report_peers_by_default.__wrapped__
    monkeypatch.setitem(sys.modules, GRPC_HANDLERS, None)
    report()
    assert not caplog.records
    monkeypatch.setitem(sys.modules, GRPC_HANDLERS, ModuleType("later"))
    report()
    assert "context_builder" in caplog.text


def test_health_is_open_where_that_is_asked_for() -> None:
    """Its own methods, spelled so, and nothing else; their services have no caller."""

    async def run() -> None:
        service = Service()
        methods = {"Check": service.unary, "List": service.unary, "Reset": service.unary}
        handlers = [
            grpc.method_handlers_generic_handler(
                name, {key: grpc.unary_unary_rpc_method_handler(behavior) for key, behavior in methods.items()}
            )
            for name in ("grpc.health.v1.Health", "grpc.health.v2.Health", "test.grpc.health.v1.Health")
        ]
        watch = grpc.unary_stream_rpc_method_handler(service.written)
        handlers.append(grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Watch": watch}))
        for options, opened in (({}, []), ({"open_health": True}, ["Check", "List"])):
            async with grpc_served(scheme(), *handlers, **options) as channel:
                for handler in handlers[:3]:
                    for key in methods:
                        path = f"/{handler.service_name()}/{key}"
                        try:
                            answer = await channel.unary_unary(path)(b"", timeout=20)
                            assert (key in opened, handler.service_name()) == (True, "grpc.health.v1.Health")
                            assert answer == b"nobody"
                        except grpc.aio.AioRpcError as error:
                            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
                            assert key not in opened or handler.service_name() != "grpc.health.v1.Health"

    asyncio.run(run())


def test_reflection_tells_nothing_to_strangers() -> None:
    """The real service, of grpcio-reflection."""
    reflection = pytest.importorskip("grpc_reflection.v1alpha.reflection")
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    async def run() -> None:
        server = grpc.aio.server(interceptors=[totp_interceptor(scheme())])
        reflection.enable_server_reflection(("test.Service", reflection.SERVICE_NAME), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            question = reflection_pb2.ServerReflectionRequest(list_services="")

            def ask(channel: grpc.Channel, metadata: list[tuple[str, str]]) -> list[str]:
                stub = reflection_pb2_grpc.ServerReflectionStub(channel)
                answers = list(stub.ServerReflectionInfo(iter([question]), metadata=metadata))
                return [service.name for service in answers[0].list_services_response.service]

            assert "test.Service" in await answered(port, lambda channel: ask(channel, [TOKEN, CODE]))
            with pytest.raises(grpc.RpcError) as refused:
                await answered(port, lambda channel: ask(channel, [TOKEN]))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        finally:
            await server.stop(None)

    asyncio.run(run())


def test_a_method_that_is_not_async_is_unimplemented(caplog: pytest.LogCaptureFixture) -> None:
    """Said once a method in the log; generated services have such a method for each that they lack."""

    async def run() -> None:
        async with grpc_served(scheme(), Service().handlers()) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await SYNCHRONOUS(channel, [TOKEN, CODE])
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    asyncio.run(run())
    assert caplog.text.count("/test.Service/Synchronous is not implemented as an `async def`") == 1


def test_a_message_that_cannot_be_parsed_is_an_error_of_the_call() -> None:
    """After its caller was let in."""

    def parse(_: bytes) -> bytes:
        raise ValueError("secret")

    service = Service()
    methods = {"Unary": grpc.unary_unary_rpc_method_handler(service.unary, parse)}

    async def run() -> None:
        async with grpc_served(scheme(), grpc.method_handlers_generic_handler("test.Service", methods)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await SHAPES["Unary"](channel, [TOKEN, CODE])
            assert (caught.value.code(), service.ran) == (grpc.StatusCode.INTERNAL, [])
            assert "secret" not in str(caught.value.details())

    asyncio.run(run())
