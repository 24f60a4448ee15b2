"""Which requests may be sent a second time."""

from __future__ import annotations

import json
import re

_SENDS = frozenset({"SendMessage", "SendStreamingMessage", "message/send", "message/stream"})
"""Of JSON-RPC, in protocol 1.0 and 0.3. Sent twice, they may be done twice."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


def may_be_repeated(method: str, path: str, content: bytes) -> bool:
    """Whether a signed request may be sent once more after a 401.

    A proxy or an HTTP library may have sent it twice; then the agent served the first one, and refused the second. So
    only what is known to send no message may be repeated: a request without effects, and a JSON-RPC request of another
    method.
    """
    if method in _SAFE_METHODS:
        return True
    if re.search(r"/message(:|%3a)(send|stream)$", path, re.IGNORECASE):
        return False
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return False
    name = body.get("method") if isinstance(body, dict) else None
    return isinstance(name, str) and name not in _SENDS
