"""Who called, for a2a-sdk."""

from __future__ import annotations

import functools
import importlib
from collections.abc import (
    Callable,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Protocol, cast

from a2a_totp.callers import PeerUser, caller_of, grpc_verdict
from a2a_totp.extras import Extra
from a2a_totp.log import logger
from a2a_totp.scheme.key import CALLER_KEY, GuardMissingError
from a2a_totp.scheme.outcome import Caller
from a2a_totp.scheme.scheme import TOTPServerAuthScheme

if TYPE_CHECKING:
    from a2a.server.context import ServerCallContext


class ContextBuilder(Protocol):
    """What the SDK asks for a call context: of an HTTP request, or of a gRPC context."""

    def build(self, request: Any, /) -> ServerCallContext:
        """Makes the call context."""
        ...


if TYPE_CHECKING:
    # Each line of the SDK has its own abstract classes for builders, for HTTP and for gRPC.
    _AnyBuilder = Any
else:
    _AnyBuilder = object


class TOTPCallContextBuilder(_AnyBuilder):  # type: ignore[misc, unused-ignore]
    """Reports to the SDK who called, for HTTP requests and gRPC contexts alike.

    It checks nothing itself: middleware or interceptor did, once, and without their verdict on this very request it
    raises GuardMissingError, so that a forgotten guard is never an open agent. With `scheme`, the guard of another
    scheme does not count. `inner` makes the rest of the context, by default the SDK's own builder.
    """

    def __init__(
        self, scheme: TOTPServerAuthScheme | ContextBuilder | None = None, inner: ContextBuilder | None = None
    ) -> None:
        if scheme is not None and not isinstance(scheme, TOTPServerAuthScheme):
            if inner is not None or not callable(getattr(scheme, "build", None)):
                raise TypeError("TOTPCallContextBuilder needs the scheme of the guard in front, or none")
            scheme, inner = None, scheme
        self._scheme, self._inner = scheme, inner

    def build(self, request: Any) -> ServerCallContext:
        """The call context, with the peer as its user and the Caller in `state[CALLER_KEY]`."""
        caller = caller_of(request, self._scheme)
        if caller is None:
            raise GuardMissingError(
                "no guard of this scheme let the request pass; add TOTPMiddleware or totp_interceptor with it"
            )
        return _reported(self._builder_for(request).build(request), caller)

    def _builder_for(self, request: Any) -> ContextBuilder:
        return self._inner or _sdk_builder(_HTTP_BUILDERS if hasattr(request, "scope") else _GRPC_BUILDERS)


# By the line of the SDK that has it: 1.x, then 0.3.
_HTTP_BUILDERS = (
    ("a2a.server.routes.common", "DefaultServerCallContextBuilder"),
    ("a2a.server.apps.jsonrpc.jsonrpc_app", "DefaultCallContextBuilder"),
)
GRPC_HANDLERS = "a2a.server.request_handlers.grpc_handler"
_GRPC_BUILDERS = (
    (GRPC_HANDLERS, "DefaultGrpcServerCallContextBuilder"),
    (GRPC_HANDLERS, "DefaultCallContextBuilder"),
)


@functools.cache
def report_peers_by_default() -> None:
    """Changes the SDK's own gRPC builder, which takes every caller for nobody, so that all peers share all tasks.

    HTTP has `scope["user"]` for that; gRPC has no such place. Calls that no interceptor of ours let pass are left as
    they are, and so are those whose builder names a user itself.
    """
    try:
        module = importlib.import_module(GRPC_HANDLERS)
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
    with Extra("a2a"):
        from a2a.auth.user import User

    # Not a subclass: this module is there without the SDK too.
    User.register(PeerUser)
    context.user = cast("User", PeerUser(caller))
    context.state[CALLER_KEY] = caller
    return context


def _sdk_builder(places: Sequence[tuple[str, str]]) -> ContextBuilder:
    """The builder that the installed line of the SDK uses by default."""
    with Extra("a2a"):
        importlib.import_module("a2a")
    for module, name in places:
        try:
            builder: ContextBuilder = getattr(importlib.import_module(module), name)()
        except (ImportError, AttributeError):
            continue
        return builder
    raise ImportError("a2a-sdk has no call-context builder that this module knows; give one as `inner`")
