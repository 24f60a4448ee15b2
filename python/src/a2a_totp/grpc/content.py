"""Compares the message of a signed call with its digest."""

from __future__ import annotations

import contextvars
import hmac
from collections.abc import AsyncIterator, Callable
from typing import Any

from a2a_totp.proof.content import content_digest
from a2a_totp.scheme.examined import Examined
from a2a_totp.scheme.outcome import Refusal


class MessageRefusedError(ConnectionError):
    """The service asked for a message that is not the signed one. It never gets it."""


class SignedMessages:
    """The content of a signed call: exactly one message.

    A second one is signed by nothing, and a call without one is another call.
    """

    def __init__(self, examined: Examined, on_refusal: Callable[[], None]) -> None:
        self._examined, self._on_refusal = examined, on_refusal
        self._count = 0
        self._compares = True
        self.refusal: Refusal | None = None

    def take(self, message: bytes) -> None:
        """Raises MessageRefusedError for a message that must not reach the service."""
        self._count += 1
        digest = self._examined.digest or b""
        if self._count > 1 or not hmac.compare_digest(content_digest("grpc", message), digest):
            self._mismatch()

    def take_end(self) -> None:
        """The same for the end of all messages."""
        if self._count == 0:
            self._mismatch()

    def _mismatch(self) -> None:
        if not self._compares:
            return
        # Once is enough where it is only logged.
        self._compares = self._examined.withholds
        self.refusal = self.refusal or self._examined.mismatch()
        if self.refusal:
            self._on_refusal()
            raise MessageRefusedError("the message is not the one that was signed")


signed_messages: contextvars.ContextVar[SignedMessages | None] = contextvars.ContextVar(
    "a2a_totp_signed_messages", default=None
)
"""Of the call that is being served. A service may read with `context.read()` too, which the guard does not see."""


def comparing(parse: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    """A deserializer for a stream of messages that compares what a service reads, however it reads."""

    def read(message: bytes) -> Any:
        content = signed_messages.get()
        if content:
            content.take(message)
        return parse(message) if parse else message

    return read


async def to_the_end(requests: AsyncIterator[Any], content: SignedMessages) -> AsyncIterator[Any]:
    """The messages of a signed call, for the service."""
    async for request in requests:
        yield request
    content.take_end()
