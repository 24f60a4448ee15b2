"""Text from outside, made safe for a log."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

UTC = timezone(timedelta(0))
"""`datetime.UTC` came with Python 3.11."""
_PLAIN_TEXT = re.compile(r"[\w ./-]*", re.ASCII)
"""Most texts, without the work."""
_ADDRESS = re.compile(r"(?!.*::.*::)[\da-f.:]{2,45}", re.IGNORECASE | re.ASCII)
"""An IPv6 address stays as it is, with its two colons."""
_COMMAND_MARK = re.compile(
    r"\[[\da-f.]*(?::[\da-f.]+)*::[\da-f.]*(?::[\da-f.]+)*\]|:(?=:)|#(?=#\w*\[)", re.IGNORECASE | re.ASCII
)
"""A colon before a colon, or a number sign before another, a word and a bracket: CI runners obey them. An address in
brackets is matched as a whole, so that nothing inside it is."""
_SECRET_LOOKING_NAME = re.compile(r"-*(?:a2at_.*|[A-Za-z2-7=]{16,})", re.DOTALL)


def printable(text: str) -> str:
    """A text on one line, without control, bidirectional or invisible characters and without commands to a CI runner.

    Idempotent. The same as in TypeScript.
    """
    if _PLAIN_TEXT.fullmatch(text):
        return text.strip(" ")
    shown = text if text.isprintable() else _without_hidden(text)
    # Only for these has the pattern work to do.
    if "::" in shown or "##" in shown:
        shown = _COMMAND_MARK.sub(lambda mark: mark[0] if mark[0][0] == "[" else mark[0] + " ", shown)
    return shown.strip()


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"


def _without_hidden(text: str) -> str:
    """With a space for each run of characters that do not show."""
    words, gap = [], False
    for character in text:
        hidden = _is_hidden(character)
        if not hidden:
            words.append(character)
        elif not gap:
            words.append(" ")
        gap = hidden
    return "".join(words)


def printable_value(value: Any) -> Any:
    """A copy of what goes into an event, with every text in it printable, at any depth."""
    if isinstance(value, str):
        return value if _PLAIN_TEXT.fullmatch(value) or _ADDRESS.fullmatch(value) else printable(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {key: printable_value(one) for key, one in value.items()}
    return [printable_value(one) for one in value] if isinstance(value, list | tuple) else value


def quoted_name(text: str) -> str:
    """A name for a message: as JSON on one line, or hidden where it may be a secret in the wrong place.

    As in TypeScript: what `printable` would replace is escaped.
    """
    if _SECRET_LOOKING_NAME.fullmatch(text) or len(_utf_16(text)) > 64 * 4:
        return "(not shown: it looks like a secret)"
    quoted = json.dumps(text, ensure_ascii=False)
    shown = "".join(_escaped(one) if _is_hidden(one) else one for one in quoted)
    return _COMMAND_MARK.sub(lambda mark: mark[0] if mark[0][0] == "[" else _escaped(mark[0]), shown)


def _escaped(character: str) -> str:
    return re.sub("(....)", r"\\u\1", _utf_16(character))


def _utf_16(text: str) -> str:
    """In hex, four digits for each unit: JavaScript counts and escapes these."""
    return text.encode("utf-16-be", "surrogatepass").hex()


def instant_text(at: float) -> str:
    """An instant in unix seconds as RFC 3339 in UTC, with milliseconds, as `Date.toISOString` writes it."""
    milliseconds = int(at * 1000 // 1)
    # Without its zone, which would be written as +00:00. Formatting by strftime takes five times as long.
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{milliseconds % 1000:03}Z"
