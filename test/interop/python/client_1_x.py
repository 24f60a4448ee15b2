"""Calls an agent with a2a-sdk 1.x over every binding of its card, once with each seam of the Python package.

Prints what came back as JSON: {"BINDING SEAM": text}.
"""

import asyncio
import json
import sys

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import AgentCard, Message, Part, Role, SendMessageRequest
from a2a_totp_client import TOTPAuth, TotpCredentials, TOTPInterceptor


async def call(card: AgentCard, binding: str, http: httpx.AsyncClient, interceptors: list[TOTPInterceptor]) -> str:
    """Sends a message and gives the text of the answer, whatever its form."""
    config = ClientConfig(
        httpx_client=http,
        grpc_channel_factory=grpc.aio.insecure_channel,
        supported_protocol_bindings=[binding],
        use_client_preference=True,
    )
    client = ClientFactory(config).create(card, interceptors=interceptors)
    message = Message(message_id="m1", role=Role.ROLE_USER, parts=[Part(text=f"hello over {binding}")])
    texts = []
    async for event in client.send_message(SendMessageRequest(message=message)):
        parts = [*event.message.parts, *event.artifact_update.artifact.parts]
        texts += [part.text for part in parts]
    return "".join(texts)


async def main(card_url: str) -> None:
    """Interceptor and httpx.Auth, over each binding."""
    credentials = TotpCredentials.from_env()
    async with httpx.AsyncClient() as plain, httpx.AsyncClient(auth=TOTPAuth(credentials)) as signing:
        card = await A2ACardResolver(signing, card_url.removesuffix("/.well-known/agent-card.json")).get_agent_card()
        answers = {}
        for binding in sorted({interface.protocol_binding for interface in card.supported_interfaces}):
            answers[f"{binding} interceptor"] = await call(card, binding, plain, [TOTPInterceptor(credentials)])
            if binding != "GRPC":
                answers[f"{binding} httpx.Auth"] = await call(card, binding, signing, [])
        print(json.dumps(answers))


asyncio.run(main(sys.argv[1]))
