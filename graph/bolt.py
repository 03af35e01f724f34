"""The Bolt store: the store contract on any engine that speaks Bolt."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from itertools import pairwise
from types import TracebackType
from typing import Any, Self, TypeVar

from graph import cypher, row
from graph.connection import CHUNK, Connection, iter_chunks
from graph.store import Batch, Keyed, Outline, Scope, StoreInfo, Surroundings, Written
from graph.treaters import Treaters
from graph.view import View
from graph.writing import Writing
from ontology.consent import Consent
from ontology.errors import StoreError
from ontology.judgement import Judgement
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.policy import Policy
from ontology.policy_file import default_policy
from ontology.record import Link, Record, to_microseconds
from ontology.relabelling import Relabelling
from ontology.schema import Ontology, default_ontology
from ontology.source import Capture
from ontology.watch import Alert, Watch

# Raised when what is stored changes its shape; a store of a later format is left alone.
FORMAT = 4
# How many things at the far ends of links are read along with the links: a page of neighbours, and some to spare.
AHEAD = 25

Item = TypeVar("Item")


class BoltReader:
    """The raw questions of `graph.store.Reader`, answered by an engine."""

    def __init__(self, connection: Connection, ontology: Ontology) -> None:
        self._connection = connection
        self._links_of = cypher.links_of(ontology)
        self._surroundings_and_links = cypher.surroundings_and_links(ontology)
        self._links_in_range = cypher.links_in_range(ontology)
        self._labels: Mapping[int, Label] = {}

    def labels(self) -> Mapping[int, Label]:
        """Return every distinct label by its lid."""
        known = self._labels
        found = self._connection.read(cypher.LABELS, known=list(known))
        new = {one["lid"]: row.to_label(one["json"]) for one in found}
        if new:
            # Taken whole and put whole: another thread may be reading it.
            self._labels = {**self._labels, **new}
        return self._labels

    def known_labels(self) -> Mapping[int, Label]:
        """Return the labels by their lids as they were when last asked for, without asking."""
        return self._labels

    def surroundings(
        self, scope: Scope, things: Collection[str], keyed: Sequence[Keyed], *, with_links: bool = False
    ) -> Surroundings:
        """Return what lies around some things, in one question for each chunk of them."""
        places = [{"schemata": list(place.schemata), "lids": list(place.lids)} for place in keyed]
        text = self._surroundings_and_links if with_links else cypher.SURROUNDINGS
        found = [
            self._connection.read(text, values=chunk, keyed=places, ahead=AHEAD, **_bounds(scope))[0]
            for chunk in iter_chunks(sorted(set(things)))
        ]
        near = {one["record"]["id"]: one for part in found for one in part["records"] if one["record"]}
        keyed_rows = [one for part in found for one in part["keyed"] if one["thing"]]
        judgements = {one["id"]: one for part in found for one in part["judgements"]}
        return Surroundings(
            {thing for part in found for thing in part["things"]},
            self._to_records(one["record"] for one in near.values()),
            row.to_things_by_key(keyed_rows),
            row.to_surrounding_pairs(near.values()),
            self._to_judgements(judgements.values()),
            self._to_links({one["id"]: one for part in found for one in part.get("links", ())}.values()),
            found[-1]["labels"] if found else len(self._labels),
        )

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
        longest = max(words, key=len, default="")
        [found] = self._connection.read(
            cypher.RECORDS_BY_WORDS, words=list(words), longest=longest, schemata=list(schemata), **_bounds(scope)
        )
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

    def judgements_of(self, scope: Scope, things: Collection[str]) -> list[Judgement]:
        """Return the judgements on any of these things, each once."""
        return self._to_judgements(self._distinct(cypher.JUDGEMENTS_OF, scope, things))

    def iter_judgements(self, scope: Scope) -> Iterator[list[Judgement]]:
        """Stream all judgements, some thousand at a time."""
        for found in self._connection.stream(cypher.JUDGEMENTS, **_bounds(scope)):
            yield self._to_judgements(found)

    def epoch(self) -> int:
        """Return how often rights, labels in force or the policy have changed."""
        [found] = self._connection.read(cypher.EPOCH)
        return int(found)

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
        return [row.to_record(one, self._label(one["lid"])) for one in found if _is_in_force(one)]

    def _to_links(self, found: Iterable[row.Row]) -> list[Link]:
        return [row.to_link(one, self._label(one["lid"])) for one in found if _is_in_force(one)]

    def _to_judgements(self, found: Iterable[row.Row]) -> list[Judgement]:
        return [row.to_judgement(one, self._label(one["lid"])) for one in found]

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
        self.policy = policy or default_policy()
        self._on_close = on_close
        self._treaters = Treaters(secret, self._ontology, self.policy)
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
        return self._write(lambda writing: writing.write(batch))

    def view(self, observer: Observer, as_of: datetime | None = None) -> View:
        """Return what an observer may have, as recorded by a moment (None: now)."""
        moment = as_of or self._clock()
        return View(
            self._reader,
            observer,
            moment,
            secret=self._secret,
            ontology=self._ontology,
            policy=self.policy,
            is_pinned=as_of is not None,
            treaters=self._treaters,
        )

    def epoch(self) -> int:
        """Return how often rights, labels in force or the policy have changed."""
        return self._reader.epoch()

    def put_observer(self, observer: Observer) -> None:
        """Add an observer or replace their rights, and raise the epoch."""
        self._write(lambda writing: writing.put_observer(observer))

    def remove_observer(self, name: str) -> bool:
        """Take all rights from an observer and raise the epoch; return whether there was one."""
        return self._write(lambda writing: writing.remove_observer(name))

    def get_observer(self, name: str) -> Observer | None:
        """Return an observer's present rights, None for nobody."""
        found = self._connection.read_latest(cypher.GET_OBSERVER, name=name)
        return row.to_observer(found[0]) if found and found[0] else None

    def list_observers(self) -> list[Observer]:
        """Return all observers by name."""
        return [row.to_observer(found) for found in self._connection.read(cypher.LIST_OBSERVERS) if found]

    def put_relabelling(self, relabelling: Relabelling) -> None:
        """Keep a proposal; raises ValueError for one that is approved."""
        if relabelling.is_approved:
            raise ValueError("expected a relabelling that nobody has approved yet")
        self._write(lambda writing: writing.put_relabelling(relabelling))

    def list_relabellings(self) -> list[Relabelling]:
        """Return all relabellings, approved or not, by when they were proposed, then id."""
        return [row.to_relabelling(found) for found in self._connection.read(cypher.LIST_RELABELLINGS)]

    def relabel(self, relabelling: Relabelling) -> bool:
        """Carry out an approved relabelling; raises ValueError for one that is not."""
        if not relabelling.is_approved:
            raise ValueError("expected an approved relabelling")
        return self._write(lambda writing: writing.relabel(relabelling))

    def put_consent(self, consent: Consent) -> None:
        """Keep a consent; again is once."""
        self._run(cypher.PUT_CONSENT, row=row.from_consent(consent))

    def list_consents(self) -> list[Consent]:
        """Return all consents, by when they were recorded, then id."""
        return [row.to_consent(found) for found in self._connection.read(cypher.LIST_CONSENTS)]

    def put_watch(self, watch: Watch) -> None:
        """Add a watch, or move its `checked_at` forward."""
        self._run(cypher.PUT_WATCH, row=row.from_watch(watch))

    def list_watches(self, observer: str | None = None) -> list[Watch]:
        """Return the watches of one observer (None: of all), by id."""
        listed = self._connection.read(cypher.LIST_WATCHES, observer=observer)
        return [row.to_watch(found) for found in listed if _is_whole(found, Watch)]

    def put_alerts(self, alerts: Iterable[Alert]) -> int:
        """Add alerts, skipping those already raised; return how many were new."""
        rows = [row.from_alert(alert) for alert in alerts]
        return self._write(lambda writing: writing.add("Alert", rows))

    def list_alerts(self, observer: str) -> list[Alert]:
        """Return the alerts of one observer, newest first."""
        listed = self._connection.read(cypher.LIST_ALERTS, observer=observer)
        return [row.to_alert(found) for found in listed if _is_whole(found, Alert)]

    def close(self) -> None:
        """Let go of connections and of a child process."""
        self._connection.close()
        self._on_close()

    def _write(self, work: Callable[[Writing], Item]) -> Item:
        return self._connection.write(lambda transaction: work(Writing(transaction, self._ontology)))

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
        if missing or meta.get("format") != FORMAT:
            self._prepare(statements, missing, meta)
        if meta.get("policy") != self.policy.digest:
            self._write(lambda writing: writing.keep_policy(self.policy.digest))

    def _prepare(self, statements: Mapping[str, str], missing: Sequence[str], meta: row.Row) -> None:
        for name in missing:
            self._run(statements[name])
        if self._connection.dialect.awaits_indexes:
            self._run(cypher.AWAIT_INDEXES)
        if meta.get("format", FORMAT) < 3:
            for old in self._connection.read(cypher.OBSERVERS_OF_FORMAT_2):
                self._run(cypher.PUT_OBSERVER, row=row.from_observer(Observer(**old)))
        if meta.get("format", FORMAT) < 4:
            for old in self._connection.read(cypher.JUDGEMENTS_OF_FORMAT_3):
                ends, as_of = (old["left"], old["right"]), old["recorded_at"]
                lids = self._connection.read(cypher.LIDS_OF_THINGS, values=ends, as_of=as_of)
                self._run(cypher.GROUND_JUDGEMENT, id=old["id"], grounds=sorted({old["lid"], *lids}))
        self._run(cypher.WRITE_META, format=FORMAT, prepared=sorted({*meta.get("prepared", ()), *missing}))

    def _run(self, text: str, **parameters: Any) -> None:
        self._connection.write(lambda work: work.run(text, parameters).consume())


def _is_whole(found: row.Row, kind: type[Watch] | type[Alert]) -> bool:
    """Whether a row is of something that is still there: an engine may find what was just deleted, without its values."""
    return all(found.get(part.name) is not None for part in fields(kind))


def _is_in_force(found: row.Row) -> bool:
    """Whether a row was read before or after a relabelling: an engine may show one half changed, which nobody may have."""
    return found.get("lid") is not None and "former_lid" not in found


def _bounds(scope: Scope) -> dict[str, Any]:
    return {"allowed": list(scope.allowed), "as_of": to_microseconds(scope.as_of)}
