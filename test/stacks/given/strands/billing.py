"""What the reader of the page has: a Strands agent. Its model repeats all that the conversation's user said."""

from collections.abc import AsyncIterator
from typing import Any

from strands import Agent
from strands.models import Model


class Echo(Model):
    """Needs no network."""

    def update_config(self, **_: Any) -> None:
        """Has none."""

    def get_config(self) -> Any:
        """Has none."""
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:
        """Not asked for."""
        raise NotImplementedError

    async def stream(self, messages: Any, *_: Any, **__: Any) -> AsyncIterator[Any]:
        """The events of one answer."""
        said = [part["text"] for message in messages if message["role"] == "user" for part in message["content"]]
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        yield {"contentBlockDelta": {"delta": {"text": f"heard: {', '.join(said)}"}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


def make_agent(_context_id: str) -> Agent:
    """One for each conversation."""
    return Agent(name="billing", description="Repeats what it hears.", model=Echo(), callback_handler=None)
