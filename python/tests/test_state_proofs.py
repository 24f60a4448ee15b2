"""What every state promises of signed requests, as in test/state/proof-contract.ts."""

import math
import random
from dataclasses import replace
from typing import Any, Literal

import pytest
from state_attempts import PERIOD, SOME_STEP, in_step, right_code, signed, some_nonce, wrong_code
from states import MakeState, Run, all_at_once, kinds_of, run_fixture, server_fixture  # noqa: F401

from a2a_totp.state.budgets import Budget
from a2a_totp.state.contract import Decision

ACCEPTED, REPLAYED = Decision("accepted"), Decision("replayed")
Policy = Literal["once", "reuse"]
under_either = pytest.mark.parametrize("policy", ["once", "reuse"])


@under_either
def test_one_of_many_simultaneous_requests_with_one_nonce_is_accepted(run: Run, policy: Policy) -> None:
    async def test(make: MakeState) -> None:
        state, nonce = await make(), some_nonce()
        answers = await all_at_once(state, [signed(SOME_STEP, policy=policy, nonce=nonce) for _ in range(64)])
        assert (answers.count(ACCEPTED), answers.count(REPLAYED)) == (1, 63)
        others = await all_at_once(state, [signed(SOME_STEP, policy=policy) for _ in range(100)])
        assert others == [ACCEPTED] * 100

    run(test)


@under_either
@pytest.mark.parametrize(
    "again",
    [
        {"peer": "bob", "token": "sha256:bb"},
        {"created": math.floor(in_step(SOME_STEP)) - 20, "expires": math.floor(in_step(SOME_STEP)) + 100},
        {"step": SOME_STEP + 1},
        {"policy": "other"},
        {"seeds": ("another", "seed-of-alice")},
    ],
    ids=" ".join,
)
def test_a_spent_nonce_is_refused_whatever_else_differs(run: Run, policy: Policy, again: dict[str, Any]) -> None:
    async def test(make: MakeState) -> None:
        state, nonce = await make(), some_nonce()
        assert await state.decide(signed(SOME_STEP, policy=policy, nonce=nonce)) == ACCEPTED
        given = {"policy": policy, "seed": "seed-of-alice", "nonce": nonce, **again}
        if given["policy"] == "other":
            given["policy"] = "reuse" if policy == "once" else "once"
        step = given.pop("step", SOME_STEP)
        assert await state.decide(signed(step, at=in_step(SOME_STEP), **given)) == REPLAYED

    run(test)


def test_nonces_are_told_apart_by_their_text_and_by_their_seed(run: Run) -> None:
    nonces = [
        "A" * 22,
        "a" * 22,
        "A" * 21 + "B",
        "A" * 23,
        "A" * 64,
        "0" * 22,
        "0" * 23,
        "1" + "0" * 21,
        "-" + "1" * 21,
    ]

    async def test(make: MakeState) -> None:
        state = await make()
        for expected in (ACCEPTED, REPLAYED):
            assert [await state.decide(signed(SOME_STEP, nonce=nonce)) for nonce in nonces] == [expected] * len(nonces)
        assert await state.decide(signed(SOME_STEP, seeds=("another",), nonce=nonces[0])) == ACCEPTED

    run(test)


@under_either
def test_a_nonce_is_remembered_to_its_last_moment_and_while_clocks_are_wrong(run: Run, policy: Policy) -> None:
    async def test(make: MakeState) -> None:
        state, first = await make(), signed(SOME_STEP, policy=policy)
        assert await state.decide(first) == ACCEPTED
        assert first.proof
        ends = first.proof.expires
        for at in (ends + 0.999, ends + 3600, first.at - 3600, first.at):
            # So that a state looks for what it can forget.
            await state.decide(signed(SOME_STEP, policy=policy, at=at, seeds=("another",)))
            await state.decide(signed(SOME_STEP, policy=policy, at=at))
            assert await state.decide(replace(first, at=at)) == REPLAYED

    run(test)


@under_either
def test_exhausted_budgets_do_not_matter_and_nothing_is_counted(run: Run, policy: Policy) -> None:
    async def test(make: MakeState) -> None:
        state, budgets = await make(), (Budget(1, 30),)
        await state.decide(wrong_code("1", in_step(SOME_STEP), budgets=budgets))
        first = signed(SOME_STEP, policy=policy, budgets=budgets)
        plain = [right_code(step, policy=policy, budgets=budgets) for step in (SOME_STEP, SOME_STEP + 1)]
        tried = (plain[0], first, first, plain[1])
        assert await kinds_of(state, *tried) == ["throttled", "accepted", "replayed", "accepted"]

    run(test)


@under_either
def test_no_proof_is_known_from_before_the_second_in_which_the_memory_began(run: Run, policy: Policy) -> None:
    async def test(make: MakeState) -> None:
        since = in_step(SOME_STEP) + 0.7
        state, at, second = await make(since), since + 0.1, math.floor(since)

        def proof(**given: int) -> Any:
            return signed(SOME_STEP, policy=policy, at=at, **given)

        old = proof(created=second - 1)
        assert await state.decide(old) == Decision("unknown", 1)
        assert (await state.decide(proof(created=second - 60, expires=second))).outcome == "unknown"
        assert await state.decide(proof(created=second)) == ACCEPTED
        # It wrote nothing.
        assert await state.decide(signed(SOME_STEP, policy=policy, at=at, nonce=old.proof.nonce)) == ACCEPTED

    run(test)


def test_it_says_when_a_proof_will_be_known(run: Run) -> None:
    async def test(make: MakeState) -> None:
        at = in_step(SOME_STEP)
        state = await make(at + 20.3)
        assert await state.decide(signed(SOME_STEP, at=at)) == Decision("unknown", 20)

    run(test)


def test_a_proof_raises_the_claim_of_its_seed_for_plain_requests_and_never_lowers_it(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        assert await kinds_of(
            state,
            right_code(SOME_STEP - 1, at=at),
            signed(SOME_STEP - 1, at=at),
            signed(SOME_STEP, at=at),
            right_code(SOME_STEP, at=at),
            signed(SOME_STEP - 1, at=at, policy="reuse"),
            right_code(SOME_STEP, at=at),
            right_code(SOME_STEP + 1, at=at),
            signed(SOME_STEP, at=at),
            right_code(SOME_STEP + 1, at=at),
        ) == ["accepted"] * 3 + ["replayed", "accepted", "replayed", "accepted", "accepted", "replayed"]

    run(test)


def test_a_spent_nonce_raises_no_claim_and_a_new_one_only_that_of_the_seed_that_matched(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, nonce, at = await make(), some_nonce(), in_step(SOME_STEP)
        await state.decide(signed(SOME_STEP, nonce=nonce))
        assert await state.decide(signed(SOME_STEP + 1, nonce=nonce, at=at)) == REPLAYED
        assert await state.decide(right_code(SOME_STEP + 1, at=at)) == ACCEPTED
        await state.decide(signed(SOME_STEP, seeds=("old", "new"), seed="new"))
        plain = [right_code(SOME_STEP, seeds=(seed,)) for seed in ("old", "new")]
        assert await kinds_of(state, *plain) == ["accepted", "replayed"]

    run(test)


def test_a_plain_code_is_accepted_exactly_when_its_step_is_newer_however_they_mix(run: Run) -> None:
    numbers = random.Random()  # noqa: S311

    async def test(make: MakeState) -> None:
        for _ in range(20):
            state, newest, at = await make(), -1, in_step(SOME_STEP + 10)
            for _ in range(30):
                step, is_signed = numbers.randrange(21), numbers.random() < 0.5
                attempt = (signed if is_signed else right_code)(SOME_STEP + step, at=at)
                expected = "accepted" if is_signed or step > newest else "replayed"
                assert (await state.decide(attempt)).outcome == expected
                newest = max(newest, step)

    run(test)


def test_a_seed_has_room_for_so_many_nonces_and_none_is_forgotten_early(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make(most_nonces=20)
        sent = [signed(SOME_STEP) for _ in range(20)]
        assert await all_at_once(state, sent) == [ACCEPTED] * 20
        full = await state.decide(signed(SOME_STEP))
        assert full.outcome == "full"
        # Until the end of the bucket, and where clocks of replicas differ a minute more.
        assert 2 * PERIOD < (full.retry_after or 0) <= 3 * PERIOD + 61
        assert await all_at_once(state, sent) == [REPLAYED] * 20
        others = (signed(SOME_STEP, seeds=("another",)), right_code(SOME_STEP + 1))
        assert await kinds_of(state, *others) == ["accepted", "accepted"]

    run(test)
