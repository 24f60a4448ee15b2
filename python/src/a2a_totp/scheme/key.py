"""Where a caller is found."""

from __future__ import annotations

CALLER_KEY = "a2a_totp.caller"
"""Where the Caller is found in `ServerCallContext.state`."""


class GuardMissingError(RuntimeError):
    """A call reached the SDK without the middleware or the interceptor in front: the agent would be open."""
