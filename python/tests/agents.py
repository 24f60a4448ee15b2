"""Schemes whose clock is set by hand, and what they decide one request after the other."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from a2a_totp.scheme import AuthRequest, Caller, Refusal, TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

numbers = itertools.count()


def seconds(text: str) -> float:
    """Unix seconds of a vector's instant."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Agent:
    """A scheme whose clock is set by hand, and whose second looks are taken at once."""

    def __init__(self, file: dict[str, Any], at: float, since: float = 0, **bounds: int) -> None:
        self.roster = parse_server_file(json.dumps(file))
        self.at = at
        # Of each agent its own: what an earlier one held back is logged while a later one is watched.
        self.source = f"agent-{next(numbers)}"
        self.state = MemoryState(since=since, **bounds)
        self._looks: list[Callable[[], Awaitable[None]]] = []
        self.scheme = TOTPServerAuthScheme._of_roster(
            lambda: self.roster, now=lambda: self.at, state=self.state, later=self._looks.append
        )

    async def decide(self, request: AuthRequest) -> Caller | Refusal:
        """The outcome, and then the second look at it."""
        outcome = await self.scheme.authenticate(request)
        await self.look()
        return outcome

    async def look(self) -> None:
        """Takes the second looks that are due."""
        while self._looks:
            await self._looks.pop(0)()

    def decided(self, request: AuthRequest) -> Caller | Refusal:
        """The same where no loop runs."""
        return asyncio.run(self.decide(request))
