"""Calls an agent as crewAI does, without any model: its delegation path, and the client that it builds.

Arguments: the card's URL, and for how many seconds to poll with one client. Prints JSON.
"""

import asyncio
import json
import sys
import time
from typing import Any

import httpx
from a2a.client.errors import A2AClientHTTPError
from a2a.types import Message, Part, Role, TaskQueryParams, TextPart
from a2a_totp_crewai_client import TOTPClientAuthScheme
from crewai.a2a.auth import APIKeyAuth, BearerTokenAuth
from crewai.a2a.config import A2AClientConfig
from crewai.a2a.updates import PollingConfig, StreamingConfig
from crewai.a2a.utils.agent_card import _prepare_auth_headers, afetch_agent_card
from crewai.a2a.utils.delegation import _create_a2a_client, aexecute_a2a_delegation

CODES: list[str] = []


async def delegate(card_url: str, updates: PollingConfig | StreamingConfig) -> str:
    """What crewAI's delegation says came of the task."""
    config = A2AClientConfig(endpoint=card_url, auth=TOTPClientAuthScheme(), updates=updates)
    result = await aexecute_a2a_delegation(
        endpoint=str(config.endpoint),
        auth=config.auth,
        timeout=30,
        task_description="hello from crewAI",
        updates=config.updates,
    )
    return f"{result['status']}: {result.get('result') or result.get('error')}"


class Recording(TOTPClientAuthScheme):
    """Our scheme, and a note of the codes that are sent."""

    def configure_client(self, client: httpx.AsyncClient) -> None:
        """Looks at each request behind what sets its fields."""
        super().configure_client(client)

        async def note(request: httpx.Request) -> None:
            if self.name in request.headers:
                CODES.append(request.headers[self.name])

        client.event_hooks["request"].append(note)


class Frozen(BearerTokenAuth, APIKeyAuth):
    """What somebody would write first: both headers, when crewAI asks for them. They go stale."""

    api_key: str = ""
    name: str = "X-TOTP"

    async def apply_auth(self, client: Any, headers: Any) -> Any:
        """Asked once for each client."""
        scheme = TOTPClientAuthScheme()
        return {**headers, "Authorization": f"Bearer {scheme.token}", scheme.name: scheme.code()}

    def configure_client(self, client: Any) -> None:
        """Leaves it at that."""


async def poll(card_url: str, auth: TOTPClientAuthScheme | Frozen, seconds: float) -> dict[str, Any]:
    """Polls a task with one client of crewAI's making for so long, or until a poll is refused."""
    card = await afetch_agent_card(endpoint=card_url, auth=auth)
    headers, _ = await _prepare_auth_headers(auth, 30)
    polls, refused, begun = 0, None, time.monotonic()
    async with _create_a2a_client(card, "JSONRPC", 30, headers, streaming=False, auth=auth, use_polling=True) as client:
        message = Message(message_id="m1", role=Role.user, parts=[Part(root=TextPart(text="hello"))])
        task_id = [event async for event in client.send_message(message)][-1][0].id
        while refused is None and time.monotonic() - begun < seconds:
            try:
                await client.get_task(TaskQueryParams(id=task_id))
                polls += 1
            except A2AClientHTTPError as error:
                refused = error.status_code
            await asyncio.sleep(1)
    return {"seconds": time.monotonic() - begun, "polls": polls, "refused": refused}


async def main(card_url: str, seconds: float) -> None:
    """Both kinds of delegation; then polls with fresh codes, and beside them, to compare, with a frozen one."""
    answers: dict[str, Any] = {
        "polling": await delegate(card_url, PollingConfig(interval=0.2)),
        "streaming": await delegate(card_url, StreamingConfig()),
    }
    CODES.clear()
    answers["long"], answers["frozen"] = await asyncio.gather(
        poll(card_url, Recording(), seconds), poll(card_url, Frozen(token=TOTPClientAuthScheme().token), seconds)
    )
    answers["codes"] = len(set(CODES))
    print(json.dumps(answers))


asyncio.run(main(sys.argv[1], float(sys.argv[2])))
