"""Sends over every binding, knowing an agent's URL alone, with a2a-sdk 0.3 as it is.

Prints as JSON: {"BINDING": text}.
"""

import asyncio
import json
import sys

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import AgentCard, Message, Part, Role, TextPart


async def call(card: AgentCard, binding: str, http: httpx.AsyncClient) -> str:
    """Sends a message and gives the text of the task's last artifact."""
    config = ClientConfig(
        httpx_client=http,
        grpc_channel_factory=grpc.aio.insecure_channel,
        supported_transports=[binding],
        use_client_preference=True,
    )
    client = ClientFactory(config).create(card)
    text = ""
    async for event in client.send_message(
        Message(message_id="m1", role=Role.user, parts=[Part(root=TextPart(text="hello"))])
    ):
        if not isinstance(event, Message):
            parts = [part for artifact in event[0].artifacts or [] for part in artifact.parts]
            text = "".join(part.root.text for part in parts) or text
    return text


async def main(url: str) -> None:
    """Over each binding."""
    async with httpx.AsyncClient() as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        print(json.dumps({binding: await call(card, binding, http) for binding in ("JSONRPC", "HTTP+JSON", "GRPC")}))


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
