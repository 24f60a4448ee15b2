"""A file that is read again when it changes."""

from __future__ import annotations

import os
import threading
import time
from typing import Generic, TypeVar

_Content = TypeVar("_Content")


class FollowedFile(Generic[_Content]):
    """The content of a file at a path, read again within a second of a change there.

    It looks when it is asked. The path may be a link, and what it leads to may be swapped, as Kubernetes does with
    mounted secrets. A new file that cannot be used is reported, and the one before it stays in force; only at the start
    is it an error. Threads may share one.

    Each kind of file says how it is read, and how changes are reported.
    """

    _look_every = 0.5
    """In seconds."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises what reading raises, OSError too."""
        self.path = os.fspath(path)
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._failure, self._closed = "", False
        self._seen: object = self._identity()
        self._content = self._read()

    def current(self) -> _Content:
        """The content in force."""
        if time.monotonic() - self._looked_at >= self._look_every and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                if not self._closed:
                    self._look()
            finally:
                self._lock.release()
        return self._content

    def close(self) -> None:
        """Stops following. What was read stays in force."""
        self._closed = True

    def _read(self) -> _Content:
        """Raises OSError where it cannot be read, and ValueError where it cannot be used."""
        raise NotImplementedError

    def _why(self, error: OSError | ValueError) -> str:
        """Why a new file cannot be used. Reported once, until it is another reason."""
        raise NotImplementedError

    def _on_loaded(self, before: _Content, now: _Content) -> None:
        """Called when a new content is in force."""
        raise NotImplementedError

    def _on_refused(self, error: OSError | ValueError, why: str) -> None:
        """Called when a new file cannot be used."""
        raise NotImplementedError

    def _look(self) -> None:
        seen: object = None
        try:
            seen = self._identity()
            if seen == self._seen:
                self._failure = ""
                return
            content = self._read()
        except OSError as error:
            # Looked at again and again: nothing need change there when it can be read once more.
            self._complain(error)
        except ValueError as error:
            self._seen = seen
            self._complain(error)
        else:
            before, self._seen, self._content, self._failure = self._content, seen, content, ""
            self._on_loaded(before, content)

    def _complain(self, error: OSError | ValueError) -> None:
        why = self._why(error)
        if why != self._failure:
            self._on_refused(error, why)
        self._failure = why

    def _identity(self) -> object:
        status = os.stat(self.path)
        return (
            *(status.st_dev, status.st_ino, status.st_size, status.st_mode),
            *(status.st_mtime_ns, status.st_ctime_ns),
        )
