"""Free text: what masking takes out of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.values.text import mask_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call 0721 234 567 now", "call •••• ••• ••• now"),
        ("call ➊➋➌ or ①② or ½", "call ••• or •• or •"),
        ("رقم ٠١٢٣", "رقم ••••"),
        ("anna@mail.example, ask Ada", "••• ask Ada"),
        ("write anna (at) mail now", "write ••• now"),
        ("write anna [AT] mail {dot} ru", "write ••••••"),
        ("(a) first, (b) second", "(a) first, (b) second"),
        ("room for one", "room for one"),
    ],
)
def test_numbers_and_addresses_go(text: str, shown: str) -> None:
    """Numerals of every kind and what names somebody on the web are taken out; words stay."""
    assert mask_text(text) == shown


@given(st.text())
def test_no_numeral_is_left(text: str) -> None:
    """Nothing that Unicode calls a number is shown."""
    assert not any(unicodedata.category(character).startswith("N") for character in mask_text(text) or "")
