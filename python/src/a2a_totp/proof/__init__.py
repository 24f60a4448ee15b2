"""Proofs: HTTP Message Signatures (RFC 9421) in a frozen profile, keyed by a seed."""

from a2a_totp.proof.content import content_digest
from a2a_totp.proof.keys import ProofKey, proof_key
from a2a_totp.proof.reading import RequestHead
from a2a_totp.proof.signing import sign_request
from a2a_totp.proof.verdict import ProofRequest, ProofVerdict, SignedRequest, verify
from a2a_totp.proof.verifying import ProofReason

__all__ = [
    "ProofKey",
    "ProofReason",
    "ProofRequest",
    "ProofVerdict",
    "RequestHead",
    "SignedRequest",
    "content_digest",
    "proof_key",
    "sign_request",
    "verify",
]
