"""Places written out: street, city, region, country."""

import re

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.cldr import get_territory_name
from ontology.values.country import clean_country
from ontology.values.name import compare_names
from ontology.values.raw import bound, tidy

LONGEST = 1_000

_EXPECTED = "a place"
_CODE = re.compile("[A-Za-z]{1,3}|[A-Za-z]{2}-[A-Za-z0-9]{1,4}")
_SHORT_NAMES = ("UK", "USA")


def clean_place(raw: str) -> str:
    """Return the place in NFC on one line, its parts separated by a comma and a space."""
    parts = (part.strip() for part in tidy(raw, expected=_EXPECTED, longest=LONGEST).split(","))
    value = ", ".join(part for part in parts if any(map(str.isalnum, part)))
    bound(value, expected=_EXPECTED, longest=LONGEST)
    if not value:
        raise InvalidValue(_EXPECTED, "no letter or digit")
    return value


def generalise_place(value: str) -> str | None:
    """Return the English name of the country that the last or else the first part names, in any language we know.

    None when neither is the name of a country: what is left of a street or a
    house could tell somebody's shelter. Codes do not count, for many of them
    are also those of a state or a district.
    """
    parts = value.split(", ")
    return _find_country(parts[-1]) or _find_country(parts[0])


def _find_country(text: str) -> str | None:
    if _CODE.fullmatch(text) and text.upper() not in _SHORT_NAMES:
        return None
    try:
        return get_territory_name(clean_country(text).upper())
    except InvalidValue:
        return None


PLACE = ValueType(
    name="place",
    description="A place written from the smallest part to the largest: street, city, region, country.",
    clean=clean_place,
    compare=compare_names,
    generalise=generalise_place,
)
