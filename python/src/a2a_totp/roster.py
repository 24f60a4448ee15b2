"""Who may call, and with what."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import (
    Collection,
    Mapping,
)
from dataclasses import dataclass, field, replace

from a2a_totp.policies import Replay, Signed
from a2a_totp.profile import Profile
from a2a_totp.proof.keys import ProofKey, proof_key
from a2a_totp.seeds import seed_digest


@dataclass(frozen=True)
class Seed:
    """The key that a peer and the agent share. Refused from `expires_at` on, in unix seconds."""

    id: str
    key: bytes = field(repr=False)
    expires_at: float = math.inf


@dataclass(frozen=True)
class Peer:
    """One that may call."""

    name: str
    profile: Profile
    replay: Replay
    seeds: tuple[Seed, ...]
    signed: Signed = "off"
    proof_keys: tuple[ProofKey, ...] = field(default=(), repr=False)
    """Those of its seeds, in their order, made beforehand: making them takes time, which would tell that a token is
    live. None under `off`, where nobody asks."""

    @property
    def spends_proofs(self) -> bool:
        """Whether proofs change what is decided."""
        return self.signed in ("accept", "require")

    @property
    def may_share_seed(self) -> bool:
        """Under `once`, a request of one peer would spend the codes of the others, unless each is signed."""
        return self.replay != "once" or self.signed == "require"

    def with_proof_keys(self, agent: str) -> Peer:
        """The same with `proof_keys`, which are bound to the agent's name, where proofs are looked at."""
        if self.signed == "off":
            return self
        return replace(self, proof_keys=tuple(proof_key(seed.key, agent) for seed in self.seeds))

    @functools.cached_property
    def digests(self) -> tuple[str, ...]:
        """Those of its seeds, in their order."""
        return tuple(seed_digest(seed.key, self.profile) for seed in self.seeds)

    def live_digests(self, at: float) -> tuple[str, ...]:
        """Those of its live seeds."""
        return tuple(digest for seed, digest in zip(self.seeds, self.digests, strict=True) if at < seed.expires_at)


@dataclass(frozen=True)
class Grant:
    """What a token is good for. Refused from `expires_at` on, in unix seconds."""

    peer: Peer
    expires_at: float = math.inf


@dataclass(frozen=True)
class Canary:
    """A token that belongs to nobody. It is refused like an unknown one, and its use is reported."""

    name: str
    id: str | None = None
    """Of the token, where a canary has several."""


@dataclass(frozen=True)
class Roster:
    """What a server file says: the agent's profile, and by token hash who may call."""

    agent: str
    profile: Profile
    peers: Mapping[str, Peer]
    tokens: Mapping[str, Grant] = field(repr=False)
    sharing: frozenset[str] = frozenset()
    """The names of the peers that have a seed of another, and so its budget."""
    serial: int | None = None
    """Grows with each change of the store; None in a file without one."""
    signed: Signed = "off"
    """The agent's own policy for proofs, for the challenge. A peer's own may differ."""
    canaries: Mapping[str, Canary] = field(default_factory=dict, repr=False)
    """By token hash."""
    anyone: Peer | None = None
    """With one seed for all: stands for any peer, whatever its name. Then `peers` is empty."""

    def find(self, name: str) -> Peer | None:
        """The peer of that name."""
        if self.anyone is None:
            return self.peers.get(name)
        peer = copy.copy(self.anyone)
        # Keeps what was made of the seeds, which takes time.
        vars(peer)["name"] = name
        return peer

    def shares(self, name: str) -> bool:
        """Whether a peer shares a seed with another, and so its budget."""
        return self.anyone is not None or name in self.sharing

    @property
    def kinds_of_peers(self) -> Collection[Peer]:
        """All peers, or the one that stands for all of them."""
        return self.peers.values() if self.anyone is None else (self.anyone,)

    @functools.cached_property
    def longest_period(self) -> int:
        """Of the peers whose proofs are looked at, in seconds; 0 if there are none."""
        return max((peer.profile.period for peer in self.kinds_of_peers if peer.signed != "off"), default=0)

    def live_tokens(self, peer: Peer, at: float) -> frozenset[str]:
        """The hashes of the tokens whose guesses count for that peer: its own, or all where it shares a seed."""
        shares = self.shares(peer.name)
        return frozenset(
            token_hash
            for token_hash, grant in self.tokens.items()
            if at < grant.expires_at and (shares or grant.peer is peer)
        )
