"""Verifies proofs with the Python package, and signs with it. Needs no other package.

Reads {"verify": [...], "sign": [...]} as JSON from standard input, as proofs.py does, and prints the same.
"""

import base64
import json
import sys
from typing import Any

import a2a_totp_client as client
import a2a_totp_server as server


def verify(request: dict[str, Any]) -> str:
    """The reason of a refusal, or `valid` or `unsigned`."""
    binding = request["binding"]
    lines: dict[str, list[str]] = {}
    for name, value in request["headers"]:
        lines.setdefault(name.lower(), []).append(value)
    seed = base64.b32decode(request["seed"] + "=" * (-len(request["seed"]) % 8))
    found = server.verify_head(
        server.RequestHead(request["method"], request["target"], binding),
        lines,
        header=request["header"].lower(),
        period=request["period"],
        window=request["window"],
        keys=[server.proof_key(seed, request["agent"])],
        decoy=server.proof_key(b"\x00" * 20, "decoy"),
        at=request["now"],
    )
    if found is None or isinstance(found, str):
        return found or "unsigned"
    digest = server.content_digest(binding, base64.b64decode(request["body"]))
    return "valid" if digest == found[0].digest else "proof-digest"


def sign(request: dict[str, Any]) -> dict[str, str]:
    """The three fields, of a request over HTTP."""
    profile = {name: request[name] for name in ("seed", "agent", "header", "period", "window")}
    proof = client.TotpCredentials(token="t", **profile).proof(  # noqa: S106
        request["method"],
        request["target"],
        [(name, value) for name, value in request["headers"]],
        base64.b64decode(request["body"]),
        at=request["created"] + 0.9,
        nonce=base64.b64decode(request["nonce"]),
    )
    return {name.lower(): value for name, value in proof.items()}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    verdicts = [verify(request) for request in given["verify"]]
    json.dump({"verdicts": verdicts, "fields": [sign(request) for request in given["sign"]]}, sys.stdout)
