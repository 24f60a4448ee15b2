"""JSON-RPC and REST: a guard in front of any ASGI app. Needs nothing but the standard library."""

from a2a_totp.asgi.content import ContentRefusedError
from a2a_totp.asgi.ending import CallerEndedError
from a2a_totp.asgi.middleware import TOTPMiddleware
from a2a_totp.callers import PeerUser, caller_of

__all__ = ["CallerEndedError", "ContentRefusedError", "PeerUser", "TOTPMiddleware", "caller_of"]
