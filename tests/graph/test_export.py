"""Export: handling codes bind what material is used for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from graph.export import Refusal, make_export
from graph.memory import MemoryStore
from graph.shown import Entity
from graph.store import Batch
from ontology.consent import Consent, Use, may_use
from ontology.errors import NotVisible
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Treatment
from tests.factory import SECRET, START, make_label, make_observer, make_record
from tests.worlds.twin import sight_of
from tests.worlds.world import OBSERVERS, build, make_world, thing_of

NOW = START + timedelta(days=1)
ANNA = make_observer(organisation="POLICE", name="anna", cases=("A",))
ABROAD = make_observer("liaison", organisation="ABROAD", name="abroad")


def _label(handling: str, **parts: object) -> Label:
    return make_label(
        handling=handling, category="suspect", tlp="AMBER", owner="POLICE", cases=("A",), release=("ABROAD",), **parts
    )


def _consent(use: Use, to: str, owner: str = "POLICE") -> Consent:
    return Consent(owner, use, to, "letter 1", "anna", NOW)


@pytest.mark.parametrize(
    ("handling", "use", "is_free"),
    [
        ("H0", Use.COURT, True),
        ("H0", Use.RELEASE, True),
        ("H1", Use.COURT, False),
        ("H1", Use.RELEASE, True),
        ("H2", Use.COURT, False),
        ("H2", Use.RELEASE, False),
        ("H3", Use.COURT, False),
        ("H3", Use.RELEASE, False),
    ],
)
def test_codes_ask_for_consent_as_they_say(handling: str, use: Use, is_free: bool) -> None:
    """H1 keeps material from courts, H2 from every other hand; a consent for this very use opens it."""
    label, to = _label(handling), "12/26"

    assert may_use(label, use, to, []) is is_free
    assert may_use(label, use, to, [_consent(use, to)])
    assert may_use(label, use, to, [_consent(use, "13/26"), _consent(use, to, "OTHER")]) is is_free


def test_what_nobody_owns_nobody_can_consent_to() -> None:
    """What was derived from two owners' material is kept back until both release it."""
    assert not may_use(make_label(handling="H1", owner=""), Use.COURT, "1", [_consent(Use.COURT, "1", owner="")])


def test_a_court_gets_what_may_come_before_it_and_a_count_of_the_rest() -> None:
    """H1 material is refused and counted until its owner's consent to this proceeding is on record."""
    open_, closed = make_record(key="1", label=_label("H0")), make_record(key="2", label=_label("H1"))
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[open_, closed]))
    ids = [entity.id for entity in store.view(ANNA).entities_of([open_.thing, closed.thing]).values()]

    before = make_export(store, ANNA, ids, Use.COURT, "12/26")
    store.put_consent(_consent(Use.COURT, "12/26"))
    after = make_export(store, ANNA, ids, Use.COURT, "12/26")

    assert [entity.thing for entity in before.entities] == [open_.thing]
    assert before.refused == (Refusal("H1", "the organisation that owns this record", 1),)
    assert {entity.thing for entity in after.entities} == {open_.thing, closed.thing}
    assert after.refused == ()


def test_a_release_holds_what_both_may_have_and_no_more_of_it() -> None:
    """The stricter treatment applies under the observer's own ids, and what is not released is left out."""
    shared = make_record(key="1", label=_label("H0"), properties={"name": ["Ada Example"], "notes": ["a remark"]})
    kept = make_record(key="2", label=make_label(category="suspect", tlp="AMBER", owner="POLICE"))
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[shared, kept]))
    ids = [entity.id for entity in store.view(ANNA).entities_of([shared.thing, kept.thing]).values()]

    made = make_export(store, ANNA, ids, Use.RELEASE, "ABROAD", ABROAD)

    (entity,) = made.entities
    assert entity.id == store.view(ANNA).entity_of(shared.thing).id
    assert entity.values == {"name": ("Ada Example",)}
    assert made.refused == ()


def test_a_release_says_what_its_recipient_does_not_get() -> None:
    """Markers speak of the recipient's tier and tell no more than it may know; what nothing leaves of is counted apart."""
    theirs = make_label(category="victim", tlp="AMBER", owner="POLICE", cases=("A",), release=("ABROAD",))
    mine = make_label(category="victim", tlp="AMBER", owner="POLICE", cases=("A",))
    sent, kept = make_record(key="1", label=theirs), make_record(key="2", label=mine)
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[sent, kept]))
    store.put_consent(_consent(Use.RELEASE, "ABROAD"))
    ids = [entity.id for entity in store.view(ANNA).entities_of([sent.thing, kept.thing]).values()]
    own = next(iter(store.view(ABROAD).entities_of([sent.thing]).values()))

    made = make_export(store, ANNA, ids, Use.RELEASE, "ABROAD", ABROAD)

    (entity,) = made.entities
    assert made.left_out == 1
    assert {r.field_class for r in entity.redactions} == {r.field_class for r in own.redactions}
    assert all("liaison" in redaction.reason for redaction in entity.redactions)


def test_nothing_is_taken_out_that_is_not_seen() -> None:
    """An id that the observer may not see ends the export, as everywhere."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)

    with pytest.raises(NotVisible):
        make_export(store, ANNA, ["e" + "A" * 43], Use.COURT, "12/26")


@pytest.mark.parametrize("recipient", OBSERVERS, ids=lambda o: o.name)
@pytest.mark.parametrize("observer", OBSERVERS, ids=lambda o: o.name)
def test_nobody_takes_out_what_is_treated_for_them(observer: Observer, recipient: Observer) -> None:
    """Whoever it is said to be for, a value that an export holds in clear is one that its observer sees in clear."""
    for seed in range(4):
        world = make_world(Random(seed), sight_of(observer).evenly)
        view = build(world).view(observer)
        for entity in view.entities_of([thing_of(key) for key in world.keys]).values():
            export = make_export(build(world), observer, [entity.id], Use.RELEASE, "x", recipient)
            assert {value for out in export.entities for value in _clear(out)} <= {*_clear(entity)}


def _clear(entity: Entity) -> Iterator[tuple[str, str]]:
    for record in entity.records:
        for facet in record.facets:
            for name, treatment in facet.treatments.items():
                yield from ((name, value) for value in facet.values[name] if treatment is Treatment.CLEAR)


def test_a_release_to_a_court_asks_for_what_a_court_asks_for() -> None:
    """H1 material reaches no court as a release either, unless its owner consented to that."""
    record = make_record(label=replace(_label("H1"), release=("COURT",)))
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[record]))
    court = make_observer("magistrate", organisation="COURT", purpose="investigation", cases=("A",))
    ids = [entity.id for entity in store.view(ANNA).entities_of([record.thing]).values()]

    refused = make_export(store, ANNA, ids, Use.RELEASE, "COURT", court)
    store.put_consent(_consent(Use.COURT, "COURT"))

    assert refused.entities == ()
    assert [refusal.handling for refusal in refused.refused] == ["H1"]
    assert len(make_export(store, ANNA, ids, Use.RELEASE, "COURT", court).entities) == 1


def test_markers_of_a_release_tell_nothing_of_the_sender() -> None:
    """What the recipient is told of a class is their own treatment of it, however little the sender was given."""
    record = make_record(label=make_label(category="suspect", tlp="GREEN", owner="POLICE", release=("ABROAD",)))
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[record]))
    sender = make_observer("ngo", organisation="POLICE", name="low", purpose="investigation")
    theirs = {
        r.field_class: r.treatment
        for e in store.view(ABROAD).entities_of([record.thing]).values()
        for r in e.redactions
    }
    ids = [entity.id for entity in store.view(sender).entities_of([record.thing]).values()]

    made = make_export(store, sender, ids, Use.RELEASE, "ABROAD", ABROAD)

    assert theirs
    assert {r.field_class: r.treatment for e in made.entities for r in e.redactions} == theirs
