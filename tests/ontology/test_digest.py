"""Content addresses."""

from hypothesis import given
from hypothesis import strategies as st

from ontology.digest import canonical_json, make_id


def test_equal_values_give_equal_bytes() -> None:
    """The order in which keys were written does not count."""
    assert canonical_json({"b": 1, "a": [2, 3]}) == canonical_json({"a": [2, 3], "b": 1}) == b'{"a":[2,3],"b":1}'


def test_an_id_is_known_from_outside() -> None:
    """An id is the first 128 bits of SHA-256 over the JSON list of its parts, as sha256sum gives it."""
    assert make_id("a", "b") == "0473ef2dc0d324ab659d3580c1134e9d"


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_ids_are_equal_where_parts_are(left: list[str], right: list[str]) -> None:
    """Neither order nor the place where one part ends and the next begins is lost."""
    assert (make_id(*left) == make_id(*right)) == (left == right)
    assert len(make_id(*left)) == 32
