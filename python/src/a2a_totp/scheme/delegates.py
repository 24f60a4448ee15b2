"""The first factor: who checks bearer tokens."""

from __future__ import annotations

import hmac
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from a2a_totp.errors import TOTPError
from a2a_totp.secret_strings import revealed
from a2a_totp.state.failure import Failure
from a2a_totp.text import quoted_name
from a2a_totp.tokens import hash_token, is_b64token, is_token_hash

_LONGEST_TOKEN = 8192


@dataclass(frozen=True)
class TokenContext:
    """What a delegate may need besides the token: the instant in unix seconds, and the token's hash."""

    at: float
    token_hash: str = field(repr=False)


@dataclass(frozen=True)
class TokenVerdict:
    """A delegate's answer about a token: the peer it belongs to, or a refusal."""

    peer: str | None = None
    """The peer that the token belongs to, if the delegate knows."""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Anything else that the token proves; passed on as `caller.claims`."""
    expires_at: float | datetime | None = None
    """From then on (unix seconds, or a time with its zone) the token is refused, and streams opened with it end."""
    refusal: str | None = None
    """Why it is refused: documentation, no caller sees it."""


class DelegateUnavailableError(Exception):
    """A delegate cannot check tokens now, for example because its keys cannot be had: the request is answered 503.

    `failure` says why in the event, without anything of the request.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"the delegate cannot be asked ({failure.cause}): {failure.advice}")
        self.failure = failure


class ServerAuthScheme(Protocol):
    """The first factor: checks a bearer token. Asked once a request; its answer alone never lets anyone in.

    A verdict is a TokenVerdict or a mapping with its fields; anything else is a refusal, and so is None. If it raises,
    the request is answered 503. It may also take `context: TokenContext`, and have `is_lookup = True` where checking is
    a mere look-up in memory, and `live_tokens(at, peer)`: the hashes of all tokens that are live, of one peer or all.
    """

    async def authenticate_token(self, token: str) -> TokenVerdict | Mapping[str, Any] | None:
        """Whose token it is."""
        ...


def token_hash_of(given: Any) -> str:
    """The hash of a token, which is given as it is or as its hash already; a token never looks like a hash.

    Raises TOTPError ERR_TOKEN_INVALID for one that no request can carry (RFC 6750 section 2.1). It never quotes it.
    """
    value = revealed(given)
    text = value.strip() if isinstance(value, str) else ""
    if is_token_hash(text):
        return text
    if len(text) > _LONGEST_TOKEN or not is_b64token(text):
        raise TOTPError(
            "ERR_TOKEN_INVALID",
            "token is not an RFC 6750 b64token; use letters, digits and -._~+/, with = only at the end",
        )
    return hash_token(text)


class SimpleTokenAuth:
    """One token, one peer: the given one, or that of `token_to_peer`. Keeps only the token's hash.

    Raises TOTPError ERR_TOKEN_MISSING where neither `token` nor `$AUTH_TOKEN` is there, ERR_TOKEN_INVALID.
    """

    is_lookup = True

    def __init__(self, token: Any = None, peer: str | None = None) -> None:
        given = os.environ.get("AUTH_TOKEN") if token is None else token
        if not given or not revealed(given):
            raise TOTPError("ERR_TOKEN_MISSING", "no token; pass one, or set $AUTH_TOKEN")
        self._hash, self._peer = token_hash_of(given), peer

    async def authenticate_token(self, token: str, context: TokenContext | None = None) -> TokenVerdict:
        """The peer, or a refusal."""
        sent = context.token_hash if context else hash_token(token)
        if not hmac.compare_digest(sent, self._hash):
            return TokenVerdict(refusal="unknown token")
        return TokenVerdict(self._peer)

    def live_tokens(self, _at: float, _peer: str | None = None) -> Sequence[str]:
        """Its hash."""
        return [self._hash]

    def lists_token(self, token_hash: str) -> bool:
        """Whether it has a token, live or expired."""
        return token_hash == self._hash


@dataclass(frozen=True)
class PeerToken:
    """A token, or its hash, and the peer it belongs to. Refused from `expires_at` on (unix seconds, or a time)."""

    peer: str
    token: Any = field(repr=False)
    expires_at: float | datetime | None = None


class PeerTokenAuth:
    """Any number of tokens, each belonging to one peer: token (or its hash) to peer, or a list of PeerToken.

    Keeps only their hashes. Raises TOTPError ERR_TOKEN_INVALID, ERR_CONFIG_INVALID for a token that is listed twice.
    """

    is_lookup = True

    def __init__(self, tokens: Mapping[str, str] | Iterable[PeerToken]) -> None:
        listed = [PeerToken(peer, token) for token, peer in tokens.items()] if isinstance(tokens, Mapping) else tokens
        given: list[PeerToken] = list(listed) if isinstance(listed, Iterable) else [listed]
        if not all(isinstance(one, PeerToken) and isinstance(one.peer, str) for one in given):
            raise TOTPError(
                "ERR_CONFIG_INVALID", "tokens must map each token to the name of its peer, or be a list of PeerToken"
            )
        self._known: dict[str, tuple[str, float]] = {}
        for one in given:
            token_hash = token_hash_of(one.token)
            if token_hash in self._known:
                raise TOTPError(
                    "ERR_CONFIG_INVALID",
                    f"a token of {quoted_name(one.peer)} is listed twice; list each token once, for one peer",
                )
            expires_at = seconds_of(one.expires_at)
            if expires_at is None:
                raise TOTPError(
                    "ERR_CONFIG_INVALID",
                    f"expires_at of a token of {quoted_name(one.peer)} must be unix seconds, or a time with its zone",
                )
            self._known[token_hash] = one.peer, expires_at

    async def authenticate_token(self, token: str, context: TokenContext | None = None) -> TokenVerdict:
        """The peer, or a refusal. Without a context it goes by the clock of this machine."""
        sent = context or TokenContext(datetime.now().timestamp(), hash_token(token))
        peer, expires_at = self._known.get(sent.token_hash, (None, math.inf))
        if peer is None:
            return TokenVerdict(refusal="unknown token")
        return TokenVerdict(peer, {}, expires_at) if sent.at < expires_at else TokenVerdict(refusal="expired token")

    def live_tokens(self, at: float, peer: str | None = None) -> Sequence[str]:
        """The hashes of the live ones, of one peer or of all."""
        known = self._known.items()
        return [token for token, (own, ends) in known if at < ends and (peer is None or own == peer)]

    def lists_token(self, token_hash: str) -> bool:
        """Whether it has a token, live or expired."""
        return token_hash in self._known


def seconds_of(given: Any) -> float | None:
    """An instant in unix seconds, infinite where None is given; None for what is no instant."""
    if given is None:
        return math.inf
    if isinstance(given, datetime):
        return given.timestamp() if given.tzinfo is not None else None
    if not isinstance(given, int | float) or isinstance(given, bool):
        return None
    try:
        at = float(given)
    except OverflowError:
        # As JavaScript reads a number that is too large.
        at = math.copysign(math.inf, given > 0 or -1)
    return None if math.isnan(at) else at
