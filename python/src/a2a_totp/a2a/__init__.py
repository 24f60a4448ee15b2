"""For a2a-sdk 0.3 and 1.x: who called, for servers; an interceptor for clients. The SDK is loaded when one is used.

For servers on 0.3 also a task store and an executor that keep peers apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a_totp.a2a.context_builder import TOTPCallContextBuilder
from a2a_totp.callers import PeerUser, caller_of
from a2a_totp.places import load_from_place
from a2a_totp.scheme.key import GuardMissingError

if TYPE_CHECKING:
    from a2a_totp.a2a.interceptor import TOTPInterceptor
    from a2a_totp.a2a.peers import PeerExecutor, PeerTaskStore

__all__ = [
    "GuardMissingError",
    "PeerExecutor",
    "PeerTaskStore",
    "PeerUser",
    "TOTPCallContextBuilder",
    "TOTPInterceptor",
    "caller_of",
]

_PLACES = {
    "PeerExecutor": "a2a_totp.a2a.peers",
    "PeerTaskStore": "a2a_totp.a2a.peers",
    "TOTPInterceptor": "a2a_totp.a2a.interceptor",
}


def __getattr__(name: str) -> Any:
    return load_from_place(_PLACES, name, "a2a")
