"""Codes outside of the window."""

from __future__ import annotations

import hmac

from a2a_totp.codes.of_step import code_of_step
from a2a_totp.roster import Peer
from a2a_totp.state.contract import LATE_CODE, Match


def find_late_code(peer: Peer, code: str, at: float) -> Match | None:
    """The time step of a live seed, just outside of the window, that a code belongs to.

    The nearest, and past ones first. It computes 80 codes of a seed, all of them whatever is found: too much for the
    way to the answer, where the time would also tell whether the token is live.
    """
    profile = peer.profile
    now = profile.time_step(at)
    distances = range(profile.window + 1, profile.window + 1 + LATE_CODE // profile.period)
    seeds = [(seed, digest) for seed, digest in zip(peer.seeds, peer.digests, strict=True) if at < seed.expires_at]
    found = None
    for drift in (*(-distance for distance in distances), *distances):
        if now + drift < 0:
            continue
        for seed, digest in seeds:
            if hmac.compare_digest(code_of_step(seed.key, profile, now + drift), code) and found is None:
                found = Match(seed.id, digest, now + drift, drift)
    return found
