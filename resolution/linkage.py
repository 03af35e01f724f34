"""Linkage: from scored pairs to clusters, in a way that resists chaining.

Connected components of pairs over the stop hang whole families together by one
lucky pair. So each component is put together from the strongest pair up, and
two clusters are joined only while half the best and half the mean of the
weights between them reach the stop (a mixture of single and average linkage).
Small components of one size are one array, so that a million records take some
numpy steps and no loop over them; large ones, which are few, go by a heap.

A cluster is a function of its component alone: of the pairs in it, not of what
else there is, nor of the order in which either came.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Places = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]

# How much less than the stop a pair weighs that nobody scored, in bits.
ABSENT_BELOW = 4.0
# Components of at most so many records are linked many at a time.
MOST_AT_ONCE = 50
_BEST_SHARE = 0.5
_CELLS_AT_ONCE = 4_000_000
_NEVER = -1e12


@dataclass(frozen=True, slots=True)
class Edges:
    """Scored pairs of records, by their places; each pair once, its two records unlike, `weight` in bits."""

    left: Places
    right: Places
    weight: Weights

    def take(self, chosen: npt.NDArray[np.bool_] | Places) -> "Edges":
        """Return some of them."""
        return Edges(self.left[chosen], self.right[chosen], self.weight[chosen])


def find_clusters(
    count: int, left: Places, right: Places, weight: Weights, stop: float, *, absent: float | None = None
) -> Places:
    """Return the cluster of each of `count` records: the place of its first record.

    `left` and `right` are places of records from 0, each pair once; `weight` is
    in bits, and -inf for a pair that is never to be together. A pair that is not
    given weighs `absent` (default: `ABSENT_BELOW` under the stop).
    """
    edges = Edges(left, right, np.maximum(weight, _NEVER))
    low = stop - ABSENT_BELOW if absent is None else absent
    found = np.arange(count, dtype=np.int64)
    for members, inner in _iter_components(count, edges, stop):
        n, size = members.shape
        link = _link_many if size <= MOST_AT_ONCE else _link_one
        first = link(n, size, _place_within(members, inner, count), low, stop)
        found[members] = np.take_along_axis(members, first, axis=1)
    return found


def _iter_components(count: int, edges: Edges, stop: float) -> Iterator[tuple[Places, Edges]]:
    """Yield the components of two records or more, as members (n, size) of one size at a time, and all edges inside."""
    strong = edges.take(edges.weight >= stop)
    graph = coo_matrix((np.ones(len(strong.left), np.int8), (strong.left, strong.right)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    sizes = np.bincount(component, minlength=1)
    inner = edges.take(component[edges.left] == component[edges.right])
    inner = inner.take(np.argsort(component[inner.left], kind="stable"))
    of_edge = component[inner.left]
    by_component = np.argsort(component, kind="stable")
    starts = np.concatenate(([0], np.cumsum(sizes)))
    for size in np.unique(sizes[sizes > 1]):
        named = np.flatnonzero(sizes == size)
        at_once = max(1, _CELLS_AT_ONCE // int(size) ** 2) if size <= MOST_AT_ONCE else 1
        for some in np.array_split(named, -(-len(named) // at_once)):
            members = by_component[starts[some][:, None] + np.arange(size)]
            yield members, inner.take(_find_ranges(of_edge, some))


def _find_ranges(of_edge: Places, some: Places) -> Places:
    """Return where the edges of some components stand, of those sorted by component."""
    starts, ends = np.searchsorted(of_edge, some, "left"), np.searchsorted(of_edge, some, "right")
    lengths = ends - starts
    before = np.repeat(np.cumsum(lengths) - lengths, lengths)
    places: Places = np.repeat(starts, lengths) + np.arange(lengths.sum()) - before
    return places


def _place_within(members: Places, edges: Edges, count: int) -> Edges:
    """Return edges between places in the rows of `members`, counted through all rows."""
    place = np.empty(count, np.int64)
    place[members.ravel()] = np.arange(members.size)
    return Edges(place[edges.left], place[edges.right], edges.weight)


def _link_many(n: int, size: int, edges: Edges, absent: float, stop: float) -> Places:
    """Link n components of one size at once; return, for each place of each, the first place of its cluster."""
    best, total = _fill(n, size, edges, absent)
    sizes = np.ones((n, size))
    first = np.tile(np.arange(size), (n, 1))
    live = np.arange(n)
    for _ in range(size - 1):
        value = _BEST_SHARE * best + (1 - _BEST_SHARE) * total / (sizes[:, :, None] * sizes[:, None, :])
        flat = value.reshape(len(live), -1)
        cell = flat.argmax(axis=1)
        goes_on = flat[np.arange(len(live)), cell] >= stop
        if not goes_on.any():
            break
        live, best, total, sizes, cell = (part[goes_on] for part in (live, best, total, sizes, cell))
        kept, gone = np.minimum(*np.divmod(cell, size)), np.maximum(*np.divmod(cell, size))
        first[live] = np.where(first[live] == gone[:, None], kept[:, None], first[live])
        _merge(best, total, sizes, kept, gone)
    return first


def _fill(n: int, size: int, edges: Edges, absent: float) -> tuple[Weights, Weights]:
    """Return the best and the summed weight between each two places, -inf on the diagonal of the best."""
    best = np.full((n, size, size), absent, np.float64)
    row, one, other = edges.left // size, edges.left % size, edges.right % size
    best[row, one, other] = best[row, other, one] = edges.weight
    total = best.copy()
    best[:, np.arange(size), np.arange(size)] = -np.inf
    return best, total


def _merge(best: Weights, total: Weights, sizes: Weights, kept: Places, gone: Places) -> None:
    rows = np.arange(len(kept))
    most = np.maximum(best[rows, kept], best[rows, gone])
    summed = total[rows, kept] + total[rows, gone]
    best[rows, kept], total[rows, kept] = most, summed
    best[rows, :, kept], total[rows, :, kept] = most, summed
    best[rows, kept, kept] = best[rows, gone] = best[rows, :, gone] = -np.inf
    sizes[rows, kept] += sizes[rows, gone]


def _link_one(_: int, size: int, edges: Edges, absent: float, stop: float) -> Places:
    """Link one large component, of which most pairs are absent; returns what `_link_many` does for it."""
    # Of each two clusters with a given pair between them: the best weight, and what all given exceed `absent` by.
    near: dict[int, dict[int, tuple[float, float]]] = defaultdict(dict)
    for one, other, weight in zip(edges.left.tolist(), edges.right.tolist(), edges.weight.tolist(), strict=True):
        near[one][other] = near[other][one] = (weight, weight - absent)
    sizes = [1] * size

    def rate(one: int, other: int) -> float:
        most, above = near[one][other]
        return _BEST_SHARE * max(most, absent) + (1 - _BEST_SHARE) * (absent + above / (sizes[one] * sizes[other]))

    heap = [(-rate(one, other), one, other) for one in near for other in near[one] if one < other]
    heapify(heap)
    first = np.arange(size)
    while heap and -heap[0][0] >= stop:
        rated, kept, gone = heappop(heap)
        # What was pushed before one of the two grew or went is out of date.
        if near[kept].get(gone) is None or -rated != rate(kept, gone):
            continue
        first[first == gone] = kept
        sizes[kept] += sizes[gone]
        for other, (most, above) in near.pop(gone).items():
            del near[other][gone]
            if other != kept:
                known, known_above = near[kept].get(other, (most, 0.0))
                near[kept][other] = near[other][kept] = (max(most, known), above + known_above)
        for other in near[kept]:
            heappush(heap, (-rate(kept, other), min(kept, other), max(kept, other)))
    return first[None, :]
