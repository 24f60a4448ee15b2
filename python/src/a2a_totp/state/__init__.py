"""What is remembered of attempts: spent codes, guesses, nonces; in one process, or in Redis."""

from a2a_totp.state.budgets import DEFAULT_RISK, Budget, budgets_by_digits, guesses_a_day, limits_for, risk_of
from a2a_totp.state.contract import Attempt, Decision, Match, SpentProof, State, Supports
from a2a_totp.state.failure import Failure
from a2a_totp.state.memory import MemoryState, memory_state
from a2a_totp.state.redis_failure import StateUnavailableError, failure_of
from a2a_totp.state.redis_state import RedisClient, RedisState, redis_state
from a2a_totp.state.strangers import StrangerLimit

__all__ = [
    "DEFAULT_RISK",
    "Attempt",
    "Budget",
    "Decision",
    "Failure",
    "Match",
    "MemoryState",
    "RedisClient",
    "RedisState",
    "SpentProof",
    "State",
    "StateUnavailableError",
    "StrangerLimit",
    "Supports",
    "budgets_by_digits",
    "failure_of",
    "guesses_a_day",
    "limits_for",
    "memory_state",
    "redis_state",
    "risk_of",
]
