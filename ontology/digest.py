"""Content addresses: the same content gives the same id, everywhere and always."""

import hashlib
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """Serialise with sorted keys and no spaces, so that equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def make_id(*parts: str) -> str:
    """Return 32 hex digits (128 bits of SHA-256) that stand for these parts in this order."""
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]
