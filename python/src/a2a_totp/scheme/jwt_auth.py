"""A delegate for the tokens of OAuth 2 and OpenID Connect: signed, short-lived, and not in a static map."""

from __future__ import annotations

import functools
import inspect
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from a2a_totp.extras import Extra
from a2a_totp.scheme.delegates import TokenContext, TokenVerdict
from a2a_totp.scheme.issuer_keys import PublishedKeys
from a2a_totp.scheme.jwt_keys import fault_of, invalid_jwt, jwk_fits, loaded_key, signatures_of

ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Without HS*: a published key must never be used as a shared one (RFC 8725 section 2.1)."""
_MOST_CANDIDATES = 8
"""How many keys of a set are tried for one token. Each costs a signature check."""


class JWTAuth:
    """Checks a bearer token as a JWT (RFC 7519): signed by the issuer, for this audience, with an `exp` in the future.

    Its claims are passed on in `caller.claims`. Needs the extra `jwt` (PyJWT). Pass either `jwks_url`, where the issuer
    publishes its keys, or `key`: a PEM, a JWK as a mapping, a key of `cryptography`, or bytes that are shared, which
    need `algorithms`. Keys are fetched when needed, in a thread, and again for an unknown key id, at most once in
    `cooldown` seconds. If they cannot be had within `timeout` seconds, requests are answered 503; no token causes that.
    Where several keys fit a token, up to 8 are tried.

    `peer` is the claim that names the peer, or a function of the claims that returns the name. `algorithms` are by
    default all asymmetric ones; of these a JWK is for those of its `kty`, or for its `alg` alone. `clock_tolerance` is
    by how many seconds the issuer's clock may differ. `type` is the `typ` that the token's header must have, such as
    `at+jwt` (RFC 9068).

    Raises TOTPError ERR_CONFIG_INVALID, ERR_INSECURE_TRANSPORT for keys over plain http beyond loopback; ImportError
    without PyJWT.
    """

    def __init__(
        self,
        *,
        issuer: str | Sequence[str],
        audience: str | Sequence[str],
        jwks_url: str | None = None,
        key: Any = None,
        peer: str | Callable[[Mapping[str, Any]], object] = "sub",
        algorithms: Sequence[str] | None = None,
        clock_tolerance: float = 5,
        type: str | None = None,
        timeout: float = 2.0,
        cooldown: float = 30.0,
    ) -> None:
        with Extra("jwt"):
            import jwt

        self._signatures = signatures_of(jwt)
        self._given = {
            "issuer": issuer,
            "audience": audience,
            "jwks_url": jwks_url,
            "key": key,
            "peer": peer,
            "type": type,
            "algorithms": algorithms,
            "clock_tolerance": clock_tolerance,
            "timeout": timeout,
            "cooldown": cooldown,
        }
        if (jwks_url is None) == (key is None):
            raise invalid_jwt("pass either jwks_url or key")
        self._issuers, self._audiences = _texts(issuer, "issuer"), _texts(audience, "audience")
        self._algorithms = ASYMMETRIC if algorithms is None else _texts(algorithms, "algorithms")
        if jwks_url is not None and any(name.startswith("HS") for name in self._algorithms):
            raise invalid_jwt("published keys cannot be symmetric; remove HS* from algorithms")
        unknown = [name for name in self._algorithms if name not in self._signatures.get_algorithms()]
        if unknown or "none" in self._algorithms:
            raise invalid_jwt("algorithms has one that PyJWT does not know, or none")
        for what, value in (("clock_tolerance", clock_tolerance), ("timeout", timeout), ("cooldown", cooldown)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise invalid_jwt(f"{what} must be a number of seconds, at least 0")
        self._tolerance, self._type, self._peer = float(clock_tolerance), type, peer
        self._published = None if jwks_url is None else PublishedKeys(str(jwks_url), timeout, cooldown)
        self._key = None if key is None else self._static_key(key)

    def __reduce__(self) -> tuple[Callable[[], JWTAuth], tuple[()]]:
        # Made anew of what was given: keys of `cryptography` cannot be pickled.
        return functools.partial(self.__class__, **self._given), ()

    async def authenticate_token(self, token: str, context: TokenContext | None = None) -> TokenVerdict:
        """The peer, or a refusal. Raises DelegateUnavailableError if the issuer's keys cannot be had in time."""
        at = context.at if context else time.time()
        try:
            header = self._signatures.get_unverified_header(token)
        except Exception:  # noqa: BLE001
            # Of PyJWT, and of what it parses with: JSON may be nested too deeply.
            return TokenVerdict(refusal="no JWT")
        if header.get("alg") not in self._algorithms or "crit" in header or not self._has_type(header):
            return TokenVerdict(refusal="another algorithm or type")
        claims = await self._verified(token, header)
        if claims is None:
            return TokenVerdict(refusal="no key of the issuer has signed it")
        if not self._fits(claims, at):
            return TokenVerdict(refusal="another issuer or audience, or not valid now")
        peer = await self._name_of(claims)
        if not isinstance(peer, str) or not peer:
            return TokenVerdict(refusal="the token names no peer")
        return TokenVerdict(peer, claims, claims["exp"] + self._tolerance)

    async def _verified(self, token: str, header: Mapping[str, Any]) -> dict[str, Any] | None:
        if self._published is None:
            return self._decoded(token, self._key, header["alg"])
        claims = self._tried(token, header, await self._published.all())
        # Another key id, or without one: only the signature tells that the issuer has changed its keys.
        return claims or self._tried(token, header, await self._published.all(anew=True))

    def _tried(self, token: str, header: Mapping[str, Any], keys: list[dict[str, Any]]) -> dict[str, Any] | None:
        candidates = [key for key in keys if jwk_fits(key, header)][:_MOST_CANDIDATES]
        for candidate in candidates:
            try:
                key = self._signatures.get_algorithm_by_name(header["alg"]).from_jwk(candidate)
            except Exception:  # noqa: BLE001, S112 - of whatever is wrong with a published key
                continue
            claims = self._decoded(token, key, header["alg"])
            if claims is not None:
                return claims
        return None

    def _decoded(self, token: str, key: Any, algorithm: str) -> dict[str, Any] | None:
        if fault_of(key, algorithm):
            return None
        try:
            claims = json.loads(self._signatures.decode(token, key, algorithms=[algorithm]))
        except Exception:  # noqa: BLE001
            # Of PyJWT, of cryptography for a key of another kind, and of JSON.
            return None
        return claims if isinstance(claims, dict) else None

    def _has_type(self, header: Mapping[str, Any]) -> bool:
        given = header.get("typ")
        return self._type is None or (isinstance(given, str) and _plain_type(given) == _plain_type(self._type))

    def _fits(self, claims: Mapping[str, Any], at: float) -> bool:
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        if "exp" not in times or not all(_is_time(value) for value in times.values()):
            return False
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        for_us = any(isinstance(one, str) and one in self._audiences for one in audiences)
        in_time = at < times["exp"] + self._tolerance and times.get("nbf", 0) <= at + self._tolerance
        issuer = claims.get("iss")
        return for_us and in_time and isinstance(issuer, str) and issuer in self._issuers

    async def _name_of(self, claims: Mapping[str, Any]) -> object:
        if isinstance(self._peer, str):
            return claims.get(self._peer)
        try:
            found = self._peer(claims)
            return await found if inspect.isawaitable(found) else found
        except Exception:  # noqa: BLE001
            # It expects claims that this token does not have.
            return None

    def _static_key(self, given: Any) -> Any:
        if isinstance(given, Mapping):
            if given.get("kty") != "oct" and given.keys() & {"d", "priv"}:
                raise invalid_jwt("key is private; pass the public one")
            if given.get("use", "sig") != "sig":
                raise invalid_jwt("key is for encryption; pass one for signatures")
            given = self._key_of_jwk(given)
        if isinstance(given, str):
            given = given.encode()
        if isinstance(given, bytes) and b"-----BEGIN" in given:
            given = loaded_key(given)
        faults = [fault_of(given, algorithm) for algorithm in self._algorithms]
        if all(faults):
            raise invalid_jwt(str(faults[0]))
        return given

    def _key_of_jwk(self, jwk: Mapping[str, Any]) -> Any:
        """Its key. From then on no algorithm will do that it does not fit."""
        self._algorithms = tuple(name for name in self._algorithms if jwk_fits(jwk, {"alg": name}))
        for name in self._algorithms:
            try:
                return self._signatures.get_algorithm_by_name(name).from_jwk(dict(jwk))
            except Exception:  # noqa: BLE001, S112 - of a curve that is another algorithm's, too
                continue
        raise invalid_jwt("key is not a valid JWK for these algorithms")


def _plain_type(given: str) -> str:
    lower = given.lower()
    return lower if "/" in lower else f"application/{lower}"


def _is_time(value: object) -> bool:
    # JSON has numbers of any length, and one that is larger than a float cannot be added to one.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _texts(given: Any, what: str) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else tuple(given)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise invalid_jwt(f"{what} must not be empty")
    return texts
