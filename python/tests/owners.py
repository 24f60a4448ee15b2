"""What the tests of owners share: two peers, and an ASGI call that can be followed while it streams."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from a2a_totp.codes import code_of_step
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

FILE = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))["files"][
    "own"
]
AT = 1_780_332_007.0
PATIENCE = 30
"""Seconds for what happens at once, on a busy machine too."""

# Each may call more than once in a time step.
_ROSTER = parse_server_file(
    json.dumps({**FILE, "peers": {name: {**FILE["peers"][name], "replay": "reuse"} for name in ("alice", "bob")}})
)


def scheme() -> TOTPServerAuthScheme:
    """One whose clock stands still."""
    return TOTPServerAuthScheme._of_roster(lambda: _ROSTER, now=lambda: AT, state=MemoryState(since=0))


def credentials(peer: str) -> list[tuple[str, str]]:
    """Both factors, for headers as for metadata."""
    profile = _ROSTER.peers[peer].profile
    code = code_of_step(_ROSTER.peers[peer].seeds[0].key, profile, profile.time_step(AT))
    return [("authorization", f"Bearer a2at_vector-token-of-{peer}"), ("x-totp", code)]


class Answer:
    """A response as it arrives."""

    def __init__(self) -> None:
        self.status = 0
        self._streams = False
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def send(self, message: Any) -> None:
        """ASGI's."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._streams = (b"content-type", b"text/event-stream; charset=utf-8") in message["headers"]
        elif message["type"] == "http.response.body":
            self._chunks.put_nowait(message.get("body", b""))
            if not message.get("more_body", False):
                self.end()

    def end(self) -> None:
        """There is no more."""
        self._chunks.put_nowait(None)

    async def content(self) -> Any:
        """The JSON of it; of a stream that of its first event."""
        body = b""
        while (chunk := await asyncio.wait_for(self._chunks.get(), PATIENCE)) is not None:
            body += chunk
            if self._streams and (data := re.search(rb"^data: (.*?)\r?\n\r?\n", body, re.MULTILINE)):
                return json.loads(data.group(1))
        return json.loads(body or b"null")


@asynccontextmanager
async def called(
    app: Any, method: str, path: str, body: Any = None, headers: list[tuple[str, str]] | None = None
) -> AsyncIterator[Answer]:
    """A request to an ASGI app in this process, which hangs up at the end."""
    answer, hung_up = Answer(), asyncio.Event()
    messages = [{"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await hung_up.wait()
        return {"type": "http.disconnect"}

    fields = [("host", "localhost"), ("content-type", "application/json"), *(headers or [])]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in fields],
        "client": ("192.0.2.1", 5),
        "server": ("localhost", 80),
    }
    running = asyncio.create_task(app(scope, receive, answer.send))
    # An app that fails ends the wait for its answer.
    running.add_done_callback(lambda _: answer.end())
    try:
        yield answer
    finally:
        hung_up.set()
        await asyncio.wait_for(running, PATIENCE)
