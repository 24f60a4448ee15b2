"""What a scheme is made of, where it is not a server file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from a2a_totp.errors import ServerFileError, TOTPError
from a2a_totp.names import NAME_RULE, is_name
from a2a_totp.policies import SIGNED, Replay, Signed
from a2a_totp.profile import Profile
from a2a_totp.profile_rules import profile_of
from a2a_totp.roster import Canary, Grant, Peer, Roster
from a2a_totp.scheme.delegates import token_hash_of
from a2a_totp.scheme.option_kinds import require_maps, require_profile
from a2a_totp.scheme.peer_options import invalid_option, peer_of_option, policy_in
from a2a_totp.secret_strings import revealed
from a2a_totp.server_file_rules import SHARED_ONCE, require_distinct_seeds
from a2a_totp.text import quoted_name

_PREFIX = re.compile(r"(?:/[\x21\x22\x24-\x2e\x30-\x3e\x40-\x7e]+)+")
_SHARED_NAME = "(shared)"


@dataclass(frozen=True)
class CanaryToken:
    """A token that belongs to nobody, or its hash (`sha256:` and hex): its use is the event `canary_used`."""

    name: str
    token: Any = field(repr=False)
    id: str | None = None


@dataclass(frozen=True)
class SchemeRules:
    """The rules of a scheme that were given as options."""

    roster: Roster
    mapped: Mapping[str, str] = field(repr=False)
    """The peers of token hashes, where a delegate is asked about tokens."""


def rules_of(
    *,
    has_delegate: bool,
    peer_seeds: Mapping[str, Any] | None,
    token_to_peer: Mapping[Any, str] | None,
    shared_seed: Any,
    profile: Profile | Mapping[str, Any] | None,
    replay: Replay,
    agent: str | None,
    signed: Signed,
    canaries: Iterable[Any],
    allow_weak_seeds: bool,
) -> SchemeRules:
    """Checks the options of a scheme.

    Raises TOTPError with the code ERR_CONFIG_INVALID, ERR_PROFILE_INVALID, ERR_SEED_MISSING, ERR_SEED_INVALID,
    ERR_SEED_WEAK or ERR_TOKEN_INVALID for options that contradict each other or could never let anyone in.
    """
    require_maps(peer_seeds, token_to_peer)
    require_profile(profile)
    agents = profile_of(profile)
    if peer_seeds is not None and shared_seed is not None:
        raise invalid_option("peer_seeds and shared_seed exclude each other; pass one of them")
    if peer_seeds is None and shared_seed is None:
        raise TOTPError("ERR_SEED_MISSING", "no seeds; pass peer_seeds, or one shared_seed for all")
    defaults = Peer("", agents, policy_in(replay, ("once", "reuse"), "replay"), (), policy_in(signed, SIGNED, "signed"))
    given = {_SHARED_NAME: shared_seed} if peer_seeds is None else peer_seeds
    peers = {name: peer_of_option(name, seeds, defaults, allow_weak_seeds) for name, seeds in given.items()}
    try:
        sharing = require_distinct_seeds(peers.values())
    except ServerFileError as error:
        raise invalid_option(str(error)) from None
    if agent is None and (signed != "off" or any(peer.signed != "off" for peer in peers.values())):
        raise invalid_option('proofs are bound to the name of the agent; pass agent, or signed "off"')
    if agent is not None and not is_name(agent):
        raise invalid_option(f"agent must be {NAME_RULE}")
    peers = {name: peer.with_proof_keys(agent or "") for name, peer in peers.items()}
    anyone = peers[_SHARED_NAME] if peer_seeds is None else None
    if anyone and not anyone.may_share_seed:
        raise invalid_option(
            f'shared_seed with replay "once": {SHARED_ONCE}; pass peer_seeds, replay "reuse", or signed "require"'
        )
    if anyone:
        # Made now: they are the same for every peer, so no time tells anything.
        _ = anyone.digests
    roster = Roster(agent or "", agents, {} if anyone else peers, {}, sharing, None, defaults.signed, {}, anyone)
    tokens = _tokens_of(token_to_peer or {}, roster)
    if not has_delegate and not tokens:
        raise invalid_option("nothing checks the token; pass a delegate, or token_to_peer")
    found = {one: Grant(peer) for one, name in tokens.items() if (peer := roster.find(name)) and not has_delegate}
    return SchemeRules(replace(roster, tokens=found, canaries=_canaries_of(canaries)), tokens if has_delegate else {})


def path_prefix_of(given: str) -> str:
    """The beginning of the path that a proxy in front takes away. Raises TOTPError ERR_CONFIG_INVALID."""
    if given == "" or (isinstance(given, str) and _PREFIX.fullmatch(given)):
        return given
    raise invalid_option(
        "path_prefix must be the beginning of a path, such as /agents/billing, without a slash at its end"
    )


def _tokens_of(given: Mapping[Any, str], roster: Roster) -> dict[str, str]:
    for token, peer in given.items():
        if roster.find(peer) is None:
            if roster.find(str(revealed(token))) is not None:
                raise invalid_option(
                    f"token_to_peer has peer {quoted_name(str(token))} where a token belongs; write {{TOKEN: PEER}}"
                )
            raise invalid_option(
                f"token_to_peer names {quoted_name(peer)}, which has no seed; add it to peer_seeds or drop its token"
            )
    tokens = {token_hash_of(token): peer for token, peer in given.items()}
    if len(tokens) < len(given):
        raise invalid_option("token_to_peer has a token twice, once as its hash; map each token once")
    return tokens


def _canaries_of(given: Iterable[Any]) -> dict[str, Canary]:
    found: dict[str, Canary] = {}
    for one in given:
        if isinstance(one, Mapping):
            token = one.get("token", one.get("hash"))
            canary = CanaryToken(str(one.get("name", "")), token, cast("str | None", one.get("id")))
        else:
            canary = one
        if not isinstance(canary, CanaryToken):
            raise invalid_option("a canary must be a CanaryToken, or a mapping with name and token")
        token_hash = token_hash_of(canary.token)
        if token_hash in found:
            raise invalid_option(f"a token of canary {quoted_name(canary.name)} is listed twice; list each token once")
        found[token_hash] = Canary(canary.name, canary.id)
    return found
