"""Reads an agent's card with the resolver of the a2a-sdk that is installed, and prints what that made of it."""

import asyncio
import json
import sys
from typing import Any

import httpx
from a2a.client import A2ACardResolver
from google.protobuf.json_format import MessageToDict


def as_json(card: Any) -> dict[str, Any]:
    """A pydantic model in 0.3, a protobuf message in 1.x."""
    if hasattr(card, "model_dump"):
        return dict(card.model_dump(mode="json", by_alias=True, exclude_none=True))
    return dict(MessageToDict(card))


async def main(origin: str) -> None:
    """The agent's origin is the argument."""
    async with httpx.AsyncClient() as client:
        print(json.dumps(as_json(await A2ACardResolver(client, origin).get_agent_card())))


asyncio.run(main(sys.argv[1]))
