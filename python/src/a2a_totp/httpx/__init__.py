"""An auth for httpx clients, synchronous or not: TOTPAuth (`pydoc a2a_totp.httpx.TOTPAuth`), which loads httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.places import load_from_place

if TYPE_CHECKING:
    from a2a_totp.httpx.auth import TOTPAuth

__all__ = ["CannotSignError", "CredentialsError", "StepSpentError", "TOTPAuth", "TotpCredentials"]

_PLACES = {"TOTPAuth": "a2a_totp.httpx.auth"}


def __getattr__(name: str) -> Any:
    return load_from_place(_PLACES, name, "a2a")
