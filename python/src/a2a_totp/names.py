"""Names of agents and peers."""

from __future__ import annotations

import re

NAME_RULE = "a letter or digit, then up to 63 letters, digits, dots, dashes and underscores"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_name(text: object) -> bool:
    """Whether a text is allowed as the name of an agent or a peer."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
