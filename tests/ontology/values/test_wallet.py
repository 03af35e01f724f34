"""Crypto addresses: published vectors and broken ones."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.errors import InvalidValue
from ontology.values.base58 import BITCOIN
from ontology.values.wallet import clean_wallet, mask_wallet

# BIP 173 and BIP 350, section "Test vectors".
SEGWIT_VALID = [
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
    "BC1SW50QGDZ25J",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
]
SEGWIT_INVALID = [
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "bc1gmk9yu",
    "bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
]
# EIP-55, section "Test Cases".
ETHEREUM = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
# The cash address specification, section "Test Vectors".
CASH = "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"
BASE58 = [
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu",
    "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
]
OTHER = [
    "rrrrrrrrrrrrrrrrrrrrrhoLvTp",
    "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
    "888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H",
    "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
    "11111111111111111111111111111111",
    "eos:eosio.token",
]


@pytest.mark.parametrize("raw", SEGWIT_VALID)
def test_published_segwit_addresses_verify(raw: str) -> None:
    """Bech32 and Bech32m addresses of the specification are stored in lower case."""
    assert clean_wallet(raw) == raw.lower()


@pytest.mark.parametrize("raw", SEGWIT_INVALID)
def test_published_broken_segwit_addresses_are_refused(raw: str) -> None:
    """What the specification calls invalid is refused: checksum, version, size, padding, case."""
    with pytest.raises(InvalidValue, match="a crypto address whose checksum verifies"):
        clean_wallet(raw)


@pytest.mark.parametrize("raw", ETHEREUM)
def test_ethereum_addresses_are_stored_with_their_capitals(raw: str) -> None:
    """Checked, lower and upper case spellings of one address are one value."""
    assert clean_wallet(raw) == clean_wallet(raw.lower()) == clean_wallet("0x" + raw[2:].upper())
    assert clean_wallet(raw).lower() == raw.lower()


def test_wrong_capitals_of_ethereum_are_refused() -> None:
    """Mixed case is a checksum, so one capital too many is an error."""
    assert clean_wallet(ETHEREUM[4]) == ETHEREUM[4]
    with pytest.raises(InvalidValue):
        clean_wallet(ETHEREUM[4].replace("5aA", "5AA"))


@pytest.mark.parametrize("raw", [CASH, CASH.upper(), CASH.removeprefix("bitcoincash:")])
def test_cash_addresses_get_their_prefix(raw: str) -> None:
    """With or without prefix, in either case, a cash address is one value."""
    assert clean_wallet(raw) == CASH


@pytest.mark.parametrize("raw", BASE58 + OTHER)
def test_well_known_addresses_keep_their_form(raw: str) -> None:
    """Addresses of other chains are stored as they are written."""
    assert clean_wallet(f" {raw}\n") == raw


@pytest.mark.parametrize("raw", BASE58 + OTHER[:4])
@given(data=st.data())
def test_one_changed_character_is_refused(raw: str, data: st.DataObject) -> None:
    """A slip of the pen anywhere after the first character breaks the checksum."""
    at = data.draw(st.integers(1, len(raw) - 1))
    other = data.draw(st.sampled_from(BITCOIN).filter(lambda c: c != raw[at]))

    with pytest.raises(InvalidValue):
        clean_wallet(raw[:at] + other + raw[at + 1 :])


@pytest.mark.parametrize(
    ("version", "first"),
    [(b"\x30", "L"), (b"\x1e", "D"), (b"\x4c", "X"), (b"\x41", "T"), (b"\x1c\xb8", "t1"), (b"\x1c\xbd", "t3")],
)
def test_version_bytes_of_known_chains_are_accepted(version: bytes, first: str) -> None:
    """Litecoin, Dogecoin, Dash, Tron and Zcash addresses begin as their users know them."""
    raw = _encode(version + bytes(range(20)))

    assert raw.startswith(first)
    assert clean_wallet(raw) == raw


def test_private_keys_are_never_taken_for_addresses() -> None:
    """A key in wallet import format has a good checksum, but it is no address."""
    with pytest.raises(InvalidValue):
        clean_wallet(_encode(b"\x80" + bytes(range(32))))


def test_both_forms_of_a_ton_address_are_one_value() -> None:
    """TON writes an account in a bounceable and a plain form; the plain one is stored (TEP 2 example)."""
    bounceable = "EQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPrHF"
    plain = "UQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPuwA"

    assert clean_wallet(bounceable) == clean_wallet(plain) == plain


def test_a_mask_keeps_the_first_four_characters() -> None:
    """The kind of address stays visible, the address does not."""
    assert mask_wallet(BASE58[0]) == "1A1z…"


def _encode(body: bytes) -> str:
    payload = body + sha256(sha256(body).digest()).digest()[:4]
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BITCOIN[digit] + text
    return text
