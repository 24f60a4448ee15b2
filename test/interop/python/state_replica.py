"""One replica of an agent, beside those of test/support/state-worker.ts: `state_replica.py PORT PREFIX POLICY`.

For each line of JSON that it reads, a volley of requests, it answers with one: how often each outcome came.
"""

import asyncio
import base64
import hashlib
import json
import logging
import sys
from collections import Counter
from typing import Any

from a2a_totp.profile import Profile
from a2a_totp.proof.keys import proof_key
from a2a_totp.roster import Grant, Peer, Roster, Seed
from a2a_totp.scheme.outcome import Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme
from a2a_totp.state import redis_state
from redis.asyncio import Redis

BYTES = hashlib.sha256(b"alice").digest()
TOKEN = "a2at_" + base64.urlsafe_b64encode(BYTES).decode().rstrip("=")
AGENT = "agent"


async def main(port: str, prefix: str, policy: Any) -> None:
    """Until its input ends."""
    seed = Seed("alice-seed", BYTES[:20])
    alice = Peer("alice", Profile(), policy, (seed,), "accept", (proof_key(seed.key, AGENT),))
    clock, live = [0.0], [TOKEN]

    roster_of = {}
    for token in (TOKEN, f"{TOKEN}-rotated"):
        hashed = "sha256:" + hashlib.sha256(token.encode()).hexdigest()
        roster_of[token] = Roster(AGENT, Profile(), {"alice": alice}, {hashed: Grant(alice)}, signed="accept")
    async with Redis(host="127.0.0.1", port=int(port)) as client:
        state = redis_state(client, prefix=prefix, timeout_ms=5000, now=lambda: clock[0])
        scheme = TOTPServerAuthScheme._of_roster(
            lambda: roster_of[live[0]], now=lambda: clock[0], state=state, later=lambda _: None
        )

        async def outcome_of(method: str, fields: dict[str, str]) -> str:
            request = AuthRequest(fields.items(), "192.0.2.1", method, "/a2a")
            outcome = await scheme.authenticate(request)
            return outcome.reason if isinstance(outcome, Refusal) else "accepted"

        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            volley = json.loads(line)
            clock[0] = volley["at"] / 1000
            live[0] = f"{TOKEN}-rotated" if volley.get("rotated") else TOKEN
            bearer = {"Authorization": f"Bearer {live[0]}"}
            requests = [("POST", {**bearer, "X-TOTP": code}) for code in volley["codes"]]
            requests += [("GET", fields) for fields in volley.get("signed", [])]
            outcomes = await asyncio.gather(*(outcome_of(*request) for request in requests))
            print(json.dumps(Counter(outcomes)), flush=True)


# Refusals are what is asked for here.
logging.disable(logging.WARNING)
asyncio.run(main(*sys.argv[1:]))
