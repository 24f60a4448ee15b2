"""Signs that a seed was copied or a request captured."""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from a2a_totp.roster import Peer
from a2a_totp.scheme.events import Event, event_base
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.state.contract import Match

_MOST_PEERS = 10_000
"""Beyond that, one that was not heard of for a while is forgotten."""
_MOST_TRACES = 4
"""A peer has at most two live seeds, and for a moment those of the file before."""
_MOST_CODES = 8
"""More than a window of 2 has, so that a captured code is recognised for as long as it could be used."""
_CLOCK = 600
"""Seconds between two codes that are compared: in that time no clock drifts by a period."""
_QUIET = 3600
"""At most one `clock_jumped` in so many seconds and peer."""
_MOST_NONCES = 5000
_LONGEST_NONCE_SOURCE = 64
"""An address fits. Anything longer comes from a header field that nobody checked."""
_MAPPED = re.compile(r"^::ffff:(?=\d+\.)", re.IGNORECASE | re.ASCII)


@dataclass
class _AcceptedCode:
    time_step: int
    source: str
    reported: bool = False


@dataclass
class _Bound:
    """A bound of how far a peer's clock is ahead of this one, in seconds, from one accepted code."""

    seconds: float
    drift: int
    at: float


@dataclass
class _SeedTrace:
    """What was seen of one seed: its codes under `once`, and the tightest bounds of the last minutes."""

    codes: deque[_AcceptedCode] = field(default_factory=lambda: deque(maxlen=_MOST_CODES))
    least: _Bound | None = None
    most: _Bound | None = None

    def jump(self, match: Match, period: int, now: float) -> list[int] | None:
        """The drifts of two codes that cannot come from one clock.

        A code of step S that arrives at t was made by a clock that is ahead of ours by S * period - t at least, and by
        a period more at most. If one code's least is a whole period beyond another's most, no clock made both, however
        slow requests are.
        """
        least = match.time_step * period - now
        most = least + period
        high, low = _live_bound(self.least, now), _live_bound(self.most, now)
        before = high if high and high.seconds - most >= period else None
        before = before or (low if low and least - low.seconds >= period else None)
        # After a jump the clocks are compared anew, so that one that was set is reported once.
        if before or not high or least >= high.seconds:
            self.least = _Bound(least, match.drift, now)
        if before or not low or most <= low.seconds:
            self.most = _Bound(most, match.drift, now)
        return [before.drift, match.drift] if before else None


@dataclass
class _PeerTrace:
    seeds: OrderedDict[str, _SeedTrace] = field(default_factory=OrderedDict)
    jumped_at: float = -math.inf
    recent: bool = False
    """Whether it was heard of since it was last considered for being forgotten."""

    def seed(self, seed_id: str) -> _SeedTrace:
        if seed_id not in self.seeds:
            if len(self.seeds) >= _MOST_TRACES:
                self.seeds.popitem(last=False)
            self.seeds[seed_id] = _SeedTrace()
        return self.seeds[seed_id]


class Anomalies:
    """Only accepted codes and proofs, and repetitions of them, count: nobody without the seed can cause an event.

    Kept in this process only, so each replica sees its own requests.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._peers: OrderedDict[str, _PeerTrace] = OrderedDict()
        self._nonces: OrderedDict[str, str] = OrderedDict()

    def observe(
        self, outcome: Caller | Refusal, peer: Peer, match: Match, nonce: str | None, request: AuthRequest, at: float
    ) -> Event | None:
        """The event of an attempt with a code that matched, if there is any."""
        key = None if nonce is None else f"{match.seed} {nonce}"
        with self._lock:
            if isinstance(outcome, Caller):
                trace = self._trace_of(peer.name)
                seed = trace.seed(match.seed_id)
                # Any number of signed requests share a code, from wherever they come.
                if outcome.proof == "signed":
                    self._remember_nonce(key, request.source)
                elif peer.replay == "once" and request.source:
                    seed.codes.append(_AcceptedCode(match.time_step, request.source))
                drifts = seed.jump(match, peer.profile.period, at)
                if not drifts or abs(at - trace.jumped_at) < _QUIET:
                    return None
                trace.jumped_at = at
                found: Event = {"drifts": drifts}
                kind = "clock_jumped"
            else:
                if outcome.reason not in ("code-replayed", "proof-replayed"):
                    return None
                again = outcome.reason == "code-replayed"
                sources = (
                    self._second_source(peer.name, match, request.source)
                    if again
                    else self._second_nonce(key, request.source)
                )
                if not sources:
                    return None
                found = {"sources": sources}
                kind = "code_from_two_sources"
        return {"type": kind, **event_base(request, at), "peer": peer.name, "seedId": match.seed_id, **found}

    def _second_source(self, peer: str, match: Match, source: str) -> list[str] | None:
        """The two sources of an accepted code that arrives again from another one, once for each code."""
        trace = self._peers.get(peer)
        seed = trace.seeds.get(match.seed_id) if trace else None
        code = next((one for one in seed.codes if one.time_step == match.time_step), None) if seed else None
        if not code or not source or code.reported or _is_same_source(code.source, source):
            return None
        code.reported = True
        return [code.source, source]

    def _remember_nonce(self, key: str | None, source: str) -> None:
        if key is None or not source or len(source) > _LONGEST_NONCE_SOURCE:
            return
        if len(self._nonces) >= _MOST_NONCES:
            self._nonces.popitem(last=False)
        self._nonces[key] = source

    def _second_nonce(self, key: str | None, source: str) -> list[str] | None:
        first = None if key is None else self._nonces.get(key)
        if key is None or first is None or not source or _is_same_source(first, source):
            return None
        del self._nonces[key]
        return [first, source]

    def _trace_of(self, name: str) -> _PeerTrace:
        known = self._peers.get(name)
        if known:
            known.recent = True
            return known
        while len(self._peers) >= _MOST_PEERS:
            # Has a second chance if it was heard of since its last turn.
            first, trace = self._peers.popitem(last=False)
            if trace.recent:
                trace.recent = False
                self._peers[first] = trace
        self._peers[name] = _PeerTrace()
        return self._peers[name]


def _live_bound(bound: _Bound | None, now: float) -> _Bound | None:
    """The bound, unless it is too old. By the distance, because a clock can be set back."""
    return bound if bound and abs(now - bound.at) <= _CLOCK else None


def _is_same_source(one: str, other: str) -> bool:
    """An IPv4 address as an IPv6 socket reports it is the same address."""
    return _MAPPED.sub("", one) == _MAPPED.sub("", other)
