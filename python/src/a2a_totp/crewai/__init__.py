"""crewAI's own shapes: TOTPClientAuthScheme for its client, and TOTPServerAuthScheme for those who host crewAI.

Each loads crewAI when it is used, and is described by `pydoc a2a_totp.crewai.TOTPClientAuthScheme`, and so on.
"""

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
