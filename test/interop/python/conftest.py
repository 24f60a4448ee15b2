"""Puts the modules that are emitted where a user's Python would find them."""

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "src" / "fragments" / "python"))

# Each line of the SDK has its own, and crewAI comes without what serves the older one over REST.
LINE = "0_3" if version("a2a-sdk").startswith("0.3.") else "1_x"
collect_ignore = [f"test_owners_{line}.py" for line in ("0_3", "1_x") if line != LINE or not find_spec("fastapi")]
