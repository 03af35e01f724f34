"""Entities: which visible records are one thing.

Two current records of a View are joined when they are of one thing, when their
identifying keys are equal as the observer sees them, when a pair proposed by a
visible key weighs enough in visible comparisons, or when the latest visible
judgement says so. An entity is a connected component of that, taken apart where
it would hold two things that a judgement tells apart: joins are then made from
the strongest down, leaving out those that would. It is a function of the
visible component alone, so walking out from one record gives the same answer
as clustering everything.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TypeVar

from graph.store import Outline, Reader, Scope, Surroundings
from graph.treat import Sighted, Treater
from ontology.judgement import Judgement, Verdict
from ontology.pair import Pair, sum_weights
from ontology.policy import Treatment
from ontology.record import Link, Record, to_microseconds

Key = tuple[str, Treatment]
Rank = Callable[[str], bytes]  # what breaks a tie between things or links
Version = TypeVar("Version", Record, Outline)
Assertion = TypeVar("Assertion", Record, Outline, Link)
Slot = TypeVar("Slot", bound=Hashable)


# Stronger than any sum of weights: identifiers decide by themselves, and people decide over both.
_KEY_STRENGTH = 1e6
_JUDGED_STRENGTH = inf


@dataclass(slots=True)
class Joins:
    """What joins things, by how strongly, and which pairs a judgement tells apart; each pair in ascending order."""

    strengths: dict[tuple[str, str], float] = field(default_factory=dict)
    apart: set[tuple[str, str]] = field(default_factory=set)

    def add(self, one: str, other: str, strength: float) -> None:
        """Join two things, or one with itself, at least so strongly."""
        pair = (one, other) if one < other else (other, one)
        self.strengths[pair] = max(strength, self.strengths.get(pair, strength))

    def add_judgements(self, judgements: Iterable[Judgement]) -> None:
        """Take in what is judged: of each pair of things the latest judgement."""
        for judgement in latest_judgements(judgements).values():
            if judgement.verdict is Verdict.POSITIVE:
                self.add(judgement.left, judgement.right, _JUDGED_STRENGTH)
            elif judgement.verdict is Verdict.NEGATIVE:
                self.apart.add((judgement.left, judgement.right))

    def update(self, other: "Joins") -> None:
        """Take in other joins."""
        for pair, strength in other.strengths.items():
            self.add(*pair, strength)
        self.apart |= other.apart


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


def latest_judgements(judgements: Iterable[Judgement]) -> dict[tuple[str, str], Judgement]:
    """Keep the judgement in force on each pair of things: the latest of those that their authors have not withdrawn.

    An author is a name in an organisation: another may have somebody of the same name.
    """
    by_author: dict[tuple[str, str, str, str], Judgement] = {}
    for judgement in judgements:
        place = (judgement.left, judgement.right, judgement.by, judgement.label.owner)
        if place not in by_author or _order_of_judgement(judgement) > _order_of_judgement(by_author[place]):
            by_author[place] = judgement
    standing = (judgement for judgement in by_author.values() if judgement.verdict is not Verdict.WITHDRAWN)
    return {(j.left, j.right): j for j in sorted(standing, key=_order_of_judgement)}


def _order_of_judgement(judgement: Judgement) -> tuple[int, str, str, str, tuple[int, ...], int, str]:
    """Return what orders judgements: of those of one instant what may be seen of them, since ids lean on reasons.

    Those that differ in no more than their reason are shown with it to the same people.
    """
    moment, author = to_microseconds(judgement.recorded_at), (judgement.label.owner, judgement.by)
    return moment, judgement.verdict.value, *author, judgement.grounds, judgement.lid, judgement.id


def order_of(assertion: Record | Outline | Link) -> tuple[int, int, str, str]:
    """Return what orders the versions of a record or link: time, place in the capture, the capture, id."""
    return (
        to_microseconds(assertion.recorded_at),
        assertion.sequence,
        assertion.capture,
        assertion.id,
    )


def weigh(treater: Treater, left: Sighted, right: Sighted, pair: Pair) -> float | None:
    """Return what a pair weighs for the observer, None when no key that they could compute proposes it."""
    if not treater.is_proposed(left, right, pair.keys):
        return None
    weights = (treater.weight(left, right, evidence) for evidence in pair.evidence)
    return sum_weights(pair.prior, (w for w in weights if w is not None))


class Walk:
    """Walks out from some things to all that are one with them, level by level.

    `current` holds the visible current records of every thing met, by thing;
    `links` those with an end among them, where asked for; `labels` counts all
    labels of the store as last told, None before any question.
    """

    def __init__(self, reader: Reader, scope: Scope, treater: Treater) -> None:
        self._reader = reader
        self._scope = scope
        self._treater = treater
        self.current: dict[str, list[Record]] = {}
        self.labels: int | None = None
        self.links: dict[str, Link] = {}
        self._with_links = False
        self._around: dict[str, set[str]] = {}
        self._keyed: dict[str, frozenset[str]] = {}
        self._pairs: dict[str, tuple[str, str, Pair]] = {}
        self._judgements: dict[str, Judgement] = {}

    def clusters(self, things: Collection[str], *, with_links: bool = False) -> Clusters:
        """Return the clusters of those things that are visible, whole, in one or two questions a level."""
        self._with_links = with_links
        joins = Joins()
        reached: set[str] = set()
        frontier = set(things)
        self._look(frontier)
        while frontier:
            reached |= frontier
            self._look(set().union(*(self._around[thing] for thing in frontier)))
            found = self._joins(frontier)
            joins.update(found)
            frontier = {thing for pair in found.strengths for thing in pair} - reached
        visible = [thing for thing in sorted(reached) if thing in self.current]
        return make_clusters({thing: self.current[thing] for thing in visible}, joins, self._treater.rank)

    def _look(self, things: Collection[str]) -> None:
        """Ask for what lies around those things that were not asked for yet."""
        new = sorted(thing for thing in things if thing not in self._around)
        if not new:
            return
        found = self._reader.surroundings(self._scope, new, self._treater.keyed, with_links=self._with_links)
        # What lies around some of them may be known already, and is the same.
        self._around |= {thing: set() for thing in found.things}
        self.labels = found.labels
        self.current |= choose_current(found.records)
        self._note(found)

    def _note(self, found: Surroundings) -> None:
        """Keep what may join things, and which others each thing may be joined with."""
        self._keyed |= found.keyed
        self.links |= {link.id: link for link in found.links}
        for record in found.records:
            key = self._treater.comparable_key(record)
            self._around[record.thing] |= found.keyed.get(key[0], frozenset()) if key else frozenset()
        for left, right, pair in found.pairs:
            self._meet(left, right)
            self._pairs[pair.id] = (left, right, pair)
        for judgement in found.judgements:
            self._meet(judgement.left, judgement.right)
            self._judgements[judgement.id] = judgement

    def _meet(self, left: str, right: str) -> None:
        for thing, other in ((left, right), (right, left)):
            if thing in self._around:
                self._around[thing].add(other)

    def _joins(self, frontier: Collection[str]) -> Joins:
        joins = Joins()
        self._join_by_key(frontier, joins)
        pairs = [pair for left, right, pair in self._pairs.values() if left in frontier or right in frontier]
        ends = {end for left, right, _ in self._pairs.values() for end in (left, right)}
        known = {record.id: record for end in ends for record in self.current.get(end, ())}
        _join_by_weight(pairs, known, self._treater, joins)
        judgements = (j for j in self._judgements.values() if j.left in frontier or j.right in frontier)
        joins.add_judgements(j for j in judgements if j.left in self.current and j.right in self.current)
        return joins

    def _join_by_key(self, frontier: Collection[str], joins: Joins) -> None:
        records = [record for thing in frontier for record in self.current.get(thing, ())]
        mine = {key for record in records if (key := self._treater.comparable_key(record))}
        things = sorted({thing for key, _ in mine for thing in self._keyed.get(key, ())})
        current = (record for thing in things for record in self.current.get(thing, ()))
        _join_by_equal_key(current, self._treater, joins, mine)


def cluster_all(reader: Reader, scope: Scope, treater: Treater) -> tuple[Clusters, dict[str, list[Outline]]]:
    """Cluster everything visible at once; also return the current records by thing, in outline."""
    current = choose_current(outline for chunk in reader.iter_outlines(scope) for outline in chunk)
    by_id = {record.id: record for records in current.values() for record in records}
    joins = Joins()
    _join_by_equal_key(by_id.values(), treater, joins)
    for pairs in reader.iter_pairs(scope):
        _join_by_weight(pairs, by_id, treater, joins)
    judgements = (judgement for chunk in reader.iter_judgements(scope) for judgement in chunk)
    joins.add_judgements(j for j in judgements if j.left in current and j.right in current)
    return make_clusters(current, joins, treater.rank), current


def make_clusters(current: Mapping[str, Sequence[Sighted]], joins: Joins, rank: Rank) -> Clusters:
    """Return the connected components of joined things, taken apart where judged so, by time of their earliest record.

    Ties, of time and of strength, are broken by rank.
    """
    group_of = _unite(joins, rank)
    members: dict[int, list[str]] = {}
    for thing in sorted(current, key=lambda thing: (min(order_of(r)[:2] for r in current[thing]), rank(thing))):
        members.setdefault(id(group_of.get(thing, thing)), []).append(thing)
    ordered = tuple(tuple(group) for group in members.values())
    return Clusters(
        ordered,
        {thing: index for index, group in enumerate(ordered) for thing in group},
    )


def _unite(joins: Joins, rank: Rank) -> dict[str, set[str]]:
    """Return the group of each joined thing; members share one set.

    Where judgements tell things apart, joins are made from the strongest down,
    without those that would bring two such things together.
    """
    enemies: dict[str, set[str]] = defaultdict(set)
    for left, right in joins.apart:
        enemies[left].add(right)
        enemies[right].add(left)
    pairs: Iterable[tuple[str, str]] = joins.strengths
    if enemies:
        pairs = sorted(joins.strengths, key=lambda pair: (-joins.strengths[pair], sorted(map(rank, pair))))
    group_of: dict[str, set[str]] = {}
    for pair in pairs:
        less, more = sorted((group_of.setdefault(thing, {thing}) for thing in pair), key=len)
        if less is more or (enemies and any(enemies[thing] & more for thing in less if thing in enemies)):
            continue
        more |= less
        group_of.update(dict.fromkeys(less, more))
    return group_of


def _join_by_equal_key(
    records: Iterable[Sighted], treater: Treater, joins: Joins, wanted: Collection[Key] | None = None
) -> None:
    """Join the things of records with equal keys, each to the least of them; `wanted` None means all keys."""
    holders: dict[Key, list[str]] = defaultdict(list)
    for record in records:
        key = treater.comparable_key(record)
        if key and (wanted is None or key in wanted):
            holders[key].append(record.thing)
    for things in holders.values():
        least = min(things)
        for thing in things:
            joins.add(least, thing, _KEY_STRENGTH)


def _join_by_weight(pairs: Iterable[Pair], records: Mapping[str, Sighted], treater: Treater, joins: Joins) -> None:
    for pair in pairs:
        left, right = records.get(pair.left), records.get(pair.right)
        weight = weigh(treater, left, right, pair) if left and right else None
        if left and right and weight is not None and weight >= pair.stop:
            joins.add(left.thing, right.thing, weight)
