"""What the tests of the scheme share: the vectors' server file, changed, and a scheme that is asked without a loop."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.roster import Roster
from a2a_totp.scheme import AuthRequest, Caller, Refusal, TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

VECTORS_FOLDER = Path(__file__).parents[2] / "test" / "vectors"
VECTORS = json.loads((VECTORS_FOLDER / "wire.json").read_text(encoding="utf-8"))
FILE = VECTORS["files"]["own"]
AT = 1_780_332_007.0
STEP = int(AT // 30)
TOKEN = "a2at_vector-token-of-alice"  # noqa: S105
KEY = b"\x01" * 20
WRONG = [f"0000{number:02}" for number in range(1, 90)]
"""None is a code of a step near."""

Look = Callable[[], Awaitable[None]]
_LOOP = asyncio.new_event_loop()


def run(awaitable: Awaitable[Any]) -> Any:
    """Its result, in a loop that all share."""
    return _LOOP.run_until_complete(_waited(awaitable))


async def _waited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def changed(**changes: Any) -> str:
    """The server file with other top-level fields."""
    return json.dumps({**FILE, **changes})


def alice(**changes: Any) -> str:
    """The server file with alice alone, and other fields of hers."""
    return changed(peers={"alice": {**FILE["peers"]["alice"], **changes}})


def rotated(*tokens: str) -> str:
    """The server file with alice alone, and these tokens of hers."""
    hashes = ["sha256:" + hashlib.sha256(token.encode()).hexdigest() for token in tokens]
    return alice(tokens=[{"id": f"t{place}", "hash": token_hash} for place, token_hash in enumerate(hashes)])


def unlooked(_: object) -> None:
    """No second look at any guess."""


class Agent:
    """A scheme whose clock and roster a test changes, and its events."""

    def __init__(self, text: str | None = None, *, looks: bool = False, **given: Any) -> None:
        self.at = AT
        self.roster: Roster = parse_server_file(json.dumps(FILE) if text is None else text)
        self.events: list[dict[str, Any]] = []
        self.looks: list[Look] = []
        self._looks = looks
        self.state = given.pop("state", None) or MemoryState(since=0)
        self.scheme = TOTPServerAuthScheme._of_roster(
            lambda: self.roster,
            **{
                "now": lambda: self.at,
                "state": self.state,
                "later": self.looks.append,
                "on_event": self.events.append,
                **given,
            },
        )

    def publish(self, text: str) -> None:
        """Another server file is in force."""
        self.roster = parse_server_file(text)

    def ask(self, fields: list[tuple[str, str]], source: str = "") -> Caller | Refusal:
        """The outcome. What is done after an answer is done before this returns, where the test asks for it."""
        outcome: Caller | Refusal = run(self.scheme.authenticate(AuthRequest(fields, source)))
        while self._looks and self.looks:
            run(self.looks.pop(0)())
        return outcome

    def reason(self, token: str, code: str, source: str = "") -> str:
        """What the log says of a token and a code."""
        return reason_of(self.ask([("authorization", f"Bearer {token}"), ("x-totp", code)], source))

    def code(self, drift: int = 0, key: bytes = KEY, profile: Profile | None = None) -> str:
        """Alice's code, so many time steps away from the clock."""
        whole = profile or Profile()
        return code_of_step(key, whole, int(self.at // whole.period) + drift)

    def types(self) -> list[str]:
        """Of the events."""
        return [event["type"] for event in self.events]


def reason_of(outcome: object) -> str:
    """What the log says."""
    return outcome.reason if isinstance(outcome, Refusal) else "accepted"
