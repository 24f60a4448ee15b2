"""Where no listener is given: what happens goes to the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from a2a_totp.log import logger
from a2a_totp.scheme.events import Event
from a2a_totp.text import printable, quoted_name

_QUIET_LINES = 60.0
"""Seconds between two lines of one key."""
_UNASKED = {"guard-failed": "the state", "delegate-failed": "the delegate, which checks tokens,"}


@dataclass
class _Repeated:
    """Lines of one key: when the last one was written, and how many were not since then."""

    written_at: float
    withheld: int = 0
    timer: threading.Timer | None = None


class LogListener:
    """Writes events to the logger `a2a_totp`: outcomes as they are, and what should wake somebody as a warning.

    A failure that goes on is one warning a minute with a count, also in an outage at a thousand requests a second.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._repeated: dict[str, _Repeated] = {}

    def __call__(self, event: Event) -> None:
        """Logs an event."""
        kind = event["type"]
        line = _LINES.get(kind)
        if line:
            level, text_of = line
            # One a request, so it is made only where it is written.
            if logger.isEnabledFor(level):
                logger.log(level, "%s", printable(text_of(event)))
        found = _wakes(event)
        if found:
            self._warn(*found, datetime.fromisoformat(event["at"].removesuffix("Z") + "+00:00").timestamp())

    def _warn(self, key: str | None, level: int, text: str, now: float) -> None:
        if key is None:
            _write(level, text, 0)
            return
        with self._lock:
            before = self._repeated.get(key)
            # Either way, for a clock that was put back.
            if before and abs(now - before.written_at) < _QUIET_LINES:
                before.withheld += 1
                if before.timer is None:
                    # So that the count is also said where the failure ends within the minute.
                    before.timer = threading.Timer(_QUIET_LINES, self._flush, (key, level, text))
                    before.timer.daemon = True
                    before.timer.start()
                return
            if before and before.timer:
                before.timer.cancel()
            withheld = before.withheld if before else 0
            self._repeated[key] = _Repeated(now)
        _write(level, text, withheld)

    def _flush(self, key: str, level: int, text: str) -> None:
        with self._lock:
            before = self._repeated[key]
            withheld = before.withheld
            self._repeated[key] = _Repeated(before.written_at + _QUIET_LINES)
        if withheld:
            _write(level, text, withheld - 1)


def _write(level: int, text: str, withheld: int) -> None:
    more = f" ({withheld} more since the last warning)" if withheld > 0 else ""
    # The event's texts are harmless each by itself, but an address among words is not.
    logger.log(level, "%s", printable(text + more))


def _shown(event: Event) -> str:
    text = f" proof={event['proof']}" if "proof" in event else ""
    return text + (f" proof_reason={event['proofReason']}" if "proofReason" in event else "")


def _source(event: Event) -> str:
    return str(event.get("source", ""))


def _authenticated(event: Event) -> str:
    facts = f"peer={event['peer']} seed={event['seedId']} step={event['timeStep']} drift={event['drift']}"
    return f"authenticated: {facts} source={_source(event)}{_shown(event)}"


def _refused(event: Event) -> str:
    text = f"refused: reason={event['reason']} peer={event.get('peer')} source={_source(event)}{_shown(event)}"
    return text + (f" count={event['count']}" if "count" in event else "")


def _observed(event: Event) -> str:
    return f"proof_observed: peer={event['peer']} source={_source(event)}{_shown(event)}"


def _stale(event: Event) -> str:
    facts = f"peer={event['peer']} seed={event['seedId']} step={event['timeStep']} drift={event['drift']}"
    return f"code_stale: {facts} source={_source(event)}"


def _suspected(event: Event) -> str:
    return f"token_compromise_suspected: peer={event['peer']}; run `a2a-totp rotate {event['peer']}`"


def _file_loaded(event: Event) -> str:
    return f"server_file_loaded: path={event['path']} serial={event.get('serial')}"


_LINES: dict[str, tuple[int, Callable[[Event], str]]] = {
    "authenticated": (logging.INFO, _authenticated),
    "refused": (logging.WARNING, _refused),
    "replayed": (logging.WARNING, _refused),
    "throttled": (logging.WARNING, _refused),
    "proof_observed": (logging.WARNING, _observed),
    "code_stale": (logging.WARNING, _stale),
    "token_compromise_suspected": (logging.ERROR, _suspected),
    "server_file_loaded": (logging.INFO, _file_loaded),
}


def _wakes(event: Event) -> tuple[str | None, int, str] | None:
    """What should wake somebody: the key of which there is at most one a minute, the level, and the words."""
    kind = event["type"]
    if kind == "canary_used":
        canary, source = event["canary"], event.get("source", "an unknown address")
        text = f"the token of canary {quoted_name(canary)} was sent from {_bracketed(source)}"
        return f"{kind} {canary}", logging.ERROR, f"{kind}: {text}: the place where it is planted was read"
    if kind == "clock_jumped":
        drifts = " and ".join(str(drift) for drift in event["drifts"])
        text = f"two codes of {quoted_name(event['peer'])} cannot come from one clock (drifts {drifts})"
        return None, logging.WARNING, f"{kind}: {text}: is its seed on a second machine?"
    if kind == "code_from_two_sources":
        sources = " and then from ".join(_bracketed(source) for source in event["sources"])
        text = f"a code of {quoted_name(event['peer'])} came from {sources}: somebody captured it"
        return f"{kind} {event['peer']}", logging.WARNING, f"{kind}: {text}"
    if kind == "server_file_loaded" and event.get("older"):
        text = f"server file {event['path']} is an older one (serial {event.get('serial')})"
        return None, logging.WARNING, f"{kind}: {text}; what was revoked since is valid again"
    if kind == "server_file_exposed":
        return None, logging.WARNING, f"{kind}: {event['message']}"
    if kind == "server_file_refused":
        return None, logging.ERROR, f"{kind}: {event['message']}"
    return _outage(event) if kind == "refused" else None


def _outage(event: Event) -> tuple[str | None, int, str] | None:
    """Requests that are refused because something cannot be asked: as many events as requests."""
    reason, cause, advice = event["reason"], event.get("cause", "unknown"), event.get("advice", "")
    if reason == "nonces-full":
        text = "signed requests are answered 503, because no more nonces can be remembered"
        return reason, logging.ERROR, f"{reason}: {text}: does a peer send far more than it should?"
    if cause == "content-unseen":
        text = f"signed requests are answered 503, because their content cannot be compared ({cause}): {advice}"
    elif reason in _UNASKED:
        text = f"{_UNASKED[reason]} cannot be asked, so requests are answered 503 ({cause}): {advice}"
    else:
        return None
    return f"{reason} {cause}", logging.ERROR, f"{reason}: {text}"


def _bracketed(source: str) -> str:
    """An IPv6 address as in a URL, so that its colons are part of it."""
    return f"[{source}]" if ":" in source else source
