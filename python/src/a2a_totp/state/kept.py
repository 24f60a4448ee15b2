"""How long something is kept."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass
class Kept:
    """After both instants nothing of it matters: by the scheme's clock, which can be set, and by the uptime."""

    until: float = -math.inf
    until_uptime: float = -math.inf

    def keep(self, seconds: float, at: float) -> None:
        """Only ever prolongs."""
        self.until = max(self.until, at + seconds)
        self.until_uptime = max(self.until_uptime, time.monotonic() + seconds)

    def is_over(self, at: float, uptime: float) -> bool:
        """By both."""
        return self.until <= at and self.until_uptime <= uptime
