"""Decides about a request: the only place where the factors are put together."""

from __future__ import annotations

import functools
import hmac
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from a2a_totp.codes.of_step import is_code
from a2a_totp.roster import Peer, Roster, Seed
from a2a_totp.scheme.attempts import attempt_of
from a2a_totp.scheme.canaries import owner_of_canary
from a2a_totp.scheme.code_book import CodeBook
from a2a_totp.scheme.examined import CONTENT_UNSEEN, Decided
from a2a_totp.scheme.fields import BEARER, accept_signature, challenges_of, flaw_of, lines_of
from a2a_totp.scheme.first_factor import FirstFactor, TokenOwner
from a2a_totp.scheme.lifetime import Leases, Lifetime, UsedCredentials
from a2a_totp.scheme.outcome import OUTCOMES, RETRY_AFTER_FAILURE, Caller, Kind, Refusal
from a2a_totp.scheme.proof_check import check_proof, refused_proof
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.stranger_gate import StrangerGate
from a2a_totp.state.budgets import DEFAULT_RISK, Budget, limits_for
from a2a_totp.state.contract import Attempt, Decision, Match, SpentProof, State
from a2a_totp.state.failure import Failure
from a2a_totp.state.memory import MemoryState
from a2a_totp.state.redis_failure import failure_of
from a2a_totp.tokens import hash_token

_DECOY_BUDGETS = (Budget(10_000, 30), Budget(10_000, 3600), Budget(10_000, 86_400))
"""As many as a peer has. It counts no guesses of anyone, and once they were exhausted, it would take another time."""
_BAD_DECISION = Failure("bad-decision", "the state accepted a wrong code, or returned no decision: it is broken")


@dataclass(frozen=True)
class _Tools:
    """What goes with a roster: the codes around now, and the peer that takes the place of one that is not known."""

    roster: Roster
    book: CodeBook
    decoy: Peer


class Decider:
    """Decides with a state. The roster is that of the request; `now` and rosters of later requests do not matter."""

    def __init__(
        self,
        factor: FirstFactor,
        state: State,
        roster: Callable[[], Roster],
        now: Callable[[], float],
        risk: float | None = None,
        path_prefix: str = "",
    ) -> None:
        self._factor, self._state, self._prefix = factor, state, path_prefix
        self._risk = DEFAULT_RISK if risk is None else risk
        self._gate = StrangerGate()
        self._decoy_state = MemoryState(since=0)
        self._decoy_seed = Seed("", secrets.token_bytes(20))
        self._tools = self._tools_for(roster())
        self._leases = Leases(roster, now, self._end_under)

    def _tools_for(self, roster: Roster) -> _Tools:
        return _Tools(roster, CodeBook(), Peer("", roster.profile, "reuse", (self._decoy_seed,)))

    async def decide(self, roster: Roster, request: AuthRequest, sees_content: bool, at: float) -> Decided:
        """A caller needs a token of a peer, a code that matched one of that peer's seeds, and a state that accepts it;
        where the policy says so, also a proof. All are evaluated, whatever is wrong with the others."""
        tools = self._tools
        if tools.roster is not roster:
            tools = self._tools = self._tools_for(roster)
        lines = lines_of(request.fields)
        tokens, codes = lines.get("authorization", []), lines.get(roster.profile.header.lower(), [])
        bearer = BEARER.fullmatch(tokens[0]) if len(tokens) == 1 else None
        token = bearer.group(1) if bearer else None
        code = codes[0] if len(codes) == 1 else None

        token_hash = hash_token(token or "")
        canary = roster.canaries.get(token_hash)
        owner = TokenOwner(reason="token-refused")
        if token is not None:
            adjust = owner_of_canary if canary else _as_it_is
            owner = await self._gate.identify(self._factor, roster, token, token_hash, request.source, at, adjust)
        peer = owner.peer or tools.decoy
        head = request.head
        if head and self._prefix and request.binding == "http":
            head = replace(head, target=self._prefix + head.target)
        checked = check_proof(roster, peer, head, lines, at)
        stopped = refused_proof(peer, checked)
        used = checked if peer.spends_proofs and checked.kind == "valid" else None
        well_formed = code is not None and is_code(code, peer.profile.digits)
        # Without a code nothing of the peer's is computed: the time would tell whether its codes are known already.
        # Where its proof is refused, the code is not looked at.
        looked_at = code if well_formed and not stopped else None
        compared = tools.decoy if looked_at is None else peer
        only = used.seed if used and looked_at is not None else None
        match = _match(tools.book, compared, looked_at or "0" * compared.profile.digits, at, only)

        def refuse(kind: Kind, reason: str, retry_after: int | None = None, failure: Failure | None = None) -> Refusal:
            required = roster.signed == "require"
            unauthenticated = kind == "unauthenticated"
            challenges = challenges_of(roster.profile.header, bool(tokens), required) if unauthenticated else ()
            accept = accept_signature(roster.profile.header.lower()) if unauthenticated and required else None
            wait = retry_after or (RETRY_AFTER_FAILURE if kind == "unavailable" else None)
            return Refusal(kind, reason, peer.name or None, wait, challenges, accept, failure)

        def decided(outcome: Caller | Refusal, counted: tuple[Peer, Attempt, bool] | None = None) -> Decided:
            refuse_content = functools.partial(refuse, "unauthenticated", "proof-digest")
            known = match if owner.peer and looked_at is not None else None
            facts = (owner.peer, known, canary, bool(roster.canaries), roster.signed == "require")
            return Decided(outcome, checked, peer.signed, refuse_content, counted, *facts)

        flaw = flaw_of(tokens, token, codes)
        if token is None:
            await self._ask_decoy(tools.decoy, at)
            return decided(refuse("unauthenticated", flaw or "token-missing"))
        # Nobody guesses beside a proof: who signs has the seed.
        mistake = used is not None and match is None
        if owner.peer is None or stopped or flaw or not well_formed or mistake:
            # Takes as long as a memory state would, under one name, so that it does not fill up.
            await self._ask_decoy(tools.decoy, at)
            if owner.peer is None:
                kind = _KINDS.get(owner.reason, "unauthenticated")
                return decided(refuse(kind, owner.reason, owner.retry_after, owner.failure))
            if stopped == "guard-failed":
                return decided(refuse("unavailable", stopped, failure=CONTENT_UNSEEN))
            reason = stopped or flaw or ("code-malformed" if not well_formed else "code-wrong")
            return decided(refuse("unauthenticated", reason))
        if used and not sees_content:
            return decided(refuse("unavailable", "guard-failed", failure=CONTENT_UNSEEN))

        proof = used.proof if used else None
        spent = SpentProof(proof.nonce, proof.created, proof.expires) if proof else None
        budgets = limits_for(peer.profile.digits, peer.profile.window, self._risk)
        listed = token_hash if owner.live_tokens else None
        attempt = attempt_of(peer, listed, code or "", match, at, owner.live_tokens, spent, budgets)
        try:
            decision = await self._state.decide(attempt)
        except Exception as error:  # noqa: BLE001
            return decided(refuse("unavailable", "guard-failed", failure=failure_of(error)))
        # Whatever a state says, what did not match does not pass.
        if getattr(decision, "outcome", None) == "accepted" and match:
            shown: Literal["code", "signed"] = "signed" if used else "code"
            facts = (peer.name, match.seed_id, match.time_step, match.drift, shown, roster.agent)
            lifetime = Lifetime(self._leases, _credentials(roster, owner, peer, token_hash, match))
            caller = Caller(*facts, claims=owner.claims, lifetime=lifetime)
            self._gate.remember(caller, self._factor, token_hash)
            return decided(caller)
        return self._refused(decision, peer, attempt, used is not None, refuse, decided)

    def _refused(
        self,
        decision: Decision,
        peer: Peer,
        attempt: Attempt,
        signed: bool,
        refuse: Callable[..., Refusal],
        decided: Callable[..., Decided],
    ) -> Decided:
        kind, reason = OUTCOMES.get(getattr(decision, "outcome", "full"), ("unavailable", "guard-failed"))
        if reason == "guard-failed" or not isinstance(decision, Decision):
            return decided(refuse("unavailable", "guard-failed", failure=_BAD_DECISION))
        # A new time step does not make a spent nonce good.
        if signed and reason == "code-replayed":
            return decided(refuse(kind, "proof-replayed"))
        counted = (peer, attempt, decision.tripped) if decision.counted and attempt.match is None else None
        return decided(refuse(kind, reason, decision.retry_after), counted)

    async def _ask_decoy(self, decoy: Peer, at: float) -> None:
        await self._decoy_state.decide(attempt_of(decoy, "", "0", None, at, budgets=_DECOY_BUDGETS))

    def _end_under(self, used: UsedCredentials, roster: Roster) -> float:
        """When credentials end under another roster. They are compared by what they are: seed, token hash, peer."""
        peer = roster.find(used.peer)
        if peer is None or used.token_hash in roster.canaries:
            return -math.inf
        seed_ends_at = max((seed.expires_at for seed in peer.seeds if seed.key == used.seed), default=-math.inf)
        if self._factor.delegate is not None:
            return min(seed_ends_at, used.token_ends_at)
        grant = roster.tokens.get(used.token_hash)
        return min(seed_ends_at, grant.expires_at) if grant and grant.peer.name == used.peer else -math.inf


_KINDS: dict[str, Kind] = {"delegate-failed": "unavailable", "strangers-exhausted": "throttled"}


def _as_it_is(owner: TokenOwner) -> TokenOwner:
    return owner


def _credentials(roster: Roster, owner: TokenOwner, peer: Peer, token_hash: str, match: Match) -> UsedCredentials:
    seed = next(seed for seed in peer.seeds if seed.id == match.seed_id)
    ends_at = min(owner.expires_at, seed.expires_at)
    return UsedCredentials(peer.name, token_hash, owner.expires_at, seed.key, ends_at, roster)


def _match(book: CodeBook, peer: Peer, code: str, at: float, only: int | None) -> Match | None:
    """Compares a code with those of every seed, whatever matches, and of expired ones too: it takes as long.

    With a proof, only the seed counts that it was made with.
    """
    now = peer.profile.time_step(at)
    match = None
    for number, (seed, digest) in enumerate(zip(peer.seeds, peer.digests, strict=True)):
        if only is not None and number != only:
            continue
        live = at < seed.expires_at
        for drift, candidate in book.around(seed.key, peer.profile, now):
            if hmac.compare_digest(candidate, code) and live and match is None:
                match = Match(seed.id, digest, now + drift, drift)
    return match
