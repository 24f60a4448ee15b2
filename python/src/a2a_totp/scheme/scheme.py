"""Both factors of a request.

Longer than other modules: one class, and most of it the options of its two ways to be made.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from a2a_totp.errors import ServerFileError
from a2a_totp.policies import Replay, Signed
from a2a_totp.profile import Profile
from a2a_totp.proof.content import content_digest
from a2a_totp.roster import Roster
from a2a_totp.scheme.deciding import Decider
from a2a_totp.scheme.events import OnEvent, emit
from a2a_totp.scheme.examined import CONTENT_UNSEEN, Examined
from a2a_totp.scheme.first_factor import FirstFactor
from a2a_totp.scheme.later import after_answer
from a2a_totp.scheme.log_listener import LogListener
from a2a_totp.scheme.option_kinds import require_parts
from a2a_totp.scheme.options import path_prefix_of, rules_of
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.reports import Later, Reports
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.usable import require_usable
from a2a_totp.secret_strings import revealed
from a2a_totp.server_file import SERVER_FILE_VARIABLE, ServerFile
from a2a_totp.state.budgets import DEFAULT_RISK
from a2a_totp.state.contract import State
from a2a_totp.state.memory import MemoryState

BARE_METHODS = frozenset({"GET", "HEAD", "DELETE"})
"""Requests without content, usually."""


class TOTPServerAuthScheme:
    """Checks both factors of a request: a bearer token, and a TOTP code (RFC 6238) of the peer that the token belongs
    to. There is no way to ask about one of them alone.

        TOTPServerAuthScheme(
            delegate=PeerTokenAuth({token_of_alice: "alice"}),
            peer_seeds={"alice": seed_of_alice},
        )

    `delegate` checks the token: one of ours, one of crewAI's, or any object with `async authenticate_token(token)`; see
    ServerAuthScheme. By default the tokens of `token_to_peer` are accepted. `token_to_peer` maps a token, or its hash,
    to its peer, where the delegate does not name one; if both do and they differ, the request is refused.

    `peer_seeds` has a seed for each peer that may call: base32 (also as pydantic's SecretStr), bytes, or a SeedSet.
    `shared_seed` is one seed for all, and weaker: each can make the others' codes. A seed under 128 bits (RFC 4226 R6)
    is refused unless `allow_weak_seeds`. `profile` is a Profile or a mapping of what differs from the default.

    `replay` is "reuse" (a code is accepted as long as it is valid) or "once" (for one request). `signed` is what to do
    with proofs, the signatures that bind a request to a seed: "off", "observe", "accept" or "require"; they need
    `agent`, the agent's name in its store. `path_prefix` is what a proxy in front takes away from paths.

    `throttle_risk` is the expected number of accepted guesses a day of one seed, by default 1.5e-4; the limits on
    guesses follow from it. `state` remembers codes and guesses: by default in this process. `canaries` are tokens that
    belong to nobody (CanaryToken): whoever sends one causes the event `canary_used`.

    `on_event` is called with each event, a dict of JSON whose keys are in camelCase, since tools and servers in other
    languages share them. Without it, events are logged as `a2a_totp`. `now` returns unix seconds.

    A copy, deep or not, is the scheme itself, so that no copy forgets what was spent. A pickle holds what the scheme
    was made from: the path of its file, or the options with the secrets among them, and no state of this process. What
    is unpickled is a new scheme.

    Raises TOTPError, a ValueError with a stable `code`, for options that contradict each other or could never let
    anyone in.
    """

    def __init__(
        self,
        delegate: Any = None,
        peer_seeds: Mapping[str, Any] | None = None,
        token_to_peer: Mapping[Any, str] | None = None,
        *,
        shared_seed: Any = None,
        profile: Profile | Mapping[str, Any] | None = None,
        replay: Replay = "reuse",
        agent: str | None = None,
        signed: Signed = "off",
        path_prefix: str = "",
        throttle_risk: float | None = None,
        state: State | None = None,
        canaries: Iterable[Any] = (),
        allow_weak_seeds: bool = False,
        on_event: OnEvent | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        require_parts(state, on_event, now)
        canaries = tuple(canaries)
        rules = rules_of(
            has_delegate=delegate is not None,
            peer_seeds=peer_seeds,
            token_to_peer=token_to_peer,
            shared_seed=shared_seed,
            profile=profile,
            replay=replay,
            agent=agent,
            signed=signed,
            canaries=canaries,
            allow_weak_seeds=allow_weak_seeds,
        )
        roster = rules.roster
        self._begin(
            lambda: roster,
            FirstFactor(delegate, rules.mapped),
            now=now,
            state=state,
            on_event=on_event,
            throttle_risk=throttle_risk,
            path_prefix=path_prefix,
        )
        self._require_usable(roster)
        given = {
            "delegate": delegate,
            "peer_seeds": peer_seeds,
            "token_to_peer": token_to_peer,
            "profile": profile,
            "shared_seed": shared_seed,
            "replay": replay,
            "agent": agent,
            "signed": signed,
            "state": state,
            "path_prefix": path_prefix,
            "throttle_risk": throttle_risk,
            "allow_weak_seeds": allow_weak_seeds,
            "canaries": canaries,
            "on_event": on_event,
            "now": now,
        }
        self._remake: tuple[Callable[..., TOTPServerAuthScheme], dict[str, Any]] | None = (type(self), given)

    def _begin(
        self,
        roster: Callable[[], Roster],
        factor: FirstFactor,
        *,
        now: Callable[[], float],
        state: State | None = None,
        on_event: OnEvent | None = None,
        later: Later = after_answer,
        throttle_risk: float | None = None,
        path_prefix: str = "",
    ) -> None:
        self._roster, self._factor, self._now = roster, factor, now
        self._risk = DEFAULT_RISK if throttle_risk is None else throttle_risk
        self._state = MemoryState(since=now()) if state is None else state
        self._reports = Reports(self._state, on_event, now, later)
        self._decider = Decider(factor, self._state, roster, now, self._risk, path_prefix_of(path_prefix))
        self._close: Callable[[], None] = lambda: None
        self._remake = None

    @classmethod
    def _of_roster(
        cls,
        roster: Callable[[], Roster],
        *,
        now: Callable[[], float] = time.time,
        state: State | None = None,
        later: Later = after_answer,
        on_event: OnEvent | None = None,
        delegate: Any = None,
        throttle_risk: float | None = None,
    ) -> TOTPServerAuthScheme:
        """A scheme for a roster that is made elsewhere, and asked for at each request."""
        scheme = cls.__new__(cls)
        scheme._begin(
            roster,
            FirstFactor(delegate),
            now=now,
            state=state,
            on_event=on_event,
            later=later,
            throttle_risk=throttle_risk,
        )
        return scheme

    @classmethod
    async def create(cls, *args: Any, **options: Any) -> TOTPServerAuthScheme:
        """Like the constructor, but also asks the delegate about every mapped token.

        About one that is mapped by its hash, only PeerTokenAuth and SimpleTokenAuth can be asked.

        Raises TOTPError ERR_CONFIG_INVALID also for a mapped token that can never be accepted: the delegate refuses it,
        says that it has expired, or assigns it to another peer, or every seed of its peer has expired. Errors of the
        delegate are passed on.
        """
        scheme = cls(*args, **options)
        mapped = args[2] if len(args) > 2 else options.get("token_to_peer")
        tokens = {revealed(token): peer for token, peer in (mapped or {}).items()}
        await scheme._factor.require_usable(scheme._roster(), tokens, scheme._now())
        return scheme

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        delegate: Any = None,
        path_prefix: str = "",
        throttle_risk: float | None = None,
        state: State | None = None,
        allow_weak_seeds: bool = False,
        on_event: OnEvent | None = None,
        now: Callable[[], float] = time.time,
    ) -> TOTPServerAuthScheme:
        """A scheme for the peers of a server file (`a2a-totp config server`), by default `$A2A_TOTP_SERVER_FILE`.

        Changes of the file are in force within a second, including atomic swaps of a mounted file, and no request is
        refused because of them: the state stays. It is looked at as requests come, and while a stream waits for its
        end. If the new file is broken or missing, the previous one stays in force (event `server_file_refused`).

        With a `delegate`, such as JWTAuth, the tokens of the file do not count; its peers and seeds do.

        Raises ServerFileError ERR_FILE_UNREADABLE; ERR_CONFIG_INVALID without a path, or with the path of the bad field
        and never its value; and what the constructor raises.
        """
        require_parts(state, on_event, now)
        found = path or os.environ.get(SERVER_FILE_VARIABLE)
        if not found:
            raise ServerFileError(f"no server file; pass its path, or set ${SERVER_FILE_VARIABLE}")
        listener = on_event or LogListener()
        scheme = cls.__new__(cls)
        # Before the first look at the file, which asks for them.
        scheme._state = MemoryState(since=now()) if state is None else state
        scheme._factor, scheme._risk = FirstFactor(delegate), DEFAULT_RISK if throttle_risk is None else throttle_risk
        file = ServerFile(
            found,
            allow_weak_seeds=allow_weak_seeds,
            on_event=functools.partial(emit, listener),
            now=now,
            require=scheme._require_usable,
        )
        options = {"path_prefix": path_prefix, "throttle_risk": throttle_risk, "on_event": on_event, "now": now}
        scheme._begin(
            file,
            scheme._factor,
            now=now,
            state=scheme._state,
            on_event=listener,
            throttle_risk=throttle_risk,
            path_prefix=path_prefix,
        )
        scheme._close = file.close
        given = {
            "path": file.path,
            "delegate": delegate,
            "state": state,
            "allow_weak_seeds": allow_weak_seeds,
            **options,
        }
        scheme._remake = (cls.from_file, given)
        return scheme

    def _require_usable(self, roster: Roster) -> None:
        require_usable(roster, self._state, self._factor, self._risk)

    @property
    def code_header(self) -> str:
        """The name of the header that carries the code."""
        return self.profile.header

    @property
    def profile(self) -> Profile:
        """How codes are made and sent, unless a peer's own seeds differ."""
        return self._roster().profile

    @property
    def agent(self) -> str | None:
        """The agent's name, if it is known."""
        return self._roster().agent or None

    @property
    def signed(self) -> Signed:
        """The scheme's own policy for proofs, for the agent card. A peer's own may differ."""
        return self._roster().signed

    async def authenticate(self, request: AuthRequest) -> Caller | Refusal:
        """Decides about a request. Ask once a request: under `once`, and for a signed one, asking again is a replay.

        With a proof, head and content are what it is compared with; without them a signed request is refused where
        proofs matter. Never raises because of what is in a request: where the delegate or the state does, the refusal
        is of the kind `unavailable` (503).
        """
        bare = request.binding == "http" and request.method in BARE_METHODS
        examined = await self.examine(request, sees_content=request.content is not None or bare)
        if examined.digest is None:
            return examined.let_in()
        return examined.compare(content_digest(request.binding, request.content or b""))

    async def authenticate_with_totp(self, token: str | None, code: str | None, source: str = "") -> Caller | Refusal:
        """Decides about a token and a code, both as they were sent, for servers that have no more of a request.

        Returns what `authenticate` does: a refusal is a result and no exception, so compare with
        `isinstance(outcome, Caller)`. The scheme of `a2a_totp.crewai` raises crewAI's HTTPException instead.
        """
        fields = [("authorization", f"Bearer {token}")] if token is not None else []
        if code is not None:
            fields.append((self.code_header, str(code)))
        return await self.authenticate(AuthRequest(fields, source))

    async def examine(self, request: AuthRequest, *, sees_content: bool = True) -> Examined:
        """Decides about the head of a request, for those who pass its content on. Ask once a request.

        Nonce and code are spent by then, and a content that does not match does not give them back.
        """
        at = self._now()
        decided = await self._decider.decide(self._roster(), request, sees_content, at)
        checked, policy = decided.checked, decided.policy
        is_unseen = decided.observes and (checked.kind == "unseen" or (checked.kind == "valid" and not sees_content))
        compares = isinstance(decided.outcome, Caller) and policy != "off" and not is_unseen
        reported = False

        def report(outcome: Caller | Refusal, observed: bool) -> None:
            nonlocal reported
            if not reported:
                self._reports.decided(decided, outcome, request, at)
                if is_unseen:
                    self._reports.observed(decided, CONTENT_UNSEEN.cause, request, at)
            elif observed:
                self._reports.observed(decided, "proof-digest", request, at)
            elif isinstance(outcome, Refusal):
                self._reports.other_content(decided, outcome, request, at)
            reported = True

        return Examined(
            decided.outcome,
            checked.proof.digest if checked.proof and compares else None,
            policy in ("accept", "require"),
            report,
            decided.refusal_of_content,
        )

    def close(self) -> None:
        """Stops following the server file, and reports what is held back. The scheme goes on with what it has read."""
        self._close()
        self._reports.close()

    def __copy__(self) -> TOTPServerAuthScheme:
        return self

    def __deepcopy__(self, _memo: object) -> TOTPServerAuthScheme:
        return self

    def __reduce__(self) -> tuple[Callable[..., TOTPServerAuthScheme], tuple[Any, dict[str, Any]]]:
        if self._remake is None:
            raise TypeError("this scheme was made of a roster; pickle what it is made from instead")
        make, given = self._remake
        return _remade, (make, given)

    def __repr__(self) -> str:
        roster = self._roster()
        return f"{type(self).__name__}(agent={roster.agent!r}, peers={len(roster.kinds_of_peers)})"


def _remade(make: Callable[..., TOTPServerAuthScheme], given: dict[str, Any]) -> TOTPServerAuthScheme:
    return make(**given)
