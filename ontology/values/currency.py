"""Currencies: ISO 4217 codes and tickers of crypto assets."""

import re

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 20

_EXPECTED = "a currency code of 2 to 10 letters and digits"
_CURRENCY = re.compile("[A-Z0-9]{2,10}")


def clean_currency(raw: str) -> str:
    """Return the code in upper case."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST).upper()
    if not _CURRENCY.fullmatch(text):
        raise InvalidValue(_EXPECTED, describe(text))
    return text


CURRENCY = ValueType(
    name="currency",
    description="A currency by its ISO 4217 code, or a crypto asset by its ticker, in upper case.",
    clean=clean_currency,
)
