"""What is remembered of attempts: spent codes, guesses, nonces."""

from a2a_totp.state.budgets import DEFAULT_RISK, Budget, budgets_by_digits, guesses_a_day, limits_for, risk_of
from a2a_totp.state.contract import Attempt, Decision, Match, SpentProof, State, Supports
from a2a_totp.state.memory import MemoryState, memory_state
from a2a_totp.state.strangers import StrangerLimit

__all__ = [
    "DEFAULT_RISK",
    "Attempt",
    "Budget",
    "Decision",
    "Match",
    "MemoryState",
    "SpentProof",
    "State",
    "StrangerLimit",
    "Supports",
    "budgets_by_digits",
    "guesses_a_day",
    "limits_for",
    "memory_state",
    "risk_of",
]
