"""The in-memory store: the plain reference that every engine must equal. It serves tests, never users."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar, cast

from graph.store import Batch, Keyed, Outline, Scope, StoreInfo, Surroundings, Written
from graph.treaters import Treaters
from graph.view import View
from ontology.consent import Consent
from ontology.judgement import Judgement
from ontology.key import fold_words
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.policy import Policy
from ontology.policy_file import default_policy
from ontology.record import Link, Record, to_microseconds
from ontology.relabelling import Relabelling, move_pairs
from ontology.schema import default_ontology
from ontology.source import Capture, Source
from ontology.watch import Alert, Watch


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


Assertion = TypeVar("Assertion", Record, Link)
Item = TypeVar("Item", bound=_Identified)


# The name under which everything of a label is found; no thing, key or id is called so.
_EVERYTHING = ""


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryStore:
    """Keeps everything in dictionaries; both Store and Reader.

    What a relabelling took out of force is in `_withdrawn` and in no index.
    """

    def __init__(
        self,
        *,
        secret: bytes = b"\0" * 32,
        clock: Callable[[], datetime] = _now,
        policy: Policy | None = None,
    ) -> None:
        self._secret = secret
        self._clock = clock
        self.policy = policy or default_policy()
        self._treaters = Treaters(secret, default_ontology(), self.policy)
        self._lock = threading.Lock()
        self._epoch = 0
        self._last_sight: _Sight | None = None
        self._labels: dict[int, Label] = {}
        self._sources: dict[str, Source] = {}
        self._captures: dict[str, Capture] = {}
        self._records: dict[str, Record] = {}
        self._outlines: dict[str, Outline] = {}
        self._texts: dict[str, str] = {}
        self._records_by_thing: _Index[Record] = _Index()
        self._records_by_key: _Index[Record] = _Index()
        self._links: dict[str, Link] = {}
        self._links_by_end: _Index[Link] = _Index()
        self._pairs: dict[str, Pair] = {}
        self._pairs_by_end: _Index[Pair] = _Index()
        self._judgements: dict[str, Judgement] = {}
        self._judgements_by_end: _Index[Judgement] = _Index()
        self._withdrawn: dict[str, Record | Link] = {}
        self._relabellings: dict[str, Relabelling] = {}
        self._consents: dict[str, Consent] = {}
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
        with self._lock:
            self._sources |= {s.name: s for s in batch.sources if s.name not in self._sources}
            self._captures |= {c.sha256: c for c in batch.captures if c.sha256 not in self._captures}
            records = sum(map(self._add_record, batch.records))
            links = sum(map(self._add_link, batch.links))
            pairs = sum(map(self._add_pair, batch.pairs))
            judgements = sum(map(self._add_judgement, batch.judgements))
        offered = len(batch.records) + len(batch.links) + len(batch.pairs) + len(batch.judgements)
        return Written(records, links, pairs, judgements, offered - records - links - pairs - judgements)

    def view(self, observer: Observer, as_of: datetime | None = None) -> View:
        """Return what an observer may have, as recorded by a moment."""
        return View(
            self,
            observer,
            as_of or self._clock(),
            secret=self._secret,
            policy=self.policy,
            is_pinned=as_of is not None,
            treaters=self._treaters,
        )

    def epoch(self) -> int:
        """Return how often rights or labels in force have changed."""
        return self._epoch

    def put_observer(self, observer: Observer) -> None:
        """Add an observer or replace their rights, and raise the epoch."""
        with self._lock:
            self._observers[observer.name] = observer
            self._epoch += 1

    def remove_observer(self, name: str) -> bool:
        """Take all rights from an observer and raise the epoch; return whether there was one."""
        with self._lock:
            is_there = self._observers.pop(name, None) is not None
            if is_there:
                self._watches = {id_: watch for id_, watch in self._watches.items() if watch.observer != name}
                self._alerts = {id_: alert for id_, alert in self._alerts.items() if alert.observer != name}
            self._epoch += is_there
        return is_there

    def get_observer(self, name: str) -> Observer | None:
        """Return an observer's present rights."""
        return self._observers.get(name)

    def list_observers(self) -> list[Observer]:
        """Return all observers by name."""
        return sorted(self._observers.values(), key=lambda observer: observer.name)

    def put_relabelling(self, relabelling: Relabelling) -> None:
        """Keep a proposal; raises ValueError for one that is approved."""
        if relabelling.is_approved:
            raise ValueError("expected a relabelling that nobody has approved yet")
        with self._lock:
            self._labels[relabelling.label.lid] = relabelling.label
            self._relabellings.setdefault(relabelling.id, relabelling)

    def list_relabellings(self) -> list[Relabelling]:
        """Return all relabellings by when they were proposed, then id."""
        return sorted(self._relabellings.values(), key=lambda r: (r.proposed_at, r.id))

    def relabel(self, relabelling: Relabelling) -> bool:
        """Carry out an approved relabelling; raises ValueError for one that is not."""
        if not relabelling.is_approved:
            raise ValueError("expected an approved relabelling")
        with self._lock:
            known = self._relabellings.get(relabelling.id)
            if known and known.is_approved:
                return True
            is_there = self._replace_record(relabelling) or self._replace_link(relabelling)
            if is_there:
                self._labels[relabelling.label.lid] = relabelling.label
                self._relabellings[relabelling.id] = relabelling
        return is_there

    def put_consent(self, consent: Consent) -> None:
        """Keep a consent; again is once."""
        self._consents.setdefault(consent.id, consent)

    def list_consents(self) -> list[Consent]:
        """Return all consents by when they were recorded, then id."""
        return sorted(self._consents.values(), key=lambda c: (c.recorded_at, c.id))

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
        return dict(self._labels)

    def known_labels(self) -> Mapping[int, Label]:
        """Return every label by its lid."""
        return self.labels()

    def surroundings(
        self, scope: Scope, things: Collection[str], keyed: Sequence[Keyed], *, with_links: bool = False
    ) -> Surroundings:
        """Return what lies around things."""
        records = self.records_by_thing(scope, things)
        comparable = {(schema, lid) for place in keyed for schema in place.schemata for lid in place.lids}
        keys = {self._outlines[r.id].key for r in records if (r.schema, r.lid) in comparable} - {None}
        pairs = self.pairs_of(scope, [record.id for record in records])
        return Surroundings(
            things,
            records,
            {key: frozenset(r.thing for r in self.records_by_key(scope, [key])) for key in sorted(filter(None, keys))},
            [(self._records[pair.left].thing, self._records[pair.right].thing, pair) for pair in pairs],
            self.judgements_of(scope, things),
            self.links_of(scope, things) if with_links else (),
            len(self._labels),
        )

    def records_by_id(self, scope: Scope, ids: Collection[str]) -> list[Record]:
        """Return records by id."""
        found = (self._records.get(id_) for id_ in dict.fromkeys(ids))
        return self._see(scope).visible(record for record in found if record)

    def records_by_thing(self, scope: Scope, things: Collection[str]) -> list[Record]:
        """Return the records of things."""
        return self._find(scope, self._records_by_thing, things)

    def records_by_key(self, scope: Scope, keys: Collection[str]) -> list[Record]:
        """Return records by identifying key."""
        return self._find(scope, self._records_by_key, keys)

    def records_by_words(self, scope: Scope, words: Sequence[str], schemata: Collection[str]) -> list[Record]:
        """Return the records whose folded text holds every word."""
        [found] = self.iter_records(scope, schemata)
        return [record for record in found if all(word in self._text(record) for word in words)]

    def iter_records(self, scope: Scope, schemata: Collection[str]) -> Iterator[list[Record]]:
        """Stream records, all in one chunk."""
        found = self._find(scope, self._records_by_thing)
        yield [record for record in found if not schemata or record.schema in schemata]

    def iter_outlines(self, scope: Scope) -> Iterator[list[Outline]]:
        """Stream outlines, all in one chunk."""
        yield [self._outlines[record.id] for record in self._find(scope, self._records_by_thing)]

    def links_of(self, scope: Scope, things: Collection[str]) -> list[Link]:
        """Return links by their ends."""
        return self._visible_links(scope, things)

    def iter_links(self, scope: Scope) -> Iterator[list[Link]]:
        """Stream links, all in one chunk."""
        yield self._visible_links(scope)

    def pairs_of(self, scope: Scope, records: Collection[str]) -> list[Pair]:
        """Return pairs by their ends."""
        return self._visible_pairs(scope, records)

    def iter_pairs(self, scope: Scope) -> Iterator[list[Pair]]:
        """Stream pairs, all in one chunk."""
        yield self._visible_pairs(scope)

    def judgements_of(self, scope: Scope, things: Collection[str]) -> list[Judgement]:
        """Return judgements by their things."""
        return self._find_judgements(scope, things)

    def iter_judgements(self, scope: Scope) -> Iterator[list[Judgement]]:
        """Stream judgements, all in one chunk."""
        yield self._find_judgements(scope)

    def _find_judgements(self, scope: Scope, things: Collection[str] | None = None) -> list[Judgement]:
        sight = self._see(scope)
        found = self._judgements_by_end.find_under(sight.lids, things)
        return [one for one in found if sight.lids.issuperset(one.grounds) and one.recorded_at <= scope.as_of]

    def captures(self, sha256s: Collection[str]) -> list[Capture]:
        """Return captures by hash."""
        return [self._captures[sha] for sha in sorted(sha256s) if sha in self._captures]

    def _see(self, scope: Scope) -> "_Sight":
        """Return what a scope lets through; a View asks with one scope again and again."""
        # Taken whole and put whole: another thread may ask with another scope meanwhile.
        sight = self._last_sight
        if sight is None or sight.scope is not scope:
            sight = self._last_sight = _Sight(scope)
        return sight

    def _find(self, scope: Scope, index: "_Index[Assertion]", names: Collection[str] | None = None) -> list[Assertion]:
        """Return what a scope lets through of what an index finds by some names (None: of everything)."""
        sight = self._see(scope)
        return sight.visible(index.find_under(sight.lids, names))

    def _visible_links(self, scope: Scope, things: Collection[str] | None = None) -> list[Link]:
        sight = self._see(scope)
        found = self._find(scope, self._links_by_end, things)
        return [link for link in found if all(self._is_visible(sight, t) for t in (link.left, link.right))]

    def _is_visible(self, sight: "_Sight", thing: str) -> bool:
        return any(map(sight.holds, self._records_by_thing.find_under(sight.lids, [thing])))

    def _visible_pairs(self, scope: Scope, records: Collection[str] | None = None) -> list[Pair]:
        sight = self._see(scope)
        pairs = self._pairs_by_end.find_under(sight.lids, records)
        found = ((pair, self._records.get(pair.left), self._records.get(pair.right)) for pair in pairs)
        return [
            pair
            for pair, left, right in found
            if pair.recorded_at <= scope.as_of and left and right and sight.holds(left) and sight.holds(right)
        ]

    def _text(self, record: Record) -> str:
        if record.id not in self._texts:
            self._texts[record.id] = fold_words(v for values in record.properties.values() for v in values)
        return self._texts[record.id]

    def _is_taken(self, id_: str) -> bool:
        return id_ in self._records or id_ in self._links or id_ in self._withdrawn

    def _add_record(self, record: Record) -> bool:
        if self._is_taken(record.id):
            return False
        outline = Outline.of(record, default_ontology())
        self._labels[record.lid] = record.label
        self._outlines[record.id] = outline
        self._records_by_thing.add(record, record.lid, record.thing)
        if outline.key:
            self._records_by_key.add(record, record.lid, outline.key)
        self._records[record.id] = record
        return True

    def _add_link(self, link: Link) -> bool:
        if self._is_taken(link.id):
            return False
        self._labels[link.lid] = link.label
        self._links_by_end.add(link, link.lid, link.left, link.right)
        self._links[link.id] = link
        return True

    def _add_pair(self, pair: Pair) -> bool:
        left, right = (self._records.get(end) or self._withdrawn.get(end) for end in (pair.left, pair.right))
        if pair.id in self._pairs or left is None or right is None:
            return False
        # Found from each end under the label of the other.
        self._pairs_by_end.add(pair, right.lid, pair.left)
        self._pairs_by_end.add(pair, left.lid, pair.right)
        self._pairs[pair.id] = pair
        return True

    def _add_judgement(self, judgement: Judgement) -> bool:
        if judgement.id in self._judgements:
            return False
        self._labels[judgement.lid] = judgement.label
        self._index_judgement(judgement)
        return True

    def _index_judgement(self, judgement: Judgement) -> None:
        # Under one of its grounds, all of which a scope must let through.
        self._judgements_by_end.add(judgement, judgement.grounds[0], judgement.left, judgement.right)
        self._judgements[judgement.id] = judgement

    def _ground_judgements(self, thing: str, old: int, new: int) -> None:
        """Let the judgements on a thing, of which something has another label now, ask for that as well."""
        for judgement in self._judgements_by_end.find([thing]):
            ends = (judgement.left, judgement.right)
            self._judgements_by_end.remove(judgement, judgement.grounds[0], *ends)
            self._index_judgement(judgement.to_grounded(old, new))

    def _replace_record(self, relabelling: Relabelling) -> bool:
        """Put a record's successor in its place; return whether the record was there."""
        old = self._records.get(relabelling.assertion)
        if old and old.lid != relabelling.label.lid:
            new = self._make_successor(old, relabelling.label)
            self._add_record(new)
            for pair in move_pairs(self._pairs_by_end.find([old.id]), old.id, new.id):
                self._add_pair(pair)
            self._withdraw_record(old)
            self._ground_judgements(old.thing, old.lid, new.lid)
            self._epoch += 1
        return old is not None

    def _replace_link(self, relabelling: Relabelling) -> bool:
        """Put a link's successor in its place; return whether the link was there."""
        old = self._links.get(relabelling.assertion)
        if old and old.lid != relabelling.label.lid:
            new = self._make_successor(old, relabelling.label)
            self._add_link(new)
            self._withdrawn[old.id] = self._links.pop(old.id)
            self._links_by_end.remove(old, old.lid, old.left, old.right)
            self._epoch += 1
        return old is not None

    def _make_successor(self, old: Assertion, label: Label) -> Assertion:
        """Return an assertion under another label; one that was withdrawn before comes back as it was."""
        new = replace(old, label=label)
        return cast(Assertion, self._withdrawn.pop(new.id, new))

    def _withdraw_record(self, record: Record) -> None:
        self._withdrawn[record.id] = self._records.pop(record.id)
        self._records_by_thing.remove(record, record.lid, record.thing)
        if key := self._outlines[record.id].key:
            self._records_by_key.remove(record, record.lid, key)


class _Sight:
    """What one scope lets through."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.lids = frozenset(scope.allowed)

    def holds(self, assertion: Record | Link) -> bool:
        """Whether an assertion is in the scope by its own label and moment."""
        return assertion.lid in self.lids and assertion.recorded_at <= self.scope.as_of

    def visible(self, assertions: Iterable[Assertion]) -> list[Assertion]:
        """Return those that are in the scope, in their order."""
        return [assertion for assertion in assertions if self.holds(assertion)]


class _Index(Generic[Item]):
    """Finds items by any of their names, and under labels, so that what is under others costs no time."""

    def __init__(self) -> None:
        self._items: dict[str, dict[int, dict[str, Item]]] = {}

    def add(self, item: Item, lid: int, *names: str) -> None:
        """Let an item be found by some names under a label."""
        for name in (_EVERYTHING, *names):
            self._items.setdefault(name, {}).setdefault(lid, {})[item.id] = item

    def remove(self, item: Item, lid: int, *names: str) -> None:
        """Let an item be found by none of some names under a label."""
        for name in (_EVERYTHING, *names):
            self._items.get(name, {}).get(lid, {}).pop(item.id, None)

    def find(self, names: Collection[str]) -> list[Item]:
        """Return the items with one of some names, each once."""
        return self.find_under({lid for name in names for lid in list(self._items.get(name, {}))}, names)

    def find_under(self, lids: Collection[int], names: Collection[str] | None = None) -> list[Item]:
        """Return the items with one of some names (None: any) under one of some labels, each once."""
        found: dict[str, Item] = {}
        for name in (_EVERYTHING,) if names is None else names:
            under = self._items.get(name)
            if under:
                for lid in lids:
                    if lid in under:
                        # Copied in one step, for another thread may write meanwhile.
                        found |= under[lid].copy()
        return list(found.values())
