"""Python's states for a test in TypeScript: answers each line of JSON with one.

`{"make": NAME, "port": PORT, "prefix": PREFIX}` makes a state in Redis, without a port one in memory; the others name
it. Attempts, decisions and budgets look as in TypeScript, instants are in milliseconds.
"""

import asyncio
import json
import math
import sys
from typing import Any

from a2a_totp.errors import TOTPError
from a2a_totp.state import (
    Attempt,
    Budget,
    Decision,
    Match,
    MemoryState,
    SpentProof,
    State,
    budgets_by_digits,
    limits_for,
    redis_state,
    risk_of,
)
from a2a_totp.state.redis_questions import decide_keys, decide_question, take_back_keys, take_back_question
from a2a_totp.state.strangers import key_of_source
from redis.asyncio import Redis

states: dict[str, State] = {}


def attempt_in(given: dict[str, Any]) -> Attempt:
    """As TypeScript has it; `liveTokens` is the list."""
    comparison, proof, live = given["comparison"], given.get("proof"), given.get("liveTokens")
    match = Match("", comparison["seed"], comparison["timeStep"], 0) if comparison["kind"] == "match" else None
    return Attempt(
        peer=given["peer"],
        seeds=tuple(given["seeds"]),
        token=given.get("token"),
        live_tokens=None if live is None else lambda: live,
        policy=given["policy"],
        budgets=tuple(Budget(budget["limit"], budget["seconds"]) for budget in given["budgets"]),
        at=given["at"] / 1000,
        time_step=given["timeStep"],
        period=given["period"],
        window=given["window"],
        code=comparison.get("code", ""),
        match=match,
        proof=SpentProof(**proof) if proof else None,
    )


def told(decision: Decision) -> dict[str, Any]:
    """As TypeScript has it."""
    if decision.outcome == "wrong":
        return {"kind": "wrong", "counted": decision.counted, "tripped": decision.tripped}
    wait = decision.retry_after
    return {"kind": decision.outcome, **({} if wait is None else {"retryAfter": wait})}


def limits_in(given: dict[str, Any]) -> dict[str, Any]:
    """The limits that follow from a risk, and from budgets; or that they are refused."""
    digits, window, budgets = given["digits"], given["window"], given.get("budgets")
    risk = math.inf if given["risk"] == "Infinity" else given["risk"]
    answer: dict[str, Any] = {}
    for name, make in {
        "byRisk": lambda: limits_for(digits, window, risk),
        "byBudgets": lambda: budgets_by_digits(window, risk=risk, budgets=budgets)(digits),
    }.items():
        try:
            limits = make()
        except TOTPError as error:
            answer[name] = error.code
            continue
        allowed = risk_of(limits, digits, window)
        answer[name] = {
            "limits": [list(limit) for limit in limits],
            "risk": "Infinity" if allowed == math.inf else allowed,
        }
    return answer


async def answer(line: dict[str, Any]) -> Any:
    """What a line asks for."""
    if "limits" in line:
        return [limits_in(one) for one in line["limits"]]
    if "sources" in line:
        return [key_of_source(source) for source in line["sources"]]
    if "questions" in line:
        late = Match("", "", line["late"]["timeStep"], line["late"]["drift"])
        return [
            {
                "keys": decide_keys("p", attempt),
                "question": decide_question(attempt, 240_000),
                "takeBackKeys": take_back_keys("p", attempt),
                "takeBack": take_back_question(attempt, late),
            }
            for attempt in map(attempt_in, line["questions"])
        ]
    if "make" in line:
        if "port" in line:
            client = Redis(host="127.0.0.1", port=line["port"])
            states[line["make"]] = redis_state(client, prefix=line["prefix"], timeout_ms=20_000)
        else:
            states[line["make"]] = MemoryState(line["since"] / 1000)
        return {}
    state, attempt = states[line["state"]], attempt_in(line["attempt"])
    if "late" in line:
        return await state.take_back(attempt, Match("", "", line["late"]["timeStep"], line["late"]["drift"]))
    return told(await state.decide(attempt))


async def main() -> None:
    """Until its input ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await answer(json.loads(line))), flush=True)


asyncio.run(main())
