"""Base32 (RFC 4648 section 6), as seeds are written by people and by tools."""

from __future__ import annotations

import base64
import re


def bytes_of_base32(text: str) -> bytes | None:
    """The bytes of a text in base32, or None if it is none.

    Lower case, whitespace, padding and dashes between letters are fine; spare bits of the last character are ignored.
    """
    grouped = re.fullmatch("([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*", re.sub(r"\s", "", text))
    letters = grouped[1].replace("-", "") if grouped else ""
    # b32decode would also take a truncated text that `=` fills up wrongly.
    if not letters or len(letters) % 8 in (1, 3, 6):
        return None
    return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)
