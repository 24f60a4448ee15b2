"""Base32 (RFC 4648 section 6), as seeds are written by people and by tools."""

from __future__ import annotations

import base64
import re

_WHITESPACE = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
"""What JavaScript takes for whitespace, so that a seed is the same one on both sides."""
_GROUPED = re.compile("([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*")


def bytes_of_base32(text: str) -> bytes | None:
    """The bytes of a text in base32; None for any other text, and for one that was cut short.

    Lower case, whitespace, padding and dashes between letters are fine; spare bits of the last character are ignored.
    """
    grouped = _GROUPED.fullmatch(_WHITESPACE.sub("", text))
    letters = grouped[1].replace("-", "") if grouped else ""
    # b32decode would take a text that was cut short and that `=` fills up wrongly, hence the remainder.
    if not letters or len(letters) % 8 in (1, 3, 6):
        return None
    return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)
