"""Plates: the registration marks of vehicles."""

from ontology.values.base import ValueType
from ontology.values.identifier import clean_alphanumeric, mask_identifier

LONGEST = 20


def clean_plate(raw: str) -> str:
    """Return the letters and digits alone, in upper case."""
    return clean_alphanumeric(raw, expected="a vehicle registration", longest=LONGEST)


PLATE = ValueType(
    name="plate",
    description="The registration mark of a vehicle: upper-case letters and digits.",
    clean=clean_plate,
    mask=mask_identifier,
)
