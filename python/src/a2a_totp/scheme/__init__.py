"""Checks both factors of a request: TOTPServerAuthScheme, what it is made of, and what it returns."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from a2a_totp.errors import ServerFileError, TOTPError
from a2a_totp.profile import Profile
from a2a_totp.scheme.delegates import (
    PeerToken,
    PeerTokenAuth,
    ServerAuthScheme,
    SimpleTokenAuth,
    TokenContext,
    TokenVerdict,
)
from a2a_totp.scheme.examined import Examined
from a2a_totp.scheme.key import CALLER_KEY, GuardMissingError
from a2a_totp.scheme.lifetime import Lifetime
from a2a_totp.scheme.options import CanaryToken
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.peer_options import PeerSeed, SeedSet
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.tokens import hash_token

if TYPE_CHECKING:
    from a2a_totp.scheme.jwt_auth import JWTAuth

__all__ = [
    "CALLER_KEY",
    "AuthRequest",
    "Caller",
    "CanaryToken",
    "Examined",
    "GuardMissingError",
    "JWTAuth",
    "Lifetime",
    "PeerSeed",
    "PeerToken",
    "PeerTokenAuth",
    "Profile",
    "Refusal",
    "SeedSet",
    "ServerAuthScheme",
    "ServerFileError",
    "SimpleTokenAuth",
    "TOTPError",
    "TOTPServerAuthScheme",
    "TokenContext",
    "TokenVerdict",
    "hash_token",
]


def __getattr__(name: str) -> Any:
    if name == "JWTAuth":
        return importlib.import_module("a2a_totp.scheme.jwt_auth").JWTAuth
    raise AttributeError(name)
