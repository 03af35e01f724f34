"""Identifiers: numbers of documents, registrations and taxpayers."""

import unicodedata

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import bound, tidy_wide

LONGEST = 100

_SHORTEST_MASKED = 6


def clean_identifier(raw: str) -> str:
    """Return the letters and digits alone, in upper case."""
    return clean_alphanumeric(raw, expected="an identifier", longest=LONGEST)


def clean_alphanumeric(raw: str, *, expected: str, longest: int) -> str:
    """Return the letters and digits alone, in upper case; InvalidValue when there are none."""
    kept = "".join(filter(str.isalnum, tidy_wide(raw, expected=expected, longest=longest).upper()))
    # Letters that punctuation held apart may compose, as Korean ones do.
    value = unicodedata.normalize("NFC", kept)
    bound(value, expected=expected, longest=longest)
    if not value:
        raise InvalidValue(expected, "no letter or digit")
    return value


def mask_identifier(value: str) -> str | None:
    """Return the last two characters, as in ``•••42``; of a short identifier none."""
    return f"•••{value[-2:]}" if len(value) >= _SHORTEST_MASKED else "•••"


IDENTIFIER = ValueType(
    name="identifier",
    description="The number of a document, registration or taxpayer: upper-case letters and digits.",
    clean=clean_identifier,
    mask=mask_identifier,
)
