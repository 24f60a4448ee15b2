"""The gRPC seams: both factors and a proof with every call, only where they belong. Over real connections."""

import asyncio
import base64
import threading
import time
from email.utils import formatdate
from pathlib import Path
from shutil import which
from typing import Any

import grpc
import pytest
from client_parts import TOKEN, credentials
from google.protobuf.struct_pb2 import Struct
from grpc_parts import SERVICE, Call, GrpcRecorder, certificate, grpc_recorder, message

from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.grpc import totp_channel_factory, totp_client_interceptors, totp_sync_client_interceptor
from a2a_totp.proof.content import content_digest
from a2a_totp.proof.keys import proof_key
from a2a_totp.proof.reading import RequestHead
from a2a_totp.proof.verifying import verify_head
from a2a_totp.steps import step_queue

PROOF = ("content-digest", "signature-input", "signature")
KINDS = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream")
PROXIES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of this machine."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


async def call(channel: grpc.aio.Channel, kind: str, sent: Any, **options: Any) -> Any:
    """One call, of whichever kind, as a stub makes it."""
    make = getattr(channel, {"UnaryUnary": "unary_unary", "UnaryStream": "unary_stream",
                             "StreamUnary": "stream_unary", "StreamStream": "stream_stream"}[kind])  # fmt: skip
    method = make(f"{SERVICE}/{kind}", Struct.SerializeToString, Struct.FromString)
    begun = method(iter([sent]) if kind.startswith("Stream") else sent, **options)
    return await anext(aiter(begun)) if kind.endswith("Stream") else await begun


def verdict(received: Call, own: TotpCredentials) -> Any:
    """What a verifier says of a call."""
    key = proof_key(own._key, own.agent or "")
    lines: dict[str, list[str]] = {}
    for name, value in received.fields:
        lines.setdefault(name, []).append(value)
    found = verify_head(
        RequestHead("POST", received.method, "grpc"), lines, header="x-totp", period=own.period, window=1,
        keys=[key], decoy=key, at=time.time(),
    )  # fmt: skip
    assert not isinstance(found, str | None), found
    assert found[0].digest == content_digest("grpc", received.content)
    return found


@pytest.mark.parametrize("factory", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_call(kind: str, factory: bool) -> None:
    """Is sent with both headers, once; and with a proof, unless it streams its requests."""
    own = credentials(agent="billing", signed="accept", window=1)
    stale = (("authorization", "Bearer stale"), ("x-totp", "000000"), ("signature", "x"), ("a2a-version", "1.0"))

    async def run() -> Call:
        async with grpc_recorder() as agent:
            made = (
                totp_channel_factory(own)(agent.target)
                if factory
                else grpc.aio.insecure_channel(agent.target, interceptors=totp_client_interceptors(own, agent.target))
            )
            async with made as channel:
                sent = message(b="2", a="1", c="3")
                assert await call(channel, kind, sent, metadata=stale) == sent
            (received,) = agent.calls
            return received

    received = asyncio.run(run())
    assert received.values("authorization") == [f"Bearer {TOKEN}"]
    (code,) = received.values("x-totp")
    assert code in {own.code(time.time() - one) for one in (0, own.period)}
    if kind.startswith("Stream"):
        assert not any(received.values(name) for name in PROOF)
    else:
        assert all(len(received.values(name)) == 1 for name in PROOF)
        assert verdict(received, own)
        assert '"x-totp" "a2a-version")' in received.values("signature-input")[0]


def test_what_cannot_be_signed_is_not_sent_under_require() -> None:
    """A stream of requests."""
    own = credentials(agent="billing", signed="require")

    async def run() -> None:
        async with grpc_recorder() as agent, totp_channel_factory(own)(agent.target) as channel:
            await call(channel, "UnaryUnary", message(a="1"))
            for kind in ("StreamUnary", "StreamStream"):
                with pytest.raises(CannotSignError):
                    await call(channel, kind, message(a="1"))
            assert len(agent.calls) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "target", ["other.example:1", "unix:/tmp/x", "127.0.0.1.example:1", "", "xds:///agent.example"]
)
def test_credentials_go_to_their_host_only(target: str) -> None:
    """That of the agent's URL, on any port; or that of the first channel: a card may name any other."""
    own = credentials(url="https://agent.example")
    assert totp_client_interceptors(own, "agent.example:50051")
    assert totp_client_interceptors(own, "dns:///agent.example:50051")
    with pytest.raises(CredentialsError):
        totp_client_interceptors(own, target)

    async def run() -> None:
        channels = totp_channel_factory(credentials())
        async with channels("agent.example:1"), channels("agent.example:2"):
            with pytest.raises(CredentialsError):
                channels(target)

    asyncio.run(run())


def test_plaintext_is_for_loopback() -> None:
    """gRPC itself refuses to send the credentials of a call without TLS; the factory then makes TLS."""

    async def run() -> None:
        async with grpc_recorder() as agent:
            theirs = totp_client_interceptors(credentials(), "agent.example:443")
            async with grpc.aio.insecure_channel(agent.target, interceptors=theirs) as channel:
                for kind in KINDS:
                    with pytest.raises(CredentialsError, match="TLS"):
                        await call(channel, kind, message(a="1"), timeout=20)
            trusted = totp_client_interceptors(credentials(), "agent.example:443", insecure_http=True)
            async with grpc.aio.insecure_channel(agent.target, interceptors=trusted) as channel:
                await call(channel, "UnaryUnary", message(a="1"))
            assert len(agent.calls) == 1

    asyncio.run(run())


@pytest.mark.skipif(which("openssl") is None, reason="needs openssl")
def test_over_tls_the_authority_has_to_be_the_host(tmp_path: Path) -> None:
    """Then the credentials are made once there is a connection."""
    own = credentials(agent="billing", url="https://agent.example")
    key, cert = certificate(tmp_path, "agent.example")

    async def run() -> None:
        async with grpc_recorder((key, cert)) as agent:
            theirs = totp_client_interceptors(own, "agent.example:443")
            trust = grpc.ssl_channel_credentials(cert)
            for authority, let_in in (("agent.example", True), ("other.example", False)):
                named = [("grpc.ssl_target_name_override", "agent.example"), ("grpc.default_authority", authority)]
                async with grpc.aio.secure_channel(agent.target, trust, named, interceptors=theirs) as channel:
                    for kind in ("UnaryUnary", "UnaryStream"):
                        if let_in:
                            await call(channel, kind, message(a="1"), timeout=20)
                        else:
                            with pytest.raises(grpc.aio.AioRpcError):
                                await call(channel, kind, message(a="1"), timeout=20)
            assert len(agent.calls) == 2
            for received in agent.calls:
                assert received.values("authorization") == [f"Bearer {TOKEN}"]
                assert verdict(received, own)

    asyncio.run(run())


def test_loopback_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The factory goes past it; a channel of one's own would not, so nothing is sent there."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def run() -> None:
        async with grpc_recorder() as agent:
            with pytest.raises(CredentialsError, match="proxy"):
                totp_client_interceptors(credentials(), agent.target)
            async with totp_channel_factory(credentials())(agent.target) as channel:
                await call(channel, "UnaryUnary", message(a="1"))
            monkeypatch.setenv("no_grpc_proxy", "127.0.0.1")
            assert totp_client_interceptors(credentials(), agent.target)

    asyncio.run(run())


def test_under_once_a_call_waits_for_a_step(caplog: pytest.LogCaptureFixture) -> None:
    """Not for long, and not where it is signed."""
    seed = base64.b32encode(b"seed-of-a-grpc-test-").decode()
    own = credentials(replay="once", period=120, seed=seed)
    step_queue(own.seed_id, 120)._reserve(1000, 0)
    signing = credentials(replay="once", period=120, seed=seed, agent="a", signed="accept")

    async def run() -> None:
        async with grpc_recorder() as agent:
            async with totp_channel_factory(own, max_wait=0)(agent.target) as channel:
                for kind in KINDS:
                    with pytest.raises(StepSpentError):
                        await call(channel, kind, message(a="1"))
            async with totp_channel_factory(signing, max_wait=0)(agent.target) as channel:
                for _ in range(2):
                    await call(channel, "UnaryUnary", message(a="1"))
            assert len(agent.calls) == 2

    asyncio.run(run())
    assert not caplog.records


def test_a_refusal_is_explained_once(caplog: pytest.LogCaptureFixture) -> None:
    """By its trailers. Nothing is sent again."""
    refusal = (("www-authenticate", 'TOTP realm="a2a", proof="required"'), ("date", formatdate(0, usegmt=True)))

    async def run() -> None:
        async with (
            grpc_recorder(refusal=refusal) as agent,
            totp_channel_factory(credentials())(agent.target) as channel,
        ):
            for kind in ("UnaryUnary", "UnaryStream"):
                with pytest.raises(grpc.aio.AioRpcError):
                    await call(channel, kind, message(a="1"))
            deadline = time.monotonic() + 20
            while not caplog.records and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            assert len(agent.calls) == 2

    asyncio.run(run())
    assert [record.getMessage()[:42] for record in caplog.records] == ["the agent refused a request that was not s"]


@pytest.mark.parametrize("kind", KINDS)
def test_plain_grpc(kind: str) -> None:
    """In threads: the same headers and proofs."""
    own = credentials(agent="billing", window=1)
    ready, done, found = threading.Event(), threading.Event(), list[GrpcRecorder]()

    async def serve() -> None:
        async with grpc_recorder() as agent:
            found.append(agent)
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    serving = threading.Thread(target=lambda: asyncio.run(serve()))
    serving.start()
    try:
        assert ready.wait(20)
        (agent,) = found
        with grpc.insecure_channel(agent.target) as bare:
            channel = grpc.intercept_channel(bare, totp_sync_client_interceptor(own, agent.target))
            make = getattr(channel, {"UnaryUnary": "unary_unary", "UnaryStream": "unary_stream",
                                     "StreamUnary": "stream_unary", "StreamStream": "stream_stream"}[kind])  # fmt: skip
            method = make(f"{SERVICE}/{kind}", Struct.SerializeToString, Struct.FromString)
            sent = message(a="1", b="2")
            answer = method(iter([sent]) if kind.startswith("Stream") else sent, metadata=(("x-totp", "1"),))
            assert (next(iter(answer)) if kind.endswith("Stream") else answer) == sent
            with pytest.raises(CredentialsError):
                totp_sync_client_interceptor(credentials(url="https://agent.example"), agent.target)
        (received,) = agent.calls
        assert received.values("authorization") == [f"Bearer {TOKEN}"]
        assert len(received.values("x-totp")) == 1
        if not kind.startswith("Stream"):
            assert verdict(received, own)
    finally:
        done.set()
        serving.join()
