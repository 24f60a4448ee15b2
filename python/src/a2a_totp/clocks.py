"""Compares this machine's clock with that of an agent, by the Date of an answer."""

from __future__ import annotations

import email.utils
import re

from a2a_totp.profile import Profile
from a2a_totp.text import UTC

_MOST_SECONDS = 365 * 24 * 3600
"""A Date further off is a mistake or a lie, and no reason to set a clock."""


def clock_difference(
    profile: Profile, *, sent_at: float, received_at: float, date: str | None, age: str | None = None
) -> float | None:
    """How far this machine's clock is ahead of the other side's, in seconds; negative if it is behind.

    `sent_at` and `received_at` are by this clock, in unix seconds; `date` (RFC 9110 section 6.6.1) and `age` (RFC 9111
    section 5.1) are those of the answer. None unless the Date shows that the two are more time steps apart than the
    window allows, at whatever moment of the exchange, and with a second of slack.
    """
    theirs = _date_of(date, age)
    if theirs is None:
        return None
    # A Date has whole seconds, rounded down.
    behind = profile.time_step(theirs - 1) - profile.time_step(max(sent_at, received_at))
    ahead = profile.time_step(min(sent_at, received_at)) - profile.time_step(theirs + 2)
    if max(behind, ahead) <= profile.window:
        return None
    difference = (sent_at + received_at) / 2 - theirs
    return difference if abs(difference) <= _MOST_SECONDS else None


def _date_of(date: str | None, age: str | None) -> float | None:
    """A cache keeps the Date, and adds how old it is (RFC 9111 section 4.2.3)."""
    if not re.fullmatch(r"\s*[0-9]{0,8}\s*", age or ""):
        return None
    try:
        at = email.utils.parsedate_to_datetime(date or "")
    except (TypeError, ValueError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() + int((age or "").strip() or 0)


_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def duration_text(seconds: float) -> str:
    """A duration in its largest unit and the one below, such as `2 min 10 s`."""
    rest = round(abs(seconds))
    first = next((number for number, (size, _) in enumerate(_UNITS) if rest >= size), len(_UNITS) - 1)
    parts = []
    for size, unit in _UNITS[first : first + 2]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
