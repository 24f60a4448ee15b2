"""Puts the modules that are emitted where a user's Python would find them."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "src" / "fragments" / "python"))
