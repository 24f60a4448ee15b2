"""The scheme that a guard asks."""

from __future__ import annotations

from typing import Any

from a2a_totp.scheme.scheme import TOTPServerAuthScheme


def scheme_of_guard(given: Any) -> TOTPServerAuthScheme:
    """The given one, or without one that of the server file at `$A2A_TOTP_SERVER_FILE`.

    Raises TypeError for anything else, which would refuse every request.
    """
    if given is None:
        return TOTPServerAuthScheme.from_file()
    if isinstance(given, TOTPServerAuthScheme):
        return given
    own = " (the `authenticator` of a scheme for crewAI is one)" if hasattr(given, "authenticator") else ""
    raise TypeError(f"a guard needs a TOTPServerAuthScheme of a2a_totp.scheme, not a {type(given).__name__}{own}")
