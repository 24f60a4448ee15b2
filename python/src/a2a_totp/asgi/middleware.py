"""The guard in front of an ASGI app."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from a2a_totp.asgi.content import ContentRefusedError, SignedContent
from a2a_totp.asgi.ending import run_with_caller
from a2a_totp.asgi.messages import ASGIApp, Receive, Scope, Send, send_refusal
from a2a_totp.callers import LetIn, PeerUser, caller_of, remember_caller
from a2a_totp.guards import scheme_of_guard
from a2a_totp.log import logger
from a2a_totp.scheme.examined import Examined
from a2a_totp.scheme.options import path_prefix_of
from a2a_totp.scheme.outcome import SCHEME_FAILED, Caller, Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme


class TOTPMiddleware:
    """Lets only callers with both factors reach an ASGI app, before any body is read.

    The body of a signed request is compared on its way to the app: one that comes in a single piece before the app
    starts, any other at its end, which the app then does not get. Put nothing in front that reads or changes bodies,
    nor Starlette's BaseHTTPMiddleware, which ends cleanly what was cut off.
    `path_prefix` is what a proxy in front strips from the path, such as `/agents/billing`, unless the server puts it
    back itself (uvicorn does, with `--root-path`).

    Sets `scope["user"]`, so `request.user` is the peer, and the SDK tells peers apart without a builder of ours.
    GET and HEAD of `public_paths` pass, which are compared as they are sent: the agent card is public. OPTIONS is no
    exception, so where browsers call, a CORS middleware goes in front. WebSockets are refused.

    An open stream is cut off once its caller's token or seed expires or leaves the server file.
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
        self._app = app
        self._path_prefix = path_prefix_of(path_prefix)
        self._scheme = scheme_of_guard(scheme)
        self._public_paths = frozenset(public_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or answers it."""
        if scope["type"] == "lifespan" or self._is_public(scope):
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        known = caller_of(scope, self._scheme)
        if known:
            # A guard of this scheme was in front: asking again would be a replay. Something in between may have set
            # another user.
            scope["user"] = PeerUser(known)
            return await self._app(scope, receive, send)
        content = None
        try:
            examined = await self._examine(scope)
        except Exception as error:  # noqa: BLE001
            # Fails closed, and without the error's text, which may hold what a state was asked.
            logger.error("a request could not be checked: %s", type(error).__name__)
            return await send_refusal(SCHEME_FAILED, scope["method"], send)
        outcome: Caller | Refusal
        if examined.digest is None:
            outcome = examined.let_in()
        else:
            content = SignedContent(examined, scope, receive, send)
            outcome = await content.decide()
        if isinstance(outcome, Refusal):
            return await send_refusal(outcome, scope["method"], send)
        return await self._run(outcome, content, scope, receive, send)

    async def _run(
        self, caller: Caller, content: SignedContent | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        entry = LetIn(self._scheme, caller)
        remember_caller(scope, entry)
        # Read by the SDK's own builders. Without it all peers would be one user, and own each other's tasks.
        scope["user"] = PeerUser(caller)
        if content is None:
            await run_with_caller(self._app, caller, scope, receive, send)
            return

        def take_back() -> None:
            entry.caller = None

        content.on_mismatch = take_back
        try:
            await run_with_caller(self._app, caller, scope, content.receive, content.send)
        except Exception:
            # What an app makes of a body without an end is no error of the server.
            if not content.failed:
                raise
        if content.cuts:
            raise ContentRefusedError("the body is not the one that was signed")

    def _is_public(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        path = _raw_path(scope).removeprefix(scope.get("root_path", ""))
        if path not in self._public_paths:
            return False
        # Opening a WebSocket is not reading, and some servers hand it on like any request.
        upgrades = [value for name, value in scope["headers"] if name.lower() == b"upgrade"]
        return not any(b"websocket" in value.lower() for value in upgrades)

    async def _examine(self, scope: Scope) -> Examined:
        # Whitespace around a value is no part of it (RFC 9110 section 5.5). Not every server takes it off.
        fields = [(name, value.strip(b" 	")) for name, value in scope["headers"]]
        source, target = str((scope.get("client") or ("",))[0]), self._path_prefix + _target_of(scope)
        return await self._scheme.examine(AuthRequest(fields, source, scope["method"], target))


def _raw_path(scope: Scope) -> str:
    """The path as it was received. Servers without `raw_path` leave it decoded: it is encoded anew."""
    raw = scope.get("raw_path")
    if raw is None:
        return quote(str(scope.get("path", "")), safe="/!$&'()*+,;=:@~")
    # Some have the query in both.
    return bytes(raw).partition(b"?")[0].decode("latin-1")


def _target_of(scope: Scope) -> str:
    query = bytes(scope.get("query_string") or b"").decode("latin-1")
    return _raw_path(scope) + (f"?{query}" if query else "")
