"""A file that is read again when it changes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import (
    Callable,
)
from typing import Generic, TypeVar

from a2a_totp.log import logger

_Content = TypeVar("_Content")


class FollowedFile(Generic[_Content]):
    """What a file at a path says, read again within a second of a change there, when somebody asks.

    The path may be a link, and what it leads to may be swapped, as Kubernetes does with mounted secrets. A new file
    that cannot be used is logged, and the one before it stays in force; only at the start is it an error.
    """

    _look_every = 0.5

    def __init__(self, path: str | os.PathLike[str], read: Callable[[str], _Content], what: str) -> None:
        """`read` makes the content of a path. `what` the file is, for messages.

        Raises what `read` raises, OSError too.
        """
        self._path = os.fspath(path)
        self._read = read
        self._what = what
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._failure = ""
        self._seen: object = self._identity()
        self._content = read(self._path)

    def current(self) -> _Content:
        """What is in force."""
        if time.monotonic() - self._looked_at >= self._look_every and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                self._look()
            finally:
                self._lock.release()
        return self._content

    def _look(self) -> None:
        try:
            seen = self._identity()
            if seen == self._seen:
                self._failure = ""
                return
            content = self._read(self._path)
        except ValueError as error:
            self._seen = seen
            self._complain(str(error))
        except OSError as error:
            # Looked at again and again: nothing need change there when it can be read once more.
            self._complain(error.strerror or "unreadable")
        else:
            self._seen, self._content, self._failure = seen, content, ""
            logger.info("%s read again", self._what)

    def _complain(self, failure: str) -> None:
        if failure != self._failure:
            logger.error("%s changed but cannot be used, so the old one stays in force: %s", self._what, failure)
        self._failure = failure

    def _identity(self) -> object:
        status = os.stat(self._path)
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
