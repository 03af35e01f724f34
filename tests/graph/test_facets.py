"""Facets: what a source marks apart is stored apart and shown together, as far as it may be seen."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.memory import MemoryStore
from graph.shown import Entity
from graph.store import Batch
from ontology.observer import Observer
from ontology.policy import Treatment
from ontology.record import Record
from tests.factory import SECRET, START, make_label, make_observer, make_record

POLICE = make_label(category="suspect", tlp="AMBER", owner="POLICE", cases=("A",))
CASE = make_observer(organisation="POLICE", cases=("A",))
STRANGER = make_observer("analyst", organisation="LAB")


def _see(observer: Observer, *records: Record) -> Entity | None:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=records))
    return store.view(observer).entities_of([records[0].thing]).get(records[0].thing)


def test_facets_show_as_one_record() -> None:
    """The union of the values, each with the provenance and treatment of the facet that holds it."""
    main = make_record(properties={"name": ["Ada Example"], "gender": ["female"]})
    marked = make_record(facet="marked", label=POLICE, properties={"name": ["A. E."], "birthDate": ["1980-01-02"]})

    entity = _see(CASE, main, marked)

    assert entity is not None
    (record,) = entity.records
    assert record.values == {"birthDate": ("1980-01-02",), "gender": ("female",), "name": ("Ada Example", "A. E.")}
    assert [dict(facet.values) for facet in record.facets] == [
        {"gender": ("female",), "name": ("Ada Example",)},
        {"birthDate": ("1980-01-02",), "name": ("A. E.",)},
    ]
    assert {t for facet in record.facets for t in facet.treatments.values()} == {Treatment.CLEAR}
    assert len({place.assertion for _, place in entity.provenance("name")}) == 2


def test_a_hidden_facet_leaves_no_trace() -> None:
    """Whoever may have the main part alone is shown what they would be if there were no other."""
    main = make_record(minute=5)
    marked = make_record(facet="marked", label=POLICE, minute=0, properties={"birthDate": ["1980-01-02"]})

    assert _see(STRANGER, main, marked) == _see(STRANGER, main)


def test_the_most_specific_visible_schema_names_the_thing() -> None:
    """A part that says more of what it is counts for whoever may have it."""
    main = make_record("Organization", properties={"name": ["Ada Limited"]})
    marked = make_record("Company", facet="marked", label=POLICE, properties={"name": ["Ada Limited"]})

    for observer, expected in ((CASE, "Company"), (STRANGER, "Organization")):
        entity = _see(observer, main, marked)
        assert entity is not None
        assert entity.schema == entity.records[0].schema == expected


@settings(max_examples=50)
@given(st.permutations(range(3)))
def test_the_order_of_writing_does_not_count(order: Sequence[int]) -> None:
    """However the facets came, the record is the same."""
    facets = [make_record(facet=name, properties={"name": [f"Ada {name}"]}) for name in ("", "one", "two")]

    assert _see(CASE, *(facets[place] for place in order)) == _see(CASE, *facets)
