"""The tokens with which peers were let in of late."""

from __future__ import annotations

from collections import OrderedDict


class SeenTokens:
    """By their hashes. Of each peer the newest are kept, and in total the newest; one that is used again is new again.

    Whoever has many tokens of a peer makes only that peer's older ones forgotten.
    """

    def __init__(self, most: int = 10_000, most_per_peer: int = 16) -> None:
        self._most, self._most_per_peer = most, most_per_peer
        self._peers: OrderedDict[str, str] = OrderedDict()
        self._hashes: dict[str, OrderedDict[str, None]] = {}

    def __contains__(self, token_hash: str) -> bool:
        return token_hash in self._peers

    def remember(self, token_hash: str, peer: str) -> None:
        """As the newest."""
        self.forget(token_hash)
        hashes = self._hashes.setdefault(peer, OrderedDict())
        hashes[token_hash] = None
        self._peers[token_hash] = peer
        if len(hashes) > self._most_per_peer:
            self.forget(next(iter(hashes)))
        if len(self._peers) > self._most:
            self.forget(next(iter(self._peers)))

    def forget(self, token_hash: str) -> None:
        """Where it is known."""
        peer = self._peers.pop(token_hash, None)
        if peer is None:
            return
        hashes = self._hashes[peer]
        del hashes[token_hash]
        if not hashes:
            del self._hashes[peer]
