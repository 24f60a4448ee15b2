"""Reads the text of a server file."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import (
    Callable,
    Iterable,
    Mapping,
)
from dataclasses import replace
from datetime import datetime
from typing import Any

from a2a_totp.policies import SIGNED, Signed
from a2a_totp.profile import HASHES, Profile
from a2a_totp.proof.keys import proof_key
from a2a_totp.roster import Grant, Peer, Roster, Seed
from a2a_totp.seeds import MINIMUM_SEED_BYTES, hmac_key


class ServerFileError(ValueError):
    """The server file cannot be used. The message names the bad field, never its value."""


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECRET_LOOKING = re.compile(r"a2at_.*|[A-Za-z2-7]{16,}")
"""A token or a seed that was pasted in the wrong place: no error shows it."""
_TOKEN_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")
_RESERVED_HEADER = re.compile(
    r"authorization|cookie|host|a2a-.*|grpc-.*|.*-bin|"
    # What HTTP itself acts on never arrives (RFC 9110 section 7.6.1, and what the Fetch standard forbids to set).
    r"accept|connection|content-(encoding|length|type)|date|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|"
    r"upgrade|via",
    re.IGNORECASE,
)
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ]((?!24)\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PROFILE_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "algorithm": (lambda value: isinstance(value, str) and value in HASHES, "one of SHA1, SHA256, SHA512"),
    "digits": (lambda value: _whole(value, 6, 8), "6, 7 or 8"),
    "period": (lambda value: _whole(value, 10, 120), "whole seconds, 10 to 120"),
    "window": (lambda value: _whole(value, 0, 2), "0, 1 or 2 time steps"),
    "header": (
        lambda value: (
            isinstance(value, str)
            and _HEADER.fullmatch(value) is not None
            and _RESERVED_HEADER.fullmatch(value) is None
        ),
        "a header name other than Authorization, Cookie, Host, A2A-*, grpc-*, *-bin and those of HTTP itself",
    ),
}
_REQUIREMENTS = frozenset({"once", "shared-seed", "signed"})
"""The words of `requires` that this module knows."""


def parse_server_file(text: str, *, allow_weak_seeds: bool = False) -> Roster:
    """Reads the JSON of `a2a-totp config server`.

    Unknown keys are ignored, but an unknown word in `requires` refuses the file: that is how a later version says
    that ignoring something would be unsafe.

    Raises ServerFileError with the path of the bad field.
    """
    try:
        file = _object(json.loads(text), "the file")
    except (ValueError, RecursionError) as error:
        if isinstance(error, ServerFileError):
            raise
        raise ServerFileError("the file is not JSON; make it with `a2a-totp config server`") from None
    if file.get("version") != 1 or isinstance(file["version"], bool):
        raise ServerFileError("version must be 1; a newer file needs a newer module")
    if not all(isinstance(word, str) and word in _REQUIREMENTS for word in _list(file.get("requires", []), "requires")):
        raise ServerFileError("requires names what this module does not know; it needs a newer module")

    agent = _text(file.get("agent"), "agent")
    if not _NAME.fullmatch(agent):
        raise ServerFileError("agent must be a name: a letter or digit, then up to 63 letters, digits, . - and _")
    serial = file.get("serial")
    if "serial" in file and (not isinstance(serial, int) or isinstance(serial, bool) or not 0 <= serial < 2**53):
        raise ServerFileError("serial must be a whole number, 0 or more")
    given = _object(file.get("profile"), "profile")
    profile = _profile(Profile(), {name: given.get(name) for name in _PROFILE_RULES}, "profile")
    signed = _signed(file, "signed")
    shared_seeds = _seeds(file["sharedSeeds"], "sharedSeeds", allow_weak_seeds) if "sharedSeeds" in file else None
    peers: dict[str, Peer] = {}
    tokens: dict[str, Grant] = {}
    for name, value in _object(file.get("peers"), "peers").items():
        if not _NAME.fullmatch(name):
            raise ServerFileError("peers has a name that is not allowed")
        where = _place_of(name)
        entry = _object(value, where)
        peer = _peer(name, where, entry, profile, shared_seeds, allow_weak_seeds)
        if peer.signed != "off":
            peer = replace(peer, proof_keys=tuple(proof_key(seed.key, agent) for seed in peer.seeds))
        peers[name] = peer
        for token_hash, expires_at in _tokens(entry.get("tokens"), f"{where}.tokens"):
            if token_hash in tokens:
                raise ServerFileError(f"{where}.tokens has a token that is listed twice; give it to one peer, once")
            tokens[token_hash] = Grant(peer, expires_at)
    return Roster(agent, profile, peers, tokens, _require_distinct_seeds(peers.values()), serial, signed)


def _place_of(peer: str) -> str:
    return f"peers.{'(not shown)' if _SECRET_LOOKING.fullmatch(peer) else peer}"


def _require_distinct_seeds(peers: Iterable[Peer]) -> frozenset[str]:
    """The names of the peers that have a seed of another.

    Claims belong to a seed and its time steps, so a seed has one profile, no peer has it twice, and no two have it
    while one of them is under `once` without a proof of each request.
    """
    owners: dict[bytes, Peer] = {}
    sharing: set[str] = set()
    for peer in peers:
        for seed in peer.seeds:
            # Of a seed longer than a block, the key that HMAC makes is another seed with the same codes.
            for key in {seed.key.rstrip(b"\0"), hmac_key(seed.key, peer.profile.algorithm)}:
                owner = owners.get(key)
                if owner is peer:
                    raise ServerFileError(f"{_place_of(peer.name)}.seeds has the same seed twice; list each seed once")
                if owner and owner.profile != peer.profile:
                    raise ServerFileError(
                        f"{_place_of(peer.name)} has a seed of {_place_of(owner.name)} with another algorithm, digits "
                        "or period; use a seed of its own"
                    )
                if owner and not (owner.may_share_seed and peer.may_share_seed):
                    raise ServerFileError(
                        f"{_place_of(peer.name)} has a seed of {_place_of(owner.name)}: under policy once, a request "
                        "of one would spend the codes of the other; use a seed of its own"
                    )
                if owner:
                    sharing |= {owner.name, peer.name}
                owners[key] = peer
    return frozenset(sharing)


def _peer(
    name: str, where: str, entry: Mapping[str, Any], base: Profile, shared: tuple[Seed, ...] | None, allow_weak: bool
) -> Peer:
    if shared is not None and "seeds" in entry:
        raise ServerFileError(f"{where}.seeds and sharedSeeds exclude each other")
    own = {key: entry[key] for key in ("algorithm", "digits", "period") if key in entry}
    replay = entry.get("replay")
    if replay not in ("once", "reuse"):
        raise ServerFileError(f"{where}.replay must be once or reuse")
    seeds = _seeds(entry.get("seeds"), f"{where}.seeds", allow_weak) if shared is None else shared
    peer = Peer(name, _profile(base, own, where), replay, seeds, _signed(entry, f"{where}.signed"))
    if shared is not None and not peer.may_share_seed:
        raise ServerFileError(
            f"{where}.replay must not be once unless signed is require: peers share a seed, and its codes"
        )
    return peer


def _signed(entry: Mapping[str, Any], where: str) -> Signed:
    for policy in SIGNED:
        if entry.get("signed", "off") == policy:
            return policy
    raise ServerFileError(f"{where} must be one of {', '.join(SIGNED)}")


def _profile(base: Profile, given: Mapping[str, Any], where: str) -> Profile:
    known = {name: given[name] for name in _PROFILE_RULES if name in given}
    for name, value in known.items():
        allows, expected = _PROFILE_RULES[name]
        if not allows(value):
            raise ServerFileError(f"{where}.{name} must be {expected}")
    return replace(base, **known)


def _seeds(value: Any, where: str, allow_weak: bool) -> tuple[Seed, ...]:
    seeds = []
    for index, item in enumerate(_list(value, where)):
        path = f"{where}[{index}]"
        entry = _object(item, path)
        key = _base32(_text(entry.get("seed"), f"{path}.seed"), f"{path}.seed")
        if len(key) < MINIMUM_SEED_BYTES and not allow_weak:
            raise ServerFileError(f"{path}.seed has less than 128 bits (RFC 4226 R6)")
        seeds.append(Seed(_text(entry.get("id"), f"{path}.id"), key, _instant(entry, path)))
    if not seeds:
        raise ServerFileError(f"{where} is empty; a peer needs a seed")
    if len({seed.id for seed in seeds}) < len(seeds):
        raise ServerFileError(f"{where} has two seeds with one id")
    return tuple(seeds)


def _tokens(value: Any, where: str) -> Iterable[tuple[str, float]]:
    for index, item in enumerate(_list(value, where)):
        path = f"{where}[{index}]"
        entry = _object(item, path)
        _text(entry.get("id"), f"{path}.id")
        token_hash = _text(entry.get("hash"), f"{path}.hash")
        if not _TOKEN_HASH.fullmatch(token_hash):
            raise ServerFileError(f"{path}.hash must be sha256: and 64 hex digits")
        yield token_hash, _instant(entry, path)


def _base32(text: str, where: str) -> bytes:
    grouped = re.fullmatch("([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*", re.sub(r"\s", "", text))
    letters = grouped[1].replace("-", "") if grouped else ""
    # b32decode takes only ASCII; it would also take a cut-short text that `=` fills up wrongly, hence the remainder.
    if not letters or len(letters) % 8 in (1, 3, 6):
        raise ServerFileError(f"{where} is not base32")
    try:
        return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)
    except binascii.Error:
        raise ServerFileError(f"{where} is not base32") from None


def _instant(entry: Mapping[str, Any], where: str) -> float:
    if "expiresAt" not in entry:
        return math.inf
    where = f"{where}.expiresAt"
    # Taken apart here: what `fromisoformat` takes for a date differs from one Python to the next.
    parts = _RFC_3339.fullmatch(_text(entry["expiresAt"], where))
    if parts is None:
        raise ServerFileError(f"{where} must be an RFC 3339 time with its zone, like 2026-11-23T22:45:01Z")
    day, clock, fraction, zone = parts.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        raise ServerFileError(f"{where} is a time that does not exist") from None
    return at.timestamp() + float(fraction or 0)


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _object(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ServerFileError(f"{where} must be an object")


def _list(value: Any, where: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ServerFileError(f"{where} must be a list")


def _text(value: Any, where: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise ServerFileError(f"{where} must be a text")
