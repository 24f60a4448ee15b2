"""What the head of a request shows of its proof."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from a2a_totp.proof.keys import proof_key
from a2a_totp.proof.reading import RequestHead, may_be_signed
from a2a_totp.proof.verifying import verify_head
from a2a_totp.roster import Peer, Roster
from a2a_totp.scheme.examined import ABSENT_PROOF, CheckedProof

_DECOY_PROOF_KEY = proof_key(secrets.token_bytes(20), "decoy")
"""In place of a key that is not known, so that it takes as long."""


def check_proof(
    roster: Roster, peer: Peer, head: RequestHead | None, lines: Mapping[str, Sequence[str]], at: float
) -> CheckedProof:
    """Where any peer's proofs are looked at, those of all requests are: the time would tell which tokens are live.

    Never raises, whatever is in the request.
    """
    if roster.longest_period == 0 or not may_be_signed(lines):
        return ABSENT_PROOF
    if head is None:
        return CheckedProof("unseen")
    live = zip(peer.seeds, peer.proof_keys, strict=True) if peer.signed != "off" else ()
    keys = [key if at < seed.expires_at else None for seed, key in live]
    try:
        found = verify_head(
            head,
            lines,
            header=roster.profile.header.lower(),
            # The longest one for everybody, so that no more is read for one token than for another; then its own.
            period=roster.longest_period,
            window=peer.profile.window,
            keys=keys,
            decoy=_DECOY_PROOF_KEY,
            at=at,
            own_life=peer.profile.proof_life,
        )
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        # Whatever a caller sends is refused, and no error of the server.
        return CheckedProof("invalid", "proof-malformed")
    if found is None:
        return ABSENT_PROOF
    if isinstance(found, str):
        return CheckedProof("invalid", found)
    proof, seed = found
    return CheckedProof("valid", "", proof, seed)


def refused_proof(peer: Peer, checked: CheckedProof) -> str | None:
    """Why the peer's policy refuses a request for its proof, before the code is looked at."""
    if not peer.spends_proofs or checked.kind == "valid":
        return None
    if checked.kind == "unseen":
        return "guard-failed"
    if checked.kind == "invalid":
        return checked.reason
    return "proof-missing" if peer.signed == "require" else None
