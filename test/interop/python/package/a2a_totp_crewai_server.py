"""The package, under the names of the vendored file for agents that host crewAI."""

from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.crewai import TOTPServerAuthScheme

__all__ = ["TOTPMiddleware", "TOTPServerAuthScheme"]
