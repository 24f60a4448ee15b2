"""crewAI's own shape of the server side."""

from __future__ import annotations

from crewai.a2a.auth.server_schemes import (  # type: ignore[attr-defined]
    AuthenticatedUser,
    HTTPException,
    ServerAuthScheme,
)
from pydantic import ConfigDict, Field

from a2a_totp.scheme.outcome import Caller
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme as Authenticator


class TOTPServerAuthScheme(ServerAuthScheme):
    """Bearer token AND TOTP code, in the shape of crewAI's ServerAuthScheme.

    `authenticate_with_totp` is the only way in.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    authenticator: Authenticator = Field(default_factory=Authenticator.from_file, repr=False, exclude=True)

    async def authenticate(self, token: str) -> AuthenticatedUser:
        """Always raises HTTPException 401: the token is one factor of two."""
        return await self.authenticate_with_totp(token, None)

    async def authenticate_with_totp(self, token: str, code: str | None, source: str = "") -> AuthenticatedUser:
        """Checks both factors, once a request. The peer's name is in `claims["sub"]`.

        Raises HTTPException 401, 429 or 503, with the headers to answer.
        """
        fields = [("authorization", f"Bearer {token}")]
        if code is not None:
            fields.append((self.authenticator.code_header, code))
        outcome = await self.authenticator.authenticate(AuthRequest(fields, source))
        if isinstance(outcome, Caller):
            return AuthenticatedUser(token=token, scheme="totp", claims={"sub": outcome.peer})
        headers: dict[str, str] = {}
        for name, value in outcome.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        raise HTTPException(outcome.status, outcome.message, headers)
