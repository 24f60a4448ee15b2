# ruff: noqa: E402
"""JWTs as the first factor: signed by an issuer whose keys are published by a real server."""

import asyncio
import base64
import copy
import hashlib
import hmac
import json
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

jwt = pytest.importorskip("jwt")
pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from a2a_totp.codes import code_of_step
from a2a_totp.errors import TOTPError
from a2a_totp.profile import Profile
from a2a_totp.scheme import AuthRequest, Caller, JWTAuth, Refusal, TokenContext, TOTPServerAuthScheme
from a2a_totp.scheme.delegates import DelegateUnavailableError

AT = 1_780_332_007.0
ISSUER, AUDIENCE = "https://issuer.example", "https://billing.example"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
WIDER = ec.generate_private_key(ec.SECP384R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
SEED = b"\x07" * 20


def jwk(key: Any, kid: str | None = "k1", **more: Any) -> dict[str, Any]:
    """The public key, as an issuer publishes it."""
    kind = {"RSA": "RSA", "EC": "EC"}.get(type(key).__name__.partition("PrivateKey")[0], "OKP")
    algorithm = {
        "RSA": jwt.algorithms.RSAAlgorithm,
        "EC": jwt.algorithms.ECAlgorithm,
        "OKP": jwt.algorithms.OKPAlgorithm,
    }[kind]
    found = json.loads(algorithm.to_jwk(key.public_key()))
    found.pop("key_ops", None)
    return {**found, **({} if kid is None else {"kid": kid}), **more}


def token(
    key: Any = RSA, algorithm: str = "RS256", kid: str | None = "k1", typ: str | None = None, **claims: Any
) -> str:
    """A good one but for what is given; None drops a claim."""
    whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": AT + 60, **claims}
    headers = {**({} if kid is None else {"kid": kid}), **({} if typ is None else {"typ": typ})}
    given = {name: value for name, value in whole.items() if value is not None}
    if algorithm == "Ed25519":
        # RFC 9864's name, which PyJWT may not know.
        signed = f"{part(json.dumps({'alg': algorithm, **headers}).encode())}.{part(json.dumps(given).encode())}"
        return f"{signed}.{part(key.sign(signed.encode()))}"
    return str(jwt.encode(given, key, algorithm=algorithm, headers=headers))


def part(value: bytes) -> str:
    """Of a token."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Issuer:
    """What the server answers, and how often it was asked."""

    def __init__(self) -> None:
        self.body: bytes = b""
        self.status, self.asked, self.url = 200, 0, ""
        self.hang: threading.Event | None = None

    def publish(self, *keys: dict[str, Any]) -> None:
        """A key set."""
        self.body = json.dumps({"keys": keys}).encode()


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A real server for its keys."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            if issuer.hang:
                issuer.hang.wait(20)
            self.send_response(issuer.status)
            if issuer.status == 302:
                self.send_header("location", issuer.url + "/other")
            self.end_headers()
            self.wfile.write(issuer.body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def auth(**options: Any) -> JWTAuth:
    """A delegate for that issuer."""
    return JWTAuth(**{"issuer": ISSUER, "audience": AUDIENCE, **options})


def ask(delegate: JWTAuth, sent: str) -> Any:
    """Its verdict at AT."""
    return asyncio.run(delegate.authenticate_token(sent, TokenContext(AT, "")))


def test_a_good_token_names_its_peer_and_ends_with_its_exp() -> None:
    """And its claims are passed on."""
    with issuing() as issuer:
        issuer.publish(jwk(RSA), jwk(ELLIPTIC, "k2"), jwk(EDWARDS, "k3"))
        delegate = auth(jwks_url=issuer.url)
        for key, algorithm, kid in ((RSA, "RS256", "k1"), (RSA, "PS256", "k1"), (ELLIPTIC, "ES256", "k2")):
            verdict = ask(delegate, token(key, algorithm, kid, scope="read"))
            assert (verdict.peer, verdict.refusal, verdict.expires_at) == ("alice", None, AT + 65)
            assert verdict.claims["scope"] == "read"
        assert ask(delegate, token(EDWARDS, "EdDSA", "k3")).peer == "alice"
        assert issuer.asked == 1


@pytest.mark.parametrize(
    "sent",
    [
        "no-jwt",
        "a.b.c",
        token(OTHER),
        token(exp=None),
        token(exp=AT - 6),
        token(exp="later"),
        token(nbf=AT + 6),
        token(iss="https://other.example"),
        token(iss=None),
        token(aud="https://other.example"),
        token(aud=None),
        token(sub=None),
        token(sub=""),
        token(RSA, "RS256", "unknown"),
        token("s" * 64, "HS256"),
        token(ELLIPTIC, "ES256", "k1"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": AT + 60}, None, algorithm="none"),
        jwt.encode(
            {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": AT + 60},
            RSA,
            algorithm="RS256",
            headers={"kid": "k1", "crit": ["x"], "x": 1},
        ),
    ],
)
def test_any_other_token_is_refused_and_never_a_503(sent: str) -> None:
    """Whatever is wrong with it."""
    with issuing() as issuer:
        issuer.publish(jwk(RSA))
        assert ask(auth(jwks_url=issuer.url), sent).refusal is not None


def test_a_public_key_is_never_taken_for_a_shared_one() -> None:
    """RFC 8725 section 2.1."""
    pem = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = json.dumps({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": AT + 60}).encode()
    signed = f"{part(json.dumps({'alg': 'HS256'}).encode())}.{part(claims)}"
    forged = f"{signed}.{part(hmac.digest(pem, signed.encode(), hashlib.sha256))}"
    assert ask(auth(key=pem), forged).refusal is not None
    assert ask(auth(key=pem, algorithms=["RS256", "HS256"]), forged).refusal is not None
    assert ask(auth(key=pem), token()).peer == "alice"


def test_keys_are_fetched_again_for_an_unknown_one_but_not_for_each() -> None:
    """At most once in the cooldown."""
    with issuing() as issuer:
        issuer.publish(jwk(RSA))
        eager, calm = auth(jwks_url=issuer.url, cooldown=0), auth(jwks_url=issuer.url)
        for delegate in (eager, calm):
            assert ask(delegate, token()).peer == "alice"
        issuer.publish(jwk(OTHER, "k2"))
        assert ask(eager, token(OTHER, kid="k2")).peer == "alice"
        asked = issuer.asked
        for _ in range(5):
            assert ask(calm, token(OTHER, kid="k2")).refusal is not None
        assert issuer.asked == asked
        issuer.publish(jwk(RSA, None))
        assert ask(eager, token(kid=None)).peer == "alice"


def test_only_some_of_many_keys_that_fit_are_tried_and_none_that_must_not_be_published() -> None:
    """Each costs a signature check."""
    private = {**jwk(RSA), "d": "x"}
    with issuing() as issuer:
        issuer.publish(private, jwk(RSA, use="enc"), jwk(RSA, alg="RS512"), {"kty": "RSA", "kid": "k1"}, {"kid": []})
        delegate = auth(jwks_url=issuer.url, cooldown=0)
        assert ask(delegate, token()).refusal is not None
        issuer.publish(*[jwk(OTHER, None) for _ in range(7)], jwk(RSA, None))
        assert ask(delegate, token(kid=None)).peer == "alice"
        issuer.publish(*[jwk(OTHER, None) for _ in range(8)], jwk(RSA, None))
        assert ask(auth(jwks_url=issuer.url), token(kid=None)).refusal is not None


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, b"", "ERR_JWKS_INVALID"),
        (302, b"", "ERR_JWKS_INVALID"),
        (200, b"{}", "ERR_JWKS_INVALID"),
        (200, b"x" * 1_100_000, "ERR_JWKS_INVALID"),
        (200, json.dumps({"keys": [{}] * 1001}).encode(), "ERR_JWKS_INVALID"),
    ],
)
def test_keys_that_cannot_be_had_are_a_503_with_their_cause(status: int, body: bytes, cause: str) -> None:
    """And the token is not to blame."""
    with issuing() as issuer:
        issuer.status, issuer.body = status, body
        with pytest.raises(DelegateUnavailableError) as caught:
            ask(auth(jwks_url=issuer.url), token())
        assert caught.value.failure.cause == cause


def test_an_issuer_that_hangs_or_is_gone_stops_no_other_request() -> None:
    """The fetch is in a thread, one for all that wait."""
    with issuing() as issuer:
        issuer.hang = threading.Event()
        delegate = auth(jwks_url=issuer.url, timeout=0.3)

        async def run() -> list[Any]:
            asking = [delegate.authenticate_token(token(), TokenContext(AT, "")) for _ in range(20)]
            waiting = asyncio.gather(*asking, return_exceptions=True)
            turns = 0
            while not waiting.done():
                await asyncio.sleep(0.005)
                turns += 1
            assert turns > 5
            return await waiting

        failures = asyncio.run(run())
        assert {getattr(one, "failure", one).cause for one in failures} == {"timeout"}
        assert issuer.asked == 1
        issuer.hang.set()
        gone = issuer.url
    with pytest.raises(DelegateUnavailableError) as caught:
        ask(auth(jwks_url=gone), token())
    assert caught.value.failure.cause == "ECONNREFUSED"


def test_a_scheme_asks_it_and_answers_503_where_it_cannot() -> None:
    """The peers and seeds are the scheme's own."""
    code = code_of_step(SEED, Profile(), int(AT // 30))

    def outcome_of(delegate: JWTAuth, sent: str) -> tuple[Caller | Refusal, list[dict[str, Any]]]:
        events: list[dict[str, Any]] = []
        scheme = TOTPServerAuthScheme(delegate, {"alice": SEED}, now=lambda: AT, on_event=events.append)
        request = AuthRequest([("authorization", f"Bearer {sent}"), ("x-totp", code)], "192.0.2.1")
        return asyncio.run(scheme.authenticate(request)), events

    with issuing() as issuer:
        issuer.publish(jwk(RSA))
        caller, _ = outcome_of(auth(jwks_url=issuer.url), token(scope="read"))
        assert isinstance(caller, Caller)
        assert (caller.peer, caller.claims["scope"]) == ("alice", "read")
        assert outcome_of(auth(jwks_url=issuer.url), token(sub="eve"))[0].reason == "peer-unknown"  # type: ignore[union-attr]
        issuer.status = 503
        refusal, events = outcome_of(auth(jwks_url=issuer.url), token())
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.reason, refusal.retry_after) == (503, "delegate-failed", 5)
    assert (events[0]["reason"], events[0]["cause"]) == ("delegate-failed", "ERR_JWKS_INVALID")


def test_the_peer_may_be_another_claim_or_a_function_and_the_type_may_be_required() -> None:
    """What fails for a token refuses it."""
    key = RSA.public_key()
    assert ask(auth(key=key, peer="client_id"), token(client_id="bob")).peer == "bob"
    assert ask(auth(key=key, peer=lambda claims: claims["sub"].upper()), token()).peer == "ALICE"
    assert ask(auth(key=key, peer=lambda claims: claims["none"]), token()).refusal is not None
    assert ask(auth(key=key, type="at+jwt"), token(typ="application/at+jwt")).peer == "alice"
    assert ask(auth(key=key, type="at+jwt"), token()).refusal is not None
    shared = auth(key=b"s" * 64, algorithms=["HS256"])
    assert ask(shared, token(b"s" * 64, "HS256")).peer == "alice"
    assert ask(auth(key=jwk(RSA)), token()).peer == "alice"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS512"), (ELLIPTIC, "ES256"), (WIDER, "ES384"), (EDWARDS, "EdDSA"), (EDWARDS, "Ed25519")],
)
@pytest.mark.parametrize("says", [True, False])
def test_a_jwk_of_any_kind_is_a_key_whatever_other_algorithms_are_allowed(key: Any, algorithm: str, says: bool) -> None:
    """Its kind decides which of them it is for, and so does the algorithm that it names."""
    given = jwk(key, **({"alg": algorithm} if says else {}))
    others = ["HS256", "RS256", "ES256", "ES512", "EdDSA"]
    for options in ({}, {"algorithms": [algorithm]}, {"algorithms": [*others, algorithm]}):
        delegate = auth(key=given, **options)
        assert ask(delegate, token(key, algorithm)).peer == "alice"
        for other, name in ((RSA, "RS384"), (ELLIPTIC, "ES256"), (EDWARDS, "EdDSA"), ("s" * 64, "HS256")):
            # Where the JWK names no algorithm, another of its kind may do.
            if other is not key or (says and name != algorithm):
                assert ask(delegate, token(other, name)).refusal is not None
    with issuing() as issuer:
        issuer.publish(jwk(OTHER), given)
        assert ask(auth(jwks_url=issuer.url), token(key, algorithm)).peer == "alice"


def test_a_shared_jwk_may_stand_beside_other_algorithms() -> None:
    """It is good for its own alone."""
    shared = {"kty": "oct", "k": part(b"s" * 64)}
    delegate = auth(key=shared, algorithms=["RS256", "HS256"])
    assert ask(delegate, token(b"s" * 64, "HS256")).peer == "alice"
    assert ask(delegate, token()).refusal is not None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "either jwks_url or key"),
        ({"jwks_url": "https://i.example", "key": b"k"}, "either jwks_url or key"),
        ({"jwks_url": "http://i.example"}, "must be https"),
        ({"jwks_url": "keys.json"}, "absolute URL"),
        ({"jwks_url": "https://i.example", "algorithms": ["HS256"]}, "cannot be symmetric"),
        ({"jwks_url": "https://i.example", "algorithms": ["none"]}, "or none"),
        ({"jwks_url": "https://i.example", "issuer": ""}, "issuer must not be empty"),
        ({"jwks_url": "https://i.example", "audience": []}, "audience must not be empty"),
        ({"jwks_url": "https://i.example", "clock_tolerance": -1}, "clock_tolerance"),
        ({"key": b"shared"}, "symmetric"),
        ({"key": RSA}, "private"),
        ({"key": SHORT.public_key()}, "too short"),
        ({"key": 7}, "key must be"),
        ({"key": jwk(RSA), "algorithms": ["ES256", "EdDSA"]}, "not a valid JWK for these"),
        ({"key": jwk(RSA, alg="RSA-OAEP")}, "not a valid JWK for these"),
        ({"key": jwk(ELLIPTIC, crv="P-384")}, "not a valid JWK for these"),
        ({"key": jwk(ELLIPTIC), "algorithms": ["ES384"]}, "another kind"),
        ({"key": jwk(EDWARDS, key_ops=["sign"])}, "not a valid JWK for these"),
    ],
)
def test_options_that_fit_no_token_are_an_error_at_once(options: dict[str, Any], words: str) -> None:
    """And not a refusal of everyone."""
    with pytest.raises(TOTPError, match=words):
        auth(**options)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_a_time_that_is_larger_than_a_float_is_a_refusal(name: str, value: int) -> None:
    """No token causes a 503."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": AT + 60, name: value}
    made = jwt.api_jws.encode(json.dumps(claims).encode(), RSA, algorithm="RS256")
    assert ask(auth(key=RSA.public_key()), made).refusal is not None


def test_a_header_that_is_nested_deeply_is_a_refusal() -> None:
    """Some versions of PyJWT raise RecursionError for it, which is no error of JWTs."""
    head = b'{"alg":"RS256","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    made = base64.urlsafe_b64encode(head).decode().rstrip("=") + ".e30.AAAA"
    assert ask(auth(key=RSA.public_key()), made).refusal is not None


def test_keys_over_plain_http_never_come_from_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could make them, and tokens with them."""
    with issuing() as issuer, issuing() as proxy:
        issuer.publish(jwk(OTHER))
        proxy.publish(jwk(RSA))
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert ask(auth(jwks_url=issuer.url), token()).refusal is not None
        assert (issuer.asked, proxy.asked) == (1, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes by fork")
def test_keys_are_fetched_in_a_forked_process() -> None:
    """A server that forks its workers once the scheme is made has no thread of its parent's there."""
    with issuing() as issuer:
        delegate = auth(jwks_url=issuer.url, cooldown=0)
        issuer.publish(jwk(OTHER))
        assert ask(delegate, token()).refusal is not None
        issuer.publish(jwk(RSA))
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if ask(delegate, token()).peer == "alice" else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("keys", [{"key": jwk(RSA)}, {"jwks_url": "https://issuer.example/jwks.json"}])
def test_a_scheme_with_it_can_be_copied_and_pickled(keys: dict[str, Any]) -> None:
    """As configurations are. What is unpickled still checks."""
    delegate = JWTAuth(issuer=ISSUER, audience=AUDIENCE, **keys)
    scheme = TOTPServerAuthScheme(delegate=delegate, peer_seeds={"alice": SEED})
    assert copy.deepcopy(scheme) is scheme
    assert isinstance(pickle.loads(pickle.dumps(scheme)), TOTPServerAuthScheme)  # noqa: S301
    for again in (copy.deepcopy(delegate), pickle.loads(pickle.dumps(delegate))):  # noqa: S301
        assert again is not delegate
        if "key" in keys:
            context = TokenContext(AT, "")
            assert asyncio.run(again.authenticate_token(token(), context)).peer == "alice"
            assert asyncio.run(again.authenticate_token(token(OTHER), context)).peer is None
