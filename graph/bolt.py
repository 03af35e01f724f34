"""The Bolt store: the store contract on any engine that speaks Bolt, and the one home of its driver."""

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import islice, pairwise
from types import TracebackType
from typing import Any, Self, TypeVar

import neo4j
from neo4j import GraphDatabase, ManagedTransaction
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from graph import cypher, row
from graph.anchor import Candidate, choose_anchor
from graph.dialect import read_agent
from graph.store import Batch, Outline, Scope, StoreInfo, Written
from graph.view import View
from ontology.errors import StoreError
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.policy import Policy
from ontology.record import Link, Record, to_microseconds
from ontology.schema import Ontology, default_ontology
from ontology.source import Capture
from ontology.watch import Alert, Watch

# Raised when what is stored changes its shape; a store of a later format is left alone.
FORMAT = 1
CHUNK = 2_000
# The embedded engine compares each relationship that it finds with the whole list.
LOOKUP = 500

_COLLISIONS = 12
_CONNECT_TIMEOUT_S = 10.0
# How long a dead engine is waited for, and a lost race run again.
_RETRY_TIMEOUT_S = 15.0
# One writer of a process at a time: together they would collide, on every engine, and wait longer to try again.
_WRITER: AbstractContextManager[Any] = threading.Lock()

# The driver's warnings tell of what it tries again, and may quote a value.
logging.getLogger("neo4j").setLevel(logging.ERROR)

Item = TypeVar("Item")
Assertion = TypeVar("Assertion", Record, Link)
Stored = TypeVar("Stored", Record, Link, Pair)


class Connection:
    """A driver on one database of one engine, with its errors translated and its differences hidden.

    Raises StoreError, naming the address and never the password, when the
    engine cannot be reached or refuses what is asked.
    """

    def __init__(self, address: str, user: str, password: str, *, database: str) -> None:
        self.address = address
        self._database = database
        with self._translated():
            self._driver = _open_driver(address, user, password, _CONNECT_TIMEOUT_S)
            try:
                with self._driver.session(database=database) as session:
                    self.dialect, self.version = read_agent(session.run(cypher.PING).consume().server.agent)
            except BaseException:
                self._driver.close()
                raise
        self._bookmarks = GraphDatabase.bookmark_manager() if self.dialect.has_bookmarks else None

    def read(self, text: str, **parameters: Any) -> list[Any]:
        """Return the first column of what a text finds."""
        with self._translated(), self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(lambda work: work.run(text, parameters).value())

    def read_by(self, text: str, values: Iterable[str], **parameters: Any) -> Iterator[Any]:
        """Yield what a text collects for each of the values, asked a chunk at a time."""
        for chunk in _chunks(sorted(set(values))):
            [found] = self.read(text, values=chunk, **parameters)
            yield from found

    def stream(self, text: str, **parameters: Any) -> Iterator[list[Any]]:
        """Yield the first column of what a text finds, a chunk at a time, holding no more than that."""
        with (
            self._translated(),
            self._session(neo4j.READ_ACCESS) as session,
            session.begin_transaction() as transaction,
        ):
            found = (record[0] for record in transaction.run(text, parameters))
            yield from _chunks(found)

    def write(self, work: Callable[[ManagedTransaction], Item]) -> Item:
        """Do work in one transaction, again from its start when it collided with another writer."""
        with self._translated():
            for attempt in range(_COLLISIONS):
                try:
                    with _WRITER, self._session(neo4j.WRITE_ACCESS) as session:
                        return session.execute_write(work)
                except ConstraintError:
                    # Somebody else made one of the same nodes meanwhile; next time it will be found.
                    if attempt == _COLLISIONS - 1:
                        raise
                    time.sleep(random.uniform(0, 0.02 * 2**attempt))
        raise AssertionError("the last attempt either returns or raises")

    def close(self) -> None:
        """Let go of the connections."""
        self._driver.close()

    def _session(self, access: str) -> neo4j.Session:
        return self._driver.session(
            database=self._database,
            default_access_mode=access,
            bookmark_manager=self._bookmarks,
            fetch_size=CHUNK,
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AuthError as exc:
            raise StoreError(
                f"{self.address}: expected a user and password that the engine knows, found others"
            ) from exc
        except (ServiceUnavailable, SessionExpired) as exc:
            raise StoreError(f"{self.address}: expected a graph engine that answers over Bolt, found none") from exc
        except Neo4jError as exc:
            # The engine's own words may quote a value.
            raise StoreError(f"{self.address}: the graph engine refused what was asked: {exc.code}") from exc
        except DriverError as exc:
            raise StoreError(
                f"{self.address}: the connection to the graph engine failed: {type(exc).__name__}"
            ) from exc


class BoltReader:
    """The raw questions of `graph.store.Reader`, answered by an engine."""

    def __init__(self, connection: Connection, ontology: Ontology) -> None:
        self._connection = connection
        self._links_of = cypher.links_of(ontology)
        self._links_in_range = cypher.links_in_range(ontology)
        self._labels: dict[int, Label] = {}

    def labels(self) -> Mapping[int, Label]:
        """Return every distinct label by its lid."""
        known = list(self._labels)
        for found in self._connection.read(cypher.LABELS, known=known):
            self._labels[found["lid"]] = row.to_label(found["json"])
        return dict(self._labels)

    def records_by_id(self, scope: Scope, ids: Collection[str]) -> list[Record]:
        """Return the records with these ids, in no order."""
        return self._records(cypher.RECORDS_BY_ID, scope, ids)

    def records_by_thing(self, scope: Scope, things: Collection[str]) -> list[Record]:
        """Return the records of these things, in no order."""
        return self._records(cypher.RECORDS_BY_THING, scope, things)

    def records_by_key(self, scope: Scope, keys: Collection[str]) -> list[Record]:
        """Return the records with one of these identifying keys."""
        return self._records(cypher.RECORDS_BY_KEY, scope, keys)

    def records_by_words(self, scope: Scope, words: Sequence[str], schemata: Collection[str]) -> list[Record]:
        """Return the records whose folded text holds every word, of these concrete schemata (empty: all)."""
        text = cypher.RECORDS_BY_WORDS
        [found] = self._connection.read(text, words=list(words), schemata=list(schemata), **_bounds(scope))
        return self._to_records(found)

    def iter_records(self, scope: Scope, schemata: Collection[str]) -> Iterator[list[Record]]:
        """Stream all records of these concrete schemata (empty: all), some thousand at a time."""
        for low, high in self._ranges():
            [found] = self._connection.read(
                cypher.RECORDS_IN_RANGE, low=low, high=high, schemata=list(schemata), **_bounds(scope)
            )
            yield self._to_records(found)

    def iter_outlines(self, scope: Scope) -> Iterator[list[Outline]]:
        """Stream the outlines of all records, some thousand at a time."""
        for low, high in self._ranges():
            [columns] = self._connection.read(cypher.OUTLINES_IN_RANGE, low=low, high=high, **_bounds(scope))
            yield [row.to_outline(*cells) for cells in zip(*columns, strict=True)]

    def links_of(self, scope: Scope, things: Collection[str]) -> list[Link]:
        """Return the links with either end among these things."""
        return self._to_links(self._distinct(self._links_of, scope, things))

    def iter_links(self, scope: Scope) -> Iterator[list[Link]]:
        """Stream all links, some thousand at a time."""
        for found in self._stream(self._links_in_range, scope):
            yield self._to_links(found)

    def pairs_of(self, scope: Scope, records: Collection[str]) -> list[Pair]:
        """Return the scored pairs with either end among these records."""
        return [row.to_pair(found) for found in self._distinct(cypher.PAIRS_OF, scope, records)]

    def iter_pairs(self, scope: Scope) -> Iterator[list[Pair]]:
        """Stream all scored pairs, some thousand at a time."""
        for found in self._stream(cypher.PAIRS_IN_RANGE, scope):
            yield [row.to_pair(one) for one in found]

    def captures(self, sha256s: Collection[str]) -> list[Capture]:
        """Return what is known of these captures."""
        return [row.to_capture(found) for found in self._connection.read_by(cypher.CAPTURES, sha256s)]

    def _records(self, text: str, scope: Scope, values: Collection[str]) -> list[Record]:
        return self._to_records(self._connection.read_by(text, values, **_bounds(scope)))

    def _distinct(self, text: str, scope: Scope, values: Collection[str]) -> Iterable[row.Row]:
        return {one["id"]: one for one in self._connection.read_by(text, values, **_bounds(scope))}.values()

    def _stream(self, text: str, scope: Scope) -> Iterator[list[row.Row]]:
        for low, high in self._ranges():
            yield from self._connection.stream(text, low=low, high=high, **_bounds(scope))

    def _ranges(self) -> Iterator[tuple[str, str]]:
        """Cut the ids of records into ranges of about a chunk each: ids are digests, so they lie evenly."""
        [count] = self._connection.read(cypher.COUNT_RECORDS)
        parts = count // CHUNK + 1
        edges = [f"{(i << 128) // parts:032x}" for i in range(parts)] + ["g"]
        yield from pairwise(edges)

    def _to_records(self, found: Iterable[row.Row]) -> list[Record]:
        return [row.to_record(one, self._label(one["lid"])) for one in found]

    def _to_links(self, found: Iterable[row.Row]) -> list[Link]:
        return [row.to_link(one, self._label(one["lid"])) for one in found]

    def _label(self, lid: int) -> Label:
        if lid not in self._labels:
            self.labels()
        return self._labels[lid]


class BoltStore:
    """Everything in one database of an engine that speaks Bolt; `graph.store.Store` says what it does.

    Opening makes the constraints and indexes that are missing. Closing calls
    `on_close`, which stops an engine that was started for this store.
    """

    def __init__(
        self,
        address: str,
        user: str,
        password: str,
        *,
        database: str,
        secret: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ontology: Ontology | None = None,
        policy: Policy | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._ontology = ontology or default_ontology()
        self._policy = policy
        self._on_close = on_close
        self._connection = Connection(address, user, password, database=database)
        try:
            self._set_up()
        except BaseException:
            self._connection.close()
            raise
        self._reader = BoltReader(self._connection, self._ontology)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    def info(self) -> StoreInfo:
        """Return engine, version and address."""
        return StoreInfo(self._connection.dialect.engine, self._connection.version, self._connection.address)

    def write(self, batch: Batch) -> Written:
        """Write a batch in one transaction; writing it again adds nothing."""
        return self._connection.write(lambda work: _Writing(work, self._ontology).write(batch))

    def view(self, observer: Observer, as_of: datetime | None = None) -> View:
        """Return what an observer may have, as recorded by a moment (None: now)."""
        moment = as_of or self._clock()
        return View(self._reader, observer, moment, secret=self._secret, ontology=self._ontology, policy=self._policy)

    def put_observer(self, observer: Observer) -> None:
        """Add an observer or replace their rights."""
        self._put(cypher.PUT_OBSERVER, row.from_observer(observer))

    def get_observer(self, name: str) -> Observer | None:
        """Return an observer's present rights, None for nobody."""
        found = self._connection.read(cypher.GET_OBSERVER, name=name)
        return row.to_observer(found[0]) if found else None

    def list_observers(self) -> list[Observer]:
        """Return all observers by name."""
        return [row.to_observer(found) for found in self._connection.read(cypher.LIST_OBSERVERS)]

    def put_watch(self, watch: Watch) -> None:
        """Add a watch, or move its `checked_at` forward."""
        self._put(cypher.PUT_WATCH, row.from_watch(watch))

    def list_watches(self, observer: str | None = None) -> list[Watch]:
        """Return the watches of one observer (None: of all), by id."""
        return [row.to_watch(found) for found in self._connection.read(cypher.LIST_WATCHES, observer=observer)]

    def put_alerts(self, alerts: Iterable[Alert]) -> int:
        """Add alerts, skipping those already raised; return how many were new."""
        rows = [row.from_alert(alert) for alert in alerts]
        return self._connection.write(lambda work: _Writing(work, self._ontology).add("Alert", rows))

    def list_alerts(self, observer: str) -> list[Alert]:
        """Return the alerts of one observer, newest first."""
        return [row.to_alert(found) for found in self._connection.read(cypher.LIST_ALERTS, observer=observer)]

    def close(self) -> None:
        """Let go of connections and of a child process."""
        self._connection.close()
        self._on_close()

    def _put(self, text: str, values: row.Row) -> None:
        self._connection.write(lambda work: work.run(text, row=values).consume())

    def _set_up(self) -> None:
        """Check the format of what is stored and make the constraints and indexes that are missing."""
        meta: row.Row = next(iter(self._connection.read(cypher.READ_META)), {})
        if meta.get("format", FORMAT) > FORMAT:
            raise StoreError(
                f"{self._connection.address}: expected storage format {FORMAT} or older, found {meta['format']}: "
                "a newer Vinculum wrote it"
            )
        statements = cypher.make_set_up(self._ontology)
        missing = sorted(statements.keys() - set(meta.get("prepared", ())))
        if not missing:
            return
        for name in missing:
            self._run(statements[name])
        if self._connection.dialect.awaits_indexes:
            self._run(cypher.AWAIT_INDEXES)
        self._run(cypher.WRITE_META, format=FORMAT, prepared=sorted({*meta.get("prepared", ()), *missing}))

    def _run(self, text: str, **parameters: Any) -> None:
        self._connection.write(lambda work: work.run(text, parameters).consume())


class _Writing:
    """One batch on its way into one transaction: looks for what is there and creates the rest.

    Looking first and creating after costs less than MERGE, and counts exactly.
    """

    def __init__(self, work: ManagedTransaction, ontology: Ontology) -> None:
        self._work = work
        self._ontology = ontology

    def write(self, batch: Batch) -> Written:
        """Write everything; what a batch holds twice counts once."""
        self.add("Source", [row.from_source(source) for source in batch.sources])
        self.add("Capture", [row.from_capture(capture) for capture in batch.captures])
        records = self._add_records(batch.records)
        links, dangling = self._add_links(batch.links)
        pairs = self._add_pairs(batch.pairs)
        offered = len(batch.records) + len(batch.links) + len(batch.pairs)
        return Written(
            records=records,
            links=links,
            pairs=pairs,
            duplicates=offered - records - links - pairs - len(dangling),
            dangling=dangling,
        )

    def add(self, label: str, rows: Sequence[row.Row]) -> int:
        """Create the nodes whose keys are not taken, and count them."""
        key = cypher.NODE_KEYS[label]
        distinct = {one[key]: one for one in reversed(rows)}
        taken = self._find(cypher.find_nodes(label), distinct)
        new = [one for value, one in distinct.items() if value not in taken]
        self._create(cypher.create_nodes([label]), new)
        return len(new)

    def _add_records(self, records: Sequence[Record]) -> int:
        distinct = _first_by_id(records)
        taken = self._find(cypher.find_nodes("Record"), distinct)
        new = [record for id_, record in distinct.items() if id_ not in taken]
        self._add_labels(new)
        for name, group in _by_schema(new):
            schema = self._ontology[name]
            self._create(cypher.create_records(schema), (row.from_record(record, schema) for record in group))
        return len(new)

    def _add_links(self, links: Sequence[Link]) -> tuple[int, tuple[Link, ...]]:
        distinct = _first_by_id(links)
        taken: set[str] = set()
        for name, group in _by_schema(distinct.values()):
            taken |= self._find(cypher.find_relations(name), [link.id for link in group])
        anchored, dangling = self._anchor([link for id_, link in distinct.items() if id_ not in taken])
        self._add_labels([link for link, _, _ in anchored])
        for name, ends in _group(anchored, lambda found: found[0].schema):
            rows = ({"from": left, "to": right, "properties": row.from_link(link)} for link, left, right in ends)
            self._create(cypher.create_relations(name), rows)
        return len(anchored), tuple(dangling)

    def _anchor(self, links: Sequence[Link]) -> tuple[list[tuple[Link, str, str]], list[Link]]:
        candidates = self._find_candidates({end for link in links for end in (link.left, link.right)})
        anchored: list[tuple[Link, str, str]] = []
        dangling: list[Link] = []
        for link in links:
            left, right = (choose_anchor(link, candidates.get(end, ())) for end in (link.left, link.right))
            if left is None or right is None:
                dangling.append(link)
            else:
                anchored.append((link, left, right))
        return anchored, dangling

    def _find_candidates(self, things: Iterable[str]) -> dict[str, list[Candidate]]:
        found: dict[str, list[Candidate]] = {}
        for chunk in _chunks(things):
            answer = self._work.run(cypher.CANDIDATES, values=chunk).single(strict=True)
            for thing, id_, lid in zip(*answer.values(), strict=True):
                found.setdefault(thing, []).append(Candidate(id_, lid))
        return found

    def _add_pairs(self, pairs: Sequence[Pair]) -> int:
        distinct = _first_by_id(pairs)
        taken = self._find(cypher.find_relations("SAME_AS"), distinct)
        rows = (
            {"from": pair.left, "to": pair.right, "properties": row.from_pair(pair)}
            for id_, pair in distinct.items()
            if id_ not in taken
        )
        return self._create(cypher.create_relations("SAME_AS"), rows)

    def _add_labels(self, assertions: Iterable[Record | Link]) -> None:
        labels = {assertion.lid: assertion.label for assertion in assertions}
        self.add("Label", [row.from_label(label) for label in labels.values()])

    def _find(self, text: str, values: Iterable[Any]) -> set[Any]:
        """Return those of the values that are there."""
        found: set[Any] = set()
        for chunk in _chunks(values, LOOKUP):
            found.update(self._work.run(text, values=chunk).single(strict=True)[0])
        return found

    def _create(self, text: str, rows: Iterable[row.Row]) -> int:
        """Run a text over rows, a chunk at a time, and add up what it says it made."""
        return sum(self._work.run(text, rows=chunk).single(strict=True)[0] for chunk in _chunks(rows))


def is_answering(address: str, user: str, password: str, *, database: str) -> bool:
    """Whether an engine answers a question there, at once."""
    try:
        with _open_driver(address, user, password, 2.0) as driver, driver.session(database=database) as session:
            session.run(cypher.PING).consume()
    except (DriverError, Neo4jError):
        return False
    return True


def _open_driver(address: str, user: str, password: str, timeout_s: float) -> neo4j.Driver:
    if "@" in address:
        raise StoreError("the address of the graph engine holds a user or a password, which belong in their settings")
    try:
        return GraphDatabase.driver(
            address,
            auth=(user, password),
            user_agent="vinculum",
            connection_timeout=timeout_s,
            connection_acquisition_timeout=timeout_s,
            max_transaction_retry_time=_RETRY_TIMEOUT_S,
            telemetry_disabled=True,
            notifications_min_severity="OFF",
        )
    except (ValueError, ConfigurationError) as exc:
        raise StoreError(f"{address}: expected an address like bolt://host:port, found another") from exc


def _bounds(scope: Scope) -> dict[str, Any]:
    return {"allowed": list(scope.allowed), "as_of": to_microseconds(scope.as_of)}


def _first_by_id(items: Sequence[Stored]) -> dict[str, Stored]:
    """Return items by id; the first of equals stays, as it would in two batches."""
    distinct: dict[str, Stored] = {}
    for item in items:
        distinct.setdefault(item.id, item)
    return distinct


def _by_schema(assertions: Iterable[Assertion]) -> Iterator[tuple[str, list[Assertion]]]:
    return _group(assertions, lambda assertion: assertion.schema)


def _group(items: Iterable[Item], key: Callable[[Item], str]) -> Iterator[tuple[str, list[Item]]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    yield from sorted(groups.items())


def _chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
