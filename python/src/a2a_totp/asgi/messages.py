"""ASGI's words, and the answer to a refused request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2a_totp.scheme.outcome import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


async def send_refusal(refusal: Refusal, method: str, send: Send) -> None:
    """Answers a refused request: the same bytes as the guards of TypeScript, but for the server's own fields."""
    body = refusal.body
    fields = [
        *refusal.headers,
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    # RFC 9110 section 9.3.2: the length is that of the answer to GET.
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
