"""Second factor for an A2A agent: a bearer token AND a fresh TOTP code on every request.

Made by `a2a-totp config server --format python` (or `crewai`, which adds crewAI's own scheme at the end). Save it as
`a2a_totp_server.py` beside the agent. It holds no secret: those are in the server file, which it reads at
`$A2A_TOTP_SERVER_FILE` and reads again when it changes (`a2a-totp config server --format json --out FILE` makes it).

    authenticator = Authenticator.from_file()
    app.add_middleware(TOTPMiddleware, authenticator=authenticator)  # JSON-RPC and REST: Starlette, FastAPI, ASGI
    grpc.aio.server(interceptors=[totp_interceptor(authenticator)])  # gRPC
    context_builder = TOTPCallContextBuilder()  # optional: the SDK's own reports the peer too; this demands a guard

For a2a-sdk 0.3 and 1.x, Python 3.10 and up; needs no other package. Guesses, used codes and nonces are counted in this
process: several worker processes multiply the budgets and let a code or a signed request pass once each, so run one.

Requests may carry a proof (HTTP Message Signatures, RFC 9421) that binds them to a seed. What it is worth is up to the
policy `signed` of the peer. The path counts as it was received: `path_prefix` puts back what a proxy strips from it.

A guess is looked at again after its answer: a code that is out of time by at most 20 minutes is logged as `code_stale`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import bisect
import contextvars
import functools
import hashlib
import hmac
import importlib
import inspect
import ipaddress
import json
import logging
import math
import os
import queue
import re
import secrets
import stat
import struct
import threading
import time
from collections import OrderedDict, deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Protocol
from urllib.parse import quote, unquote

from a2a.auth.user import User

if TYPE_CHECKING:
    import grpc
    from a2a.server.context import ServerCallContext

__all__ = [
    "CALLER_KEY",
    "Authenticator",
    "Caller",
    "ContentRefusedError",
    "GuardMissingError",
    "PeerUser",
    "Refusal",
    "RequestHead",
    "RequestUser",
    "Roster",
    "ServerFile",
    "ServerFileError",
    "TOTPCallContextBuilder",
    "TOTPMiddleware",
    "caller_of",
    "parse_server_file",
    "totp_interceptor",
]

logger = logging.getLogger("a2a_totp")

CALLER_KEY = "a2a_totp.caller"
"""Where the Caller is found in `ServerCallContext.state`."""

SERVER_FILE_VARIABLE = "A2A_TOTP_SERVER_FILE"
MINIMUM_SEED_BYTES = 16
"""RFC 4226 section 4, R6: the shared secret MUST have at least 128 bits."""


class ServerFileError(ValueError):
    """The server file cannot be used. The message names the bad field, never its value."""


class GuardMissingError(RuntimeError):
    """A call reached the SDK without the middleware or the interceptor in front: the agent would be open."""


# Codes (RFC 6238 over RFC 4226) ------------------------------------------------------------------------------

Algorithm = Literal["SHA1", "SHA256", "SHA512"]
Replay = Literal["once", "reuse"]
Signed = Literal["off", "observe", "accept", "require"]
"""What an agent does with the proofs of a peer; see the section on proofs."""

_SIGNED: tuple[Signed, ...] = ("off", "observe", "accept", "require")

_PROOF_TAG = "a2a-totp/proof/v1"
"""What makes a member of `Signature-Input` a proof, whatever its label. Also the salt of all keys."""

_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


@dataclass(frozen=True)
class Profile:
    """How codes are made, sent and checked. `period` is in seconds, `window` in time steps on either side."""

    algorithm: Algorithm = "SHA1"
    digits: int = 6
    period: int = 30
    window: int = 1
    header: str = "X-TOTP"

    @property
    def life(self) -> int:
        """How long a code is acceptable, in seconds."""
        return (2 * self.window + 1) * self.period

    @property
    def proof_life(self) -> int:
        """How long a proof may live, and how far ahead its clock may be, in seconds."""
        return (self.window + 1) * self.period

    def time_step(self, at: float) -> int:
        """T in RFC 6238 section 4.2, for an instant in unix seconds."""
        return math.floor(at / self.period)


def code_of_step(key: bytes, profile: Profile, step: int) -> str:
    """The code of one time step: RFC 4226 section 5.3 with T as the counter."""
    digest = hmac.new(key, struct.pack(">Q", step), _HASHES[profile.algorithm]).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**profile.digits).zfill(profile.digits)


def seed_digest(key: bytes, profile: Profile) -> str:
    """How a seed is known where its codes are claimed and its guesses counted, whatever id, peer or agent it is under.

    HKDF-SHA256 (RFC 5869) to 16 bytes, in base64url.
    """
    extracted = hmac.digest(_PROOF_TAG.encode(), _hmac_key(key, profile.algorithm), "sha256")
    expanded = hmac.digest(extracted, f"claim {profile.period}\x01".encode(), "sha256")
    return base64.urlsafe_b64encode(expanded[:16]).decode().rstrip("=")


def _hmac_key(key: bytes, algorithm: Algorithm) -> bytes:
    """The key as HMAC uses it (RFC 2104 section 2): two that are equal make the same codes."""
    new_hash = _HASHES[algorithm]
    return (new_hash(key).digest() if len(key) > new_hash().block_size else key).rstrip(b"\0")


def is_code(text: str, digits: int) -> bool:
    """Whether a text could be a code: ASCII digits, exactly as many. Asked before any HMAC."""
    return len(text) == digits and text.isascii() and text.isdigit()


@dataclass(frozen=True)
class ProofKey:
    """The key of the proofs of one seed for one agent. `keyid` names it, and is not secret."""

    keyid: str
    mac: bytes = field(repr=False)


def proof_key(seed: bytes, agent: str) -> ProofKey:
    """HKDF-SHA256 (RFC 5869) of the seed: independent of its codes, and of other agents' keys."""
    extracted = hmac.digest(_PROOF_TAG.encode(), seed, "sha256")

    def expand(name: str) -> bytes:
        return hmac.digest(extracted, f"{name} {agent}\x01".encode(), "sha256")

    return ProofKey(f"{agent}/{base64.urlsafe_b64encode(expand('kid')[:6]).decode()}", expand("mac"))


# The server file ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seed:
    """The key that a peer and the agent share. Refused from `expires_at` on, in unix seconds."""

    id: str
    key: bytes = field(repr=False)
    expires_at: float = math.inf


@dataclass(frozen=True)
class Peer:
    """One that may call."""

    name: str
    profile: Profile
    replay: Replay
    seeds: tuple[Seed, ...]
    signed: Signed = "off"
    proof_keys: tuple[ProofKey, ...] = field(default=(), repr=False)
    """Those of its seeds, in their order, made beforehand: making them takes time, which would tell that a token is
    live. None under `off`, where nobody asks."""

    @property
    def spends_proofs(self) -> bool:
        """Whether proofs change what is decided."""
        return self.signed in ("accept", "require")

    @property
    def may_share_seed(self) -> bool:
        """Under `once`, a request of one peer would spend the codes of the others, unless each is signed."""
        return self.replay != "once" or self.signed == "require"

    @functools.cached_property
    def digests(self) -> tuple[str, ...]:
        """Those of its seeds, in their order."""
        return tuple(seed_digest(seed.key, self.profile) for seed in self.seeds)

    def live_digests(self, at: float) -> tuple[str, ...]:
        """Those of its live seeds."""
        return tuple(digest for seed, digest in zip(self.seeds, self.digests, strict=True) if at < seed.expires_at)


@dataclass(frozen=True)
class Grant:
    """What a token is good for. Refused from `expires_at` on, in unix seconds."""

    peer: Peer
    expires_at: float = math.inf


@dataclass(frozen=True)
class Roster:
    """What a server file says: the agent's profile, and by token hash who may call."""

    agent: str
    profile: Profile
    peers: Mapping[str, Peer]
    tokens: Mapping[str, Grant] = field(repr=False)
    sharing: frozenset[str] = frozenset()
    """The names of the peers that have a seed of another, and so its budget."""
    serial: int | None = None
    """Grows with each change of the store; None in a file without one."""
    signed: Signed = "off"
    """The agent's own policy for proofs, for the challenge. A peer's own may differ."""

    @functools.cached_property
    def longest_period(self) -> int:
        """Of the peers whose proofs are looked at, in seconds; 0 if there are none."""
        return max((peer.profile.period for peer in self.peers.values() if peer.signed != "off"), default=0)

    def is_live(self, token_hash: str, peer: Peer, at: float) -> bool:
        """Whether guesses with a token count for that peer."""
        grant = self.tokens.get(token_hash)
        return grant is not None and at < grant.expires_at and (peer.name in self.sharing or grant.peer is peer)


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
    "algorithm": (lambda value: isinstance(value, str) and value in _HASHES, "one of SHA1, SHA256, SHA512"),
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
            for key in {seed.key.rstrip(b"\0"), _hmac_key(seed.key, peer.profile.algorithm)}:
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
    for policy in _SIGNED:
        if entry.get("signed", "off") == policy:
            return policy
    raise ServerFileError(f"{where} must be one of {', '.join(_SIGNED)}")


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


class ServerFile:
    """The roster at a path, read again within a second of a change there.

    The path may be a link, and what it leads to may be swapped, as Kubernetes does with mounted secrets. A new file
    that cannot be used is logged and the one before it stays in force; only at the start is it an error.
    """

    _look_every = 0.5

    def __init__(self, path: str | os.PathLike[str], *, allow_weak_seeds: bool = False) -> None:
        self._path = os.fspath(path)
        self._allow_weak = allow_weak_seeds
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._failure = ""
        try:
            self._seen: object = self._identity()
            self._roster = self._read()
        except OSError as error:
            raise ServerFileError(
                f"cannot read the server file: {error.strerror}; check ${SERVER_FILE_VARIABLE}"
            ) from error

    def __call__(self) -> Roster:
        """The roster in force."""
        if time.monotonic() - self._looked_at >= self._look_every and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                self._look()
            finally:
                self._lock.release()
        return self._roster

    def _look(self) -> None:
        try:
            seen = self._identity()
            if seen == self._seen:
                self._failure = ""
                return
            roster = self._read()
        except ServerFileError as error:
            self._seen = seen
            self._complain(str(error))
        except OSError as error:
            # Looked at again and again: nothing need change there when it can be read once more.
            self._complain(error.strerror or "unreadable")
        else:
            before, self._seen, self._roster, self._failure = self._roster, seen, roster, ""
            logger.info("server file read again: peers=%d serial=%s", len(roster.peers), roster.serial)
            if roster.serial is not None and before.serial is not None and roster.serial < before.serial:
                logger.warning(
                    "the server file is older than the one before (serial %d, was %d); what was revoked since is "
                    "valid again",
                    roster.serial,
                    before.serial,
                )

    def _complain(self, failure: str) -> None:
        if failure != self._failure:
            logger.error("server file changed but cannot be used, so the old one stays in force: %s", failure)
        self._failure = failure

    def _identity(self) -> object:
        status = os.stat(self._path)
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def _read(self) -> Roster:
        with open(self._path, encoding="utf-8", errors="strict") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & stat.S_IROTH:
                logger.warning("the server file holds seeds and everybody here can read it; run chmod o-r on it")
            try:
                text = file.read()
            except UnicodeDecodeError:
                raise ServerFileError("the file is not UTF-8") from None
        return parse_server_file(text, allow_weak_seeds=self._allow_weak)


# Proofs (RFC 9421 with RFC 8941 and RFC 9530) -----------------------------------------------------------------
# A frozen profile. `off` ignores proofs; `observe` decides as if there were none, and logs what they are worth; under
# `accept` a proof that is there must be valid, and is good for one request; `require` lets in no request without one.


@dataclass(frozen=True)
class RequestHead:
    """The request that a proof is bound to, as it was received.

    `target` is the path and the query; over gRPC it is `/package.Service/Method`, and `method` is POST.
    """

    method: str
    target: str
    binding: Literal["http", "grpc"] = "http"


class _Bare(NamedTuple):
    """A bare item. `value` is that of an integer, of a string without its quotes, of bytes in base64."""

    kind: Literal["string", "integer", "decimal", "bytes", "boolean", "token"]
    value: str | int | bool
    text: str


_Parameters = list[tuple[str, _Bare]]


class _Member(NamedTuple):
    """A member of a dictionary: an inner list, or a single item. `text` is how it was written."""

    label: str
    items: list[tuple[_Bare, _Parameters]] | None
    item: _Bare | None
    parameters: _Parameters
    text: str


class _NoDictionaryError(Exception):
    """The text is no dictionary."""


_SF_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_SF_NUMBER = re.compile(r"-?(?:[0-9]{1,12}\.[0-9]{1,3}(?![0-9])|[0-9]{1,15}(?![0-9.]))")
_SF_PLAIN = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_SF_ESCAPE = re.compile(r'\\["\\]')
_SF_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_SF_BYTES = re.compile(r":([A-Za-z0-9+/]*)(=*):")
_SF_BOOLEAN = re.compile(r"\?[01]")
_SF_SPACES = re.compile(r" *")
_SF_BLANKS = re.compile(r"[ \t]*")
_SF_TRUE = _Bare("boolean", True, "")


class _Scanner:
    """Reads a dictionary of Structured Fields (RFC 8941 section 4.2): strictly, in one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def dictionary(self) -> list[_Member]:
        """All members, those with equal labels too."""
        members: list[_Member] = []
        self._take(_SF_SPACES)
        while self._at < len(self._text):
            members.append(self._member())
            self._take(_SF_BLANKS)
            if self._at == len(self._text):
                break
            self._expect(",")
            self._take(_SF_BLANKS)
            if self._at == len(self._text):  # a comma at the end
                self._fail()
        return members

    def _member(self) -> _Member:
        label = self._take(_SF_KEY)[0]
        if not self._skip("="):
            return _Member(label, None, _SF_TRUE, self._parameters(), "")
        begin = self._at
        items, item = (self._inner_list(), None) if self._peek() == "(" else (None, self._bare())
        parameters = self._parameters()
        return _Member(label, items, item, parameters, self._text[begin : self._at])

    def _inner_list(self) -> list[tuple[_Bare, _Parameters]]:
        items: list[tuple[_Bare, _Parameters]] = []
        self._expect("(")
        while True:
            self._take(_SF_SPACES)
            if self._skip(")"):
                return items
            items.append((self._bare(), self._parameters()))
            if self._peek() not in (" ", ")"):
                self._fail()

    def _parameters(self) -> _Parameters:
        parameters: _Parameters = []
        while self._skip(";"):
            self._take(_SF_SPACES)
            key = self._take(_SF_KEY)[0]
            parameters.append((key, self._bare() if self._skip("=") else _SF_TRUE))
        return parameters

    def _bare(self) -> _Bare:
        first = self._peek()
        if first == '"':
            text = self._string()
            return _Bare("string", re.sub(r"\\(.)", r"\1", text[1:-1]), text)
        if first == ":":
            found = self._take(_SF_BYTES)
            spare = -len(found[1]) % 4
            # Padding may be missing; what no reader could decode is none.
            if spare == 3 or len(found[2]) > spare:
                self._fail()
            return _Bare("bytes", found[1] + found[2], found[0])
        if first == "?":
            text = self._take(_SF_BOOLEAN)[0]
            return _Bare("boolean", text == "?1", text)
        if first == "-" or "0" <= first <= "9":
            text = self._take(_SF_NUMBER)[0]
            return _Bare("decimal", text, text) if "." in text else _Bare("integer", int(text), text)
        text = self._take(_SF_TOKEN)[0]
        return _Bare("token", text, text)

    def _string(self) -> str:
        begin = self._at
        self._expect('"')
        self._take(_SF_PLAIN)
        while self._peek() != '"':
            self._take(_SF_ESCAPE)
            self._take(_SF_PLAIN)
        self._at += 1
        return self._text[begin : self._at]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, character: str) -> bool:
        found = self._peek() == character
        self._at += found
        return found

    def _expect(self, character: str) -> None:
        if not self._skip(character):
            self._fail()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            self._fail()
        self._at = found.end()
        return found

    def _fail(self) -> NoReturn:
        raise _NoDictionaryError


def _members_of(lines: Sequence[str]) -> list[_Member] | None:
    try:
        return _Scanner(_combined(lines)).dictionary()
    except _NoDictionaryError:
        return None


def _dictionary_of(lines: Sequence[str]) -> list[_Member] | None:
    """None also where a label comes twice: readers that take different ones would see different signatures."""
    members = _members_of(lines)
    return members if members is not None and len({member.label for member in members}) == len(members) else None


def _combined(lines: Sequence[str]) -> str:
    """The value of a field (RFC 9421 section 2.1)."""
    return ", ".join(line.strip(" \t") for line in lines)


_SF_DECIMAL = re.compile(r"(?!-0\.0$)-?(?:0|[1-9][0-9]{0,11})\.(?:0|[0-9]{0,2}[1-9])")


def _is_canonical(member: _Member) -> bool:
    """Whether a member is written as RFC 8941 section 4.1 writes it. What is signed is the text."""
    if member.items is None:
        written = _written(member.item) if member.item else ""
    else:
        written = f"({' '.join(_written(item) + _written_parameters(own) for item, own in member.items)})"
    return member.text == written + _written_parameters(member.parameters)


def _written_parameters(parameters: _Parameters) -> str:
    if len({key for key, _ in parameters}) < len(parameters):
        return "\0"  # a writer has one value for a key
    return "".join(f";{key}" if value.value is True else f";{key}={_written(value)}" for key, value in parameters)


def _written(item: _Bare) -> str:
    if item.kind == "string":
        return '"' + re.sub(r'(["\\])', r"\\\1", str(item.value)) + '"'
    if item.kind == "bytes":
        return f":{base64.b64encode(_decoded(str(item.value))).decode()}:"
    if item.kind == "boolean":
        return "?1" if item.value else "?0"
    if item.kind == "decimal":
        return item.text if _SF_DECIMAL.fullmatch(item.text) else "\0"
    return str(item.value)


def _decoded(text: str) -> bytes:
    letters = text.rstrip("=")
    return base64.b64decode(letters + "=" * (-len(letters) % 4))


def _bytes_of(member: _Member) -> bytes | None:
    """The 32 bytes of a member in canonical, padded base64 without parameters."""
    if member.item is None or member.item.kind != "bytes" or member.parameters:
        return None
    found = _decoded(str(member.item.value))
    return found if len(found) == 32 and base64.b64encode(found).decode() == member.item.value else None


class _Proof(NamedTuple):
    """A proof of the profile's form, not verified yet. The nonce is spent as it was written."""

    keyid: str
    created: int
    expires: int
    nonce: str
    digest: bytes
    base: str
    signature: bytes


_Lines = Mapping[str, Sequence[str]]
"""All lines of each field, by its name in lower case."""

_ALWAYS_COVERED = ("@method", "@path", "@query", "content-digest", "authorization")
_OPTIONAL_COMPONENTS = ("content-type", "a2a-version", "a2a-extensions")
"""Covered whenever the request has them. The content type of gRPC is its own."""
_PLAIN_VALUE = re.compile(r"[\t\x20-\x7e]*")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_PROOF_PARAMETERS = frozenset({"created", "expires", "nonce", "keyid", "tag", "alg"})


def _may_be_signed(lines: _Lines) -> bool:
    return "signature-input" in lines or "signature" in lines


def _read_proof(head: RequestHead, lines: _Lines, header: str, life: int) -> _Proof | str | None:
    """The proof of a request, the reason why it is none of the profile's form, or None for an unsigned request.

    `header` is the field of the code in lower case, `life` how long a proof may live in seconds.
    """
    if not _may_be_signed(lines):
        return None
    inputs, signatures = (_dictionary_of(lines.get(name, ())) for name in ("signature-input", "signature"))
    if "signature-input" not in lines or "signature" not in lines or inputs is None or signatures is None:
        return "proof-malformed"
    ours = [member for member in inputs if _is_ours(member)]
    if not ours:
        return None
    member = ours[0]
    found = [_bytes_of(other) for other in signatures if other.label == member.label]
    signature = found[0] if found else None
    given = _proof_parameters(member, life) if len(ours) == 1 else None
    if signature is None or given is None or member.items is None:
        return "proof-malformed"

    optional = _OPTIONAL_COMPONENTS if head.binding == "http" else _OPTIONAL_COMPONENTS[1:]
    expected = [*_ALWAYS_COVERED, header, *(name for name in optional if name in lines)]
    values = {name: _component(head, lines, name) for name in expected}
    named = {item.value for item, _ in member.items if isinstance(item.value, str)}
    if any(name in named and not _PLAIN_VALUE.fullmatch(values[name]) for name in expected):
        return "proof-malformed"
    covered = [str(item.value) for item, own in member.items if item.kind == "string" and not own]
    if len(member.items) != len(expected) or set(covered) != set(expected):
        return "proof-uncovered"
    if any(not name.startswith("@") and name not in lines for name in covered):
        return "proof-uncovered"

    digests = [one for one in _members_of(lines.get("content-digest", ())) or () if one.label == "sha-256"]
    digest = _bytes_of(digests[0]) if len(digests) == 1 else None
    if digest is None or "content-encoding" in lines:
        return "proof-digest"
    created, expires, nonce, keyid = given
    base = "\n".join([*(f'"{name}": {values[name]}' for name in covered), f'"@signature-params": {member.text}'])
    return _Proof(keyid, created, expires, nonce, digest, base, signature)


def _is_ours(member: _Member) -> bool:
    """By its tag. One whose tag is repeated is ours if any of them is, so that readers cannot disagree."""
    return any(key == "tag" and item.kind == "string" and item.value == _PROOF_TAG for key, item in member.parameters)


def _proof_parameters(member: _Member, life: int) -> tuple[int, int, str, str] | None:
    """Created, expires, nonce and key id; None if they are not those of the profile, or not canonical."""
    given = dict(member.parameters)
    if member.items is None or len(given) < len(member.parameters) or not _is_canonical(member):
        return None
    created, expires = (given.get(name) for name in ("created", "expires"))
    nonce, keyid, alg = (given.get(name) for name in ("nonce", "keyid", "alg"))
    if created is None or expires is None or nonce is None or keyid is None or not given.keys() <= _PROOF_PARAMETERS:
        return None
    if (created.kind, expires.kind, nonce.kind, keyid.kind) != ("integer", "integer", "string", "string"):
        return None
    if alg is not None and (alg.kind, alg.value) != ("string", "hmac-sha256"):
        return None
    text = str(nonce.value)
    # 16 to 48 bytes in base64url without padding, which never has 4n + 1 characters.
    if not _NONCE.fullmatch(text) or len(text) % 4 == 1:
        return None
    begin, end = int(created.value), int(expires.value)
    return (begin, end, text, str(keyid.value)) if begin < end <= begin + life else None


def _component(head: RequestHead, lines: _Lines, name: str) -> str:
    """The value of a component (RFC 9421 sections 2.1 and 2.2)."""
    path, _, query = head.target.partition("?")
    derived = {"@method": head.method, "@path": path, "@query": f"?{query}"}
    return derived[name] if name in derived else _combined(lines.get(name, ()))


def verify_head(
    head: RequestHead,
    lines: _Lines,
    *,
    header: str,
    period: int,
    window: int,
    keys: Sequence[ProofKey | None],
    decoy: ProofKey,
    at: float,
) -> tuple[_Proof, int] | str | None:
    """Verifies all of a proof that the head of the request shows: form, coverage, key, MAC and time.

    `keys` are those of the live seeds, with None for the others; `decoy` takes the place of one that is not known, so
    that the time does not tell. Returns the proof and the number of its key; the reason of a refusal; or None for an
    unsigned request. The content and the nonce are still to be compared.
    """
    life = (window + 1) * period
    proof = _read_proof(head, lines, header, life)
    if proof is None or isinstance(proof, str):
        return proof
    named = [number for number, key in enumerate(keys) if key and key.keyid == proof.keyid]
    candidates = [(number, keys[number]) for number in named] or [(-1, decoy)]
    base = proof.base.encode("latin-1")
    right = -1
    for number, key in candidates:
        mac = hmac.digest(key.mac if key else b"", base, "sha256")
        if hmac.compare_digest(mac, proof.signature) and right < 0:
            right = number
    if not named:
        return "proof-key"
    if right < 0:
        return "proof-mac"
    now = math.floor(at)
    return (proof, right) if proof.created <= now + life and now <= proof.expires else "proof-stale"


def content_hash(binding: Literal["http", "grpc"], length: int = 0) -> Any:
    """A SHA-256 that takes the content as it is sent; of gRPC with its prefix, a zero byte and the length."""
    return hashlib.sha256(b"\0" + length.to_bytes(4, "big") if binding == "grpc" else b"")


def content_digest(binding: Literal["http", "grpc"], content: bytes) -> bytes:
    """The digest of a content at hand: of a body, or of a serialised message."""
    found = content_hash(binding, len(content))
    found.update(content)
    digest: bytes = found.digest()
    return digest


@dataclass(frozen=True)
class _Checked:
    """What the head of a request shows of its proof. `unseen`: there may be one, and nobody told the request's head."""

    kind: Literal["absent", "invalid", "valid", "unseen"]
    reason: str = ""
    proof: _Proof | None = None
    seed: int = -1
    """The number of the seed that it was made with."""


_ABSENT = _Checked("absent")


# Replay protection and throttle ------------------------------------------------------------------------------

Outcome = Literal["accepted", "wrong", "replayed", "throttled", "unknown", "full"]

_GUESSES_A_DAY = 150
"""With 6 digits and a window of 0: at most 1.5e-4 accepted guesses of a seed a day, which is one in 18 years."""
_LEAST_IN_SHORT = 5
"""A client that restarts may send a few wrong codes; no limit is below this, unless that of a day is."""

_LATE_CODE = 20 * 60
"""How far outside of the window a code is still recognised, in seconds."""
_MOST_TOKENS_APART = 16
"""Guesses with so many tokens are told apart at each seed; those with further ones always count."""
_OTHERS = "*"
"""Stands for all tokens that are not told apart."""
_GUESS_SKEW = 60_000
"""A clock that was set back by at most so many milliseconds forgets no guess early."""
_CLAIM_KEPT = 31 * 86_400
"""A claim outlives its code by so many seconds, since clocks can be set back."""

_MOST_SOURCES = 10_000
_STRANGER_BUDGET = ((60, 60),)
_SWEEP_EVERY = 60.0


@functools.cache
def limits_for(digits: int, window: int) -> tuple[tuple[int, int], ...]:
    """Guesses allowed at one seed, as (how many, in how many seconds). They follow from the risk of a day.

    A success resets nothing: while a thief guesses, the real peer succeeds all day.
    """
    day = _GUESSES_A_DAY * 10 ** (digits - 6) // (2 * window + 1)
    shorter = ((day // 10, 30), (day * 2 // 5, 3600))
    return *((min(max(limit, _LEAST_IN_SHORT), day), seconds) for limit, seconds in shorter), (day, 86_400)


def _wait_for(events: Sequence[float], budgets: Sequence[tuple[int, int]], at: float) -> float:
    """Seconds until one more event fits every budget; `events` are instants, oldest first."""
    free = at
    for limit, seconds in budgets:
        if len(events) >= limit:
            free = max(free, events[-limit] + seconds)
    return free - at


def _whole_seconds(wait: float) -> int:
    return max(1, math.ceil(wait))


@dataclass(frozen=True)
class Match:
    """Where a code matched: `seed` is the seed's digest, `drift` the matching time step minus the current one."""

    seed_id: str
    seed: str
    time_step: int
    drift: int


@dataclass(frozen=True)
class SpentProof:
    """What a proof spends. Both instants are unix seconds, by the peer's clock."""

    nonce: str
    created: int
    expires: int


@dataclass(frozen=True)
class Attempt:
    """A well-formed code that came with a live token of the peer; without `match` it is a guess.

    `is_live` tells of the hash of a token whether guesses with it count; without it, all do.
    """

    peer: Peer
    token_hash: str = field(repr=False)
    code: str = field(repr=False)
    match: Match | None
    at: float
    is_live: Callable[[str], bool] | None = None
    proof: SpentProof | None = None
    """One that was verified but for its nonce. Then there is a match."""

    @property
    def time_step(self) -> int:
        """The current one, to which a guess belongs."""
        return self.peer.profile.time_step(self.at)

    @property
    def limits(self) -> tuple[tuple[int, int], ...]:
        """Those on the guesses at each of the peer's seeds."""
        return limits_for(self.peer.profile.digits, self.peer.profile.window)


@dataclass(frozen=True)
class Decision:
    """The state's answer; of a guess, whether it was `counted`, and whether it `tripped`: it exhausted a budget."""

    outcome: Outcome
    retry_after: int | None = None
    counted: bool = False
    tripped: bool = False


@dataclass
class _Kept:
    """After both instants nothing of it matters: by the clock, which can be set, and by the uptime."""

    until: float = -math.inf
    until_uptime: float = -math.inf

    def keep(self, seconds: float, at: float) -> None:
        """Only ever prolongs."""
        self.until = max(self.until, at + seconds)
        self.until_uptime = max(self.until_uptime, time.monotonic() + seconds)

    def is_over(self, at: float, uptime: float) -> bool:
        """By both."""
        return self.until <= at and self.until_uptime <= uptime


@dataclass
class _Claim(_Kept):
    """The newest time step of a seed that was spent."""

    time_step: int = -1


@dataclass
class _TokenLog:
    """The guesses with one token, oldest first."""

    instants: list[int] = field(default_factory=list)
    """In milliseconds: whole numbers, so that an instant can be searched for."""
    guesses: list[tuple[int, str]] = field(default_factory=list)
    """Time step and code."""

    def count_since(self, instant: int) -> int:
        """How many are not older."""
        return len(self.instants) - bisect.bisect_left(self.instants, instant)


@dataclass
class _GuessLog(_Kept):
    """The recent guesses at one seed, by token. Its length is bounded by the limits, its number by the seeds."""

    tokens: dict[str, _TokenLog] = field(default_factory=dict)
    """By the hash of the token. Those with guesses alone: others need no place."""
    step: int = -1
    codes: set[str] = field(default_factory=set)
    """The distinct wrong codes of that time step, late ones included."""

    def wait_for(self, attempt: Attempt) -> float:
        """Seconds until one more guess is allowed. Guesses with dead tokens do not count."""
        wait = _longest_pause(self.tokens.values(), attempt)
        if wait <= 0 or attempt.is_live is None:
            return wait
        counted = [log for token, log in self.tokens.items() if token == _OTHERS or attempt.is_live(token)]
        return wait if len(counted) == len(self.tokens) else _longest_pause(counted, attempt)

    def add(self, attempt: Attempt) -> None:
        """Counts a guess."""
        now, longest = _milliseconds(attempt.at), max(seconds for _, seconds in attempt.limits)
        # Not before the newest one, if the clock was set back a little: no guess is forgotten early.
        instant = max(now, min(_newest_of(self.tokens.values(), now), now + _GUESS_SKEW))
        token = self._token_for(attempt.token_hash, now - longest * 1000)
        log = self.tokens.setdefault(token, _TokenLog())
        place = bisect.bisect_right(log.instants, instant)
        log.instants.insert(place, instant)
        log.guesses.insert(place, (attempt.time_step, attempt.code))
        # The limits ask for no more than that.
        if len(log.guesses) > max(limit for limit, _ in attempt.limits):
            del log.guesses[0], log.instants[0]
        self.keep(longest, attempt.at)

    def remove(self, attempt: Attempt) -> None:
        """Takes a guess back."""
        guess = attempt.time_step, attempt.code
        for token in (_OTHERS, attempt.token_hash):
            log = self.tokens.get(token)
            if log is None or guess not in log.guesses:
                continue
            # The newest, if the clock was set back into its time step.
            place = len(log.guesses) - 1 - log.guesses[::-1].index(guess)
            del log.guesses[place], log.instants[place]
            if not log.guesses:
                del self.tokens[token]

    def _token_for(self, token: str, since: int) -> str:
        """The token, if there is a place for one more. Guesses that are not newer than `since` no longer count."""
        if token in self.tokens or self._has_room():
            return token
        for other in [other for other, log in self.tokens.items() if log.instants[-1] <= since]:
            del self.tokens[other]
        return token if self._has_room() else _OTHERS

    def _has_room(self) -> bool:
        return len(self.tokens.keys() - {_OTHERS}) < _MOST_TOKENS_APART


_NO_GUESSES = _GuessLog(tokens={_OTHERS: _TokenLog()})


def _milliseconds(at: float) -> int:
    return round(at * 1000)


def _newest_of(logs: Iterable[_TokenLog], default: int) -> int:
    return max((log.instants[-1] for log in logs), default=default)


def _longest_pause(logs: Collection[_TokenLog], attempt: Attempt) -> float:
    """Seconds for which a limit is exhausted from now on, the longest of all limits."""
    now = _milliseconds(attempt.at)
    pause = 0
    for limit, seconds in attempt.limits:
        length = seconds * 1000
        pause = max(pause, _nth_newest(logs, limit, now - length) + length - now)
    return pause / 1000


def _nth_newest(logs: Collection[_TokenLog], n: int, since: int) -> int:
    """The instant of the nth newest guess; `since` if there are not so many newer than that."""
    if len(logs) == 1:
        # Nearly always, and quicker.
        (log,) = logs
        return max(log.instants[-n], since) if len(log.instants) >= n else since

    def count_since(instant: int) -> int:
        return sum(log.count_since(instant) for log in logs)

    instants = range(since, max(since, _newest_of(logs, since)) + 1)
    beyond = bisect.bisect_right(instants, -n, lo=1, key=lambda instant: -count_since(instant))
    return instants[beyond - 1]


@dataclass
class _Bucket:
    """Nonces that expire at about the same time, and are forgotten together."""

    nonces: set[str] = field(default_factory=set)
    until_uptime: float = -math.inf


@dataclass
class _SeedNonces(_Kept):
    """The nonces of one seed, by the unix second in which the last of them may expire."""

    buckets: dict[int, _Bucket] = field(default_factory=dict)
    count: int = 0
    forgotten_until: float = -math.inf
    """Nonces that expire in this second or before may have been forgotten."""


class _Nonces:
    """The nonces that were spent, by seed.

    One is forgotten when it has expired both by the clock and by the uptime. A clock that was ahead and is set back
    would make forgotten ones valid again, so each seed remembers up to when they were forgotten.
    """

    def __init__(self, most: int, most_in_all: int) -> None:
        if min(most, most_in_all) < 1:
            raise ValueError("most_nonces and most_nonces_in_all must be whole numbers above 0")
        self._most, self._most_in_all = most, most_in_all
        self._seeds: dict[str, _SeedNonces] = {}
        self._count = 0
        self._next_sweep = -math.inf

    def spend(self, attempt: Attempt, seed: str, proof: SpentProof, since: int) -> Decision | None:
        """Spends a nonce; or says why not, and changes nothing. `since` is when the memory begins, in unix seconds."""
        at, life = attempt.at, attempt.peer.profile.proof_life
        own = self._seeds.get(seed)
        if own and any(proof.nonce in bucket.nonces for bucket in own.buckets.values()):
            return Decision("replayed")
        if proof.created < since:
            return Decision("unknown", _whole_seconds(since - at))
        if own:
            self._forget(own, at, time.monotonic())
            if proof.expires <= own.forgotten_until:
                known_from = own.forgotten_until + 1 - (proof.expires - proof.created)
                return Decision("unknown", _whole_seconds(known_from - at))
        if not (own and own.count >= self._most) and self._count >= self._most_in_all:
            self.sweep(at)
        if (own and own.count >= self._most) or self._count >= self._most_in_all:
            room_from = min(own.buckets) + 1 if own and own.buckets else math.ceil(at) + life
            return Decision("full", _whole_seconds(room_from - at))
        self._add(attempt, self._seeds.setdefault(seed, _SeedNonces()), proof)
        return None

    def sweep(self, at: float) -> None:
        """Forgets what is over, at most once a second."""
        uptime = time.monotonic()
        if uptime < self._next_sweep:
            return
        self._next_sweep = uptime + 1
        for own in self._seeds.values():
            self._forget(own, at, uptime)
        for seed in [seed for seed, own in self._seeds.items() if own.count == 0 and own.is_over(at, uptime)]:
            del self._seeds[seed]

    def _forget(self, own: _SeedNonces, at: float, uptime: float) -> None:
        for end in [end for end, bucket in own.buckets.items() if at >= end + 1 and uptime >= bucket.until_uptime]:
            gone = len(own.buckets.pop(end).nonces)
            own.count -= gone
            self._count -= gone
            own.forgotten_until = max(own.forgotten_until, end)

    def _add(self, attempt: Attempt, own: _SeedNonces, proof: SpentProof) -> None:
        # A look-up asks few buckets.
        width = max(30, math.ceil(attempt.peer.profile.proof_life / 2))
        end = -(-proof.expires // width) * width
        bucket = own.buckets.setdefault(end, _Bucket())
        bucket.nonces.add(proof.nonce)
        bucket.until_uptime = max(bucket.until_uptime, time.monotonic() + end + 1 - attempt.at)
        own.count += 1
        self._count += 1
        own.keep(_CLAIM_KEPT, attempt.at)


class MemoryState:
    """Replay protection and throttle of one process, asked and answered in one atomic step.

    Claims and budgets belong to a seed. A guess counts at every live seed of its peer, and the peer is throttled while
    the budget of one is exhausted. Memory is bounded by the number of seeds.

    Under `once`, a code that could have been spent before `since` (unix seconds) is `unknown`: after a restart
    that lasts up to window + 1 periods. So is a proof that was created before that second.

    A proof takes another way, also while a budget is exhausted: in one step its nonce is spent, and the claim of its
    seed rises to the time step of the code. So many nonces of a seed, and of all seeds, are remembered at most; beyond
    that proofs are refused, and none is forgotten early. Only who has a seed can fill it.
    """

    def __init__(self, since: float, *, most_nonces: int = 120_000, most_nonces_in_all: int = 480_000) -> None:
        self._since = since
        self._lock = threading.Lock()
        # By the digest of the seed.
        self._claims: dict[str, _Claim] = {}
        self._guesses: dict[str, _GuessLog] = {}
        self._nonces = _Nonces(most_nonces, most_nonces_in_all)
        # Codes ahead of the window, by the first live seed, peer and drift: their time step, and when they came.
        self._ahead: dict[tuple[str, str, int], tuple[int, float]] = {}
        self._next_sweep = -math.inf

    def decide(self, attempt: Attempt) -> Decision:
        """Whether an attempt may pass."""
        seeds = attempt.peer.live_digests(attempt.at)
        with self._lock:
            self._sweep(attempt.at)
            if attempt.proof and attempt.match:
                return self._spend_nonce(attempt, attempt.match, attempt.proof)
            wait = self._wait_for(attempt, seeds)
            if wait > 0:
                return Decision("throttled", _whole_seconds(wait))
            if attempt.match is None:
                return self._count(attempt, seeds)
            return self._claim(attempt, attempt.match)

    def take_back(self, attempt: Attempt, late: Match) -> bool:
        """Takes back a counted guess that turned out to be a code outside of the window, and says whether it did.

        A code *behind* is over: whoever has it learns nothing. One *ahead* is taken back only if another one of that
        peer came within 20 minutes, at the same drift (one more or less) and for an earlier time step: otherwise a
        budget would tell that a guess was a code to come.
        """
        seeds = attempt.peer.live_digests(attempt.at)
        with self._lock:
            if late.drift > 0 and not self._expected_ahead(attempt, late, seeds):
                return False
            for seed in seeds:
                if seed in self._guesses:
                    self._guesses[seed].remove(attempt)
        return True

    def _expected_ahead(self, attempt: Attempt, late: Match, seeds: Sequence[str]) -> bool:
        # Of the peer with that seed, as guesses are: one with the same name may have another.
        first, name, drift = seeds[0] if seeds else "", attempt.peer.name, late.drift
        near = [self._ahead.get((first, name, drift + other)) for other in (-1, 0, 1)]
        self._ahead[first, name, drift] = late.time_step, attempt.at
        return any(seen and seen[0] < late.time_step and _is_recent(seen[1], attempt.at) for seen in near)

    def _wait_for(self, attempt: Attempt, seeds: Iterable[str]) -> float:
        # Where there are no guesses, or no live seeds, it takes as long.
        logs = [self._guesses.get(seed, _NO_GUESSES) for seed in seeds] or [_NO_GUESSES]
        return max(log.wait_for(attempt) for log in logs)

    def _count(self, attempt: Attempt, seeds: Sequence[str]) -> Decision:
        if not seeds:
            return Decision("wrong")
        sent = self._guesses.setdefault(seeds[0], _GuessLog())
        if sent.step != attempt.time_step:
            sent.step, sent.codes = attempt.time_step, set()
        if attempt.code in sent.codes:
            return Decision("wrong")
        sent.codes.add(attempt.code)
        for seed in seeds:
            self._guesses.setdefault(seed, _GuessLog()).add(attempt)
        return Decision("wrong", counted=True, tripped=self._wait_for(attempt, seeds) > 0)

    def _claim(self, attempt: Attempt, match: Match) -> Decision:
        profile, at = attempt.peer.profile, attempt.at
        claim = self._claims.get(match.seed)
        if attempt.peer.replay == "reuse":
            # For when the policy becomes `once`.
            if not claim or match.time_step > claim.time_step:
                self._spend(attempt, match)
            return Decision("accepted")
        if claim and match.time_step <= claim.time_step:
            next_step = max(claim.time_step, attempt.time_step) + 1
            return Decision("replayed", _whole_seconds(next_step * profile.period - at))
        since = self._beginning(attempt)
        if (match.time_step - profile.window) * profile.period < since:
            first_known = math.ceil(since / profile.period) + profile.window
            return Decision("unknown", _whole_seconds(first_known * profile.period - at))
        self._spend(attempt, match)
        return Decision("accepted")

    def _spend_nonce(self, attempt: Attempt, match: Match, proof: SpentProof) -> Decision:
        refused = self._nonces.spend(attempt, match.seed, proof, math.floor(self._beginning(attempt)))
        if refused:
            return refused
        self._spend(attempt, match)
        return Decision("accepted")

    def _beginning(self, attempt: Attempt) -> float:
        """When the memory begins. A beginning far in the future is that of a clock that was wrong."""
        if self._since > attempt.at + attempt.peer.profile.life:
            self._since = attempt.at
        return self._since

    def _spend(self, attempt: Attempt, match: Match) -> None:
        claim = self._claims.setdefault(match.seed, _Claim())
        claim.time_step = max(claim.time_step, match.time_step)
        claim.keep(attempt.peer.profile.life + _CLAIM_KEPT, attempt.at)

    def _sweep(self, at: float) -> None:
        uptime = time.monotonic()
        if uptime < self._next_sweep:
            return
        self._next_sweep = uptime + _SWEEP_EVERY
        _forget(self._claims, at, uptime)
        _forget(self._guesses, at, uptime)
        self._nonces.sweep(at)
        for key in [key for key, (_, came) in self._ahead.items() if not _is_recent(came, at)]:
            del self._ahead[key]


def _forget(entries: MutableMapping[str, Any], at: float, uptime: float) -> None:
    for key in [key for key, kept in entries.items() if kept.is_over(at, uptime)]:
        del entries[key]


def _is_recent(came: float, at: float) -> bool:
    return abs(at - came) <= _LATE_CODE


def find_late_code(peer: Peer, code: str, at: float) -> Match | None:
    """The time step of a live seed, just outside of the window, that a code belongs to.

    The nearest, and past ones first. It computes 80 codes of a seed, all of them whatever is found: too much for the
    way to the answer, where the time would also tell whether the token is live.
    """
    profile = peer.profile
    now = profile.time_step(at)
    distances = range(profile.window + 1, profile.window + 1 + _LATE_CODE // profile.period)
    seeds = [(seed, digest) for seed, digest in zip(peer.seeds, peer.digests, strict=True) if at < seed.expires_at]
    found = None
    for drift in (*(-distance for distance in distances), *distances):
        if now + drift < 0:
            continue
        for seed, digest in seeds:
            if hmac.compare_digest(code_of_step(seed.key, profile, now + drift), code) and found is None:
                found = Match(seed.id, digest, now + drift, drift)
    return found


class StrangerLimit:
    """Slows down those who come with unknown tokens, per source; they touch no peer's budget."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, key: str, at: float) -> int:
        """Counts a request with an unknown token, by the key of its source.

        Returns 0 within the limit, else whole seconds to wait.
        """
        with self._lock:
            events = self._sources.setdefault(key, deque(maxlen=_STRANGER_BUDGET[0][0]))
            self._sources.move_to_end(key)
            wait = _wait_for(events, _STRANGER_BUDGET, at)
            if wait <= 0:
                events.append(at)
            if len(self._sources) > _MOST_SOURCES:
                self._sources.popitem(last=False)
        return _whole_seconds(wait) if wait > 0 else 0


_IPV4_IN_IPV6 = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""RFC 4291 section 2.5.5.2 and RFC 6052."""


def _source_key(source: str) -> str:
    """The /64 of an IPv6 address, since the host or home that has one address of it has all of them."""
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if any(address in network for network in _IPV4_IN_IPV6):
        return str(ipaddress.IPv4Address(address.packed[-4:]))
    return str(ipaddress.IPv6Network((address.packed[:8] + bytes(8), 64)))


# Both factors of a request -----------------------------------------------------------------------------------

Kind = Literal["unauthenticated", "throttled", "unavailable"]

_ANSWERS: dict[Kind, tuple[int, str, str]] = {
    "unauthenticated": (401, "UNAUTHENTICATED", "a bearer token and a valid one-time code are required"),
    "throttled": (429, "RESOURCE_EXHAUSTED", "too many failed attempts; try again later"),
    "unavailable": (503, "UNAVAILABLE", "the request cannot be verified at the moment; try again later"),
}

_OUTCOMES: dict[Outcome, tuple[Kind, str]] = {
    "wrong": ("unauthenticated", "code-wrong"),
    "replayed": ("unauthenticated", "code-replayed"),
    "throttled": ("throttled", "guesses-exhausted"),
    "unknown": ("unavailable", "replay-unknown"),
    "full": ("unavailable", "nonces-full"),
}

_PROOF_REASONS = frozenset(
    {
        *("proof-missing", "proof-malformed", "proof-uncovered", "proof-digest", "proof-key", "proof-mac"),
        *("proof-stale", "proof-replayed"),
    }
)

_BARE_METHODS = frozenset({"GET", "HEAD", "DELETE"})
"""Requests without content, usually."""

_RETRY_AFTER_FAILURE = 5
"""Whole seconds to stay away when a guard does not know better."""

# RFC 9110 section 11.6.2 with RFC 6750 section 2.1. ASCII: without it, IGNORECASE takes the Kelvin sign for a K.
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Caller:
    """Who called, and what proved it: the code alone, or (`signed`) also a proof that the request is bound to."""

    peer: str
    seed_id: str
    time_step: int
    drift: int
    proof: Literal["code", "signed"] = "code"
    agent: str = ""


@dataclass(frozen=True)
class Refusal:
    """An expected no. `kind` is what the caller may know, `reason` and `peer` are for the log only."""

    kind: Kind
    reason: str
    peer: str | None = None
    retry_after: int | None = None
    challenges: tuple[str, ...] = ()
    accept_signature: str | None = None
    """What a proof has to be like (RFC 9421 section 5.1), where the agent requires one."""

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return _ANSWERS[self.kind][0]

    @property
    def grpc_status(self) -> str:
        """The name of the gRPC status code."""
        return _ANSWERS[self.kind][1]

    @property
    def message(self) -> str:
        """What the caller is told."""
        return _ANSWERS[self.kind][2]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields that go with the answer, the challenges first."""
        fields = [("www-authenticate", value) for value in self.challenges]
        if self.accept_signature is not None:
            fields.append(("accept-signature", self.accept_signature))
        if self.retry_after is not None:
            fields.append(("retry-after", str(self.retry_after)))
        return fields

    @property
    def body(self) -> bytes:
        """The HTTP body: the same bytes for every reason of a kind."""
        code, status, message = _ANSWERS[self.kind]
        return json.dumps(
            {"error": {"code": code, "status": status, "message": message}}, separators=(",", ":")
        ).encode()


class _CodeBook:
    """The codes that a seed has around now: computed once a time step, so that a wrong code costs no HMAC."""

    def __init__(self) -> None:
        self._pages: dict[tuple[bytes, Profile], tuple[int, list[tuple[int, str]]]] = {}

    def around(self, key: bytes, profile: Profile, step: int) -> list[tuple[int, str]]:
        """(drift, code) for each time step of the window, nearest first."""
        known = self._pages.get((key, profile))
        if known and known[0] == step:
            return known[1]
        drifts = sorted(range(-profile.window, profile.window + 1), key=lambda drift: (abs(drift), drift))
        codes = [(drift, code_of_step(key, profile, step + drift)) for drift in drifts if step + drift >= 0]
        self._pages[key, profile] = step, codes
        return codes


_later: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_LATER = 0.05
"""Seconds until an answer is out. The next turn of a loop is too soon: other middleware may still be passing it on."""


def after_answer(look: Callable[[], None]) -> None:
    """Runs something a moment later, when the answer is out: on the running event loop, or else in a thread."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        _start_thread_for_later(os.getpid())
        _later.put(look)
    else:
        loop.call_later(_LATER, look)


@functools.cache
def _start_thread_for_later(_process: int) -> None:
    """One in each process: a fork has none of its parent's threads."""

    def run() -> None:
        while True:
            look = _later.get()
            time.sleep(_LATER)
            try:
                look()
            except Exception:
                logger.exception("a guess could not be looked at again")

    threading.Thread(target=run, name="a2a_totp", daemon=True).start()


class _RefusedProofs:
    """Logs refused proofs at most once a second and peer, with their number: a bad proof is no guess, so nothing else
    bounds how many a thief of the token can cause."""

    _quiet = 1.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By peer: when it was logged last, how many are held back, and the last of them.
        self._held: dict[str, tuple[float, int, str]] = {}

    def add(self, peer: str, text: str) -> None:
        """Logs it, or holds it back for a second."""
        now = time.monotonic()
        with self._lock:
            last, count, _ = self._held.get(peer, (-math.inf, 0, ""))
            due = now - last >= self._quiet
            self._held[peer] = (now, 0, "") if due else (last, count + 1, text)
        if due:
            logger.warning("%s count=%d", text, count + 1)
        elif count == 0:
            # So that they are logged too where the refusals end.
            timer = threading.Timer(self._quiet + 0.05, self._flush, (peer,))
            timer.daemon = True
            timer.start()

    def _flush(self, peer: str) -> None:
        with self._lock:
            last, count, text = self._held[peer]
            now = time.monotonic()
            # Else they were logged meanwhile, and others have a timer of their own.
            due = count > 0 and now - last >= self._quiet
            if due:
                self._held[peer] = (now, 0, "")
        if due:
            logger.warning("%s count=%d", text, count)


@dataclass(frozen=True)
class Examined:
    """What the head of a request shows. Whoever passes the request on asks `let_in`, and compares its content.

    `digest` is what the content has to have; None where there is nothing to compare. Where `withholds` is false,
    another content is only logged.
    """

    outcome: Caller | Refusal
    digest: bytes | None
    withholds: bool
    _log: Callable[[Caller | Refusal, bool], None] = field(repr=False)
    _refusal: Callable[[], Refusal] = field(repr=False)

    def let_in(self) -> Caller | Refusal:
        """The outcome, which is logged. Ask once."""
        self._log(self.outcome, False)
        return self.outcome

    def mismatch(self) -> Refusal | None:
        """The content is another one: the refusal to answer with; None where it is only logged."""
        refusal = self._refusal()
        self._log(refusal, not self.withholds)
        return refusal if self.withholds else None

    def compare(self, digest: bytes) -> Caller | Refusal:
        """The outcome for a request whose content has that digest. Ask once, in place of `let_in`."""
        if self.digest is None or hmac.compare_digest(digest, self.digest):
            return self.let_in()
        if self.withholds:
            return self.mismatch() or self.outcome
        outcome = self.let_in()
        self.mismatch()
        return outcome


@dataclass(frozen=True)
class _Decided:
    outcome: Caller | Refusal
    checked: _Checked
    policy: Signed
    refusal_of_content: Callable[[], Refusal]
    counted: tuple[Attempt, bool] | None = None
    """A guess that was counted, and whether it exhausted a budget."""


class Authenticator:
    """Checks both factors of a request. There is no way to ask about one of them alone.

    `roster` gives the roster in force and is asked at each request; `now` gives unix seconds. `later` runs what is
    handed to it after the answer: the second look at a guess, which may be a late code.
    """

    def __init__(
        self,
        roster: Callable[[], Roster],
        *,
        now: Callable[[], float] = time.time,
        guard: MemoryState | None = None,
        later: Callable[[Callable[[], None]], object] = after_answer,
    ) -> None:
        self._roster = roster
        self._now = now
        self._guard = guard or MemoryState(since=now())
        self._later = later
        self._strangers = StrangerLimit()
        self._book, self._book_of = _CodeBook(), roster()
        # They stand in where a refusal is decided without the real ones, so that it takes as long as any other.
        seed = Seed("", secrets.token_bytes(20))
        self._decoy_key = proof_key(seed.key, "decoy")
        self._decoy = Peer("", self._book_of.profile, "reuse", (seed,), "off", (self._decoy_key,))
        self._refused_proofs = _RefusedProofs()
        self._decoy_guard, self._decoy_strangers = MemoryState(since=0), StrangerLimit()

    @classmethod
    def from_file(cls, path: str | os.PathLike[str] | None = None, *, allow_weak_seeds: bool = False) -> Authenticator:
        """Reads and follows a server file, by default the one that `$A2A_TOTP_SERVER_FILE` names.

        Raises ServerFileError when there is none, or when it cannot be used.
        """
        found = path or os.environ.get(SERVER_FILE_VARIABLE)
        if not found:
            raise ServerFileError(f"no server file: give its path, or set ${SERVER_FILE_VARIABLE}")
        return cls(ServerFile(found, allow_weak_seeds=allow_weak_seeds))

    @property
    def code_header(self) -> str:
        """The name of the header that carries the code."""
        return self._roster().profile.header

    def authenticate(
        self,
        fields: Iterable[tuple[str, str]],
        source: str = "",
        head: RequestHead | None = None,
        content: bytes | None = None,
    ) -> Caller | Refusal:
        """Decides about a request. Ask once a request: under `once`, and for a signed one, asking again is a replay.

        `fields` are all header field lines (or gRPC metadata) as they came, `source` is where from. With a proof,
        `head` and `content` are what it is compared with; without them a signed request is refused where proofs matter.
        """
        bare = head is not None and head.binding == "http" and head.method in _BARE_METHODS
        examined = self.examine(fields, source, head, sees_content=content is not None or bare)
        if examined.digest is None or head is None:
            return examined.let_in()
        return examined.compare(content_digest(head.binding, content or b""))

    def examine(
        self,
        fields: Iterable[tuple[str, str]],
        source: str = "",
        head: RequestHead | None = None,
        *,
        sees_content: bool = True,
    ) -> Examined:
        """Decides about the head of a request, for those who pass its content on. Ask once a request.

        Nonce and code are spent by then, and a content that does not match does not give them back.
        """
        decided = self._decide(fields, source, head, sees_content, self._now())
        checked, policy = decided.checked, decided.policy
        compares = isinstance(decided.outcome, Caller) and policy != "off" and checked.proof is not None

        def log(outcome: Caller | Refusal, observed: bool) -> None:
            self._report(outcome, source, checked, policy, observed)
            if decided.counted:
                self._later(functools.partial(self._look_again, *decided.counted, source))

        return Examined(
            decided.outcome,
            checked.proof.digest if checked.proof and compares else None,
            policy in ("accept", "require"),
            log,
            decided.refusal_of_content,
        )

    def _report(
        self, outcome: Caller | Refusal, source: str, checked: _Checked, policy: Signed, observed: bool
    ) -> None:
        shown = "" if policy == "off" or checked.kind == "unseen" else f" proof={checked.kind}"
        shown += f" proof_reason={checked.reason}" if shown and checked.reason else ""
        if isinstance(outcome, Caller):
            caller = (outcome.peer, outcome.seed_id, outcome.time_step, outcome.drift, source, shown)
            logger.info("authenticated: peer=%s seed=%s step=%d drift=%d source=%s%s", *caller)
            return
        if observed:
            logger.warning(
                "proof_observed: peer=%s source=%s proof=invalid proof_reason=%s", outcome.peer, source, outcome.reason
            )
            return
        is_proof = outcome.reason in _PROOF_REASONS
        if is_proof:
            absent = outcome.reason == "proof-missing"
            shown = " proof=absent" if absent else f" proof=invalid proof_reason={outcome.reason}"
        text = f"refused: reason={outcome.reason} peer={outcome.peer} source={source}{shown}"
        if is_proof and outcome.peer:
            self._refused_proofs.add(outcome.peer, text)
            return
        if outcome.reason == "guard-failed" and outcome.peer and (checked.kind == "unseen" or checked.proof):
            text += "; the guard cannot see the content of a signed request: put it in front of whatever reads bodies"
        logger.warning("%s", text)

    def _look_again(self, attempt: Attempt, tripped: bool, source: str) -> None:
        """Is a counted guess a late code? A peer whose clock is wrong sends such codes all day, and is no thief."""
        peer = attempt.peer
        late = find_late_code(peer, attempt.code, attempt.at)
        if late:
            proof = (peer.name, late.seed_id, late.time_step, late.drift, source)
            logger.warning("code_stale: peer=%s seed=%s step=%d drift=%d source=%s", *proof)
            if self._guard.take_back(attempt, late):
                return
        if tripped:
            logger.error("token_compromise_suspected: peer=%s; run `a2a-totp rotate %s`", peer.name, peer.name)

    def _decide(
        self,
        fields: Iterable[tuple[str, str]],
        source: str,
        head: RequestHead | None,
        sees_content: bool,
        at: float,
    ) -> _Decided:
        roster = self._roster()
        lines = _lines_of(fields)
        header = roster.profile.header.lower()
        tokens, codes = lines.get("authorization", []), lines.get(header, [])
        bearer = _BEARER.fullmatch(tokens[0]) if len(tokens) == 1 else None
        token = bearer.group(1) if bearer else None
        code = codes[0] if len(codes) == 1 else None

        token_hash = "sha256:" + hashlib.sha256((token or "").encode()).hexdigest()
        grant = roster.tokens.get(token_hash) if token is not None else None
        known = grant is not None and at < grant.expires_at
        if roster is not self._book_of:
            self._book, self._book_of = _CodeBook(), roster
            self._decoy = replace(self._decoy, profile=roster.profile)
        peer = grant.peer if grant and known else self._decoy
        checked = self._check(roster, peer, head, lines, at)
        stopped = _refused_proof(peer, checked)
        used = checked if peer.spends_proofs and checked.kind == "valid" else None
        well_formed = code is not None and is_code(code, peer.profile.digits)
        # Without a code nothing of the peer's is computed: the time would tell whether its codes are known already.
        # Where its proof is refused, the code is not looked at.
        looked_at = code if well_formed and not stopped else None
        compared = self._decoy if looked_at is None else peer
        only = used.seed if used and looked_at is not None else None
        match = self._match(compared, looked_at or "0" * compared.profile.digits, at, only)

        def refuse(kind: Kind, reason: str, retry_after: int | None = None) -> Refusal:
            required = roster.signed == "require"
            unauthenticated = kind == "unauthenticated"
            challenges = _challenges(roster.profile.header, bool(tokens), required) if unauthenticated else ()
            accept = _accept_signature(header) if unauthenticated and required else None
            wait = retry_after or (_RETRY_AFTER_FAILURE if kind == "unavailable" else None)
            return Refusal(kind, reason, peer.name or None, wait, challenges, accept)

        def decided(outcome: Caller | Refusal, counted: tuple[Attempt, bool] | None = None) -> _Decided:
            return _Decided(
                outcome, checked, peer.signed, functools.partial(refuse, "unauthenticated", "proof-digest"), counted
            )

        flaw = _flaw(tokens, token, codes)
        if token is None:
            return decided(refuse("unauthenticated", flaw or "token-missing"))
        source_key = _source_key(source)
        wait = self._decoy_strangers.count("", at) if known else self._strangers.count(source_key, at)
        # Nobody guesses beside a proof: who signs has the seed.
        mistake = used is not None and match is None
        if not known or stopped or flaw or code is None or not well_formed or mistake:
            self._decoy_guard.decide(Attempt(self._decoy, "", "0", None, at))
            if not known and wait:
                return decided(refuse("throttled", "strangers-exhausted", wait))
            if not known:
                return decided(refuse("unauthenticated", "token-refused"))
            if stopped == "guard-failed":
                return decided(refuse("unavailable", stopped))
            return decided(
                refuse("unauthenticated", stopped or flaw or ("code-malformed" if not well_formed else "code-wrong"))
            )
        if used and not sees_content:
            return decided(refuse("unavailable", "guard-failed"))

        is_live = functools.partial(roster.is_live, peer=peer, at=at)
        proof = used.proof if used else None
        spent = SpentProof(proof.nonce, proof.created, proof.expires) if proof else None
        attempt = Attempt(peer, token_hash, code, match, at, is_live, spent)
        decision = self._guard.decide(attempt)
        # Whatever a guard says, what did not match does not pass.
        if decision.outcome == "accepted" and match:
            shown: Literal["code", "signed"] = "signed" if used else "code"
            return decided(Caller(peer.name, match.seed_id, match.time_step, match.drift, shown, roster.agent))
        kind, reason = _OUTCOMES.get(decision.outcome, ("unavailable", "guard-failed"))
        if used and reason == "code-replayed":
            reason = "proof-replayed"
        counted = (attempt, decision.tripped) if decision.counted else None
        return decided(refuse(kind, reason, decision.retry_after), counted)

    def _check(
        self, roster: Roster, peer: Peer, head: RequestHead | None, lines: Mapping[str, Sequence[str]], at: float
    ) -> _Checked:
        """Where any peer's proofs are looked at, those of all requests are: the time would tell which tokens are live.

        Never raises, whatever is in the request.
        """
        if roster.longest_period == 0 or not _may_be_signed(lines):
            return _ABSENT
        if head is None:
            return _Checked("unseen")
        of = peer if peer.signed != "off" else self._decoy
        keys = [key if at < seed.expires_at else None for seed, key in zip(of.seeds, of.proof_keys, strict=True)]
        try:
            found = verify_head(
                head,
                lines,
                header=roster.profile.header.lower(),
                # The longest one for everybody, so that no more is read for one token than for another; then its own.
                period=roster.longest_period,
                window=of.profile.window,
                keys=keys,
                decoy=self._decoy_key,
                at=at,
            )
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            # Whatever a caller sends is refused, and no error of the server.
            return _Checked("invalid", "proof-malformed")
        if found is None:
            return _ABSENT
        if isinstance(found, str):
            return _Checked("invalid", found)
        proof, seed = found
        life = of.profile.proof_life
        if proof.expires - proof.created > life:
            return _Checked("invalid", "proof-malformed")
        if proof.created > at + life:
            return _Checked("invalid", "proof-stale")
        return _Checked("valid", "", proof, seed)

    def _match(self, peer: Peer, code: str, at: float, only: int | None = None) -> Match | None:
        """Compares a code with those of every seed, whatever matches, and of expired ones too: it takes as long.

        With a proof, only the seed counts that it was made with.
        """
        now = peer.profile.time_step(at)
        match = None
        for number, (seed, digest) in enumerate(zip(peer.seeds, peer.digests, strict=True)):
            if only is not None and number != only:
                continue
            live = at < seed.expires_at
            for drift, candidate in self._book.around(seed.key, peer.profile, now):
                if hmac.compare_digest(candidate, code) and live and match is None:
                    match = Match(seed.id, digest, now + drift, drift)
        return match


def _lines_of(fields: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All lines of each field. A joined or first-wins look-up would hide that a field came twice."""
    lines: dict[str, list[str]] = {}
    for name, value in fields:
        lines.setdefault(name.lower(), []).append(value)
    return lines


def _refused_proof(peer: Peer, checked: _Checked) -> str | None:
    """Why the peer's policy refuses a request for its proof, before the code is looked at."""
    if not peer.spends_proofs or checked.kind == "valid":
        return None
    if checked.kind == "unseen":
        return "guard-failed"
    if checked.kind == "invalid":
        return checked.reason
    return "proof-missing" if peer.signed == "require" else None


def _flaw(tokens: Sequence[str], token: str | None, codes: Sequence[str]) -> str | None:
    """What is wrong with the fields. One that came twice counts as none: servers disagree which of them counts."""
    if not tokens:
        return "token-missing"
    if len(tokens) > 1:
        return "token-doubled"
    if token is None:
        return "token-malformed"
    if not codes:
        return "code-missing"
    return "code-doubled" if len(codes) > 1 else None


def _challenges(header: str, token_given: bool, proof_required: bool) -> tuple[str, ...]:
    """RFC 9110 section 11.6.1; RFC 6750 section 3.1 gives no error to a request without Authorization."""
    error = ', error="invalid_token"' if token_given else ""
    proof = ', proof="required"' if proof_required else ""
    return f'Bearer realm="a2a"{error}', f'TOTP realm="a2a", header="{header}"{proof}'


def _accept_signature(header: str) -> str:
    covered = " ".join(f'"{name}"' for name in (*_ALWAYS_COVERED, header))
    return f'a2a-totp=({covered});created;expires;tag="{_PROOF_TAG}"'


# JSON-RPC and REST: ASGI -------------------------------------------------------------------------------------

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class RequestUser:
    """Who called, as `request.user`: it has the members of Starlette's BaseUser."""

    caller: Caller

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else passes."""
        return True

    @property
    def display_name(self) -> str:
        """The peer's name, as PeerUser has it: tasks that are kept under one are found under the other."""
        return self.caller.peer

    @property
    def identity(self) -> str:
        """The peer's name."""
        return self.caller.peer


class ContentRefusedError(ConnectionError):
    """The app asked for the end of a body that is not the signed one, or was cut off. It never gets it.

    Raised where the app reads; the middleware has answered by then, and keeps this from the server.
    """


class _SignedContent:
    """Compares a body on its way to the app. Its end is withheld if it is not the signed one; nothing is kept."""

    _most_held = 1024 * 1024
    """Of a request that usually has no body, in bytes: there it is compared before the app starts."""

    def __init__(self, examined: Examined, receive: Receive, send: Send) -> None:
        self._examined, self._receive, self._send = examined, receive, send
        self._hash = content_hash("http")
        self._held: deque[MutableMapping[str, Any]] = deque()
        self._whole = self._started = False
        self.failed = False
        """Whether the app must get no end, and its answer goes nowhere."""

    async def decide(self, method: str) -> Caller | Refusal:
        """The outcome, before the app starts: with the body in view, if it comes in one piece."""
        if not self._examined.withholds:
            return self._examined.let_in()
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                # Gone, or nothing that is known. The answer is for the log.
                return self._examined.mismatch() or self._examined.outcome
            body = message.get("body", b"")
            size += len(body)
            self._hash.update(body)
            self._held.append(message)
            if not message.get("more_body", False):
                self._whole = True
                return self._examined.compare(self._hash.digest())
            if method not in _BARE_METHODS:
                return self._examined.let_in()
            if size > self._most_held:
                return self._examined.mismatch() or self._examined.outcome

    async def receive(self) -> MutableMapping[str, Any]:
        """In place of the server's own, for the app."""
        if self._held:
            return self._held.popleft()
        if self.failed:
            raise ContentRefusedError("the request was refused")
        message = await self._receive()
        if self._whole:
            return message
        if message["type"] != "http.request":
            if not self._examined.withholds:
                return message
            # Not passed on: many an app takes whatever follows the body for its end.
            self.failed = True
            raise ContentRefusedError("the client is gone, and its body was not whole")
        self._hash.update(message.get("body", b""))
        if message.get("more_body", False):
            return message
        self._whole = True
        if self._hash.digest() == self._examined.digest:
            return message
        refusal = self._examined.mismatch()
        if refusal is None:
            return message
        self.failed = True
        # Once an answer has begun it can only be cut off, which the server does when the app is over.
        if not self._started:
            await _answer(refusal, self._send)
        raise ContentRefusedError("the body is not the one that was signed")

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """The same; what the app still answers to a refused request is dropped."""
        if self.failed:
            return
        self._started = self._started or message["type"] == "http.response.start"
        await self._send(message)


class TOTPMiddleware:
    """Lets only callers with both factors reach an ASGI app, before any body is read.

    The body of a signed request is compared on its way to the app: one that comes in a single piece before the app
    starts, any other at its end, which the app then does not get. Put nothing in front that reads or changes bodies.
    `path_prefix` is what a proxy in front strips from the path, such as `/agents/billing`, unless the server puts it
    back itself (uvicorn does, with `--root-path`).

    Sets `scope["user"]`, so `request.user` is the peer, and the SDK tells peers apart without a builder of ours.
    GET and HEAD of `public_paths` pass: the agent card is public. OPTIONS is no exception, so where browsers call, a
    CORS middleware goes in front.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator | None = None,
        public_paths: Collection[str] = ("/.well-known/agent-card.json",),
        path_prefix: str = "",
    ) -> None:
        if isinstance(public_paths, str):
            raise TypeError("public_paths must be a collection of paths; a text would make each of its letters one")
        if path_prefix and not _PATH_PREFIX.fullmatch(path_prefix):
            raise ValueError(
                "path_prefix must be the beginning of a path, such as /agents/billing, without a last slash"
            )
        self._app = app
        self._path_prefix = path_prefix
        self._authenticator = authenticator or Authenticator.from_file()
        self._public_paths = frozenset(public_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or answers it."""
        if scope["type"] == "lifespan" or self._is_public(scope):
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        content = None
        outcome: Caller | Refusal | None = self._passed_before(scope)
        if outcome is None:
            examined = self._examine(scope)
            if examined.digest is None:
                outcome = examined.let_in()
            else:
                content = _SignedContent(examined, receive, send)
                outcome = await content.decide(scope["method"])
        if isinstance(outcome, Refusal):
            return await _answer(outcome, send)
        scope[CALLER_KEY] = (self._authenticator, outcome)
        # Read by the SDK's own builders. Without it all peers would be one user, and own each other's tasks.
        scope["user"] = RequestUser(outcome)
        if content is None:
            return await self._app(scope, receive, send)
        try:
            return await self._app(scope, content.receive, content.send)
        except Exception:
            # What an app makes of a body without an end is no error of the server.
            if not content.failed:
                raise

    def _is_public(self, scope: Scope) -> bool:
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path in self._public_paths

    def _passed_before(self, scope: Scope) -> Caller | None:
        authenticator, caller = scope.get(CALLER_KEY) or (None, None)
        return caller if authenticator is self._authenticator else None

    def _examine(self, scope: Scope) -> Examined:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        head = RequestHead(scope["method"], self._path_prefix + _target_of(scope))
        return self._authenticator.examine(fields, str((scope.get("client") or ("",))[0]), head)


_PATH_PREFIX = re.compile(r"(?:/[\x21\x22\x24-\x2e\x30-\x3e\x40-\x7e]+)+")


def _target_of(scope: Scope) -> str:
    """Path and query as they were received. Servers without `raw_path` leave the path decoded: it is encoded anew."""
    raw = scope.get("raw_path")
    path = quote(str(scope.get("path", "")), safe="/!$&'()*+,;=:@~").encode() if raw is None else bytes(raw)
    query = bytes(scope.get("query_string") or b"")
    # Some have the query in both.
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


async def _answer(refusal: Refusal, send: Send) -> None:
    body = refusal.body
    fields = [
        *refusal.headers,
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# gRPC --------------------------------------------------------------------------------------------------------

_grpc_verdict: contextvars.ContextVar[tuple[object, Caller] | None] = contextvars.ContextVar(
    "a2a_totp_grpc_verdict", default=None
)


def totp_interceptor(authenticator: Authenticator | None = None) -> grpc.aio.ServerInterceptor:
    """An interceptor for `grpc.aio.server` that lets only callers with both factors reach a service.

    It decides before the message is parsed, for every service of the server: health and reflection too. The message of
    a signed call is compared before; a signed call with a stream of messages is refused where proofs matter. It takes
    asynchronous services, as a2a-sdk makes them, and refuses calls of others. From here on, the SDK's own gRPC builder
    reports who called, where it would report nobody.
    """
    # Here, since an agent without gRPC need not have it.
    import grpc

    _report_peers_by_default()
    checker = authenticator or Authenticator.from_file()
    makers = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }

    async def admit(context: Any, method: str, message: Any) -> None:
        metadata = context.invocation_metadata() or ()
        seen = isinstance(message, bytes)
        examined = checker.examine(
            [(key, value if isinstance(value, str) else value.decode("latin-1")) for key, value in metadata],
            _host_of(context.peer()),
            RequestHead("POST", method, "grpc"),
            sees_content=seen,
        )
        compares = seen and examined.digest is not None
        outcome = examined.compare(content_digest("grpc", message)) if compares else examined.let_in()
        if isinstance(outcome, Caller):
            _grpc_verdict.set((context, outcome))
            return
        await context.abort(grpc.StatusCode[outcome.grpc_status], outcome.message, tuple(outcome.headers))
        raise GuardMissingError("the refused call was not aborted")  # by a context that somebody wrapped

    def guarded(handler: Any, method: str) -> Any:
        behavior = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        parse = handler.request_deserializer
        late = parse is not None and not handler.request_streaming
        # Called from here, a synchronous one would not stop at its own `context.abort`. Generated services have one for
        # each method that they lack: who may not call is refused first, like everywhere.
        is_async = inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)

        def require_async() -> None:
            if not is_async:
                raise TypeError("totp_interceptor guards asynchronous services only; give it `async def` handlers")

        # Of a stream of messages nothing is signed.
        def message_in(request: Any) -> Any:
            return None if handler.request_streaming else request

        async def call(request: Any, context: Any) -> Any:
            await admit(context, method, message_in(request))
            require_async()
            return await behavior(parse(request) if late else request, context)

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            await admit(context, method, message_in(request))
            require_async()
            answers = behavior(parse(request) if late else request, context)
            if inspect.isawaitable(answers):
                await answers  # it writes to the context itself
                return
            async for answer in answers:
                yield answer

        make = makers[handler.request_streaming, handler.response_streaming]
        return make(
            stream if handler.response_streaming else call,
            request_deserializer=None if late else parse,
            response_serializer=handler.response_serializer,
        )

    class TOTPInterceptor(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            handler = await continuation(handler_call_details)
            return guarded(handler, str(getattr(handler_call_details, "method", ""))) if handler else handler

    return TOTPInterceptor()


def _host_of(peer: str) -> str:
    """The address in `ipv4:127.0.0.1:50051` or `ipv6:[::1]:50051`, as HTTP has it: without scheme and port."""
    if not peer.startswith(("ipv4:", "ipv6:")):
        return peer
    return unquote(peer[5:].rpartition(":")[0]).strip("[]")


# Who called, for a2a-sdk -------------------------------------------------------------------------------------


class ContextBuilder(Protocol):
    """What the SDK asks for a call context: of an HTTP request, or of a gRPC context."""

    def build(self, request: Any, /) -> ServerCallContext:
        """Makes the call context."""
        ...


class PeerUser(User):
    """The SDK's name for whoever called: the peer's name, never its token."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else passes."""
        return True

    @property
    def user_name(self) -> str:
        """The peer's name."""
        return self.caller.peer


def caller_of(request: Any) -> Caller | None:
    """Who made a request that the middleware or the interceptor let pass; None when it met neither."""
    verdict = _grpc_verdict.get()
    if verdict and verdict[0] is request:
        return verdict[1]
    found = getattr(request, "scope", {}).get(CALLER_KEY)
    return found[1] if found else None


class TOTPCallContextBuilder:
    """Reports to the SDK who called, for HTTP requests and gRPC contexts alike.

    It checks nothing itself: middleware or interceptor did, once, and without their verdict on this very request it
    raises GuardMissingError, so that a forgotten guard is never an open agent. `inner` makes the rest of the context,
    by default the SDK's own builder.
    """

    def __init__(self, inner: ContextBuilder | None = None) -> None:
        self._inner = inner

    def build(self, request: Any) -> ServerCallContext:
        """The call context, with the peer as its user and the Caller in `state[CALLER_KEY]`."""
        caller = caller_of(request)
        if caller is None:
            raise GuardMissingError("no guard let this request pass; add TOTPMiddleware or totp_interceptor")
        return _reported(self._builder_for(request).build(request), caller)

    def _builder_for(self, request: Any) -> ContextBuilder:
        return self._inner or _sdk_builder(_HTTP_BUILDERS if hasattr(request, "scope") else _GRPC_BUILDERS)


# By the line of the SDK that has it: 1.x, then 0.3.
_HTTP_BUILDERS = (
    ("a2a.server.routes.common", "DefaultServerCallContextBuilder"),
    ("a2a.server.apps.jsonrpc.jsonrpc_app", "DefaultCallContextBuilder"),
)
_GRPC_HANDLERS = "a2a.server.request_handlers.grpc_handler"
_GRPC_BUILDERS = (
    (_GRPC_HANDLERS, "DefaultGrpcServerCallContextBuilder"),
    (_GRPC_HANDLERS, "DefaultCallContextBuilder"),
)


@functools.cache
def _report_peers_by_default() -> None:
    """Changes the SDK's own gRPC builder, which takes every caller for nobody, so that all peers share all tasks.

    HTTP has `scope["user"]` for that; gRPC has no such place. Calls that no interceptor of ours let pass are left as
    they are, and so are those whose builder names a user itself.
    """
    try:
        module = importlib.import_module(_GRPC_HANDLERS)
    except ImportError:
        return  # then the SDK serves no gRPC here
    builders: list[Any] = [getattr(module, name) for _, name in _GRPC_BUILDERS if hasattr(module, name)]
    for builder in builders:
        builder.build = _reporting(builder.build)
    if not builders:
        logger.warning("this a2a-sdk is not known: without a context_builder of yours, peers share all tasks over gRPC")


def _reporting(build: Callable[[Any, Any], ServerCallContext]) -> Callable[[Any, Any], ServerCallContext]:
    @functools.wraps(build)
    def reporting(self: Any, request: Any) -> ServerCallContext:
        context = build(self, request)
        if _grpc_verdict.get() is None or context.user.user_name:
            return context
        caller = caller_of(request)
        if caller is None:
            raise GuardMissingError("another interceptor replaced the call's context; put totp_interceptor behind it")
        return _reported(context, caller)

    return reporting


def _reported(context: ServerCallContext, caller: Caller) -> ServerCallContext:
    context.user = PeerUser(caller)
    context.state[CALLER_KEY] = caller
    return context


def _sdk_builder(places: Sequence[tuple[str, str]]) -> ContextBuilder:
    """The builder that the installed line of the SDK uses by default."""
    for module, name in places:
        try:
            builder: ContextBuilder = getattr(importlib.import_module(module), name)()
        except (ImportError, AttributeError):
            continue
        return builder
    raise ImportError("a2a-sdk has no call-context builder that this module knows; give one as `inner`")
