"""Hashes of content: files, images, pages."""

import re

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 140

_EXPECTED = "a content hash of 32 to 128 hexadecimal digits"
_HASH = re.compile("(?:(?:md5|sha-?1|sha-?256|sha-?512):)?([0-9a-f]{32,128})")


def clean_hash(raw: str) -> str:
    """Return the digits in lower case, without the name of the algorithm."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    match = _HASH.fullmatch(text.lower())
    if not match:
        raise InvalidValue(_EXPECTED, describe(text))
    return match[1]


HASH = ValueType(
    name="hash",
    description="The hash of some content: 32 to 128 hexadecimal digits in lower case.",
    clean=clean_hash,
)
