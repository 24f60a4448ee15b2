"""gRPC: a guard for servers on `grpc.aio`, and interceptors for clients. Loaded when one is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from a2a_totp.grpc.guard import totp_interceptor

__all__ = ["totp_interceptor"]

_PLACES = {"totp_interceptor": "a2a_totp.grpc.guard"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_PLACES[name]), name)
