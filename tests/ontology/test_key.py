"""Keys and words."""

from collections.abc import Mapping, Sequence

import pytest

from ontology.key import concrete_schemata, fold_words, make_key
from ontology.schema import default_ontology


def _key(schema: str, properties: Mapping[str, Sequence[str]]) -> str | None:
    return make_key(default_ontology()[schema], properties)


def test_equal_identifiers_give_one_key() -> None:
    """Whatever else two records say, one number is one phone."""
    number = ("+40712345678",)

    assert _key("Phone", {"number": number}) == _key("Phone", {"number": number, "carrier": ("Example Mobile",)})
    assert _key("Phone", {"number": number}) != _key("Phone", {"number": ("+40712345679",)})


def test_every_part_of_a_key_counts() -> None:
    """An account is a name at a service; without the service it has no key."""
    both = {"service": ("chat",), "username": ("ada",)}

    assert _key("UserAccount", both) != _key("UserAccount", both | {"service": ("forum",)})
    assert _key("UserAccount", {"username": ("ada",)}) is None


@pytest.mark.parametrize("schema", ["Person", "Organization", "Advertisement"])
def test_what_statistics_decide_has_no_key(schema: str) -> None:
    """Names identify nobody."""
    assert _key(schema, {"name": ("Ada Example",)}) is None


def test_one_value_is_no_key_of_two_types() -> None:
    """The same text as a wallet and as an e-mail address is two things."""
    assert _key("CryptoWallet", {"publicKey": ("x",)}) != _key("Email", {"address": ("x",)})


def test_words_are_folded_line_by_line() -> None:
    """Script, case and accents are gone; what has no letter leaves no line."""
    assert fold_words(["Олена", "--", "Ana-María Țepeș"]) == "olena\nana maria tepes"


def test_heirs_come_with_their_ancestor() -> None:
    """Asking for a schema asks for all that descend from it, and for nothing abstract."""
    found = concrete_schemata(default_ontology(), ["LegalEntity"])

    assert {"Person", "Organization", "Company"} <= found
    assert "Phone" not in found
    assert concrete_schemata(default_ontology(), []) == frozenset()
