"""Hashes of transactions on a chain."""

import re

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 80

_EXPECTED = "a transaction hash of 64 hexadecimal digits"
_HASH = re.compile("(?:0x)?([0-9a-f]{64})")


def clean_transaction_hash(raw: str) -> str:
    """Return the 64 digits in lower case, without ``0x``."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    match = _HASH.fullmatch(text.lower())
    if not match:
        raise InvalidValue(_EXPECTED, describe(text))
    return match[1]


def mask_transaction_hash(value: str) -> str | None:
    """Return the first four digits, as in ``4a5e…``."""
    return f"{value[:4]}…"


TRANSACTION_HASH = ValueType(
    name="transaction_hash",
    description="The hash of a transaction on a chain: 64 hexadecimal digits in lower case.",
    clean=clean_transaction_hash,
    mask=mask_transaction_hash,
)
