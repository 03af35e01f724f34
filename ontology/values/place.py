"""Places written out: street, city, region, country."""

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.country import clean_country
from ontology.values.name import compare_names
from ontology.values.raw import bound, tidy

LONGEST = 1_000

_EXPECTED = "a place"


def clean_place(raw: str) -> str:
    """Return the place in NFC on one line, its parts separated by a comma and a space."""
    parts = (part.strip() for part in tidy(raw, expected=_EXPECTED, longest=LONGEST).split(","))
    value = ", ".join(part for part in parts if any(map(str.isalnum, part)))
    bound(value, expected=_EXPECTED, longest=LONGEST)
    if not value:
        raise InvalidValue(_EXPECTED, "no letter or digit")
    return value


def generalise_place(value: str) -> str | None:
    """Return the last part, the region or country, when it stands apart and holds no number."""
    _, comma, last = value.rpartition(", ")
    if any(map(str.isdigit, last)) or not (comma or _is_country(last)):
        return None
    return last


def _is_country(text: str) -> bool:
    try:
        clean_country(text)
    except InvalidValue:
        return False
    return True


PLACE = ValueType(
    name="place",
    description="A place written from the smallest part to the largest: street, city, region, country.",
    clean=clean_place,
    compare=compare_names,
    generalise=generalise_place,
)
