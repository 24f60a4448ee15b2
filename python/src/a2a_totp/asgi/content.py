"""Compares the body of a signed request with its digest, on its way to the app."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, MutableMapping
from typing import Any

from a2a_totp.asgi.messages import Receive, Scope, Send, send_refusal
from a2a_totp.proof.content import content_hash
from a2a_totp.scheme.examined import Examined
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.scheme import BARE_METHODS

_MOST_HELD = 1024 * 1024
"""Of a request that usually has no body, in bytes: there it is compared before the app starts."""


class ContentRefusedError(ConnectionError):
    """The app asked for the end of a body that is not the signed one, or was cut off. It never gets it.

    Raised where the app reads; the middleware has answered by then, and keeps this from the server. Where the app's own
    answer had begun, the server gets it, so that it closes the connection.
    """


class SignedContent:
    """Its end is withheld if it is not the signed one; nothing is kept."""

    def __init__(self, examined: Examined, scope: Scope, receive: Receive, send: Send) -> None:
        self._examined, self._receive, self._send = examined, receive, send
        self._method = str(scope["method"])
        self._hash = content_hash("http")
        self._held: deque[MutableMapping[str, Any]] = deque()
        self._whole = self._started = False
        self.on_mismatch: Callable[[], None] = lambda: None
        """Called once the body turned out to be another one, after the app started."""
        self.failed = False
        """Whether the app must get no end, and its answer goes nowhere."""
        self.cuts = False
        """Whether the app's answer had begun, so that it can only be cut off."""

    async def decide(self) -> Caller | Refusal:
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
            if self._method not in BARE_METHODS:
                return self._examined.let_in()
            if size > _MOST_HELD:
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
        self.failed, self.cuts = True, self._started
        self.on_mismatch()
        if not self._started:
            await send_refusal(refusal, self._method, self._send)
        raise ContentRefusedError("the body is not the one that was signed")

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """The same; what the app still answers to a refused request is dropped."""
        if self.failed:
            return
        self._started = self._started or message["type"] == "http.response.start"
        await self._send(message)
