"""Judging: what an observer decides about two things, and whom it sways."""

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.judgements import LONGEST_REASON, add_judgement
from graph.memory import MemoryStore
from graph.store import Batch
from ontology.errors import InvalidData, NotVisible
from ontology.judgement import Judgement, Verdict, judge
from ontology.observer import Observer
from ontology.record import Record
from ontology.relabelling import Relabelling
from tests.factory import SECRET, START, make_label, make_observer, make_record

POLICE = make_label(category="suspect", tlp="GREEN", owner="POLICE")
NAMES = {"name": ["Ada Example"]}
NUMBER = {"number": ["+40712345678"]}
NOW = START + timedelta(days=1)


def _store(*records: Record, judgements: tuple[Judgement, ...] = ()) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: NOW + timedelta(days=1))
    store.write(Batch(records=records, judgements=judgements))
    return store


def _ids(store: MemoryStore, observer: Observer, *records: Record) -> tuple[str, ...]:
    found = store.view(observer).entities_of([record.thing for record in records])
    return tuple(next(r.id for r in found[record.thing].records if r.thing == record.thing) for record in records)


def _sizes(store: MemoryStore, observer: Observer, *records: Record) -> list[int]:
    found = store.view(observer).entities_of([record.thing for record in records])
    return sorted(len(entity.records) for entity in {entity.id: entity for entity in found.values()}.values())


def _judge(store: MemoryStore, observer: Observer, left: Record, right: Record, verdict: Verdict, minute: int) -> None:
    ids = _ids(store, observer, left, right)
    add_judgement(store, observer, (ids[0], ids[1]), verdict, "seen together", NOW + timedelta(minutes=minute))


def test_a_positive_judgement_joins_and_a_withdrawal_leaves_no_residue() -> None:
    """Two people are one once judged so, and two again once that is withdrawn: the same bytes as before."""
    left, right = make_record(key="1"), make_record(key="2", properties={"name": ["Other Name"]})
    store, observer = _store(left, right), make_observer()
    before = store.view(observer).entities_of([left.thing, right.thing])

    _judge(store, observer, left, right, Verdict.POSITIVE, 0)
    judged = _sizes(store, observer, left, right)
    _judge(store, observer, left, right, Verdict.WITHDRAWN, 1)

    assert judged == [2]
    assert store.view(observer).entities_of([left.thing, right.thing]) == before


def test_a_negative_judgement_stands_above_an_identifier() -> None:
    """Two phones of one number are told apart, and the explanation says by what."""
    left, right = (make_record("Phone", key, properties=NUMBER) for key in "12")
    store, observer = _store(left, right), make_observer()

    _judge(store, observer, left, right, Verdict.NEGATIVE, 0)

    ids = _ids(store, observer, left, right)
    found = store.view(observer).explain(*ids)
    assert _sizes(store, observer, left, right) == [1, 1]
    assert (found.same, found.by) == (False, "judgement")
    assert found.judged is not None
    assert found.judged.reason == "seen together"


def test_what_is_told_apart_is_never_brought_together_by_a_third() -> None:
    """With a third phone of that number, one of the two goes with it and the other stays alone."""
    left, right, third = (make_record("Phone", key, properties=NUMBER) for key in "123")
    store, observer = _store(left, right, third), make_observer()

    _judge(store, observer, left, right, Verdict.NEGATIVE, 0)

    assert _sizes(store, observer, left, right, third) == [1, 2]
    found = store.view(observer).entities_of([left.thing, right.thing])
    assert found[left.thing].id != found[right.thing].id


def test_it_sways_nobody_who_may_not_have_what_it_leans_on() -> None:
    """A judgement on a record that another may not see is not theirs, even on records that they do see."""
    shown = [make_record(key=key, label=POLICE, properties=NAMES) for key in "12"]
    hidden = make_record(key="2", facet="marked", label=make_label(tlp="RED", owner="POLICE"))
    store = _store(*shown, hidden)
    author, other = make_observer(organisation="POLICE"), make_observer("analyst", organisation="LAB")

    _judge(store, author, shown[0], shown[1], Verdict.POSITIVE, 0)

    assert _sizes(store, author, *shown) == [2]
    assert _sizes(store, other, *shown) == [1, 1]


def test_its_reason_and_author_stay_in_their_organisation() -> None:
    """An analyst of another organisation is swayed by it, and is told neither who decided nor in what words."""
    left, right = (make_record(key=key, label=POLICE, properties=NAMES) for key in "12")
    store, author = _store(left, right), make_observer(organisation="POLICE", name="anna")
    _judge(store, author, left, right, Verdict.POSITIVE, 0)
    analyst = make_observer("analyst", organisation="LAB")

    ids = _ids(store, analyst, left, right)
    found = store.view(analyst).explain(*ids).judged

    assert found is not None
    assert (found.verdict, found.by, found.reason) == (Verdict.POSITIVE, None, None)


def test_it_is_labelled_by_all_of_both_entities() -> None:
    """Naming the open record of an entity that holds a closed one does not open what was judged on both."""
    open_, other = (
        make_record("Phone", key, properties=NUMBER if key == "1" else {"number": ["+40799999999"]}) for key in "12"
    )
    closed = make_record("Phone", "3", label=make_label(tlp="RED", owner="POLICE"), properties=NUMBER)
    store, author = _store(open_, other, closed), make_observer(organisation="POLICE")

    _judge(store, author, open_, other, Verdict.POSITIVE, 0)

    assert _sizes(store, author, open_, other) == [3]
    assert _sizes(store, make_observer(organisation="LAB"), open_, other) == [1, 1]


def test_withdrawing_takes_back_ones_own_alone() -> None:
    """Of two who judged, the other's verdict stands when one withdraws."""
    left, right = make_record(key="1"), make_record(key="2")
    store = _store(left, right)
    anna, ben = (make_observer(name=name) for name in ("anna", "ben"))
    _judge(store, anna, left, right, Verdict.NEGATIVE, 0)
    _judge(store, ben, left, right, Verdict.POSITIVE, 1)

    _judge(store, anna, left, right, Verdict.WITHDRAWN, 2)
    after_anna = _sizes(store, anna, left, right)
    _judge(store, ben, left, right, Verdict.WITHDRAWN, 3)

    assert after_anna == [2]
    assert _sizes(store, anna, left, right) == [1, 1]


def test_what_cannot_be_judged_is_said() -> None:
    """One record twice, a hidden one and too long a reason each give one clear error."""
    left, right = make_record(key="1"), make_record(key="2", label=make_label(tlp="RED", owner="POLICE"))
    store, observer = _store(left, right), make_observer()
    (id_,) = _ids(store, observer, left)
    hidden = store.view(make_observer()).handle("entity", right.thing)

    with pytest.raises(InvalidData, match="two records"):
        add_judgement(store, observer, (id_, id_), Verdict.POSITIVE, "", NOW)
    with pytest.raises(InvalidData, match="at most"):
        add_judgement(store, observer, (id_, id_), Verdict.POSITIVE, "x" * (LONGEST_REASON + 1), NOW)
    with pytest.raises(NotVisible):
        add_judgement(store, observer, (id_, hidden), Verdict.POSITIVE, "", NOW)


def test_the_order_in_which_judgements_come_does_not_count() -> None:
    """Of two on one pair the later decides, whichever was written first."""
    left, right = make_record(key="1"), make_record(key="2")
    things = (left.thing, right.thing)
    made = [
        judge(things, verdict, by="anna", reason="", label=left.label, recorded_at=START + timedelta(minutes=minute))
        for verdict, minute in ((Verdict.POSITIVE, 1), (Verdict.NEGATIVE, 2))
    ]

    there, back = (_store(left, right, judgements=tuple(order)) for order in (made, made[::-1]))

    assert _sizes(there, make_observer(), left, right) == _sizes(back, make_observer(), left, right) == [1, 1]


def test_a_colleague_without_a_part_is_not_swayed() -> None:
    """What was judged on something of a case counts for those on it, though the judge's own organisation is another's."""
    open_ = make_label(category="none", tlp="GREEN", owner="OTHER")
    on_case = make_label(category="none", tlp="AMBER", owner="OTHER", cases=("X",))
    left, right = make_record("Company", "a", label=open_), make_record("Company", "b", label=open_, minute=1)
    part = make_record("Company", "a", label=on_case, facet="part", properties={"notes": ["run by b"]})
    judge_, colleague = (make_observer(name=name, cases=cases) for name, cases in (("anna", ("X",)), ("ben", ())))
    store = _store(left, right, part)
    before = store.view(colleague).counts()

    _judge(store, judge_, left, right, Verdict.POSITIVE, 0)

    assert _sizes(store, judge_, left, right) == [2]
    assert _sizes(store, colleague, left, right) == [1, 1]
    assert store.view(colleague).counts() == before
    ids = _ids(store, colleague, left, right)
    assert store.view(colleague).explain(ids[0], ids[1]).judged is None


def test_a_judge_is_swayed_by_their_own_judgement() -> None:
    """Whoever sees all of both is, though nobody could have what is joined of their labels."""
    left = make_record("Company", "a", label=make_label(category="none", tlp="RED", owner="ORG"))
    right = make_record("Company", "b", label=make_label(category="none", tlp="GREEN", owner="ORG", cases=("Y",)))
    observer = make_observer(organisation="ORG")
    store = _store(left, right)

    _judge(store, observer, left, right, Verdict.POSITIVE, 0)

    assert _sizes(store, observer, left, right) == [2]


def test_who_bears_the_name_elsewhere_withdraws_nothing() -> None:
    """A withdrawal takes back what its author said, not what somebody of that name in another organisation did."""
    left, right = (make_record("Company", key, label=POLICE) for key in "ab")
    store = _store(left, right)
    mine, theirs = (make_observer(name="anna", organisation=name) for name in ("POLICE", "ELSEWHERE"))

    _judge(store, mine, left, right, Verdict.POSITIVE, 0)
    _judge(store, theirs, left, right, Verdict.WITHDRAWN, 1)

    assert _sizes(store, mine, left, right) == [2]


@pytest.mark.parametrize("reason", [f"reason {number}" for number in range(6)])
def test_a_reason_decides_no_tie(reason: str) -> None:
    """Of two judgements of one instant the same one is in force whatever their reasons are, which may be hidden."""
    left, right = (make_record("Company", key, label=POLICE) for key in "ab")
    both = (left.thing, right.thing)
    made = [
        judge(both, Verdict.POSITIVE, by=by, reason=why, label=POLICE, recorded_at=NOW)
        for by, why in (("j1", reason), ("j2", "other"))
    ]
    store = _store(left, right, judgements=tuple(made))
    observer = make_observer(organisation="POLICE")
    judged = store.view(observer).explain(*_ids(store, observer, left, right)).judged

    assert judged is not None
    assert judged.by == "j2"


def test_what_is_made_stricter_takes_its_judgements_along() -> None:
    """Whoever may not have a record any more is not swayed by what was judged on it."""
    left, right = (make_record("Company", key, label=POLICE) for key in "ab")
    part = make_record("Company", "a", label=POLICE, facet="part", properties={"notes": ["run by b"]})
    store, mine = _store(left, right, part), make_observer(organisation="POLICE")
    theirs = make_observer(organisation="ELSEWHERE")
    _judge(store, mine, left, right, Verdict.POSITIVE, 0)
    before = _sizes(store, theirs, left, right)
    strict = replace(POLICE, tlp="RED", release=())

    store.relabel(Relabelling(part.id, part.thing, strict, "", "anna", NOW, "anna", NOW))

    assert before == [2]
    assert _sizes(store, theirs, left, right) == [1, 1]
    assert _sizes(store, mine, left, right) == [2]


@pytest.mark.parametrize("verdict", [Verdict.WITHDRAWN, Verdict.NEGATIVE])
def test_it_is_taken_back_for_all_whom_it_swayed(verdict: Verdict) -> None:
    """What its author has come to see since, which a colleague may not, keeps no judgement in force."""
    open_ = make_label(category="none", tlp="GREEN", owner="OTHER")
    left, right = (make_record("Company", key, label=open_) for key in "ab")
    part = make_record("Company", "a", label=replace(open_, tlp="AMBER", cases=("X",)), facet="part", minute=1)
    store = _store(left, right)
    author, colleague = (make_observer(name=name, cases=cases) for name, cases in (("anna", ("X",)), ("ben", ())))

    _judge(store, author, left, right, Verdict.POSITIVE, 0)
    swayed = _sizes(store, colleague, left, right)
    store.write(Batch(records=[part]))
    _judge(store, author, left, right, verdict, 1)

    assert swayed == [2]
    assert _sizes(store, colleague, left, right) == [1, 1]
    assert _sizes(store, author, left, right) == [1, 1]
