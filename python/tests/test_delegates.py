"""The first factor, and the options of a scheme."""

import copy
import json
import pickle
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from deciding import AT, FILE, Agent, run

from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.scheme import (
    AuthRequest,
    CanaryToken,
    PeerSeed,
    PeerToken,
    PeerTokenAuth,
    SeedSet,
    SimpleTokenAuth,
    TokenVerdict,
    TOTPError,
    TOTPServerAuthScheme,
    hash_token,
)
from a2a_totp.state.contract import Supports

KEY, SEED = b"12345678901234567890", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
OTHER = "KZQW6ZTBNFXHG33NKZQW6ZTBNFXHG33N"


def code(profile: Profile | None = None, key: bytes = KEY) -> str:
    """The one of AT."""
    whole = profile or Profile()
    return code_of_step(key, whole, whole.time_step(AT))


class Scheme:
    """A scheme of options, whose clock stands still, and its events."""

    def __init__(self, delegate: Any = None, peer_seeds: Any = None, **options: Any) -> None:
        self.events: list[dict[str, Any]] = []
        given = {"alice": SEED} if peer_seeds is None and "shared_seed" not in options else peer_seeds
        self.scheme = TOTPServerAuthScheme(
            delegate, given, **{"now": lambda: AT, "on_event": self.events.append, **options}
        )

    def ask(self, token: str, sent: str | None = None, source: str = "192.0.2.1") -> Any:
        """The reason of the refusal, or the caller."""
        outcome = run(self.scheme.authenticate_with_totp(token, code() if sent is None else sent, source))
        return getattr(outcome, "reason", outcome)


class Delegate:
    """A user's own, which answers with what it is given."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def authenticate_token(self, token: str) -> Any:
        """Raises where that is the answer."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class RefusingError(Exception):
    """Of the shape of FastAPI's HTTPException, and crewAI's own."""

    def __init__(self, status_code: int) -> None:
        super().__init__("secret-token")
        self.status_code = status_code


class CrewaiLike:
    """With crewAI's own method."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def authenticate(self, token: str) -> Any:
        """An AuthenticatedUser, or an error."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class User:
    """Of the shape of crewAI's AuthenticatedUser."""

    def __init__(self, claims: Any = None) -> None:
        self.token, self.scheme, self.claims = "t", "oidc", claims


@pytest.mark.parametrize(
    ("delegate", "reason"),
    [
        (Delegate(TokenVerdict("alice")), None),
        (Delegate({"peer": "alice", "claims": {"scope": "read"}, "more": 1}), None),
        (Delegate(TokenVerdict("alice", expires_at=AT + 1)), None),
        (Delegate(TokenVerdict("alice", expires_at=AT)), "token-refused"),
        (Delegate(TokenVerdict("alice", expires_at=datetime(2026, 6, 1, 16, 40, 7))), "token-refused"),
        (Delegate(TokenVerdict("alice", expires_at=datetime(2027, 1, 1, tzinfo=timezone.utc))), None),
        (Delegate(TokenVerdict("eve")), "peer-unknown"),
        (Delegate(TokenVerdict()), "peer-unknown"),
        (Delegate({}), "peer-unknown"),
        (Delegate(TokenVerdict(refusal="expired")), "token-refused"),
        (Delegate({"refusal": "no"}), "token-refused"),
        (Delegate({"ok": False}), "token-refused"),
        (Delegate({"peer": 7}), "token-refused"),
        (Delegate({"peer": "alice", "claims": 7}), "token-refused"),
        (Delegate(None), "token-refused"),
        (Delegate(True), "token-refused"),
        (Delegate("alice"), "token-refused"),
        (Delegate(ValueError("secret-token")), "delegate-failed"),
        (CrewaiLike(User({"sub": "alice"})), None),
        (CrewaiLike(User({"sub": "eve"})), "peer-unknown"),
        (CrewaiLike(User()), "peer-unknown"),
        (CrewaiLike(None), "token-refused"),
        (CrewaiLike({"peer": "alice"}), "token-refused"),
        (CrewaiLike(RefusingError(401)), "token-refused"),
        (CrewaiLike(RefusingError(503)), "delegate-failed"),
        (CrewaiLike(ConnectionRefusedError(111, "secret-token")), "delegate-failed"),
    ],
)
def test_a_verdict_of_any_delegate_is_taken_for_what_it_is(delegate: Any, reason: str | None) -> None:
    """What is no verdict is a refusal, and what fails is a 503 that quotes nothing."""
    scheme = Scheme(delegate)
    found = scheme.ask("token")
    assert (found if reason else found.peer) == (reason or "alice")
    if reason == "delegate-failed":
        assert scheme.events[0]["cause"] in ("unknown", "ECONNREFUSED")
    assert "secret-token" not in json.dumps(scheme.events)


def test_a_delegate_and_the_map_have_to_agree() -> None:
    """Both and different: refused."""
    seeds = {"alice": SEED, "bob": OTHER}
    for named, mapped, reason in (("alice", "bob", "peer-conflict"), (None, "alice", None), ("alice", "alice", None)):
        scheme = Scheme(Delegate(TokenVerdict(named)), seeds, token_to_peer={"token": mapped})
        found = scheme.ask("token")
        assert (found if reason else found.peer) == (reason or "alice")


def test_simple_and_peer_token_auth() -> None:
    """With tokens, their hashes, and an expiry."""
    scheme = Scheme(SimpleTokenAuth("token", "alice"))
    assert scheme.ask("token").peer == "alice"
    assert scheme.ask("other") == "token-refused"
    tokens = [
        PeerToken("alice", "first"),
        PeerToken("alice", hash_token("second"), AT + 1),
        PeerToken("alice", "third", AT),
    ]
    scheme = Scheme(PeerTokenAuth(tokens))
    assert [getattr(scheme.ask(token), "peer", None) for token in ("first", "second")] == ["alice"] * 2
    assert scheme.ask("third") == "token-refused"
    assert scheme.ask("second").lifetime.ended is None
    assert not any(word in repr(tokens) + repr(PeerTokenAuth(tokens)) for word in ("first", "third"))


def test_the_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As crewAI's scheme has it."""
    monkeypatch.setenv("AUTH_TOKEN", "from-there")
    assert Scheme(SimpleTokenAuth(peer="alice")).ask("from-there").peer == "alice"
    monkeypatch.delenv("AUTH_TOKEN")
    with pytest.raises(TOTPError, match="AUTH_TOKEN"):
        SimpleTokenAuth()


def test_one_seed_for_all() -> None:
    """Peers are told apart by their tokens, where something does."""
    assert Scheme(SimpleTokenAuth("token"), shared_seed=SEED).ask("token").peer == "peer"
    both = Scheme(shared_seed=SEED, token_to_peer={"a": "alice", "b": "bob"})
    assert [both.ask("a").peer, both.ask("b").peer] == ["alice", "bob"]
    for number in range(5):
        both.ask("a", f"00000{number}")
    assert both.ask("b") == "guesses-exhausted"


def test_seeds_of_any_kind_with_their_own_rules() -> None:
    """Base32, bytes, a SecretStr, sets and mappings."""

    class Secret:
        def get_secret_value(self) -> str:
            return SEED

    eight = Profile(digits=8, period=60)
    for given in (SEED, KEY, Secret(), [SEED], PeerSeed(SEED, "s1"), SeedSet([PeerSeed(Secret())]), {"seed": SEED}):
        assert Scheme(SimpleTokenAuth("t", "alice"), {"alice": given}).ask("t").peer == "alice"
    for rules in (
        SeedSet([SEED], digits=8, period=60, replay="once"),
        {"seeds": [{"seed": SEED}], "digits": 8, "period": 60, "replay": "once"},
    ):
        scheme = Scheme(SimpleTokenAuth("t", "alice"), {"alice": rules})
        scheme.scheme._state._since = 0  # type: ignore[attr-defined]
        assert [getattr(scheme.ask("t", code(eight)), "peer", "") for _ in range(2)] == ["alice", ""]
    expired = SeedSet([PeerSeed(SEED, expires_at=AT), PeerSeed(OTHER)])
    assert Scheme(SimpleTokenAuth("t", "alice"), {"alice": expired}).ask("t") == "code-wrong"


WEAK = "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"peer_seeds": None}, "ERR_SEED_MISSING", "no seeds"),
        ({"peer_seeds": {"alice": ""}}, "ERR_SEED_MISSING", '"alice": it has no seed'),
        ({"peer_seeds": {"alice": SeedSet([])}}, "ERR_SEED_MISSING", "it has no seed"),
        ({"peer_seeds": {"alice": "no base32!"}}, "ERR_SEED_INVALID", "not base32"),
        ({"peer_seeds": {"alice": WEAK}}, "ERR_SEED_WEAK", "80 bits.*allow_weak_seeds"),
        ({"peer_seeds": {"alice": b"short"}}, "ERR_SEED_WEAK", "40 bits"),
        ({"shared_seed": SEED}, "ERR_CONFIG_INVALID", "exclude"),
        ({"peer_seeds": None, "shared_seed": SEED, "replay": "once"}, "ERR_CONFIG_INVALID", "spend the codes"),
        ({"delegate": None}, "ERR_CONFIG_INVALID", "nothing checks the token"),
        ({"delegate": object()}, "ERR_CONFIG_INVALID", "authenticate_token"),
        ({"token_to_peer": {"t": "eve"}}, "ERR_CONFIG_INVALID", '"eve", which has no seed'),
        ({"token_to_peer": {"alice": "t"}}, "ERR_CONFIG_INVALID", "TOKEN: PEER"),
        ({"token_to_peer": {"t": "alice", hash_token("t"): "alice"}}, "ERR_CONFIG_INVALID", "twice"),
        ({"token_to_peer": {"a b": "alice"}}, "ERR_TOKEN_INVALID", "b64token"),
        ({"profile": {"digits": 5}}, "ERR_PROFILE_INVALID", "digits must be one of"),
        ({"profile": Profile(window=9)}, "ERR_PROFILE_INVALID", "window"),
        ({"replay": "never"}, "ERR_CONFIG_INVALID", "replay"),
        ({"signed": "accept"}, "ERR_CONFIG_INVALID", "name of the agent"),
        ({"agent": "a b"}, "ERR_CONFIG_INVALID", "agent must be"),
        ({"path_prefix": "/a/"}, "ERR_CONFIG_INVALID", "path_prefix"),
        ({"throttle_risk": 0}, "ERR_CONFIG_INVALID", "throttle_risk"),
        ({"throttle_risk": 1e-9}, "ERR_CONFIG_INVALID", "not even one guess"),
        ({"peer_seeds": {"alice": {"seeds": [SEED], "expires": 1}}}, "ERR_CONFIG_INVALID", "keys"),
        ({"peer_seeds": {"alice": [SEED, SEED]}}, "ERR_CONFIG_INVALID", "the same"),
        ({"peer_seeds": {"alice": SeedSet([SEED], replay="once"), "bob": SEED}}, "ERR_CONFIG_INVALID", "of its own"),
        ({"canaries": [CanaryToken("bait", "t")]}, "ERR_CONFIG_INVALID", "also a peer's"),
        ({"canaries": [CanaryToken("bait", "x"), CanaryToken("b", hash_token("x"))]}, "ERR_CONFIG_INVALID", "twice"),
    ],
)
def test_options_that_could_never_let_anyone_in_are_an_error(options: dict[str, Any], code: str, words: str) -> None:
    """With a stable code, and without a secret."""
    with pytest.raises(TOTPError, match=words) as caught:
        TOTPServerAuthScheme(**{"delegate": SimpleTokenAuth("t", "alice"), "peer_seeds": {"alice": SEED}, **options})
    assert caught.value.code == code
    assert isinstance(caught.value, ValueError)
    assert not any(secret in str(caught.value) for secret in (SEED, WEAK, "no base32"))


@pytest.mark.parametrize(
    ("supports", "able"),
    [
        (Supports(once=False, proofs=False), ""),
        (Supports(once=True, proofs=False), "once"),
        (SimpleNamespace(once=True), "once"),
        (SimpleNamespace(proofs=True), "signed"),
        (SimpleNamespace(once="no", proofs=1), ""),
        ({"once": True, "proofs": True}, ""),
        (None, ""),
    ],
)
def test_a_state_that_does_not_say_that_it_supports_a_policy_is_refused(supports: Any, able: str) -> None:
    """A scheme whose policy needs more than its state does not start: such a state could let a request in twice."""
    options: dict[str, Any] = {"peer_seeds": {"alice": SEED}, "token_to_peer": {"t": "alice"}}
    for state in (_Forgetful(supports), *([_Undeclared()] if supports is None else [])):
        TOTPServerAuthScheme(**options, state=state)
        for name, policy in (("once", {"replay": "once"}), ("signed", {"signed": "accept", "agent": "a"})):
            if name == able:
                TOTPServerAuthScheme(**options, state=state, **policy)
                continue
            with pytest.raises(TOTPError, match="does not support"):
                TOTPServerAuthScheme(**options, state=state, **policy)


class _Undeclared:
    """A state that says nothing of what it supports."""

    async def decide(self, _: Any) -> Any:
        """Never asked."""

    async def take_back(self, *_: Any) -> bool:
        return False


class _Forgetful(_Undeclared):
    """A state that says something."""

    def __init__(self, supports: Any) -> None:
        self.supports = supports


def test_of_a_source_over_its_limit_a_costly_delegate_is_asked_about_known_tokens_only() -> None:
    """Each check costs a signature; those with which a peer was let in before are still checked."""
    asked: list[str] = []

    class Costly:
        async def authenticate_token(self, token: str) -> TokenVerdict:
            asked.append(token)
            return TokenVerdict("alice") if token.startswith("good") else TokenVerdict(refusal="bad")

    scheme = Scheme(Costly())
    assert scheme.ask("good-1").peer == "alice"
    assert {scheme.ask(f"bad-{number}") for number in range(60)} == {"token-refused"}
    asked.clear()
    assert scheme.ask("good-2") == "strangers-exhausted"
    assert scheme.ask("good-1").peer == "alice"
    assert scheme.ask("good-2", source="198.51.100.1").peer == "alice"
    assert asked == ["good-1", "good-2"]


def test_create_asks_about_every_mapped_token() -> None:
    """Once it is there, it could let each of them in."""
    options: dict[str, Any] = {"peer_seeds": {"alice": SEED}, "token_to_peer": {"t": "alice"}}
    assert run(TOTPServerAuthScheme.create(SimpleTokenAuth("t"), **options)).agent is None
    run(TOTPServerAuthScheme.create(**options))
    for delegate in (SimpleTokenAuth("other"), Delegate(TokenVerdict("bob"))):
        with pytest.raises(TOTPError, match='maps to "alice" can never be accepted'):
            run(TOTPServerAuthScheme.create(delegate, **options))


BY_HASH = {hash_token("t"): "alice"}
EXPIRED = PeerSeed(OTHER, id="expired", expires_at=AT)


@pytest.mark.parametrize(
    ("delegate", "options"),
    [
        (PeerTokenAuth({"t": "alice"}), {"token_to_peer": BY_HASH}),
        (SimpleTokenAuth("t"), {"token_to_peer": BY_HASH}),
        (Delegate(TokenVerdict(refusal="no token")), {"token_to_peer": BY_HASH}),
        (type("Extended", (PeerTokenAuth,), {})({}), {"token_to_peer": BY_HASH}),
        (Delegate(TokenVerdict(expires_at=AT + 1)), {}),
        (None, {"token_to_peer": BY_HASH}),
        (None, {"token_to_peer": {" t ": "alice"}}),
        (None, {"peer_seeds": {"alice": [EXPIRED, SEED], "bob": [EXPIRED]}}),
    ],
)
def test_create_takes_a_mapped_token_that_can_pass(delegate: Any, options: dict[str, Any]) -> None:
    """A delegate of another kind cannot be asked by a hash."""
    given = {"peer_seeds": {"alice": SEED}, "token_to_peer": {"t": "alice"}, "now": lambda: AT, **options}
    assert isinstance(run(TOTPServerAuthScheme.create(delegate, **given)), TOTPServerAuthScheme)


@pytest.mark.parametrize(
    ("delegate", "options"),
    [
        (PeerTokenAuth({"other": "alice"}), {"token_to_peer": BY_HASH}),
        (SimpleTokenAuth("other"), {"token_to_peer": BY_HASH}),
        (PeerTokenAuth({"t": "bob"}), {"token_to_peer": BY_HASH}),
        (PeerTokenAuth([PeerToken("alice", "t", AT)]), {"token_to_peer": BY_HASH}),
        (Delegate(TokenVerdict("alice", expires_at=AT)), {}),
        (Delegate({"expires_at": AT - 1}), {}),
        (None, {"peer_seeds": {"alice": [EXPIRED]}}),
        (Delegate(TokenVerdict("alice")), {"peer_seeds": {"alice": [EXPIRED]}, "token_to_peer": BY_HASH}),
    ],
)
def test_create_refuses_a_mapped_token_that_can_never_pass(delegate: Any, options: dict[str, Any]) -> None:
    """The delegate lacks it, has it for another peer or as expired, or its peer has no live seed."""
    given = {"peer_seeds": {"alice": SEED}, "token_to_peer": {"t": "alice"}, "now": lambda: AT, **options}
    with pytest.raises(TOTPError, match='maps to "alice" can never be accepted: ') as caught:
        run(TOTPServerAuthScheme.create(delegate, **given))
    assert caught.value.code == "ERR_CONFIG_INVALID"


def test_a_copy_is_the_scheme_and_a_pickle_is_a_new_one(tmp_path: Any) -> None:
    """Of the options, or of the path of its file: then with no secret."""
    scheme = TOTPServerAuthScheme(PeerTokenAuth({"t": "alice"}), {"alice": SEED})
    assert copy.deepcopy(scheme) is scheme
    assert copy.copy(scheme) is scheme
    again = pickle.loads(pickle.dumps(scheme))  # noqa: S301
    assert again is not scheme
    assert run(again.authenticate_with_totp("t", code())).reason == "code-wrong"  # by the clock of this machine
    path = tmp_path / "server.json"
    path.write_text(json.dumps(FILE))
    sent = pickle.dumps(TOTPServerAuthScheme.from_file(path))
    assert b"AEAQCAI" not in sent
    assert b"sha256:" not in sent
    assert pickle.loads(sent).agent == "vectors"  # noqa: S301
    with pytest.raises(TypeError, match="roster"):
        pickle.dumps(Agent().scheme)


def test_a_scheme_prints_no_secret() -> None:
    """Nor does anything that it returns."""
    scheme = Scheme(PeerTokenAuth({"token-of-alice": "alice"}), canaries=[CanaryToken("bait", "bait-token")])
    caller = scheme.ask("token-of-alice")
    request = AuthRequest([("authorization", "Bearer token-of-alice"), ("x-totp", code())])
    examined = run(scheme.scheme.examine(request))
    shown = repr((scheme.scheme, caller, examined, request, SeedSet([SEED]), PeerSeed(SEED), CanaryToken("b", "bait")))
    assert not any(secret in shown for secret in ("token-of-alice", "bait-token", SEED, repr(KEY), code(), "sha256:"))


@pytest.mark.parametrize("options", [{}, {"shared_seed": SEED}, {"token_to_peer": {"t": "alice"}}])
def test_a_delegate_that_says_an_empty_name_knows_nobody(options: dict[str, Any]) -> None:
    """It is no peer, neither the mapped one nor the only one."""
    for verdict in ({"peer": ""}, TokenVerdict(peer="")):
        assert Scheme(Delegate(verdict), **options).ask("t") == "peer-unknown"
    with pytest.raises(TOTPError, match="can never be accepted"):
        run(
            TOTPServerAuthScheme.create(
                delegate=Delegate({"peer": ""}), peer_seeds={"alice": SEED}, token_to_peer={"t": "alice"}
            )
        )


def test_an_end_that_is_larger_than_a_float_is_far_away() -> None:
    """A Python integer has any length; that of a delegate must not be an error."""
    assert Scheme(Delegate({"peer": "alice", "expires_at": 10**400})).ask("t").peer == "alice"
    assert Scheme(Delegate({"peer": "alice", "expires_at": -(10**400)})).ask("t") == "token-refused"
