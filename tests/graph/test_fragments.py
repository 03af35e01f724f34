"""Fragments: what is kept is what was shown, to whom it was shown, and no more than there is room for."""

from collections.abc import Sequence
from random import Random

import orjson
import pytest

from graph.fragments import Fragments
from graph.memory import MemoryStore
from graph.selection import Column, Part, Row, select
from graph.shown import Entity
from graph.store import Batch
from graph.view import View
from ontology.observer import Observer
from tests.factory import SECRET, make_label, make_observer, make_record
from tests.worlds.twin import ASKING
from tests.worlds.world import NOW, build, make_world, thing_of

COLUMNS = (Column("id", Part.ID), Column("called", Part.CAPTION), Column("names", Part.PROPERTY, "name"))
SELECTED = "what was selected"


def _rows(entities: Sequence[Entity]) -> list[Row]:
    return select(entities, COLUMNS)


def _never(entities: Sequence[Entity]) -> list[Row]:
    raise AssertionError(f"expected none to be made, found {len(entities)}")


def _entities(view: View, things: Sequence[str]) -> list[Entity]:
    return [Entity(view.facets_of(thing), view._treater) for thing in things]


@pytest.mark.parametrize("observer", {o.name: o for o in ASKING}.values(), ids=lambda o: o.name)
def test_what_is_shown_again_is_what_was_shown(observer: Observer) -> None:
    """Over drawn worlds, the bytes are those of the rows, however often, for every observer from the same fragments."""
    fragments = Fragments()
    for seed in range(20):
        world = make_world(Random(seed))
        view = build(world).view(observer)
        things = sorted(view.visible_things({thing_of(key) for key in world.keys}))
        expected = orjson.dumps(_rows(_entities(view, things)))

        for _ in range(3):
            assert orjson.dumps(fragments.show(SELECTED, _entities(view, things), _rows)) == expected


def test_nothing_is_made_thrice_for_one_observer_and_nothing_goes_to_another() -> None:
    """Each observer has fragments of their own, though record and selection are the same."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    label = make_label(category="victim", tlp="GREEN", owner="HOME")
    record = make_record("Person", "p", properties={"name": ["Ada"]}, label=label)
    store.write(Batch(records=[record]))
    fragments, shown = Fragments(), []
    for observer in (
        make_observer("analyst", organisation="LAB"),
        make_observer("ngo", organisation="HOME", purpose="protection"),
    ):
        for _ in range(2):
            entities = _entities(store.view(observer), [record.thing])
            shown.append(orjson.dumps(fragments.show(SELECTED, entities, _rows)))
        again = _entities(store.view(observer), [record.thing])
        assert orjson.dumps(fragments.show(SELECTED, again, _never)) == shown[-1] == shown[-2]

    assert b"Ada" not in shown[0]
    assert b"Ada" in shown[2]


def test_another_selection_and_another_version_are_made_anew() -> None:
    """What is kept of one selection answers no other, and a newer version is shown as it is."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    view = store.view(make_observer("investigator"))
    store.write(Batch(records=[make_record("Person", "p", properties={"name": ["Ada"]})]))
    thing = make_record("Person", "p").thing
    fragments = Fragments()
    for _ in range(2):
        fragments.show(SELECTED, _entities(view, [thing]), _rows)

    other = fragments.show("another", _entities(view, [thing]), lambda some: [{"other": 1} for _ in some])
    store.write(Batch(records=[make_record("Person", "p", properties={"name": ["Bel"]}, sequence=1)]))
    newer = fragments.show(SELECTED, _entities(store.view(make_observer("investigator")), [thing]), _rows)

    assert orjson.dumps(other) == b'[{"other":1}]'
    assert b"Bel" in orjson.dumps(newer)


def test_room_is_made_of_what_was_selected_longest_ago() -> None:
    """What is kept stays within its bytes, and everything that was dropped can be kept again."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    records = [make_record("Person", f"p{number}", properties={"name": ["Ada"]}) for number in range(4)]
    store.write(Batch(records=records))
    view = store.view(make_observer("investigator"))
    entities = _entities(view, [record.thing for record in records])
    fragments = Fragments(room=5_000)
    for selected in ("first", "first", "second", "second", "first", "third", "third"):
        fragments.show(selected, entities, _rows)

    fragments.show("first", entities, _never)
    with pytest.raises(AssertionError, match="found 4"):
        fragments.show("second", entities, _never)
    for number in range(200):
        fragments.show(number // 2, entities, _rows)
    fragments.show(99, entities, _never)
    with pytest.raises(AssertionError, match="found 4"):
        fragments.show("first", entities, _never)


def test_no_entities_have_no_fragments() -> None:
    """An empty list stays empty."""
    assert Fragments().show(SELECTED, [], _never) == []
