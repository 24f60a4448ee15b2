"""JSON-RPC and REST: a guard in front of an ASGI app."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    MutableMapping,
)
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from a2a_totp.proof.content import content_hash
from a2a_totp.scheme.examined import Examined
from a2a_totp.scheme.key import CALLER_KEY
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import BARE_METHODS, TOTPServerAuthScheme

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class RequestUser:
    """Who called, as `request.user`: it has the members of Starlette's BaseUser."""

    caller: Caller

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else passes."""
        return True

    @property
    def display_name(self) -> str:
        """The peer's name, as PeerUser has it: tasks that are kept under one are found under the other."""
        return self.caller.peer

    @property
    def identity(self) -> str:
        """The peer's name."""
        return self.caller.peer


class ContentRefusedError(ConnectionError):
    """The app asked for the end of a body that is not the signed one, or was cut off. It never gets it.

    Raised where the app reads; the middleware has answered by then, and keeps this from the server.
    """


class _SignedContent:
    """Compares a body on its way to the app. Its end is withheld if it is not the signed one; nothing is kept."""

    _most_held = 1024 * 1024
    """Of a request that usually has no body, in bytes: there it is compared before the app starts."""

    def __init__(self, examined: Examined, receive: Receive, send: Send) -> None:
        self._examined, self._receive, self._send = examined, receive, send
        self._hash = content_hash("http")
        self._held: deque[MutableMapping[str, Any]] = deque()
        self._whole = self._started = False
        self.failed = False
        """Whether the app must get no end, and its answer goes nowhere."""

    async def decide(self, method: str) -> Caller | Refusal:
        """The outcome, before the app starts: with the body in view, if it comes in one piece."""
        if not self._examined.withholds:
            return self._examined.let_in()
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                # Gone, or nothing that is known. The answer is for the log.
                return self._examined.mismatch() or self._examined.outcome
            body = message.get("body", b"")
            size += len(body)
            self._hash.update(body)
            self._held.append(message)
            if not message.get("more_body", False):
                self._whole = True
                return self._examined.compare(self._hash.digest())
            if method not in BARE_METHODS:
                return self._examined.let_in()
            if size > self._most_held:
                return self._examined.mismatch() or self._examined.outcome

    async def receive(self) -> MutableMapping[str, Any]:
        """In place of the server's own, for the app."""
        if self._held:
            return self._held.popleft()
        if self.failed:
            raise ContentRefusedError("the request was refused")
        message = await self._receive()
        if self._whole:
            return message
        if message["type"] != "http.request":
            if not self._examined.withholds:
                return message
            # Not passed on: many an app takes whatever follows the body for its end.
            self.failed = True
            raise ContentRefusedError("the client is gone, and its body was not whole")
        self._hash.update(message.get("body", b""))
        if message.get("more_body", False):
            return message
        self._whole = True
        if self._hash.digest() == self._examined.digest:
            return message
        refusal = self._examined.mismatch()
        if refusal is None:
            return message
        self.failed = True
        # Once an answer has begun it can only be cut off, which the server does when the app is over.
        if not self._started:
            await _answer(refusal, self._send)
        raise ContentRefusedError("the body is not the one that was signed")

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """The same; what the app still answers to a refused request is dropped."""
        if self.failed:
            return
        self._started = self._started or message["type"] == "http.response.start"
        await self._send(message)


class TOTPMiddleware:
    """Lets only callers with both factors reach an ASGI app, before any body is read.

    The body of a signed request is compared on its way to the app: one that comes in a single piece before the app
    starts, any other at its end, which the app then does not get. Put nothing in front that reads or changes bodies.
    `path_prefix` is what a proxy in front strips from the path, such as `/agents/billing`, unless the server puts it
    back itself (uvicorn does, with `--root-path`).

    Sets `scope["user"]`, so `request.user` is the peer, and the SDK tells peers apart without a builder of ours.
    GET and HEAD of `public_paths` pass: the agent card is public. OPTIONS is no exception, so where browsers call, a
    CORS middleware goes in front.
    """

    def __init__(
        self,
        app: ASGIApp,
        scheme: TOTPServerAuthScheme | None = None,
        public_paths: Collection[str] = ("/.well-known/agent-card.json",),
        path_prefix: str = "",
    ) -> None:
        if isinstance(public_paths, str):
            raise TypeError("public_paths must be a collection of paths; a text would make each of its letters one")
        if path_prefix and not _PATH_PREFIX.fullmatch(path_prefix):
            raise ValueError(
                "path_prefix must be the beginning of a path, such as /agents/billing, without a last slash"
            )
        self._app = app
        self._path_prefix = path_prefix
        self._scheme = scheme or TOTPServerAuthScheme.from_file()
        self._public_paths = frozenset(public_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or answers it."""
        if scope["type"] == "lifespan" or self._is_public(scope):
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        content = None
        outcome: Caller | Refusal | None = self._passed_before(scope)
        if outcome is None:
            examined = await self._examine(scope)
            if examined.digest is None:
                outcome = examined.let_in()
            else:
                content = _SignedContent(examined, receive, send)
                outcome = await content.decide(scope["method"])
        if isinstance(outcome, Refusal):
            return await _answer(outcome, send)
        scope[CALLER_KEY] = (self._scheme, outcome)
        # Read by the SDK's own builders. Without it all peers would be one user, and own each other's tasks.
        scope["user"] = RequestUser(outcome)
        if content is None:
            return await self._app(scope, receive, send)
        try:
            return await self._app(scope, content.receive, content.send)
        except Exception:
            # What an app makes of a body without an end is no error of the server.
            if not content.failed:
                raise

    def _is_public(self, scope: Scope) -> bool:
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path in self._public_paths

    def _passed_before(self, scope: Scope) -> Caller | None:
        scheme, caller = scope.get(CALLER_KEY) or (None, None)
        return caller if scheme is self._scheme else None

    async def _examine(self, scope: Scope) -> Examined:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        source, target = str((scope.get("client") or ("",))[0]), self._path_prefix + _target_of(scope)
        return await self._scheme.examine(AuthRequest(fields, source, scope["method"], target))


_PATH_PREFIX = re.compile(r"(?:/[\x21\x22\x24-\x2e\x30-\x3e\x40-\x7e]+)+")


def _target_of(scope: Scope) -> str:
    """Path and query as they were received. Servers without `raw_path` leave the path decoded: it is encoded anew."""
    raw = scope.get("raw_path")
    path = quote(str(scope.get("path", "")), safe="/!$&'()*+,;=:@~").encode() if raw is None else bytes(raw)
    query = bytes(scope.get("query_string") or b"")
    # Some have the query in both.
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


async def _answer(refusal: Refusal, send: Send) -> None:
    body = refusal.body
    fields = [
        *refusal.headers,
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
