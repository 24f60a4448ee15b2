"""What is reported: events, with the same keys and values as in TypeScript."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from a2a_totp.scheme.examined import CONTENT_UNSEEN
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.refused_proofs import PROOF_REASONS
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.state.failure import Failure
from a2a_totp.text import instant_text, printable_value, quoted_name

Event = dict[str, Any]
"""JSON, with keys in camelCase: tools and logs share the events of servers in several languages."""
OnEvent = Callable[[Event], object]
"""Called after each outcome. Its result and its errors are ignored; one that is awaitable runs by itself."""
_SPENT = frozenset({"code-replayed", "proof-replayed"})
_listening: set[asyncio.Future[Any]] = set()


def emit(on_event: OnEvent, event: Event) -> None:
    """Calls the listener with an event that is safe to log. Nobody waits for it, and its errors change no outcome."""
    try:
        result = on_event(printable_value(event))
        if inspect.isawaitable(result):
            running = asyncio.ensure_future(result)
            _listening.add(running)
            running.add_done_callback(_heard)
    except Exception:  # noqa: BLE001, S110
        pass


def _heard(running: asyncio.Future[Any]) -> None:
    _listening.discard(running)
    if not running.cancelled():
        running.exception()


def event_base(request: AuthRequest, at: float) -> Event:
    """What every event of a request has."""
    base: Event = {"at": instant_text(at), "binding": request.binding}
    return {**base, "source": request.source} if request.source else base


def event_of(outcome: Caller | Refusal, failure: Failure | None, base: Event, shown: Event) -> Event:
    """The event of one decision."""
    if isinstance(outcome, Caller):
        facts = {"seedId": outcome.seed_id, "timeStep": outcome.time_step, "drift": outcome.drift}
        return {"type": "authenticated", **base, "peer": outcome.peer, **facts, **shown}
    reason = outcome.reason
    kind = "replayed" if reason in _SPENT else "throttled" if outcome.kind == "throttled" else "refused"
    event = {"type": kind, **base, "reason": reason}
    if outcome.peer is not None:
        event["peer"] = outcome.peer
    if failure:
        event |= {"cause": failure.cause, "advice": failure.advice}
    if reason not in PROOF_REASONS:
        return {**event, **shown}
    return {**event, "proof": "absent"} if reason == "proof-missing" else {**event, **invalid_proof(reason)}


def proof_observed(peer: str, reason: str, base: Event) -> Event:
    """Under `observe`: what would have a request refused that was let in."""
    advice = {"advice": CONTENT_UNSEEN.advice} if reason == CONTENT_UNSEEN.cause else {}
    return {"type": "proof_observed", **base, "peer": peer, **invalid_proof(reason), **advice}


def invalid_proof(reason: str) -> Event:
    return {"proof": "invalid", "proofReason": reason}


def compromise_suspected(peer: str, base: Event) -> Event:
    """Somebody has exhausted a budget, and not with late codes."""
    advice = f"someone with a live token of {quoted_name(peer)} is guessing codes: rotate it"
    return {"type": "token_compromise_suspected", **base, "peer": peer, "advice": advice}
