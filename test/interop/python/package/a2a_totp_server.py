"""The package, under the names of the vendored file for servers."""

import importlib
from typing import Any

_PLACES = {
    "AuthRequest": "scheme",
    "Caller": "scheme",
    "MemoryState": "state",
    "ProofKey": "proof.keys",
    "Refusal": "scheme",
    "RequestHead": "proof.reading",
    "ServerFileError": "server_file_text",
    "TOTPCallContextBuilder": "a2a",
    "TOTPMiddleware": "asgi",
    "TOTPServerAuthScheme": "scheme",
    "caller_of": "a2a",
    "content_digest": "proof.content",
    "limits_for": "state.budgets",
    "parse_server_file": "server_file_text",
    "proof_key": "proof.keys",
    "totp_interceptor": "grpc",
    "verify_head": "proof.verifying",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"a2a_totp.{_PLACES[name]}"), name)
