"""The demo agent of the CLI, for tests of clients: JSON-RPC, REST and gRPC, protocols 1.0 and 0.3."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from client_parts import REPOSITORY

CLI = REPOSITORY / "bin" / "a2a-totp.cjs"
needs_demo = pytest.mark.skipif(
    which("node") is None or not (REPOSITORY / "dist" / "cli").exists(), reason="needs Node and the CLI, built"
)


@dataclass
class Demo:
    """A running agent, and what its peer `alice` needs."""

    card: str
    client_file: Path
    fields: dict[str, Any]

    @property
    def origin(self) -> str:
        """Where its card is, without the path."""
        return self.card.removesuffix("/.well-known/agent-card.json")


@contextmanager
def demo(folder: Path, *policies: str) -> Iterator[Demo]:
    """Serves until the end of the block. `policies` are options of `init`."""
    command = [which("node") or "node", str(CLI), "--store", str(folder / "store.json")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("A2A_TOTP_")}

    def run(*words: str) -> str:
        return subprocess.run(  # noqa: S603
            [*command, *words], check=True, capture_output=True, text=True, env=environment, timeout=120
        ).stdout

    run("init", "--agent", "billing", *policies)
    run("add-peer", "alice")
    text = run("config", "client", "alice", "--format", "json")
    client_file = folder / "client.json"
    client_file.touch(0o600)
    client_file.write_text(text, encoding="utf-8")
    agent = subprocess.Popen(  # noqa: S603
        [*command, "demo", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        assert agent.stdout is not None
        card = agent.stdout.readline().strip()
        assert card.startswith("http://"), "the demo did not start"
        yield Demo(card, client_file, json.loads(text)["agents"]["billing"])
    finally:
        agent.terminate()
        agent.wait(60)
        agent.stdout.close()  # type: ignore[union-attr]
