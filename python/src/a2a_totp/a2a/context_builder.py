"""Who called, for a2a-sdk."""

from __future__ import annotations

import functools
import importlib
from collections.abc import (
    Callable,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Protocol

from a2a.auth.user import User

if TYPE_CHECKING:
    from a2a.server.context import ServerCallContext
from a2a_totp.grpc.verdict import grpc_verdict
from a2a_totp.log import logger
from a2a_totp.scheme.key import CALLER_KEY, GuardMissingError
from a2a_totp.scheme.outcome import Caller


class ContextBuilder(Protocol):
    """What the SDK asks for a call context: of an HTTP request, or of a gRPC context."""

    def build(self, request: Any, /) -> ServerCallContext:
        """Makes the call context."""
        ...


class PeerUser(User):
    """The SDK's name for whoever called: the peer's name, never its token."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else passes."""
        return True

    @property
    def user_name(self) -> str:
        """The peer's name."""
        return self.caller.peer


def caller_of(request: Any) -> Caller | None:
    """Who made a request that the middleware or the interceptor let pass; None when it met neither."""
    verdict = grpc_verdict.get()
    if verdict and verdict[0] is request:
        return verdict[1]
    found = getattr(request, "scope", {}).get(CALLER_KEY)
    return found[1] if found else None


class TOTPCallContextBuilder:
    """Reports to the SDK who called, for HTTP requests and gRPC contexts alike.

    It checks nothing itself: middleware or interceptor did, once, and without their verdict on this very request it
    raises GuardMissingError, so that a forgotten guard is never an open agent. `inner` makes the rest of the context,
    by default the SDK's own builder.
    """

    def __init__(self, inner: ContextBuilder | None = None) -> None:
        self._inner = inner

    def build(self, request: Any) -> ServerCallContext:
        """The call context, with the peer as its user and the Caller in `state[CALLER_KEY]`."""
        caller = caller_of(request)
        if caller is None:
            raise GuardMissingError("no guard let this request pass; add TOTPMiddleware or totp_interceptor")
        return _reported(self._builder_for(request).build(request), caller)

    def _builder_for(self, request: Any) -> ContextBuilder:
        return self._inner or _sdk_builder(_HTTP_BUILDERS if hasattr(request, "scope") else _GRPC_BUILDERS)


# By the line of the SDK that has it: 1.x, then 0.3.
_HTTP_BUILDERS = (
    ("a2a.server.routes.common", "DefaultServerCallContextBuilder"),
    ("a2a.server.apps.jsonrpc.jsonrpc_app", "DefaultCallContextBuilder"),
)
_GRPC_HANDLERS = "a2a.server.request_handlers.grpc_handler"
_GRPC_BUILDERS = (
    (_GRPC_HANDLERS, "DefaultGrpcServerCallContextBuilder"),
    (_GRPC_HANDLERS, "DefaultCallContextBuilder"),
)


@functools.cache
def report_peers_by_default() -> None:
    """Changes the SDK's own gRPC builder, which takes every caller for nobody, so that all peers share all tasks.

    HTTP has `scope["user"]` for that; gRPC has no such place. Calls that no interceptor of ours let pass are left as
    they are, and so are those whose builder names a user itself.
    """
    try:
        module = importlib.import_module(_GRPC_HANDLERS)
    except ImportError:
        return  # then the SDK serves no gRPC here
    builders: list[Any] = [getattr(module, name) for _, name in _GRPC_BUILDERS if hasattr(module, name)]
    for builder in builders:
        builder.build = _reporting(builder.build)
    if not builders:
        logger.warning("this a2a-sdk is not known: without a context_builder of yours, peers share all tasks over gRPC")


def _reporting(build: Callable[[Any, Any], ServerCallContext]) -> Callable[[Any, Any], ServerCallContext]:
    @functools.wraps(build)
    def reporting(self: Any, request: Any) -> ServerCallContext:
        context = build(self, request)
        if grpc_verdict.get() is None or context.user.user_name:
            return context
        caller = caller_of(request)
        if caller is None:
            raise GuardMissingError("another interceptor replaced the call's context; put totp_interceptor behind it")
        return _reported(context, caller)

    return reporting


def _reported(context: ServerCallContext, caller: Caller) -> ServerCallContext:
    context.user = PeerUser(caller)
    context.state[CALLER_KEY] = caller
    return context


def _sdk_builder(places: Sequence[tuple[str, str]]) -> ContextBuilder:
    """The builder that the installed line of the SDK uses by default."""
    for module, name in places:
        try:
            builder: ContextBuilder = getattr(importlib.import_module(module), name)()
        except (ImportError, AttributeError):
            continue
        return builder
    raise ImportError("a2a-sdk has no call-context builder that this module knows; give one as `inner`")
