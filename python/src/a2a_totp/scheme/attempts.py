"""What a state is asked about a peer."""

from __future__ import annotations

from collections.abc import Callable, Collection

from a2a_totp.roster import Peer
from a2a_totp.state.budgets import Budget, limits_for
from a2a_totp.state.contract import Attempt, Match, SpentProof


def attempt_of(
    peer: Peer,
    token_hash: str | None,
    code: str,
    match: Match | None,
    at: float,
    live_tokens: Callable[[], Collection[str] | None] | None = None,
    proof: SpentProof | None = None,
    budgets: tuple[Budget, ...] | None = None,
) -> Attempt:
    """An attempt of a peer at an instant in unix seconds; by default with the budgets of the default risk.

    A state is handed digests of the seeds, and the code only where it is wrong.
    """
    profile = peer.profile
    return Attempt(
        peer=peer.name,
        seeds=peer.live_digests(at),
        token=token_hash,
        live_tokens=live_tokens,
        policy=peer.replay,
        budgets=limits_for(profile.digits, profile.window) if budgets is None else budgets,
        at=at,
        time_step=profile.time_step(at),
        period=profile.period,
        window=profile.window,
        code="" if match else code,
        match=match,
        proof=proof,
    )
