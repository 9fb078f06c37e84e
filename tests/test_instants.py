"""Instants as providers write them, and all that is none."""

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webhooklab.clock import from_datetime, to_datetime
from webhooklab.instants import parse_instant

MARCH = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
quick = settings(max_examples=200, deadline=None, database=None)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-01T12:30:15.123456Z", MARCH),
        ("2026-03-01T12:30:15.123456789Z", MARCH),
        ("2026-03-01 12:30:15.123456+00:00", MARCH),
        ("2026-03-01T14:30:15.123456+02:00", MARCH),
        ("2026-03-01T07:00:15.123456-0530", MARCH),
        ("  2026-03-01T12:30:15.123456 ", MARCH),
        ("20260301T123015Z", MARCH.replace(microsecond=0)),
        ("2026-03-01t12:30:15z", MARCH.replace(microsecond=0)),
        ("2026-03-01 13:30:15.123456 +01:00", MARCH),
        ("0" * 5_000 + "1772368215", MARCH.replace(microsecond=0)),
        ("-" + "0" * 30 + "1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-03-01T12:30:15", MARCH.replace(microsecond=0)),
        ("2026-03-01T12:30:15,123Z", MARCH.replace(microsecond=123_000)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("1772368215", MARCH.replace(microsecond=0)),
        ("1772368215.5", MARCH.replace(microsecond=500_000)),
        (1772368215, MARCH.replace(microsecond=0)),
        (1772368215.25, MARCH.replace(microsecond=250_000)),
        (1772368215123, MARCH.replace(microsecond=123_000)),
        (1772368215123456, MARCH),
        (1772368215123456789, MARCH),
        ("1772368215123456789", MARCH),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        (MARCH, MARCH),
        (MARCH.replace(tzinfo=None), MARCH),
        (MARCH.astimezone(timezone(timedelta(hours=-7))), MARCH),
        (pd.Timestamp(MARCH), MARCH),
    ],
)
def test_an_instant_is_read(written, instant):
    found = parse_instant(written)
    assert type(found) is int
    assert to_datetime(found) == instant


@pytest.mark.parametrize(
    "value",
    [
        *[
            "",
            "  ",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "2026-W10-3",
            "2026w103",
            "12:30",
            "2026-03-01T25:00Z",
            "20260301123015Z",
            "2026030112Z",
            "2026-03-01T12:3015",
            "2026-0301",
            "-",
            ".",
        ],
        *["--1", "1-2", "1.2.3", "1e9", "0x10", "nan", "inf", "²", "١٧٧٢٣٦٨٢١٥", "\ud800", "\0"],
        *["9" * 400, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"],
        *[True, False, None, [], {}, b"2026-03-01", float("nan"), float("inf"), float("-inf")],
        *[10**400, -(10**400), -99_999_999_999, 1e300, pd.NaT, pd.NA, timedelta(1)],
    ],
    ids=lambda value: repr(value)[:30],
)
def test_all_else_is_none(value):
    assert parse_instant(value) is None


@quick
@given(value=st.text() | st.integers() | st.floats() | st.text(alphabet="0123456789-:.TZ+ ,W"))
@example("0001-01-01T00:00:00+00:01")
@example(253_402_300_800)
def test_whatever_is_found_is_a_datetime(value):
    found = parse_instant(value)
    if found is not None:
        assert from_datetime(to_datetime(found)) == found


@quick
@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_a_datetime_and_its_text_say_the_same(moment):
    found = parse_instant(moment)
    assert parse_instant(moment.isoformat()) == found
    if found is not None:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        assert to_datetime(found) == aware.astimezone(UTC)


@quick
@given(st.integers(100_000_000, 99_999_999_999))
def test_a_unix_time_of_1973_to_5138_is_told_by_its_size(seconds):
    for per_second in (1, 1_000, 1_000_000, 1_000_000_000):
        for written in (seconds * per_second, str(seconds * per_second)):
            assert parse_instant(written) == seconds * 1_000_000
