"""Codes ahead of the window."""

from __future__ import annotations

from a2a_totp.state.contract import LATE_CODE, Match


class CodesAhead:
    """Remembers codes ahead of the window, to recognise a peer whose clock is ahead.

    Only who has the seed can make one, so guessers do not fill it.
    """

    def __init__(self) -> None:
        # By peer, with its first seed: peers of two agents may have the same name. Then the newest at each drift: its
        # time step, and when it came, in milliseconds.
        self._peers: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}

    def expected(self, peer: tuple[str, str], late: Match, at: int) -> bool:
        """Notes one, and says whether an earlier code of that peer had the same drift, ± 1, within 20 minutes."""
        sightings = self._peers.setdefault(peer, {})
        near = [sightings.get(late.drift + other) for other in (-1, 0, 1)]
        sightings[late.drift] = late.time_step, at
        return any(seen and seen[0] < late.time_step and _is_recent(seen[1], at) for seen in near)

    def sweep(self, at: int) -> None:
        """Forgets those of which nothing is recent."""
        for peer, sightings in list(self._peers.items()):
            for drift in [drift for drift, (_, came) in sightings.items() if not _is_recent(came, at)]:
                del sightings[drift]
            if not sightings:
                del self._peers[peer]


def _is_recent(came: int, at: int) -> bool:
    return abs(at - came) <= LATE_CODE * 1000
