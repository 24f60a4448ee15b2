"""What is remembered of attempts: spent codes, guesses, nonces."""

from a2a_totp.state.contract import Attempt, Decision, Match, SpentProof, State, limits_for
from a2a_totp.state.memory import MemoryState

__all__ = ["Attempt", "Decision", "Match", "MemoryState", "SpentProof", "State", "limits_for"]
