"""Identifiers, accounts, hashes, numbers, positions and closed lists."""

import pytest

from ontology.errors import InvalidValue
from ontology.values import VALUE_TYPES

GOOD = [
    ("identifier", "ab-12 345/x", "AB12345X"),
    ("identifier", "ＡＢ１２", "AB12"),
    ("identifier", "\uc9f8+\u11ae", "\uc9ff"),
    ("plate", "b 123-xyz", "B123XYZ"),
    ("iban", "gb82 west 1234 5698 7654 32", "GB82WEST12345698765432"),
    ("transaction_hash", "0x" + "AB" * 32, "ab" * 32),
    ("hash", "SHA256:" + "AB" * 32, "ab" * 32),
    ("number", "1e3", "1000"),
    ("number", "-0.0", "0"),
    ("number", "007.50", "7.5"),
    ("number", "+.5", "0.5"),
    ("number", "12345678901234567890.123456789", "12345678901234567890.123456789"),
    ("currency", "eur", "EUR"),
    ("currency", "usdt", "USDT"),
    ("latitude", "45.12345678", "45.123457"),
    ("latitude", "-90.0", "-90"),
    ("longitude", "-180", "-180"),
    ("boolean", "Yes", "true"),
    ("boolean", "0", "false"),
    ("gender", "F", "female"),
    ("gender", "non binary", "other"),
]
BAD = [
    ("identifier", "--/"),
    ("plate", "x" * 21),
    ("iban", "GB82 WEST 1234 5698 7654 33"),
    ("iban", "ZZ82WEST12345698765432"),
    ("transaction_hash", "ab" * 31),
    ("hash", "ab" * 15),
    ("number", "NaN"),
    ("number", "Infinity"),
    ("number", "1,234.5"),
    ("number", "1" * 41),
    ("number", "1e99"),
    ("number", "٣"),
    ("currency", "€"),
    ("currency", "TOOLONGTICKER"),
    ("latitude", "90.0000001"),
    ("longitude", "180.1"),
    ("longitude", "east"),
    ("boolean", "perhaps"),
    ("gender", "unknown"),
]
MASKED = [
    ("identifier", "AB123442", "•••42"),
    ("identifier", "A42", "•••"),
    ("iban", "GB82WEST12345698765432", "GB•••32"),
    ("transaction_hash", "ab" * 32, "abab…"),
]
GENERALISED = [
    ("number", "66470", "70000"),
    ("number", "-0.0123", "-0.01"),
    ("number", "0", "0"),
    ("number", "9" * 40, "1" + "0" * 40),
    ("latitude", "45.6", "46"),
    ("longitude", "-0.4", "0"),
    ("iban", "GB82WEST12345698765432", "GB"),
]


@pytest.mark.parametrize(("kind", "raw", "value"), GOOD)
def test_values_have_one_stored_form(kind: str, raw: str, value: str) -> None:
    """Each way of writing gives the one form."""
    assert VALUE_TYPES[kind].clean(raw) == value


@pytest.mark.parametrize(("kind", "raw"), BAD)
def test_values_that_do_not_fit_are_refused(kind: str, raw: str) -> None:
    """Wrong check digits, lengths, ranges and words are refused."""
    with pytest.raises(InvalidValue):
        VALUE_TYPES[kind].clean(raw)


@pytest.mark.parametrize(("kind", "value", "shown"), MASKED)
def test_masks_keep_little(kind: str, value: str, shown: str) -> None:
    """A mask lets two people talk about a number without reading it."""
    assert VALUE_TYPES[kind].mask(value) == shown


@pytest.mark.parametrize(("kind", "value", "shown"), GENERALISED)
def test_generalised_values_are_coarse(kind: str, value: str, shown: str) -> None:
    """Sums keep their first digit, positions whole degrees, accounts their country."""
    assert VALUE_TYPES[kind].generalise(value) == shown
