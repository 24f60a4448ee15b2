"""The codes of a seed (RFC 6238), as people write seeds and profiles."""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from a2a_totp.base32 import bytes_of_base32
from a2a_totp.codes.of_step import code_of_step, is_code
from a2a_totp.errors import TOTPError
from a2a_totp.profile import Profile
from a2a_totp.profile_rules import profile_of

_LAST_STEP = 2**53 - 1
"""As in JavaScript."""


def generate_code(
    seed: Any, profile: Profile | Mapping[str, Any] | None = None, at: float | datetime | None = None
) -> str:
    """The code for an instant (RFC 6238 section 4.2).

    `seed` is base32 (also as pydantic's SecretStr), or bytes. `profile` is a Profile or a mapping of what differs from
    the default. `at` is in unix seconds, or a datetime with its zone; by default it is now.

    Raises TOTPError: ERR_SEED_INVALID for a seed that is not base32, ERR_PROFILE_INVALID, and ERR_USAGE for what is no
    instant from 1970 on.
    """
    found = profile_of(profile)
    return code_of_step(_key_of(seed), found, _existing_step(found, at))


def verify_code(
    seed: Any,
    code: str,
    profile: Profile | Mapping[str, Any] | None = None,
    at: float | datetime | None = None,
) -> Verification:
    """Checks a code against every time step in the window (RFC 6238 section 5.2), nearest first.

    It takes the same time for every well-formed code, and never raises because of one; no code is valid at what is no
    instant from 1970 on. A valid code stays valid for the rest of its window: a server also has to limit guesses and,
    under policy `once`, replays, as TOTPServerAuthScheme does. The order of TypeScript, with `profile` before `code`,
    will do too.

    Returns a Verification, which is true where the code is valid. Raises TOTPError ERR_SEED_INVALID,
    ERR_PROFILE_INVALID, and ERR_USAGE for a datetime without its zone.
    """
    if isinstance(profile, str):
        code, profile = profile, code
    found, key = profile_of(profile), _key_of(seed)
    if not isinstance(code, str) or not is_code(code, found) or (isinstance(at, float) and not math.isfinite(at)):
        return Verification(False)
    now = found.time_step(_unix_seconds(at))
    if now < 0:
        return Verification(False)
    match = None
    for drift in sorted(range(-found.window, found.window + 1), key=lambda drift: (abs(drift), drift)):
        if not 0 <= now + drift <= _LAST_STEP:
            continue
        equal = hmac.compare_digest(code_of_step(key, found, now + drift), code)
        if equal and match is None:
            match = drift
    return Verification(False) if match is None else Verification(True, now + match, match)


@dataclass(frozen=True)
class Verification:
    """The result of verify_code. A valid code belongs to a time step.

    `drift` is matching step - current step; negative when the peer's clock is behind.
    """

    valid: bool
    time_step: int | None = None
    drift: int | None = None

    def __bool__(self) -> bool:
        return self.valid


def time_step_at(profile: Profile | Mapping[str, Any] | None = None, at: float | datetime | None = None) -> int:
    """The time step of an instant, by default now: whole periods since 1970 (T in RFC 6238 section 4.2), negative
    before. Raises TOTPError ERR_USAGE for what is no instant, and ERR_PROFILE_INVALID."""
    return profile_of(profile).time_step(_unix_seconds(at))


def seconds_left(profile: Profile | Mapping[str, Any] | None = None, at: float | datetime | None = None) -> int:
    """The seconds until the time step of an instant, by default now, ends, rounded down. Raises as time_step_at."""
    found, instant = profile_of(profile), _unix_seconds(at)
    return math.floor((found.time_step(instant) + 1) * found.period - instant)


def _existing_step(profile: Profile, at: float | datetime | None) -> int:
    step = profile.time_step(_unix_seconds(at))
    if not 0 <= step <= _LAST_STEP:
        raise TOTPError("ERR_USAGE", "time step does not exist; use an instant from 1970 on")
    return step


def _unix_seconds(at: float | datetime | None) -> float:
    if at is None:
        return time.time()
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at.timestamp()
    if isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at):
        return at
    raise TOTPError("ERR_USAGE", "not an instant; use unix seconds, or a datetime with its zone")


def _key_of(seed: Any) -> bytes:
    reveal = getattr(seed, "get_secret_value", None)
    given = reveal() if callable(reveal) else seed
    key = bytes_of_base32(given) if isinstance(given, str) else given
    if not key or not isinstance(key, bytes):
        raise TOTPError("ERR_SEED_INVALID", "seed is not base32; use letters A-Z and digits 2-7")
    return key
