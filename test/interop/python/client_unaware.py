"""Calls an agent by its URL alone, with a2a-sdk 1.x as it is: sends, streams and gets, over every binding or one.

Prints as JSON: {"BINDING": {"send": text, "stream": [text], "get": state}}.
"""

import asyncio
import json
import sys

import grpc.aio
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.types import GetTaskRequest, Message, Part, Role, SendMessageRequest, StreamResponse, TaskState


def message(text: str) -> SendMessageRequest:
    """A message of one part."""
    return SendMessageRequest(message=Message(message_id=text, role=Role.ROLE_USER, parts=[Part(text=text)]))


def texts_of(event: StreamResponse) -> list[str]:
    """The texts of an event's artifacts."""
    parts = [*event.artifact_update.artifact.parts]
    for artifact in event.task.artifacts:
        parts += artifact.parts
    return [part.text for part in parts]


async def client_of(url: str, binding: str, *, streaming: bool) -> Client:
    """A client that knows a URL."""
    config = ClientConfig(
        streaming=streaming,
        grpc_channel_factory=grpc.aio.insecure_channel,
        supported_protocol_bindings=[binding],
    )
    return await ClientFactory(config).create_from_url(url)


async def call(url: str, binding: str) -> dict[str, object]:
    """Sends; streams, and says in the midst of it that the agent may go on; gets the task that was streamed."""
    async with (
        await client_of(url, binding, streaming=False) as sending,
        await client_of(url, binding, streaming=True) as streaming,
    ):
        sent = [text async for event in sending.send_message(message("hello")) for text in texts_of(event)]
        streamed: list[str] = []
        task = ""
        async for event in streaming.send_message(message("stream")):
            task = event.task.id or task
            for text in texts_of(event):
                streamed.append(text)
                if len(streamed) == 1:
                    async for _ in sending.send_message(message("go on")):
                        pass
        got = await streaming.get_task(GetTaskRequest(id=task))
        return {"send": "".join(sent), "stream": streamed, "get": TaskState.Name(got.status.state)}


async def main(url: str, bindings: list[str]) -> None:
    """Over each binding."""
    answers = {binding: await call(url, binding) for binding in bindings or ("JSONRPC", "HTTP+JSON", "GRPC")}
    print(json.dumps(answers))


asyncio.run(asyncio.wait_for(main(sys.argv[1], sys.argv[2:]), 60))
