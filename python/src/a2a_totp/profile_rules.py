"""What a profile may be: the same rules as in TypeScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from a2a_totp.errors import ServerFileError, TOTPError
from a2a_totp.header_names import is_code_header
from a2a_totp.profile import HASHES, Profile, as_whole


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
        known[name] = as_whole(value)
    return replace(base, **known)


def profile_of(given: Profile | Mapping[str, Any] | None) -> Profile:
    """The profile of a program's own, or of what differs from the default. Raises TOTPError ERR_PROFILE_INVALID."""
    named = {one.name: getattr(given, one.name) for one in fields(Profile)} if isinstance(given, Profile) else given
    try:
        return checked_profile(Profile(), {} if named is None else named, "profile")
    except ServerFileError as error:
        raise TOTPError("ERR_PROFILE_INVALID", str(error)) from None
