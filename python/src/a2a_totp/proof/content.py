"""The digest of a content."""

from __future__ import annotations

import hashlib
from typing import Any, Literal


def content_hash(binding: Literal["http", "grpc"], length: int = 0) -> Any:
    """A SHA-256 that takes the content as it is sent; of gRPC with its prefix, a zero byte and the length."""
    return hashlib.sha256(b"\0" + length.to_bytes(4, "big") if binding == "grpc" else b"")


def content_digest(binding: Literal["http", "grpc"], content: bytes) -> bytes:
    """The digest of a content at hand: of a body, or of a serialised message."""
    found = content_hash(binding, len(content))
    found.update(content)
    digest: bytes = found.digest()
    return digest
