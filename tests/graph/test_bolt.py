"""The Bolt store beyond the contract: whole batches, writers at once, formats and faults."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from neo4j import GraphDatabase

from graph import connection
from graph.bolt import BoltStore
from graph.store import Batch, Scope
from ontology.errors import StoreError
from ontology.judgement import Verdict, judge
from ontology.observer import SYSTEM
from ontology.policy import Policy
from ontology.policy_file import default_policy
from ontology.record import Record
from tests.conftest import BOLT_ENGINES, open_bolt
from tests.engines.neo4j import Server
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record

EVERYTHING = Scope([make_label().lid], START + timedelta(days=1))

on_engines = pytest.mark.parametrize("engine_name", BOLT_ENGINES)


def records_in(store: BoltStore) -> list[Record]:
    """Return all records."""
    reader = store.view(SYSTEM, EVERYTHING.as_of)._reader
    return [record for chunk in reader.iter_records(EVERYTHING, ()) for record in chunk]


def run(server: Server, text: str) -> list[Any]:
    """Run a statement past the store and return its first column."""
    with GraphDatabase.driver(server.address, auth=(server.user, server.password)) as driver:
        return [record[0] for record in driver.execute_query(text, database_=server.database).records]


@on_engines
def test_a_batch_is_all_or_nothing(server: Server) -> None:
    """A batch whose last record no engine can hold leaves nothing of itself."""
    good = [make_record(key=str(i)) for i in range(2_500)]
    bad = replace(make_record("Phone", "bad"), sequence=2**70)

    with open_bolt(server) as store:
        with pytest.raises(OverflowError):
            store.write(Batch(records=[*good, bad]))

        assert records_in(store) == []
        assert store.write(Batch(records=good)).records == 2_500


@on_engines
def test_writers_at_once_count_exactly(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four writers, as of four processes, of the same records and links in other orders add each of them once."""
    monkeypatch.setattr(connection, "_WRITER", nullcontext())
    records = [make_record(key=str(i), label=make_label(owner=f"O{i % 7}")) for i in range(200)]
    links = [make_link(records[i], records[i - 1]) for i in range(200)]
    batches = [Batch(records=records[i : i + 40], links=links[i + 1 : i + 40]) for i in range(0, 200, 40)]
    orders = [batches, batches[::-1], batches[2:] + batches[:2], batches[3:] + batches[:3]]

    with ThreadPoolExecutor(4) as pool, open_bolt(server) as one, open_bolt(server) as other:
        stores = [one, other, one, other]
        written = list(pool.map(lambda s, bs: [s.write(b) for b in bs], stores, orders))

        assert sum(w.records for ws in written for w in ws) == 200
        assert sum(w.links for ws in written for w in ws) == 195
        assert len(one.view(SYSTEM, EVERYTHING.as_of)._reader.labels()) == 7 + 1


@on_engines
def test_no_change_of_rights_is_lost(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes of rights by four writers at once, as of four processes, raise the epoch once each."""
    monkeypatch.setattr(connection, "_WRITER", nullcontext())
    observers = [make_observer(name=f"observer {i}") for i in range(40)]

    with ThreadPoolExecutor(4) as pool, open_bolt(server) as one, open_bolt(server) as other:
        before = one.epoch()
        list(pool.map(lambda o: (one, other)[o.name.endswith("5")].put_observer(o), observers))
        assert one.epoch() == before + 40

        gone = list(pool.map(lambda o: [store.remove_observer(o.name) for store in (one, other)], observers[:10]))
        assert [sorted(both) for both in gone] == [[False, True]] * 10
        assert other.epoch() == before + 50


@on_engines
def test_another_policy_raises_the_epoch(server: Server) -> None:
    """Opening with the policy that was in force leaves the epoch, opening with another raises it."""
    other = replace(default_policy(), digest="0" * 64)

    def epoch_with(policy: Policy | None) -> int:
        args = (server.address, server.user, server.password)
        with BoltStore(*args, database=server.database, secret=SECRET, policy=policy) as store:
            return store.epoch()

    first = epoch_with(None)

    assert [epoch_with(policy) - first for policy in (None, other, other, None)] == [0, 1, 1, 2]


@on_engines
def test_the_first_policy_is_noted_without_a_change(server: Server) -> None:
    """A store that never noted a policy begins at epoch 0."""
    open_bolt(server).close()
    run(server, "MATCH (m:Meta) REMOVE m.policy, m.epoch")

    with open_bolt(server) as store:
        assert store.epoch() == 0


@on_engines
def test_an_end_without_a_record_is_one_stub(server: Server) -> None:
    """However many links name a thing without a record, there is one node for it, with no label and no moment."""
    ada, bea = make_record(key="ada"), make_record(key="bea")
    with open_bolt(server) as store:
        store.write(Batch(links=[make_link(ada, bea)]))
        store.write(Batch(links=[make_link(bea, ada)]))

    found = run(server, "MATCH (n:Record) RETURN properties(n) AS found")
    assert sorted(set(one) for one in found) == [{"id", "thing"}] * 2
    assert {one["thing"] for one in found} == {ada.thing, bea.thing}


@on_engines
def test_what_is_stored_outlasts_the_store_object(server: Server) -> None:
    """Another store on the same engine has it all, and sets nothing up anew."""
    record = make_record()
    with open_bolt(server) as store:
        store.write(Batch(records=[record]))

    with open_bolt(server) as store:
        assert records_in(store) == [record]
        assert store.info().version == server.version


@on_engines
def test_a_newer_format_is_left_alone(server: Server) -> None:
    """A store that a later version wrote is not opened, and the message says why."""
    open_bolt(server).close()
    run(server, "MATCH (m:Meta) SET m.format = 99")
    try:
        with pytest.raises(StoreError, match="expected storage format 4 or older, found 99"):
            open_bolt(server)
    finally:
        run(server, "MATCH (m:Meta) SET m.format = 4")


@on_engines
def test_a_wrong_password_is_not_repeated(server: Server) -> None:
    """The message names the address and nothing secret."""
    with pytest.raises(StoreError, match="expected a user and password that the engine knows") as caught:
        BoltStore(server.address, server.user, "not-the-password", database=server.database, secret=SECRET)

    assert server.address in str(caught.value)
    assert "not-the-password" not in str(caught.value)


@on_engines
def test_what_an_engine_refuses_is_not_quoted(server: Server) -> None:
    """An engine's own words may hold a value, so its code alone is passed on."""
    with open_bolt(server) as store, pytest.raises(StoreError, match="refused what was asked") as caught:
        store._connection.read("RETURN 'a hidden value' + missing")

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("bolt://127.0.0.1:1", "bolt://127.0.0.1:1: expected a graph engine that answers over Bolt"),
        ("127.0.0.1:7687", "expected an address like bolt://host:port"),
        ("ftp://127.0.0.1", "expected an address like bolt://host:port"),
        ("bolt://neo4j:the-password@127.0.0.1", "holds a user or a password"),
    ],
)
def test_an_engine_that_is_not_there_is_named(address: str, message: str) -> None:
    """The address is in the message, the password is not."""
    with pytest.raises(StoreError, match=message) as caught:
        BoltStore(address, "neo4j", "the-password", database="neo4j", secret=SECRET)

    assert "the-password" not in str(caught.value)


@on_engines
def test_observers_of_the_format_before_keep_their_rights(server: Server) -> None:
    """Opening a store of format 2 rewrites its observers, once."""
    known = make_observer("investigator", cases=("A", "B"))
    open_bolt(server).close()
    run(
        server,
        f"CREATE (:Observer {{name: '{known.name}', organisation: '{known.organisation}', tier: 'investigator', "
        f"cases: ['A', 'B'], compartments: [], purpose: '{known.purpose}', orders: []}})",
    )
    run(server, "MATCH (m:Meta) SET m.format = 2")

    for _ in range(2):
        with open_bolt(server) as store:
            assert store.list_observers() == [known]


@on_engines
def test_judgements_of_the_format_before_rest_on_all_that_was_there(server: Server) -> None:
    """Opening a store of format 3 grounds each judgement on its own label and those of everything of its things then."""
    early, late = make_label(tlp="GREEN"), make_label(tlp="AMBER")
    left, right = make_record("Person", "a", label=early), make_record("Person", "b", label=late)
    later = make_record("Person", "b", facet="more", label=make_label(tlp="RED"), minute=90)
    made = judge(
        (left.thing, right.thing), Verdict.POSITIVE, by="a", reason="", label=early, recorded_at=right.recorded_at
    )
    with open_bolt(server) as store:
        store.write(Batch(records=[left, right, later], judgements=[made]))
    run(server, "MATCH (m:Meta) SET m.format = 3 WITH m MATCH (j:Judgement) REMOVE j.grounds")

    for _ in range(2):
        with open_bolt(server) as store:
            [kept] = store.view(SYSTEM)._reader.judgements_of(
                Scope([early.lid, late.lid], START + timedelta(days=9)), [left.thing]
            )
            assert kept.grounds == tuple(sorted({early.lid, late.lid}))


@on_engines
def test_who_is_removed_meanwhile_has_no_rights(server: Server) -> None:
    """An engine may find a node that was just deleted, without its values: whoever that was is nobody."""
    with open_bolt(server) as store:
        run(server, "CREATE (:Observer {name: 'gone'}) CREATE (:Watch {id: 'w', observer: 'gone'})")
        run(server, "CREATE (:Alert {id: 'a', observer: 'gone'})")

        assert store.get_observer("gone") is None
        assert not any([store.list_observers(), store.list_watches(), store.list_alerts("gone")])


@on_engines
def test_what_is_half_relabelled_is_nobodys(server: Server) -> None:
    """An engine may show a record or link in the middle of a change of its label: it is out of sight until that is done."""
    records = [make_record(key=str(number)) for number in range(3)]
    links = [make_link(records[0], records[1]), make_link(records[1], records[2])]
    with open_bolt(server) as store:
        store.write(Batch(records=records, links=links))
        run(server, f"MATCH (n:Record {{id: '{records[0].id}'}}) SET n.former_lid = n.lid")
        run(server, f"MATCH ()-[r]->() WHERE r.id = '{links[1].id}' SET r.former_lid = r.lid")

        assert {record.id for record in records_in(store)} == {records[1].id, records[2].id}
        reader = store.view(SYSTEM, EVERYTHING.as_of)._reader
        assert [link.id for link in reader.links_of(EVERYTHING, [records[1].thing])] == [links[0].id]
