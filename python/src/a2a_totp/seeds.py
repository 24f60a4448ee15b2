"""Seeds: base32 (RFC 4648), the key that HMAC makes of one, and its digest."""

from __future__ import annotations

import base64
import hmac

from a2a_totp.profile import HASHES, Algorithm, Profile
from a2a_totp.proof.keys import PROOF_TAG

MINIMUM_SEED_BYTES = 16
"""RFC 4226 section 4, R6: the shared secret MUST have at least 128 bits."""


def hmac_key(key: bytes, algorithm: Algorithm) -> bytes:
    """The key as HMAC uses it (RFC 2104 section 2): two that are equal make the same codes."""
    new_hash = HASHES[algorithm]
    return (new_hash(key).digest() if len(key) > new_hash().block_size else key).rstrip(b"\0")


def seed_digest(key: bytes, profile: Profile) -> str:
    """How a seed is known where its codes are claimed and its guesses counted, whatever id, peer or agent it is under.

    HKDF-SHA256 (RFC 5869) to 16 bytes, in base64url.
    """
    extracted = hmac.digest(PROOF_TAG.encode(), hmac_key(key, profile.algorithm), "sha256")
    expanded = hmac.digest(extracted, f"claim {profile.period}\x01".encode(), "sha256")
    return base64.urlsafe_b64encode(expanded[:16]).decode().rstrip("=")
