"""Who a guard let pass, for what is behind it."""

from __future__ import annotations

import contextvars
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from a2a_totp.scheme.key import CALLER_KEY
from a2a_totp.scheme.outcome import Caller
from a2a_totp.scheme.scheme import TOTPServerAuthScheme


@dataclass(frozen=True)
class PeerUser:
    """Who called, as users are called elsewhere: `request.user` of Starlette, `context.user` of a2a-sdk.

    It has the members of both, and says the same to both: tasks that are kept under one are found under the other.
    """

    caller: Caller

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else passes."""
        return True

    @property
    def user_name(self) -> str:
        """The peer's name, never its token."""
        return self.caller.peer

    @property
    def display_name(self) -> str:
        """The peer's name."""
        return self.caller.peer

    @property
    def identity(self) -> str:
        """The peer's name."""
        return self.caller.peer


@dataclass
class LetIn:
    """What one scheme decided about one request. The caller is taken back where the content is another one."""

    scheme: TOTPServerAuthScheme
    caller: Caller | None


grpc_verdict: contextvars.ContextVar[tuple[object, LetIn] | None] = contextvars.ContextVar(
    "a2a_totp_grpc_verdict", default=None
)
"""The context of the gRPC call that is being served, and who made it."""


def remember_caller(scope: MutableMapping[str, Any], entry: LetIn) -> None:
    """Keeps in the scope of an ASGI request who was let in. The guard of another scheme may follow."""
    scope[CALLER_KEY] = (*scope.get(CALLER_KEY, ()), entry)


def caller_of(request: Any, scheme: TOTPServerAuthScheme | None = None) -> Caller | None:
    """Who made a request that TOTPMiddleware or totp_interceptor let pass.

    `request` is an ASGI scope, whatever has one (such as a request of Starlette or FastAPI), or the context of a gRPC
    call. With `scheme`, only a guard of that scheme counts; by default it is the last that decided. None for a request
    that met no such guard, or whose body turned out not to be the one that was signed.
    """
    verdict = grpc_verdict.get()
    if verdict and verdict[0] is request:
        entries: tuple[LetIn, ...] = (verdict[1],)
    else:
        scope = request if isinstance(request, Mapping) else getattr(request, "scope", None)
        entries = scope.get(CALLER_KEY, ()) if isinstance(scope, Mapping) else ()
    found = [entry.caller for entry in entries if scheme is None or entry.scheme is scheme]
    return found[-1] if found else None
