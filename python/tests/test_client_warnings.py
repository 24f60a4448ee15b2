"""What a client says of refusals: once each, and only what they show."""

from email.utils import formatdate

import pytest
from client_parts import credentials

from a2a_totp.client_warnings import ClientWarnings, demands_proof
from a2a_totp.clocks import clock_difference, duration_text
from a2a_totp.profile import Profile

AT = 1_780_332_007.0


@pytest.mark.parametrize(
    ("theirs", "window", "expected"),
    [(0, 1, None), (45, 1, None), (95, 1, -95), (-95, 1, 95), (65, 0, -65), (-65, 2, None), (400 * 86_400, 1, None)],
)
def test_clocks_are_compared_by_steps(theirs: float, window: int, expected: float | None) -> None:
    """Only what is beyond the window counts."""
    date = formatdate(AT + theirs, usegmt=True)
    found = clock_difference(Profile(window=window), sent_at=AT, received_at=AT, date=date)
    assert found == expected


def test_a_cache_says_how_old_its_answer_is() -> None:
    """And what is not understood says nothing."""
    date = formatdate(AT - 600, usegmt=True)
    assert clock_difference(Profile(), sent_at=AT, received_at=AT, date=date, age="600") is None
    assert clock_difference(Profile(), sent_at=AT, received_at=AT, date=date, age="1") == 599
    for odd in (None, "", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"):
        assert clock_difference(Profile(), sent_at=AT, received_at=AT, date=odd) is None
    assert clock_difference(Profile(), sent_at=AT, received_at=AT, date=date, age="x") is None


def test_durations_read_well() -> None:
    """The largest unit and the one below."""
    assert [duration_text(one) for one in (0, -130, 3600, 90_000)] == ["0 s", "2 min 10 s", "1 h", "1 d 1 h"]


@pytest.mark.parametrize(
    ("challenges", "demanded"),
    [
        ('Bearer realm="a2a", TOTP realm="a2a", header="X-TOTP", proof="required"', True),
        ('TOTP proof=required, Bearer realm="a2a"', True),
        ('Bearer realm="a2a", proof="required", TOTP realm="a2a"', False),
        ('TOTP realm="proof=\\"required\\""', False),
        ("", False),
    ],
)
def test_challenges(challenges: str, demanded: bool) -> None:
    """As TypeScript reads them."""
    assert demands_proof(challenges) is demanded


def refused(
    warnings: ClientWarnings, *, signed: bool = False, retry_after: str | None = None, **fields: object
) -> None:
    """One refusal, by a clock that is a day behind."""
    warnings.of_refusal(
        credentials(**fields),
        signed=signed,
        sent_at=AT,
        received_at=AT,
        challenges='TOTP realm="a2a", proof="required"',
        retry_after=retry_after,
        date=formatdate(AT + 86_400, usegmt=True),
    )


def test_each_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Which of them apply."""
    warnings = ClientWarnings()
    for _ in range(2):
        refused(warnings)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "requires signed ones; give the agent's name" in caplog.text
    assert "1 d behind" in caplog.text
    caplog.clear()
    refused(warnings, signed=True, retry_after="5")
    assert "accepts each code only once, also that of a signed request" in caplog.text


def test_a_spent_code_was_right_so_the_clocks_are(caplog: pytest.LogCaptureFixture) -> None:
    """And an agent that counts the code of a signed request does not use proofs."""
    warnings = ClientWarnings()
    warnings.of_refusal(
        credentials(agent="a", signed="accept", replay="once"),
        signed=True, sent_at=AT, received_at=AT, challenges="", retry_after="5", date=formatdate(0),
    )  # fmt: skip
    assert [record.getMessage()[:50] for record in caplog.records] == [
        "the agent refused the code of a signed request as spent"[:50]
    ]
