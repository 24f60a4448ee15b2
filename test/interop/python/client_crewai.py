"""Calls an agent as crewAI does, without any model: its delegation path, and the client that it builds.

Arguments: the card's URL, and for how many seconds to poll with one client. Prints JSON.
"""

import asyncio
import json
import sys
import time

from a2a.types import Message, Part, Role, TaskQueryParams, TextPart
from a2a_totp_crewai_client import TOTPClientAuthScheme
from crewai.a2a.config import A2AClientConfig
from crewai.a2a.updates import PollingConfig, StreamingConfig
from crewai.a2a.utils.agent_card import _prepare_auth_headers, afetch_agent_card
from crewai.a2a.utils.delegation import _create_a2a_client, aexecute_a2a_delegation


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


async def poll(card_url: str, seconds: float) -> dict[str, float]:
    """Polls a task with one client of crewAI's making for so long; raises when a poll is refused."""
    auth = TOTPClientAuthScheme()
    card = await afetch_agent_card(endpoint=card_url, auth=auth)
    headers, _ = await _prepare_auth_headers(auth, 30)
    polls, until = 0, time.monotonic() + seconds
    async with _create_a2a_client(card, "JSONRPC", 30, headers, streaming=False, auth=auth, use_polling=True) as client:
        message = Message(message_id="m1", role=Role.user, parts=[Part(root=TextPart(text="hello"))])
        task_id = [event async for event in client.send_message(message)][-1][0].id
        while time.monotonic() < until:
            await client.get_task(TaskQueryParams(id=task_id))
            polls += 1
            await asyncio.sleep(1)
    return {"seconds": seconds, "polls": polls}


async def main(card_url: str, seconds: float) -> None:
    """All three, one after the other."""
    answers = {
        "polling": await delegate(card_url, PollingConfig(interval=0.2)),
        "streaming": await delegate(card_url, StreamingConfig()),
        "long": await poll(card_url, seconds),
    }
    print(json.dumps(answers))


asyncio.run(main(sys.argv[1], float(sys.argv[2])))
