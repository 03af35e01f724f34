"""Dates with precision."""

import pytest

from ontology.errors import InvalidValue
from ontology.values.date import clean_date, compare_dates, generalise_date


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1990", "1990"),
        ("1990-05", "1990-05"),
        ("1990-5-1", "1990-05-01"),
        ("1990/05/01", "1990-05-01"),
        ("19900501", "1990-05-01"),
        ("01.05.1990", "1990-05-01"),
        ("31/12/1990", "1990-12-31"),
        ("05/05/1990", "1990-05-05"),
        ("2020-02-29", "2020-02-29"),
        ("2024-01-01T01:30:00+02:00", "2023-12-31T23:30:00Z"),
        ("2024-01-01 10:00", "2024-01-01T10:00:00Z"),
        ("2024-01-01T10:00:00.999Z", "2024-01-01T10:00:00Z"),
        ("20240101T100000-0330", "2024-01-01T13:30:00Z"),
    ],
)
def test_dates_keep_their_precision(raw: str, value: str) -> None:
    """Each way of writing gives the ISO form at the precision it had, times in UTC."""
    assert clean_date(raw) == value


@pytest.mark.parametrize(
    "raw", ["2021-02-29", "1990-13", "0000", "32.01.1990", "2024-01-01T25:00", "2024-01-01T10:00+25:00", "soon", "١٩٩٠"]
)
def test_dates_that_no_calendar_has_are_refused(raw: str) -> None:
    """Days, months, hours and offsets out of range, and words, are no dates."""
    with pytest.raises(InvalidValue):
        clean_date(raw)


def test_a_date_with_two_readings_is_refused() -> None:
    """With slashes, a day that could be a month is not guessed."""
    with pytest.raises(InvalidValue, match="cannot be told apart"):
        clean_date("05/06/1990")


def test_a_moment_beyond_the_calendar_is_refused() -> None:
    """An offset that leads out of the years 1 to 9999 is an error, not a crash."""
    with pytest.raises(InvalidValue):
        clean_date("0001-01-01T00:00+01:00")


def test_less_precise_dates_agree_in_part() -> None:
    """The more two dates have in common the more they agree; a contradiction is no agreement."""
    assert compare_dates("1990-05-01", "1990-05-01") == 1.0
    assert compare_dates("1990", "1990-05-01") == 0.6
    assert compare_dates("1990-05", "1990-05-01") == 0.7
    assert compare_dates("1990-05-01", "1990-05-01T10:00:00Z") == 0.8
    assert compare_dates("1990-05-01", "1990-05-02") == 0.0
    assert compare_dates("1991", "1990-05-02") == 0.0


def test_a_generalised_date_is_its_year() -> None:
    """Month and day go."""
    assert generalise_date("1990-05-01") == "1990"
