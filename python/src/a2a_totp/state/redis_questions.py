"""What the scripts are asked: the same keys and arguments as src/state/redis-questions.ts makes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from a2a_totp.state.budgets import longest_ms, memory_of
from a2a_totp.state.contract import ALL_OTHERS, CLAIM_KEPT, GUESS_SKEW_MS, LATE_CODE, Attempt, Match
from a2a_totp.state.dead_tokens import token_tag
from a2a_totp.state.nonces import bucket_end

_NONCES_KEPT_MS = 24 * 3600 * 1000
"""A bucket of nonces outlives them by so long, for a clock that stands still. What is lost after that is unknown."""


def decide_keys(prefix: str, attempt: Attempt) -> list[str]:
    """The keys of a decision, all with one hash tag."""
    begun, match = f"{{{prefix}}}:begun", attempt.match
    if attempt.proof and match:
        return [begun, _redis_key(prefix, "claim", match.seed), _redis_key(prefix, "nonces", match.seed)]
    return [
        begun,
        _redis_key(prefix, "claim", match.seed) if match else begun,
        _redis_key(prefix, "seen", f"{_first_seed(attempt)} {attempt.time_step}"),
        *(_redis_key(prefix, kind, seed) for seed in attempt.seeds for kind in ("tokens", "guesses")),
    ]


def take_back_keys(prefix: str, attempt: Attempt) -> list[str]:
    """The keys of what is taken back."""
    # Of the peer at this agent: another agent's peer may have the same name.
    ahead = _redis_key(prefix, "ahead", f"{_first_seed(attempt)} {attempt.peer}")
    return [ahead, *(_redis_key(prefix, "guesses", seed) for seed in attempt.seeds)]


def decide_question(attempt: Attempt, most_nonces: int) -> dict[str, Any]:
    """The argument of a decision, but for the dead tokens."""
    question: dict[str, Any] = {
        "at": attempt.at_ms,
        "budgets": [{"limit": limit, "ms": seconds * 1000} for limit, seconds in attempt.budgets],
    }
    match, proof = attempt.match, attempt.proof
    if match is None:
        question |= {
            "guess": _guess_tag(attempt),
            # Twice as long as the time step, for a replica whose clock is behind.
            "seenMs": 2 * attempt.period * 1000,
            "keep": memory_of(attempt.budgets),
            "keepMs": max(longest_ms(attempt.budgets), attempt.life_ms),
        }
        return question if attempt.token is None else {**question, "token": token_tag(attempt.token)}
    question |= {"step": match.time_step, "claimMs": CLAIM_KEPT * 1000 + attempt.life_ms}
    if proof:
        spent = {"nonce": proof.nonce, "created": proof.created, "expires": proof.expires}
        bounds = {"most": most_nonces, "skewMs": GUESS_SKEW_MS, "keepMs": _NONCES_KEPT_MS}
        bucket = bucket_end(attempt, proof.expires)
        return {
            **question,
            "budgets": [],
            "lifeMs": attempt.life_ms,
            "proof": {**spent, "bucket": bucket, **bounds},
        }
    if attempt.policy == "reuse":
        return question
    acceptable_from = attempt.acceptable_from_ms(match.time_step)
    return {**question, "once": True, "acceptableFrom": acceptable_from, "lifeMs": attempt.life_ms}


def take_back_question(attempt: Attempt, late: Match) -> dict[str, Any]:
    """The argument of what is taken back."""
    return {
        "at": attempt.at_ms,
        "step": late.time_step,
        "drift": late.drift,
        "recentMs": LATE_CODE * 1000,
        "guess": "" if attempt.match else _guess_tag(attempt),
        "tokens": [ALL_OTHERS * 8, *([] if attempt.token is None else [token_tag(attempt.token)])],
    }


def _first_seed(attempt: Attempt) -> str:
    return attempt.seeds[0] if attempt.seeds else ""


def _redis_key(prefix: str, kind: str, name: str) -> str:
    """The name is hashed: with the digest of a seed, Redis could find the codes behind the tags of guesses.

    132 bits of SHA-256, so that any name becomes a key of one length and without braces.
    """
    return f"{{{prefix}}}:{kind}:{_base64url(hashlib.sha256(name.encode()).digest())[:22]}"


def _guess_tag(attempt: Attempt) -> str:
    """84 bits, so that distinct guesses stay distinct. Keyed, so that Redis cannot try a million codes."""
    text = f"{attempt.time_step} {attempt.code}".encode()
    return _base64url(hmac.digest(_first_seed(attempt).encode(), text, "sha256"))[:14]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
