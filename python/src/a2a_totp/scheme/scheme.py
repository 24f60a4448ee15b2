"""Both factors of a request."""

from __future__ import annotations

import functools
import hashlib
import hmac
import math
import os
import secrets
import time
from collections.abc import (
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import replace
from typing import Literal

from a2a_totp.codes import is_code
from a2a_totp.log import logger
from a2a_totp.policies import Signed
from a2a_totp.proof.content import content_digest
from a2a_totp.proof.keys import proof_key
from a2a_totp.proof.reading import RequestHead, may_be_signed
from a2a_totp.proof.verifying import verify_head
from a2a_totp.roster import Peer, Roster, Seed
from a2a_totp.scheme.attempts import attempt_of
from a2a_totp.scheme.code_book import CodeBook
from a2a_totp.scheme.examined import ABSENT_PROOF, CheckedProof, Decided, Examined
from a2a_totp.scheme.fields import BEARER, accept_signature, challenges_of, flaw_of, lines_of
from a2a_totp.scheme.later import after_answer
from a2a_totp.scheme.lifetime import Leases, Lifetime, UsedCredentials
from a2a_totp.scheme.outcome import OUTCOMES, Caller, Kind, Refusal
from a2a_totp.scheme.refused_proofs import PROOF_REASONS, RefusedProofs
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.server_file import SERVER_FILE_VARIABLE, ServerFile
from a2a_totp.server_file_text import ServerFileError
from a2a_totp.state.contract import Attempt, Match, SpentProof, State
from a2a_totp.state.late_codes import find_late_code
from a2a_totp.state.memory import MemoryState
from a2a_totp.state.strangers import StrangerLimit, key_of_source

BARE_METHODS = frozenset({"GET", "HEAD", "DELETE"})
"""Requests without content, usually."""
_RETRY_AFTER_FAILURE = 5
"""Whole seconds to stay away when a guard does not know better."""


class TOTPServerAuthScheme:
    """Checks both factors of a request. There is no way to ask about one of them alone.

    `roster` gives the roster in force and is asked at each request; `now` gives unix seconds. `later` runs what is
    handed to it after the answer: the second look at a guess, which may be a late code.
    """

    def __init__(
        self,
        roster: Callable[[], Roster],
        *,
        now: Callable[[], float] = time.time,
        state: State | None = None,
        later: Callable[[Callable[[], Awaitable[None]]], object] = after_answer,
    ) -> None:
        self._roster = roster
        self._now = now
        self._state = state or MemoryState(since=now())
        self._later = later
        self._leases = Leases(roster, now, self._end_under)
        self._strangers = StrangerLimit()
        self._book, self._book_of = CodeBook(), roster()
        # They stand in where a refusal is decided without the real ones, so that it takes as long as any other.
        seed = Seed("", secrets.token_bytes(20))
        self._decoy_key = proof_key(seed.key, "decoy")
        self._decoy = Peer("", self._book_of.profile, "reuse", (seed,), "off", (self._decoy_key,))
        self._refused_proofs = RefusedProofs()
        self._decoy_state, self._decoy_strangers = MemoryState(since=0), StrangerLimit()

    @classmethod
    def _of_roster(
        cls,
        roster: Callable[[], Roster],
        *,
        now: Callable[[], float] = time.time,
        state: State | None = None,
        later: Callable[[Callable[[], Awaitable[None]]], object] = after_answer,
    ) -> TOTPServerAuthScheme:
        """A scheme for a roster that is made elsewhere, and asked for at each request."""
        return cls(roster, now=now, state=state, later=later)

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str] | None = None, *, allow_weak_seeds: bool = False
    ) -> TOTPServerAuthScheme:
        """Reads and follows a server file, by default the one that `$A2A_TOTP_SERVER_FILE` names.

        Raises ServerFileError when there is none, or when it cannot be used.
        """
        found = path or os.environ.get(SERVER_FILE_VARIABLE)
        if not found:
            raise ServerFileError(f"no server file: give its path, or set ${SERVER_FILE_VARIABLE}")
        return cls(ServerFile(found, allow_weak_seeds=allow_weak_seeds))

    @property
    def code_header(self) -> str:
        """The name of the header that carries the code."""
        return self._roster().profile.header

    async def authenticate(self, request: AuthRequest) -> Caller | Refusal:
        """Decides about a request. Ask once a request: under `once`, and for a signed one, asking again is a replay.

        With a proof, head and content are what it is compared with; without them a signed request is refused where
        proofs matter.
        """
        bare = request.binding == "http" and request.method in BARE_METHODS
        examined = await self.examine(request, sees_content=request.content is not None or bare)
        if examined.digest is None:
            return examined.let_in()
        return examined.compare(content_digest(request.binding, request.content or b""))

    async def examine(self, request: AuthRequest, *, sees_content: bool = True) -> Examined:
        """Decides about the head of a request, for those who pass its content on. Ask once a request.

        Nonce and code are spent by then, and a content that does not match does not give them back.
        """
        source = request.source
        decided = await self._decide(request, sees_content, self._now())
        checked, policy = decided.checked, decided.policy
        compares = isinstance(decided.outcome, Caller) and policy != "off" and checked.proof is not None

        def log(outcome: Caller | Refusal, observed: bool) -> None:
            self._report(outcome, source, checked, policy, observed)
            if decided.counted:
                self._later(functools.partial(self._look_again, *decided.counted, source))

        return Examined(
            decided.outcome,
            checked.proof.digest if checked.proof and compares else None,
            policy in ("accept", "require"),
            log,
            decided.refusal_of_content,
        )

    def _report(
        self, outcome: Caller | Refusal, source: str, checked: CheckedProof, policy: Signed, observed: bool
    ) -> None:
        shown = "" if policy == "off" or checked.kind == "unseen" else f" proof={checked.kind}"
        shown += f" proof_reason={checked.reason}" if shown and checked.reason else ""
        if isinstance(outcome, Caller):
            caller = (outcome.peer, outcome.seed_id, outcome.time_step, outcome.drift, source, shown)
            logger.info("authenticated: peer=%s seed=%s step=%d drift=%d source=%s%s", *caller)
            return
        if observed:
            logger.warning(
                "proof_observed: peer=%s source=%s proof=invalid proof_reason=%s", outcome.peer, source, outcome.reason
            )
            return
        is_proof = outcome.reason in PROOF_REASONS
        if is_proof:
            absent = outcome.reason == "proof-missing"
            shown = " proof=absent" if absent else f" proof=invalid proof_reason={outcome.reason}"
        text = f"refused: reason={outcome.reason} peer={outcome.peer} source={source}{shown}"
        if is_proof and outcome.peer:
            self._refused_proofs.add(outcome.peer, text)
            return
        if outcome.reason == "guard-failed" and outcome.peer and (checked.kind == "unseen" or checked.proof):
            text += "; the guard cannot see the content of a signed request: put it in front of whatever reads bodies"
        logger.warning("%s", text)

    async def _look_again(self, peer: Peer, attempt: Attempt, tripped: bool, source: str) -> None:
        """Is a counted guess a late code? A peer whose clock is wrong sends such codes all day, and is no thief."""
        late = find_late_code(peer, attempt.code, attempt.at)
        if late:
            proof = (peer.name, late.seed_id, late.time_step, late.drift, source)
            logger.warning("code_stale: peer=%s seed=%s step=%d drift=%d source=%s", *proof)
            if await self._state.take_back(attempt, late):
                return
        if tripped:
            logger.error("token_compromise_suspected: peer=%s; run `a2a-totp rotate %s`", peer.name, peer.name)

    async def _decide(self, request: AuthRequest, sees_content: bool, at: float) -> Decided:
        roster, source, head = self._roster(), request.source, request.head
        lines = lines_of(request.fields)
        header = roster.profile.header.lower()
        tokens, codes = lines.get("authorization", []), lines.get(header, [])
        bearer = BEARER.fullmatch(tokens[0]) if len(tokens) == 1 else None
        token = bearer.group(1) if bearer else None
        code = codes[0] if len(codes) == 1 else None

        token_hash = "sha256:" + hashlib.sha256((token or "").encode()).hexdigest()
        grant = roster.tokens.get(token_hash) if token is not None else None
        known = grant is not None and at < grant.expires_at
        if roster is not self._book_of:
            self._book, self._book_of = CodeBook(), roster
            self._decoy = replace(self._decoy, profile=roster.profile)
        peer = grant.peer if grant and known else self._decoy
        checked = self._check(roster, peer, head, lines, at)
        stopped = _refused_proof(peer, checked)
        used = checked if peer.spends_proofs and checked.kind == "valid" else None
        well_formed = code is not None and is_code(code, peer.profile.digits)
        # Without a code nothing of the peer's is computed: the time would tell whether its codes are known already.
        # Where its proof is refused, the code is not looked at.
        looked_at = code if well_formed and not stopped else None
        compared = self._decoy if looked_at is None else peer
        only = used.seed if used and looked_at is not None else None
        match = self._match(compared, looked_at or "0" * compared.profile.digits, at, only)

        def refuse(kind: Kind, reason: str, retry_after: int | None = None) -> Refusal:
            required = roster.signed == "require"
            unauthenticated = kind == "unauthenticated"
            challenges = challenges_of(roster.profile.header, bool(tokens), required) if unauthenticated else ()
            accept = accept_signature(header) if unauthenticated and required else None
            wait = retry_after or (_RETRY_AFTER_FAILURE if kind == "unavailable" else None)
            return Refusal(kind, reason, peer.name or None, wait, challenges, accept)

        def decided(outcome: Caller | Refusal, counted: tuple[Peer, Attempt, bool] | None = None) -> Decided:
            return Decided(
                outcome, checked, peer.signed, functools.partial(refuse, "unauthenticated", "proof-digest"), counted
            )

        flaw = flaw_of(tokens, token, codes)
        if token is None:
            return decided(refuse("unauthenticated", flaw or "token-missing"))
        source_key = key_of_source(source)
        wait = self._decoy_strangers.count("", at) if known else self._strangers.count(source_key, at)
        # Nobody guesses beside a proof: who signs has the seed.
        mistake = used is not None and match is None
        if not known or stopped or flaw or code is None or not well_formed or mistake:
            await self._decoy_state.decide(attempt_of(self._decoy, "", "0", None, at))
            if not known and wait:
                return decided(refuse("throttled", "strangers-exhausted", wait))
            if not known:
                return decided(refuse("unauthenticated", "token-refused"))
            if stopped == "guard-failed":
                return decided(refuse("unavailable", stopped))
            return decided(
                refuse("unauthenticated", stopped or flaw or ("code-malformed" if not well_formed else "code-wrong"))
            )
        if used and not sees_content:
            return decided(refuse("unavailable", "guard-failed"))

        live_tokens = functools.partial(roster.live_tokens, peer, at)
        proof = used.proof if used else None
        spent = SpentProof(proof.nonce, proof.created, proof.expires) if proof else None
        attempt = attempt_of(peer, token_hash, code, match, at, live_tokens, spent)
        decision = await self._state.decide(attempt)
        # Whatever a guard says, what did not match does not pass.
        if decision.outcome == "accepted" and match:
            shown: Literal["code", "signed"] = "signed" if used else "code"
            used_now = self._used(roster, peer, token_hash, match)
            lifetime = Lifetime(self._leases, used_now)
            facts = (peer.name, match.seed_id, match.time_step, match.drift, shown, roster.agent)
            return decided(Caller(*facts, lifetime=lifetime))
        kind, reason = OUTCOMES.get(decision.outcome, ("unavailable", "guard-failed"))
        if used and reason == "code-replayed":
            reason = "proof-replayed"
        counted = (peer, attempt, decision.tripped) if decision.counted else None
        return decided(refuse(kind, reason, decision.retry_after), counted)

    def _used(self, roster: Roster, peer: Peer, token_hash: str, match: Match) -> UsedCredentials:
        seed = next(seed for seed in peer.seeds if seed.id == match.seed_id)
        grant = roster.tokens.get(token_hash)
        token_ends_at = grant.expires_at if grant else math.inf
        ends_at = min(token_ends_at, seed.expires_at)
        return UsedCredentials(peer.name, token_hash, token_ends_at, seed.key, ends_at, roster)

    def _end_under(self, used: UsedCredentials, roster: Roster) -> float:
        """When credentials end under another roster. They are compared by what they are: seed, token hash, peer."""
        peer, grant = roster.peers.get(used.peer), roster.tokens.get(used.token_hash)
        if peer is None or grant is None or grant.peer.name != used.peer:
            return -math.inf
        seed_ends_at = max((seed.expires_at for seed in peer.seeds if seed.key == used.seed), default=-math.inf)
        return min(seed_ends_at, grant.expires_at)

    def _check(
        self, roster: Roster, peer: Peer, head: RequestHead | None, lines: Mapping[str, Sequence[str]], at: float
    ) -> CheckedProof:
        """Where any peer's proofs are looked at, those of all requests are: the time would tell which tokens are live.

        Never raises, whatever is in the request.
        """
        if roster.longest_period == 0 or not may_be_signed(lines):
            return ABSENT_PROOF
        if head is None:
            return CheckedProof("unseen")
        of = peer if peer.signed != "off" else self._decoy
        keys = [key if at < seed.expires_at else None for seed, key in zip(of.seeds, of.proof_keys, strict=True)]
        try:
            found = verify_head(
                head,
                lines,
                header=roster.profile.header.lower(),
                # The longest one for everybody, so that no more is read for one token than for another; then its own.
                period=roster.longest_period,
                window=of.profile.window,
                keys=keys,
                decoy=self._decoy_key,
                at=at,
            )
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            # Whatever a caller sends is refused, and no error of the server.
            return CheckedProof("invalid", "proof-malformed")
        if found is None:
            return ABSENT_PROOF
        if isinstance(found, str):
            return CheckedProof("invalid", found)
        proof, seed = found
        life = of.profile.proof_life
        if proof.expires - proof.created > life:
            return CheckedProof("invalid", "proof-malformed")
        if proof.created > at + life:
            return CheckedProof("invalid", "proof-stale")
        return CheckedProof("valid", "", proof, seed)

    def _match(self, peer: Peer, code: str, at: float, only: int | None = None) -> Match | None:
        """Compares a code with those of every seed, whatever matches, and of expired ones too: it takes as long.

        With a proof, only the seed counts that it was made with.
        """
        now = peer.profile.time_step(at)
        match = None
        for number, (seed, digest) in enumerate(zip(peer.seeds, peer.digests, strict=True)):
            if only is not None and number != only:
                continue
            live = at < seed.expires_at
            for drift, candidate in self._book.around(seed.key, peer.profile, now):
                if hmac.compare_digest(candidate, code) and live and match is None:
                    match = Match(seed.id, digest, now + drift, drift)
        return match


def _refused_proof(peer: Peer, checked: CheckedProof) -> str | None:
    """Why the peer's policy refuses a request for its proof, before the code is looked at."""
    if not peer.spends_proofs or checked.kind == "valid":
        return None
    if checked.kind == "unseen":
        return "guard-failed"
    if checked.kind == "invalid":
        return checked.reason
    return "proof-missing" if peer.signed == "require" else None
