"""The keys of proofs."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field

PROOF_TAG = "a2a-totp/proof/v1"
"""What makes a member of `Signature-Input` a proof, whatever its label. Also the salt of all keys."""


@dataclass(frozen=True)
class ProofKey:
    """The key of the proofs of one seed for one agent. `keyid` names it, and is not secret."""

    keyid: str
    mac: bytes = field(repr=False)


def proof_key(seed: bytes, agent: str) -> ProofKey:
    """HKDF-SHA256 (RFC 5869) of the seed: independent of its codes, and of other agents' keys."""
    extracted = hmac.digest(PROOF_TAG.encode(), seed, "sha256")

    def expand(name: str) -> bytes:
        return hmac.digest(extracted, f"{name} {agent}\x01".encode(), "sha256")

    return ProofKey(f"{agent}/{base64.urlsafe_b64encode(expand('kid')[:6]).decode()}", expand("mac"))
