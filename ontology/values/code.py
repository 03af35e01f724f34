"""Codes: short terms of a vocabulary, such as a category or a kind."""

from ontology.values.base import ValueType
from ontology.values.raw import tidy_lower

LONGEST = 200


def clean_code(raw: str) -> str:
    """Return the term in lower case, its words joined by underscores."""
    return tidy_lower(raw, expected="a short term", longest=LONGEST).replace(" ", "_")


CODE = ValueType(
    name="code",
    description="A short term of a vocabulary, in lower case with underscores.",
    clean=clean_code,
)
