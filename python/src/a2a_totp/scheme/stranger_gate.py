"""Between requests and a delegate: limits requests with unknown tokens, per source."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from a2a_totp.roster import Roster
from a2a_totp.scheme.first_factor import FirstFactor, TokenOwner
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.seen_tokens import SeenTokens
from a2a_totp.state.failure import Failure
from a2a_totp.state.strangers import StrangerLimit, key_of_source

_TOO_MANY_CHECKS = Failure(
    "overload", "too many new tokens of one source wait for the delegate: is it slow, or is somebody flooding it?"
)
_LONGEST_TURN = 2.0
"""Seconds that a token waits for its check while as many unknown ones of its source are checked as the limit allows."""
_BETWEEN_LOOKS = 0.02
_Adjust = Callable[[TokenOwner], TokenOwner]


class StrangerGate:
    """For a source over its limit a delegate is asked only about tokens that it merely looks up, and about those with
    which a peer was let in before. Those are still checked in full each time."""

    def __init__(self) -> None:
        self._limit, self._decoy = StrangerLimit(), StrangerLimit()
        self._lock = threading.Lock()
        self._seen = SeenTokens()
        self._running: dict[str, int] = {}

    async def identify(
        self, factor: FirstFactor, roster: Roster, token: str, token_hash: str, source: str, at: float, adjust: _Adjust
    ) -> TokenOwner:
        """Whose token it is; counts one that belongs to nobody. `adjust` says what the answer is taken for."""

        async def ask() -> TokenOwner:
            owner = adjust(await factor.identify(roster, token, token_hash, at))
            return self._counted(owner, factor, token_hash, source, at)

        if factor.may_always_ask(token_hash) or token_hash in self._seen:
            return await ask()
        return await self._in_turn(source, at, ask)

    def remember(self, outcome: Caller | Refusal, factor: FirstFactor, token_hash: str) -> None:
        """Remembers the token with which a peer was let in."""
        if isinstance(outcome, Caller) and not factor.may_always_ask(token_hash):
            with self._lock:
                self._seen.remember(token_hash, outcome.peer)

    def _counted(self, owner: TokenOwner, factor: FirstFactor, token_hash: str, source: str, at: float) -> TokenOwner:
        # A token that had to be verified costs as much if it is good and of no peer here.
        is_stranger = owner.reason == "token-refused" or (
            owner.reason == "peer-unknown" and not factor.may_always_ask(token_hash)
        )
        if not is_stranger:
            self._decoy.count("", at)
            return owner
        # If it was seen before, it has expired or was revoked.
        with self._lock:
            self._seen.forget(token_hash)
        wait = self._limit.count(source, at)
        return replace(owner, reason="strangers-exhausted", retry_after=wait) if wait else owner

    async def _in_turn(self, source: str, at: float, check: Callable[[], Awaitable[TokenOwner]]) -> TokenOwner:
        """Checks once the source has room for one more stranger, so that no more are checked than the limit allows."""
        key = key_of_source(source)
        deadline = time.monotonic() + _LONGEST_TURN
        while True:
            room = self._limit.room(source, at)
            if room <= 0:
                return TokenOwner(reason="strangers-exhausted", retry_after=self._limit.count(source, at))
            with self._lock:
                free = self._running.get(key, 0) < room
                if free:
                    self._running[key] = self._running.get(key, 0) + 1
            if free:
                break
            # The delegate fails or is slow: anything else makes room, or exhausts it.
            if time.monotonic() >= deadline:
                return TokenOwner(reason="delegate-failed", failure=_TOO_MANY_CHECKS)
            await asyncio.sleep(_BETWEEN_LOOKS)
        try:
            return await check()
        finally:
            with self._lock:
                self._running[key] -= 1
                if not self._running[key]:
                    del self._running[key]
