"""What is done after the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from a2a_totp.log import logger

_LATER = 0.05
"""Seconds until an answer is out. The next turn of a loop is too soon: other middleware may still be passing it on."""

_tasks: set[asyncio.Task[None]] = set()
"""A loop holds its tasks weakly."""


def after_answer(look: Callable[[], Awaitable[None]]) -> None:
    """Runs something a moment later, when the answer is out; at once when the loop ends before."""
    task = asyncio.get_running_loop().create_task(_wait_and_look(look))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _wait_and_look(look: Callable[[], Awaitable[None]]) -> None:
    # asyncio.run cancels what is left, and waits for it.
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(_LATER)
    (error,) = await asyncio.gather(look(), return_exceptions=True)
    if isinstance(error, Exception):
        logger.error("a guess could not be looked at again", exc_info=error)
