"""The nonces that were spent."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from a2a_totp.errors import TOTPError
from a2a_totp.state.budgets import is_whole
from a2a_totp.state.contract import CLAIM_KEPT, Attempt, Decision, SpentProof
from a2a_totp.state.decisions import full_until, unknown_proof
from a2a_totp.state.kept import Kept


@dataclass
class _NonceBucket:
    """Nonces that expire at about the same time, and are forgotten together."""

    nonces: set[str] = field(default_factory=set)
    until_uptime: float = -math.inf
    """The uptime in seconds after which they are over in real time too."""


@dataclass
class _SeedNonces(Kept):
    """The nonces of one seed, by the unix second in which the last of them may expire."""

    buckets: dict[int, _NonceBucket] = field(default_factory=dict)
    count: int = 0
    forgotten_until: int | None = None
    """Nonces that expire in this second or before may have been forgotten."""


class SpentNonces:
    """The nonces that were spent, by seed, in one process.

    One is forgotten when it has expired both by the clock and by the uptime. A clock that was ahead and is set back
    would make forgotten ones valid again, so each seed remembers up to when they were forgotten, and what expires
    before that is unknown.
    """

    def __init__(self, most: int, most_in_all: int) -> None:
        self._most = parse_bound("most_nonces", most)
        self._most_in_all = parse_bound("most_nonces_in_all", most_in_all)
        self._seeds: dict[str, _SeedNonces] = {}
        self._count = 0
        self._next_sweep = -math.inf

    def spend(self, attempt: Attempt, seed: str, proof: SpentProof, since: int) -> Decision | None:
        """Spends a nonce; or says why not, and changes nothing. `since` is when the memory begins, in unix seconds."""
        own = self._seeds.get(seed)
        if own and any(proof.nonce in bucket.nonces for bucket in own.buckets.values()):
            return Decision("replayed")
        if proof.created < since:
            return unknown_proof(attempt, since)
        if own:
            self._forget(own, attempt.at_ms, time.monotonic())
            if own.forgotten_until is not None and proof.expires <= own.forgotten_until:
                return unknown_proof(attempt, own.forgotten_until + 1 - (proof.expires - proof.created))
        if not (own and own.count >= self._most) and self._count >= self._most_in_all:
            self.sweep(attempt.at_ms)
        if (own and own.count >= self._most) or self._count >= self._most_in_all:
            soonest = -(-attempt.at_ms // 1000) + attempt.proof_life
            return full_until(attempt, min(own.buckets) + 1 if own and own.buckets else soonest)
        self._add(attempt, self._seeds.setdefault(seed, _SeedNonces()), proof)
        return None

    def sweep(self, at_ms: int) -> None:
        """Forgets what is over, of all seeds; at most once a second."""
        uptime = time.monotonic()
        if uptime < self._next_sweep:
            return
        self._next_sweep = uptime + 1
        for own in self._seeds.values():
            self._forget(own, at_ms, uptime)
        at = at_ms / 1000
        for seed in [seed for seed, own in self._seeds.items() if own.count == 0 and own.is_over(at, uptime)]:
            del self._seeds[seed]

    def _forget(self, own: _SeedNonces, at_ms: int, uptime: float) -> None:
        over = [
            end for end, bucket in own.buckets.items() if at_ms >= (end + 1) * 1000 and uptime >= bucket.until_uptime
        ]
        for end in over:
            gone = len(own.buckets.pop(end).nonces)
            own.count -= gone
            self._count -= gone
            own.forgotten_until = end if own.forgotten_until is None else max(own.forgotten_until, end)

    def _add(self, attempt: Attempt, own: _SeedNonces, proof: SpentProof) -> None:
        end = bucket_end(attempt, proof.expires)
        bucket = own.buckets.setdefault(end, _NonceBucket())
        bucket.nonces.add(proof.nonce)
        bucket.until_uptime = max(bucket.until_uptime, time.monotonic() + end + 1 - attempt.at)
        own.count += 1
        self._count += 1
        own.keep(CLAIM_KEPT, attempt.at)


def bucket_end(attempt: Attempt, expires: int) -> int:
    """The unix second in which the last nonce of a bucket may expire: a look-up asks few buckets."""
    width = max(30, math.ceil(attempt.proof_life / 2))
    return -(-expires // width) * width


def parse_bound(option: str, bound: int) -> int:
    """Raises TOTPError ERR_CONFIG_INVALID unless the bound is a whole number above 0."""
    if is_whole(bound) and bound > 0:
        return bound
    raise TOTPError("ERR_CONFIG_INVALID", f"{option} must be a whole number above 0")
