"""The limits on guesses, and the risk that they follow from."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from a2a_totp.errors import TOTPError

DEFAULT_RISK = 1.5e-4
"""The expected number of accepted guesses a day of one seed, unless a scheme is told otherwise: one in 18 years."""

_DIGIT_COUNTS = (6, 7, 8)
_DAY_SECONDS = 86_400
_LEAST_IN_SHORT = 5
"""A client that restarts may send a few wrong codes; no limit is below this, unless that of a day is."""
_MOST_OF_BUDGET = 10**9
"""Far beyond any use, and small enough that instants, counts and their sums stay exact in Redis too."""
_LARGEST_EXACT = 2**53 - 1
_ROUNDING = 1 + 1e-12
"""1.5e-4 / 3e-6 is 49.99…: rounding errors are far below one part in 10¹²."""


class Budget(NamedTuple):
    """How many events are allowed in any period of so many seconds (a sliding window)."""

    limit: int
    seconds: int


@functools.cache
def limits_for(digits: int, window: int, risk: float = DEFAULT_RISK) -> tuple[Budget, ...]:
    """The limits on guesses at one seed, so that the expected number of accepted ones is at most `risk` a day.

    A day has risk / chance of a guess, an hour 40 % of that, 30 s 10 %; neither of these is below 5, nor above the
    day's. A success does not reset them: while a thief guesses, the real peer succeeds all day.

    `risk` is above 0; with math.inf there are no limits. Raises TOTPError ERR_CONFIG_INVALID when it allows not even
    one guess a day.
    """
    day = _guesses_within(risk, digits, window)
    if day < 1:
        raise _no_guess_allowed(risk, digits, window)
    # There are fewer codes than that.
    if day > _LARGEST_EXACT:
        return ()
    whole = int(day)
    shorter = ((math.floor(whole / 10), 30), (math.floor(whole * 4 / 10), 3600))
    return (
        *(Budget(min(max(limit, _LEAST_IN_SHORT), whole), seconds) for limit, seconds in shorter),
        Budget(whole, _DAY_SECONDS),
    )


def chance_of_guess(digits: int, window: int) -> float:
    """The chance that one guess matches a code of a seed: each time step of the window has one that does."""
    return float((2 * window + 1) / 10**digits)


def guesses_a_day(budgets: Iterable[tuple[int, int]]) -> float:
    """How many guesses a day budgets allow: what the strictest of them does; math.inf without any."""
    return min((limit * math.ceil(_DAY_SECONDS / seconds) for limit, seconds in budgets), default=math.inf)


def risk_of(budgets: Iterable[tuple[int, int]], digits: int, window: int) -> float:
    """The expected number of accepted guesses a day of one seed."""
    return guesses_a_day(budgets) * (2 * window + 1) / float(10**digits)


def budgets_by_digits(
    window: int, *, risk: float = DEFAULT_RISK, budgets: Sequence[tuple[int, int]] | None = None
) -> Callable[[int], tuple[Budget, ...]]:
    """How guesses at a seed are limited: by the risk alone, or by budgets for 6 digits that keep within it.

    Returns the budgets by the digits of a peer's codes: with each further digit, ten times as many guesses.

    Raises TOTPError ERR_CONFIG_INVALID for a risk that is not a number above 0, and for budgets that are not valid or
    allow more than the risk; the function that it returns raises it where not even one guess a day is allowed.
    """
    if isinstance(risk, bool) or not isinstance(risk, (int, float)) or not risk > 0:
        raise TOTPError(
            "ERR_CONFIG_INVALID",
            "throttle_risk must be a number above 0: the expected accepted guesses a day of one seed",
        )
    if budgets is None:
        return lambda digits: limits_for(digits, window, risk)
    given = parse_budgets(budgets)
    _require_within(risk, given, window)
    return lambda digits: tuple(Budget(limit * 10 ** (digits - 6), seconds) for limit, seconds in given)


def parse_budgets(budgets: Iterable[tuple[int, int]]) -> tuple[Budget, ...]:
    """Raises TOTPError ERR_CONFIG_INVALID unless limits and lengths are whole numbers from 1 to 10⁹."""
    parsed = tuple(Budget(*budget) for budget in budgets)
    for budget in parsed:
        if not all(is_whole(count) and 0 < count <= _MOST_OF_BUDGET for count in budget):
            raise TOTPError(
                "ERR_CONFIG_INVALID",
                "limit and seconds of a budget must be whole numbers above 0, and at most 1000000000",
            )
    return parsed


def is_whole(number: object) -> bool:
    """Whether it is a whole number; True and False are none."""
    return isinstance(number, int) and not isinstance(number, bool)


def memory_of(budgets: Iterable[tuple[int, int]]) -> int:
    """How many of the newest events have to be kept for these budgets."""
    return max((limit for limit, _ in budgets), default=0)


def longest_ms(budgets: Iterable[tuple[int, int]]) -> int:
    """The length of the longest budget in milliseconds: how long an event has to be kept."""
    return max((seconds * 1000 for _, seconds in budgets), default=0)


def wait_for(events: Sequence[int], budgets: Iterable[tuple[int, int]], at: int) -> int:
    """Milliseconds until one more event fits every budget; 0 if it fits now. `events` are instants, oldest first."""
    free = at
    for limit, seconds in budgets:
        # The budget is exhausted while it still covers the limit-th newest event.
        if len(events) >= limit:
            free = max(free, events[-limit] + seconds * 1000)
    return free - at


def _guesses_within(risk: float, digits: int, window: int) -> float:
    """How many guesses a day have at most this risk together: a whole number, or math.inf."""
    guesses = risk / chance_of_guess(digits, window) * _ROUNDING
    return guesses if math.isinf(guesses) else math.floor(guesses)


def _require_within(risk: float, budgets: Sequence[Budget], window: int) -> None:
    """Further digits change nothing: limits and codes are ten times as many with each."""
    if guesses_a_day(budgets) <= _guesses_within(risk, 6, window):
        return
    needed = risk_of(budgets, 6, window)
    allowed = "any number of guesses" if math.isinf(needed) else f"{_shown_up(needed)} accepted guesses a day"
    raise TOTPError(
        "ERR_CONFIG_INVALID",
        f"these budgets allow {allowed}, more than risk {_shown_number(risk)}; "
        f"lower the limits, or set throttle_risk to at least {_shown_up(needed)}",
    )


def _no_guess_allowed(risk: float, digits: int, window: int) -> TOTPError:
    enough = next((count for count in _DIGIT_COUNTS if _guesses_within(risk, count, window) >= 1), None)
    return TOTPError(
        "ERR_CONFIG_INVALID",
        f"risk {_shown_number(risk)} allows not even one guess a day with {digits} digits and window {window}; use "
        f"{'' if enough is None else f'{enough} digits, or '}a smaller window, or set throttle_risk to at least "
        f"{_shown_up(chance_of_guess(digits, window))}",
    )


def _shown_number(value: float) -> str:
    """A number as one would write it in code: 0.00015 as 1.5e-4."""
    if value >= 1:
        return repr(int(value)) if value == math.floor(value) and value < 1e21 else repr(value)
    sign, digits, _ = (number := Decimal(repr(value)).normalize()).as_tuple()
    mantissa = str(Decimal((sign, digits, 1 - len(digits))))
    return f"{mantissa}e{number.adjusted()}"


def _shown_up(value: float) -> str:
    """With two significant digits, rounded up, so that it is enough when somebody copies it."""
    if math.isinf(value):
        return "math.inf"
    near = f"{value:.1e}"
    if float(near) >= value * (1 - 1e-12):
        return _shown_number(float(near))
    mantissa, exponent = near.split("e")
    return _shown_number(float(f"{round(float(mantissa) * 10) + 1}e{int(exponent) - 1}"))
