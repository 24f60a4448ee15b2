"""httpx: token, code and proof with every request of a client. httpx is loaded when TOTPAuth is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.credentials import TotpCredentials

if TYPE_CHECKING:
    from a2a_totp.httpx.auth import TOTPAuth

__all__ = ["CannotSignError", "CredentialsError", "StepSpentError", "TOTPAuth", "TotpCredentials"]

_PLACES = {"TOTPAuth": "a2a_totp.httpx.auth"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_PLACES[name]), name)
