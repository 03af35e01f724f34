"""Search hits: the pages of a search, and which value of which record it was found in."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.memory import MemoryStore
from graph.shown import Hit
from graph.store import Batch, Store
from graph.view import View
from ontology.record import Record
from tests.conftest import BOLT_ENGINES
from tests.factory import SECRET, START, make_label, make_observer, make_record
from tests.worlds.twin import draw_pair
from tests.worlds.world import WORDS, build, fill


def _view(records: Sequence[Record], tier: str = "investigator", organisation: str = "ORG") -> View:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=records))
    return store.view(make_observer(tier, organisation=organisation))


def _matched(hits: Sequence[Hit]) -> list[tuple[str, str, str]]:
    return [(hit.entity.caption, hit.name, hit.value) for hit in hits]


def test_a_hit_names_the_value_that_matched() -> None:
    """A name, an alias and an address are told apart; a whole match scores a hundred."""
    people = [
        make_record(key="1", properties={"name": ["Ada Example"], "alias": ["Zora"]}),
        make_record(key="2", properties={"name": ["Bela Sample"], "alias": ["Dora", "Ada Example"]}),
        make_record(key="3", properties={"name": ["Cleo Other"], "address": ["Ada Example Street 1"]}),
    ]

    hits = _view(people).search_hits("ada example").items

    assert _matched(hits) == [
        ("Ada Example", "name", "Ada Example"),
        ("Bela Sample", "alias", "Ada Example"),
        ("Cleo Other", "address", "Ada Example Street 1"),
    ]
    assert [hit.score for hit in hits[:2]] == [100.0, 100.0]
    assert 0.0 < hits[2].score < 100.0


def test_the_value_holds_more_of_the_words_than_any_other() -> None:
    """Two words in one value go before one word that is all of another."""
    person = make_record(properties={"name": ["Ada"], "alias": ["Ada of the Very Long Example Street"]})

    (hit,) = _view([person]).search_hits("ada example").items

    assert (hit.name, hit.value) == ("alias", "Ada of the Very Long Example Street")


def test_a_hit_names_the_record_that_matched() -> None:
    """Of two records of one phone, the one that says so, and where it comes from."""
    phones = [
        make_record("Phone", "1", source=source, properties={"number": ["+40712345678"], "carrier": [carrier]})
        for source, carrier in (("one", "North"), ("two", "South"))
    ]
    (hit,) = _view(phones).search_hits("south").items

    (record,) = (r for r in hit.entity.records if r.thing == phones[1].thing)
    assert (hit.name, hit.value, hit.provenance.source) == ("carrier", "South", "two")
    assert hit.provenance == record.facets[0].provenance


def test_a_hit_is_of_the_schema_asked_for() -> None:
    """Where a thing is a person to one facet and a company to another, the schema chooses among them."""
    records = [
        make_record("Person", "1", properties={"name": ["Ada Example"]}),
        make_record("Company", "1", facet="marked", properties={"name": ["Ada"]}),
    ]
    view = _view(records)

    found = [view.search_hits("ada", schema=schema).items for schema in (None, "Person", "Company", "LegalEntity")]

    assert [hit.value for (hit,) in found] == ["Ada", "Ada Example", "Ada", "Ada"]


def test_hidden_values_are_never_named() -> None:
    """A match in the name is told though the notes, which are hidden, would match better."""
    label = make_label(category="suspect")
    person = make_record(label=label, properties={"bodyText": ["call"], "name": ["Ada"], "country": ["ro"]})
    view = _view([person], "analyst", "LAB")

    assert view.search_hits("ada").items == ()
    assert [(hit.name, hit.value) for hit in view.search_hits("ro").items] == [("country", "ro")]


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from(WORDS), st.integers(1, 3))
def test_hits_are_what_a_search_finds(seed: int, text: str, first: int) -> None:
    """The same entities, cursors and totals on every page; each value is shown, in clear, and holds a word."""
    observer, world, _ = draw_pair(seed)
    view = build(world).view(observer)
    page, hits = view.search(text, first=first), view.search_hits(text, first=first)

    assert [hit.entity for hit in hits.items] == [*page.items]
    assert (hits.cursors, hits.has_next, hits.total) == (page.cursors, page.has_next, page.total)
    assert [hit.score for hit in hits.items] == sorted((hit.score for hit in hits.items), reverse=True)
    for hit in hits.items:
        assert hit.value in hit.entity.values[hit.name]
        assert hit.provenance in [where for value, where in hit.entity.provenance(hit.name) if value == hit.value]
    for cursor in page.cursors:
        assert [h.entity for h in view.search_hits(text, after=cursor).items] == [
            *view.search(text, after=cursor).items
        ]


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_an_engine_hits_what_the_reference_hits(make_store: Callable[[], Store]) -> None:
    """Entities, values, scores and cursors are the same on an engine."""
    for seed in (2, 7):
        observer, world, _ = draw_pair(seed)
        store = make_store()
        fill(world, store)
        text = Random(seed).choice(WORDS)

        for words in ("ada", "hidden hamburg", text):
            expected = build(world).view(observer).search_hits(words, first=2)
            assert store.view(observer).search_hits(words, first=2) == expected
