"""TOTPAuth: right headers, fresh for each attempt, and only where they belong. Over real connections."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from client_parts import SEED, TOKEN, Received, Reply, credentials, recorder

from a2a_totp.client import BearerTokenAuth, TOTPClientAuthScheme
from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.httpx import TOTPAuth
from a2a_totp.steps import StepQueue, _queues, step_queue

# Loopback is localhost, 127.0.0.0/8 and ::1; a resolver may answer any other name with any address.
IN_THE_CLEAR = [
    *("http://agent.example/", "http://127.0.0.1.agent.example/", "http://10.0.0.1/", "http://0.0.0.0/"),
    *("http://agent.localhost/", "http://localhost./", "http://[::ffff:127.0.0.1]/"),
]
PATIENCE = 30
"""Seconds for an answer, on a busy machine too."""
CODE, PROOF = "x-totp", ("content-digest", "signature-input", "signature")


def sync_send(auth: TOTPAuth, method: str, url: str, **options: Any) -> httpx.Response:
    """With a synchronous client."""
    client = {name: options.pop(name) for name in ("follow_redirects", "trust_env", "transport") if name in options}
    with httpx.Client(auth=auth, timeout=PATIENCE, **client) as sync:
        return sync.request(method, url, **options)


def async_send(auth: TOTPAuth, method: str, url: str, **options: Any) -> httpx.Response:
    """With an asynchronous one."""
    client = {name: options.pop(name) for name in ("follow_redirects", "trust_env", "transport") if name in options}

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(auth=auth, timeout=PATIENCE, **client) as asynchronous:
            return await asynchronous.request(method, url, **options)

    return asyncio.run(send())


Send = Callable[..., httpx.Response]
both = pytest.mark.parametrize("send", [sync_send, async_send])


def sent_to(url: str, auth: TOTPAuth) -> httpx.Request:
    """The request that httpx would send."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    sync_send(auth, "GET", url, headers={"authorization": "Bearer stale", CODE: "000000"},
              transport=httpx.MockTransport(answer))  # fmt: skip
    return seen[0]


@both
def test_both_headers_are_sent_once(send: Send) -> None:
    """Whatever was there before; a foreign signature stays where nothing is signed."""
    stale = {"authorization": "Bearer stale", CODE: "000000", "signature": "sig1=:AA==:"}
    with recorder() as agent:
        send(TOTPAuth(credentials()), "GET", agent.url, headers=stale)
    (request,) = agent.received
    assert request.values("authorization") == [f"Bearer {TOKEN}"]
    (code,) = request.values(CODE)
    assert code != "000000"
    assert request.values("signature") == ["sig1=:AA==:"]


@both
def test_each_request_is_signed_where_the_agent_is_known(send: Send) -> None:
    """As it is sent: the body of JSON, and the query."""
    own = credentials(agent="billing", window=1)
    stale = {"signature": "x", "content-digest": "y", "A2A-Version": "1.0"}
    with recorder() as agent:
        send(TOTPAuth(own), "POST", f"{agent.url}/a2a?x=%20y", json={"a": "é"}, headers=stale)
        send(TOTPAuth(own), "GET", agent.url)
        send(TOTPAuth(own, sign="never"), "POST", agent.url, json={})
    signed, bare, unsigned = agent.received
    assert signed.target == "/a2a?x=%20y"
    for request in (signed, bare):
        assert all(len(request.values(name)) == 1 for name in PROOF)
        given = request.values("signature-input")[0]
        created, nonce = int(given.split("created=")[1].split(";")[0]), given.split('nonce="')[1].split('"')[0]
        again = own.proof(
            request.method, request.target, request.fields, request.content,
            at=created, nonce=base64.urlsafe_b64decode(nonce + "=="),
        )  # fmt: skip
        assert request.values("signature") == [again["Signature"]]
        assert request.values("content-digest") == [again["Content-Digest"]]
    assert '"content-type" "a2a-version"' in signed.values("signature-input")[0]
    assert not any(unsigned.values(name) for name in PROOF)


@both
def test_a_stream_is_sent_unsigned_or_refused(send: Send) -> None:
    """Where the agent requires signed requests, and where `sign` does."""

    def pieces() -> Any:
        def plain() -> Iterator[bytes]:
            yield b"a"

        async def asynchronous() -> AsyncIterator[bytes]:
            yield b"a"

        return plain() if send is sync_send else asynchronous()

    with recorder() as agent:
        auth = TOTPAuth(credentials(agent="a", signed="accept"))
        send(auth, "POST", agent.url, content=pieces(), headers={"content-length": "1"})
        assert [agent.received[0].values(name) for name in PROOF] == [[], [], []]
        for refusing in (
            TOTPAuth(credentials(agent="a", signed="require")),
            TOTPAuth(credentials(agent="a"), sign="always"),
        ):
            with pytest.raises(CannotSignError, match="stream"):
                send(refusing, "POST", agent.url, content=pieces(), headers={"content-length": "1"})
        with pytest.raises(CannotSignError, match="name"):
            send(TOTPAuth(credentials(), sign="always"), "GET", agent.url)
    assert len(agent.received) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://127.9.9.9/"])
def test_plain_http_is_for_loopback(url: str) -> None:
    """Which needs no TLS."""
    assert CODE in sent_to(url, TOTPAuth(credentials())).headers


@pytest.mark.parametrize("url", IN_THE_CLEAR)
def test_nothing_is_sent_in_the_clear(url: str) -> None:
    """Unless somebody says that the network encrypts."""
    with pytest.raises(CredentialsError, match="https"):
        sent_to(url, TOTPAuth(credentials()))
    assert CODE in sent_to(url, TOTPAuth(credentials(), insecure_http=True)).headers


@pytest.mark.parametrize("url", ["https://other.example/", "https://agent.example:8443/", "http://agent.example/"])
def test_credentials_go_to_their_agent_only(url: str) -> None:
    """That of its URL, or that of the first request."""
    for auth in (
        TOTPAuth(credentials(url="https://agent.example/a2a"), insecure_http=True),
        TOTPAuth(credentials(), insecure_http=True),
    ):
        assert CODE in sent_to("https://agent.example:443/else", auth).headers
        with pytest.raises(CredentialsError, match="not for"):
            sent_to(url, auth)


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_carries_nothing(send: Send, status: int) -> None:
    """Not even the request: the client is told where it would have gone."""
    with recorder() as other, recorder(lambda _: (status, {"Location": f"{other.url}/x"})) as agent:
        for auth in (TOTPAuth(credentials()), TOTPAuth(credentials(url=agent.url, agent="a"))):
            with pytest.raises(CredentialsError, match="redirected to"):
                send(auth, "POST", agent.url, json={}, follow_redirects=True)
        # Not followed, it is the caller's.
        assert send(TOTPAuth(credentials()), "POST", agent.url, json={}).status_code == status
    assert other.received == []


@both
def test_a_redirect_on_the_origin_gets_a_proof_of_its_own(send: Send) -> None:
    """The old one was for another target: it is not shown there."""

    def answer(request: Received) -> Reply:
        if request.target == "/":
            return 307, {"Location": "/a2a"}
        return (200 if request.values(CODE) else 401), {}

    with recorder(answer) as agent:
        auth = TOTPAuth(credentials(agent="a", signed="accept"))
        found = send(auth, "POST", f"{agent.url}/", json={"method": "SendMessage"}, follow_redirects=True)
    assert found.status_code == 200
    first, bare, again = agent.received
    assert (first.target, bare.target, again.target) == ("/", "/a2a", "/a2a")
    assert not any(bare.values(name) for name in ("authorization", CODE, *PROOF))
    assert first.values("signature") != again.values("signature")
    assert again.content == first.content


@both
def test_plain_http_goes_through_no_proxy(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would read the credentials. httpx takes it from the environment, for loopback too."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with recorder() as proxy, recorder() as agent:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(CredentialsError, match="trust_env=False"):
            send(TOTPAuth(credentials()), "GET", agent.url)
        assert proxy.received == []
        assert send(TOTPAuth(credentials()), "GET", agent.url, trust_env=False).status_code == 200


@both
def test_https_may_go_through_a_proxy(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which sees no more than the host."""
    with recorder(lambda _: (502, {})) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(httpx.ProxyError):
            send(TOTPAuth(credentials(agent="a")), "GET", "https://agent.example/x")
    # The telemetry of a framework in this process may use it too.
    (request,) = [one for one in proxy.received if "agent.example" in one.target]
    assert request.method == "CONNECT"
    assert not any(request.values(name) for name in ("authorization", CODE, *PROOF))


@both
def test_a_trace_of_the_callers_is_called_too(send: Send) -> None:
    """As httpx calls it."""
    events: list[str] = []

    async def trace_async(event: str, _: Any) -> None:
        events.append(event)

    trace = trace_async if send is async_send else lambda event, _: events.append(event)
    with recorder() as agent:
        send(TOTPAuth(credentials()), "GET", agent.url, extensions={"trace": trace})
    assert "http11.send_request_headers.started" in events


@both
def test_under_once_each_request_has_a_step_of_its_own(send: Send) -> None:
    """Waits for it; two clients of one seed wait behind each other."""
    own = quick()
    answers: list[int] = []
    with recorder() as agent:

        def call() -> None:
            answers.append(send(TOTPAuth(own, max_wait=60), "GET", agent.url).status_code)

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200, 200, 200]
    assert len({request.values(CODE)[0] for request in agent.received}) == 3


@both
def test_a_spent_step_is_waited_out_once(send: Send) -> None:
    """Another process may have used it."""
    own = quick()
    first = threading.Event()

    def answer(_: Received) -> Reply:
        if first.is_set():
            return 200, {}
        first.set()
        return 401, {"Retry-After": "1"}

    with recorder(answer) as agent:
        assert send(TOTPAuth(own), "POST", agent.url, json={}).status_code == 200
    one, other = agent.received
    assert one.values(CODE) != other.values(CODE)


@both
def test_the_wait_is_bounded(send: Send) -> None:
    """An error names the time, before anything is sent."""
    own = credentials(replay="once", period=120, seed=fresh_seed())
    step_queue(own.seed_id, own.period)._reserve(1000, 0)
    with recorder() as agent, pytest.raises(StepSpentError, match=r"Retry-After: [0-9]+"):
        send(TOTPAuth(own, max_wait=0), "GET", agent.url)
    assert agent.received == []


@both
def test_signed_requests_share_a_step(send: Send) -> None:
    """Where the agent knows proofs. The card, which is public, takes none."""
    own = credentials(replay="once", signed="accept", agent="a", period=120, seed=fresh_seed())
    with recorder() as agent:
        for _ in range(3):
            assert send(TOTPAuth(own), "POST", agent.url, json={}).status_code == 200
        plain = credentials(replay="once", period=120, seed=fresh_seed())
        card = f"{agent.url}/.well-known/agent-card.json"
        for _ in range(3):
            assert send(TOTPAuth(plain, max_wait=0), "GET", card, headers={CODE: "1"}).status_code == 200
    assert not any(request.values(CODE) for request in agent.received[3:])


_seeds = iter(range(10**6))


def test_a_request_may_be_sent_again_by_its_caller() -> None:
    """With a code and a proof of its own."""
    with recorder() as agent, httpx.Client(auth=TOTPAuth(credentials(agent="a"))) as client:
        request = client.build_request("POST", agent.url, json={})
        for _ in range(2):
            assert client.send(request).status_code == 200
    first, again = agent.received
    assert again.values(CODE)
    assert len(again.values("signature")) == 1
    assert first.values("signature") != again.values("signature")


def quick(**fields: Any) -> TotpCredentials:
    """Of an agent whose policy is `once`, with steps that last no longer than a second: the agents here do not care."""
    own = credentials(replay="once", seed=fresh_seed(), **fields)
    _queues[own.seed_id] = StepQueue(1)
    return own


def fresh_seed() -> str:
    """One whose steps no other test took."""
    return base64.b32encode(f"seed-{next(_seeds):015d}".encode()).decode()


def sends(method: str) -> bytes:
    """A JSON-RPC request."""
    return json.dumps({"jsonrpc": "2.0", "method": method}).encode()


@both
@pytest.mark.parametrize(
    ("method", "path", "content", "attempts"),
    [
        ("POST", "/", sends("SendMessage"), 1),
        ("POST", "/", sends("message/stream"), 1),
        ("POST", "/v1/message:send", b"{}", 1),
        ("POST", "/", b"[]", 1),
        ("POST", "/", sends("GetTask"), 2),
        ("GET", "/v1/tasks/1", b"", 2),
    ],
)
def test_no_signed_message_is_sent_twice(send: Send, method: str, path: str, content: bytes, attempts: int) -> None:
    """The first may have been accepted: a proxy may have sent it twice."""
    own = quick(agent="a")
    with recorder(lambda _: (401, {"Retry-After": "0"})) as agent:
        assert send(TOTPAuth(own), method, agent.url + path, content=content).status_code == 401
    assert len(agent.received) == attempts


@both
def test_a_clock_that_is_off_is_said_once(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    """By the Date of a refusal. It changes no code, and nothing is sent again."""
    date = formatdate(time.time() + 600, usegmt=True)
    with recorder(lambda _: (401, {"Date": date})) as agent:
        auth = TOTPAuth(credentials())
        for _ in range(2):
            assert send(auth, "GET", agent.url).status_code == 401
    assert caplog.text.count("behind the agent's; set it by NTP") == 1
    assert len(agent.received) == 2


@both
def test_an_agent_that_accepts_codes_once_is_said(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    """Where the credentials say otherwise."""
    with recorder(lambda _: (401, {"Retry-After": "7"})) as agent:
        send(TOTPAuth(credentials()), "GET", agent.url)
    assert "replay='once'" in caplog.text
    assert len(agent.received) == 1


@both
def test_a_scheme_with_a_delegate(send: Send) -> None:
    """In place of credentials; each request asks for the token."""
    tokens = iter(["one", "two", "three"])
    auth = TOTPAuth(TOTPClientAuthScheme(delegate=BearerTokenAuth(lambda: next(tokens)), seed=SEED))
    with recorder() as agent:
        for _ in range(2):
            send(auth, "GET", agent.url)
    assert [request.values("authorization") for request in agent.received] == [["Bearer two"], ["Bearer three"]]
