"""Crypto addresses, told apart and verified by their own checksums.

The currency is no part of the value: Bitcoin and Bitcoin Cash share the form of
their older addresses, and one Ethereum key serves many chains.
"""

import base64
import binascii
import re
from collections.abc import Callable
from hashlib import blake2b

from Crypto.Hash import SHA512, keccak

from ontology.errors import InvalidValue
from ontology.values import base58, bech32
from ontology.values.base import ValueType
from ontology.values.raw import describe, tidy

LONGEST = 256

_EXPECTED = "a crypto address whose checksum verifies"

_ETHEREUM = re.compile("0[xX][0-9a-fA-F]{40}")
_BASE58 = re.compile("[1-9A-HJ-NP-Za-km-z]{25,120}")
_CASH = re.compile("(?:bitcoincash:)?([qp][02-9ac-hj-np-z]{41})")
_BECH32 = re.compile("([a-z]{1,12})1([02-9ac-hj-np-z]{6,240})")
_MONERO = re.compile("[48][1-9A-HJ-NP-Za-km-z]{94}(?:[1-9A-HJ-NP-Za-km-z]{11})?")
_TON = re.compile("[EU]Q[0-9A-Za-z+/_-]{46}")
_STELLAR = re.compile("G[A-Z2-7]{55}")
_ALGORAND = re.compile("[A-Z2-7]{58}")
_FILECOIN = re.compile("f([123])([a-z2-7]{39,84})")
_EOS = re.compile(r"eos:[a-z1-5.]{1,12}(?<!\.)")

# Version bytes: Bitcoin (Cash), Litecoin, Dogecoin, Dash, Tron, Bitcoin Gold, DigiByte, Vertcoin, Zcash, Tezos.
_VERSIONS = {
    25: frozenset(
        bytes([v])
        for v in (
            0x00,
            0x05,
            0x30,
            0x32,
            0x1E,
            0x16,
            0x4C,
            0x10,
            0x41,
            0x26,
            0x17,
            0x3F,
            0x47,
        )
    ),
    26: frozenset({b"\x1c\xb8", b"\x1c\xbd"}),
    27: frozenset({b"\x06\xa1\x9f", b"\x06\xa1\xa1", b"\x06\xa1\xa4", b"\x02\x5a\x79"}),
}
_HASH_SIZE = 20
_SOLANA_SIZE = 32
_RIPPLE_SIZES = {25: b"\0", 35: b"\x05\x44"}

_SEGWIT_PREFIXES = frozenset({"bc", "ltc", "dgb", "btg", "vtc"})
_SEGWIT_LENGTH = 90
_TAPROOT = 1
# Sizes in bytes of what the other Bech32 prefixes carry: Binance, the Cosmos family, Avalanche, Cardano, Zcash.
_ACCOUNT_SIZES = {
    **dict.fromkeys(("bnb", "cosmos", "osmo", "thor", "kava", "terra", "secret", "inj", "sei", "celestia", "juno",
                     "axelar", "avax"), (20, 32)),
    "addr": (29, 57), "stake": (29,), "zs": (43,),
}  # fmt: skip
_ZCASH_UNIFIED = "u"

_MONERO_BLOCK, _MONERO_BLOCK_SIZE = 11, 8
_MONERO_TAIL_SIZES = {7: 5}
_MONERO_NETWORKS = frozenset({18, 19, 42})
_TON_FLAGS = frozenset({0x11, 0x51})
_TON_PLAIN = 0x51
_STELLAR_ACCOUNT = 6 << 3
_FILECOIN_SIZES = {1: 20, 2: 20, 3: 48}
_SS58_SIZES = frozenset({35, 36})


def clean_wallet(raw: str) -> str:
    """Return the address in the one form that its format calls standard.

    Ethereum addresses come in EIP-55 capitals, Bech32 in lower case, cash
    addresses with their prefix, TON in the form that wallets show. EOS account
    names have no checksum, so they must say what they are: ``eos:name``.
    """
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    for read in _FORMATS:
        found = read(text)
        if found is not None:
            return found
    raise InvalidValue(_EXPECTED, describe(text))


def mask_wallet(value: str) -> str | None:
    """Return the first four characters, as in ``bc1q…``."""
    return f"{value[:4]}…"


def _read_ethereum(text: str) -> str | None:
    if not _ETHEREUM.fullmatch(text):
        return None
    digits = text[2:]
    checked = _capitalise(digits.lower())
    return f"0x{checked}" if digits in (checked, digits.lower(), digits.upper()) else None


def _capitalise(digits: str) -> str:
    nibbles = keccak.new(data=digits.encode(), digest_bits=256).hexdigest()
    return "".join(d.upper() if n >= "8" else d for d, n in zip(digits, nibbles, strict=False))


def _read_base58(text: str) -> str | None:
    if not _BASE58.fullmatch(text):
        return None
    payload = base58.decode(text)
    if payload is None:
        return None
    size = len(payload)
    if size in _VERSIONS:
        known = payload[: size - _HASH_SIZE - base58.CHECKSUM_SIZE] in _VERSIONS[size]
        return text if known and base58.has_checksum(payload) else None
    # Solana has no checksum: its address is a public key, known by its size alone.
    if size == _SOLANA_SIZE or _is_substrate(payload) or _is_byron(payload):
        return text
    return None


def _is_substrate(payload: bytes) -> bool:
    """Whether the SS58 checksum of Polkadot and its kin verifies."""
    return len(payload) in _SS58_SIZES and blake2b(b"SS58PRE" + payload[:-2]).digest()[:2] == payload[-2:]


def _is_byron(payload: bytes) -> bool:
    """Whether this is an older Cardano address: CBOR of tagged bytes and their CRC-32."""
    if payload[:4] != b"\x82\xd8\x18\x58" or len(payload) != payload[4] + 10:
        return False
    return payload[-5:] == b"\x1a" + binascii.crc32(payload[5:-5]).to_bytes(4, "big")


def _read_ripple(text: str) -> str | None:
    if text[0] not in "rX" or not _BASE58.fullmatch(text):
        return None
    payload = base58.decode(text, base58.RIPPLE)
    if payload is None or len(payload) not in _RIPPLE_SIZES:
        return None
    return text if payload.startswith(_RIPPLE_SIZES[len(payload)]) and base58.has_checksum(payload) else None


def _read_bech32(text: str) -> str | None:
    lowered = text.lower()
    match = _BECH32.fullmatch(lowered)
    if not match or text not in (lowered, text.upper()):
        return None
    prefix = match[1]
    if prefix not in _SEGWIT_PREFIXES and prefix not in _ACCOUNT_SIZES and prefix != _ZCASH_UNIFIED:
        return None
    decoded = bech32.decode(lowered)
    if decoded is None:
        return None
    if prefix in _SEGWIT_PREFIXES:
        valid = len(text) <= _SEGWIT_LENGTH and _is_segwit(decoded.values, decoded.constant)
    elif prefix == _ZCASH_UNIFIED:
        valid = decoded.constant == bech32.BECH32M
    else:
        payload = bech32.to_bytes(decoded.values)
        valid = decoded.constant == bech32.BECH32 and payload is not None and len(payload) in _ACCOUNT_SIZES[prefix]
    return lowered if valid else None


def _is_segwit(values: list[int], constant: int) -> bool:
    """Whether version, checksum and size of a witness program fit together (BIP 141, 173, 350)."""
    program = bech32.to_bytes(values[1:])
    if not values or program is None:
        return False
    if values[0] < _TAPROOT:
        return constant == bech32.BECH32 and len(program) in (20, 32)
    return values[0] <= 16 and constant == bech32.BECH32M and 2 <= len(program) <= 40


def _read_cash(text: str) -> str | None:
    lowered = text.lower()
    match = _CASH.fullmatch(lowered)
    if not match or text not in (lowered, text.upper()):
        return None
    values = bech32.decode_cash("bitcoincash", match[1])
    payload = bech32.to_bytes(values) if values is not None else None
    return f"bitcoincash:{match[1]}" if payload and payload[0] in (0x00, 0x08) else None


def _read_monero(text: str) -> str | None:
    if not _MONERO.fullmatch(text):
        return None
    blocks = [_read_monero_block(text[i : i + _MONERO_BLOCK]) for i in range(0, len(text), _MONERO_BLOCK)]
    payload = b"".join(block for block in blocks if block is not None)
    if None in blocks or payload[0] not in _MONERO_NETWORKS:
        return None
    checksum = keccak.new(data=payload[:-4], digest_bits=256).digest()[:4]
    return text if checksum == payload[-4:] else None


def _read_monero_block(text: str) -> bytes | None:
    size = _MONERO_TAIL_SIZES.get(len(text), _MONERO_BLOCK_SIZE)
    block = (base58.decode(text) or b"").lstrip(b"\0")
    return block.rjust(size, b"\0") if len(block) <= size else None


def _read_ton(text: str) -> str | None:
    if not _TON.fullmatch(text):
        return None
    payload = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
    if payload[0] not in _TON_FLAGS or binascii.crc_hqx(payload, 0) != 0:
        return None
    body = bytes([_TON_PLAIN]) + payload[1:-2]
    return base64.urlsafe_b64encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "big")).decode()


def _read_stellar(text: str) -> str | None:
    if not _STELLAR.fullmatch(text):
        return None
    payload = base64.b32decode(text)
    checksum = binascii.crc_hqx(payload[:-2], 0).to_bytes(2, "little")
    return text if payload[0] == _STELLAR_ACCOUNT and checksum == payload[-2:] else None


def _read_algorand(text: str) -> str | None:
    if not _ALGORAND.fullmatch(text):
        return None
    payload = _decode_base32(text)
    return text if payload and SHA512.new(payload[:-4], truncate="256").digest()[-4:] == payload[-4:] else None


def _read_filecoin(text: str) -> str | None:
    match = _FILECOIN.fullmatch(text)
    if not match:
        return None
    protocol = int(match[1])
    payload = _decode_base32(match[2].upper())
    if payload is None or len(payload) != _FILECOIN_SIZES[protocol] + 4:
        return None
    return text if blake2b(bytes([protocol]) + payload[:-4], digest_size=4).digest() == payload[-4:] else None


def _decode_base32(text: str) -> bytes | None:
    try:
        payload = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        return None
    # Bits beyond the last byte must be zero, or one address would have several spellings.
    return payload if base64.b32encode(payload).decode().rstrip("=") == text else None


def _read_eos(text: str) -> str | None:
    return text if _EOS.fullmatch(text) else None


_FORMATS: tuple[Callable[[str], str | None], ...] = (
    _read_ethereum,
    _read_base58,
    _read_bech32,
    _read_ripple,
    _read_cash,
    _read_monero,
    _read_ton,
    _read_stellar,
    _read_algorand,
    _read_filecoin,
    _read_eos,
)

WALLET = ValueType(
    name="wallet",
    description="A crypto address whose checksum verifies, in the standard form of its chain.",
    clean=clean_wallet,
    mask=mask_wallet,
)
