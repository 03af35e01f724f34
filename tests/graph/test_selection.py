"""Selections: what a list shows of an entity is what showing it whole shows, for every observer and label."""

from random import Random

import pytest

from graph.memory import MemoryStore
from graph.selection import Column, Part, select
from graph.shown import Entity, ShownEntity
from graph.store import Batch
from ontology.observer import Observer
from ontology.schema import default_ontology
from tests.factory import SECRET, START, make_label, make_observer, make_record
from tests.worlds.twin import ASKING
from tests.worlds.world import NOW, build, make_world, thing_of

FIXED = (
    Column("a", Part.ID),
    Column("kind", Part.SCHEMA),
    Column("called", Part.CAPTION),
    Column("__typename", Part.CONSTANT, "Person"),
)


def _columns(schema: str) -> tuple[Column, ...]:
    return (*FIXED, *(Column(f"x_{name}", Part.PROPERTY, name) for name in default_ontology()[schema].properties))


def _expect(shown: ShownEntity, columns: tuple[Column, ...]) -> dict[str, object]:
    fixed = {"a": shown.id, "kind": shown.schema, "called": shown.caption, "__typename": "Person"}
    return {
        column.key: fixed[column.key] if column.key in fixed else shown.values.get(column.name or "")
        for column in columns
    }


@pytest.mark.parametrize("observer", {o.name: o for o in ASKING}.values(), ids=lambda o: o.name)
def test_a_row_holds_what_is_shown_of_the_whole(observer: Observer) -> None:
    """Over drawn worlds, with facets, versions, merged records and every treatment, row and entity agree."""
    seen = merged = 0
    for seed in range(80):
        world = make_world(Random(seed))
        view = build(world).view(observer)
        for thing in {thing_of(key) for key in world.keys} & view.visible_things({thing_of(key) for key in world.keys}):
            records = Entity(view.facets_of(thing), view._treater)
            columns = _columns(records.schema)

            assert select([records, records], columns) == [_expect(records.whole, columns)] * 2
            assert (records.id, records.thing) == (records.whole.id, records.whole.thing)
            seen, merged = seen + 1, merged + (len(records.things) > 1)
    assert seen >= (observer.tier != "operator") * 40
    assert merged or observer.tier in ("operator", "auditor", "public", "private")


def test_rows_of_many_schemata_come_in_order() -> None:
    """A list may mix things of all kinds; no entities, no rows."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    person, phone = make_record("Person", "p"), make_record("Phone", "t", properties={"number": ["+31612345678"]})
    store.write(Batch(records=[person, phone]))
    view = store.view(make_observer("investigator"))
    entities = [Entity(view.facets_of(record.thing), view._treater) for record in (phone, person, phone)]

    kinds = [row["kind"] for row in select(entities, FIXED)]

    assert kinds == ["Phone", "Person", "Phone"]
    assert select([], FIXED) == []


def test_nothing_is_compiled_twice_for_an_observer() -> None:
    """The same columns are compiled once for a schema; another observer has functions of their own."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    label = make_label(category="victim", tlp="GREEN", owner="HOME")
    record = make_record("Person", "p", properties={"name": ["Ada"], "birthDate": ["1990-02-03"]}, label=label)
    store.write(Batch(records=[record]))
    columns = (Column("born", Part.PROPERTY, "birthDate"),)
    rows = []
    for observer in (
        make_observer("analyst", organisation="LAB"),
        make_observer("ngo", organisation="HOME", purpose="protection"),
    ):
        view = store.view(observer, START.replace(year=2027))
        rows += select([Entity(view.facets_of(record.thing), view._treater)] * 2, columns)
        assert len(view._treater._selections) == 1

    assert rows == [{"born": ("1990",)}] * 2 + [{"born": ("1990-02-03",)}] * 2
