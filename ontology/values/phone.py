"""Telephone numbers in E.164."""

import re

import phonenumbers

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy_wide

LONGEST = 60

_EXPECTED = "a telephone number with its country code (+40... or 0040...)"
_SCHEME = re.compile("(?:tel|whatsapp):", re.IGNORECASE)
_WRITTEN = re.compile(r"(?:\+|00)[0-9 ()./\-\u2010-\u2015]+")
_PUNCTUATION = re.compile("[^0-9]")


def clean_phone(raw: str) -> str:
    """Return the number as ``+`` and digits; its length must be possible in its country.

    A number without country code is refused: the country would be a guess.
    """
    text = _SCHEME.sub("", tidy_wide(raw, expected=_EXPECTED, longest=LONGEST)).strip()
    if not _WRITTEN.fullmatch(text):
        raise InvalidValue(_EXPECTED, describe(text))
    # A trunk zero in brackets, as in +44 (0)20, is not dialled from abroad.
    digits = _PUNCTUATION.sub("", text.replace("(0)", ""))
    return phonenumbers.format_number(_parse(digits.removeprefix("00")), phonenumbers.PhoneNumberFormat.E164)


def mask_phone(value: str) -> str | None:
    """Return the country code alone, as in ``+40 •••``."""
    return f"{generalise_phone(value)} •••"


def generalise_phone(value: str) -> str | None:
    """Return the country code, as in ``+40``."""
    return f"+{_parse(value.removeprefix('+')).country_code}"


def _parse(digits: str) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException as exc:
        raise InvalidValue(_EXPECTED, f"{len(digits)} digits of no country's numbering") from exc
    if not phonenumbers.is_possible_number(number):
        raise InvalidValue(_EXPECTED, f"{len(digits)} digits, impossible in that country")
    return number


PHONE = ValueType(
    name="phone",
    description="A telephone number in E.164, such as +40 and the national digits.",
    clean=clean_phone,
    mask=mask_phone,
    generalise=generalise_phone,
)
