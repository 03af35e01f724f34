"""Languages: ISO 639 codes, two letters where they exist, else three."""

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.cldr import load_languages
from ontology.values.raw import describe, tidy

LONGEST = 100

_EXPECTED = "a language (ISO 639 code, BCP 47 tag or English name)"


def clean_language(raw: str) -> str:
    """Return the ISO 639 code; of a tag such as ``pt-BR`` the language alone."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST).lower()
    known = load_languages()
    code = known.get(text) or known.get(text.replace("_", "-").split("-")[0])
    if code is None:
        raise InvalidValue(_EXPECTED, describe(text))
    return code


LANGUAGE = ValueType(
    name="language",
    description="A language by its ISO 639 code.",
    clean=clean_language,
)
