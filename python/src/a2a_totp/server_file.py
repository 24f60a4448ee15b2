"""The server file: read, and followed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from typing import Any

from a2a_totp.errors import ServerFileError
from a2a_totp.followed_file import FollowedFile
from a2a_totp.roster import Roster
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.text import instant_text, printable

__all__ = ["SERVER_FILE_VARIABLE", "ServerFile", "ServerFileError", "parse_server_file"]

SERVER_FILE_VARIABLE = "A2A_TOTP_SERVER_FILE"
_NO_SUCH = "there is no such file"


class ServerFile(FollowedFile[Roster]):
    """The roster at a path, read again within a second of a change there.

    It looks when it is asked, and while a stream waits for its end. A new file that cannot be used is reported and the
    one before it stays in force; only at the start is it an error: ServerFileError, with the path in front. `require`
    looks at each new roster and may raise.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        allow_weak_seeds: bool = False,
        on_event: Callable[[dict[str, Any]], None] = lambda _: None,
        now: Callable[[], float] = time.time,
        require: Callable[[Roster], None] = lambda _: None,
    ) -> None:
        self.path = os.fspath(path)
        self._allow_weak, self._emit, self._now, self._require = allow_weak_seeds, on_event, now, require
        self._exposed = False
        try:
            super().__init__(path)
        except (OSError, ValueError) as error:
            raise self._named(error) from None

    def __call__(self) -> Roster:
        """The roster in force."""
        return self.current()

    def _on_loaded(self, before: Roster, now: Roster) -> None:
        event: dict[str, Any] = {"type": "server_file_loaded", **self._base()}
        if now.serial is not None:
            event["serial"] = now.serial
            if before.serial is not None and now.serial < before.serial:
                event["older"] = True
        self._emit(event)

    def _on_refused(self, error: OSError | ValueError, why: str) -> None:
        message = f"{why} (the previous file stays in force)"
        code = self._named(error).code
        self._emit({"type": "server_file_refused", **self._base(), "code": code, "message": message})

    def _why(self, error: OSError | ValueError) -> str:
        return str(self._named(error))

    def _base(self) -> dict[str, Any]:
        return {"at": instant_text(self._now()), "path": self.path}

    def _named(self, error: Exception) -> ServerFileError:
        """With the path. The text of an error that is none of ours may quote the file."""
        where = f"server file {printable(self.path)}"
        if isinstance(error, OSError):
            known = {FileNotFoundError: _NO_SUCH, PermissionError: "permission denied"}
            why = known.get(type(error)) or printable(error.strerror or "unknown error")
            return ServerFileError("ERR_FILE_UNREADABLE", f"{where}: cannot be read: {why}")
        code = getattr(error, "code", None)
        return ServerFileError(code or "ERR_CONFIG_INVALID", f"{where}: {error if code else 'cannot be used'}")

    def _read(self) -> Roster:
        # Without blocking, since opening a pipe would wait for a writer.
        descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise OSError(0, "it is not a regular file")
            # As JavaScript reads it; what matters is ASCII.
            text = file.read().decode("utf-8", errors="replace")
        roster = parse_server_file(text, allow_weak_seeds=self._allow_weak)
        self._require(roster)
        exposed = os.name == "posix" and bool(mode & stat.S_IROTH)
        if exposed and not self._exposed:
            message = (
                f"server file {printable(self.path)}: every user of this machine can read its seeds; run chmod o-r"
            )
            self._emit({"type": "server_file_exposed", **self._base(), "message": message})
        self._exposed = exposed
        return roster
