"""What the options of a scheme have to be, checked before anything reads them: a wrong one is found at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.profile import Profile

_PROFILE_KEYS = tuple(one.name for one in fields(Profile))


def require_maps(peer_seeds: Any, token_to_peer: Any) -> None:
    """Raises TOTPError ERR_CONFIG_INVALID where an option is no map of names."""
    if peer_seeds is not None and not (isinstance(peer_seeds, Mapping) and _are_texts(peer_seeds)):
        raise _invalid_kind("peer_seeds must map the name of each peer to its seed")
    if token_to_peer is not None and not (isinstance(token_to_peer, Mapping) and _are_texts(token_to_peer.values())):
        raise _invalid_kind("token_to_peer must map each token to the name of its peer")


def require_profile(given: Any) -> None:
    """Raises TOTPError ERR_PROFILE_INVALID for no profile, and for a key that it does not have."""
    if given is None or isinstance(given, Profile):
        return
    if not isinstance(given, Mapping) or not set(given) <= set(_PROFILE_KEYS):
        raise TOTPError("ERR_PROFILE_INVALID", f"profile must be a Profile, or a mapping of {', '.join(_PROFILE_KEYS)}")


def require_parts(state: Any, on_event: Any, now: Any) -> None:
    """Raises TOTPError ERR_CONFIG_INVALID where a part of a scheme could not be called."""
    if state is not None and not all(callable(getattr(state, name, None)) for name in ("decide", "take_back")):
        raise _invalid_kind("state must be a MemoryState, a RedisState, or an object with their methods")
    if on_event is not None and not callable(on_event):
        raise _invalid_kind("on_event must be a function of an event")
    if not callable(now):
        raise _invalid_kind("now must be a function that returns unix seconds")


def _are_texts(given: Any) -> bool:
    return all(isinstance(one, str) for one in given)


def _invalid_kind(message: str) -> TOTPError:
    return TOTPError("ERR_CONFIG_INVALID", message)
