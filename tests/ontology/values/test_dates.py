"""Dates with precision."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.errors import InvalidValue
from ontology.values.date import DATE, clean_date, compare_dates, generalise_date


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


# Weeks by the calendar of ISO 8601: the year's first is that of its first Thursday.
@pytest.mark.parametrize(
    ("value", "day", "week", "month", "year", "decade"),
    [
        ("2026-01-29T10:00:00Z", "2026-01-29", "2026-W05", "2026-01", "2026", "2020s"),
        ("2027-01-01", "2027-01-01", "2026-W53", "2027-01", "2027", "2020s"),
        ("2024-12-30", "2024-12-30", "2025-W01", "2024-12", "2024", "2020s"),
        ("1999-12-31T23:59:59Z", "1999-12-31", "1999-W52", "1999-12", "1999", "1990s"),
        ("1990-05", "1990-05", "1990-05", "1990-05", "1990", "1990s"),
        ("1990", "1990", "1990", "1990", "1990", "1990s"),
        ("0099-01-01", "0099-01-01", "0099-W01", "0099-01", "0099", "0090s"),
    ],
)
def test_each_grain_is_as_coarse_as_it_says(
    value: str, day: str, week: str, month: str, year: str, decade: str
) -> None:
    """Finer parts go; what is coarser already stays as it is."""
    grains = {name: coarsen(value) for name, coarsen in DATE.grains.items()}

    assert grains == {"day": day, "week": week, "month": month, "year": year, "decade": decade}


# A week belongs to the year of its Thursday, so it may lie in the next or the last month or year.
@pytest.mark.parametrize("grain", ["day", "month", "year", "decade"])
@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_coarser_date_begins_the_finer_one(grain: str, day: date) -> None:
    """Each grain tells a part of the day and nothing that the day does not."""
    coarse = DATE.grains[grain](day.isoformat())

    assert coarse is not None
    assert day.isoformat().startswith(coarse.removesuffix("0s"))


@given(st.dates(min_value=date(1, 1, 8), max_value=date(9999, 12, 24)))
def test_the_days_of_a_week_are_told_by_one_name(day: date) -> None:
    """Monday to Sunday have the same, and the calendar reads it back as their Monday."""
    week = DATE.grains["week"](day.isoformat())

    assert week is not None
    assert date.fromisocalendar(int(week[:4]), int(week[6:]), 1) == day.fromordinal(day.toordinal() - day.weekday())
