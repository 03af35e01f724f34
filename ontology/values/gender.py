"""Gender as FollowTheMoney codes it: male, female or other."""

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 40

_EXPECTED = "male, female or other"
_WORDS = {
    "male": "male", "m": "male", "man": "male", "boy": "male",
    "female": "female", "f": "female", "woman": "female", "girl": "female",
    "other": "other", "o": "other", "x": "other", "divers": "other", "diverse": "other",
    "non-binary": "other", "nonbinary": "other", "transgender": "other", "intersex": "other",
}  # fmt: skip


def clean_gender(raw: str) -> str:
    """Return ``male``, ``female`` or ``other``."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    value = _WORDS.get(text.lower().replace(" ", "-"))
    if value is None:
        raise InvalidValue(_EXPECTED, describe(text))
    return value


GENDER = ValueType(
    name="gender",
    description="Gender: male, female or other.",
    clean=clean_gender,
)
