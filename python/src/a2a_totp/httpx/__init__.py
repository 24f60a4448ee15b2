"""Auths for httpx clients, synchronous or not, which load httpx: TOTPAuth for one agent, TOTPFileAuth for all agents of
a client file (`pydoc a2a_totp.httpx.TOTPAuth`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a_totp.client_errors import CannotSignError, CredentialsError, StepSpentError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.places import load_from_place

if TYPE_CHECKING:
    from a2a_totp.httpx.auth import TOTPAuth
    from a2a_totp.httpx.file_auth import TOTPFileAuth

__all__ = ["CannotSignError", "CredentialsError", "StepSpentError", "TOTPAuth", "TOTPFileAuth", "TotpCredentials"]

_PLACES = {"TOTPAuth": "a2a_totp.httpx.auth", "TOTPFileAuth": "a2a_totp.httpx.file_auth"}


def __getattr__(name: str) -> Any:
    return load_from_place(_PLACES, name, "a2a")
