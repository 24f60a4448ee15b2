"""What times and seeds of a server file, and of the options of a scheme, may be: the same rules as in TypeScript."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from a2a_totp.errors import ServerFileError
from a2a_totp.roster import Peer
from a2a_totp.seeds import hmac_key
from a2a_totp.text import UTC, quoted_name

SHARED_ONCE = "with one seed for all peers, a request of one would spend the codes of the others"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(r"(\d{4})(-\d\d-\d\d)[Tt ]((?!24)\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)


def rfc3339_seconds(text: str) -> float | None:
    """An RFC 3339 time in unix seconds, to the millisecond; None for any other text and for days that do not exist."""
    # Taken apart here: what `fromisoformat` takes for a date differs from one Python to the next.
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        return None
    year, day, clock, fraction, zone = parts.groups()
    # Before the years that Python has. By the days of 1900, as in JavaScript.
    shift = 0 if year != "0000" else 62_167_219_200 - 2_208_988_800
    try:
        at = datetime.fromisoformat(f"{'1900' if shift else year}{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        return None
    return (at - _EPOCH).total_seconds() - shift + int((fraction or ".0")[1:4].ljust(3, "0")) / 1000


def require_distinct_seeds(peers: Iterable[Peer]) -> frozenset[str]:
    """The names of the peers that have a seed of another.

    Claims belong to a seed and its time steps, so a seed has one profile, no peer has it twice, and no two have it
    while one of them is under `once` without a proof of each request. Raises ServerFileError.
    """
    owners: dict[bytes, Peer] = {}
    sharing: set[str] = set()
    for peer in peers:
        for seed in peer.seeds:
            # Of a seed longer than a block, the key that HMAC makes is another seed with the same codes.
            for key in {seed.key.rstrip(b"\0"), hmac_key(seed.key, peer.profile.algorithm)}:
                owner = owners.get(key)
                what = (
                    f"peer {quoted_name(peer.name)}: it has a seed of peer {quoted_name(owner.name if owner else '')}"
                )
                if owner is peer:
                    raise ServerFileError(
                        f"peer {quoted_name(peer.name)}: two of its seeds are the same; list each seed once"
                    )
                if owner and owner.profile != peer.profile:
                    raise ServerFileError(f"{what} with another algorithm, digits or period; use a seed of its own")
                if owner and not (owner.may_share_seed and peer.may_share_seed):
                    raise ServerFileError(f"{what}: {SHARED_ONCE}; use a seed of its own")
                if owner:
                    sharing |= {owner.name, peer.name}
                owners[key] = peer
    return frozenset(sharing)
