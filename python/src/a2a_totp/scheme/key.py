"""Where a caller is found."""

from __future__ import annotations

CALLER_KEY = "a2a_totp.caller"
"""Where the Caller is found in `ServerCallContext.state`. In an ASGI scope it is the key of all that guards decided,
which `caller_of` reads."""


class GuardMissingError(RuntimeError):
    """A call reached the SDK without the middleware or the interceptor in front: the agent would be open."""
