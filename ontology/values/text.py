"""Free text: a description, a message, the words of an advertisement."""

import re
import unicodedata

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import bound, normalise

LONGEST = 1_000_000

_EXPECTED = "text"
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
# Words that name somebody or some place on the web: with an at sign, a scheme or a dotted name, or as long as an address.
_CONTACT = re.compile(r"\S*@\S*|\S*://\S*|\S*\w\.\w\S*|\S{25,}")
# The same with signs spelt out, as in anna (at) mail (dot) ru.
_SPELT = re.compile(r"\S*\s*[(\[{]\s*(?:at|dot|punkt|punto|point)\s*[)\]}]\s*\S*", re.IGNORECASE)
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
    """Return the text without its numerals, in any script or sign, and without words that could be a contact.

    Names and numbers written as words stay: only a reader can tell them from other words.
    """
    shown = _CONTACT.sub("•••", _SPELT.sub("•••", value))
    return shown if shown.isascii() and not _has_digit(shown) else "".join(map(_hide_numeral, shown))


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _hide_numeral(character: str) -> str:
    # Decimal, letter-like and other numbers: circled digits and fractions are numerals too.
    return "•" if unicodedata.category(character)[0] == "N" else character


TEXT = ValueType(
    name="text",
    description="Free text of any language, line ends kept.",
    clean=clean_text,
    mask=mask_text,
)
