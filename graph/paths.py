"""Paths: the shortest ways between entities, found by going out from both ends.

What is known after so many levels from the left and so many from the right
holds every path as long as both together, so the first one met is the shortest.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from graph.entities import Rank
from graph.neighbourhood import Exploration, order_links
from graph.shown import Entity, Neighbour, Path
from ontology.record import Link

MAX_LONGEST = 6
MAX_ENDS = 20
MAX_PATHS = 100
# How many entities are looked at for one question, all of them held at once.
MAX_VISITED = 5_000

Way = tuple[str, ...]  # entities by their earliest things, from one end to the other


@dataclass(frozen=True, slots=True)
class Ways:
    """The first of the shortest ways, and whether there are more; `is_complete` tells whether all was visited."""

    items: tuple[Way, ...]
    has_next: bool
    is_complete: bool


class _Side:
    """What was reached from one side's ends, and the level that was reached last."""

    def __init__(self, ends: Sequence[str], rank: Rank) -> None:
        self._rank = rank
        self.frontier = list(ends)
        self.depth = 0
        self._seen = set(ends)

    def go_on(self, beside: Mapping[str, set[str]]) -> None:
        """Take what lies beside the last level as the next one."""
        reached = set().union(*(beside.get(name, ()) for name in self.frontier))
        self.frontier = sorted(reached - self._seen, key=self._rank)
        self._seen |= reached
        self.depth += 1


def find_ways(explored: Exploration, lefts: Sequence[str], rights: Sequence[str], *, longest: int, first: int) -> Ways:
    """Return the shortest ways from each left to each right entity, none longer than `longest` links.

    In order of length, then by the captions on the way, then by rank. Stops
    when more than MAX_VISITED entities would have to be looked at.
    """
    sides = (_Side(lefts, explored.rank), _Side(rights, explored.rank))
    longest = min(longest, MAX_LONGEST)
    is_complete = True
    while is_complete and all(side.frontier for side in sides):
        reach = sum(side.depth for side in sides)
        if reach >= longest or _is_settled(explored.beside, lefts, rights, reach):
            break
        side = min(sides, key=lambda side: len(side.frontier))
        is_complete = explored.go_on(side.frontier, MAX_VISITED - len(explored.entities))
        side.go_on(explored.beside)
    # Where a side has been exhausted, everything that it reaches is known, however far.
    is_exhausted = not all(side.frontier for side in sides)
    reach = longest if is_exhausted else sum(side.depth for side in sides)
    found = _sorted_ways(explored, lefts, rights, reach, first)
    return Ways(tuple(found[:first]), len(found) > first, is_complete)


def show_ways(
    explored: Exploration, ways: Iterable[Way], show: Callable[[Entity, Link, Entity], Neighbour]
) -> Iterator[Path]:
    """Yield ways with the links that lead along them: of several between two entities the first by type, the latest."""
    links: dict[frozenset[str], Link] = {}
    for link in order_links(explored.links.values(), explored.rank):
        links.setdefault(frozenset(end.thing for end in explored.ends(link)), link)
    for way in ways:
        entities = [explored.entities[name] for name in way]
        steps = (show(one, links[frozenset((one.thing, other.thing))], other) for one, other in pairwise(entities))
        yield Path(entities[0], tuple(steps))


def _is_settled(beside: Mapping[str, set[str]], lefts: Sequence[str], rights: Sequence[str], reach: int) -> bool:
    """Whether a way is known between every two ends, so that none shorter can be met any more."""
    return all(
        distances.get(left, reach + 1) <= reach
        for distances in (_distances(beside, right) for right in rights)
        for left in lefts
    )


def _sorted_ways(
    explored: Exploration, lefts: Sequence[str], rights: Sequence[str], reach: int, first: int
) -> list[Way]:
    """Return the first ways, one more than asked for where there is one."""

    def order(name: str) -> tuple[str, bytes]:
        return explored.entities[name].caption, explored.rank(name)

    found: list[Way] = []
    for right in rights:
        distances = _distances(explored.beside, right)
        for left in (left for left in lefts if distances.get(left, reach + 1) <= reach):
            found += islice(_iter_ways(explored.beside, (left,), distances, order), first + 1)
    return sorted(found, key=lambda way: (len(way), [order(name) for name in way]))[: first + 1]


def _iter_ways(
    beside: Mapping[str, Collection[str]], way: Way, distances: Mapping[str, int], order: Callable[[str], Any]
) -> Iterator[Way]:
    """Yield every shortest way that begins so, in order; `distances` are those to where it leads."""
    left = distances[way[-1]]
    if not left:
        yield way
        return
    for name in sorted((name for name in beside[way[-1]] if distances.get(name) == left - 1), key=order):
        yield from _iter_ways(beside, (*way, name), distances, order)


def _distances(beside: Mapping[str, set[str]], end: str) -> dict[str, int]:
    """Return how many links lead from an entity to each that is connected with it."""
    distances = {end: 0}
    frontier = {end}
    while frontier:
        reached = set().union(*(beside.get(name, ()) for name in frontier)) - distances.keys()
        distances |= dict.fromkeys(reached, distances[next(iter(frontier))] + 1)
        frontier = reached
    return distances
