"""The environment of a client, as `a2a-totp config client NAME --format env` prints it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from a2a_totp.client_errors import CredentialsError


def profile_variables(environment: Mapping[str, str]) -> dict[str, Any]:
    """What an environment says beside token and seed, by the names of the fields of TotpCredentials.

    Raises CredentialsError for what is no number.
    """
    found: dict[str, Any] = {}
    for name in ("ALGORITHM", "DIGITS", "PERIOD", "HEADER", "URL", "AGENT", "SIGNED", "WINDOW"):
        text = environment.get(f"A2A_TOTP_{name}")
        if not text:
            continue
        whole = name in ("DIGITS", "PERIOD", "WINDOW")
        if whole and not re.fullmatch("[0-9]{1,9}", text):
            raise CredentialsError(f"$A2A_TOTP_{name} must be a whole number")
        found[name.lower()] = int(text) if whole else text
    return found
