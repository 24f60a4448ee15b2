"""A second factor for A2A agents: a bearer token AND a fresh TOTP code (RFC 6238) on every request.

Import what you need from the modules; nothing else is loaded. Servers: `a2a_totp.scheme`, `.asgi`, `.grpc`, `.a2a`,
`.state`, `.crewai`. Clients: `.httpx`, `.grpc`, `.a2a`, `.crewai`. Both: `.codes`, `.proof`.
"""

__version__ = "0.2.0"
