"""Runs the client of docs/python.md against an agent, and prints what a signed request of it is answered."""

import ast
import asyncio
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "python.md"


async def main(origin: str) -> None:
    """The argument is the agent's origin, in place of the page's."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if "TotpCredentials" in block]
    assert "https://billing.example" in block
    code = compile(
        block.replace("https://billing.example", origin), PAGE.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    names: dict[str, Any] = {}
    running = eval(code, names)  # noqa: S307
    assert inspect.isawaitable(running)
    await running
    request = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}
    answer = await names["http"].post(f"{origin}/a2a/jsonrpc", json=request, headers={"A2A-Version": "0.3"})
    await names["http"].aclose()
    print(json.dumps({"card": names["card"].name, "client": bool(names["client"]), "answer": answer.json()}))


asyncio.run(main(sys.argv[1]))
