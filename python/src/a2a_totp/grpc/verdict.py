"""Who made a gRPC call."""

from __future__ import annotations

import contextvars

from a2a_totp.scheme.outcome import Caller

grpc_verdict: contextvars.ContextVar[tuple[object, Caller] | None] = contextvars.ContextVar(
    "a2a_totp_grpc_verdict", default=None
)
