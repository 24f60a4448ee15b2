"""Asks about a token, and finds the peer it belongs to."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.roster import Peer, Roster
from a2a_totp.scheme.delegates import (
    DelegateUnavailableError,
    PeerTokenAuth,
    SimpleTokenAuth,
    TokenContext,
    TokenVerdict,
    seconds_of,
    token_hash_of,
)
from a2a_totp.state.failure import Failure
from a2a_totp.state.redis_failure import failure_of
from a2a_totp.text import quoted_name
from a2a_totp.tokens import is_token_hash

_ONLY_PEER = "peer"
"""The peer's name under a shared seed if neither delegate nor map tells peers apart."""
_VERDICT_FIELDS = frozenset({"peer", "claims", "expires_at", "refusal"})
_REFUSED = TokenVerdict(refusal="refused")
_REFUSING_STATUS = (400, 401, 403)
_LISTING = (PeerTokenAuth, SimpleTokenAuth)


@dataclass(frozen=True)
class TokenOwner:
    """The peer that a token belongs to, or the reason why there is none."""

    peer: Peer | None = None
    reason: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires_at: float = math.inf
    live_tokens: Callable[[], Collection[str] | None] | None = None
    """The hashes of the tokens whose guesses count; None where tokens are not listed."""
    retry_after: int | None = None
    failure: Failure | None = None


class FirstFactor:
    """Asks a delegate about a token. Without one, the tokens of the roster are accepted.

    `mapped` names the peers of token hashes where the delegate does not.
    """

    def __init__(self, delegate: Any = None, mapped: Mapping[str, str] | None = None) -> None:
        self.delegate = delegate
        self._mapped = mapped or {}
        self._ask = None if delegate is None else _question_for(delegate)

    def may_always_ask(self, token_hash: str) -> bool:
        """Whether asking about the token costs no more than a look-up, or the token is listed in the map."""
        is_lookup = self.delegate is None or getattr(self.delegate, "is_lookup", False) is True
        return is_lookup or token_hash in self._mapped

    def lists(self, roster: Roster, token_hash: str) -> bool:
        """Whether a token is known to be a peer's without asking a delegate of another kind."""
        if token_hash in roster.tokens or token_hash in self._mapped:
            return True
        # One that extends these may do anything with a token.
        return type(self.delegate) in _LISTING and self.delegate.lists_token(token_hash)

    async def identify(self, roster: Roster, token: str, token_hash: str, at: float) -> TokenOwner:
        """Whose token it is. Never raises: a delegate that does is reported as the failure."""
        if self._ask is None:
            return _owner_in(roster, token_hash, at)
        try:
            verdict = await self._ask(token, TokenContext(at, token_hash))
        except Exception as error:  # noqa: BLE001
            failure = error.failure if isinstance(error, DelegateUnavailableError) else failure_of(error)
            return TokenOwner(reason="delegate-failed", failure=failure)
        return self._owner_for(roster, verdict, token_hash, at)

    def _owner_for(self, roster: Roster, verdict: TokenVerdict, token_hash: str, at: float) -> TokenOwner:
        expires_at = seconds_of(verdict.expires_at)
        if verdict.refusal is not None or expires_at is None or not at < expires_at:
            return TokenOwner(reason="token-refused")
        mapped = self._mapped.get(token_hash)
        if verdict.peer and mapped and verdict.peer != mapped:
            return TokenOwner(reason="peer-conflict")
        # A delegate that says an empty name says that it knows nobody.
        said = mapped if verdict.peer is None else verdict.peer
        name = said if said is not None else _ONLY_PEER if roster.anyone and not self._mapped else None
        peer = roster.find(name) if name else None
        if peer is None:
            return TokenOwner(reason="peer-unknown")
        live = self._live_tokens(roster, peer, token_hash, at)
        return TokenOwner(peer, claims=verdict.claims, expires_at=expires_at, live_tokens=live)

    def _live_tokens(
        self, roster: Roster, peer: Peer, token_hash: str, at: float
    ) -> Callable[[], Collection[str] | None] | None:
        """All tokens if the peer shares a seed, since it shares its budget as well; otherwise its own."""
        list_tokens = getattr(self.delegate, "live_tokens", None)
        if not callable(list_tokens):
            return None
        return lambda: _listed(list_tokens(at, None if roster.shares(peer.name) else peer.name), token_hash)

    async def require_usable(self, roster: Roster, tokens: Mapping[str, str], at: float) -> None:
        """Decides about every mapped token as a request with it would.

        Raises TOTPError ERR_CONFIG_INVALID for one that can never be accepted: the delegate refuses it, it has expired,
        it belongs to another peer, or every seed of its peer has expired. Errors of the delegate are passed on.
        """
        for token, name in tokens.items():
            peer = await self._peer_of_mapped(roster, token.strip(), name, at)
            if peer is None:
                raise _never_accepted(
                    name,
                    "the delegate refuses it, says that it has expired, or assigns it to another peer; add it to the "
                    "delegate, or leave the delegate out",
                )
            if not any(at < seed.expires_at for seed in peer.seeds):
                raise _never_accepted(name, "every seed of this peer has expired; add a live one, or drop the token")

    async def _peer_of_mapped(self, roster: Roster, token: str, name: str, at: float) -> Peer | None:
        """The peer that a request with a mapped token would be of. A hash says nothing to other delegates than ours."""
        token_hash = token_hash_of(token)
        if self._ask is None:
            return _owner_in(roster, token_hash, at).peer
        if is_token_hash(token) and type(self.delegate) not in _LISTING:
            return roster.find(name)
        verdict = await self._ask(token, TokenContext(at, token_hash))
        return self._owner_for(roster, verdict, token_hash, at).peer


def _never_accepted(peer: str, reason: str) -> TOTPError:
    return TOTPError(
        "ERR_CONFIG_INVALID",
        f"the token that token_to_peer maps to {quoted_name(peer)} can never be accepted: {reason}",
    )


def _owner_in(roster: Roster, token_hash: str, at: float) -> TokenOwner:
    grant = roster.tokens.get(token_hash)
    if grant is None or not at < grant.expires_at:
        return TokenOwner(reason="token-refused")
    peer = grant.peer
    return TokenOwner(peer, expires_at=grant.expires_at, live_tokens=lambda: roster.live_tokens(peer, at))


def _listed(given: Any, token_hash: str) -> frozenset[str] | None:
    """A list without the very token that was accepted is none, and with it no guess would count."""
    hashes = frozenset(given) if isinstance(given, list | tuple | set | frozenset) else frozenset()
    return hashes if token_hash in hashes else None


Question = Callable[[str, TokenContext], Awaitable[TokenVerdict]]


def _question_for(delegate: Any) -> Question:
    """How a delegate is asked: by `authenticate_token`, or as crewAI's schemes are by `authenticate`.

    Raises TOTPError ERR_CONFIG_INVALID for one with neither.
    """
    if inspect.isclass(delegate):
        raise TOTPError("ERR_CONFIG_INVALID", "delegate is a class; pass an object of that class")
    method = getattr(delegate, "authenticate_token", None)
    if callable(method):
        takes_context = "context" in inspect.signature(method).parameters

        async def ask(token: str, context: TokenContext) -> TokenVerdict:
            answer = method(token, context=context) if takes_context else method(token)
            return _verdict_in(await answer if inspect.isawaitable(answer) else answer)

        return ask
    authenticate = getattr(delegate, "authenticate", None)
    if not callable(authenticate):
        raise TOTPError(
            "ERR_CONFIG_INVALID",
            "delegate has no method authenticate_token(token), nor authenticate(token) as crewAI's schemes have it",
        )

    async def ask_crewai(token: str, _context: TokenContext) -> TokenVerdict:
        try:
            answer = authenticate(token)
            user = await answer if inspect.isawaitable(answer) else answer
        except Exception as error:
            # Its HTTPException, by its shape: FastAPI's where that is installed, else one of crewAI's own.
            if getattr(error, "status_code", None) in _REFUSING_STATUS:
                return _REFUSED
            raise
        return _verdict_of_user(user, getattr(delegate, "clock_skew_seconds", 0))

    return ask_crewai


def _verdict_in(given: Any) -> TokenVerdict:
    """What is no verdict is a refusal: a mapping without a peer and with other fields, such as `{"ok": False}`, too."""
    if isinstance(given, Mapping):
        peer = given.get("peer")
        if peer is None and not given.keys() <= _VERDICT_FIELDS:
            return _REFUSED
        given = TokenVerdict(peer, given.get("claims") or {}, given.get("expires_at"), given.get("refusal"))
    if not isinstance(given, TokenVerdict) or not isinstance(given.peer, str | None):
        return _REFUSED
    return given if isinstance(given.claims, Mapping) else _REFUSED


def _verdict_of_user(user: Any, leeway: Any) -> TokenVerdict:
    """Of crewAI's AuthenticatedUser. The subject of a JWT names the peer, as with JWTAuth."""
    claims = getattr(user, "claims", None) or {}
    if not all(hasattr(user, name) for name in ("token", "scheme")) or not isinstance(claims, Mapping):
        return _REFUSED
    subject, ends_at = claims.get("sub"), claims.get("exp")
    lasts = isinstance(ends_at, int | float) and not isinstance(ends_at, bool) and isinstance(leeway, int | float)
    expires_at = ends_at + leeway if lasts else None
    return TokenVerdict(subject if isinstance(subject, str) and subject else None, claims, expires_at)
