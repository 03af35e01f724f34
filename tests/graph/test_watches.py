"""Watches: which changes raise an alert, and who may still read it."""

from datetime import datetime, timedelta

import pytest

from graph.memory import MemoryStore
from graph.store import Batch
from graph.watches import add_watch, check_watches, list_alerts
from ontology.errors import NotVisible
from ontology.label import Label
from ontology.observer import Observer
from ontology.record import Record
from ontology.watch import Watch
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record

ANNA = make_observer(name="anna")
HIDDEN = make_label(tlp="RED", owner="OTHER")
WATCHED = make_record(key="1")
COMING = make_record(key="2", properties={"name": ["Bela Sample"]}, minute=60)


class _Clock:
    """A clock that a test sets: minutes after the start."""

    def __init__(self) -> None:
        self.minute = 0

    def __call__(self) -> datetime:
        return START + timedelta(minutes=self.minute)


def _watching(observer: Observer = ANNA) -> tuple[MemoryStore, _Clock]:
    """Return a store in which somebody watches an entity since minute 30, and its clock."""
    clock = _Clock()
    store = MemoryStore(secret=SECRET, clock=clock)
    store.put_observer(observer)
    store.write(Batch(records=[WATCHED]))
    clock.minute = 30
    _watch(store, observer, clock)
    return store, clock


def _watch(store: MemoryStore, observer: Observer, clock: _Clock) -> Watch:
    return add_watch(store, observer, store.view(observer).entity_of(WATCHED.thing).id, clock())


def _link(store: MemoryStore, clock: _Clock, other: Record = COMING, label: Label | None = None) -> int:
    """Write a link to the watched entity at minute 60 and check the watches a minute later."""
    clock.minute = 61
    store.write(Batch(records=[other], links=[make_link(WATCHED, other, label=label, minute=60)]))
    return check_watches(store, clock)


def test_a_visible_link_raises_an_alert() -> None:
    """It names the watched entity, what came and how they are linked."""
    store, clock = _watching()

    raised = _link(store, clock)

    (alert,) = list_alerts(store, ANNA, clock())
    assert raised == 1
    assert (alert.entity.thing, alert.neighbour.entity.caption) == (WATCHED.thing, "Bela Sample")
    assert alert.recorded_at == START + timedelta(minutes=60)


def test_a_second_link_to_the_same_party_rings_again() -> None:
    """Two payments between two parties are two, when the source names them apart."""
    store, clock = _watching()
    _link(store, clock)
    clock.minute = 62
    store.write(Batch(links=[make_link(WATCHED, COMING, key="second", minute=62)]))

    assert check_watches(store, clock) == 1
    assert len(list_alerts(store, ANNA, clock())) == 2


@pytest.mark.parametrize(
    ("label", "other"),
    [(HIDDEN, COMING), (None, make_record(key="2", label=HIDDEN, minute=60))],
    ids=["link", "far end"],
)
def test_a_hidden_link_raises_none(label: Label | None, other: Record) -> None:
    """What an observer may not see does not ring for them."""
    store, clock = _watching()

    assert _link(store, clock, other, label) == 0
    assert list_alerts(store, ANNA, clock()) == []


def test_each_link_raises_once() -> None:
    """Checking again, or the same link said again, repeats nothing."""
    store, clock = _watching()
    _link(store, clock)
    clock.minute = 70
    store.write(Batch(links=[make_link(WATCHED, COMING, properties={"role": ["again"]}, minute=65)]))

    assert [check_watches(store, clock) for _ in range(2)] == [0, 0]
    assert len(list_alerts(store, ANNA, clock())) == 1


def test_a_late_check_loses_nothing() -> None:
    """Two links that came before one check raise two alerts, the newest first and ties by id."""
    store, clock = _watching()
    third = make_record(key="3", minute=50)
    store.write(Batch(records=[third], links=[make_link(WATCHED, third, minute=50)]))

    assert _link(store, clock) == 2
    assert {alert.neighbour.entity.thing for alert in list_alerts(store, ANNA, clock())} == {COMING.thing, third.thing}


def test_a_link_that_was_long_in_coming_is_not_lost() -> None:
    """What was recorded before a check, and written after it, raises its alert at the next one."""
    store, clock = _watching()
    clock.minute = 65
    check_watches(store, clock)

    assert _link(store, clock) == 1


def test_what_was_there_before_is_no_news() -> None:
    """A watch asks for what comes from now on."""
    clock = _Clock()
    store = MemoryStore(secret=SECRET, clock=clock)
    store.put_observer(ANNA)
    other = make_record(key="2")
    store.write(Batch(records=[WATCHED, other]))
    store.write(Batch(links=[make_link(WATCHED, other)]))
    clock.minute = 30
    _watch(store, ANNA, clock)

    assert check_watches(store, clock) == 0


def test_watching_twice_is_watching_once() -> None:
    """The first moment stays, so nothing between the two is lost."""
    store, clock = _watching()
    clock.minute = 90

    again = _watch(store, ANNA, clock)

    assert again.created_at == START + timedelta(minutes=30)
    assert store.list_watches("anna") == [again]


def test_what_is_not_visible_cannot_be_watched() -> None:
    """A watch on a hidden thing would tell that it is there."""
    store, clock = _watching()
    hidden = make_record(key="9", label=HIDDEN)
    store.write(Batch(records=[hidden]))
    insider = store.view(make_observer(organisation="OTHER")).entity_of(hidden.thing).id

    with pytest.raises(NotVisible):
        add_watch(store, ANNA, insider, clock())


def test_an_alert_goes_with_the_right_to_see_it() -> None:
    """Who has left the case no longer reads what it told them; who returns reads it again."""
    label = make_label(tlp="AMBER", owner="OTHER", cases=("A",))
    on_case = make_observer(name="anna", cases=("A",))
    store, clock = _watching(on_case)
    _link(store, clock, label=label)

    store.put_observer(ANNA)

    assert list_alerts(store, ANNA, clock()) == []
    assert len(list_alerts(store, on_case, clock())) == 1


def test_a_right_that_came_later_is_no_news() -> None:
    """Joining a case shows its old links, but none of them came since the watch began."""
    clock = _Clock()
    store = MemoryStore(secret=SECRET, clock=clock)
    store.put_observer(ANNA)
    other = make_record(key="2")
    store.write(Batch(records=[WATCHED, other]))
    store.write(Batch(links=[make_link(WATCHED, other, label=make_label(tlp="AMBER", owner="OTHER", cases=("A",)))]))
    clock.minute = 30
    _watch(store, ANNA, clock)

    store.put_observer(make_observer(name="anna", cases=("A",)))

    assert check_watches(store, clock) == 0


def test_a_link_to_any_record_of_the_entity_counts() -> None:
    """A watch on one record of a phone hears what links to another record of it."""
    clock = _Clock()
    store = MemoryStore(secret=SECRET, clock=clock)
    store.put_observer(ANNA)
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "89"]
    store.write(Batch(records=phones))
    clock.minute = 30
    add_watch(store, ANNA, store.view(ANNA).entity_of(phones[0].thing).id, clock())
    store.write(Batch(records=[COMING], links=[make_link(phones[1], COMING, "Contact", minute=60)]))
    clock.minute = 61

    assert check_watches(store, clock) == 1


def test_nobodys_watch_is_not_checked() -> None:
    """A watch whose observer is gone raises nothing and stops nobody else's."""
    store, clock = _watching()
    store.put_watch(Watch("nobody", WATCHED.thing, START, START))

    assert _link(store, clock) == 1


def test_what_a_right_made_visible_shows_without_an_import() -> None:
    """A link that came while it was hidden is read as soon as it may be, whatever else comes or does not."""
    label = make_label(tlp="AMBER", owner="OTHER", cases=("A",))
    store, clock = _watching()
    _link(store, clock, label=label)
    on_case = make_observer(name="anna", cases=("A",))

    store.put_observer(on_case)

    assert len(list_alerts(store, on_case, clock())) == 1


@pytest.mark.parametrize("is_checked", [False, True])
def test_what_others_import_meanwhile_raises_nothing(is_checked: bool) -> None:
    """A link that was there before the watch, for the rights of now, is no news, whatever was raised under others."""
    store, clock = _watching()
    open_, on_case = make_label(tlp="GREEN", owner="OTHER"), make_label(tlp="AMBER", owner="OTHER", cases=("X",))
    far = make_record(key="2", label=on_case, minute=1)
    store.write(Batch(records=[far], links=[make_link(WATCHED, far, label=open_, minute=2)]))
    clock.minute = 60
    store.write(Batch(records=[make_record(key="2", label=open_, minute=60, sequence=1)]))
    before = (
        [alert.neighbour.entity.thing for alert in list_alerts(store, ANNA, clock())] if is_checked else [far.thing]
    )
    anna = make_observer(name="anna", cases=("X",))
    store.put_observer(anna)

    assert before == [far.thing]
    assert list_alerts(store, anna, clock()) == []
