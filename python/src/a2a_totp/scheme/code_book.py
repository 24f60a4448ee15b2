"""The codes around now."""

from __future__ import annotations

from a2a_totp.codes.of_step import code_of_step
from a2a_totp.profile import Profile


class CodeBook:
    """The codes that a seed has around now: computed once a time step, so that a wrong code costs no HMAC."""

    def __init__(self) -> None:
        self._pages: dict[tuple[bytes, Profile], tuple[int, list[tuple[int, str]]]] = {}

    def around(self, key: bytes, profile: Profile, step: int) -> list[tuple[int, str]]:
        """(drift, code) for each time step of the window, nearest first."""
        known = self._pages.get((key, profile))
        if known and known[0] == step:
            return known[1]
        drifts = sorted(range(-profile.window, profile.window + 1), key=lambda drift: (abs(drift), drift))
        codes = [(drift, code_of_step(key, profile, step + drift)) for drift in drifts if step + drift >= 0]
        self._pages[key, profile] = step, codes
        return codes
