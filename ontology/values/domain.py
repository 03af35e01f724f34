"""Domain names, onion names included."""

import re

import idna

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 253

_EXPECTED = "a domain name"
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")


def clean_domain(raw: str) -> str:
    """Return the name in lower case, other scripts in their ASCII (IDNA) form."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST).lower().removesuffix(".")
    value = text if text.isascii() else _encode(text)
    if len(value) > LONGEST or not _DOMAIN.fullmatch(value):
        raise InvalidValue(_EXPECTED, describe(text))
    return value


def _encode(text: str) -> str:
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError as exc:
        raise InvalidValue(_EXPECTED, describe(text)) from exc


DOMAIN = ValueType(
    name="domain",
    description="A domain name in lower case, other scripts in their ASCII form.",
    clean=clean_domain,
)
