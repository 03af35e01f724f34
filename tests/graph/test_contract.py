"""One contract, every engine: what a store keeps, and what a scope lets through."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.memory import MemoryStore
from graph.store import Batch, Outline, Reader, Scope, Store, Written
from ontology.consent import Consent, Use
from ontology.judgement import Judgement, Verdict, judge
from ontology.key import make_key
from ontology.label import Label
from ontology.observer import SYSTEM, Observer
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.record import Link, Record
from ontology.schema import default_ontology
from ontology.source import Capture, Source
from ontology.watch import Alert, Watch
from tests.conftest import BOLT_ENGINES, MEMORY
from tests.factory import CAPTURE, SECRET, START, make_label, make_link, make_record

pytestmark = pytest.mark.parametrize("engine_name", [MEMORY, *BOLT_ENGINES])

OPEN = make_label()
CLOSED = make_label(owner="OTHER", tlp="RED")
OTHER = make_label(owner="THIRD", tlp="AMBER")
EVERYTHING = [OPEN.lid, CLOSED.lid, OTHER.lid]
LATER = START + timedelta(days=1)

ADA = make_record(key="ada", properties={"name": ["Ada Example"]})
BEA = make_record(key="bea", properties={"name": ["Bea Sample"]})
WALLET = make_record("CryptoWallet", "w", properties={"publicKey": ["walletone"]})


def reader_of(store: Store) -> Reader:
    """Return what a View of this store asks."""
    return store.view(SYSTEM, LATER)._reader


def scope(*labels: Label, as_of: datetime = LATER) -> Scope:
    """Return the scope of some labels; all without any."""
    return Scope([label.lid for label in labels] or EVERYTHING, as_of)


def make_pair(left: Record, right: Record, *, model: str = "person-1", minute: int = 0) -> Pair:
    """Return a pair of two records with two findings."""
    first, second = sorted((left.id, right.id))
    return Pair(
        left=first,
        right=second,
        model=model,
        prior=-9.5,
        stop=6.25,
        keys=(BlockingKey("same name", ("name",), is_equality=True),),
        evidence=(
            Evidence("name", ("name", "alias"), 7.123456, 5.5, "equal"),
            Evidence("birth date", ("birthDate",), -1.25, 0.0, "a year apart"),
        ),
        recorded_at=START + timedelta(minutes=minute),
    )


def make_judgement(
    ends: tuple[Record, Record] = (ADA, BEA),
    *,
    label: Label = OPEN,
    minute: int = 0,
    reason: str = "",
    verdict: Verdict = Verdict.NEGATIVE,
) -> Judgement:
    """Return a judgement on the things of two records."""
    moment = START + timedelta(minutes=minute)
    left, right = ends
    return judge((left.thing, right.thing), verdict, by="zoe", reason=reason, label=label, recorded_at=moment)


def ids(found: Iterable[Record | Link | Pair | Judgement]) -> list[str]:
    """Return ids in order, repetitions included."""
    return sorted(one.id for one in found)


def flat(chunks: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the items of all chunks."""
    return [item for chunk in chunks for item in chunk]


def test_writing_again_adds_nothing(store: Store) -> None:
    """A batch counts what it added the first time and duplicates the second."""
    batch = Batch(records=[ADA, BEA], links=[make_link(ADA, BEA)], pairs=[make_pair(ADA, BEA)])

    assert store.write(batch) == Written(records=2, links=1, pairs=1)
    assert store.write(batch) == Written(duplicates=4)
    assert ids(flat(reader_of(store).iter_records(scope(), ()))) == ids([ADA, BEA])


def test_repetitions_in_a_batch_count_once(store: Store) -> None:
    """What a batch holds twice is written once and counted as one duplicate."""
    link = make_link(ADA, BEA)
    again = replace(ADA, recorded_at=LATER)

    assert store.write(Batch(records=[ADA, BEA, again], links=[link, link])) == Written(2, 1, duplicates=2)


def test_an_empty_batch_writes_nothing(store: Store) -> None:
    """Nothing in, nothing out."""
    assert store.write(Batch()) == Written()


def test_a_link_waits_for_its_things(store: Store) -> None:
    """A link is kept before its things have records, and shows as soon as both have one that does."""
    link, other = make_link(ADA, BEA), make_link(WALLET, BEA)
    assert store.write(Batch(links=[link, other])) == Written(links=2)
    assert store.write(Batch(records=[ADA], links=[link])) == Written(records=1, duplicates=1)
    reader = reader_of(store)
    assert reader.links_of(scope(), [ADA.thing, BEA.thing]) == []
    assert flat(reader.iter_links(scope())) == []

    store.write(Batch(records=[BEA]))

    assert reader.links_of(scope(), [ADA.thing]) == reader.links_of(scope(), [BEA.thing]) == [link]
    assert flat(reader.iter_links(scope())) == [link]


def test_a_thing_without_a_record_is_in_no_answer(store: Store) -> None:
    """What a link hangs on before its thing has a record is neither a record nor an outline."""
    store.write(Batch(records=[ADA], links=[make_link(ADA, BEA)]))
    reader = reader_of(store)

    assert reader.records_by_thing(scope(), [ADA.thing, BEA.thing]) == [ADA]
    assert reader.records_by_words(scope(), [], ()) == [ADA]
    assert reader.records_by_words(scope(), [""], ()) == [ADA]
    assert flat(reader.iter_records(scope(), ())) == [ADA]
    assert [outline.id for outline in flat(reader.iter_outlines(scope()))] == [ADA.id]


def test_a_pair_of_unknown_records_is_not_written(store: Store) -> None:
    """A pair needs both its records in the store."""
    store.write(Batch(records=[ADA], pairs=[make_pair(ADA, BEA)]))
    store.write(Batch(records=[BEA]))

    assert reader_of(store).pairs_of(scope(), [ADA.id]) == []


def test_records_stay_within_the_scope(store: Store) -> None:
    """Every way to records keeps to the labels allowed and to the moment."""
    late = make_record(key="ada", minute=30, properties={"name": ["Ada Later"]})
    hidden = make_record(key="ada", label=CLOSED, properties={"name": ["Ada Hidden"]})
    store.write(Batch(records=[ADA, late, hidden]))
    reader = reader_of(store)
    before = scope(OPEN, as_of=START + timedelta(minutes=29))

    assert reader.records_by_thing(before, [ADA.thing]) == [ADA]
    assert ids(reader.records_by_thing(scope(OPEN), [ADA.thing])) == ids([ADA, late])
    assert reader.records_by_id(before, [ADA.id, late.id, hidden.id]) == [ADA]
    assert reader.records_by_words(before, ["ada"], ()) == [ADA]
    assert flat(reader.iter_records(before, ())) == [ADA]
    assert flat(reader.iter_records(Scope([], LATER), ())) == []


def test_a_record_shows_from_its_very_moment(store: Store) -> None:
    """The moment of a scope is included, to the microsecond."""
    moment = START + timedelta(microseconds=1)
    record = replace(ADA, recorded_at=moment)
    store.write(Batch(records=[record]))
    reader = reader_of(store)

    assert reader.records_by_id(scope(as_of=moment), [record.id]) == [record]
    assert reader.records_by_id(scope(as_of=START), [record.id]) == []


def test_records_are_found_by_key(store: Store) -> None:
    """Two sources' records of one wallet share a key; a record without one is found by none."""
    same = make_record("CryptoWallet", "x", source="other", properties={"publicKey": ["walletone"]})
    store.write(Batch(records=[ADA, WALLET, same]))
    key = make_key(default_ontology()["CryptoWallet"], WALLET.properties)
    assert key

    assert ids(reader_of(store).records_by_key(scope(), [key, "0" * 32])) == ids([WALLET, same])
    assert reader_of(store).records_by_key(scope(), []) == []


def test_records_are_found_by_words(store: Store) -> None:
    """All words must be there, folded; schemata limit the search."""
    store.write(Batch(records=[ADA, BEA, WALLET, make_record(key="z", properties={"name": ["Žofia Ådåm"]})]))
    reader = reader_of(store)

    assert reader.records_by_words(scope(), ["ada", "exam"], ()) == [ADA]
    assert [r.source_key for r in reader.records_by_words(scope(), ["zofia", "adam"], ["Person"])] == ["z"]
    assert reader.records_by_words(scope(), ["wallet"], ["Person"]) == []
    assert reader.records_by_words(scope(), ["wallet"], ["Person", "CryptoWallet"]) == [WALLET]


def test_links_need_their_label_and_both_things(store: Store) -> None:
    """A link shows when its own label and one record of each of its things are in the scope."""
    hidden = make_record(key="hidden", label=CLOSED)
    to_bea, to_hidden, closed = make_link(ADA, BEA), make_link(ADA, hidden), make_link(BEA, ADA, label=CLOSED)
    store.write(Batch(records=[ADA, BEA, hidden], links=[to_bea, to_hidden, closed]))
    reader = reader_of(store)

    assert reader.links_of(scope(OPEN), [ADA.thing]) == [to_bea]
    assert flat(reader.iter_links(scope(OPEN))) == [to_bea]
    assert ids(reader.links_of(scope(), [ADA.thing])) == ids([to_bea, to_hidden, closed])
    assert reader.links_of(scope(), []) == []


def test_a_link_shows_by_any_record_of_its_thing(store: Store) -> None:
    """Which record of a thing a link hangs on changes no answer."""
    hidden = make_record(key="ada", label=CLOSED, properties={"name": ["Ada Hidden"]})
    link = make_link(hidden, BEA, label=OTHER)
    store.write(Batch(records=[hidden, BEA], links=[link]))
    reader = reader_of(store)

    assert reader.links_of(scope(OPEN, OTHER), [BEA.thing]) == []
    store.write(Batch(records=[ADA]))

    assert reader.links_of(scope(OPEN, OTHER), [BEA.thing]) == [link]
    assert reader.links_of(scope(OPEN, OTHER), [ADA.thing]) == [link]
    assert flat(reader.iter_links(scope(OPEN, OTHER))) == [link]


def test_links_show_from_their_moment(store: Store) -> None:
    """A link recorded later than a scope's moment, or whose end is, stays out of it."""
    late = make_record(key="late", minute=20)
    first, second = make_link(ADA, BEA, minute=10), make_link(ADA, late)
    store.write(Batch(records=[ADA, BEA, late], links=[first, second]))
    reader = reader_of(store)

    assert reader.links_of(scope(as_of=START + timedelta(minutes=9)), [ADA.thing]) == []
    assert reader.links_of(scope(as_of=START + timedelta(minutes=10)), [ADA.thing]) == [first]
    assert ids(reader.links_of(scope(as_of=START + timedelta(minutes=20)), [ADA.thing])) == ids([first, second])


def test_links_come_once(store: Store) -> None:
    """A link between two things asked for, or from a thing to itself, is one link."""
    between, loop = make_link(ADA, BEA, "Family"), make_link(ADA, ADA)
    store.write(Batch(records=[ADA, BEA], links=[between, loop]))
    reader = reader_of(store)

    assert ids(reader.links_of(scope(), [ADA.thing, BEA.thing])) == ids([between, loop])
    assert ids(flat(reader.iter_links(scope()))) == ids([between, loop])


def test_pairs_need_both_records(store: Store) -> None:
    """A pair shows when both its records and its own moment are in the scope, and comes once."""
    hidden = make_record(key="hidden", label=CLOSED)
    open_pair, hidden_pair, late = make_pair(ADA, BEA), make_pair(ADA, hidden), make_pair(ADA, BEA, model="2", minute=9)
    store.write(Batch(records=[ADA, BEA, hidden], pairs=[open_pair, hidden_pair, late]))
    reader = reader_of(store)
    before = scope(OPEN, as_of=START + timedelta(minutes=8))

    assert reader.pairs_of(before, [ADA.id, BEA.id, hidden.id]) == [open_pair]
    assert flat(reader.iter_pairs(before)) == [open_pair]
    assert ids(flat(reader.iter_pairs(scope()))) == ids([open_pair, hidden_pair, late])


def test_everything_comes_back_as_it_was(store: Store) -> None:
    """Values, labels and times return exactly, in any script and of any length."""
    odd = make_record(
        key="наказ \U0001f600 \\ ' \" ` $x {y} \x00\x1f\ufeff",
        source="sørce",
        facet="other",
        label=make_label(release=("B", "A"), minor=None, handling_text="говорить\nno"),
        sequence=2**40,
        properties={
            "name": ["e\u0301", "\u00e9", "", "محمد", "\U0001f468\u200d\U0001f469"],
            "alias": [],
            "notes": ["x" * 200_000],
        },
    )
    odd = replace(
        odd,
        recorded_at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        extra={"a": [1, 2.5, None, {"b": "ü"}], "`": "\x00"},
    )
    link = make_link(odd, ADA, properties={"role": ["хозяин", "'; MATCH (n) DETACH DELETE n //"]})
    store.write(Batch(records=[odd, ADA], links=[link], pairs=[make_pair(ADA, odd)]))
    reader = reader_of(store)
    scope_ = Scope([odd.lid, ADA.lid], LATER)
    [found] = reader.records_by_id(scope_, [odd.id])

    assert found == odd
    assert (found.id, found.lid, found.thing) == (odd.id, odd.lid, odd.thing)
    assert reader.links_of(scope_, [odd.thing]) == [link]
    assert reader.pairs_of(scope_, [odd.id]) == [make_pair(ADA, odd)]


def test_labels_are_interned(store: Store) -> None:
    """The labels of records, links and judgements are known by their lid."""
    waiting = make_link(ADA, WALLET, label=CLOSED)
    store.write(Batch(records=[ADA, BEA], links=[waiting], judgements=[make_judgement(label=OTHER)]))

    assert reader_of(store).labels() == {OPEN.lid: OPEN, CLOSED.lid: CLOSED, OTHER.lid: OTHER}


def test_judgements_are_written_once(store: Store) -> None:
    """A judgement is counted once, and one that differs in its reason alone is another."""
    judgement = make_judgement()
    other = replace(judgement, reason="seen together")

    assert store.write(Batch(judgements=[judgement, judgement])) == Written(judgements=1, duplicates=1)
    assert store.write(Batch(judgements=[judgement, other])) == Written(judgements=1, duplicates=1)
    assert ids(flat(reader_of(store).iter_judgements(scope()))) == ids([judgement, other])


def test_judgements_stay_within_the_scope(store: Store) -> None:
    """A judgement shows by its own label and moment, whatever records there are, from either thing, and once."""
    shown, late, hidden = make_judgement(), make_judgement(minute=20), make_judgement(label=CLOSED)
    other = make_judgement((ADA, WALLET), reason="Žofia's `word` \x00", verdict=Verdict.UNSURE)
    store.write(Batch(judgements=[shown, late, hidden, other]))
    reader = reader_of(store)
    before = scope(OPEN, as_of=START + timedelta(minutes=19))

    assert reader.judgements_of(before, [BEA.thing]) == [shown]
    assert ids(reader.judgements_of(before, [ADA.thing, BEA.thing])) == ids([shown, other])
    assert reader.judgements_of(before, [WALLET.thing]) == [other]
    assert reader.judgements_of(before, []) == []
    assert ids(flat(reader.iter_judgements(before))) == ids([shown, other])
    assert ids(flat(reader.iter_judgements(scope()))) == ids([shown, late, hidden, other])


def test_a_change_of_rights_raises_the_epoch(store: Store) -> None:
    """Adding, replacing and removing an observer raise the epoch, removing nobody does not."""
    before = store.epoch()
    seen = []
    for change in (
        lambda: store.put_observer(Observer("zoe", "ORG", "analyst")),
        lambda: store.put_observer(Observer("zoe", "ORG", "public")),
        lambda: store.remove_observer("zoe"),
        lambda: store.remove_observer("zoe"),
        lambda: store.write(Batch(records=[ADA])),
    ):
        change()
        seen.append((store.epoch() - before, reader_of(store).epoch() - before))

    assert seen == [(1, 1), (2, 2), (3, 3), (3, 3), (3, 3)]


def test_a_removed_observer_is_nobody(store: Store) -> None:
    """Who is removed has no rights and no watches left, and the others keep theirs."""
    zoe, ada = Observer("zoe", "ORG", "analyst"), Observer("ada", "ORG", "ngo")
    for observer in (zoe, ada):
        store.put_observer(observer)
        store.put_watch(Watch(observer.name, ADA.thing, START, START))

    assert (store.remove_observer("zoe"), store.remove_observer("zoe")) == (True, False)
    assert store.get_observer("zoe") is None
    assert store.list_observers() == [ada]
    assert [watch.observer for watch in store.list_watches()] == ["ada"]


def test_streams_equal_lists(store: Store) -> None:
    """What streams in chunks is everything there is, once."""
    records = [make_record(("Person", "Phone")[i % 2], str(i), properties={"notes": [str(i)]}) for i in range(2_100)]
    links = [make_link(left, right) for left, right in pairwise(records)]
    hub = [make_link(records[0], right, "Family") for right in records[1:2_060]]
    pairs = [make_pair(left, right) for left, right in zip(records, records[2:200], strict=False)]
    store.write(Batch(records=records, links=[*links, *hub], pairs=pairs))
    reader = reader_of(store)

    assert ids(flat(reader.iter_records(scope(), ()))) == ids(records)
    assert ids(flat(reader.iter_records(scope(), ["Phone"]))) == ids(records[1::2])
    outlines = sorted(flat(reader.iter_outlines(scope())), key=lambda outline: outline.id)
    assert outlines == sorted((Outline.of(r, default_ontology()) for r in records), key=lambda outline: outline.id)
    assert ids(flat(reader.iter_links(scope()))) == ids([*links, *hub])
    assert ids(flat(reader.iter_pairs(scope()))) == ids(pairs)
    assert ids(reader.links_of(scope(), [records[0].thing])) == ids([links[0], *hub])
    assert ids(reader.records_by_thing(scope(), [r.thing for r in records])) == ids(records)


def test_captures_and_sources_stay_as_first_told(store: Store) -> None:
    """A capture keeps the first time that its bytes came."""
    first = Capture(CAPTURE, 3, "a.csv", "csv", "src", START, "somebody")
    store.write(Batch(sources=[Source("src", "ORG")], captures=[first]))
    store.write(Batch(sources=[Source("src", "OTHER")], captures=[replace(first, received_at=LATER, file="b.csv")]))

    assert reader_of(store).captures([CAPTURE, "d" * 64]) == [first]


def test_observers_are_replaced_by_name(store: Store) -> None:
    """The last word on an observer's rights counts."""
    store.put_observer(Observer("zoe", "ORG", "analyst", cases=("B", "A"), compartments=("X",)))
    store.put_observer(Observer("ada", "ORG", "ngo"))
    store.put_observer(Observer("zoe", "ORG", "public", purpose="statistics"))

    assert store.get_observer("zoe") == Observer("zoe", "ORG", "public", purpose="statistics")
    assert store.get_observer("nobody") is None
    assert [observer.name for observer in store.list_observers()] == ["ada", "zoe"]


def test_rights_come_back_in_full(store: Store) -> None:
    """Cases, compartments and orders keep their order."""
    observer = Observer("zoe", "ORG", "analyst", cases=("B", "A"), compartments=("X",), orders=("D", "C"))
    store.put_observer(observer)

    assert store.list_observers() == [observer]


def test_watches_move_forward(store: Store) -> None:
    """A watch put again is the same watch, checked later."""
    watch = Watch("zoe", ADA.thing, START, START)
    other = Watch("ada", ADA.thing, START, START)
    store.put_watch(watch)
    store.put_watch(other)
    store.put_watch(replace(watch, checked_at=LATER))

    assert store.list_watches("zoe") == [replace(watch, checked_at=LATER)]
    assert [w.id for w in store.list_watches()] == sorted((watch.id, other.id))


def test_alerts_are_raised_once(store: Store) -> None:
    """An alert put again is not new; an observer's alerts come newest first."""
    watch = Watch("zoe", ADA.thing, START, START)
    old = Alert(watch.id, "zoe", ADA.thing, "1" * 32, BEA.thing, START)
    new = Alert(watch.id, "zoe", ADA.thing, "2" * 32, BEA.thing, LATER)
    theirs = Alert("3" * 32, "ada", ADA.thing, "1" * 32, BEA.thing, LATER)

    assert store.put_alerts([old]) == 1
    assert store.put_alerts([old, new, theirs, new]) == 2
    assert store.list_alerts("zoe") == [new, old]


WORDS = ["ada", "bea", "Ådåm", "sample street", "1980-01-01", ""]
labels = st.sampled_from([OPEN, CLOSED, OTHER])
texts = st.lists(st.sampled_from(WORDS), max_size=2)
records = st.builds(
    lambda schema, key, label, names, keys, minute, facet, sequence: make_record(
        schema,
        key,
        label=label,
        properties={"name": names, "publicKey": keys} if schema == "CryptoWallet" else {"name": names},
        minute=minute,
        facet=facet,
        sequence=sequence,
    ),
    st.sampled_from(["Person", "CryptoWallet", "Company"]),
    st.sampled_from("abcd"),
    labels,
    texts,
    st.lists(st.sampled_from(["one", "two"]), max_size=2),
    st.integers(0, 3),
    st.sampled_from(["", "x"]),
    st.integers(0, 2),
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Draw records and things between them; some links have an end without a record."""
    found = draw(st.lists(records, min_size=1, max_size=8, unique_by=lambda record: record.id))
    some = st.sampled_from([*found, WALLET])
    ends = draw(
        st.lists(
            st.tuples(some, some, labels, st.sampled_from(["UnknownLink", "Family"]), st.integers(0, 3)), max_size=8
        )
    )
    links = [make_link(left, right, schema, label=label, minute=m) for left, right, label, schema, m in ends]
    pairs = [make_pair(left, right, minute=m) for left, right, _, _, m in ends if left.id != right.id]
    judged = [
        make_judgement((left, right), label=label, minute=m)
        for left, right, label, _, m in ends
        if left.thing != right.thing
    ]
    return Batch(records=found, links=distinct(links), pairs=distinct(pairs), judgements=distinct(judged))


def distinct(items: Iterable[Any]) -> list[Any]:
    """Return items without those whose id came before."""
    return list({item.id: item for item in items}.values())


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(batches(), min_size=1, max_size=2), st.sets(labels), st.integers(0, 3))
def test_every_answer_equals_the_reference(
    make_store: Callable[[], Store], written: list[Batch], allowed: set[Label], minute: int
) -> None:
    """Whatever was written, and in whatever scope, an engine counts and answers as the reference does."""
    reference, store = MemoryStore(secret=SECRET), make_store()
    for batch in written:
        assert store.write(batch) == reference.write(batch)
    limits = Scope([label.lid for label in allowed], START + timedelta(minutes=minute))

    assert answers(reader_of(store), limits, written) == answers(reference, limits, written)


def answers(reader: Reader, limits: Scope, written: list[Batch]) -> dict[str, object]:
    """Ask a reader everything there is to ask."""
    ontology = default_ontology()
    all_records = [record for batch in written for record in batch.records]
    things = sorted({WALLET.thing, *(record.thing for record in all_records)})[::2]
    some = sorted({record.id for record in all_records})[::2]
    keys = {make_key(ontology[record.schema], record.properties) for record in all_records} - {None}
    return {
        "labels": dict(reader.labels()),
        "by id": in_order(reader.records_by_id(limits, some)),
        "by thing": in_order(reader.records_by_thing(limits, things)),
        "by key": in_order(reader.records_by_key(limits, sorted(key for key in keys if key)[:1])),
        "by words": [in_order(reader.records_by_words(limits, [word], ())) for word in ("ada", "street", "m sam")],
        "by two words": in_order(reader.records_by_words(limits, ["ada", "a"], ["Person"])),
        "records": in_order(flat(reader.iter_records(limits, ()))),
        "outlines": in_order(flat(reader.iter_outlines(limits))),
        "people": in_order(flat(reader.iter_records(limits, ["Person", "Company"]))),
        "links of": in_order(reader.links_of(limits, things)),
        "links": in_order(flat(reader.iter_links(limits))),
        "pairs of": in_order(reader.pairs_of(limits, some)),
        "pairs": in_order(flat(reader.iter_pairs(limits))),
        "judgements of": in_order(reader.judgements_of(limits, things)),
        "judgements": in_order(flat(reader.iter_judgements(limits))),
    }


def in_order(found: Iterable[Record | Link | Pair | Judgement]) -> list[Record | Link | Pair | Judgement]:
    """Return what was found by id; what comes twice shows as such."""
    return sorted(found, key=lambda one: one.id)


def test_consents_are_kept_once(store: Store) -> None:
    """A consent comes back as it was, once however often it is recorded."""
    given = Consent("ORG", Use.COURT, "12/26", "letter 1", "anna", START)

    for _ in range(2):
        store.put_consent(given)

    assert store.list_consents() == [given]
