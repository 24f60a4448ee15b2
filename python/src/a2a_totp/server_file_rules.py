"""What the fields of a server file, and the options of a scheme, may be: the same rules as in TypeScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.header_names import is_code_header
from a2a_totp.profile import HASHES, Profile
from a2a_totp.roster import Peer
from a2a_totp.seeds import hmac_key
from a2a_totp.text import UTC, quoted_name


class ServerFileError(TOTPError):
    """The server file cannot be used. The message names the bad field, never its value."""

    def __init__(self, code: str, message: str | None = None) -> None:
        # With a message alone it is the usual code.
        super().__init__(*("ERR_CONFIG_INVALID", code) if message is None else (code, message))


SHARED_ONCE = "with one seed for all peers, a request of one would spend the codes of the others"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(r"(\d{4})(-\d\d-\d\d)[Tt ]((?!24)\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)


def is_whole_number(value: object, least: int, most: int) -> bool:
    """Whether a value is a whole number; JSON has one kind of numbers, so 6.0 is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (isinstance(value, int) or value.is_integer()) and least <= value <= most


PROFILE_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "algorithm": (
        lambda value: isinstance(value, str) and value in HASHES,
        "one of SHA1, SHA256, SHA512",
    ),
    "digits": (lambda value: is_whole_number(value, 6, 8), "one of 6, 7, 8"),
    "period": (lambda value: is_whole_number(value, 10, 120), "a whole number of seconds, 10 to 120"),
    "window": (lambda value: is_whole_number(value, 0, 2), "0, 1 or 2 time steps"),
    "header": (
        is_code_header,
        (
            "an RFC 9110 token other than Authorization, Cookie, Host, A2A-*, grpc-*, *-bin, Signature*, Totp* and "
            "those of HTTP itself"
        ),
    ),
}


def checked_profile(base: Profile, given: Mapping[str, Any], where: str) -> Profile:
    """The profile with other values. Raises ServerFileError with the path of one that is not allowed."""
    known = {name: given[name] for name in PROFILE_RULES if name in given}
    for name, value in known.items():
        allows, expected = PROFILE_RULES[name]
        if not allows(value):
            raise ServerFileError(f"{where}.{name} must be {expected}")
        if isinstance(value, float):
            known[name] = int(value)
    return replace(base, **known)


def profile_of(given: Profile | Mapping[str, Any] | None) -> Profile:
    """The profile of a program's own, or of what differs from the default. Raises TOTPError ERR_PROFILE_INVALID."""
    named = {one.name: getattr(given, one.name) for one in fields(Profile)} if isinstance(given, Profile) else given
    try:
        return checked_profile(Profile(), {} if named is None else named, "profile")
    except ServerFileError as error:
        raise TOTPError("ERR_PROFILE_INVALID", str(error)) from None


def rfc3339_seconds(text: str) -> float | None:
    """An RFC 3339 time in unix seconds, to the millisecond; None for any other text and for days that do not exist."""
    # Taken apart here: what `fromisoformat` takes for a date differs from one Python to the next.
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        return None
    year, day, clock, fraction, zone = parts.groups()
    # Before the years that Python has. By the days of 1900, as in JavaScript.
    shift = 0 if year != "0000" else 62_167_219_200 - 2_208_988_800
    try:
        at = datetime.fromisoformat(f"{'1900' if shift else year}{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        return None
    return (at - _EPOCH).total_seconds() - shift + int((fraction or ".0")[1:4].ljust(3, "0")) / 1000


def require_distinct_seeds(peers: Iterable[Peer]) -> frozenset[str]:
    """The names of the peers that have a seed of another.

    Claims belong to a seed and its time steps, so a seed has one profile, no peer has it twice, and no two have it
    while one of them is under `once` without a proof of each request. Raises ServerFileError.
    """
    owners: dict[bytes, Peer] = {}
    sharing: set[str] = set()
    for peer in peers:
        for seed in peer.seeds:
            # Of a seed longer than a block, the key that HMAC makes is another seed with the same codes.
            for key in {seed.key.rstrip(b"\0"), hmac_key(seed.key, peer.profile.algorithm)}:
                owner = owners.get(key)
                what = (
                    f"peer {quoted_name(peer.name)}: it has a seed of peer {quoted_name(owner.name if owner else '')}"
                )
                if owner is peer:
                    raise ServerFileError(
                        f"peer {quoted_name(peer.name)}: two of its seeds are the same; list each seed once"
                    )
                if owner and owner.profile != peer.profile:
                    raise ServerFileError(f"{what} with another algorithm, digits or period; use a seed of its own")
                if owner and not (owner.may_share_seed and peer.may_share_seed):
                    raise ServerFileError(f"{what}: {SHARED_ONCE}; use a seed of its own")
                if owner:
                    sharing |= {owner.name, peer.name}
                owners[key] = peer
    return frozenset(sharing)
