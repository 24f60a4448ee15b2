"""Keeps peers apart on a2a-sdk 0.3, which has no owners of tasks. Loaded when one is used."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import (
    Callable,
)
from typing import Any

_TASK_STORE: Any = importlib.import_module("a2a.server.tasks").TaskStore
_AGENT_EXECUTOR: Any = importlib.import_module("a2a.server.agent_execution").AgentExecutor
_SDK_ERRORS: Any = importlib.import_module("a2a.utils.errors")
if not hasattr(_SDK_ERRORS, "ServerError"):
    raise ImportError("PeerTaskStore and PeerExecutor are for a2a-sdk 0.3; 1.x keeps the tasks of peers apart itself")


class PeerTaskStore(_TASK_STORE):  # type: ignore[misc]
    """A task store for each peer, so that the tasks of all others are not found.

    `make_store` makes the store of the peer that it is given, by default one in memory. Calls that no guard let in
    raise RuntimeError.
    """

    def __init__(self, make_store: Callable[[str], Any] | None = None) -> None:
        self._make_store = make_store or _store_in_memory
        self._stores: dict[str, Any] = {}

    def _store_of(self, context: Any) -> Any:
        peer = _peer_in(context)
        if peer not in self._stores:
            self._stores[peer] = self._make_store(peer)
        return self._stores[peer]

    async def save(self, task: Any, context: Any = None) -> None:
        """Called by the SDK for each change of a task."""
        await self._store_of(context).save(task, context)

    async def get(self, task_id: str, context: Any = None) -> Any:
        """The peer's own task, or None."""
        return await self._store_of(context).get(task_id, context)

    async def delete(self, task_id: str, context: Any = None) -> None:
        """Called with the id of a task of the peer's own."""
        await self._store_of(context).delete(task_id, context)


class PeerExecutor(_AGENT_EXECUTOR):  # type: ignore[misc]
    """Runs the executor `inner`, unless another peer began the conversation (`contextId`): InvalidParamsError, -32602.

    It remembers the last `most` conversations of each peer; let the agent itself remember no more. Those of one peer
    displace none of another. Calls that no guard let in raise RuntimeError.
    """

    def __init__(self, inner: Any, most: int = 10_000) -> None:
        self._inner = inner
        self._most = most
        self._owners: dict[str, str] = {}
        self._conversations: dict[str, OrderedDict[str, None]] = {}

    async def execute(self, context: Any, event_queue: Any) -> None:
        """Called by the SDK for each message."""
        peer, conversation = _peer_in(context.call_context), context.context_id
        if self._owners.setdefault(conversation, peer) != peer:
            refusal = _SDK_ERRORS.InvalidParamsError(message="this contextId cannot be used")
            raise _SDK_ERRORS.ServerError(refusal)
        own = self._conversations.setdefault(peer, OrderedDict())
        own[conversation] = None
        own.move_to_end(conversation)
        if len(own) > self._most:
            oldest, _ = own.popitem(last=False)
            del self._owners[oldest]
        await self._inner.execute(context, event_queue)

    async def cancel(self, context: Any, event_queue: Any) -> None:
        """Called by the SDK for a task that the store of the peer has."""
        await self._inner.cancel(context, event_queue)


def _store_in_memory(_: str) -> Any:
    return importlib.import_module("a2a.server.tasks").InMemoryTaskStore()


def _peer_in(context: Any) -> str:
    """The peer's name. Raises RuntimeError for a call that no guard let in."""
    if context is None or not context.user.is_authenticated:
        raise RuntimeError("no guard let this call in; add TOTPMiddleware or totp_interceptor")
    name: str = context.user.user_name
    return name
