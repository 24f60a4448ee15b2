"""How often refused proofs are logged."""

from __future__ import annotations

import math
import threading
import time

from a2a_totp.log import logger

PROOF_REASONS = frozenset(
    {
        *("proof-missing", "proof-malformed", "proof-uncovered", "proof-digest", "proof-key", "proof-mac"),
        *("proof-stale", "proof-replayed"),
    }
)


class RefusedProofs:
    """Logs refused proofs at most once a second and peer, with their number: a bad proof is no guess, so nothing else
    bounds how many a thief of the token can cause."""

    _quiet = 1.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By peer: when it was logged last, how many are held back, and the last of them.
        self._held: dict[str, tuple[float, int, str]] = {}

    def add(self, peer: str, text: str) -> None:
        """Logs it, or holds it back for a second."""
        now = time.monotonic()
        with self._lock:
            last, count, _ = self._held.get(peer, (-math.inf, 0, ""))
            due = now - last >= self._quiet
            self._held[peer] = (now, 0, "") if due else (last, count + 1, text)
        if due:
            logger.warning("%s count=%d", text, count + 1)
        elif count == 0:
            # So that they are logged too where the refusals end.
            timer = threading.Timer(self._quiet + 0.05, self._flush, (peer,))
            timer.daemon = True
            timer.start()

    def _flush(self, peer: str) -> None:
        with self._lock:
            last, count, text = self._held[peer]
            now = time.monotonic()
            # Else they were logged meanwhile, and others have a timer of their own.
            due = count > 0 and now - last >= self._quiet
            if due:
                self._held[peer] = (now, 0, "")
        if due:
            logger.warning("%s count=%d", text, count)
