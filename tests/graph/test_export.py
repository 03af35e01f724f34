"""Export: handling codes bind what material is used for."""

from datetime import timedelta

import pytest

from graph.export import Refusal, make_export
from graph.memory import MemoryStore
from graph.store import Batch
from ontology.consent import Consent, Use, may_use
from ontology.errors import NotVisible
from ontology.label import Label
from tests.factory import SECRET, START, make_label, make_observer, make_record

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


def test_a_release_holds_what_both_may_have_as_the_recipient_is_shown_it() -> None:
    """The recipient's treatments and ids apply, and what is not released to them is left out without a word."""
    shared = make_record(key="1", label=_label("H0"), properties={"name": ["Ada Example"], "notes": ["a remark"]})
    kept = make_record(key="2", label=make_label(category="suspect", tlp="AMBER", owner="POLICE"))
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[shared, kept]))
    ids = [entity.id for entity in store.view(ANNA).entities_of([shared.thing, kept.thing]).values()]

    made = make_export(store, ANNA, ids, Use.RELEASE, "ABROAD", ABROAD)

    (entity,) = made.entities
    assert entity == store.view(ABROAD).entity_of(shared.thing)
    assert entity.values == {"name": ("Ada Example",)}
    assert made.refused == ()


def test_nothing_is_taken_out_that_is_not_seen() -> None:
    """An id that the observer may not see ends the export, as everywhere."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)

    with pytest.raises(NotVisible):
        make_export(store, ANNA, ["e" + "A" * 43], Use.COURT, "12/26")
