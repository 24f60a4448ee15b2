"""The server file: read, and followed."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from typing import Any

from a2a_totp.roster import Roster
from a2a_totp.server_file_rules import ServerFileError
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.text import instant_text, printable

SERVER_FILE_VARIABLE = "A2A_TOTP_SERVER_FILE"
_NO_SUCH = "there is no such file"


class ServerFile:
    """The roster at a path, read again within a second of a change there.

    It looks when it is asked, and while a stream waits for its end. The path may be a link, and what it leads to may be
    swapped, as Kubernetes does with mounted secrets. A new file that cannot be used is reported and the one before it
    stays in force; only at the start is it an error: ServerFileError, with the path in front. `require` looks at each
    new roster and may raise.
    """

    _look_every = 0.5

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
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._failure, self._exposed, self._closed = "", False, False
        try:
            self._seen: object = self._identity()
            self._roster = self._read()
        except (OSError, ValueError) as error:
            raise self._named(error) from None

    def __call__(self) -> Roster:
        """The roster in force."""
        if time.monotonic() - self._looked_at >= self._look_every and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                if not self._closed:
                    self._look()
            finally:
                self._lock.release()
        return self._roster

    def close(self) -> None:
        """Stops following. What was read stays in force."""
        self._closed = True

    def _look(self) -> None:
        seen: object = None
        try:
            seen = self._identity()
            if seen == self._seen:
                self._failure = ""
                return
            roster = self._read()
        except OSError as error:
            # Looked at again and again: nothing need change there when it can be read once more.
            self._complain(self._named(error))
        except ValueError as error:
            self._seen = seen
            self._complain(self._named(error))
        else:
            before, self._seen, self._roster, self._failure = self._roster, seen, roster, ""
            event: dict[str, Any] = {"type": "server_file_loaded", **self._base()}
            if roster.serial is not None:
                event["serial"] = roster.serial
                if before.serial is not None and roster.serial < before.serial:
                    event["older"] = True
            self._emit(event)

    def _complain(self, error: ServerFileError) -> None:
        text = str(error)
        if text != self._failure:
            message = f"{text} (the previous file stays in force)"
            self._emit({"type": "server_file_refused", **self._base(), "code": error.code, "message": message})
        self._failure = text

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

    def _identity(self) -> object:
        status = os.stat(self.path)
        return (
            *(status.st_dev, status.st_ino, status.st_size, status.st_mode),
            *(status.st_mtime_ns, status.st_ctime_ns),
        )

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
