"""Dates with the precision that the source gave: a year, a month, a day or a second."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 64

_EXPECTED = "a date (YYYY, YYYY-MM, YYYY-MM-DD, or with a time)"
_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<sep>[-/.])(?P<month>[0-9]{1,2})(?:(?P=sep)(?P<day>[0-9]{1,2})(?P<rest>[T t].+)?)?)?"
)
_BASIC = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<rest>T.+)?")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})(?P<sep>[/.])(?P<month>[0-9]{1,2})(?P=sep)(?P<year>[0-9]{4})")
_TIME = re.compile(
    r"[T t](?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
    r" ?(?P<zone>[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_UNAMBIGUOUS_DAY = 12
_MONTH_LENGTH = len("YYYY-MM")
_DAY_LENGTH = len("YYYY-MM-DD")
# How much two dates agree when the less precise one, of this length, begins the other.
_PREFIX_SCORES = {len("YYYY"): 0.6, _MONTH_LENGTH: 0.7, _DAY_LENGTH: 0.8}


def clean_date(raw: str) -> str:
    """Return the date in ISO 8601 with its own precision; a time is given in UTC.

    A time without an offset is taken as UTC. ``DD/MM/YYYY`` is refused when the
    day could also be a month; ``DD.MM.YYYY`` has only one reading.
    """
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    match = _ISO.fullmatch(text) or _BASIC.fullmatch(text)
    if match:
        return _from_parts(match["year"], match["month"], match["day"], match["rest"])
    match = _DAY_FIRST.fullmatch(text)
    if not match:
        raise InvalidValue(_EXPECTED, describe(text))
    if match["sep"] == "/" and int(match["day"]) <= _UNAMBIGUOUS_DAY and match["day"] != match["month"]:
        raise InvalidValue(_EXPECTED, "a date whose day and month cannot be told apart")
    return _from_parts(match["year"], match["month"], match["day"], None)


def _from_parts(year: str, month: str | None, day: str | None, rest: str | None) -> str:
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        if rest is not None:
            return _add_time(moment, rest).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(len("YYYY-MM-DDTHH:MM:SSZ"), "0")
    except (ValueError, OverflowError) as exc:
        raise InvalidValue(_EXPECTED, "a month, day or time out of range") from exc
    precision = _DAY_LENGTH if day else _MONTH_LENGTH if month else len("YYYY")
    return moment.date().isoformat()[:precision]


def _add_time(midnight: datetime, text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError
    moment = midnight.replace(
        hour=int(match["hour"]),
        minute=int(match["minute"]),
        second=int(match["second"] or 0),
    )
    return moment.replace(tzinfo=_make_zone(match["zone"])).astimezone(UTC)


def _make_zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def compare_dates(left: str, right: str) -> float:
    """Compare two dates: equal 1.0, one the less precise form of the other 0.6 to 0.8, else 0.0."""
    if left == right:
        return 1.0
    short, long = sorted((left, right), key=len)
    return _PREFIX_SCORES.get(len(short), 0.0) if long.startswith(short) else 0.0


def generalise_date(value: str) -> str | None:
    """Return the year."""
    return value[:4]


def _to_decade(value: str) -> str:
    return f"{value[:3]}0s"


def _to_month(value: str) -> str:
    return value[:_MONTH_LENGTH]


def _to_week(value: str) -> str:
    """Return the ISO 8601 week, such as ``2026-W05``; what is no day is coarser already."""
    if len(value) < _DAY_LENGTH:
        return value
    year, week, _ = date.fromisoformat(value[:_DAY_LENGTH]).isocalendar()
    return f"{year:04}-W{week:02}"


def _to_day(value: str) -> str:
    return value[:_DAY_LENGTH]


DATE = ValueType(
    name="date",
    description="A date with the precision of its source: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.",
    clean=clean_date,
    compare=compare_dates,
    generalise=generalise_date,
    grains={
        "day": _to_day,
        "week": _to_week,
        "month": _to_month,
        "year": generalise_date,
        "decade": _to_decade,
    },
)
