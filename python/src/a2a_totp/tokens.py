"""Bearer tokens (RFC 6750), and the hashes that are kept in their place."""

from __future__ import annotations

import hashlib
import re

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_HASHED_TOKEN = re.compile(r"sha256:[0-9a-f]{64}")


def is_b64token(text: str) -> bool:
    """Whether a request can carry a text as its token (RFC 6750 section 2.1)."""
    return _B64TOKEN.fullmatch(text) is not None


def hash_token(token: str) -> str:
    """What server files hold in place of a token: `sha256:` and its digest in hex."""
    return "sha256:" + hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_token_hash(text: str) -> bool:
    """Whether a text is what `hash_token` returns; no token is, because of the colon."""
    return _HASHED_TOKEN.fullmatch(text) is not None
