"""How long the Python package takes to refuse, by what was wrong. Prints JSON: {kind: [nanoseconds]}.

The argument is how many of each; in every round each kind comes once, in a new order.
"""

import asyncio
import base64
import hashlib
import json
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable

from a2a_totp.scheme import AuthRequest, Refusal, TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state import MemoryState

LIVE = {
    "missing code": None,
    "malformed code": "12345x",
    "wrong code": "918273",
    "expired token": "546372",
    "expired seed": "647382",
}
EXPIRED = {"expiresAt": "2020-01-01T00:00:00Z"}
WARM_UP = 2000
ROUNDS_PER_STEP = 10
"""A new time step so often: then each peer's codes are made anew, and strangers stay below 60 a minute."""


def token_of(name: str) -> str:
    """As long for everybody."""
    return "a2at_" + base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode().rstrip("=")


def roster_text() -> str:
    """Each kind with a peer of its own, so that all meet a new time step alike."""
    peers = {}
    for name in LIVE:
        seed = base64.b32encode(hashlib.sha256(name.encode()).digest()[:20]).decode()
        token = {"id": "t", "hash": "sha256:" + hashlib.sha256(token_of(name).encode()).hexdigest()}
        peers[name.replace(" ", "-")] = {
            "replay": "reuse",
            "seeds": [{"id": "s", "seed": seed, **(EXPIRED if name == "expired seed" else {})}],
            "tokens": [{**token, **(EXPIRED if name == "expired token" else {})}],
        }
    profile = {"algorithm": "SHA1", "digits": 6, "period": 30, "window": 1, "header": "X-TOTP"}
    return json.dumps({"version": 1, "agent": "timing", "profile": profile, "peers": peers})


def fields_of(kind: str, number: int) -> list[tuple[str, str]]:
    """What a request of a kind carries; every stranger is another one."""
    stranger = kind == "unknown token"
    token = token_of(f"stranger-{number}" if stranger else kind)
    code = LIVE["wrong code" if stranger else kind]
    return [("authorization", f"Bearer {token}"), *([] if code is None else [("x-totp", code)])]


async def main(rounds: int) -> None:
    """Measures, and prints."""
    logging.getLogger("a2a_totp").disabled = True
    roster = parse_server_file(roster_text())
    clock = [1_780_332_007.0]
    looks: list[Callable[[], Awaitable[None]]] = []
    state = MemoryState(since=0)
    # One guess in each time step is counted, 2,880 a day: no budget is ever exhausted.
    scheme = TOTPServerAuthScheme._of_roster(
        lambda: roster, now=lambda: clock[0], state=state, later=looks.append, throttle_risk=0.03
    )
    kinds = [*LIVE, "unknown token"]
    samples: dict[str, list[int]] = {kind: [] for kind in kinds}
    bodies = set()
    for number in range(WARM_UP + rounds):
        if number % ROUNDS_PER_STEP == 0:
            clock[0] += 30
        random.shuffle(kinds)
        for kind in kinds:
            request = AuthRequest(fields_of(kind, number), "192.0.2.1")
            begin = time.perf_counter_ns()
            outcome = await scheme.authenticate(request)
            took = time.perf_counter_ns() - begin
            while looks:
                await looks.pop()()
            assert isinstance(outcome, Refusal)
            bodies.add((outcome.status, tuple(outcome.headers), outcome.body))
            if number >= WARM_UP:
                samples[kind].append(took)
    assert len(bodies) == 1
    print(json.dumps(samples))


asyncio.run(main(int(sys.argv[1])))
