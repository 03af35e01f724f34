"""International bank account numbers."""

from stdnum import iban
from stdnum.exceptions import ValidationError

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy_wide

LONGEST = 60

_EXPECTED = "an IBAN whose check digits verify"


def clean_iban(raw: str) -> str:
    """Return the number in upper case without spaces; its check digits must verify."""
    text = tidy_wide(raw, expected=_EXPECTED, longest=LONGEST)
    try:
        return str(iban.validate(text))
    except ValidationError as exc:
        raise InvalidValue(_EXPECTED, describe(text)) from exc


def mask_iban(value: str) -> str | None:
    """Return country and last two characters, as in ``RO•••00``."""
    return f"{value[:2]}•••{value[-2:]}"


def generalise_iban(value: str) -> str | None:
    """Return the country code."""
    return value[:2]


IBAN = ValueType(
    name="iban",
    description="An international bank account number in upper case without spaces.",
    clean=clean_iban,
    mask=mask_iban,
    generalise=generalise_iban,
)
