"""Entities: which visible records are one thing.

Two current records of a View are joined when they are of one thing, when their
identifying keys are equal as the observer sees them, or when a pair proposed
by a visible key weighs enough in visible comparisons. An entity is a connected
component of that. It is a function of the visible component alone, so walking
out from one record gives the same answer as clustering everything.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from graph.store import Outline, Reader, Scope
from graph.treat import Sighted, Treater
from ontology.pair import Pair, sum_weights
from ontology.policy import Treatment
from ontology.record import Link, Record, to_microseconds

Key = tuple[str, Treatment]
Version = TypeVar("Version", Record, Outline)
Assertion = TypeVar("Assertion", Record, Outline, Link)
Slot = TypeVar("Slot", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Clusters:
    """A partition of things. `members` lists each cluster's things, earliest first; `of` finds a thing's."""

    members: tuple[tuple[str, ...], ...]
    of: Mapping[str, int]


def choose_latest(assertions: Iterable[Assertion], slot_of: Callable[[Assertion], Slot]) -> dict[Slot, Assertion]:
    """Keep the latest assertion of each slot, in the order in which slots were first met."""
    latest: dict[Slot, Assertion] = {}
    for assertion in assertions:
        slot = slot_of(assertion)
        if slot not in latest or order_of(assertion) > order_of(latest[slot]):
            latest[slot] = assertion
    return latest


def choose_current(records: Iterable[Version]) -> dict[str, list[Version]]:
    """Keep, for each thing and facet, the latest record; facets in alphabetical order."""
    latest = choose_latest(records, lambda record: (record.thing, record.facet))
    current: dict[str, list[Version]] = defaultdict(list)
    for slot in sorted(latest):
        current[slot[0]].append(latest[slot])
    return dict(current)


def order_of(assertion: Record | Outline | Link) -> tuple[int, int, str, str]:
    """Return what orders the versions of a record or link: time, place in the capture, the capture, id."""
    return (
        to_microseconds(assertion.recorded_at),
        assertion.sequence,
        assertion.capture,
        assertion.id,
    )


def is_same(treater: Treater, left: Sighted, right: Sighted, pair: Pair) -> bool:
    """Whether a pair counts as one thing for the observer."""
    if not treater.is_proposed(left, right, pair.keys):
        return False
    weights = (treater.weight(left, right, evidence) for evidence in pair.evidence)
    return sum_weights(pair.prior, (w for w in weights if w is not None)) >= pair.stop


class Walk:
    """Walks out from some things to all that are one with them, level by level.

    `current` holds the visible current records of every thing met, by thing.
    """

    def __init__(self, reader: Reader, scope: Scope, treater: Treater) -> None:
        self._reader = reader
        self._scope = scope
        self._treater = treater
        self.current: dict[str, list[Record]] = {}

    def clusters(self, things: Collection[str]) -> Clusters:
        """Return the clusters of those things that are visible, whole, in few queries a level."""
        joins: set[tuple[str, str]] = set()
        reached: set[str] = set()
        frontier = set(things)
        self._fetch(frontier)
        while frontier:
            reached |= frontier
            found = self._joins(frontier)
            joins |= found
            frontier = {thing for join in found for thing in join} - reached
        visible = [thing for thing in sorted(reached) if thing in self.current]
        return make_clusters({thing: self.current[thing] for thing in visible}, joins)

    def _fetch(self, things: Collection[str]) -> None:
        wanted = [thing for thing in things if thing not in self.current]
        if wanted:
            self.current |= choose_current(self._reader.records_by_thing(self._scope, sorted(wanted)))

    def _joins(self, frontier: Collection[str]) -> set[tuple[str, str]]:
        records = [record for thing in frontier for record in self.current.get(thing, ())]
        return self._joins_by_key(records) | self._joins_by_pair(records)

    def _joins_by_key(self, records: Iterable[Record]) -> set[tuple[str, str]]:
        mine = [(key, record.thing) for record in records if (key := self._treater.comparable_key(record))]
        if not mine:
            return set()
        found = self._reader.records_by_key(self._scope, sorted({key[0] for key, _ in mine}))
        self._fetch({record.thing for record in found})
        holders: dict[Key, list[str]] = defaultdict(list)
        for record in found:
            key = self._treater.comparable_key(record)
            if key and self._is_current(record):
                holders[key].append(record.thing)
        return {(thing, other) for key, thing in mine for other in holders[key][:1]} | {
            (others[0], other) for others in holders.values() for other in others[1:]
        }

    def _joins_by_pair(self, records: Iterable[Record]) -> set[tuple[str, str]]:
        mine = {record.id: record for record in records}
        pairs = self._reader.pairs_of(self._scope, sorted(mine)) if mine else []
        ends = {end for pair in pairs for end in (pair.left, pair.right)} - mine.keys()
        others = {r.id: r for r in self._reader.records_by_id(self._scope, sorted(ends))} if ends else {}
        self._fetch({record.thing for record in others.values()})
        known = mine | {id_: record for id_, record in others.items() if self._is_current(record)}
        return {
            (known[pair.left].thing, known[pair.right].thing)
            for pair in pairs
            if pair.left in known and pair.right in known
            if is_same(self._treater, known[pair.left], known[pair.right], pair)
        }

    def _is_current(self, record: Record) -> bool:
        return any(record.id == other.id for other in self.current.get(record.thing, ()))


def cluster_all(reader: Reader, scope: Scope, treater: Treater) -> tuple[Clusters, dict[str, list[Outline]]]:
    """Cluster everything visible at once; also return the current records by thing, in outline."""
    current = choose_current(outline for chunk in reader.iter_outlines(scope) for outline in chunk)
    by_id = {record.id: record for records in current.values() for record in records}
    joins = set(_joins_by_equal_key(by_id.values(), treater))
    for chunk in reader.iter_pairs(scope):
        for pair in chunk:
            left, right = by_id.get(pair.left), by_id.get(pair.right)
            if left and right and is_same(treater, left, right, pair):
                joins.add((left.thing, right.thing))
    return make_clusters(current, joins), current


def make_clusters(current: Mapping[str, Sequence[Sighted]], joins: Iterable[tuple[str, str]]) -> Clusters:
    """Return the connected components of joined things, by time of their earliest record."""
    things = sorted(current, key=lambda thing: (min(order_of(r)[:2] for r in current[thing]), thing))
    place = {thing: index for index, thing in enumerate(things)}
    ends = np.array(
        [(place[a], place[b]) for a, b in joins if a in place and b in place],
        dtype=np.int64,
    ).reshape(-1, 2)
    graph = coo_array(
        (np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])),
        shape=(len(things), len(things)),
    )
    _, component = connected_components(graph, directed=False)
    members: dict[int, list[str]] = {}
    for thing, number in zip(things, component.tolist(), strict=True):
        members.setdefault(number, []).append(thing)
    ordered = tuple(tuple(group) for group in members.values())
    return Clusters(
        ordered,
        {thing: index for index, group in enumerate(ordered) for thing in group},
    )


def _joins_by_equal_key(records: Iterable[Outline], treater: Treater) -> Iterator[tuple[str, str]]:
    first: dict[Key, str] = {}
    for record in records:
        key = treater.comparable_key(record)
        if key:
            yield first.setdefault(key, record.thing), record.thing
