"""gRPC: `totp_interceptor` for servers on `grpc.aio`; for clients `totp_channel_factory`, `totp_client_interceptors`,
and `totp_sync_client_interceptor` on plain `grpc`.

Each loads gRPC when it is used, and is described by `pydoc a2a_totp.grpc.totp_interceptor`, and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a_totp.places import load_from_place

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
    return load_from_place(_PLACES, name, "grpc")
