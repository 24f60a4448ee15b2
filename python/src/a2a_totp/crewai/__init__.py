"""crewAI's own shapes: a scheme for its client, and one for those who host crewAI. Loaded when one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a_totp.places import load_from_place

if TYPE_CHECKING:
    from a2a_totp.crewai.client import TOTPClientAuthScheme
    from a2a_totp.crewai.server import TOTPServerAuthScheme

__all__ = ["TOTPClientAuthScheme", "TOTPServerAuthScheme"]

_PLACES = {"TOTPClientAuthScheme": "a2a_totp.crewai.client", "TOTPServerAuthScheme": "a2a_totp.crewai.server"}


def __getattr__(name: str) -> Any:
    return load_from_place(_PLACES, name, "crewai")
