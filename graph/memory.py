"""The in-memory store: the plain reference that every engine must equal. It serves tests, never users."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from graph.store import Batch, Outline, Scope, StoreInfo, Written
from graph.view import View
from ontology.key import fold_words, make_key
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.policy import Policy
from ontology.record import Link, Record, to_microseconds
from ontology.schema import default_ontology
from ontology.source import Capture, Source
from ontology.watch import Alert, Watch

Assertion = TypeVar("Assertion", Record, Link)


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryStore:
    """Keeps everything in dictionaries; both Store and Reader."""

    def __init__(
        self,
        *,
        secret: bytes = b"\0" * 32,
        clock: Callable[[], datetime] = _now,
        policy: Policy | None = None,
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._policy = policy
        self._labels: dict[int, Label] = {}
        self._sources: dict[str, Source] = {}
        self._captures: dict[str, Capture] = {}
        self._records: dict[str, Record] = {}
        self._links: dict[str, Link] = {}
        self._pairs: dict[str, Pair] = {}
        self._observers: dict[str, Observer] = {}
        self._watches: dict[str, Watch] = {}
        self._alerts: dict[str, Alert] = {}

    def __enter__(self) -> "MemoryStore":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def info(self) -> StoreInfo:
        """Name the reference."""
        return StoreInfo("memory", "1", "memory")

    def write(self, batch: Batch) -> Written:
        """Write a batch; what is there already stays as it is."""
        self._sources |= {s.name: s for s in batch.sources if s.name not in self._sources}
        self._captures |= {c.sha256: c for c in batch.captures if c.sha256 not in self._captures}
        records = {id_: r for id_, r in _first_of(batch.records).items() if id_ not in self._records}
        self._records |= records
        things = {record.thing for record in self._records.values()}
        new = {id_: link for id_, link in _first_of(batch.links).items() if id_ not in self._links}
        links = {id_: link for id_, link in new.items() if {link.left, link.right} <= things}
        dangling = [link for id_, link in new.items() if id_ not in links]
        self._links |= links
        pairs = {p.id: p for p in batch.pairs if p.id not in self._pairs and {p.left, p.right} <= self._records.keys()}
        self._pairs |= pairs
        self._labels |= {record.lid: record.label for record in records.values()}
        self._labels |= {link.lid: link.label for link in links.values()}
        offered = len(batch.records) + len(batch.links) + len(batch.pairs)
        added = len(records) + len(links) + len(pairs)
        return Written(
            len(records),
            len(links),
            len(pairs),
            offered - added - len(dangling),
            tuple(dangling),
        )

    def view(self, observer: Observer, as_of: datetime | None = None) -> View:
        """Return what an observer may have, as recorded by a moment."""
        return View(
            self,
            observer,
            as_of or self._clock(),
            secret=self._secret,
            policy=self._policy,
        )

    def put_observer(self, observer: Observer) -> None:
        """Add an observer or replace their rights."""
        self._observers[observer.name] = observer

    def get_observer(self, name: str) -> Observer | None:
        """Return an observer's present rights."""
        return self._observers.get(name)

    def list_observers(self) -> list[Observer]:
        """Return all observers by name."""
        return [self._observers[name] for name in sorted(self._observers)]

    def put_watch(self, watch: Watch) -> None:
        """Add a watch, or move its `checked_at` forward."""
        known = self._watches.setdefault(watch.id, watch)
        if watch.checked_at > known.checked_at:
            self._watches[watch.id] = replace(known, checked_at=watch.checked_at)

    def list_watches(self, observer: str | None = None) -> list[Watch]:
        """Return watches by id."""
        return [w for _, w in sorted(self._watches.items()) if observer in (None, w.observer)]

    def put_alerts(self, alerts: Iterable[Alert]) -> int:
        """Add the alerts that are new and count them."""
        new = {a.id: a for a in alerts if a.id not in self._alerts}
        self._alerts |= new
        return len(new)

    def list_alerts(self, observer: str) -> list[Alert]:
        """Return an observer's alerts, newest first."""
        mine = [a for a in self._alerts.values() if a.observer == observer]
        return sorted(mine, key=lambda a: (-to_microseconds(a.raised_at), a.id))

    def close(self) -> None:
        """Nothing is held open."""

    def labels(self) -> Mapping[int, Label]:
        """Return every label by its lid."""
        return self._labels

    def records_by_id(self, scope: Scope, ids: Collection[str]) -> list[Record]:
        """Return records by id."""
        return [r for r in self._scoped(scope) if r.id in ids]

    def records_by_thing(self, scope: Scope, things: Collection[str]) -> list[Record]:
        """Return the records of things."""
        return [r for r in self._scoped(scope) if r.thing in things]

    def records_by_key(self, scope: Scope, keys: Collection[str]) -> list[Record]:
        """Return records by identifying key."""
        ontology = default_ontology()
        return [r for r in self._scoped(scope) if make_key(ontology[r.schema], r.properties) in keys]

    def records_by_words(self, scope: Scope, words: Sequence[str], schemata: Collection[str]) -> list[Record]:
        """Return the records whose folded text holds every word."""
        return [
            record
            for record in self._scoped(scope)
            if not schemata or record.schema in schemata
            if all(word in fold_words(v for vs in record.properties.values() for v in vs) for word in words)
        ]

    def iter_records(self, scope: Scope, schemata: Collection[str]) -> Iterator[list[Record]]:
        """Stream records, all in one chunk."""
        yield [r for r in self._scoped(scope) if not schemata or r.schema in schemata]

    def iter_outlines(self, scope: Scope) -> Iterator[list[Outline]]:
        """Stream outlines, all in one chunk."""
        yield [Outline.of(record, default_ontology()) for record in self._scoped(scope)]

    def links_of(self, scope: Scope, things: Collection[str]) -> list[Link]:
        """Return links by their ends."""
        return [link for link in self._scoped_links(scope) if link.left in things or link.right in things]

    def iter_links(self, scope: Scope) -> Iterator[list[Link]]:
        """Stream links, all in one chunk."""
        yield list(self._scoped_links(scope))

    def pairs_of(self, scope: Scope, records: Collection[str]) -> list[Pair]:
        """Return pairs by their ends."""
        return [pair for pair in self._scoped_pairs(scope) if pair.left in records or pair.right in records]

    def iter_pairs(self, scope: Scope) -> Iterator[list[Pair]]:
        """Stream pairs, all in one chunk."""
        yield list(self._scoped_pairs(scope))

    def captures(self, sha256s: Collection[str]) -> list[Capture]:
        """Return captures by hash."""
        return [self._captures[sha] for sha in sorted(sha256s) if sha in self._captures]

    def _scoped(self, scope: Scope) -> Iterator[Record]:
        allowed = set(scope.allowed)
        return (r for r in self._records.values() if r.lid in allowed and r.recorded_at <= scope.as_of)

    def _scoped_links(self, scope: Scope) -> Iterator[Link]:
        allowed = set(scope.allowed)
        things = {record.thing for record in self._scoped(scope)}
        for link in self._links.values():
            if link.lid in allowed and link.recorded_at <= scope.as_of and {link.left, link.right} <= things:
                yield link

    def _scoped_pairs(self, scope: Scope) -> Iterator[Pair]:
        ids = {record.id for record in self._scoped(scope)}
        return (p for p in self._pairs.values() if {p.left, p.right} <= ids and p.recorded_at <= scope.as_of)


def _first_of(items: Iterable[Assertion]) -> dict[str, Assertion]:
    """Return items by id, the first of those that share one, in their order."""
    found: dict[str, Assertion] = {}
    for item in items:
        found.setdefault(item.id, item)
    return found
