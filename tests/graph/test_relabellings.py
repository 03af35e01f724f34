"""Relabelling: stricter at once, less strict by two, one of them the originator's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.memory import MemoryStore
from graph.relabellings import approve_relabelling, list_open_relabellings, propose_relabelling
from graph.shown import Entity
from graph.store import Batch
from ontology.errors import InvalidData, NotVisible
from ontology.observer import Observer
from ontology.record import Record
from ontology.relabelling import Relabelling, is_stricter
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record

NOW = START + timedelta(days=1)
AMBER = make_label(category="suspect", tlp="AMBER", owner="POLICE", release=("LAB",))
SUSPECT = make_record(label=AMBER)
ANNA = make_observer(organisation="POLICE", name="anna")
BEN = make_observer(organisation="POLICE", name="ben")
LAB = make_observer(organisation="LAB", name="lab")
STRANGER = make_observer(organisation="ELSEWHERE", name="stranger")


def _store(*records: Record) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=records or (SUSPECT,)))
    for observer in (ANNA, BEN, LAB, STRANGER):
        store.put_observer(observer)
    return store


def _see(store: MemoryStore, observer: Observer) -> Entity | None:
    return store.view(observer).entities_of([SUSPECT.thing]).get(SUSPECT.thing)


def _propose(store: MemoryStore, observer: Observer, **parts: object) -> Relabelling:
    entity = _see(store, observer)
    assert entity is not None
    place = entity.records[0].facets[0].provenance
    return propose_relabelling(
        store, observer, record=place.record, assertion=place.assertion, parts=parts, reason="reviewed", now=NOW
    )


def test_stricter_handling_is_in_force_at_once_and_for_all_times() -> None:
    """Whoever lost it sees it no more, not even as it was known before."""
    store = _store()
    seen_before = _see(store, LAB) is not None

    made = _propose(store, ANNA, release=[])

    assert seen_before
    assert made.approved_by == "anna"
    assert _see(store, LAB) is None
    assert store.view(LAB, START + timedelta(hours=1)).entities_of([SUSPECT.thing]) == {}
    assert _see(store, ANNA) is not None


def test_less_strict_handling_waits_for_another_of_the_owner() -> None:
    """Nobody sees more until a second observer approves; then those it is meant for do."""
    store = _store()

    _propose(store, ANNA, tlp="GREEN")
    before = _see(store, STRANGER)
    (waiting,) = list_open_relabellings(store, BEN)
    approve_relabelling(store, BEN, waiting.id, NOW)

    assert before is None
    assert (waiting.old.tlp, waiting.new.tlp, waiting.proposed_by) == ("AMBER", "GREEN", "anna")
    assert _see(store, STRANGER) is not None
    assert list_open_relabellings(store, BEN) == []
    assert [(r.proposed_by, r.approved_by) for r in store.list_relabellings()] == [("anna", "ben")]


def test_nobody_approves_their_own_or_what_another_owns() -> None:
    """The proposer is refused; whoever is not of the owner is shown nothing that waits."""
    store = _store()
    _propose(store, ANNA, tlp="GREEN")
    (waiting,) = list_open_relabellings(store, ANNA)

    with pytest.raises(InvalidData, match="other than who proposed it"):
        approve_relabelling(store, ANNA, waiting.id, NOW)
    with pytest.raises(NotVisible):
        approve_relabelling(store, STRANGER, waiting.id, NOW)
    assert list_open_relabellings(store, LAB) == list_open_relabellings(store, STRANGER) == []


@pytest.mark.parametrize(
    "parts", [{"tlp": "RED"}, {"tlp": "GREEN"}, {"cases": ["MINE"]}, {"handling": "H2"}, {"tlp": "AMBER"}]
)
def test_who_does_not_own_it_changes_nothing_and_learns_nothing(parts: dict[str, object]) -> None:
    """Whatever another organisation proposes, right guess or wrong, waits for the owner, who sees as before."""
    store = _store()

    made = _propose(store, LAB, **parts)

    assert made.approved_by is None
    assert _see(store, ANNA) == _see(_store(), ANNA)
    assert len(list_open_relabellings(store, ANNA)) == 1


@pytest.mark.parametrize("parts", [{"cases": ["A"]}, {"compartments": ["S"]}, {"category": "victim"}])
def test_what_may_open_to_somebody_takes_two_of_the_owner(parts: dict[str, object]) -> None:
    """A case, a compartment or a category is nobody's to set alone, though a join would call it stricter."""
    assert _propose(_store(), ANNA, **parts).approved_by is None


def test_the_order_of_a_list_makes_nothing_less_strict() -> None:
    """What is stricter is so whatever the order in which a label names its purposes."""
    old = replace(AMBER, purposes=("prosecution", "investigation"))

    assert is_stricter(replace(old, tlp="RED"), old)
    assert is_stricter(replace(old, tlp="RED", purposes=("prosecution",)), old)
    assert not is_stricter(replace(old, tlp="GREEN"), old)


def test_stricter_handling_takes_older_versions_along() -> None:
    """Whoever lost the newest version is not shown the one before in its place, whatever label that had."""
    strict = replace(AMBER, category="none")
    wide = replace(strict, tlp="GREEN")
    older = make_record(label=wide, properties={"name": ["Safe House Lane 3"]}, minute=-20)
    old = make_record(label=strict, properties={"name": ["Lane 3"]}, minute=-10)
    foreign = make_record(label=replace(wide, owner="LAB"), properties={"name": ["Told by LAB"]}, minute=-30)
    store = _store(foreign, older, old, make_record(label=strict))
    before = _see(store, STRANGER)

    _propose(store, ANNA, tlp="RED", release=[])

    assert before is not None
    assert before.values["name"] == ("Safe House Lane 3",)
    for observer in (LAB, STRANGER):
        seen = _see(store, observer)
        assert seen is not None
        assert seen.values["name"] == ("Told by LAB",)
    assert _see(store, BEN) == _see(store, ANNA)
    assert len(store.list_relabellings()) == 3


@pytest.mark.parametrize("tier", [None, "analyst"])
def test_lowering_takes_two_who_may(tier: str | None) -> None:
    """What somebody proposed who is gone, or may not label any more, can be approved by nobody."""
    store = _store()
    _propose(store, ANNA, tlp="GREEN")
    (waiting,) = list_open_relabellings(store, BEN)
    if tier is None:
        store.remove_observer(ANNA.name)
    else:
        store.put_observer(replace(ANNA, tier=tier))

    assert list_open_relabellings(store, BEN) == []
    with pytest.raises(NotVisible):
        approve_relabelling(store, BEN, waiting.id, NOW)
    assert _see(store, STRANGER) is None


def test_the_owner_cannot_be_changed() -> None:
    """Not even by the owner: nobody could ever change it back."""
    with pytest.raises(InvalidData, match="besides its owner"):
        _propose(_store(), ANNA, owner="")


def test_the_same_label_again_is_refused() -> None:
    """A proposal that changes nothing, and one that is no label, say so."""
    store = _store()

    with pytest.raises(InvalidData, match="differ"):
        _propose(store, ANNA, tlp="AMBER")
    with pytest.raises(InvalidData, match="unknown part"):
        _propose(store, ANNA, colour="red")


def test_links_are_relabelled_like_records() -> None:
    """A link that is made stricter is gone for whoever may not have it."""
    other = make_record(key="2", label=AMBER)
    link = make_link(SUSPECT, other, label=AMBER)
    store = _store(SUSPECT, other)
    store.write(Batch(links=[link]))
    entity = _see(store, ANNA)
    assert entity is not None
    (neighbour,) = store.view(ANNA).neighbours(entity.id).items
    place = neighbour.link.provenance

    propose_relabelling(
        store, ANNA, record=place.record, assertion=place.assertion, parts={"release": []}, reason="", now=NOW
    )

    for observer, expected in ((ANNA, 1), (LAB, 0)):
        seen = _see(store, observer)
        assert seen is not None
        assert store.view(observer).neighbours(seen.id).total == expected


@pytest.mark.parametrize(
    "parts",
    [
        {"tlp": "RED", "release": [], "cases": ["X"]},
        {"tlp": "AMBER", "release": [], "compartments": ["S"]},
        {"category": "witness", "release": [], "compartments": ["S"]},
    ],
)
def test_whatever_hides_the_newest_version_hides_the_ones_before(parts: dict[str, object]) -> None:
    """A case, compartment or category among the parts makes it no pure tightening; older versions follow all the same."""
    wide = replace(AMBER, tlp="GREEN", category="other")
    team = replace(ANNA, cases=("X",), compartments=("S",), name="team")
    older = make_record(label=wide, properties={"name": ["Safe House Lane 3"]}, minute=-20)
    store = _store(older, make_record(label=wide))
    for observer in (team, replace(team, name="mate")):
        store.put_observer(observer)
    before = _see(store, LAB)

    _propose(store, team, **parts)
    waiting = list_open_relabellings(store, replace(team, name="mate"))
    approve_relabelling(store, replace(team, name="mate"), waiting[0].id, NOW)

    assert before is not None
    assert _see(store, LAB) is None


def test_less_strict_handling_leaves_older_versions_alone() -> None:
    """What is opened is what was asked for."""
    store = _store(make_record(label=AMBER, properties={"name": ["Was Called"]}, minute=-20), SUSPECT)

    _propose(store, ANNA, tlp="GREEN")
    approve_relabelling(store, BEN, list_open_relabellings(store, BEN)[0].id, NOW)

    assert [relabelling.assertion for relabelling in store.list_relabellings()] == [SUSPECT.id]


def test_who_lost_sight_of_it_proposes_nothing() -> None:
    """A proposal waits as long as whoever made it sees what it is about, with the right to propose."""
    store = _store(make_record(label=replace(AMBER, tlp="RED", release=(), cases=("X",))))
    on_case = replace(ANNA, cases=("X",))
    store.put_observer(on_case)
    store.put_observer(replace(BEN, cases=("X",)))

    _propose(store, on_case, tlp="GREEN")
    before = list_open_relabellings(store, replace(BEN, cases=("X",)))
    store.put_observer(replace(ANNA, organisation="ELSEWHERE"))

    assert len(before) == 1
    assert list_open_relabellings(store, replace(BEN, cases=("X",))) == []
