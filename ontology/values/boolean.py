"""Truth values."""

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 20

_EXPECTED = "true or false"
_WORDS = {
    "true": "true", "yes": "true", "y": "true", "t": "true", "1": "true",
    "false": "false", "no": "false", "n": "false", "f": "false", "0": "false",
}  # fmt: skip


def clean_boolean(raw: str) -> str:
    """Return ``true`` or ``false``."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    value = _WORDS.get(text.lower())
    if value is None:
        raise InvalidValue(_EXPECTED, describe(text))
    return value


BOOLEAN = ValueType(
    name="boolean",
    description="Either true or false.",
    clean=clean_boolean,
)
