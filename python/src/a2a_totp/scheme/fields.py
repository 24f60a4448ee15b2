"""The header fields of a request, and those of a refusal."""

from __future__ import annotations

import re
from collections.abc import (
    Iterable,
    Sequence,
)

from a2a_totp.proof.keys import PROOF_TAG
from a2a_totp.proof.reading import ALWAYS_COVERED

# RFC 9110 section 11.6.2 with RFC 6750 section 2.1. ASCII: without it, IGNORECASE takes the Kelvin sign for a K.
BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE | re.ASCII)


def lines_of(fields: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All lines of each field. A joined or first-wins look-up would hide that a field came twice."""
    lines: dict[str, list[str]] = {}
    for name, value in fields:
        lines.setdefault(name.lower(), []).append(value)
    return lines


def flaw_of(tokens: Sequence[str], token: str | None, codes: Sequence[str]) -> str | None:
    """What is wrong with the fields. One that came twice counts as none: servers disagree which of them counts."""
    if not tokens:
        return "token-missing"
    if len(tokens) > 1:
        return "token-doubled"
    if token is None:
        return "token-malformed"
    if not codes:
        return "code-missing"
    return "code-doubled" if len(codes) > 1 else None


def challenges_of(header: str, token_given: bool, proof_required: bool) -> tuple[str, ...]:
    """RFC 9110 section 11.6.1; RFC 6750 section 3.1 gives no error to a request without Authorization."""
    error = ', error="invalid_token"' if token_given else ""
    proof = ', proof="required"' if proof_required else ""
    return f'Bearer realm="a2a"{error}', f'TOTP realm="a2a", header="{header}"{proof}'


def accept_signature(header: str) -> str:
    covered = " ".join(f'"{name}"' for name in (*ALWAYS_COVERED, header))
    return f'a2a-totp=({covered});created;expires;tag="{PROOF_TAG}"'
