"""What the reader of the page has: an agent. Its model repeats all that the conversation's user said."""

from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, ChatResponseUpdate, Content, Message, ResponseStream


class Echo(BaseChatClient):
    """Needs no network."""

    def _inner_get_response(self, *, messages: Any, stream: bool, **_: Any) -> Any:
        said = ", ".join(message.text for message in messages if message.role == "user")
        content = [Content.from_text(f"heard: {said}")]

        async def answer() -> ChatResponse:
            return ChatResponse(messages=[Message("assistant", content)])

        async def updates() -> Any:
            yield ChatResponseUpdate(contents=content, role="assistant")

        return ResponseStream(updates(), finalizer=ChatResponse.from_updates) if stream else answer()


agent = Agent(Echo(), "You repeat.", name="billing", description="Repeats what it hears.")
