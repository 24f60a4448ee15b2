"""What is of the state of one process alone."""

import asyncio
import math
import time
from typing import Any

import pytest
from state_attempts import BUDGETS, PERIOD, SOME_STEP, in_step, late_by, right_code, signed, wrong_code
from states import kinds_of

from a2a_totp.errors import TOTPError
from a2a_totp.state.memory import MemoryState, memory_state


def decided(state: MemoryState, *attempts: Any) -> list[str]:
    """What is decided, one after the other."""
    return asyncio.run(kinds_of(state, *attempts))


def test_without_a_beginning_it_begins_now() -> None:
    now = time.time()
    step = math.floor(now / PERIOD)
    assert decided(memory_state(), right_code(step, at=now), right_code(step + 3)) == ["unknown", "accepted"]


def test_a_beginning_that_only_a_wrong_clock_can_have_set_is_not_believed() -> None:
    state = MemoryState(in_step(SOME_STEP + 1_000_000))
    assert decided(state, right_code(SOME_STEP), right_code(SOME_STEP + 3)) == ["unknown", "accepted"]


@pytest.mark.parametrize(
    "given",
    [
        {"since": math.nan},
        {"since": math.inf},
        {"since": "now"},
        {"most_nonces": 0},
        {"most_nonces": 1.5},
        {"most_nonces_in_all": 0},
        {"most_nonces_in_all": True},
    ],
    ids=str,
)
def test_options_that_cannot_be_right_are_refused(given: Any) -> None:
    with pytest.raises(TOTPError) as caught:
        memory_state(**given)
    assert caught.value.code == "ERR_CONFIG_INVALID"


def test_the_bound_on_all_nonces_is_one_for_all_seeds() -> None:
    state = MemoryState(0, most_nonces_in_all=2)
    attempts = [signed(SOME_STEP, seeds=(seed,)) for seed in ("a", "b", "c")]
    assert decided(state, *attempts) == ["accepted", "accepted", "full"]


def test_memory_is_swept_of_what_is_over_by_both_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of nothing that is over by one of them."""
    uptime = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: uptime[0])
    state = MemoryState(0)
    year = 366 * 86_400

    def pass_by(seconds: float, at: float) -> None:
        uptime[0] += seconds
        decided(state, right_code(SOME_STEP, at=at, seeds=("other",), policy="reuse"))

    proof = signed(SOME_STEP)
    guess = wrong_code("1", in_step(SOME_STEP), budgets=BUDGETS)
    decided(state, right_code(SOME_STEP), proof, guess)
    asyncio.run(state.take_back(guess, late_by(5)))
    pass_by(61, in_step(SOME_STEP) + year)
    pass_by(year, in_step(SOME_STEP))
    assert decided(state, right_code(SOME_STEP), proof) == ["replayed", "replayed"]
    pass_by(year, in_step(SOME_STEP) + year)
    uptime[0] += 61
    pass_by(61, in_step(SOME_STEP) + 2 * year)
    holds: list[Any] = [state._claims, state._guesses, state._nonces._seeds, state._ahead._peers]
    assert [set(map(str, held)) - {"other"} for held in holds] == [set()] * 4


def test_an_attempt_prints_neither_code_nor_token() -> None:
    """asyncio prints callbacks that were slow, or failed."""
    attempt = wrong_code("918273", in_step(SOME_STEP), **{"token": "sha256:abcdef"})
    assert "918273" not in repr(attempt)
    assert "abcdef" not in repr(attempt)
