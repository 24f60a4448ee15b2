"""Sends token, code and proof with every request of an httpx client."""

from __future__ import annotations

import time
from collections.abc import (
    AsyncGenerator,
    Generator,
)
from typing import Any

import httpx

from a2a_totp.client_errors import CredentialsError
from a2a_totp.client_warnings import ClientWarnings, is_spent
from a2a_totp.credentials import TotpCredentials
from a2a_totp.httpx_watch import RequestWatch, origin_of_httpx
from a2a_totp.origins import Destination
from a2a_totp.proof.signing import PROOF_FIELDS
from a2a_totp.repeats import may_be_repeated
from a2a_totp.sending import CredentialSource, Outgoing, Sending, Sign, Turn, own_fields, sending_of, source_of

_MOST_REDIRECTS = 20


class TOTPAuth(httpx.Auth):
    """For `auth=` of an httpx client, synchronous or not: token and code with every request, made at the moment of
    sending, and a proof where the agent's name is known.

    `credentials` are a TotpCredentials, or what has them, such as a TOTPClientAuthScheme; the fields of TotpCredentials
    may be given in their place, `TOTPAuth(token=…, seed=…)`, and without any it is `TotpCredentials.from_env()`.

    They go to one origin: that of `credentials.url` where it is known, else that of the first request; over plain http
    to loopback only, unless `insecure_http`, and never through a proxy. Elsewhere it raises CredentialsError. Where the
    client follows redirects, one to another origin raises CredentialsError before anything is sent there, and one on
    the same origin gets a code of its own. (That needs httpx's own transports. With others, do not follow redirects.)

    Under policy `once` each request that is not signed waits for a time step of its own, for at most `max_wait` seconds
    (by default one period and a second), else it raises StepSpentError; those of one seed wait behind each other, in
    all threads and loops of the process. A 401 is tried again once, always with another code: when the code's step
    ended on the way, and under `once` when the agent says that the step was spent. No signed request that may send a
    message is tried again: the agent may have accepted it already.

    `sign` is `auto` (what can be signed is), `always` (nothing else is sent; also where the agent requires it) or
    `never`. A body that is a stream cannot be signed.
    """

    def __init__(
        self,
        credentials: CredentialSource | None = None,
        *,
        insecure_http: bool = False,
        sign: Sign = "auto",
        max_wait: float | None = None,
        warnings: ClientWarnings | None = None,
        **fields: Any,
    ) -> None:
        self._source = source_of(credentials, fields)
        self._destination = Destination(insecure_http=insecure_http)
        self._sign: Sign = sign
        self._max_wait = max_wait
        self._warnings = warnings or ClientWarnings()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx once a request."""
        watch = RequestWatch(request).install()
        flow, answer = self._flow(request, watch), None
        try:
            while True:
                item = flow.send(answer)
                answer = item.wait() if isinstance(item, Turn) else (yield item)
        except StopIteration:
            return
        finally:
            watch.end()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx once a request."""
        watch = RequestWatch(request).install_async()
        flow, answer = self._flow(request, watch), None
        try:
            while True:
                item = flow.send(answer)
                answer = await item.wait_async() if isinstance(item, Turn) else (yield item)
        except StopIteration:
            return
        finally:
            watch.end()

    def _flow(self, request: httpx.Request, watch: RequestWatch) -> Generator[httpx.Request | Turn, Any, None]:
        if _is_card_request(request) and self._source.current().replay == "once":
            # The card is usually public. A code spent on it would make the next call wait.
            self._admit(request, watch)
            response = yield request
            if response.status_code != 401:
                return
        for _ in range(_MOST_REDIRECTS):
            response = yield from self._exchange(request, watch)
            if response.request is request:
                return
            # A redirect was followed, without credentials, or with those of the request before it.
            if origin_of_httpx(response.request.url) != watch.origin:
                raise CredentialsError(
                    f"a redirect led to {origin_of_httpx(response.request.url)}; do not follow redirects"
                )
            if response.status_code != 401:
                return
            request = _with_content(response.request)

    def _exchange(
        self, request: httpx.Request, watch: RequestWatch
    ) -> Generator[httpx.Request | Turn, Any, httpx.Response]:
        """Sends a request, and once more where that can help."""
        attempt = yield from self._attempt(request, watch)
        response: httpx.Response = yield request
        if response.status_code != 401 or response.request is not request:
            return response
        not_before = self._retry_of(attempt, response)
        content = _content(request)
        again = content is not None and not (
            attempt.signed and not may_be_repeated(request.method, request.url.raw_path.decode("latin-1"), content)
        )
        if not_before is None or not again:
            return response
        yield from self._attempt(request, watch, not_before)
        response = yield request
        return response

    def _attempt(
        self, request: httpx.Request, watch: RequestWatch, not_before: float = 0
    ) -> Generator[Turn, int, Sending]:
        """Sets the fields of one attempt."""
        credentials = self._admit(request, watch)
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        target = request.url.raw_path.decode("latin-1")
        attempt = yield from sending_of(
            credentials,
            Outgoing(request.method, target, fields, _content(request)),
            sign=self._sign,
            max_wait=self._max_wait,
            not_before=not_before,
        )
        request.headers.update(attempt.fields)
        return attempt

    def _admit(self, request: httpx.Request, watch: RequestWatch) -> TotpCredentials:
        """The credentials of this moment, for a request that has no others. Raises CredentialsError elsewhere."""
        credentials = self._source.current()
        origin = origin_of_httpx(request.url)
        self._destination.admit(origin, credentials.url)
        own = own_fields(credentials)
        watch.expect(origin, own)
        signs = credentials.agent is not None and self._sign != "never"
        for name in own if signs else own - set(PROOF_FIELDS):
            request.headers.pop(name, None)
        return credentials

    def _retry_of(self, attempt: Sending, response: httpx.Response) -> float | None:
        """When to try again, in unix seconds; None if that is pointless: the same code would get the same answer."""
        now, headers, credentials = time.time(), response.headers, attempt.credentials
        retry_after = headers.get("retry-after")
        self._warnings.of_refusal(
            credentials,
            signed=attempt.signed,
            sent_at=attempt.sent_at,
            received_at=now,
            challenges=", ".join(headers.get_list("www-authenticate")),
            retry_after=retry_after,
            date=headers.get("date"),
            age=headers.get("age"),
        )
        if is_spent(retry_after) and credentials.replay == "once":
            return now + int(retry_after)
        return now if 1 <= credentials.time_step(now) - attempt.step <= 2 else None


def _is_card_request(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path.endswith("/.well-known/agent-card.json")


def _content(request: httpx.Request) -> bytes | None:
    """None of a stream."""
    try:
        return request.content
    except httpx.RequestNotRead:
        return None


def _with_content(request: httpx.Request) -> httpx.Request:
    """The request of a redirect, which httpx makes without the content that it has."""
    if isinstance(request.stream, httpx.ByteStream):
        request.read()
    return request
