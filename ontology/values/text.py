"""Free text: a description, a message, the words of an advertisement."""

import re

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import bound, normalise

LONGEST = 1_000_000

_EXPECTED = "text"
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
# Words that name somebody or some place on the web: with an at sign, a scheme or a dotted name, or as long as an address.
_CONTACT = re.compile(r"\S*@\S*|\S*://\S*|\S*\w\.\w\S*|\S{25,}")
_DIGIT = re.compile(r"\d")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


def clean_text(raw: str) -> str:
    """Return the text in NFC with plain line ends and no other control characters."""
    bound(raw, expected=_EXPECTED, longest=LONGEST)
    plain = _CONTROL.sub("", _LINE_END.sub("\n", raw).replace("\t", " "))
    value = normalise(plain, expected=_EXPECTED).strip()
    bound(value, expected=_EXPECTED, longest=LONGEST)
    if not value:
        raise InvalidValue(_EXPECTED, "an empty value")
    return value


def mask_text(value: str) -> str | None:
    """Return the text without its digits and without words that could be a contact.

    Names stay: only a reader can tell them from other words.
    """
    return _DIGIT.sub("•", _CONTACT.sub("•••", value))


TEXT = ValueType(
    name="text",
    description="Free text of any language, line ends kept.",
    clean=clean_text,
    mask=mask_text,
)
