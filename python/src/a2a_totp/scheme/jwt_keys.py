"""Which keys fit a token, and what signatures are checked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.extras import Extra

_LEAST_RSA_BITS = 2048
_KEY_TYPES = {"R": "RSA", "P": "RSA", "H": "oct"}
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}


def signatures_of(jwt: Any) -> Any:
    """What PyJWT checks signatures with, by the name Ed25519 (RFC 9864) too, which it may not know."""
    found = jwt.PyJWS()
    known = found.get_algorithms()
    if "EdDSA" in known and "Ed25519" not in known:
        found.register_algorithm("Ed25519", found.get_algorithm_by_name("EdDSA"))
    return found


def jwk_fits(key: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Whether a JWK may be the key of a token with this header: by what both say, whatever the key itself is."""
    algorithm = header["alg"]
    kind = _KEY_TYPES.get(algorithm[0], "OKP" if algorithm in ("EdDSA", "Ed25519") else "EC")
    operations = key.get("key_ops")
    return (
        key.get("kty") == kind
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and ("kid" not in header or key.get("kid") == header["kid"])
    )


def loaded_key(pem: bytes) -> Any:
    """A public key in PEM.

    Raises TOTPError ERR_CONFIG_INVALID for any other text.
    """
    with Extra("jwt"):
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE" in pem:
        raise invalid_jwt("key is private; pass the public one")
    try:
        return load_pem_public_key(pem)
    except ValueError:
        raise invalid_jwt("key is not a public key in PEM") from None


def fault_of(key: Any, algorithm: str) -> str | None:
    """Why a key fits no token of an algorithm. Found at the start, where every token would else be refused."""
    if isinstance(key, bytes):
        if not key:
            return "key is empty"
        return None if algorithm.startswith("HS") else "key is symmetric; pass algorithms, such as HS256"
    if hasattr(key, "sign"):
        return "key is private; pass the public one"
    if not hasattr(key, "verify"):
        return "key must be a PEM, a JWK, a public key of cryptography, or bytes"
    kind = type(key).__name__
    if algorithm[:2] in ("RS", "PS"):
        if "RSA" not in kind:
            return "key is of another kind than the algorithms"
        return None if key.key_size >= _LEAST_RSA_BITS else f"key is too short; RSA needs {_LEAST_RSA_BITS} bits"
    if algorithm in ("EdDSA", "Ed25519"):
        fits = "Ed25519" in kind or ("Ed448" in kind and algorithm == "EdDSA")
        return None if fits else "key is of another kind than the algorithms"
    fits = algorithm in _CURVES and getattr(getattr(key, "curve", None), "name", None) == _CURVES[algorithm]
    return None if fits else "key is of another kind than the algorithms"


def invalid_jwt(message: str) -> TOTPError:
    """An error of the set-up, which names the class."""
    return TOTPError("ERR_CONFIG_INVALID", f"JWTAuth: {message}")
