"""Agents of a2a-sdk, of whichever line is installed, behind the guards of this package: called by its clients."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from client_parts import SEED, TOKEN
from test_sdk_clients import BINDINGS, asked, send

from a2a_totp.a2a import TOTPCallContextBuilder
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.credentials import TotpCredentials
from a2a_totp.grpc import totp_channel_factory, totp_interceptor
from a2a_totp.httpx import TOTPAuth
from a2a_totp.scheme.scheme import TOTPServerAuthScheme

NEW_LINE = not version("a2a-sdk").startswith("0.3.")
pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")

WAIT = "wait"
"""The text of a message whose task has no end."""


def server_file(folder: Path, replay: str, signed: str) -> Path:
    """One peer, at an agent named `billing`."""
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    peer = {
        "replay": replay,
        "signed": signed,
        "seeds": [{"id": "s1", "seed": SEED, "createdAt": "2026-01-01T00:00:00Z"}],
        "tokens": [{"id": "t1", "hash": f"sha256:{hashed}", "createdAt": "2026-01-01T00:00:00Z"}],
    }
    requires = [word for word, needed in (("once", replay == "once"), ("signed", signed != "off")) if needed]
    file = {
        "version": 1, "requires": requires, "agent": "billing", "signed": signed,
        "profile": {"algorithm": "SHA1", "digits": 6, "period": 30, "window": 1, "header": "X-TOTP"},
        "peers": {"alice": {**peer, "algorithm": "SHA1", "digits": 6, "period": 30}},
    }  # fmt: skip
    path = folder / "server.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    path.chmod(0o600)
    return path


def built(origin: str, rpc_address: str, rpc: Any) -> tuple[Any, Any]:
    """The app of an agent that says who called, and its card; its gRPC service is added."""
    from a2a.server.agent_execution import AgentExecutor
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.request_handlers.grpc_handler import GrpcHandler
    from a2a.server.tasks import InMemoryTaskStore
    from a2a.types import AgentCard

    basics = {
        "name": "python", "description": "Says who called.", "version": "1.0.0", "capabilities": {"streaming": True},
        "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "echo", "name": "Echo", "description": "Echoes.", "tags": ["test"]}],
    }  # fmt: skip
    builder = TOTPCallContextBuilder()

    class Echo(AgentExecutor):
        async def execute(self, context: Any, event_queue: Any) -> None:
            if context.get_user_input() == WAIT:
                await event_queue.enqueue_event(task_of(context.message))
                await asyncio.Event().wait()
            text = f"{context.call_context.user.user_name} said: {context.get_user_input()}"
            await event_queue.enqueue_event(said(text))

        async def cancel(self, context: Any, event_queue: Any) -> None:
            """Nothing runs long enough."""

    urls = {"JSONRPC": f"{origin}/a2a/jsonrpc", "HTTP+JSON": f"{origin}/a2a/rest", "GRPC": rpc_address}
    if NEW_LINE:
        from a2a.helpers import new_task_from_user_message as task_of
        from a2a.helpers import new_text_message as said
        from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
        from a2a.types import a2a_pb2_grpc
        from google.protobuf.json_format import ParseDict
        from starlette.applications import Starlette

        interfaces = [{"url": url, "protocolBinding": one, "protocolVersion": "1.0"} for one, url in urls.items()]
        card = ParseDict({**basics, "supportedInterfaces": interfaces}, AgentCard())
        handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card)
        routes = [
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/a2a/jsonrpc", context_builder=builder),
            *create_rest_routes(handler, context_builder=builder, path_prefix="/a2a/rest"),
        ]
        a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(handler, context_builder=builder), rpc)
        return Starlette(routes=routes), card

    from a2a.grpc import a2a_pb2_grpc
    from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
    from a2a.utils import new_agent_text_message as said
    from a2a.utils import new_task as task_of
    from starlette.routing import Mount

    interfaces = [{"transport": binding, "url": url} for binding, url in urls.items()]
    card = AgentCard.model_validate(
        {**basics, "protocolVersion": "0.3.0", "url": urls["JSONRPC"], "preferredTransport": "JSONRPC",
         "additionalInterfaces": interfaces}
    )  # fmt: skip
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore())
    app = A2AStarletteApplication(card, handler, context_builder=builder).build(rpc_url="/a2a/jsonrpc")
    rest = A2ARESTFastAPIApplication(card, handler, context_builder=builder).build()
    app.router.routes.append(Mount("/a2a/rest", app=rest))
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(card, handler, context_builder=builder), rpc)
    return app, card


@asynccontextmanager
async def agent(scheme: TOTPServerAuthScheme) -> AsyncIterator[Any]:
    """Serves in this loop, and yields the card."""
    import grpc

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    rpc = grpc.aio.server(interceptors=[totp_interceptor(scheme)])
    rpc_address = f"127.0.0.1:{rpc.add_insecure_port('127.0.0.1:0')}"
    app, card = built(f"http://127.0.0.1:{listener.getsockname()[1]}", rpc_address, rpc)
    server = uvicorn.Server(uvicorn.Config(TOTPMiddleware(app, scheme), log_level="warning"))
    await rpc.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield card
    finally:
        server.should_exit = True
        await serving
        await rpc.stop(None)


@pytest.mark.parametrize(("replay", "signed"), [("once", "require"), ("once", "accept"), ("reuse", "off")])
def test_each_binding(tmp_path: Path, replay: str, signed: str) -> None:
    """Each agent knows who called; many calls share a step where they are signed."""
    scheme = TOTPServerAuthScheme.from_file(server_file(tmp_path, replay, signed))
    own = TotpCredentials(TOKEN, SEED, agent="billing", replay=replay, signed=signed, window=1)

    async def run() -> None:
        channels = totp_channel_factory(own)
        async with agent(scheme) as card, httpx.AsyncClient(auth=TOTPAuth(own), trust_env=False, timeout=60) as http:
            for binding in BINDINGS * 2:
                assert await send(card, binding, http, channels, []) == f"alice said: hello over {binding}"

    asyncio.run(run())


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_stream_breaks_off_with_the_credentials(tmp_path: Path, binding: str) -> None:
    """A client that saw an end would take a part for the whole."""
    path = server_file(tmp_path, "reuse", "off")
    scheme = TOTPServerAuthScheme.from_file(path)
    own = TotpCredentials(TOKEN, SEED)

    async def run() -> None:
        channels = totp_channel_factory(own)
        async with agent(scheme) as card, httpx.AsyncClient(auth=TOTPAuth(own), trust_env=False, timeout=60) as http:
            events = aiter(asked(card, binding, http, channels, [], WAIT))
            await anext(events)
            file = json.loads(path.read_text(encoding="utf-8"))
            file["peers"]["alice"]["tokens"][0]["hash"] = "sha256:" + "0" * 64
            path.write_text(json.dumps(file), encoding="utf-8")
            with pytest.raises(Exception, match=r"UNAUTHENTICATED|no longer valid|peer closed|incomplete"):
                async for _ in events:
                    pass

    asyncio.run(asyncio.wait_for(run(), 60))


def test_whoever_lacks_a_proof_is_refused(tmp_path: Path) -> None:
    """So that the test above shows something."""
    scheme = TOTPServerAuthScheme.from_file(server_file(tmp_path, "reuse", "require"))
    plain = TotpCredentials(TOKEN, SEED)

    async def run() -> None:
        channels = totp_channel_factory(plain)
        async with agent(scheme) as card, httpx.AsyncClient(auth=TOTPAuth(plain), trust_env=False, timeout=60) as http:
            for binding in BINDINGS:
                with pytest.raises(Exception, match=r"401|UNAUTHENTICATED"):
                    await send(card, binding, http, channels, [])

    asyncio.run(run())
