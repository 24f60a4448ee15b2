"""Reads a proof: form, coverage, digest."""

from __future__ import annotations

import base64
import re
from collections.abc import (
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Literal, NamedTuple

from a2a_totp.proof.keys import PROOF_TAG
from a2a_totp.structured import DictionaryMember, combined_value, decoded_bytes, dictionary_of, is_canonical, members_of


@dataclass(frozen=True)
class RequestHead:
    """The request that a proof is bound to, as it was received.

    `target` is the path and the query; over gRPC it is `/package.Service/Method`, and `method` is POST.
    """

    method: str
    target: str
    binding: Literal["http", "grpc"] = "http"


def _bytes_of(member: DictionaryMember) -> bytes | None:
    """The 32 bytes of a member in canonical, padded base64 without parameters."""
    if member.item is None or member.item.kind != "bytes" or member.parameters:
        return None
    found = decoded_bytes(str(member.item.value))
    return found if len(found) == 32 and base64.b64encode(found).decode() == member.item.value else None


class ReadProof(NamedTuple):
    """A proof of the profile's form, not verified yet. The nonce is spent as it was written."""

    keyid: str
    created: int
    expires: int
    nonce: str
    digest: bytes
    base: str
    signature: bytes


FieldLines = Mapping[str, Sequence[str]]
"""All lines of each field, by its name in lower case."""
ALWAYS_COVERED = ("@method", "@path", "@query", "content-digest", "authorization")
OPTIONAL_COMPONENTS = ("content-type", "a2a-version", "a2a-extensions")
"""Covered whenever the request has them. The content type of gRPC is its own."""
PLAIN_VALUE = re.compile(r"[\t\x20-\x7e]*")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_PROOF_PARAMETERS = frozenset({"created", "expires", "nonce", "keyid", "tag", "alg"})


def may_be_signed(lines: FieldLines) -> bool:
    return "signature-input" in lines or "signature" in lines


FormReason = Literal["proof-malformed", "proof-uncovered", "proof-digest"]
"""Why what may be a proof is not of the profile's form."""


def read_proof(
    head: RequestHead, lines: FieldLines, header: str, life: int, own_life: int | None = None
) -> ReadProof | FormReason | None:
    """The proof of a request, the reason why it is none of the profile's form, or None for an unsigned request.

    `header` is the field of the code in lower case, `life` how long a proof may live in seconds. Where the peer's own
    life is shorter, a proof between the two is read like any other; only the reason of a refusal differs.
    """
    if not may_be_signed(lines):
        return None
    inputs, signatures = (dictionary_of(lines.get(name, ())) for name in ("signature-input", "signature"))
    if "signature-input" not in lines or "signature" not in lines or inputs is None or signatures is None:
        return "proof-malformed"
    ours = [member for member in inputs if _is_ours(member)]
    if not ours:
        return None
    member = ours[0]
    found = [_bytes_of(other) for other in signatures if other.label == member.label]
    signature = found[0] if found else None
    given = _proof_parameters(member, life) if len(ours) == 1 else None
    if signature is None or given is None or member.items is None:
        return "proof-malformed"
    created, expires, nonce, keyid = given
    is_too_long = own_life is not None and expires - created > own_life

    optional = OPTIONAL_COMPONENTS if head.binding == "http" else OPTIONAL_COMPONENTS[1:]
    expected = [*ALWAYS_COVERED, header, *(name for name in optional if name in lines)]
    values = {name: component_value(head, lines, name) for name in expected}
    named = {item.value for item, _ in member.items if isinstance(item.value, str)}
    if any(name in named and not PLAIN_VALUE.fullmatch(values[name]) for name in expected):
        return "proof-malformed"
    covered = [str(item.value) for item, own in member.items if item.kind == "string" and not own]
    if len(member.items) != len(expected) or set(covered) != set(expected):
        return "proof-malformed" if is_too_long else "proof-uncovered"
    if any(not name.startswith("@") and name not in lines for name in covered):
        return "proof-malformed" if is_too_long else "proof-uncovered"

    digests = [one for one in members_of(lines.get("content-digest", ())) or () if one.label == "sha-256"]
    digest = _bytes_of(digests[0]) if len(digests) == 1 else None
    if digest is None or "content-encoding" in lines:
        return "proof-malformed" if is_too_long else "proof-digest"
    base = base_of_components([(name, values[name]) for name in covered], member.text)
    return ReadProof(keyid, created, expires, nonce, digest, base, signature)


def base_of_components(components: Iterable[tuple[str, str]], parameters: str) -> str:
    """The text that is signed (RFC 9421 section 2.5), of names and values.

    `parameters` is the inner list and its parameters, as in `Signature-Input`.
    """
    return "\n".join([*(f'"{name}": {value}' for name, value in components), f'"@signature-params": {parameters}'])


def _is_ours(member: DictionaryMember) -> bool:
    """By its tag. One whose tag is repeated is ours if any of them is, so that readers cannot disagree."""
    return any(key == "tag" and item.kind == "string" and item.value == PROOF_TAG for key, item in member.parameters)


def _proof_parameters(member: DictionaryMember, life: int) -> tuple[int, int, str, str] | None:
    """Created, expires, nonce and key id; None if they are not those of the profile, or not canonical."""
    given = dict(member.parameters)
    if member.items is None or len(given) < len(member.parameters) or not is_canonical(member):
        return None
    created, expires = (given.get(name) for name in ("created", "expires"))
    nonce, keyid, alg = (given.get(name) for name in ("nonce", "keyid", "alg"))
    if created is None or expires is None or nonce is None or keyid is None or not given.keys() <= _PROOF_PARAMETERS:
        return None
    if (created.kind, expires.kind, nonce.kind, keyid.kind) != ("integer", "integer", "string", "string"):
        return None
    if alg is not None and (alg.kind, alg.value) != ("string", "hmac-sha256"):
        return None
    text = str(nonce.value)
    # 16 to 48 bytes in base64url without padding, which never has 4n + 1 characters.
    if not _NONCE.fullmatch(text) or len(text) % 4 == 1:
        return None
    begin, end = int(created.value), int(expires.value)
    return (begin, end, text, str(keyid.value)) if begin < end <= begin + life else None


def component_value(head: RequestHead, lines: FieldLines, name: str) -> str:
    """The value of a component (RFC 9421 sections 2.1 and 2.2)."""
    path, _, query = head.target.partition("?")
    derived = {"@method": head.method, "@path": path, "@query": f"?{query}"}
    return derived[name] if name in derived else combined_value(lines.get(name, ()))
