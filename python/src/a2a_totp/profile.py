"""How codes are made, sent and checked."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Literal

Algorithm = Literal["SHA1", "SHA256", "SHA512"]
HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


@dataclass(frozen=True)
class Profile:
    """How codes are made, sent and checked. `period` is in seconds, `window` in time steps on either side."""

    algorithm: Algorithm = "SHA1"
    digits: int = 6
    period: int = 30
    window: int = 1
    header: str = "X-TOTP"

    @property
    def life(self) -> int:
        """How long a code is acceptable, in seconds."""
        return (2 * self.window + 1) * self.period

    @property
    def proof_life(self) -> int:
        """How long a proof may live, and how far ahead its clock may be, in seconds."""
        return (self.window + 1) * self.period

    def time_step(self, at: float) -> int:
        """T in RFC 6238 section 4.2, for an instant in unix seconds."""
        return math.floor(at / self.period)


def as_whole(value: Any) -> Any:
    """A number without a fraction as an int, since JSON has one kind of numbers. Anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
