"""Base58 as the crypto currencies write it."""

from hashlib import sha256

BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"

CHECKSUM_SIZE = 4

_VALUES = {alphabet: {character: value for value, character in enumerate(alphabet)} for alphabet in (BITCOIN, RIPPLE)}


def decode(text: str, alphabet: str = BITCOIN) -> bytes | None:
    """Return the bytes that a text stands for; None when it holds a foreign character.

    The cost grows with the square of the length, so callers bound it.
    """
    values = _VALUES[alphabet]
    number = 0
    try:
        for character in text:
            number = number * 58 + values[character]
    except KeyError:
        return None
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def has_checksum(payload: bytes) -> bool:
    """Whether the last four bytes begin the double SHA-256 of the rest (Base58Check)."""
    body, checksum = payload[:-CHECKSUM_SIZE], payload[-CHECKSUM_SIZE:]
    return sha256(sha256(body).digest()).digest()[:CHECKSUM_SIZE] == checksum
