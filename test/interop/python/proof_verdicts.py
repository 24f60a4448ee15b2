"""Verifies proofs with the package, which needs nothing installed. Reads {"verify": [...]}, prints the verdicts."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "python" / "src"))

from a2a_totp.proof import ProofRequest, verify


def verdict_of(request: dict[str, Any]) -> list[str | None]:
    """Verdict, reason and key id."""
    fields = [(name, value) for name, value in request["headers"]]
    content = base64.b64decode(request["body"])
    asked = ProofRequest(request["method"], request["target"], fields, content, request["binding"])
    options = {name: request[name] for name in ("agent", "header", "period", "window", "now")}
    found = verify(asked, seeds=[request["seed"]], **options)
    return [found.verdict, found.reason, found.keyid]


json.dump([verdict_of(request) for request in json.load(sys.stdin)["verify"]], sys.stdout)
