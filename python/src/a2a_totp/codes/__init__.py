"""Codes (RFC 6238): make one, check one. An agent checks requests with `a2a_totp.scheme`, which limits guesses."""

from a2a_totp.codes.of_seed import Verification, generate_code, seconds_left, time_step_at, verify_code
from a2a_totp.codes.of_step import code_of_step, is_code
from a2a_totp.profile import Profile

__all__ = [
    "Profile",
    "Verification",
    "code_of_step",
    "generate_code",
    "is_code",
    "seconds_left",
    "time_step_at",
    "verify_code",
]
