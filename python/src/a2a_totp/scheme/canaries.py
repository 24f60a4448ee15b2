"""Tokens that belong to nobody, planted as bait."""

from __future__ import annotations

import threading

from a2a_totp.roster import Canary
from a2a_totp.scheme.events import Event
from a2a_totp.scheme.first_factor import TokenOwner

_QUIET_CANARY = 60
_MOST_CANARY_SOURCES = 100
"""Of one canary that are remembered, and so the most events of one canary in a minute."""
_LONGEST_CANARY_SOURCE = 64


def owner_of_canary(owner: TokenOwner) -> TokenOwner:
    """The owner of a canary's token: nobody, whatever a delegate says.

    Where an unknown token would be refused for another reason, for example because the delegate fails, so is this one.
    """
    known = owner.peer is not None or owner.reason in ("peer-unknown", "peer-conflict")
    return TokenOwner(reason="token-refused") if known else owner


class CanaryAlarm:
    """Reports uses of canaries: at most once a minute for each canary and source, and 100 times for each canary.

    Each canary has its own limit, so that a flood with one of them hides no other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # When a use was last reported, by canary and source; oldest first.
        self._reported: dict[tuple[str, str], float] = {}

    def raise_for(self, canary: Canary, base: Event, at: float) -> Event | None:
        """The event to emit for this use of a canary, if there is any."""
        with self._lock:
            for key, reported_at in list(self._reported.items()):
                # The distance, because a clock can be set back.
                if abs(at - reported_at) < _QUIET_CANARY:
                    break
                del self._reported[key]
            key = canary.name, base.get("source", "")[:_LONGEST_CANARY_SOURCE]
            count = sum(name == canary.name for name, _ in self._reported)
            if key in self._reported or count >= _MOST_CANARY_SOURCES:
                return None
            self._reported[key] = at
        event = {"type": "canary_used", **base, "canary": canary.name}
        return event if canary.id is None else {**event, "id": canary.id}
