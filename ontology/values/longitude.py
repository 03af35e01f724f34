"""Longitude: degrees east of the prime meridian."""

from ontology.values.base import ValueType
from ontology.values.degrees import clean_degrees, generalise_degrees


def clean_longitude(raw: str) -> str:
    """Return the degrees, at most 180 either way, with at most six decimals."""
    return clean_degrees(raw, most=180)


LONGITUDE = ValueType(
    name="longitude",
    description="Longitude in degrees east, WGS 84.",
    clean=clean_longitude,
    generalise=generalise_degrees,
)
