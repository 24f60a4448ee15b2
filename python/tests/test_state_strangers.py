"""The limit on requests with unknown tokens, and what a source is; the same tables as test/state/source.test.ts."""

from typing import Any

import pytest

from a2a_totp.errors import TOTPError
from a2a_totp.state.strangers import StrangerLimit, key_of_source

AT = 1_800_000_000.0


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("::ffff:192.0.2.1%eth0", "192.0.2.1"),
        ("64:ff9b::192.0.2.1", "192.0.2.1"),
        ("64:ff9b::c000:201", "192.0.2.1"),
        ("2001:db8::1", "2001:db8:0:0::/64"),
        ("2001:DB8:0:0:ffff::", "2001:db8:0:0::/64"),
        ("2001:0db8:0000:0000:1:2:3:4", "2001:db8:0:0::/64"),
        ("[2001:db8::2]:443", "2001:db8:0:0::/64"),
        ("[2001:db8::2]", "2001:db8:0:0::/64"),
        ("2001:db8::1:4711", "2001:db8:0:0::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80:0:0:0::/64"),
        ("fe80::2%wlan0:5", "fe80:0:0:0::/64"),
        ("::1", "0:0:0:0::/64"),
        ("::", "0:0:0:0::/64"),
        ("", ""),
        ("tenant-7", "tenant-7"),
        ("unix:", "unix:"),
        ("1::2::3", "1::2::3"),
        ("999.0.2.1:80", "999.0.2.1:80"),
        ("192.0.2.1:80\n", "192.0.2.1:80\n"),
    ],
)
def test_the_key_of_a_source(source: str, key: str) -> None:
    assert key_of_source(source) == key
    assert key_of_source(key) == key


def test_a_key_is_short_whatever_a_caller_writes() -> None:
    keys = {key_of_source(text * 16_000) for text in ("x", "y", ":", "\ud800")}
    assert len(keys) == 4
    assert max(map(len, keys)) < 80


def test_sixty_pass_in_any_minute_and_the_next_is_told_when_to_come_back() -> None:
    limit = StrangerLimit()
    assert {limit.count("192.0.2.1", AT + number / 2) for number in range(60)} == {0}
    waits = [limit.count("192.0.2.1", AT + seconds) for seconds in (30, 59.9, 60, 60)]
    assert waits == [30, 1, 0, 1]


def test_those_that_are_turned_away_are_not_counted() -> None:
    limit = StrangerLimit(per_minute=1)
    waits = [limit.count("a", AT + second) for second in range(61)]
    assert waits == [0, *range(59, 0, -1), 0]


def test_all_addresses_of_a_64_are_limited_together_and_their_neighbours_apart() -> None:
    limit = StrangerLimit(sources=100)
    waits = [limit.count(f"2001:db8::{number:x}", AT) for number in range(1000)]
    assert waits.count(0) == 60
    assert limit.count("2001:db8:0:1::1", AT) == 0


def test_the_source_that_was_quiet_for_longest_is_forgotten() -> None:
    limit = StrangerLimit(per_minute=2, sources=2)
    for source in ("busy", "quiet", "busy", "new"):
        limit.count(source, AT)
    assert limit.count("busy", AT) == 60
    assert [limit.count("quiet", AT) for _ in range(2)] == [0, 0]


def test_the_room_of_a_source_is_told_and_nothing_counted_by_that() -> None:
    limit = StrangerLimit(per_minute=3)
    assert {limit.room("192.0.2.1", AT) for _ in range(5)} == {3}
    limit.count("192.0.2.1", AT)
    limit.count("::ffff:192.0.2.1", AT + 1)
    assert limit.room("192.0.2.1", AT) == 1
    limit.count("192.0.2.1", AT)
    assert [limit.room("192.0.2.1", AT + later) for later in (59.999, 60)] == [0, 2]
    assert limit.room("192.0.2.2", AT) == 3


@pytest.mark.parametrize("given", [{"per_minute": 0}, {"per_minute": 1.5}, {"sources": 0}, {"sources": True}], ids=str)
def test_both_are_whole_numbers_above_zero(given: Any) -> None:
    with pytest.raises(TOTPError):
        StrangerLimit(**given)
