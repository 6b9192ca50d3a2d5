"""Times as they stand in real files, read and written in the file's own style; durations as people read them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.values import JSON
from statewatch.kinds.times import clock, countdown, duration, instant, iso, restamp, span, stamp

NOON = datetime(2026, 11, 16, 12, 0, 0, tzinfo=UTC).timestamp()


def utc(year: int, month: int, day: int, hour: int, minute: int, second: int = 0, micro: int = 0) -> float:
    return datetime(year, month, day, hour, minute, second, micro, UTC).timestamp()


def local(year: int, month: int, day: int, hour: int, minute: int, second: int = 0, micro: int = 0) -> float:
    return datetime(year, month, day, hour, minute, second, micro).timestamp()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-16T17:31:30.274756+00:00", utc(2026, 11, 16, 17, 31, 30, 274756)),
        ("2026-11-16T17:31:30.274756123+00:00", utc(2026, 11, 16, 17, 31, 30, 274756)),
        ("2025-11-16T10:00:00.123456Z", utc(2025, 11, 16, 10, 0, 0, 123456)),
        ("2026-11-15T18:15:00Z", utc(2026, 11, 15, 18, 15)),
        ("2026-11-15T18:15:00z", utc(2026, 11, 15, 18, 15)),
        ("2025-10-23T11:47:45.832247", utc(2025, 10, 23, 11, 47, 45, 832247)),
        ("2025-11-12T17:53:00", utc(2025, 11, 12, 17, 53)),
        ("2026-11-16T17:31:30+00:00", utc(2026, 11, 16, 17, 31, 30)),
        ("2026-01-29 03:01:30", utc(2026, 1, 29, 3, 1, 30)),
        ("2025-08-19T14:52:24.9-04:00", utc(2025, 8, 19, 18, 52, 24, 900000)),
        ("2025-08-19T14:52:24.123+0530", utc(2025, 8, 19, 9, 22, 24, 123000)),
        (1794814250.1239007, 1794814250.1239007),
        (1794814250, 1794814250.0),
        (" 2026-11-15T18:15:00Z\n", utc(2026, 11, 15, 18, 15)),
    ],
)
def test_every_style_of_real_files_is_read(text: JSON, meant: float) -> None:
    assert instant(text) == meant


@pytest.mark.parametrize("text", ["2025-10-23T11:47:45.832247", "2025-10-23 11:47:45.832247"])
def test_the_kind_decides_the_zone_of_a_time_without_one(text: str) -> None:
    assert instant(text, naive="local") == local(2025, 10, 23, 11, 47, 45, 832247)
    assert instant(text, naive="utc") == utc(2025, 10, 23, 11, 47, 45, 832247)


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        True,
        "yesterday",
        "2026-07-10",
        "20261115_120137",
        "2026-13-01T00:00:00Z",
        "2026-11-16T25:00:00Z",
        "2026-11-16T17:31:30+99:99",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "1969-12-31T23:59:59Z",
        0,
        -1,
        1e12,
        1794814250123,
        10**400,
        float("inf"),
        float("nan"),
        [],
        {},
    ],
)
def test_what_is_no_time_is_none_and_never_an_error(value: JSON) -> None:
    assert instant(value) is None


@given(st.floats() | st.integers() | st.text("0123456789-T :.Z+", max_size=35))
def test_whatever_is_read_as_a_time_can_be_shown(value: float | str) -> None:
    moment = instant(value, naive="local")
    if moment is not None:
        assert clock(moment)
        assert instant(iso(moment)) == pytest.approx(moment, abs=1e-5)


@pytest.mark.parametrize(
    ("like", "written"),
    [
        ("2026-11-16T17:31:30.274756+00:00", "2026-11-16T12:00:00.500000+00:00"),
        ("2026-11-16T17:31:30.274756123+00:00", "2026-11-16T12:00:00.500000000+00:00"),
        ("2026-11-16T17:31:30.274Z", "2026-11-16T12:00:00.500Z"),
        ("2026-11-16T17:31:30Z", "2026-11-16T12:00:00Z"),
        ("2026-11-16T17:31:30", "2026-11-16T12:00:00"),
        ("2026-11-16 17:31:30", "2026-11-16 12:00:00"),
        ("2026-11-16T17:31:30-04:00", "2026-11-16T12:00:00+00:00"),
        (None, "2026-11-16T12:00:00.500000+00:00"),
        ("never", "2026-11-16T12:00:00.500000+00:00"),
        (1794814250, "2026-11-16T12:00:00.500000+00:00"),
    ],
)
def test_a_time_is_written_in_the_style_of_the_file(like: JSON, written: str) -> None:
    assert stamp(NOON + 0.5, like) == written


styles = st.sampled_from(
    [None, "2026-11-16T17:31:30.274756+00:00", "2026-11-16 17:31:30.274756", "2026-11-16T17:31:30.274756Z"]
)


@given(st.integers(1, 250_000_000_000_000_000).map(lambda micros: micros / 1e6), styles)
def test_what_is_written_is_read_as_the_same_instant(moment: float, like: JSON) -> None:
    assert instant(stamp(moment, like)) == pytest.approx(moment, abs=2e-5)


def test_a_file_that_counts_seconds_goes_on_counting_seconds() -> None:
    assert restamp(NOON + 0.5, 1794848400) == int(NOON)
    assert restamp(NOON + 0.5, 1794848400.25) == NOON + 0.5
    assert restamp(NOON, "2026-11-16T17:31:30Z") == "2026-11-16T12:00:00Z"
    assert restamp(NOON, None) == iso(NOON)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59.4, "59s"),
        (59.6, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (47 * 3600, "47h"),
        (172800, "2d"),
    ],
)
def test_a_duration_fits_a_column(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("10m", 600),
        ("2h", 7_200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("1d12h", 129_600),
        ("1d 12h", 129_600),
        ("1w 2d 3h 4m 5s", 788_645),
        (" 90m ", 5_400),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "10", "m", "-1h", "1.5h", "10M", "1y", "1h 1d", "1h 1h", "1d  12h", "1 d", "٣d", "9999999s", "1d x"],
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration: .*; one looks like 45s, 10m"):
        duration(text)


@given(st.integers(0, 10**9))
def test_a_duration_that_was_shown_can_be_typed_again(seconds: int) -> None:
    again = duration(span(seconds))
    assert again <= seconds
    assert span(again) == span(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00"), (0, "0:00"), (0.1, "0:01"), (59.9, "1:00"), (272, "4:32"), (3661, "1:01:01")]
)
def test_a_countdown_reaches_zero_and_stays_there(seconds: float, text: str) -> None:
    assert countdown(seconds) == text


@given(st.lists(st.floats(-100, 100_000), min_size=2))
def test_a_countdown_never_goes_back(moments: list[float]) -> None:
    shown = [tuple(map(int, f"0:{countdown(left)}".split(":")[-3:])) for left in sorted(moments)]
    assert all(sooner <= later for sooner, later in pairwise(shown))


def test_another_day_is_shown_with_its_date() -> None:
    moment = local(2026, 11, 16, 14, 3, 5)
    assert clock(moment) == "14:03:05"
    assert clock(moment, moment + 60) == "14:03:05"
    assert clock(moment, moment + timedelta(days=1).total_seconds()) == "11-16 14:03"


@pytest.mark.parametrize("zone", ["", "Z", "z", "+00:00", "+02:00", "-0930", "+0000", "+01"])
@pytest.mark.parametrize(
    "text",
    [
        "2026-11-15T10:10:38.123456",
        "2026-11-15T10:10:38.12345",
        "2026-11-15T10:10:38.1234567",
        "2026-11-15T10:10:38.123+01",
        "2026-02-30T10:10:38.123456",
        "2026-11-15T24:00:00.000000",
        "0000-11-15T10:10:38.123456",
        "0001-01-01T00:00:00.000000",
        "2026-W46-7T10:10:38.123456",
        "2026-11-15 10:10:38.123456",
        "2026-11-15T10:10:38,123456",
        "２026-11-15T10:10:38.123456",
        "2026-11-15T10:10:38.12345６",
    ],
)
def test_the_usual_form_is_read_as_any_other(text: str, zone: str) -> None:
    for naive in ("utc", "local"):
        assert instant(text + zone, naive) == instant(f" {text}{zone} ", naive)  # with blanks it is no usual form
