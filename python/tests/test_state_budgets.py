"""The limits on guesses, and the risk that they follow from; the same tables as test/state/budgets.test.ts."""

import math
import random
from typing import Any

import pytest

from a2a_totp.errors import TOTPError
from a2a_totp.state.budgets import (
    DEFAULT_RISK,
    Budget,
    budgets_by_digits,
    chance_of_guess,
    guesses_a_day,
    limits_for,
    risk_of,
    wait_for,
)


@pytest.mark.parametrize(
    ("digits", "window", "limits"),
    [
        (6, 0, [15, 60, 150]),
        (6, 1, [5, 20, 50]),
        (6, 2, [5, 12, 30]),
        (7, 1, [50, 200, 500]),
        (8, 0, [1500, 6000, 15_000]),
        (8, 1, [500, 2000, 5000]),
        (8, 2, [300, 1200, 3000]),
        (6, 20, [3, 3, 3]),
        (6, 74, [1, 1, 1]),
        (8, 120, [6, 24, 62]),
    ],
)
def test_the_limits_that_follow_from_the_default_risk(digits: int, window: int, limits: list[int]) -> None:
    budgets = limits_for(digits, window)
    assert [limit for limit, _ in budgets] == limits
    assert [seconds for _, seconds in budgets] == [30, 3600, 86_400]
    assert risk_of(budgets, digits, window) <= DEFAULT_RISK * (1 + 1e-11)


def test_no_limit_allows_more_than_the_risk_and_one_more_guess_would() -> None:
    numbers = random.Random()  # noqa: S311
    for _ in range(2000):
        digits, window, risk = numbers.choice((6, 7, 8)), numbers.randrange(121), 10 ** numbers.uniform(-10.5, 3)
        if chance_of_guess(digits, window) > risk * (1 + 1e-12):
            with pytest.raises(TOTPError):
                limits_for(digits, window, risk)
            continue
        short, hour, day = (limit for limit, _ in limits_for(digits, window, risk))
        assert (day + 1) * chance_of_guess(digits, window) > risk
        assert risk_of(limits_for(digits, window, risk), digits, window) <= risk * (1 + 1e-11)
        assert min(5, day) <= short <= hour <= day


def test_there_are_none_without_a_bound_on_the_risk() -> None:
    assert limits_for(6, 2, math.inf) == ()


def refusal_of(**given: Any) -> str:
    """Why budgets are refused."""
    with pytest.raises(TOTPError) as caught:
        budgets_by_digits(given.pop("window", 1), **given)(given.pop("digits", 6))
    assert caught.value.code == "ERR_CONFIG_INVALID"
    return str(caught.value)


def test_a_risk_that_allows_no_guess_is_refused_with_what_would_be_right() -> None:
    assert refusal_of(window=120) == (
        "risk 1.5e-4 allows not even one guess a day with 6 digits and window 120; "
        "use 7 digits, or a smaller window, or set throttle_risk to at least 2.5e-4"
    )
    assert "use a smaller window, or set throttle_risk to at least 2.5e-4" in refusal_of(window=120, risk=1e-9)


@pytest.mark.parametrize(
    ("budgets", "allowed", "needed"),
    [
        ([(1, 9)], "2.9e-2 accepted guesses a day", "2.9e-2"),
        ([(51, 86_400)], "1.6e-4 accepted guesses a day", "1.6e-4"),
        ([(10_000, 1)], "2600 accepted guesses a day", "2600"),
        ([], "any number of guesses", "math.inf"),
    ],
)
def test_budgets_that_allow_more_than_the_risk_are_refused(budgets: Any, allowed: str, needed: str) -> None:
    assert refusal_of(budgets=budgets) == (
        f"these budgets allow {allowed}, more than risk 1.5e-4; "
        f"lower the limits, or set throttle_risk to at least {needed}"
    )


@pytest.mark.parametrize(
    "budget", [(0, 30), (5, 0), (1.5, 30), (math.nan, 30), (5, math.inf), (True, 30), (10**9 + 1, 30)]
)
def test_a_budget_has_whole_numbers_above_zero(budget: Any) -> None:
    assert "whole numbers" in refusal_of(budgets=[(5, 30), budget], risk=math.inf)


@pytest.mark.parametrize("risk", [0, -1, math.nan, "1", None, True])
def test_a_risk_is_a_number_above_zero(risk: Any) -> None:
    assert "throttle_risk" in refusal_of(risk=risk)


def test_given_budgets_apply_as_they_are_ten_times_as_many_with_each_further_digit() -> None:
    given = budgets_by_digits(0, budgets=[(3, 3600)])
    assert [given(digits) for digits in (6, 7, 8)] == [((3, 3600),), ((30, 3600),), ((300, 3600),)]
    assert budgets_by_digits(1, risk=math.inf, budgets=[])(8) == ()
    assert budgets_by_digits(1)(8) == limits_for(8, 1)
    assert [limit for limit, _ in budgets_by_digits(1, risk=3e-4)(8)] == [1000, 4000, 10_000]


def test_budgets_allow_as_many_guesses_a_day_as_the_strictest_of_them() -> None:
    given: list[Any] = [[], limits_for(6, 1), [(2, 50_000)], [(2, 1_000_000)]]
    assert [guesses_a_day(budgets) for budgets in given] == [math.inf, 50, 4, 2]


def test_one_waits_for_the_fullest_of_them() -> None:
    budgets = (Budget(2, 10), Budget(3, 100))
    cases: list[Any] = [([], 5000), ([0], 5000), ([0, 1000], 5000), ([0, 1000], 10_000), ([0, 1000, 20_000], 20_000)]
    assert [wait_for(events, budgets, at) for events, at in cases] == [0, 0, 5000, 0, 80_000]
