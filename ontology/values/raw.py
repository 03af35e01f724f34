"""What every raw value goes through first: a bound on its length, Unicode NFC, nothing invisible."""

import re
import unicodedata

from ontology.errors import InvalidValue

# Controls, bidirectional and zero-width marks (the two joiners that spelling needs stay), lone surrogates, byte order marks.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
# Unicode's stream-safe format allows as many marks; sorting a longer run costs the square of its length.
_MOST_MARKS = 30
_TOO_MANY = "m" * (_MOST_MARKS + 1)
# No combining mark is a letter, digit or space.
_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MOST_MARKS + 1},}}")


def tidy(raw: str, *, expected: str, longest: int) -> str:
    """Return the value on one line: NFC, single spaces, nothing invisible.

    Raises InvalidValue when nothing remains, or more than `longest` characters do.
    """
    bound(raw, expected=expected, longest=longest)
    if raw.isascii() and raw.isprintable():
        value = " ".join(raw.split())
    else:
        visible = _INVISIBLE.sub("", " ".join(raw.split()))
        value = " ".join(normalise(visible, expected=expected).split())
        bound(value, expected=expected, longest=longest)
    if not value:
        raise InvalidValue(expected, "an empty value")
    return value


def tidy_wide(raw: str, *, expected: str, longest: int) -> str:
    """Tidy a value and bring full-width and other compatibility forms to the plain ones (NFKC)."""
    value = tidy(raw, expected=expected, longest=longest)
    if value.isascii():
        return value
    return tidy(unicodedata.normalize("NFKC", value), expected=expected, longest=longest)


def normalise(text: str, *, expected: str) -> str:
    """Return the NFC form; InvalidValue when more marks follow one letter than any language writes."""
    _check_marks(text, expected)
    value = unicodedata.normalize("NFC", text)
    _check_marks(value, expected)
    return value


def _check_marks(text: str, expected: str) -> None:
    for run in _MARKS.findall(text):
        if _TOO_MANY in "".join("m" if unicodedata.combining(c) else " " for c in run):
            raise InvalidValue(expected, f"more than {_MOST_MARKS} combining marks in a row")


def bound(raw: str, *, expected: str, longest: int) -> None:
    """Raise InvalidValue when a value is longer than `longest` characters."""
    if len(raw) > longest:
        raise InvalidValue(f"{expected} of at most {longest} characters", f"{len(raw)} characters")


def tidy_lower(raw: str, *, expected: str, longest: int) -> str:
    """Tidy a value and bring it to lower case, which can make it longer."""
    value = unicodedata.normalize("NFC", tidy(raw, expected=expected, longest=longest).lower())
    bound(value, expected=expected, longest=longest)
    return value


def describe(value: str) -> str:
    """Say of what kind and how long a value is, without quoting it."""
    size = "1 character" if len(value) == 1 else f"{len(value)} characters"
    if value.isdigit():
        return f"{size}, all digits"
    if value.isalpha():
        return f"{size}, all letters"
    if value.isalnum():
        return f"{size}, letters and digits"
    return f"{size} of other text"
