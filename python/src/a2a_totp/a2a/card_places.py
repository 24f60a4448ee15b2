"""Where the interfaces of a card lead."""

from __future__ import annotations

from collections.abc import (
    Iterable,
    Iterator,
)
from typing import Any


def urls_of_card(card: Any) -> Iterator[tuple[str, str]]:
    """Each interface of an a2a-sdk card, 1.x or 0.3: its binding in upper case, and its URL."""
    interfaces: Iterable[Any] = getattr(card, "supported_interfaces", None) or ()
    for one in interfaces:
        yield str(one.protocol_binding).upper(), str(one.url)
    # 0.3
    if getattr(card, "url", None):
        yield str(getattr(card, "preferred_transport", None) or "JSONRPC").upper(), str(card.url)
    for one in getattr(card, "additional_interfaces", None) or ():
        yield str(one.transport).upper(), str(one.url)
