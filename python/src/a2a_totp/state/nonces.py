"""The nonces that were spent."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from a2a_totp.state.contract import Attempt, Decision, SpentProof, whole_seconds
from a2a_totp.state.kept import CLAIM_KEPT, Kept


@dataclass
class _Bucket:
    """Nonces that expire at about the same time, and are forgotten together."""

    nonces: set[str] = field(default_factory=set)
    until_uptime: float = -math.inf


@dataclass
class _SeedNonces(Kept):
    """The nonces of one seed, by the unix second in which the last of them may expire."""

    buckets: dict[int, _Bucket] = field(default_factory=dict)
    count: int = 0
    forgotten_until: float = -math.inf
    """Nonces that expire in this second or before may have been forgotten."""


class Nonces:
    """The nonces that were spent, by seed.

    One is forgotten when it has expired both by the clock and by the uptime. A clock that was ahead and is set back
    would make forgotten ones valid again, so each seed remembers up to when they were forgotten.
    """

    def __init__(self, most: int, most_in_all: int) -> None:
        if min(most, most_in_all) < 1:
            raise ValueError("most_nonces and most_nonces_in_all must be whole numbers above 0")
        self._most, self._most_in_all = most, most_in_all
        self._seeds: dict[str, _SeedNonces] = {}
        self._count = 0
        self._next_sweep = -math.inf

    def spend(self, attempt: Attempt, seed: str, proof: SpentProof, since: int) -> Decision | None:
        """Spends a nonce; or says why not, and changes nothing. `since` is when the memory begins, in unix seconds."""
        at, life = attempt.at, attempt.peer.profile.proof_life
        own = self._seeds.get(seed)
        if own and any(proof.nonce in bucket.nonces for bucket in own.buckets.values()):
            return Decision("replayed")
        if proof.created < since:
            return Decision("unknown", whole_seconds(since - at))
        if own:
            self._forget(own, at, time.monotonic())
            if proof.expires <= own.forgotten_until:
                known_from = own.forgotten_until + 1 - (proof.expires - proof.created)
                return Decision("unknown", whole_seconds(known_from - at))
        if not (own and own.count >= self._most) and self._count >= self._most_in_all:
            self.sweep(at)
        if (own and own.count >= self._most) or self._count >= self._most_in_all:
            room_from = min(own.buckets) + 1 if own and own.buckets else math.ceil(at) + life
            return Decision("full", whole_seconds(room_from - at))
        self._add(attempt, self._seeds.setdefault(seed, _SeedNonces()), proof)
        return None

    def sweep(self, at: float) -> None:
        """Forgets what is over, at most once a second."""
        uptime = time.monotonic()
        if uptime < self._next_sweep:
            return
        self._next_sweep = uptime + 1
        for own in self._seeds.values():
            self._forget(own, at, uptime)
        for seed in [seed for seed, own in self._seeds.items() if own.count == 0 and own.is_over(at, uptime)]:
            del self._seeds[seed]

    def _forget(self, own: _SeedNonces, at: float, uptime: float) -> None:
        for end in [end for end, bucket in own.buckets.items() if at >= end + 1 and uptime >= bucket.until_uptime]:
            gone = len(own.buckets.pop(end).nonces)
            own.count -= gone
            self._count -= gone
            own.forgotten_until = max(own.forgotten_until, end)

    def _add(self, attempt: Attempt, own: _SeedNonces, proof: SpentProof) -> None:
        # A look-up asks few buckets.
        width = max(30, math.ceil(attempt.peer.profile.proof_life / 2))
        end = -(-proof.expires // width) * width
        bucket = own.buckets.setdefault(end, _Bucket())
        bucket.nonces.add(proof.nonce)
        bucket.until_uptime = max(bucket.until_uptime, time.monotonic() + end + 1 - attempt.at)
        own.count += 1
        self._count += 1
        own.keep(CLAIM_KEPT, attempt.at)
