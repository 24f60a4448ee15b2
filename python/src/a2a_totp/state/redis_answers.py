"""What the scripts in Redis return, and the decisions that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from a2a_totp.state.budgets import is_whole
from a2a_totp.state.contract import Attempt, Decision
from a2a_totp.state.decisions import (
    ACCEPTED,
    full_until,
    replayed_until,
    throttled_for,
    unknown_proof,
    unknown_until,
)
from a2a_totp.state.failure import TIMED_OUT
from a2a_totp.state.redis_failure import StateUnavailableError, UnexpectedReplyError

_ANSWER_KINDS = frozenset(
    ("accepted", "wrong", "counted", "tripped", "replayed", "throttled", "unknown", "full", "lost", "late")
)


@dataclass(frozen=True)
class ScriptAnswer:
    """What the decision script returns."""

    kind: str
    value: int
    """For `replayed`: the last claimed time step; `throttled`: milliseconds to wait; `unknown`: when the memory begins,
    or when a proof that is known can be created; `full`: when there may be room; `lost`: the time by Redis."""
    tokens: tuple[str, ...]
    """For `throttled` and `tripped`: the tags of the tokens that guesses were made with."""


def parse_script_answer(reply: Any) -> ScriptAnswer:
    """Raises UnexpectedReplyError for anything that the script never returns."""
    if not isinstance(reply, (list, tuple)) or len(reply) < 2:
        raise UnexpectedReplyError
    parts: list[Any] = [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in reply]
    said, value, *tokens = parts
    if said not in _ANSWER_KINDS or not is_whole(value) or not all(isinstance(token, str) for token in tokens):
        raise UnexpectedReplyError
    return ScriptAnswer(said, value, tuple(tokens))


def decision_of_answer(attempt: Attempt, answer: ScriptAnswer) -> Decision:
    kind, value = answer.kind, answer.value
    if kind == "accepted":
        return ACCEPTED
    if kind in ("wrong", "counted", "tripped"):
        return Decision("wrong", counted=kind != "wrong", tripped=kind == "tripped")
    if kind == "replayed":
        return Decision("replayed") if attempt.proof else replayed_until(attempt, value)
    if kind == "throttled":
        return throttled_for(value)
    if kind == "unknown":
        return unknown_proof(attempt, value // 1000) if attempt.proof else unknown_until(attempt, value)
    if kind == "full":
        return full_until(attempt, -(-value // 1000))
    raise StateUnavailableError("Redis cannot answer", TIMED_OUT)
