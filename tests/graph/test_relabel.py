"""Relabelling over every engine: an assertion under another label takes the place of the one before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.memory import MemoryStore
from graph.store import Batch, Scope, Store, Written
from ontology.judgement import Judgement
from ontology.label import Label
from ontology.pair import Pair
from ontology.record import Link, Record
from ontology.relabelling import Relabelling
from tests.conftest import BOLT_ENGINES, MEMORY
from tests.factory import SECRET, START, make_link, make_record
from tests.graph.test_contract import (
    ADA,
    BEA,
    CLOSED,
    LATER,
    OPEN,
    OTHER,
    WALLET,
    answers,
    batches,
    flat,
    ids,
    labels,
    make_judgement,
    make_pair,
    reader_of,
    scope,
)

pytestmark = pytest.mark.parametrize("engine_name", [MEMORY, *BOLT_ENGINES])

MUCH_LATER = START + timedelta(days=3_000)


def ask(assertion: Record | Link, label: Label, *, minute: int = 0) -> Relabelling:
    """Return a proposal to relabel an assertion."""
    thing = assertion.thing if isinstance(assertion, Record) else assertion.left
    return Relabelling(assertion.id, thing, label, "reviewed", "ada", LATER + timedelta(minutes=minute))


def approve(assertion: Record | Link, label: Label, *, minute: int = 0) -> Relabelling:
    """Return an approved relabelling of an assertion."""
    asked = ask(assertion, label, minute=minute)
    return replace(asked, approved_by="bea", approved_at=asked.proposed_at + timedelta(hours=1))


def all_at(store: Store, moment: datetime) -> list[str]:
    """Return the ids of all records, links and pairs, whatever their label, at a moment."""
    reader, limits = reader_of(store), scope(as_of=moment)
    chunks = (reader.iter_records(limits, ()), reader.iter_links(limits), reader.iter_pairs(limits))
    return [id_ for found in chunks for id_ in ids(flat(found))]


def test_a_record_gets_a_successor(store: Store) -> None:
    """The successor differs in its label and id alone, and is the only one of both at every moment."""
    store.write(Batch(records=[ADA, BEA]))
    successor = replace(ADA, label=CLOSED)

    assert store.relabel(approve(ADA, CLOSED))

    reader = reader_of(store)
    assert reader.records_by_thing(scope(), [ADA.thing]) == [successor]
    assert reader.records_by_id(scope(), [ADA.id, successor.id]) == [successor]
    assert reader.records_by_words(scope(), ["ada"], ()) == [successor]
    for moment in (ADA.recorded_at, LATER, MUCH_LATER):
        assert all_at(store, moment) == ids([successor, BEA])
    assert [outline.id for outline in flat(reader.iter_outlines(scope(OPEN)))] == [BEA.id]
    assert reader.labels()[CLOSED.lid] == CLOSED


def test_a_key_finds_the_successor(store: Store) -> None:
    """A record that is identified by its key is found by it under its new label alone."""
    store.write(Batch(records=[WALLET]))
    [outline] = flat(reader_of(store).iter_outlines(scope()))

    store.relabel(approve(WALLET, CLOSED))

    assert reader_of(store).records_by_key(scope(), [outline.key]) == [replace(WALLET, label=CLOSED)]
    assert reader_of(store).records_by_key(scope(OPEN), [outline.key]) == []


def test_pairs_follow_their_record(store: Store) -> None:
    """The successor has the scores of the record, and those of the record are gone; left stays before right."""
    others = [make_record(key=str(i)) for i in range(6)]
    pairs = [make_pair(ADA, other, minute=i) for i, other in enumerate(others)]
    store.write(Batch(records=[ADA, *others], pairs=pairs))
    successor = replace(ADA, label=CLOSED)

    store.relabel(approve(ADA, CLOSED))

    reader = reader_of(store)
    moved = [make_pair(successor, other, minute=i) for i, other in enumerate(others)]
    assert sorted(reader.pairs_of(scope(), [successor.id]), key=lambda p: p.id) == sorted(moved, key=lambda p: p.id)
    assert ids(flat(reader.iter_pairs(scope()))) == ids(moved)
    assert reader.pairs_of(scope(), [ADA.id]) == []


def test_a_link_gets_a_successor(store: Store) -> None:
    """A relabelled link keeps its ends and what it says."""
    link, other = make_link(ADA, BEA, "Family", properties={"role": ["sister"]}), make_link(BEA, ADA)
    store.write(Batch(records=[ADA, BEA], links=[link, other]))

    assert store.relabel(approve(link, CLOSED))

    reader = reader_of(store)
    assert reader.links_of(scope(OPEN), [ADA.thing]) == [other]
    assert ids(reader.links_of(scope(), [ADA.thing])) == ids([replace(link, label=CLOSED), other])
    assert ids(flat(reader.iter_links(scope()))) == ids([replace(link, label=CLOSED), other])


def test_a_link_stays_with_a_relabelled_record(store: Store) -> None:
    """Links of a thing show by the label that its record has now."""
    link, late = make_link(ADA, BEA), make_link(BEA, ADA, "Family")
    store.write(Batch(records=[ADA, BEA], links=[link]))
    store.relabel(approve(ADA, CLOSED))
    store.write(Batch(links=[late]))
    reader = reader_of(store)

    assert reader.links_of(scope(OPEN), [BEA.thing]) == []
    assert ids(reader.links_of(scope(OPEN, CLOSED), [BEA.thing])) == ids([link, late])
    assert ids(flat(reader.iter_links(scope(OPEN, CLOSED)))) == ids([link, late])


def test_a_relabelling_is_carried_out_once(store: Store) -> None:
    """Doing it again changes nothing, and the epoch is raised once."""
    store.write(Batch(records=[ADA, BEA], pairs=[make_pair(ADA, BEA)]))
    before = store.epoch()

    assert store.relabel(approve(ADA, CLOSED))
    after = all_at(store, LATER)
    assert store.relabel(approve(ADA, CLOSED))
    assert store.relabel(replace(approve(ADA, CLOSED), approved_by="somebody else"))

    assert all_at(store, LATER) == after
    assert store.epoch() == before + 1
    assert store.list_relabellings() == [approve(ADA, CLOSED)]


def test_what_is_not_there_is_not_relabelled(store: Store) -> None:
    """An unknown assertion, or one that has a successor, is not there; nothing is kept of the attempt."""
    store.write(Batch(records=[ADA]))
    store.relabel(approve(ADA, CLOSED))
    before = store.epoch()

    assert not store.relabel(approve(BEA, CLOSED))
    assert not store.relabel(approve(ADA, OTHER))

    assert store.epoch() == before
    assert store.list_relabellings() == [approve(ADA, CLOSED)]
    assert all_at(store, LATER) == [replace(ADA, label=CLOSED).id]


def test_the_same_label_changes_nothing(store: Store) -> None:
    """An assertion that has the label already stays, and so does the epoch."""
    link = make_link(ADA, BEA)
    store.write(Batch(records=[ADA, BEA], links=[link]))
    before = store.epoch()

    assert store.relabel(approve(ADA, OPEN))
    assert store.relabel(approve(link, OPEN))

    assert store.epoch() == before
    assert all_at(store, LATER) == [*ids([ADA, BEA]), link.id]


def test_relabelling_needs_approval(store: Store) -> None:
    """Without approval nothing is done; with it, it is no proposal."""
    store.write(Batch(records=[ADA]))

    with pytest.raises(ValueError, match="expected an approved relabelling"):
        store.relabel(ask(ADA, CLOSED))
    with pytest.raises(ValueError, match="nobody has approved"):
        store.put_relabelling(approve(ADA, CLOSED))
    assert all_at(store, LATER) == [ADA.id]


def test_proposals_wait_for_approval(store: Store) -> None:
    """Proposals are listed by time, change nothing by themselves, and never undo an approval."""
    store.write(Batch(records=[ADA, BEA]))
    before = store.epoch()
    later, first = ask(BEA, OTHER, minute=5), ask(ADA, CLOSED)
    for proposal in (later, first, first):
        store.put_relabelling(proposal)
    assert store.list_relabellings() == [first, later]
    assert store.epoch() == before
    assert all_at(store, LATER) == ids([ADA, BEA])

    store.relabel(approve(ADA, CLOSED))
    store.put_relabelling(first)

    assert store.list_relabellings() == [approve(ADA, CLOSED), later]


def test_importing_again_does_not_bring_it_back(store: Store) -> None:
    """The original bytes are duplicates, and what they say stays under its new label."""
    link = make_link(ADA, BEA)
    batch = Batch(records=[ADA, BEA], links=[link], pairs=[make_pair(ADA, BEA)])
    store.write(batch)
    store.relabel(approve(ADA, CLOSED))
    store.relabel(approve(link, CLOSED))
    after = all_at(store, LATER)

    assert store.write(batch) == Written(duplicates=4)
    assert all_at(store, LATER) == after
    assert reader_of(store).records_by_id(scope(), [ADA.id]) == []


def test_a_label_can_go_back(store: Store) -> None:
    """A second relabelling to the first label puts the first assertion in force again, as it was."""
    link, pair = make_link(ADA, BEA), make_pair(ADA, BEA)
    store.write(Batch(records=[ADA, BEA], links=[link], pairs=[pair]))
    before, epoch = all_at(store, LATER), store.epoch()
    for assertion in (ADA, link):
        store.relabel(approve(assertion, CLOSED))
        store.relabel(approve(replace(assertion, label=CLOSED), OPEN, minute=1))

    assert all_at(store, LATER) == before
    assert store.epoch() == epoch + 4
    assert reader_of(store).pairs_of(scope(), [ADA.id]) == [pair]
    assert reader_of(store).links_of(scope(OPEN), [ADA.thing]) == [link]
    assert store.relabel(approve(ADA, CLOSED))
    assert all_at(store, LATER) == before


def test_a_judgement_rests_on_what_was_relabelled_too(store: Store) -> None:
    """Whoever may not have a record under its new label is not shown what was judged on it; others' stay as they are."""
    judgement, other = make_judgement(), make_judgement((BEA, WALLET))
    store.write(Batch(records=[ADA, BEA, WALLET], judgements=[judgement, other]))

    store.relabel(approve(ADA, CLOSED))

    assert reader_of(store).judgements_of(scope(OPEN), [ADA.thing, BEA.thing]) == [other]
    both = tuple(sorted({OPEN.lid, CLOSED.lid}))
    assert reader_of(store).judgements_of(scope(OPEN, CLOSED), [ADA.thing]) == [replace(judgement, grounds=both)]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.data(), st.sets(labels), st.integers(0, 3))
def test_relabelled_is_as_if_labelled_so_from_the_start(
    make_store: Callable[[], Store], batch: Batch, data: st.DataObject, allowed: set[Label], minute: int
) -> None:
    """Every answer after some relabellings is that of the reference that was given the final labels at once."""
    store, reference, final = make_store(), MemoryStore(secret=SECRET), batch
    store.write(batch)
    for step in range(data.draw(st.integers(1, 4))):
        chosen, label = draw_change(data, final)
        # What is under that label already is another assertion, with a moment of its own.
        if not has(final, replace(chosen, label=label)):
            assert store.relabel(approve(chosen, label, minute=step))
            final = relabelled(final, chosen, label)
    reference.write(final)
    limits = Scope([label.lid for label in allowed], START + timedelta(minutes=minute))

    found, expected = (answers(reader, limits, [final]) for reader in (reader_of(store), reference))
    assert {**found, "labels": None} == {**expected, "labels": None}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.data(), st.sets(labels))
def test_every_relabelling_equals_the_reference(
    make_store: Callable[[], Store], batch: Batch, data: st.DataObject, allowed: set[Label]
) -> None:
    """Whatever is relabelled, there or not, to and fro, an engine answers as the reference does."""
    store, reference, final = make_store(), MemoryStore(secret=SECRET), batch
    assert store.write(batch) == reference.write(batch)
    for step in range(data.draw(st.integers(1, 4))):
        chosen, label = draw_change(data, final)
        change = approve(chosen, label, minute=step % 2)
        assert store.relabel(change) == reference.relabel(change)
        final = replace(final, records=[*final.records, *relabelled(batch, chosen, label).records])
    assert store.write(final) == reference.write(final)
    limits = Scope([label.lid for label in allowed], LATER)

    assert answers(reader_of(store), limits, [final]) == answers(reference, limits, [final])
    assert store.list_relabellings() == reference.list_relabellings()


def draw_change(data: st.DataObject, batch: Batch) -> tuple[Record | Link, Label]:
    """Draw an assertion of a batch and a label for it."""
    return data.draw(st.sampled_from(assertions_of(batch))), data.draw(labels)


def has(batch: Batch, assertion: Record | Link) -> bool:
    """Whether an assertion is in a batch."""
    return assertion.id in {one.id for one in assertions_of(batch)}


def assertions_of(batch: Batch) -> list[Record | Link]:
    """Return the records and links of a batch."""
    return [*batch.records, *batch.links]


def relabelled(batch: Batch, chosen: Record | Link, label: Label) -> Batch:
    """Return a batch in which one assertion was made under another label."""
    new = replace(chosen, label=label).id

    def follow(pair: Pair) -> Pair:
        left, right = sorted(new if end == chosen.id else end for end in (pair.left, pair.right))
        return replace(pair, left=left, right=right)

    def ground(judgement: Judgement) -> Judgement:
        is_judged = isinstance(chosen, Record) and chosen.thing in (judgement.left, judgement.right)
        return judgement.to_grounded(chosen.lid, label.lid) if is_judged else judgement

    return replace(
        batch,
        records=[replace(r, label=label) if r.id == chosen.id else r for r in batch.records],
        links=[replace(link, label=label) if link.id == chosen.id else link for link in batch.links],
        pairs=[follow(pair) for pair in batch.pairs],
        judgements=[ground(judgement) for judgement in batch.judgements],
    )
