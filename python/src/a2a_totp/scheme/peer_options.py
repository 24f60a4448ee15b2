"""The seeds and rules of one peer, as they are given to a scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from a2a_totp.base32 import bytes_of_base32
from a2a_totp.errors import ServerFileError, TOTPError
from a2a_totp.policies import SIGNED, Replay, Signed
from a2a_totp.profile_rules import checked_profile
from a2a_totp.roster import Peer, Seed
from a2a_totp.scheme.delegates import seconds_of
from a2a_totp.secret_strings import revealed
from a2a_totp.seeds import MINIMUM_SEED_BYTES
from a2a_totp.text import quoted_name


@dataclass(frozen=True)
class PeerSeed:
    """One seed of several: base32 (also as pydantic's SecretStr), or its bytes.

    `id` names it in events, by default by its place. From `expires_at` on (unix seconds, or a time with its zone) its
    codes are refused.
    """

    seed: Any = field(repr=False)
    id: str | None = None
    expires_at: float | datetime | None = None


@dataclass(frozen=True)
class SeedSet:
    """The seeds of a peer, with what differs from the scheme's profile and policies. A mapping with these keys will do.

    `seeds` holds PeerSeed, mappings with its keys, or seeds alone.
    """

    seeds: Sequence[Any] = field(repr=False)
    algorithm: str | None = None
    digits: int | None = None
    period: int | None = None
    replay: Replay | None = None
    signed: Signed | None = None


def peer_of_option(name: str, given: Any, defaults: Peer, allow_weak: bool) -> Peer:
    """The peer of an entry of `peer_seeds`. Raises TOTPError, with the peer's name in front."""
    try:
        found = _seed_set(given)
        if not found.seeds:
            raise TOTPError("ERR_SEED_MISSING", "it has no seed; pass one")
        own = {key: getattr(found, key) for key in ("algorithm", "digits", "period")}
        try:
            profile = checked_profile(
                defaults.profile, {key: value for key, value in own.items() if value is not None}, "profile"
            )
        except ServerFileError as error:
            raise TOTPError("ERR_PROFILE_INVALID", str(error)) from None
        seeds = tuple(_seed_of(one, place, allow_weak) for place, one in enumerate(found.seeds))
        if len({seed.id for seed in seeds}) < len(seeds):
            raise invalid_option("two of its seeds have the same id; ids must be unique")
        replay = policy_in(found.replay or defaults.replay, ("once", "reuse"), "replay")
        return Peer(name, profile, replay, seeds, policy_in(found.signed or defaults.signed, SIGNED, "signed"))
    except TOTPError as error:
        raise TOTPError(error.code, f"peer {quoted_name(name)}: {error}") from None


def _seed_set(given: Any) -> SeedSet:
    if isinstance(given, SeedSet):
        return given
    if isinstance(given, Mapping):
        known = {one.name for one in fields(SeedSet)}
        if "seed" in given:
            own = {key: value for key, value in given.items() if key not in known}
            return SeedSet([own], **{key: value for key, value in given.items() if key in known - {"seeds"}})
        if not given.keys() <= known:
            raise invalid_option(f"a set of seeds has the keys {', '.join(sorted(known))}, and no other")
        seeds = given.get("seeds", ())
        if isinstance(seeds, str) or not isinstance(seeds, Sequence):
            raise invalid_option("seeds must be a list of seeds")
        return SeedSet(**{**given, "seeds": seeds})
    if isinstance(given, list | tuple):
        return SeedSet(given)
    return SeedSet(()) if given is None or revealed(given) in ("", b"") else SeedSet([given])


def _seed_of(given: Any, place: int, allow_weak: bool) -> Seed:
    if isinstance(given, Mapping):
        known = {one.name for one in fields(PeerSeed)}
        if "seed" not in given or not given.keys() <= known:
            raise invalid_option(f"a seed has the keys {', '.join(sorted(known))}, and no other")
        given = PeerSeed(**given)
    one = given if isinstance(given, PeerSeed) else PeerSeed(given)
    value = revealed(one.seed)
    if not value:
        raise TOTPError("ERR_SEED_MISSING", "one of its seeds is empty; pass base32")
    key = bytes(value) if isinstance(value, bytes | bytearray) else None
    if key is None and isinstance(value, str):
        key = bytes_of_base32(value)
    if key is None:
        raise TOTPError("ERR_SEED_INVALID", "seed is not base32; use letters A-Z and digits 2-7")
    if len(key) < MINIMUM_SEED_BYTES and not allow_weak:
        bits = f"seed has {8 * len(key)} bits, RFC 4226 requires at least {8 * MINIMUM_SEED_BYTES}"
        raise TOTPError("ERR_SEED_WEAK", f"{bits}; make a longer one, or set allow_weak_seeds")
    expires_at = seconds_of(one.expires_at)
    if expires_at is None:
        raise invalid_option("expires_at of a seed must be unix seconds, or a time with its zone")
    return Seed(one.id or f"seed-{place + 1}", key, expires_at)


def policy_in(given: Any, known: Sequence[Any], what: str) -> Any:
    """One of the known words. Raises TOTPError ERR_CONFIG_INVALID for another."""
    if given not in known:
        raise invalid_option(f"{what} must be one of {', '.join(known)}")
    return given


def invalid_option(message: str) -> TOTPError:
    """The error of an option that is not allowed, or contradicts another."""
    return TOTPError("ERR_CONFIG_INVALID", message)
