"""Verifies proofs with the emitted server module, and signs with the emitted client. Needs no package.

Reads {"verify": [...], "sign": [...]} as JSON from standard input, as proofs.py does, and prints the same.
"""

import base64
import json
import sys
import types
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "src" / "fragments" / "python"))


def stand_in(name: str, **members: Any) -> None:
    """A module with these members and no others."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


stand_in("a2a")
stand_in("a2a.auth")
stand_in("a2a.auth.user", User=object)

stand_in("a2a.client", ClientCallContext=object, ClientCallInterceptor=object)
stand_in("httpx", Auth=object, URL=str, Request=object, Response=object)

import a2a_totp_client as client  # noqa: E402
import a2a_totp_server as server  # noqa: E402


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
