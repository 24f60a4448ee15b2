"""The server file: read, and followed."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time

from a2a_totp.roster import Roster
from a2a_totp.server_file_text import ServerFileError, parse_server_file

logger = logging.getLogger("a2a_totp")
SERVER_FILE_VARIABLE = "A2A_TOTP_SERVER_FILE"


class ServerFile:
    """The roster at a path, read again within a second of a change there.

    The path may be a link, and what it leads to may be swapped, as Kubernetes does with mounted secrets. A new file
    that cannot be used is logged and the one before it stays in force; only at the start is it an error.
    """

    _look_every = 0.5

    def __init__(self, path: str | os.PathLike[str], *, allow_weak_seeds: bool = False) -> None:
        self._path = os.fspath(path)
        self._allow_weak = allow_weak_seeds
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._failure = ""
        try:
            self._seen: object = self._identity()
            self._roster = self._read()
        except OSError as error:
            raise ServerFileError(
                f"cannot read the server file: {error.strerror}; check ${SERVER_FILE_VARIABLE}"
            ) from error

    def __call__(self) -> Roster:
        """The roster in force."""
        if time.monotonic() - self._looked_at >= self._look_every and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                self._look()
            finally:
                self._lock.release()
        return self._roster

    def _look(self) -> None:
        try:
            seen = self._identity()
            if seen == self._seen:
                self._failure = ""
                return
            roster = self._read()
        except ServerFileError as error:
            self._seen = seen
            self._complain(str(error))
        except OSError as error:
            # Looked at again and again: nothing need change there when it can be read once more.
            self._complain(error.strerror or "unreadable")
        else:
            before, self._seen, self._roster, self._failure = self._roster, seen, roster, ""
            logger.info("server file read again: peers=%d serial=%s", len(roster.peers), roster.serial)
            if roster.serial is not None and before.serial is not None and roster.serial < before.serial:
                logger.warning(
                    "the server file is older than the one before (serial %d, was %d); what was revoked since is "
                    "valid again",
                    roster.serial,
                    before.serial,
                )

    def _complain(self, failure: str) -> None:
        if failure != self._failure:
            logger.error("server file changed but cannot be used, so the old one stays in force: %s", failure)
        self._failure = failure

    def _identity(self) -> object:
        status = os.stat(self._path)
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def _read(self) -> Roster:
        with open(self._path, encoding="utf-8", errors="strict") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & stat.S_IROTH:
                logger.warning("the server file holds seeds and everybody here can read it; run chmod o-r on it")
            try:
                text = file.read()
            except UnicodeDecodeError:
                raise ServerFileError("the file is not UTF-8") from None
        return parse_server_file(text, allow_weak_seeds=self._allow_weak)
