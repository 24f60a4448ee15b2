"""What the agents of both SDK lines share: a card, sockets, and the loop that serves until it is killed."""

import asyncio
import json
import socket
from typing import Any

import grpc
import uvicorn
from a2a_totp_server import TOTPMiddleware, TOTPServerAuthScheme, totp_interceptor
from starlette.applications import Starlette

SECURITY_0_3 = {
    "securitySchemes": {
        "bearer": {"type": "http", "scheme": "bearer"},
        "totp": {"type": "apiKey", "in": "header", "name": "X-TOTP"},
    },
    "security": [{"bearer": [], "totp": []}],
}
SECURITY_1_0 = {
    "securitySchemes": {
        "bearer": {"httpAuthSecurityScheme": {"scheme": "bearer"}},
        "totp": {"apiKeySecurityScheme": {"location": "header", "name": "X-TOTP"}},
    },
    "securityRequirements": [{"schemes": {"bearer": {"list": []}, "totp": {"list": []}}}],
}


def card_basics() -> dict[str, Any]:
    """What a card says in both versions."""
    return {
        "name": "python",
        "description": "Says who called.",
        "version": "1.0.0",
        "capabilities": {"streaming": True},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "echo", "name": "Echo", "description": "Echoes.", "tags": ["test"]}],
    }


def bound_socket() -> tuple[socket.socket, str]:
    """A free port of the loopback address, and its origin, before anything serves there."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


async def serve(
    app: Starlette, listener: socket.socket, origin: str, scheme: TOTPServerAuthScheme, rpc: grpc.aio.Server
):
    """Serves HTTP behind the middleware, and gRPC. Prints the card's URL once both answer."""
    app.add_middleware(TOTPMiddleware, scheme=scheme)
    await rpc.start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(json.dumps({"card": f"{origin}/.well-known/agent-card.json"}), flush=True)
    await serving
    await rpc.stop(None)


def grpc_server(scheme: TOTPServerAuthScheme) -> tuple[grpc.aio.Server, str]:
    """A gRPC server behind the interceptor, and its address."""
    server = grpc.aio.server(interceptors=[totp_interceptor(scheme)])
    return server, f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
