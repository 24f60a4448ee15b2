"""Reports what was decided, and what came out of it later."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from a2a_totp.roster import Canary, Peer
from a2a_totp.scheme.anomalies import Anomalies
from a2a_totp.scheme.canaries import CanaryAlarm
from a2a_totp.scheme.events import Event, OnEvent, emit, event_base, event_of, invalid_proof, proof_observed
from a2a_totp.scheme.examined import CONTENT_UNSEEN, CheckedProof, Decided
from a2a_totp.scheme.log_listener import LogListener
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.refused_proofs import PROOF_REASONS, RefusedProofs
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.second_looks import SecondLooks
from a2a_totp.state.contract import State

Later = Callable[[Callable[[], Awaitable[None]]], object]
"""Runs something after the answer."""


class Reports:
    """To a listener, or to the log without one."""

    def __init__(self, state: State, on_event: OnEvent | None, now: Callable[[], float], later: Later) -> None:
        self.on_event: OnEvent = on_event or LogListener()
        self._now, self._later = now, later
        self._anomalies, self._alarm = Anomalies(), CanaryAlarm()
        self._looks = SecondLooks(state, self.on_event, later)
        self._refused_proofs = RefusedProofs(functools.partial(emit, self.on_event), now, later)

    def decided(self, decided: Decided, outcome: Caller | Refusal, request: AuthRequest, at: float) -> None:
        """Call it as soon as it was decided: guesses are looked at in the order in which they were counted."""
        if decided.counted:
            self._looks.add(*decided.counted, event_base(request, at))
        self._outcome(decided, outcome, request, at)
        peer, match, proof = decided.peer, decided.match, decided.checked.proof
        if peer and match:
            found = self._anomalies.observe(outcome, peer, match, proof.nonce if proof else None, request, at)
            if found:
                self._later(functools.partial(self._emit, found))
        elif peer is None and decided.has_canaries:
            # For every unknown token, so that a canary does not take longer.
            self._later(functools.partial(self._alert, decided.canary, event_base(request, at), at))

    def other_content(self, decided: Decided, refusal: Refusal, request: AuthRequest, at: float) -> None:
        """The content of a request that was let in turned out to be another one: it is refused."""
        self._outcome(decided, refusal, request, at)

    def observed(self, decided: Decided, reason: str, request: AuthRequest, at: float) -> None:
        """Under `observe`: what would have refused a request that was let in."""
        if decided.peer:
            emit(self.on_event, proof_observed(decided.peer.name, reason, event_base(request, at)))

    def close(self) -> None:
        """Reports what is held back."""
        self._refused_proofs.close()

    def _outcome(self, decided: Decided, outcome: Caller | Refusal, request: AuthRequest, at: float) -> None:
        failure = outcome.failure if isinstance(outcome, Refusal) else None
        event = event_of(outcome, failure, event_base(request, at), _shown_of(decided.peer, decided.checked))
        if isinstance(outcome, Refusal) and outcome.peer is not None and outcome.reason in PROOF_REASONS:
            self._refused_proofs.add(event, at)
        else:
            emit(self.on_event, event)
            if decided.peer is None and decided.is_like_a_refused_proof:
                self._refused_proofs.pretend(at)

    async def _emit(self, event: Event) -> None:
        emit(self.on_event, event)

    async def _alert(self, canary: Canary | None, base: Event, at: float) -> None:
        event = self._alarm.raise_for(canary, base, at) if canary else None
        if event:
            emit(self.on_event, event)


def _shown_of(peer: Peer | None, checked: CheckedProof) -> Event:
    """Nothing under `off`, where nobody asks what a proof is worth."""
    if peer is None or peer.signed == "off":
        return {}
    if checked.kind == "unseen":
        # Elsewhere it is the cause of the refusal.
        return invalid_proof(CONTENT_UNSEEN.cause) if peer.signed == "observe" else {}
    return invalid_proof(checked.reason) if checked.kind == "invalid" else {"proof": checked.kind}
