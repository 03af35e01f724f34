"""Bech32 (BIP 173), Bech32m (BIP 350) and the kindred cash addresses of Bitcoin Cash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BECH32 = 1
BECH32M = 0x2BC830A3

_CHARSET = {character: value for value, character in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_CHECKSUM_LENGTH = 6
_CASH_CHECKSUM_LENGTH = 8
_CASH_CONSTANT = 1


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text whose checksum verifies: its five-bit values, and which constant they verify with."""

    values: list[int]
    constant: int


def decode(text: str) -> Decoded | None:
    """Return what a text in lower case stands for; None when no checksum verifies."""
    prefix, _, data = text.rpartition("1")
    values = _to_values(data)
    if not prefix or values is None or len(values) < _CHECKSUM_LENGTH:
        return None
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    constant = _compute_residue(expanded + values, _TABLE, 25)
    return Decoded(values[:-_CHECKSUM_LENGTH], constant) if constant in (BECH32, BECH32M) else None


def decode_cash(prefix: str, data: str) -> list[int] | None:
    """Return the five-bit values of a cash address in lower case; None when its checksum fails."""
    values = _to_values(data)
    if values is None or len(values) < _CASH_CHECKSUM_LENGTH:
        return None
    expanded = [ord(c) & 31 for c in prefix] + [0]
    if _compute_residue(expanded + values, _CASH_TABLE, 35) != _CASH_CONSTANT:
        return None
    return values[:-_CASH_CHECKSUM_LENGTH]


def to_bytes(values: Sequence[int]) -> bytes | None:
    """Regroup five-bit values into bytes; None when the padding is too long or not zero."""
    number = 0
    for value in values:
        number = number << 5 | value
    padding = len(values) * 5 % 8
    if padding >= 5 or number & ((1 << padding) - 1):
        return None
    return (number >> padding).to_bytes(len(values) * 5 // 8, "big")


def _to_values(data: str) -> list[int] | None:
    try:
        return [_CHARSET[character] for character in data]
    except KeyError:
        return None


def _make_table(generator: Sequence[int]) -> list[int]:
    """Return what each of the 32 values leaving the register brings back into it."""
    table = [0] * 32
    for top in range(32):
        for bit, polynomial in enumerate(generator):
            table[top] ^= polynomial * (top >> bit & 1)
    return table


_TABLE = _make_table((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3))
_CASH_TABLE = _make_table((0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470))


def _compute_residue(values: Iterable[int], table: Sequence[int], shift: int) -> int:
    mask = (1 << shift) - 1
    residue = 1
    for value in values:
        residue = ((residue & mask) << 5 ^ value) ^ table[residue >> shift]
    return residue
