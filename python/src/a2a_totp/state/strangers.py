"""The limit on requests with unknown tokens, per source."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict, deque

from a2a_totp.state.contract import wait_for, whole_seconds

_MOST_SOURCES = 10_000
_STRANGER_BUDGET = ((60, 60),)


class StrangerLimit:
    """Slows down those who come with unknown tokens, per source; they touch no peer's budget."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, key: str, at: float) -> int:
        """Counts a request with an unknown token, by the key of its source.

        Returns 0 within the limit, else whole seconds to wait.
        """
        with self._lock:
            events = self._sources.setdefault(key, deque(maxlen=_STRANGER_BUDGET[0][0]))
            self._sources.move_to_end(key)
            wait = wait_for(events, _STRANGER_BUDGET, at)
            if wait <= 0:
                events.append(at)
            if len(self._sources) > _MOST_SOURCES:
                self._sources.popitem(last=False)
        return whole_seconds(wait) if wait > 0 else 0


_IPV4_IN_IPV6 = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""RFC 4291 section 2.5.5.2 and RFC 6052."""


def key_of_source(source: str) -> str:
    """The /64 of an IPv6 address, since the host or home that has one address of it has all of them."""
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if any(address in network for network in _IPV4_IN_IPV6):
        return str(ipaddress.IPv4Address(address.packed[-4:]))
    return str(ipaddress.IPv6Network((address.packed[:8] + bytes(8), 64)))
