"""Whether the rules of a scheme can be kept."""

from __future__ import annotations

from a2a_totp.errors import TOTPError
from a2a_totp.roster import Roster
from a2a_totp.scheme.first_factor import FirstFactor
from a2a_totp.state.budgets import budgets_by_digits
from a2a_totp.state.contract import State
from a2a_totp.text import quoted_name


def require_usable(roster: Roster, state: State, factor: FirstFactor, risk: float) -> None:
    """Raises TOTPError ERR_CONFIG_INVALID where the rules need more than the state supports, or allow no guess at all,
    and where the token of a canary is also a peer's."""
    supports = getattr(state, "supports", None)
    kinds = roster.kinds_of_peers
    for what, needed, ability in (
        ('replay is "once"', any(peer.replay == "once" for peer in kinds), "once"),
        ('signed is "accept" or "require"', any(peer.spends_proofs for peer in kinds), "proofs"),
    ):
        # What a state does not say it cannot do.
        if needed and getattr(supports, ability, None) is not True:
            raise TOTPError("ERR_CONFIG_INVALID", f"{what}, which this state does not support; pass one that does")
    budgets_for = budgets_by_digits(roster.profile.window, risk=risk)
    for digits in {peer.profile.digits for peer in kinds}:
        budgets_for(digits)
    for token_hash, canary in roster.canaries.items():
        if factor.lists(roster, token_hash):
            raise TOTPError(
                "ERR_CONFIG_INVALID",
                f"the token of canary {quoted_name(canary.name)} is also a peer's; use a token that nobody has",
            )
