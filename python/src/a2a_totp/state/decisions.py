"""The decisions that tell when to come back, alike in every state."""

from __future__ import annotations

from a2a_totp.state.contract import Attempt, Decision, seconds_until

ACCEPTED = Decision("accepted")


def replayed_until(attempt: Attempt, last: int) -> Decision:
    """For a spent time step; `last` is the last one claimed. The next step is accepted again."""
    turn = (max(last, attempt.time_step) + 1) * attempt.period * 1000
    return Decision("replayed", seconds_until(turn, attempt.at_ms))


def unknown_until(attempt: Attempt, since: int) -> Decision:
    """For a time step that may have been spent before the memory begins, at `since` in milliseconds."""
    step_ms = attempt.period * 1000
    first_known = -(-since // step_ms) + attempt.window
    return Decision("unknown", seconds_until(first_known * step_ms, attempt.at_ms))


def unknown_proof(attempt: Attempt, known_from: int) -> Decision:
    """For a proof whose nonce may have been spent and forgotten; those created at that unix second are known."""
    return Decision("unknown", seconds_until(known_from * 1000, attempt.at_ms))


def full_until(attempt: Attempt, room_from: int) -> Decision:
    """For a proof whose nonce there is no room for, perhaps until that unix second."""
    return Decision("full", seconds_until(room_from * 1000, attempt.at_ms))


def throttled_for(wait_ms: int) -> Decision:
    """While a budget is exhausted, for that many milliseconds more."""
    return Decision("throttled", seconds_until(wait_ms, 0))
