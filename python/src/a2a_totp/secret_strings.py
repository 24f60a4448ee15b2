"""Texts that hide themselves, such as pydantic's SecretStr."""

from __future__ import annotations

from typing import Any


def revealed(value: Any) -> Any:
    """The text of pydantic's SecretStr; anything else as it is."""
    reveal = getattr(value, "get_secret_value", None)
    return reveal() if callable(reveal) else value
