"""Calls an agent with a2a-sdk 0.3 over JSON-RPC and REST, once with each seam of the Python package.

Prints what came back as JSON: {"BINDING SEAM": text}.
"""

import asyncio
import json
import sys

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import AgentCard, Message, Part, Role, TextPart
from a2a_totp_client import TOTPAuth, TotpCredentials, TOTPInterceptor


async def call(card: AgentCard, binding: str, http: httpx.AsyncClient, interceptors: list[TOTPInterceptor]) -> str:
    """Sends a message and gives the text of the answer, whatever its form."""
    config = ClientConfig(httpx_client=http, supported_transports=[binding], use_client_preference=True)
    client = ClientFactory(config).create(card, interceptors=interceptors)
    parts = [Part(root=TextPart(text=f"hello over {binding}"))]
    text = ""
    async for event in client.send_message(Message(message_id="m1", role=Role.user, parts=parts)):
        answer = (
            event.parts
            if isinstance(event, Message)
            else [part for artifact in event[0].artifacts or [] for part in artifact.parts]
        )
        text = "".join(part.root.text for part in answer) or text
    return text


async def main(card_url: str) -> None:
    """Interceptor and httpx.Auth, over each binding."""
    credentials = TotpCredentials.from_env()
    async with httpx.AsyncClient() as plain, httpx.AsyncClient(auth=TOTPAuth(credentials)) as signing:
        card = await A2ACardResolver(signing, card_url.removesuffix("/.well-known/agent-card.json")).get_agent_card()
        answers = {}
        for binding in ("JSONRPC", "HTTP+JSON"):
            if binding == "JSONRPC":  # the REST transport of this line ignores interceptors
                answers[f"{binding} interceptor"] = await call(card, binding, plain, [TOTPInterceptor(credentials)])
            answers[f"{binding} httpx.Auth"] = await call(card, binding, signing, [])
        print(json.dumps(answers))


asyncio.run(main(sys.argv[1]))
