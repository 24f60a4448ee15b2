"""What cannot be used: errors with a stable code."""

from __future__ import annotations


class TOTPError(ValueError):
    """Something that was given cannot be used.

    `code` is stable and the same as in TypeScript, such as `ERR_SEED_WEAK`; the message may change. Neither has a
    secret.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[TOTPError], tuple[str, str]]:
        return type(self), (self.code, str(self))


class ServerFileError(TOTPError):
    """The server file cannot be used. The message names the bad field, never its value."""

    def __init__(self, code: str, message: str | None = None) -> None:
        # With a message alone it is the usual code.
        super().__init__(*("ERR_CONFIG_INVALID", code) if message is None else (code, message))
