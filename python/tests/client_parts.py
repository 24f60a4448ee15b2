"""What the tests of clients share: credentials, and a server that records what reaches it."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from a2a_totp.credentials import TotpCredentials

REPOSITORY = Path(__file__).parents[2]
SEED = base64.b32encode(b"12345678901234567890").decode()
TOKEN = "a2at_test"  # noqa: S105


def credentials(**fields: Any) -> TotpCredentials:
    """Usable ones."""
    return TotpCredentials(**{"token": TOKEN, "seed": SEED, **fields})


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    content: bytes

    def values(self, name: str) -> list[str]:
        """All lines of a field."""
        return [value for one, value in self.fields if one.lower() == name]


Reply = tuple[int, dict[str, str]]


@dataclass
class Recorder:
    """A server that answers as it is told, by default with 200."""

    answer: Callable[[Received], Reply] = lambda _: (200, {})
    port: int = 0
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def recorder(answer: Callable[[Received], Reply] = lambda _: (200, {})) -> Iterator[Recorder]:
    """A real HTTP server on loopback."""
    recording = Recorder(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = Received(self.command, self.path, list(self.headers.items()), content)
            recording.received.append(request)
            status, fields = recording.answer(request)
            self.send_response_only(status)
            for name, value in {"Content-Length": "0", **fields}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST = do_CONNECT = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recording.port = server.server_address[1]
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield recording
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
