"""The vectors that every implementation shares."""

import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[2] / "test" / "vectors"


def read_vectors(name: str) -> Any:
    """One file of them, by its name without an ending."""
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
