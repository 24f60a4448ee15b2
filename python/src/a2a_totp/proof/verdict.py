"""The verdict on the proof of one request, without a scheme."""

from __future__ import annotations

import base64
import functools
import hmac
import math
from collections.abc import (
    Iterable,
    Mapping,
)
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from a2a_totp.base32 import bytes_of_base32
from a2a_totp.proof.content import content_digest
from a2a_totp.proof.keys import ProofKey, proof_key
from a2a_totp.proof.reading import RequestHead, read_proof
from a2a_totp.proof.verifying import ProofReason, key_of_proof


@dataclass(frozen=True)
class ProofVerdict:
    """What the proof of a request is worth.

    `unsigned`: there is no proof of this profile, which policy `require` refuses as `proof-missing`. `refused` has a
    `reason`, and the `keyid` as it was sent where the proof has the form of the profile.
    """

    verdict: Literal["valid", "unsigned", "refused"]
    reason: ProofReason | None = None
    keyid: str | None = None


class SignedRequest(Protocol):
    """A request whose proof is to be verified. An `AuthRequest` is one, and so is a `ProofRequest`."""

    @property
    def method(self) -> str:
        """Of HTTP; `POST` for gRPC."""
        ...

    @property
    def target(self) -> str | None:
        """Path and query as received; for gRPC `/package.Service/Method`."""
        ...

    @property
    def fields(self) -> Iterable[tuple[str, str]]:
        """All header field lines in order, or the metadata of gRPC."""
        ...

    @property
    def content(self) -> bytes | None:
        """The content as it was sent; for gRPC the serialised message without its prefix. None: there is none."""
        ...

    @property
    def binding(self) -> Literal["http", "grpc"]:
        """How it came."""
        ...


@dataclass(frozen=True)
class ProofRequest:
    """A request whose proof is to be verified; see SignedRequest."""

    method: str
    target: str
    fields: Iterable[tuple[str, str]] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    binding: Literal["http", "grpc"] = "http"


def verify(
    request: SignedRequest | Mapping[str, Any],
    *,
    seeds: Iterable[str | bytes],
    agent: str,
    header: str = "X-TOTP",
    period: int = 30,
    window: int = 1,
    now: float | datetime,
) -> ProofVerdict:
    """Verifies the proof of one request: form, coverage, key, MAC, time and content (docs/wire.md).

    It keeps no state: token, code, and whether the nonce was used before, are still to be checked. Nothing that a
    caller sent makes it raise.

    `request` may also be a mapping with the members of a SignedRequest, and it may have `headers`, and `body` or
    `bodyBase64`, in place of `fields` and `content`, as the vectors have them.

    `seeds` are the live seeds of the peer, in base32 or as bytes, `agent` is the name of the agent in its store,
    `header` the field of the code in any case. `period` is in seconds, `window` in time steps, `now` in unix seconds or
    a datetime with its zone.

    Raises ValueError or TypeError for options or a request of another shape.
    """
    keys = [proof_key(_seed_bytes(seed), agent) for seed in _seed_list(seeds)]
    _require_input(isinstance(agent, str) and agent != "", "agent must be the name of the agent")
    _require_input(isinstance(header, str) and header != "", "header must be the name of a field")
    _require_input(_is_whole_number(period) and period > 0, "period must be a number of seconds")
    _require_input(_is_whole_number(window) and window >= 0, "window must be a number of time steps")
    at = _seconds_of(now)
    head, lines, content = _read_request(request)
    life = (window + 1) * period
    proof = read_proof(head, lines, header.lower(), life)
    if proof is None:
        return ProofVerdict("unsigned")
    if isinstance(proof, str):
        return ProofVerdict("refused", proof)
    found = key_of_proof(proof, keys, _decoy_proof_key(), life, at)
    if isinstance(found, str):
        return ProofVerdict("refused", found, proof.keyid)
    if not hmac.compare_digest(content_digest(head.binding, content), proof.digest):
        return ProofVerdict("refused", "proof-digest", proof.keyid)
    return ProofVerdict("valid", None, proof.keyid)


@functools.cache
def _decoy_proof_key() -> ProofKey:
    """Only takes as long as a key; nothing that matches it is let in."""
    return proof_key(bytes(20), "decoy")


def _require_input(right: bool, message: str) -> None:
    if not right:
        raise ValueError(message)


def _is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seed_list(seeds: Iterable[str | bytes]) -> list[str | bytes]:
    if isinstance(seeds, (str, bytes)):
        raise TypeError("seeds must be a list; a text would make each of its letters one")
    return list(seeds)


def _seed_bytes(seed: object) -> bytes:
    if isinstance(seed, str):
        key = bytes_of_base32(seed)
        _require_input(key is not None, "a seed is not base32; use letters A-Z and digits 2-7")
        return key or b""
    if isinstance(seed, (bytes, bytearray)):
        _require_input(len(seed) > 0, "a seed is empty")
        return bytes(seed)
    raise TypeError("a seed must be base32 or bytes")


def _seconds_of(now: float | datetime) -> float:
    if isinstance(now, datetime):
        _require_input(now.tzinfo is not None, "now must be unix seconds, or a datetime with its zone")
        return now.timestamp()
    if isinstance(now, bool) or not isinstance(now, (int, float)):
        raise TypeError("now must be unix seconds, or a datetime with its zone")
    _require_input(math.isfinite(now), "now must be a finite number of seconds")
    return now


def _read_request(request: SignedRequest | Mapping[str, Any]) -> tuple[RequestHead, dict[str, list[str]], bytes]:
    given = request if isinstance(request, Mapping) else None

    def member(*names: str) -> Any:
        if given is None:
            return next((getattr(request, name) for name in names if hasattr(request, name)), None)
        return next((given[name] for name in names if name in given), None)

    method, target, binding = member("method"), member("target"), member("binding") or "http"
    fields, content = member("fields", "headers"), member("content", "body")
    if content is None and (encoded := member("bodyBase64")) is not None:
        content = base64.b64decode(encoded, validate=True)
    if not isinstance(method, str) or not isinstance(target, str):
        raise TypeError("method and target of a request must be texts")
    _require_input(binding in ("http", "grpc"), "binding of a request must be http or grpc")
    if fields is None or isinstance(fields, (str, bytes)):
        raise TypeError("fields of a request must be pairs of name and value")
    lines: dict[str, list[str]] = {}
    for name, value in fields.items() if isinstance(fields, Mapping) else fields:
        lines.setdefault(_line_of(name).lower(), []).append(_line_of(value))
    if content is None:
        content = b""
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise TypeError("content of a request must be the bytes or the text that was sent")
    return RequestHead(method, target, "grpc" if binding == "grpc" else "http"), lines, bytes(content)


def _line_of(value: object) -> str:
    """A field as it was sent. What is no text is present and unreadable, so that it is refused."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else "\0"
