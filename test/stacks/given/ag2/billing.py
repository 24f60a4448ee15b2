"""What the reader of the page has: an AG2 agent. Its model repeats all that the conversation's user said."""

from typing import Any

from ag2 import Agent
from ag2.config import LLMClient, ModelConfig
from ag2.events import ModelMessage, ModelRequest, ModelResponse


class EchoClient(LLMClient):
    """Needs no network."""

    async def __call__(self, messages: Any, context: Any, **_: Any) -> ModelResponse:
        """One answer."""
        said = [part.content for message in messages if isinstance(message, ModelRequest) for part in message.parts]
        answer = ModelMessage(f"heard: {', '.join(said)}")
        await context.send(answer)
        return ModelResponse(answer)


class Echo(ModelConfig):
    """Where an LLM's would be."""

    def copy(self) -> "Echo":
        """It has no settings."""
        return self

    def create(self) -> EchoClient:
        """Asked once a turn."""
        return EchoClient()


agent = Agent("billing", "Repeats what it hears.", config=Echo())
