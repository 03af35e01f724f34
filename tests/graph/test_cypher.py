"""Laws of the Cypher texts themselves."""

import re

import pytest

from graph import cypher
from ontology.errors import SchemaError
from ontology.schema import Ontology, default_ontology

ONTOLOGY = default_ontology()
LABELLED = {
    "by id": cypher.RECORDS_BY_ID,
    "by thing": cypher.RECORDS_BY_THING,
    "by key": cypher.RECORDS_BY_KEY,
    "by words": cypher.RECORDS_BY_WORDS,
    "in range": cypher.RECORDS_IN_RANGE,
    "outlines": cypher.OUTLINES_IN_RANGE,
    "judgements of": cypher.JUDGEMENTS_OF,
    "judgements": cypher.JUDGEMENTS,
    "links of": cypher.links_of(ONTOLOGY),
    "links in range": cypher.links_in_range(ONTOLOGY),
}
PAIRS = {"pairs of": cypher.PAIRS_OF, "pairs in range": cypher.PAIRS_IN_RANGE}


def variables_of(text: str) -> set[str]:
    """Return the variables of the nodes and relationships that a text matches."""
    return set(re.findall(r"[(\[](\w+):`?[A-Z]", text))


def _bound(variable: str, text: str) -> bool:
    # Of a judgement all that it was judged on.
    is_judged = re.search(rf"\({variable}:`?Judgement", text) is not None
    labels = f"all(lid IN {variable}.grounds WHERE lid IN $allowed)" if is_judged else f"{variable}.lid IN $allowed"
    return f"{labels} AND {variable}.recorded_at <= $as_of" in text


@pytest.mark.parametrize("text", LABELLED.values(), ids=LABELLED)
def test_every_variable_is_bound_by_label_and_moment(text: str) -> None:
    """No node or relationship is read whose label and moment are not asked for."""
    assert variables_of(text)
    for part in text.split(" UNION ALL "):
        for variable in variables_of(part):
            assert _bound(variable, part)


@pytest.mark.parametrize("text", PAIRS.values(), ids=PAIRS)
def test_pairs_are_bound_by_their_records(text: str) -> None:
    """A pair has a moment of its own and the labels of its two records."""
    assert variables_of(text) == {"a", "b", "r"}
    assert "r.recorded_at <= $as_of" in text
    for end in "ab":
        assert f"{end}.lid IN $allowed AND {end}.recorded_at <= $as_of" in text


def test_a_link_hangs_on_what_has_a_label() -> None:
    """Neither a stub nor a withdrawn record is a candidate for a link's end."""
    assert "WHERE n.lid IS NOT NULL" in cypher.CANDIDATES


def test_records_carry_every_label_from_the_start() -> None:
    """A record is found as what it is and as all that this is."""
    text = cypher.create_records(ONTOLOGY["Company"])

    assert {"Record", "Company", "Organization", "LegalEntity", "Thing"} <= set(re.findall(r"`(\w+)`", text))


def test_each_link_schema_has_a_unique_id() -> None:
    """Every type of link is set up, and so are scored pairs."""
    made = cypher.make_set_up(ONTOLOGY)

    assert {f"relation_{schema.name}_id".lower() for schema in ONTOLOGY.links()} < made.keys()
    assert "relation_same_as_id" in made
    assert {"record_id", "judgement_id", "judgement_left", "judgement_right", "relabelling_id"} < made.keys()


def test_a_schema_cannot_take_a_name_of_the_store() -> None:
    """A type called like a node of the store's own is refused by file and key."""
    clash = Ontology({**ONTOLOGY, "Label": ONTOLOGY["Person"]})

    with pytest.raises(SchemaError, match=r"Label\.yaml: name"):
        cypher.make_set_up(clash)


def test_names_are_quoted() -> None:
    """A name with a quote in it stays a name."""
    assert cypher.create_nodes(["A`b"]).startswith("UNWIND $rows AS row CREATE (n:`A``b`)")
