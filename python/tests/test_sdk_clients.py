"""Clients of a2a-sdk, of whichever line is installed, at the demo agent: over each binding with each seam."""

import asyncio
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from demo import Demo, demo, needs_demo

from a2a_totp.a2a import TOTPInterceptor
from a2a_totp.client_errors import CannotSignError, CredentialsError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.grpc import totp_channel_factory
from a2a_totp.httpx import TOTPAuth

NEW_LINE = not version("a2a-sdk").startswith("0.3.")
BINDINGS = ("JSONRPC", "HTTP+JSON", "GRPC")
pytestmark = needs_demo


def asked(
    card: Any, binding: str, http: httpx.AsyncClient, channels: Any, interceptors: list[Any], text: str
) -> AsyncIterator[Any]:
    """Sends a message, and returns the events of the answer."""
    from a2a.client import ClientConfig, ClientFactory

    bindings = "supported_protocol_bindings" if NEW_LINE else "supported_transports"
    config = ClientConfig(
        httpx_client=http, grpc_channel_factory=channels, use_client_preference=True, **{bindings: [binding]}
    )
    client = ClientFactory(config).create(card, interceptors=interceptors)
    if NEW_LINE:
        from a2a.types import Message, Part, Role, SendMessageRequest

        sent = Message(message_id="m1", role=Role.ROLE_USER, parts=[Part(text=text)])
        return client.send_message(SendMessageRequest(message=sent))

    from a2a.types import Message, Part, Role, TextPart

    return client.send_message(Message(message_id="m1", role=Role.user, parts=[Part(root=TextPart(text=text))]))


async def send(card: Any, binding: str, http: httpx.AsyncClient, channels: Any, interceptors: list[Any]) -> str:
    """Sends a message, and returns the text of the answer, whatever its form."""
    events = asked(card, binding, http, channels, interceptors, f"hello over {binding}")
    if NEW_LINE:
        texts = []
        async for event in events:
            parts = [*event.message.parts, *event.artifact_update.artifact.parts]
            texts += [part.text for part in parts]
        return "".join(texts)

    from a2a.types import Message

    text = ""
    async for event in events:
        answer = (
            event.parts
            if isinstance(event, Message)
            else [part for artifact in event[0].artifacts or [] for part in artifact.parts]
        )
        text = "".join(part.root.text for part in answer) or text
    return text


async def card_of(agent: Demo, http: httpx.AsyncClient) -> Any:
    """As the SDK fetches it."""
    from a2a.client import A2ACardResolver

    return await A2ACardResolver(http, agent.origin).get_agent_card()


def signed_over_each_binding(agent: Demo, own: TotpCredentials) -> dict[str, str]:
    """With the seams that sign."""

    async def run() -> dict[str, str]:
        async with httpx.AsyncClient(auth=TOTPAuth(own), trust_env=False, timeout=60) as http:
            card, channels = await card_of(agent, http), totp_channel_factory(own)
            return {binding: await send(card, binding, http, channels, []) for binding in BINDINGS}

    return asyncio.run(run())


@pytest.mark.parametrize("policies", [("--signed", "require"), ("--strict",), ("--signed", "off")])
def test_each_binding(tmp_path: Path, policies: tuple[str, ...]) -> None:
    """Two calls and more in a step, under `once` too: they are signed."""
    with demo(tmp_path, *policies) as agent:
        own = TotpCredentials.from_file(agent.client_file)
        for _ in range(2):
            answers = signed_over_each_binding(agent, own)
            assert set(answers) == set(BINDINGS)
            assert all(f"hello over {binding}" in text for binding, text in answers.items()), answers


def test_interceptors(tmp_path: Path) -> None:
    """Over all bindings of 1.x; over JSON-RPC of 0.3, whose other transports ignore them."""
    import grpc

    with demo(tmp_path) as agent:
        own = TotpCredentials.from_file(agent.client_file)

        async def run() -> None:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
                card = await card_of(agent, http)
                for binding in BINDINGS if NEW_LINE else BINDINGS[:1]:
                    text = await send(card, binding, http, grpc.aio.insecure_channel, [TOTPInterceptor(own)])
                    assert f"hello over {binding}" in text
                elsewhere = TotpCredentials(own.token, own.seed, url="https://agent.example")
                with pytest.raises(CredentialsError):
                    await send(card, "JSONRPC", http, None, [TOTPInterceptor(elsewhere)])
                with pytest.raises(CredentialsError):
                    await send(card, "GRPC", http, totp_channel_factory(elsewhere), [])

        asyncio.run(run())


def test_without_the_second_factor_nobody_is_let_in(tmp_path: Path) -> None:
    """So that the tests above show something. And no interceptor sends what is to be signed."""
    with demo(tmp_path, "--signed", "require") as agent:
        own = TotpCredentials.from_file(agent.client_file)

        async def run() -> None:
            async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {own.token}"}) as http:
                card = await card_of(agent, http)
                with pytest.raises(Exception, match="401"):
                    await send(card, "JSONRPC", http, None, [])
            unsigned = TOTPAuth(own, sign="never")
            async with httpx.AsyncClient(auth=unsigned, trust_env=False) as http:
                with pytest.raises(Exception, match="401"):
                    await send(card, "JSONRPC", http, None, [])
            with pytest.raises(CannotSignError):
                TOTPInterceptor(own)

        asyncio.run(run())
