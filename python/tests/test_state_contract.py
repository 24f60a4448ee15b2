"""What every state promises: memory and Redis sign the same tests, as in test/state/state-contract.ts."""

import random
from typing import Any

import pytest
from state_attempts import BUDGETS, PERIOD, SOME_STEP, in_step, late_by, right_code, wrong_code
from states import MakeState, Run, all_at_once, kinds_of, run_fixture, server_fixture  # noqa: F401

from a2a_totp.state.budgets import Budget
from a2a_totp.state.contract import Decision, State, Supports

WRONG = Decision("wrong")
COUNTED = Decision("wrong", counted=True)
TRIPPED = Decision("wrong", counted=True, tripped=True)


def test_it_says_what_it_can_do(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        assert state.supports == Supports(once=True, proofs=True)
        assert isinstance(state, State)

    run(test)


def test_one_of_many_simultaneous_uses_of_a_step_is_accepted(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        answers = await all_at_once(state, [right_code(SOME_STEP)] * 64)
        assert sorted(answer.outcome for answer in answers) == ["accepted"] + ["replayed"] * 63

    run(test)


def test_a_step_is_accepted_exactly_when_it_is_newer_than_every_accepted_one(run: Run) -> None:
    numbers = random.Random()  # noqa: S311

    async def test(make: MakeState) -> None:
        for _ in range(30):
            state, newest = await make(), -1
            for step in [numbers.randrange(41) for _ in range(30)]:
                decision = await state.decide(right_code(SOME_STEP + step, at=in_step(SOME_STEP + 20)))
                assert decision.outcome == ("accepted" if step > newest else "replayed")
                newest = max(newest, step)

    run(test)


def test_claims_belong_to_a_seed_whatever_peer_or_token_it_comes_with(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        assert await kinds_of(
            state,
            right_code(SOME_STEP),
            right_code(SOME_STEP, peer="bob"),
            right_code(SOME_STEP, **{"token": "sha256:bb"}),
            right_code(SOME_STEP, seeds=("another", "seed-of-alice"), seed="seed-of-alice"),
            right_code(SOME_STEP, seeds=("another", "seed-of-alice")),
            right_code(SOME_STEP, seeds=("another",)),
        ) == ["accepted", "replayed", "replayed", "replayed", "accepted", "replayed"]

    run(test)


def test_a_used_step_is_remembered_to_its_end_and_while_the_clock_is_wrong(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, hour = await make(), 3600 // PERIOD
        used = right_code(SOME_STEP, at=in_step(SOME_STEP - 1, 0))
        assert await kinds_of(state, used) == ["accepted"]
        moments = (in_step(SOME_STEP + 1, 29.999), in_step(SOME_STEP + hour), in_step(SOME_STEP - hour))
        for at in moments:
            await state.decide(right_code(SOME_STEP + hour + 1, seeds=("another",), at=at))
            assert await kinds_of(state, right_code(SOME_STEP, at=at)) == ["replayed"]

    run(test)


def test_a_replay_is_told_when_the_next_step_begins(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        await state.decide(right_code(SOME_STEP))
        again = await state.decide(right_code(SOME_STEP, at=in_step(SOME_STEP, 20.5)))
        assert again == Decision("replayed", 10)
        at = in_step(SOME_STEP + 5, 20)
        await state.decide(right_code(SOME_STEP + 6, at=at))
        for step in (SOME_STEP + 6, SOME_STEP + 4):
            assert await state.decide(right_code(step, at=at)) == Decision("replayed", 40)

    run(test)


@pytest.mark.parametrize("window", [0, 1, 2])
def test_no_step_is_known_that_could_be_used_before_the_memory_began(run: Run, window: int) -> None:
    async def test(make: MakeState) -> None:
        state = await make(in_step(SOME_STEP, 10))
        at, first = in_step(SOME_STEP, 11), SOME_STEP + 1 + window
        for step in range(SOME_STEP - window, first):
            wait = (first - SOME_STEP) * PERIOD - 11
            assert await state.decide(right_code(step, at=at, window=window)) == Decision("unknown", wait)
        assert await kinds_of(state, right_code(first, window=window)) == ["accepted"]

    run(test)


def test_a_step_whose_code_became_acceptable_as_the_memory_began_is_known(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make(in_step(SOME_STEP, 0))
        assert await kinds_of(state, right_code(SOME_STEP + 1)) == ["accepted"]

    run(test)


def test_under_reuse_a_code_is_accepted_any_number_of_times_and_spends_its_step_all_the_same(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make(in_step(SOME_STEP, 14))
        assert set(await kinds_of(state, *[right_code(SOME_STEP, policy="reuse")] * 10)) == {"accepted"}
        other = await make()
        assert await kinds_of(
            other,
            right_code(SOME_STEP, policy="reuse"),
            right_code(SOME_STEP - 1, policy="reuse"),
            right_code(SOME_STEP),
            right_code(SOME_STEP + 1),
            right_code(SOME_STEP, policy="reuse"),
        ) == ["accepted", "accepted", "replayed", "accepted", "accepted"]

    run(test)


def test_as_many_guesses_are_evaluated_as_the_budget_allows(run: Run) -> None:
    """It trips on the last, and then the right code is throttled too."""

    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        answers = [await state.decide(wrong_code(code, at, budgets=BUDGETS)) for code in "12341"]
        throttled = Decision("throttled", 30)
        assert answers == [COUNTED, COUNTED, TRIPPED, throttled, throttled]
        assert await state.decide(right_code(SOME_STEP, budgets=BUDGETS)) == throttled

    run(test)


def test_the_right_code_passes_once_the_window_has_slid_to_the_millisecond(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, begin = await make(), in_step(SOME_STEP, 0)
        for second in (0, 1, 2):
            await state.decide(wrong_code(str(second), begin + second, budgets=BUDGETS))
        late = right_code(SOME_STEP, at=begin + 29.999, budgets=BUDGETS)
        assert await state.decide(late) == Decision("throttled", 1)
        assert await kinds_of(state, right_code(SOME_STEP, at=begin + 30, budgets=BUDGETS)) == ["accepted"]

    run(test)


def test_the_same_wrong_code_counts_once_in_a_step_and_again_in_the_next(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        for number in range(20):
            answer = await state.decide(wrong_code("123456", in_step(SOME_STEP), budgets=BUDGETS))
            assert answer == (WRONG if number else COUNTED)
        after = in_step(SOME_STEP + 1, 0)
        await state.decide(wrong_code("123456", after, budgets=BUDGETS))
        assert await state.decide(wrong_code("654321", after, budgets=BUDGETS)) == TRIPPED

    run(test)


def test_neither_without_budgets_nor_without_live_seeds_is_anything_counted(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        assert await state.decide(wrong_code("1", at)) == WRONG
        assert await state.decide(wrong_code("1", at, budgets=BUDGETS, seeds=())) == WRONG

    run(test)


def test_a_budget_belongs_to_a_seed_with_all_its_tokens_and_peers(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        given: list[dict[str, Any]] = [{"token": "sha256:aa"}, {"token": "sha256:bb"}, {"peer": "bob"}]
        for code, one in enumerate(given):
            await state.decide(wrong_code(str(code), at, budgets=BUDGETS, **one))
        assert await kinds_of(
            state,
            right_code(SOME_STEP, budgets=BUDGETS, **{"token": "sha256:cc"}),
            right_code(SOME_STEP, budgets=BUDGETS, seeds=("another",)),
        ) == ["throttled", "accepted"]

    run(test)


def test_a_guess_counts_at_every_live_seed_and_one_exhausted_budget_throttles(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        await state.decide(wrong_code("1", at, budgets=BUDGETS, seeds=("old",)))
        for code in "23":
            await state.decide(wrong_code(code, at, budgets=BUDGETS, seeds=("old", "new")))
        seeds = (("old", "new"), ("new", "old"), ("old",), ("new",))
        right = [right_code(SOME_STEP, budgets=BUDGETS, seeds=some, policy="reuse") for some in seeds]
        assert await kinds_of(state, *right) == ["throttled", "throttled", "throttled", "accepted"]
        assert await state.decide(wrong_code("4", at, budgets=BUDGETS, seeds=("new",))) == TRIPPED

    run(test)


def listed(token: str, *live: str, **given: Any) -> dict[str, Any]:
    """With a token, and those that are live."""
    return {"budgets": BUDGETS, "policy": "reuse", "token": token, "live_tokens": lambda: live, **given}


def test_guesses_with_tokens_that_are_no_longer_live_are_forgotten(run: Run) -> None:
    """So a new token restores service; and they count again where the old one is live."""

    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        stolen, fresh = listed("sha256:a", "sha256:a"), listed("sha256:b", "sha256:b")
        both = listed("sha256:b", "sha256:b", "sha256:a")
        for code in "123":
            await state.decide(wrong_code(code, at, **stolen))
        tried = [right_code(SOME_STEP, **given) for given in (stolen, both, fresh, fresh, both, stolen)]
        expected = ["throttled", "throttled", "accepted", "accepted", "throttled", "throttled"]
        assert await kinds_of(state, *tried) == expected
        guesses = [wrong_code(code, at, **fresh) for code in "4567"]
        assert await kinds_of(state, *guesses) == ["wrong", "wrong", "wrong", "throttled"]

    run(test)


def test_no_guess_is_forgotten_where_tokens_are_not_listed(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        for code in "123":
            await state.decide(wrong_code(code, at, budgets=BUDGETS))
        assert await kinds_of(state, right_code(SOME_STEP, **listed("sha256:b", "sha256:b"))) == ["throttled"]
        unlisted = {**listed("sha256:b"), "live_tokens": lambda: None}
        assert await kinds_of(state, right_code(SOME_STEP, **unlisted)) == ["throttled"]

    run(test)


def test_sixteen_tokens_are_told_apart_and_no_guess_with_any_other_is_forgotten(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state, at = await make(), in_step(SOME_STEP)
        tokens = [f"sha256:{number}" for number in range(20)]
        loose = (Budget(20, 3600),)
        for number, token in enumerate(tokens):
            await state.decide(wrong_code(str(number), at, **listed(token, *tokens, budgets=loose)))
        fresh = [listed("sha256:new", "sha256:new", budgets=(Budget(limit, 3600),)) for limit in (4, 5)]
        right = [right_code(SOME_STEP, **given) for given in fresh]
        assert await kinds_of(state, *right) == ["throttled", "accepted"]

    run(test)


def test_a_clock_that_was_far_ahead_for_one_guess_locks_nobody_out(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        await state.decide(wrong_code("1", in_step(SOME_STEP + 86_400), budgets=BUDGETS))
        for code in "23":
            await state.decide(wrong_code(code, in_step(SOME_STEP), budgets=BUDGETS))
        assert await kinds_of(state, right_code(SOME_STEP + 130, budgets=BUDGETS)) == ["accepted"]

    run(test)


def test_no_window_ever_has_more_guesses_than_its_budget_however_they_come(run: Run) -> None:
    numbers = random.Random()  # noqa: S311

    async def test(make: MakeState) -> None:
        for _ in range(10):
            state, evaluated, at_ms = await make(), list[int](), round(in_step(SOME_STEP) * 1000)
            for number in range(60):
                at_ms += numbers.randrange(40_000)
                recent = [sum(then > at_ms - seconds * 1000 for then in evaluated) for _, seconds in BUDGETS]
                full = any(count >= limit for count, (limit, _) in zip(recent, BUDGETS, strict=True))
                decision = await state.decide(wrong_code(str(number), at_ms / 1000, budgets=BUDGETS))
                assert decision.outcome == ("throttled" if full else "wrong")
                evaluated += [] if full else [at_ms]

    run(test)


async def _guess(state: State, code: str, drift: int | None, after: int = 0, **given: Any) -> bool | None:
    """Counts a guess, and looks at it again."""
    attempt = wrong_code(code, in_step(SOME_STEP + after), **{"budgets": BUDGETS, **given})
    decision = await state.decide(attempt)
    assert decision.outcome == "wrong"
    assert decision.counted
    return None if drift is None else await state.take_back(attempt, late_by(drift, SOME_STEP + after))


async def _ahead(state: State, after: int, drift: int, **given: Any) -> bool | None:
    """A code ahead by that many steps, sent that many steps after SOME_STEP."""
    return await _guess(state, f"{after} {drift}", drift, after, budgets=(Budget(1000, 86_400),), **given)


def test_a_code_behind_the_window_is_taken_back_at_every_seed_and_with_its_token(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        given = listed("sha256:aa", "sha256:aa", seeds=("old", "new"))
        for code in "1234":
            assert await _guess(state, code, -5, **given)
        assert await kinds_of(state, right_code(SOME_STEP, **given)) == ["accepted"]

    run(test)


def test_a_late_code_frees_the_budget_that_it_has_exhausted_and_does_not_count_again(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        for code in "12":
            await _guess(state, code, None)
        assert await _guess(state, "3", -5)
        assert await state.decide(wrong_code("3", in_step(SOME_STEP), budgets=BUDGETS)) == WRONG
        assert await kinds_of(state, right_code(SOME_STEP, budgets=BUDGETS, policy="reuse")) == ["accepted"]
        await _guess(state, "4", None)
        assert await kinds_of(state, right_code(SOME_STEP, budgets=BUDGETS)) == ["throttled"]

    run(test)


def test_a_right_code_is_not_taken_back(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        right = right_code(SOME_STEP)
        await state.decide(right)
        await state.take_back(right, late_by(-5))
        assert await kinds_of(state, right) == ["replayed"]

    run(test)


def test_the_first_code_ahead_counts_and_the_next_ones_of_that_clock_are_taken_back(run: Run) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        taken = [await _ahead(state, after, drift) for after, drift in ((0, 5), (1, 5), (2, 6), (3, 5))]
        assert taken == [False, True, True, True]
        day = [await _ahead(state, after, 20, peer="carol") for after in range(0, 24 * 120, 20)]
        assert day.count(False) == 1

    run(test)


@pytest.mark.parametrize(
    ("after", "drift", "given"),
    [(1, 7, {}), (0, 5, {"seeds": ("another",)}), (0, 4, {}), (1, 5, {"peer": "bob"}), (41, 5, {})],
    ids=["another drift", "another seed", "an older step", "another peer", "21 minutes later"],
)
def test_a_code_ahead_counts_where_no_such_was_expected(
    run: Run, after: int, drift: int, given: dict[str, Any]
) -> None:
    async def test(make: MakeState) -> None:
        state = await make()
        await _ahead(state, 0, 5)
        assert await _ahead(state, after, drift, **given) is False

    run(test)
