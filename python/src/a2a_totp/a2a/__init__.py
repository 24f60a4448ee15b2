"""For a2a-sdk 0.3 and 1.x: who called, for servers; an interceptor for clients. The SDK is loaded when one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a_totp.a2a.context_builder import TOTPCallContextBuilder
from a2a_totp.callers import PeerUser, caller_of
from a2a_totp.places import load_from_place
from a2a_totp.scheme.key import GuardMissingError

if TYPE_CHECKING:
    from a2a_totp.a2a.interceptor import TOTPInterceptor

__all__ = ["GuardMissingError", "PeerUser", "TOTPCallContextBuilder", "TOTPInterceptor", "caller_of"]

_PLACES = {"TOTPInterceptor": "a2a_totp.a2a.interceptor"}


def __getattr__(name: str) -> Any:
    return load_from_place(_PLACES, name, "a2a")
