"""A Redis of its own on the loopback address."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

PROGRAM = os.environ.get("REDIS_SERVER", "redis-server")
"""The program to test against, say a valkey-server."""


def require_redis() -> None:
    """Skips aloud where there is none; in CI it fails."""
    for missing in [
        name for name, found in (("redis-server", shutil.which(PROGRAM)), ("redis", _package())) if not found
    ]:
        if os.environ.get("CI"):
            pytest.fail(f"needs {missing}")
        pytest.skip(f"SKIPPED: needs {missing}")


def _package() -> bool:
    try:
        import redis.asyncio  # noqa: F401
    except ImportError:
        return False
    return True


class RedisEndedError(Exception):
    """It could not start."""


def _free_port(highest: int) -> int:
    """A port that nobody listens on now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port <= highest:
            return port


class RedisServer:
    """Keeps nothing on disk unless it is told to. Started by the constructor, ended by its pid."""

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="a2a-totp-redis-")
        self._options = options
        for last in (False, False, False, False, True):
            # A node of a cluster listens 10,000 above as well, where somebody may be.
            self.port = _free_port(65_535 - 10_000)
            try:
                self.resume()
                return
            except RedisEndedError:
                if last:
                    raise

    def resume(self) -> None:
        """Starts it again after a crash, on the same port and with what it left on disk."""
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder, "--save", ""]
        self._process = subprocess.Popen(  # noqa: S603
            [PROGRAM, *own, *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None:
                raise RedisEndedError(f"{PROGRAM} ended")
            assert time.monotonic() < until, f"{PROGRAM} did not come up"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                connection.sendall(b"PING\r\n")
                return bool(connection.recv(64))
        except OSError:
            return False

    def freeze(self) -> None:
        """Lets it hang: connections stay open and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The end of that."""
        self._process.send_signal(signal.SIGCONT)

    def crash(self) -> None:
        """Ends it without a chance to write anything."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ends it, and leaves nothing."""
        self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    def command(self, *words: str) -> object:
        """Runs a command as the owner of the server does."""
        import redis

        with redis.Redis(port=self.port, host="127.0.0.1", decode_responses=True) as client:
            return client.execute_command(*words)
