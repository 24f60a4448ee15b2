"""The state that all replicas of an agent share, in Redis or Valkey."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from a2a_totp.errors import TOTPError
from a2a_totp.state.budgets import is_whole
from a2a_totp.state.contract import Attempt, Decision, Match, Supports, milliseconds
from a2a_totp.state.dead_tokens import DeadTokens
from a2a_totp.state.failure import TIMED_OUT, UNKNOWN_FAILURE
from a2a_totp.state.nonces import parse_bound
from a2a_totp.state.redis_answers import ScriptAnswer, decision_of_answer, parse_script_answer
from a2a_totp.state.redis_failure import (
    NOT_CONNECTED,
    TOO_MANY_WAITING,
    StateUnavailableError,
    failure_of,
    is_no_script,
)
from a2a_totp.state.redis_questions import decide_keys, decide_question, take_back_keys, take_back_question
from a2a_totp.state.redis_scripts import DECIDE, TAKE_BACK, Script

_Answered = TypeVar("_Answered")
_MOST_UNANSWERED = 10_000
"""How many decisions may wait at once: a Redis that hangs must not fill this process's memory."""


class RedisClient(Protocol):
    """What is used of a client: `redis.asyncio.Redis`, `redis.asyncio.RedisCluster`, or one of your own.

    Both methods raise when Redis cannot answer; `evalsha` raises the server's own `NOSCRIPT …` error, or a
    NoScriptError, when the server does not know the script.
    """

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Any:
        """EVALSHA. Returns something to await."""
        ...

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:
        """EVAL. Runs the script, which the server then knows. Returns something to await."""
        ...


class RedisState:
    """A state that all replicas of an agent share, in Redis (7 or later) or Valkey.

    The keys and scripts are those of the TypeScript library, so replicas of both may share one Redis and prefix. Each
    decision is one script and one round trip. Two or three are needed for the first decision under `once` or with a
    proof after Redis was started or flushed, and for the first one in this process that finds a budget exhausted by a
    token that was rotated away. Raises StateUnavailableError when Redis fails or takes too long, and the request is
    refused (503).

    Redis learns no code, token, seed or name: all of them are hashed, and codes are keyed with the seed's digest. It
    must not evict (`maxmemory-policy noeviction`): a memory with gaps accepts a code twice.

    `client` is one of `redis.asyncio`, `Redis` or `RedisCluster`, whatever its options. It stays yours: the state never
    closes it. Use it in one event loop.

    `prefix` is what all keys begin with, in braces. Agents that share it share claims and budgets of the seeds that
    they share. The braces are a hash tag: in a cluster, all keys of a deployment live and die on one node.

    `timeout_ms` is the limit for one decision; after it the request is refused. `clock_skew_ms` is by how much the
    clocks of an agent's replicas may differ. `most_nonces` is how many nonces of signed requests are remembered at most
    for each seed: with the default profile, at least 1,500 signed requests a second if the peer's clock is right;
    beyond that its signed requests are refused (503). `now` is the scheme's clock, in unix seconds.

    Raises TOTPError ERR_CONFIG_INVALID for a client that is not asynchronous, a prefix with braces, or times that are
    not whole numbers.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "a2a-totp",
        timeout_ms: int = 500,
        clock_skew_ms: int = 1000,
        most_nonces: int = 240_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        _require_async(client)
        if not isinstance(prefix, str) or not re.fullmatch(r"[^{}\s]{1,64}", prefix):
            raise TOTPError("ERR_CONFIG_INVALID", "prefix must be 1 to 64 characters without braces or whitespace")
        if not (is_whole(timeout_ms) and timeout_ms > 0 and is_whole(clock_skew_ms) and clock_skew_ms >= 0):
            raise TOTPError(
                "ERR_CONFIG_INVALID",
                "timeout_ms must be a whole number above 0, clock_skew_ms a whole number of 0 or more",
            )
        self._client = client
        self._prefix = prefix
        self._timeout_ms, self._clock_skew_ms = timeout_ms, clock_skew_ms
        self._most_nonces = parse_bound("most_nonces", most_nonces)
        self._now = now
        self._dead = DeadTokens()
        self._unanswered = 0

    @property
    def supports(self) -> Supports:
        """Both."""
        return Supports(once=True, proofs=True)

    async def decide(self, attempt: Attempt) -> Decision:
        """Whether an attempt may pass. Raises StateUnavailableError."""
        return await self._bounded(lambda: self._decide(attempt))

    async def take_back(self, attempt: Attempt, late: Match) -> bool:
        """Takes back a counted guess that turned out to be a code outside of the window, and says whether it did.

        Raises StateUnavailableError.
        """
        keys, question = take_back_keys(self._prefix, attempt), take_back_question(attempt, late)
        reply: object = await self._bounded(lambda: self._run(TAKE_BACK, keys, question))
        return reply == 1

    async def _decide(self, attempt: Attempt) -> Decision:
        keys = decide_keys(self._prefix, attempt)
        question = decide_question(attempt, self._most_nonces)
        known = self._dead.known(attempt)
        answer = await self._ask(keys, {**question, "dead": known})
        decision = decision_of_answer(attempt, answer)
        dead = tuple(dict.fromkeys([*known, *self._dead.learn(attempt, answer.tokens)]))
        if len(dead) == len(known):
            return decision
        # Dead tokens were counted. A guess is not counted twice: the next question only asks for the budgets.
        if answer.kind == "throttled":
            return decision_of_answer(attempt, await self._ask(keys, {**question, "dead": dead}))
        budgets_alone = {"at": question["at"], "budgets": question["budgets"], "dead": dead}
        again = await self._ask(keys, budgets_alone)
        return Decision("wrong", counted=True, tripped=again.kind == "throttled")

    async def _ask(self, keys: Sequence[str], question: dict[str, Any]) -> ScriptAnswer:
        """Asks once; asks again only to load the script or to begin a new memory."""
        answer = parse_script_answer(await self._run(DECIDE, keys, question, {**question, "restarted": True}))
        if answer.kind != "lost":
            return answer
        # Redis takes the beginning only in time, so it is never earlier than what was lost.
        begins = milliseconds(self._now()) + self._timeout_ms + self._clock_skew_ms
        begin = {"at": begins, "lostAt": answer.value, "withinMs": self._timeout_ms}
        again = {**question, "begin": begin}
        return parse_script_answer(await self._run(DECIDE, keys, again, {**again, "restarted": True}))

    async def _run(
        self,
        script: Script,
        keys: Sequence[str],
        argument: dict[str, Any],
        to_new_server: dict[str, Any] | None = None,
    ) -> Any:
        """Runs a script, which a server that does not know it learns; that one may get another argument."""
        try:
            return await self._client.evalsha(script.sha, len(keys), *keys, _as_json(argument))
        except Exception as error:
            if not is_no_script(error):
                raise
        return await self._client.eval(script.text, len(keys), *keys, _as_json(to_new_server or argument))

    async def _bounded(self, answer: Callable[[], Coroutine[Any, Any, _Answered]]) -> _Answered:
        """Limits how many questions wait, and for how long; says why there is no answer.

        Not left to the client, which may try again for long.
        """
        if self._unanswered >= _MOST_UNANSWERED:
            raise StateUnavailableError("Redis cannot answer", TOO_MANY_WAITING)
        met: list[BaseException] = []
        task = asyncio.ensure_future(_noting(answer(), met))
        self._unanswered += 1
        task.add_done_callback(self._answered)
        try:
            await asyncio.wait({task}, timeout=self._timeout_ms / 1000)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done() and not task.cancelled():
            try:
                return task.result()
            except Exception as error:
                failure = failure_of(error, self._prefix)
                raise StateUnavailableError("Redis cannot answer", failure) from error
        is_connecting = _is_connecting(self._client)
        task.cancel()
        # The client ends what it does, and shows what it was doing: waiting, or trying again after an error.
        for _ in range(3):
            await asyncio.sleep(0)
        tried = failure_of(met[0], self._prefix) if met else NOT_CONNECTED if is_connecting else TIMED_OUT
        raise StateUnavailableError("Redis cannot answer", TIMED_OUT if tried == UNKNOWN_FAILURE else tried)

    def _answered(self, task: asyncio.Task[Any]) -> None:
        self._unanswered -= 1
        if not task.cancelled():
            # So that nobody reports it as never retrieved.
            task.exception()


def redis_state(
    client: RedisClient,
    *,
    prefix: str = "a2a-totp",
    timeout_ms: int = 500,
    clock_skew_ms: int = 1000,
    most_nonces: int = 240_000,
    now: Callable[[], float] = time.time,
) -> RedisState:
    """A state in Redis or Valkey; see RedisState."""
    bounds = {"timeout_ms": timeout_ms, "clock_skew_ms": clock_skew_ms, "most_nonces": most_nonces}
    return RedisState(client, prefix=prefix, now=now, **bounds)


def _require_async(client: object) -> None:
    execute = getattr(client, "execute_command", None)
    usable = all(callable(getattr(client, name, None)) for name in ("evalsha", "eval"))
    if not usable or (execute is not None and not inspect.iscoroutinefunction(execute)):
        raise TOTPError(
            "ERR_CONFIG_INVALID",
            "redis_state cannot use this client; pass a Redis or RedisCluster of redis.asyncio, "
            "since one of redis would stop the event loop",
        )


def _is_connecting(client: object) -> bool:
    """Whether none of the connections in use is established: tells a server that is gone from one that hangs.

    redis-py has no public way to ask. Where its pool looks otherwise, the answer is False.
    """
    in_use = getattr(getattr(client, "connection_pool", None), "_in_use_connections", ())
    return bool(in_use) and not any(getattr(connection, "is_connected", True) for connection in in_use)


async def _noting(answer: Coroutine[Any, Any, _Answered], met: list[BaseException]) -> _Answered:
    """Notes the error that the client was dealing with when it was told to end."""
    try:
        return await answer
    except asyncio.CancelledError as cancelled:
        if cancelled.__context__ is not None:
            met.append(cancelled.__context__)
        raise


def _as_json(argument: dict[str, Any]) -> str:
    return json.dumps(argument, separators=(",", ":"))
