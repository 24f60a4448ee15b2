"""The codes of a seed: the vectors of RFC 4226, RFC 6238 and RFC 4648, and what is no seed, code or instant."""

import base64
import math
from datetime import datetime, timezone
from typing import Any

import pytest
from vectors import read_vectors

from a2a_totp.codes import (
    Profile,
    Verification,
    generate_code,
    is_code,
    seconds_left,
    time_step_at,
    verify_code,
)
from a2a_totp.errors import TOTPError

RFC = read_vectors("rfc")
SEED = base64.b32encode(b"12345678901234567890").decode()
EIGHT = {"digits": 8}
AT = 1_111_111_109.5


def test_rfc_4226_appendix_d() -> None:
    """Each counter is the time step that begins with it."""
    codes = RFC["hotp"]["codes"]
    assert [generate_code(SEED, at=30 * counter) for counter in range(len(codes))] == codes


def test_rfc_6238_appendix_b() -> None:
    """Three algorithms, eight digits; base32 or bytes, a mapping or a Profile."""
    totp = RFC["totp"]
    for case in totp["cases"]:
        for algorithm, text in totp["seedAscii"].items():
            seed = base64.b32encode(text.encode()).decode()
            profile = {"algorithm": algorithm, "digits": totp["digits"], "period": totp["period"]}
            assert generate_code(seed, profile, case["unix"]) == case[algorithm]
            assert generate_code(text.encode(), Profile(**profile), at=case["unix"]) == case[algorithm]
            assert verify_code(seed, case[algorithm], profile, case["unix"]) == Verification(
                True, case["unix"] // 30, 0
            )


def test_rfc_4648_section_10() -> None:
    """Seeds as people write them."""
    for case in RFC["base32"]:
        if case["ascii"]:
            key, text = case["ascii"].encode(), case["base32"]
            spellings = (text, text.lower(), text.rstrip("="), f" {text[:2]} {text[2:]}")
            assert {generate_code(seed, at=AT) for seed in spellings} == {generate_code(key, at=AT)}


def test_window_and_drift() -> None:
    """Every step of the window, and none beyond; the profile may also come first."""
    for drift in range(-3, 4):
        code = generate_code(SEED, EIGHT, AT + 30 * drift)
        step = time_step_at(at=AT)
        for window in (0, 1, 2):
            profile = {**EIGHT, "window": window}
            found = verify_code(SEED, code, profile, AT)
            inside = abs(drift) <= window
            assert bool(found) is found.valid is inside
            assert found == (Verification(True, step + drift, drift) if inside else Verification(False))
            assert verify_code(SEED, profile, code, AT) == found  # type: ignore[arg-type]


def test_now_is_the_default() -> None:
    """Of all four, in the same time step or the next."""
    assert verify_code(SEED, generate_code(SEED))
    assert 0 <= seconds_left() <= 30
    assert abs(time_step_at() - datetime.now().timestamp() / 30) < 2


def test_instants() -> None:
    """Unix seconds, or a datetime with its zone."""
    when = datetime(2005, 3, 18, 1, 58, 29, 500_000, tzinfo=timezone.utc)
    assert generate_code(SEED, EIGHT, when) == generate_code(SEED, EIGHT, AT) == "07081804"
    assert time_step_at(Profile(), when) == time_step_at({"period": 30}, AT) == 37_037_036
    assert time_step_at(at=-0.5) == -1
    # Rounded down: half a second is left.
    assert seconds_left(at=AT) == seconds_left(None, when) == 0
    assert seconds_left(at=60) == 30


@pytest.mark.parametrize("at", [-1, -0.001, math.nan, math.inf, True, "59", datetime(2005, 3, 18)])
def test_no_instant(at: Any) -> None:
    """None of them has a code."""
    with pytest.raises(TOTPError) as caught:
        generate_code(SEED, at=at)
    assert caught.value.code == "ERR_USAGE"


@pytest.mark.parametrize("at", [-1, -0.001, math.nan, math.inf])
def test_no_code_is_valid_then(at: float) -> None:
    """Not even that of the first step, which is near."""
    assert not verify_code(SEED, generate_code(SEED, at=0), at=at)


@pytest.mark.parametrize("code", ["", "75522", "7552244", "+55224", "755 24", "٧٥٥٢٢٤", "755224\n", None, 755224])
def test_what_is_no_code(code: Any) -> None:
    """It is refused, and raises nothing."""
    assert verify_code(SEED, code, at=0) == Verification(False)


def test_is_code() -> None:
    """By a number of digits, or a profile."""
    assert is_code("012345", 6)
    assert is_code("01234567", Profile(digits=8))
    assert not is_code("01234567", 6)


@pytest.mark.parametrize("seed", ["", "1", "A", "GEZDGNBV!", "\u017f", None, 20, b""])
def test_what_is_no_seed(seed: Any) -> None:
    """The error never quotes it."""
    for ask in (lambda: generate_code(seed), lambda: verify_code(seed, "123456")):
        with pytest.raises(TOTPError) as caught:
            ask()
        assert caught.value.code == "ERR_SEED_INVALID"
        assert str(caught.value) == "seed is not base32; use letters A-Z and digits 2-7"


@pytest.mark.parametrize("profile", [{"digits": 5}, {"algorithm": "MD5"}, Profile(period=0), {"window": 3}])
def test_what_is_no_profile(profile: Any) -> None:
    """The same rules as everywhere."""
    for ask in (lambda: generate_code(SEED, profile), lambda: time_step_at(profile), lambda: seconds_left(profile)):
        with pytest.raises(TOTPError) as caught:
            ask()
        assert caught.value.code == "ERR_PROFILE_INVALID"
