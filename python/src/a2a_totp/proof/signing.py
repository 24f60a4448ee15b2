"""Makes the proof of a request."""

from __future__ import annotations

import base64
import hmac
from collections.abc import (
    Iterable,
)

from a2a_totp.client_errors import CannotSignError
from a2a_totp.proof.content import content_digest
from a2a_totp.proof.keys import PROOF_TAG, ProofKey
from a2a_totp.proof.reading import (
    ALWAYS_COVERED,
    OPTIONAL_COMPONENTS,
    PLAIN_VALUE,
    RequestHead,
    base_of_components,
    component_value,
)

PROOF_FIELDS = ("content-digest", "signature-input", "signature")
"""The fields of a proof, in lower case and in the order in which they are written."""


def sign_request(
    head: RequestHead,
    fields: Iterable[tuple[str, str]],
    content: bytes,
    *,
    key: ProofKey,
    header: str,
    created: int,
    life: int,
    nonce: bytes,
) -> dict[str, str]:
    """The three fields that sign a request (RFC 9421, profile `a2a-totp/proof/v1`).

    `fields` are all those that are sent, token and code too; a proof that is among them is ignored. `content` is the
    body exactly as it is sent, or the serialised message of gRPC. `header` carries the code. `created` is in unix
    seconds, `life` in seconds. `nonce` has 16 to 48 bytes that no other proof of the seed has.

    Raises CannotSignError for a request that no signature can cover.
    """
    lines: dict[str, list[str]] = {}
    for name, value in fields:
        lines.setdefault(name.lower(), []).append(value)
    digest = f"sha-256=:{base64.b64encode(content_digest(head.binding, content)).decode()}:"
    lines["content-digest"] = [digest]
    values = _covered_values(head, lines, header.lower())
    text = base64.urlsafe_b64encode(nonce).decode().rstrip("=")
    covered = " ".join(f'"{name}"' for name in values)
    parameters = (
        f'({covered});created={created};expires={created + life};nonce="{text}";keyid="{key.keyid}";tag="{PROOF_TAG}"'
    )
    base = base_of_components(values.items(), parameters)
    mac = hmac.digest(key.mac, base.encode("ascii"), "sha256")
    return {
        "Content-Digest": digest,
        "Signature-Input": f"a2a-totp={parameters}",
        "Signature": f"a2a-totp=:{base64.b64encode(mac).decode()}:",
    }


def _covered_values(head: RequestHead, lines: dict[str, list[str]], header: str) -> dict[str, str]:
    """The components of a proof and their values (RFC 9421 sections 2.1 and 2.2), in order."""
    if "content-encoding" in lines:
        raise CannotSignError("a request with a Content-Encoding cannot be signed; send the body as it is")
    # The content type of gRPC is its own.
    optional = OPTIONAL_COMPONENTS if head.binding == "http" else OPTIONAL_COMPONENTS[1:]
    values: dict[str, str] = {}
    for name in (*ALWAYS_COVERED, header, *(name for name in optional if name in lines)):
        if not name.startswith("@") and name not in lines:
            raise CannotSignError(f"the request cannot be signed: it has no {name}, which a proof covers")
        values[name] = component_value(head, lines, name)
        if not PLAIN_VALUE.fullmatch(values[name]):
            raise CannotSignError(
                f"the request cannot be signed: its {name} has characters other than printable ASCII; encode them"
            )
    return values
