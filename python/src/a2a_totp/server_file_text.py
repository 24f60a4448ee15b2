"""Reads the text of a server file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from a2a_totp.base32 import bytes_of_base32
from a2a_totp.errors import ServerFileError
from a2a_totp.names import NAME_RULE, is_name
from a2a_totp.policies import SIGNED, Signed
from a2a_totp.profile import Profile
from a2a_totp.profile_rules import PROFILE_RULES, checked_profile, is_whole_number
from a2a_totp.roster import Canary, Grant, Peer, Roster, Seed
from a2a_totp.seeds import MINIMUM_SEED_BYTES
from a2a_totp.server_file_rules import SHARED_ONCE, require_distinct_seeds, rfc3339_seconds
from a2a_totp.text import quoted_name
from a2a_totp.tokens import is_token_hash

_REQUIREMENTS = frozenset({"once", "shared-seed", "signed"})
"""The words of `requires` that this version knows."""
_MISSING = object()
_A_STORE = "it is a store, which holds every token; give the agent what `a2a-totp config server` prints"


def parse_server_file(text: str, *, allow_weak_seeds: bool = False) -> Roster:
    """Reads the JSON of `a2a-totp config server`.

    Unknown keys are ignored, but an unknown word in `requires` refuses the file: that is how a later version says
    that ignoring something would be unsafe.

    Raises ServerFileError with the path of the bad field.
    """
    file = _object(_json(text), "the document")
    version = file.get("version", _MISSING)
    if isinstance(version, bool) or version != 1:
        raise _bad_field("version", version, "1; a newer a2a-totp reads newer ones")
    # Easily taken for it: both have a version, an agent and peers, but that of a store has more than a name.
    if isinstance(file.get("agent"), dict):
        raise ServerFileError(_A_STORE)
    for word in _list(file.get("requires", []), "requires"):
        if not isinstance(word, str) or word not in _REQUIREMENTS:
            raise ServerFileError("requires asks for what this version does not know; update a2a-totp")
    agent = file.get("agent", _MISSING)
    if not is_name(agent):
        raise _bad_field("agent", agent, NAME_RULE)
    serial = file.get("serial")
    if "serial" in file and not is_whole_number(serial, 0, 2**53 - 1):
        raise _bad_field("serial", serial, "a whole number, 0 or more")
    signed = _signed(file, "signed")
    given = _object(file.get("profile", _MISSING), "profile")
    profile = Profile()
    for name in PROFILE_RULES:
        if name not in given:
            raise _bad_field(f"profile.{name}", _MISSING, "")
        profile = checked_profile(profile, {name: given[name]}, "profile")
    shared = _seeds(file["sharedSeeds"], "sharedSeeds", allow_weak_seeds) if "sharedSeeds" in file else None
    peers: dict[str, Peer] = {}
    tokens: dict[str, Grant] = {}
    for name, value in _object(file.get("peers", _MISSING), "peers").items():
        if not is_name(name):
            raise ServerFileError(f"peers has a peer name that is not allowed; use {NAME_RULE}")
        where = _place_of(name)
        entry = _object(value, where)
        peer = _peer(name, where, entry, profile, shared, allow_weak_seeds).with_proof_keys(agent)
        peers[name] = peer
        for token_hash, expires_at in _tokens(entry.get("tokens", _MISSING), f"{where}.tokens"):
            if token_hash in tokens:
                raise ServerFileError(
                    f"a token of {quoted_name(name)} is listed twice; list each token once, for one peer"
                )
            tokens[token_hash] = Grant(peer, expires_at)
    canaries = _canaries(file.get("canaries", []), tokens)
    sharing = require_distinct_seeds(peers.values())
    return Roster(agent, profile, peers, tokens, sharing, None if serial is None else int(serial), signed, canaries)


def _json(text: str) -> Any:
    """What JavaScript takes for JSON: no NaN, and numbers of any length. Nothing of the text is in an error."""
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_number)
    except json.JSONDecodeError as error:
        place = f": line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        place = ""
    raise ServerFileError(f"it is not JSON{place}; make it with `a2a-totp config server`")


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _number(digits: str) -> float:
    return int(digits) if len(digits) < 400 else math.inf


def _place_of(peer: str) -> str:
    return f"peers.{peer if quoted_name(peer)[0] == chr(34) else '(a key that is not shown)'}"


def _peer(
    name: str, where: str, entry: Mapping[str, Any], base: Profile, shared: tuple[Seed, ...] | None, allow_weak: bool
) -> Peer:
    replay = entry.get("replay", _MISSING)
    if replay not in ("once", "reuse"):
        raise _bad_field(f"{where}.replay", replay, "once or reuse")
    signed = _signed(entry, f"{where}.signed")
    own = {key: entry[key] for key in ("algorithm", "digits", "period") if key in entry}
    profile = checked_profile(base, own, where)
    if shared is not None and "seeds" in entry:
        raise ServerFileError(f"{where}.seeds must be absent if the file has sharedSeeds")
    seeds = _seeds(entry.get("seeds", []), f"{where}.seeds", allow_weak, name) if shared is None else shared
    if len({seed.id for seed in seeds}) < len(seeds):
        raise ServerFileError(f"peer {quoted_name(name)}: two of its seeds have the same id; ids must be unique")
    peer = Peer(name, profile, replay, seeds, signed)
    if shared is not None and not peer.may_share_seed:
        remedy = "give each peer its own seeds, use reuse, or require proofs"
        raise ServerFileError(f"{where}.replay must not be once: {SHARED_ONCE}; {remedy}")
    return peer


def _signed(entry: Mapping[str, Any], where: str) -> Signed:
    given = entry.get("signed", "off")
    for policy in SIGNED:
        if given == policy:
            return policy
    raise _bad_field(where, given, f"one of {', '.join(SIGNED)}")


def _seeds(value: Any, where: str, allow_weak: bool, owner: str | None = None) -> tuple[Seed, ...]:
    seeds = []
    for index, item in enumerate(_list(value, where)):
        path = f"{where}[{index}]"
        entry = _object(item, path)
        seed_id, text = _id(entry, path), entry.get("seed", _MISSING)
        key = bytes_of_base32(text) if isinstance(text, str) else None
        if key is None:
            raise _bad_field(f"{path}.seed", text, "a seed in base32")
        seeds.append(Seed(seed_id, key, _instant(entry, path)))
    if not seeds:
        raise ServerFileError("ERR_SEED_MISSING", f"{where} has no seed; add at least one")
    for index, seed in enumerate(seeds):
        if len(seed.key) < MINIMUM_SEED_BYTES and not allow_weak:
            what = f"{where}[{index}]" if owner is None else f"peer {quoted_name(owner)}: seed"
            bits = f"{what} has {8 * len(seed.key)} bits, RFC 4226 requires at least 128"
            raise ServerFileError("ERR_SEED_WEAK", f"{bits}; make a longer one, or set allow_weak_seeds")
    return tuple(seeds)


def _tokens(value: Any, where: str) -> Iterable[tuple[str, float]]:
    for index, item in enumerate(_list(value, where)):
        path = f"{where}[{index}]"
        entry = _object(item, path)
        _id(entry, path)
        yield _hash(entry, path), _instant(entry, path)


def _canaries(value: Any, tokens: Mapping[str, Grant]) -> dict[str, Canary]:
    """Beside the peers, so that a reader that does not know them refuses their tokens."""
    found: dict[str, Canary] = {}
    for index, item in enumerate(_list(value, "canaries")):
        path = f"canaries[{index}]"
        entry = _object(item, path)
        name = entry.get("name", _MISSING)
        if not is_name(name):
            raise _bad_field(f"{path}.name", name, NAME_RULE)
        canary, token_hash = Canary(name, _id(entry, path)), _hash(entry, path)
        if token_hash in tokens or token_hash in found:
            raise ServerFileError(f"{path}.hash must differ from the hash of every other token")
        found[token_hash] = canary
    return found


def _hash(entry: Mapping[str, Any], where: str) -> str:
    given = entry.get("hash", _MISSING)
    if isinstance(given, str) and is_token_hash(given):
        return given
    raise _bad_field(f"{where}.hash", given, "sha256: and 64 hex digits")


def _id(entry: Mapping[str, Any], where: str) -> str:
    given = entry.get("id", _MISSING)
    if isinstance(given, str) and given:
        return given
    raise _bad_field(f"{where}.id", given, "a non-empty string")


def _instant(entry: Mapping[str, Any], where: str) -> float:
    if "expiresAt" not in entry:
        return math.inf
    given = entry["expiresAt"]
    at = rfc3339_seconds(given) if isinstance(given, str) else None
    if at is None:
        raise _bad_field(f"{where}.expiresAt", given, "an RFC 3339 time, like 2026-11-23T22:45:01Z")
    return at


def _object(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise _bad_field(where, value, "an object")


def _list(value: Any, where: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise _bad_field(where, value, "a list")


def _bad_field(where: str, value: Any, expected: str) -> ServerFileError:
    return ServerFileError(f"{where} {'is missing' if value is _MISSING else f'must be {expected}'}")
