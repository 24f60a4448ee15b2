"""Ends an open stream once the credentials of its caller end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import Any

from a2a_totp.scheme.outcome import Caller

ENDED_DETAILS = "the credentials that opened this stream are no longer valid"


class StreamEndedError(Exception):
    """Inside the guard only: the stream is to be ended with UNAUTHENTICATED."""


class EndingStream:
    """Watches one stream, and cancels its service where it waits."""

    def __init__(self, caller: Caller) -> None:
        self._task: Any = asyncio.current_task()
        self._is_inside = self._has_ended = False
        self._watching = asyncio.get_running_loop().create_task(self._watch(caller))

    async def _watch(self, caller: Caller) -> None:
        await caller.lifetime.wait()
        self._has_ended = True
        # Elsewhere it waits in grpc itself, for a slow client: the next message is not sent then.
        if self._is_inside:
            self._task.cancel()

    def release(self) -> None:
        """The stream is over."""
        self._watching.cancel()

    async def inside(self, waiting: Awaitable[Any]) -> Any:
        """Waits for the service. Once the stream has ended, raises StreamEndedError whatever it returns or raises.

        A service may take its cancellation for that of something else, and end as if it were done, as that of
        a2a-sdk 1.3 does: a part would look like the whole.
        """
        self._is_inside = True
        try:
            found = await waiting
        except (Exception, asyncio.CancelledError):
            if not self._has_ended:
                raise
        else:
            if not self._has_ended:
                return found
        finally:
            self._is_inside = False
        # Since Python 3.11: without it, what is awaited from here on would be cancelled again.
        if hasattr(self._task, "uncancel"):
            self._task.uncancel()
        raise StreamEndedError

    async def answers(self, answers: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """The answers of a service, until its end or that of the credentials."""
        iterator = aiter(answers)
        try:
            while True:
                try:
                    answer = await self.inside(anext(iterator))
                except StopAsyncIteration:
                    return
                yield answer
                if self._has_ended:
                    raise StreamEndedError
        finally:
            # The service notices where it yields, too.
            if hasattr(iterator, "aclose"):
                await iterator.aclose()
