"""Decimal numbers as exact text."""

import re
from decimal import Decimal

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 60
MOST_DIGITS = 40

_EXPECTED = f"a decimal number of at most {MOST_DIGITS} digits"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")


def clean_number(raw: str) -> str:
    """Return the number without exponent, plus sign and superfluous zeros; the point is ``.``.

    Thousands separators are refused: a comma means different things in different countries.
    """
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    if not _NUMBER.fullmatch(text):
        raise InvalidValue(_EXPECTED, describe(text))
    value = to_plain_text(Decimal(text))
    digits = sum(map(str.isdigit, value))
    if digits > MOST_DIGITS:
        raise InvalidValue(_EXPECTED, f"{digits} digits")
    return value


def to_plain_text(number: Decimal) -> str:
    """Return an exact decimal as text in its one stored form."""
    text = f"{number:f}"
    value = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if value in ("-0", "") else value


def generalise_number(value: str) -> str | None:
    """Return the number rounded to its first digit, as in 70000 for 66470."""
    number = Decimal(value)
    return to_plain_text(Decimal(f"{number:.0e}")) if number else value


NUMBER = ValueType(
    name="number",
    description="A decimal number as exact text, with a point and without an exponent.",
    clean=clean_number,
    generalise=generalise_number,
)
