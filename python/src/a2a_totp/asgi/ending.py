"""Cuts an open stream off once the credentials of its caller end."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from a2a_totp.asgi.messages import ASGIApp, Receive, Scope, Send
from a2a_totp.scheme.outcome import Caller

_SETTLING = 0.1
"""Seconds until an answer that has begun is taken for a stream. Nearly all are whole by then, and cost no task."""

_ENDED = "the credentials that opened this stream are no longer valid"


class CallerEndedError(ConnectionError):
    """The credentials of the caller have ended while its stream was open, and it was cut off.

    Raised to the server, which closes the connection: a return would let what is in front end the answer cleanly, and a
    part would look like the whole.
    """


class _OpenAnswer:
    """Watches one answer. A call whose answer has not begun is finished: its caller was let in."""

    def __init__(self, caller: Caller, receive: Receive, send: Send) -> None:
        self._caller, self._receive, self._send = caller, receive, send
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._is_over = False
        self.is_cut = False

    async def receive(self) -> MutableMapping[str, Any]:
        """In place of the server's own, for the app. A caller can also stream to the agent.

        After the cut it gets nothing more: an app may have taken its cancellation for that of something else.
        """
        message = await self._receive()
        if self.is_cut:
            raise CallerEndedError(_ENDED)
        if message["type"] == "http.request" and message.get("more_body", False):
            self._begin()
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """The same. What an app still sends after the cut is dropped."""
        if self.is_cut:
            return
        if message["type"] == "http.response.start":
            self._begin()
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.release()
        await self._send(message)

    def release(self) -> None:
        """It is over by itself."""
        self._is_over = True
        if self._timer:
            self._timer.cancel()
        if self._watching:
            self._watching.cancel()

    def _begin(self) -> None:
        if self._timer is None and not self._is_over:
            self._timer = asyncio.get_running_loop().call_later(_SETTLING, self._watch)

    def _watch(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._cut_at_the_end())

    async def _cut_at_the_end(self) -> None:
        await self._caller.lifetime.wait()
        if not self._is_over and self._task:
            self.is_cut = True
            self._task.cancel()


async def run_with_caller(app: ASGIApp, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
    """Runs an app for a caller that was let in.

    Raises CallerEndedError where its stream was cut; the app is cancelled then, wherever it waits.
    """
    answer = _OpenAnswer(caller, receive, send)
    try:
        await app(scope, answer.receive, answer.send)
    except asyncio.CancelledError:
        if not answer.is_cut:
            raise
    finally:
        answer.release()
    if answer.is_cut:
        task: Any = asyncio.current_task()
        # Since Python 3.11: without it, timeouts around this request would take it for their own.
        if hasattr(task, "uncancel"):
            task.uncancel()
        raise CallerEndedError(_ENDED)
