"""Attempts of made-up peers, as test/state/attempts.ts has them."""

import itertools
import math
from typing import Any

from a2a_totp.state.budgets import Budget
from a2a_totp.state.contract import Attempt, Match, SpentProof

PERIOD = 30
SOME_STEP = 60_000_000
"""A time step of no special meaning, in this century."""
BUDGETS = (Budget(3, 30), Budget(5, 3600))
_proofs = itertools.count()


def in_step(step: int, seconds: float = 15) -> float:
    """A moment in a time step: by default its middle, far from any turn."""
    return step * PERIOD + seconds


def attempt(at: float, **given: Any) -> Attempt:
    """One of alice."""
    defaults: dict[str, Any] = {
        "peer": "alice",
        "seeds": ("seed-of-alice",),
        "policy": "once",
        "budgets": (),
        "at": at,
        "time_step": math.floor(at / PERIOD),
        "period": PERIOD,
        "window": 1,
    }
    return Attempt(**{**defaults, **given})


def right_code(step: int, **given: Any) -> Attempt:
    """The right code of a time step of the first seed, sent in that step unless said otherwise."""
    at, seed = given.pop("at", None), given.pop("seed", None)
    moment = in_step(step) if at is None else at
    seeds = given.get("seeds", ("seed-of-alice",))
    own = seed or (seeds[0] if seeds else "")
    return attempt(moment, match=Match("s", own, step, step - math.floor(moment / PERIOD)), **given)


def wrong_code(code: str, at: float, **given: Any) -> Attempt:
    """A guess."""
    return attempt(at, code=code, **given)


def some_nonce() -> str:
    """One that no other call returns."""
    return f"nonce-{next(_proofs):016}"


def signed(step: int, **given: Any) -> Attempt:
    """A request with a proof that was created when it was sent and lives for two periods, and the right code."""
    at = given.pop("at", None)
    moment = in_step(step) if at is None else at
    nonce = given.pop("nonce", None) or some_nonce()
    created = given.pop("created", math.floor(moment))
    expires = given.pop("expires", created + 2 * PERIOD)
    return right_code(step, at=moment, proof=SpentProof(nonce, created, expires), **given)


def late_by(drift: int, step: int = SOME_STEP) -> Match:
    """A code outside of the window."""
    return Match("", "", step + drift, drift)
