"""The limit on requests with unknown tokens, per source."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import threading
from collections import OrderedDict, deque

from a2a_totp.errors import TOTPError
from a2a_totp.state.budgets import is_whole, parse_budgets, wait_for
from a2a_totp.state.contract import milliseconds, seconds_until

_LONGEST_SOURCE = 64
"""Longer ones are no addresses. Their hashes are kept, so that what a caller writes takes no more memory."""
_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]+)?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+")
_IPV4_IN_IPV6 = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""RFC 4291 section 2.5.5.2 and RFC 6052."""


class StrangerLimit:
    """Limits requests with unknown tokens, per source: an IPv4 address, or the /64 of an IPv6 address.

    They never touch a peer's budget, so a peer cannot be locked out without its token. Kept in this process only: the
    limit saves work, and security does not depend on it.

    `per_minute` is how many one source may send in any minute. So many `sources` are remembered; beyond that, the one
    with no request for longest is forgotten. Raises TOTPError ERR_CONFIG_INVALID unless both are whole numbers above 0.
    """

    def __init__(self, per_minute: int = 60, sources: int = 10_000) -> None:
        if not (is_whole(sources) and sources > 0):
            raise TOTPError("ERR_CONFIG_INVALID", "sources must be a whole number above 0")
        self._budgets = parse_budgets([(per_minute, 60)])
        self._per_minute, self._most = per_minute, sources
        self._lock = threading.Lock()
        # In milliseconds, oldest first. Older events no longer matter: as many as the limit exhaust the budget.
        self._sources: OrderedDict[str, deque[int]] = OrderedDict()

    def room(self, source: str, at: float) -> int:
        """How many more unknown tokens the source may send now; 0 if its limit is exhausted. Counts nothing."""
        since = milliseconds(at) - 60_000
        with self._lock:
            return self._per_minute - sum(event > since for event in self._sources.get(key_of_source(source), ()))

    def count(self, source: str, at: float) -> int:
        """Counts a request with an unknown token. Returns 0 within the limit, else the whole seconds to wait."""
        key, now = key_of_source(source), milliseconds(at)
        with self._lock:
            events = self._sources.setdefault(key, deque(maxlen=self._per_minute))
            self._sources.move_to_end(key)
            wait = wait_for(events, self._budgets, now)
            if wait <= 0:
                events.append(now)
            if len(self._sources) > self._most:
                self._sources.popitem(last=False)
        return seconds_until(now + wait, now) if wait > 0 else 0


def key_of_source(source: str) -> str:
    """The key that requests of one source are counted by: an IPv4 address, or the /64 of an IPv6 address.

    The host or home that has one address of a /64 has all of them. An IPv4 address inside IPv6 (RFC 4291 section
    2.5.5.2, RFC 6052) is the IPv4 address. Ports, brackets and zones are ignored; any other text is itself.
    """
    if ":" not in source:
        return _short_source(source)
    try:
        address = ipaddress.ip_address(_address_in(source))
    except ValueError:
        return _short_source(source)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if any(address in network for network in _IPV4_IN_IPV6):
        return str(ipaddress.IPv4Address(address.packed[-4:]))
    groups = (address.packed[place : place + 2] for place in range(0, 8, 2))
    return ":".join(f"{int.from_bytes(group, 'big'):x}" for group in groups) + "::/64"


def _address_in(source: str) -> str:
    """`192.0.2.1:4711`, `[2001:db8::1]:4711` and `fe80::1%eth0` without port, brackets and zone."""
    found = _BRACKETED.fullmatch(source) or _WITH_PORT.fullmatch(source)
    return (found.group(1) if found else source).partition("%")[0]


def _short_source(source: str) -> str:
    if len(source) <= _LONGEST_SOURCE:
        return source
    return "sha256:" + hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()
