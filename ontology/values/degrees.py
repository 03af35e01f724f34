"""Degrees on the WGS 84 ellipsoid, as latitude and longitude share them."""

from decimal import ROUND_HALF_EVEN, Decimal

from ontology.errors import InvalidValue
from ontology.values.number import clean_number, to_plain_text

_MICRO_DEGREE = Decimal("0.000001")


def clean_degrees(raw: str, *, most: int) -> str:
    """Return the degrees with at most six decimals, which is 11 cm; `most` bounds them both ways."""
    expected = f"degrees between -{most} and {most}"
    try:
        number = Decimal(clean_number(raw))
    except InvalidValue as exc:
        raise InvalidValue(expected, exc.found) from exc
    if abs(number) > most:
        raise InvalidValue(expected, "a number out of range")
    return to_plain_text(number.quantize(_MICRO_DEGREE, ROUND_HALF_EVEN))


def generalise_degrees(value: str) -> str | None:
    """Return the degrees rounded to whole ones."""
    return to_plain_text(Decimal(value).quantize(Decimal(1), ROUND_HALF_EVEN))
