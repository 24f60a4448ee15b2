"""Sends token and code with every call of an a2a-sdk client."""

from __future__ import annotations

from collections.abc import (
    Mapping,
)
from typing import Any

from a2a.client import ClientCallContext, ClientCallInterceptor

from a2a_totp.credentials import CannotSignError, TotpCredentials


class TOTPInterceptor(ClientCallInterceptor):
    """Sends token and code with every call of an a2a-sdk client, of either line.

    It does not see where the call goes: create clients only from cards that you trust. (a2a-sdk 0.3 runs interceptors
    for JSON-RPC; its REST and gRPC transports ignore them.) It cannot sign, so it takes no credentials of an agent that
    requires that: CannotSignError.
    """

    def __init__(self, credentials: TotpCredentials) -> None:
        if credentials.signed == "require":
            raise CannotSignError(
                "the agent lets in signed requests only, and an interceptor cannot sign; use TOTPAuth"
            )
        self._credentials = credentials

    async def before(self, args: Any) -> None:
        """Called by a2a-sdk 1.x before each call."""
        context: Any = args.context or ClientCallContext()
        context.service_parameters = self._with_credentials(context.service_parameters)
        args.context = context

    async def after(self, args: Any) -> None:
        """Called by a2a-sdk 1.x after each call."""

    async def intercept(
        self,
        method_name: str,
        request_payload: dict[str, Any],
        http_kwargs: dict[str, Any],
        agent_card: Any,
        context: Any,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Called by a2a-sdk 0.3 before each call."""
        return request_payload, {**http_kwargs, "headers": self._with_credentials(http_kwargs.get("headers"))}

    def _with_credentials(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """The caller's headers but for other spellings of the two, and fresh ones."""
        fresh = self._credentials.headers()
        stale = {name.lower() for name in fresh}
        return {**{name: value for name, value in (headers or {}).items() if name.lower() not in stale}, **fresh}
