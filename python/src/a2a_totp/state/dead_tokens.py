"""Tokens that are no longer live, as Redis is told of them."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Collection, Iterable

from a2a_totp.state.contract import Attempt

_MOST_SEEDS = 1000
_MOST_TAGS = 100_000


class DeadTokens:
    """Remembers tokens that guesses were made with and that are no longer live.

    So Redis is told at once and need not be asked twice. Forgetting costs a round trip, and nothing else.
    """

    def __init__(self) -> None:
        # Tags of tokens by seed.
        self._by_seed: dict[str, tuple[str, ...]] = {}

    def known(self, attempt: Attempt) -> tuple[str, ...]:
        """The tags that are known to be dead. One that is live again is not among them."""
        if attempt.live_tokens is None or not self._by_seed:
            return ()
        tags = [tag for seed in attempt.seeds for tag in self._by_seed.get(seed, ())]
        return _dead_among(tags, attempt.live_tokens()) if tags else ()

    def learn(self, attempt: Attempt, tags: Collection[str]) -> tuple[str, ...]:
        """Notes the tags of tokens that guesses were made with, and returns the dead ones among them."""
        if attempt.live_tokens is None or not tags:
            return ()
        dead = _dead_among(tags, attempt.live_tokens())
        seed = attempt.seeds[0] if attempt.seeds else ""
        self._by_seed.pop(seed, None)
        if dead:
            self._by_seed[seed] = dead
        if len(self._by_seed) > _MOST_SEEDS:
            del self._by_seed[next(iter(self._by_seed))]
        return dead


def _dead_among(tags: Iterable[str], live: Collection[str] | None) -> tuple[str, ...]:
    if live is None:
        return ()
    alive = {token_tag(token) for token in live}
    return tuple(dict.fromkeys(tag for tag in tags if tag not in alive))


@functools.lru_cache(_MOST_TAGS)
def token_tag(token: str) -> str:
    """How Redis knows a token: 42 bits of a hash of its hash. With a letter, since ioredis reads digits as a number."""
    return "t" + base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode()[:7]
