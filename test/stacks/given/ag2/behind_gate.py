"""An AG2 agent without a guard, over JSON-RPC and gRPC: for a gate in front of both."""

import os
from typing import Any

from ag2.a2a import A2AServer, build_card

from billing import agent

url = os.environ["PUBLIC_URL"]
grpc_address = os.environ["GRPC_ADDRESS"]
card = build_card(agent, url=url, transports=["jsonrpc", "grpc"], grpc_url=grpc_address)
http = A2AServer(agent).build_jsonrpc(url=url, card=card)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serves gRPC as long as HTTP."""
    if scope["type"] != "lifespan":
        await http(scope, receive, send)
        return
    grpc = A2AServer(agent).build_grpc(bind=grpc_address, grpc_url=grpc_address, card=card)
    await grpc.start()
    await http(scope, receive, send)
    await grpc.stop(None)
