"""Verifies what the head of a request shows of its proof."""

from __future__ import annotations

import hmac
import math
from collections.abc import (
    Sequence,
)
from typing import Literal

from a2a_totp.proof.keys import ProofKey
from a2a_totp.proof.reading import FieldLines, ReadProof, RequestHead, read_proof

ProofReason = Literal[
    "proof-missing",
    "proof-malformed",
    "proof-uncovered",
    "proof-digest",
    "proof-key",
    "proof-mac",
    "proof-stale",
    "proof-replayed",
]
"""Why a proof is refused, in the order in which the reasons are looked for."""


def verify_head(
    head: RequestHead,
    lines: FieldLines,
    *,
    header: str,
    period: int,
    window: int,
    keys: Sequence[ProofKey | None],
    decoy: ProofKey,
    at: float,
    own_life: int | None = None,
) -> tuple[ReadProof, int] | ProofReason | None:
    """Verifies everything about a proof that the head of the request shows: form, coverage, key, MAC and time.

    `keys` are those of the live seeds, with None for the others; `decoy` takes the place of one that is not known, so
    that the time does not tell. Returns the proof and the number of its key; the reason of a refusal; or None for an
    unsigned request. The content and the nonce are still to be compared.

    `own_life` is how long a proof of the peer may live, where that is shorter. What lives longer is verified all the
    same, so that the time does not tell the peer, and then refused as malformed.
    """
    life = (window + 1) * period
    proof = read_proof(head, lines, header, life, own_life)
    if proof is None or isinstance(proof, str):
        return proof
    own = life if own_life is None else own_life
    found = key_of_proof(proof, keys, decoy, own, at)
    if proof.expires - proof.created > own:
        return "proof-malformed"
    return found if isinstance(found, str) else (proof, found)


def key_of_proof(
    proof: ReadProof, keys: Sequence[ProofKey | None], decoy: ProofKey, life: int, at: float
) -> int | Literal["proof-key", "proof-mac", "proof-stale"]:
    """The number of the key that a proof was made with, or why it is refused. One MAC, known key or not."""
    named = [number for number, key in enumerate(keys) if key and key.keyid == proof.keyid]
    candidates = [(number, keys[number]) for number in named] or [(-1, decoy)]
    base = proof.base.encode("latin-1")
    right = -1
    for number, key in candidates:
        mac = hmac.digest(key.mac if key else b"", base, "sha256")
        if hmac.compare_digest(mac, proof.signature) and right < 0:
            right = number
    if not named:
        return "proof-key"
    if right < 0:
        return "proof-mac"
    now = math.floor(at)
    return right if proof.created <= now + life and now <= proof.expires else "proof-stale"
