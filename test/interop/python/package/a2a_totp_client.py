"""The package, under the names of the vendored file for clients."""

import importlib
from typing import Any

_PLACES = {
    "CannotSignError": "credentials",
    "CredentialsError": "credentials",
    "TOTPAuth": "httpx",
    "TOTPInterceptor": "a2a",
    "TotpCredentials": "credentials",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"a2a_totp.{_PLACES[name]}"), name)
