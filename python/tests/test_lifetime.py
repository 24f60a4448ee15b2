"""Until when a caller's credentials are valid: what streams end with."""

import asyncio
import copy
import json
import pickle
from pathlib import Path
from typing import Any

from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.scheme import AuthRequest, Caller, TOTPServerAuthScheme
from a2a_totp.scheme.lifetime import Lifetime
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.state.memory import MemoryState

VECTORS = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))
FILE = VECTORS["files"]["own"]
ALICE = FILE["peers"]["alice"]
AT = 1_780_332_007.0
SOON = "2026-06-01T16:40:08Z"
"""One second after AT."""


def changed(**changes: Any) -> Any:
    """A roster with alice alone, and other fields of hers."""
    return parse_server_file(json.dumps({**FILE, "peers": {"alice": {**ALICE, "replay": "reuse", **changes}}}))


async def let_in(scheme: TOTPServerAuthScheme) -> Caller:
    """Alice, with both factors."""
    code = code_of_step(b"\x01" * 20, Profile(), int(AT // 30))
    outcome = await scheme.authenticate(
        AuthRequest([("authorization", "Bearer a2at_vector-token-of-alice"), ("x-totp", code)])
    )
    assert isinstance(outcome, Caller)
    return outcome


class Rules:
    """A scheme whose roster and clock a test changes."""

    def __init__(self, **changes: Any) -> None:
        self.roster, self.at = changed(**changes), AT
        self.scheme = TOTPServerAuthScheme._of_roster(
            lambda: self.roster, now=lambda: self.at, state=MemoryState(since=0)
        )


def test_it_ends_when_a_changed_file_has_the_credentials_no_longer() -> None:
    """A new id, another policy or one more token is no end."""

    async def run() -> None:
        rules = Rules()
        caller = await let_in(rules.scheme)
        ending = asyncio.ensure_future(caller.lifetime.wait())
        seeds = [{"id": "renamed", "seed": ALICE["seeds"][0]["seed"]}]
        tokens = [*ALICE["tokens"], {"id": "t9", "hash": "sha256:" + "0" * 64}]
        rules.roster = changed(seeds=seeds, tokens=tokens, replay="once")
        assert caller.lifetime.ended is None
        await asyncio.wait([ending], timeout=0.6)
        assert not ending.done()
        rules.roster = changed(tokens=tokens[1:])
        assert await asyncio.wait_for(ending, 10) == "revoked"
        assert caller.lifetime.ended == "revoked"
        assert await caller.lifetime.wait() == "revoked"

    asyncio.run(run())


def test_it_ends_when_the_seed_is_withdrawn_or_the_token_goes_to_another_peer() -> None:
    """Both belong to the peer."""
    bob = {**FILE["peers"]["bob"], "tokens": ALICE["tokens"]}
    other = parse_server_file(json.dumps({**FILE, "peers": {"bob": bob}}))
    for roster in (changed(seeds=[{"id": ALICE["seeds"][0]["id"], "seed": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}]), other):
        rules = Rules()
        caller = asyncio.run(let_in(rules.scheme))
        rules.roster = roster
        assert caller.lifetime.ended == "revoked"


def test_it_ends_at_the_expiry_of_the_token_or_the_seed() -> None:
    """By the scheme's clock, in the same second."""
    expiring = [
        {"tokens": [{**ALICE["tokens"][0], "expiresAt": SOON}]},
        {"seeds": [{**ALICE["seeds"][0], "expiresAt": SOON}]},
    ]

    async def run(changes: Any) -> None:
        rules = Rules(**changes)
        caller = await let_in(rules.scheme)
        ending = asyncio.ensure_future(caller.lifetime.wait())
        await asyncio.wait([ending], timeout=0.3)
        assert not ending.done()
        rules.at = AT + 1
        assert await asyncio.wait_for(ending, 10) == "expired"

    for changes in expiring:
        asyncio.run(run(changes))


def test_what_nobody_waits_for_leaves_nothing_behind() -> None:
    """Nor does a wait that was given up, or whose loop is gone."""
    rules = Rules()
    caller = asyncio.run(let_in(rules.scheme))
    leases = rules.scheme._decider._leases

    async def give_up() -> None:
        waiting = [asyncio.ensure_future(caller.lifetime.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        assert len(next(iter(leases._waiting.values()))) == 3
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)

    assert not leases._waiting
    for _ in range(2):
        asyncio.run(give_up())
        assert not leases._waiting


def test_a_copy_of_a_caller_ends_with_it_and_shows_no_credentials() -> None:
    """In another process nothing is known of its end."""
    rules = Rules()
    caller = asyncio.run(let_in(rules.scheme))
    copied, sent = copy.deepcopy(caller), pickle.loads(pickle.dumps(caller))  # noqa: S301
    rules.roster = changed(tokens=[])
    assert (copied.lifetime.ended, sent.lifetime.ended) == ("revoked", None)
    assert sent == caller
    assert "sha256:" not in repr(caller)
    assert "lifetime" not in repr(caller)
    assert Lifetime().ended is None


def test_it_ends_although_the_clock_failed_once() -> None:
    """Nobody else looks, so one failed look must not be the last one."""

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: failed.set())
        failed, fails = asyncio.Event(), False

        def clock() -> float:
            if fails:
                raise RuntimeError("no clock")
            return rules.at

        rules = Rules()
        rules.scheme = TOTPServerAuthScheme._of_roster(lambda: rules.roster, now=clock, state=MemoryState(since=0))
        caller = await let_in(rules.scheme)
        ending = asyncio.ensure_future(caller.lifetime.wait())
        await asyncio.sleep(0)
        fails = True
        await asyncio.wait_for(failed.wait(), 10)
        rules.roster, fails = parse_server_file(json.dumps({**FILE, "peers": {}})), False
        assert await asyncio.wait_for(ending, 10) == "revoked"

    asyncio.run(run())
