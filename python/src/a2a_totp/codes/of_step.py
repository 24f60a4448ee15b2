"""The code of one time step: RFC 4226, which RFC 6238 builds on."""

from __future__ import annotations

import hmac
import struct

from a2a_totp.profile import HASHES, Profile


def code_of_step(key: bytes, profile: Profile, step: int) -> str:
    """The code of one time step: RFC 4226 section 5.3 with T as the counter."""
    digest = hmac.new(key, struct.pack(">Q", step), HASHES[profile.algorithm]).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**profile.digits).zfill(profile.digits)


def is_code(text: str, digits: int | Profile) -> bool:
    """Whether a text could be a code: ASCII digits, exactly as many. Asked before any HMAC."""
    length = digits.digits if isinstance(digits, Profile) else digits
    return len(text) == length and text.isascii() and text.isdigit()
