"""Names of people, organisations and things, in any script."""

import re

from anyascii import anyascii
from rapidfuzz.distance import Indel

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import tidy

LONGEST = 1_000

_EXPECTED = "a name"
# Transliteration writes soft signs and glottal stops as apostrophes: they join, all else separates.
_JOINING = re.compile("['`]")
_SEPARATING = re.compile("[^a-z0-9]+")
_MOST_INITIALS = 5


def clean_name(raw: str) -> str:
    """Return the name in NFC with single spaces; at least one letter or digit must be in it."""
    value = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    if not any(map(str.isalnum, value)):
        raise InvalidValue(_EXPECTED, "no letter or digit")
    return value


def fold_name(value: str) -> str:
    """Return the name transliterated to lower-case ASCII letters, digits and single spaces.

    Empty when no character has a transliteration.
    """
    return _SEPARATING.sub(" ", _JOINING.sub("", romanise(value).lower())).strip()


def romanise(value: str) -> str:
    """Return the text transliterated to ASCII, its case kept; what has no transliteration is left out."""
    return value if value.isascii() else anyascii(value)


def compare_names(left: str, right: str) -> float:
    """Compare two names by their folded words in any order, from 0.0 to 1.0."""
    if left == right:
        return 1.0
    folded_left, folded_right = _sort_words(left), _sort_words(right)
    if not folded_left or not folded_right:
        return 0.0
    return Indel.normalized_similarity(folded_left, folded_right)


def mask_name(value: str) -> str | None:
    """Return the initials, as in ``M. K.``, of at most the first five words."""
    words = ("".join(filter(str.isalnum, word)) for word in value.split())
    initials = [f"{word[0].upper()}." for word in words if word]
    return " ".join(initials[:_MOST_INITIALS]) or None


def _sort_words(value: str) -> str:
    return " ".join(sorted(fold_name(value).split()))


NAME = ValueType(
    name="name",
    description="A name in its own script; compared across scripts, accents and word order.",
    clean=clean_name,
    compare=compare_names,
    mask=mask_name,
)
