"""Where credentials may go."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for certain: a resolver may answer any name but localhost with any address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # Not what is_loopback says of IPv6: it takes ::ffff:127.0.0.1 for loopback, by version of Python.
    return address.is_loopback if address.version == 4 else address == ipaddress.IPv6Address("::1")
