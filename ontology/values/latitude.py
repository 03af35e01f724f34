"""Latitude: degrees north of the equator."""

from ontology.values.base import ValueType
from ontology.values.degrees import clean_degrees, generalise_degrees


def clean_latitude(raw: str) -> str:
    """Return the degrees, at most 90 either way, with at most six decimals."""
    return clean_degrees(raw, most=90)


LATITUDE = ValueType(
    name="latitude",
    description="Latitude in degrees north, WGS 84.",
    clean=clean_latitude,
    generalise=generalise_degrees,
)
