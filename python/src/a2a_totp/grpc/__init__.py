"""gRPC: a guard for servers on `grpc.aio`, and interceptors for clients. Loaded when one is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from a2a_totp.grpc.client import totp_channel_factory, totp_client_interceptors
    from a2a_totp.grpc.client_sync import totp_sync_client_interceptor
    from a2a_totp.grpc.guard import totp_interceptor

__all__ = ["totp_channel_factory", "totp_client_interceptors", "totp_interceptor", "totp_sync_client_interceptor"]

_PLACES = {
    "totp_channel_factory": "a2a_totp.grpc.client",
    "totp_client_interceptors": "a2a_totp.grpc.client",
    "totp_interceptor": "a2a_totp.grpc.guard",
    "totp_sync_client_interceptor": "a2a_totp.grpc.client_sync",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_PLACES[name]), name)
