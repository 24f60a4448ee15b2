"""What the fields of a server file, and the options of a scheme, may be: the same rules as in TypeScript."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.profile import HASHES, Profile
from a2a_totp.roster import Peer
from a2a_totp.seeds import hmac_key
from a2a_totp.text import quoted_name


class ServerFileError(TOTPError):
    """The server file cannot be used. The message names the bad field, never its value."""

    def __init__(self, code: str, message: str | None = None) -> None:
        # With a message alone it is the usual code.
        super().__init__(*("ERR_CONFIG_INVALID", code) if message is None else (code, message))


NAME_RULE = "a letter or digit, then up to 63 letters, digits, dots, dashes and underscores"
SHARED_ONCE = "with one seed for all peers, a request of one would spend the codes of the others"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HTTP_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")
_RESERVED = re.compile(
    r"authorization|cookie2?|host|a2a-.*|x-a2a-extensions|grpc-.*|.*-bin|signature.*|accept-signature|totp.+",
    re.IGNORECASE,
)
"""Fields with a meaning in A2A, gRPC, HTTP Message Signatures (RFC 9421) or this project."""
_UNUSABLE = re.compile(
    r"accept(-charset|-encoding|-language)?|access-control-.*|connection|content-.*|date|dnt|expect|forwarded|"
    r"http2-settings|if-.*|keep-alive|max-forwards|origin|priority|proxy-.*|range|referer|sec-.*|set-cookie2?|te|"
    r"trailer|transfer-encoding|upgrade|user-agent|via|www-authenticate|x-forwarded-.*|x-http-method.*|"
    r"x-method-override|x-real-ip",
    re.IGNORECASE,
)
"""Fields that HTTP itself acts on: clients refuse to set them, and proxies drop or rewrite them (RFC 9110 section
7.6.1; Fetch Standard, forbidden request-headers), so a code in one of them never arrives."""
_SPACE = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
_GROUPED = re.compile("([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RFC_3339 = re.compile(r"(\d{4})(-\d\d-\d\d)[Tt ]((?!24)\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)


def is_name(text: object) -> bool:
    """Whether a text is allowed as the name of an agent or a peer."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_header_name(text: object) -> bool:
    """Whether a field may carry the code: an RFC 9110 token that means nothing to HTTP, A2A or gRPC."""
    if not isinstance(text, str) or not _HTTP_TOKEN.fullmatch(text):
        return False
    return not _RESERVED.fullmatch(text) and not _UNUSABLE.fullmatch(text)


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
        is_header_name,
        "an RFC 9110 token other than Authorization, Cookie, Host, A2A-*, grpc-*, *-bin, Signature*, Totp* and those "
        "of HTTP itself",
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


def base32_key(text: str) -> bytes | None:
    """The bytes of base32 (RFC 4648 section 6) in any case, with or without whitespace, dashes between groups and
    padding. None for any other text, and for one that was cut short."""
    grouped = _GROUPED.fullmatch(_SPACE.sub("", text))
    letters = grouped[1].replace("-", "") if grouped else ""
    # b32decode would take a cut-short text that `=` fills up wrongly, hence the remainder.
    if not letters or len(letters) % 8 in (1, 3, 6):
        return None
    try:
        return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)
    except binascii.Error:
        return None


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
