"""Deduplication of a table that one reader sees whole: scored pairs as arrays, and entities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontology.record import Record
from resolution.linkage import Places, Weights, find_clusters
from resolution.model import Model
from resolution.score import Progress
from resolution.table import compare_table
from resolution.train import find_prior, fit_model

# In bits: likelier one than not. A store asks for more, since there each pair joins by itself.
STOP = 0.0
# Pairs of a lower weight are as good as never proposed, and weigh so much less than the stop.
LOWEST = -12.0
ABSENT = -6.0
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Scored pairs of `count` records by their places from 0, `left` before `right`, in order of both.

    `left` and `right` are (n,) int64 and `weight` (n,) float64, in bits, the
    prior and all evidence in it. `levels` is (n, k) int8: for each of the k
    `comparisons` the place of its weight in its part of `scales`. `copies` is
    (m, 3) int64: records that say exactly what two others do, each with the places
    of those two: it is of their entity where they are of one.
    `ignored` counts keys that so many records share that they proposed nothing.
    """

    count: int
    left: Places
    right: Places
    weight: Weights
    comparisons: tuple[str, ...]
    levels: npt.NDArray[np.int8]
    scales: tuple[Weights, ...]
    copies: Places
    ignored: int

    def iter_rows(self) -> Iterator[tuple[int, int, float, float, list[float]]]:
        """Yield left, right, weight, probability and the weight of each comparison, rounded to a millionth.

        At the end each copy with the first of its two.
        """
        yield from self._iter_rows(self.left, self.right, np.arange(len(self.left)))
        found = self._find_pairs_of_two()
        ends = np.sort(self.copies[found >= 0, :2], axis=1)
        yield from self._iter_rows(ends[:, 0], ends[:, 1], found[found >= 0])

    def _iter_rows(
        self, left: Places, right: Places, like: Places
    ) -> Iterator[tuple[int, int, float, float, list[float]]]:
        """Yield pairs that weigh what others do, by the places of those."""
        for start in range(0, len(left), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            found = [scale[self.levels[like[some], place]] for place, scale in enumerate(self.scales)]
            weights = np.column_stack(found).round(6).tolist()
            weight = self.weight[like[some]]
            figures = (left[some], right[some], weight, to_probability(weight))
            yield from zip(*(part.tolist() for part in figures), weights, strict=True)

    def _find_pairs_of_two(self) -> Places:
        """Return, for each copy, the place of the pair of its two, -1 where nothing proposed it."""
        two = np.sort(self.copies[:, 1:], axis=1)
        known, wanted = (one * self.count + other for one, other in ((self.left, self.right), two.T))
        places = np.searchsorted(known, wanted)
        is_there = places < len(known)
        is_there[is_there] = known[places[is_there]] == wanted[is_there]
        return np.where(is_there, places, -1)


def to_probability(weight: Weights) -> Weights:
    """Return the probability of a match that weights in bits, prior included, stand for."""
    return 1 / (1 + np.exp2(-weight))


def score_pairs(
    records: Iterable[Record], model: Model, *, is_trained: bool = False, progress: Progress | None = None
) -> ScoredPairs:
    """Score the pairs of records, each of a thing of its own, that the model's keys propose of a table.

    The prior is the one that fits their weights; with `is_trained` the weights
    are fitted to the table as well. Pairs that weigh less than `LOWEST` are left
    out. The records are gone through once and not kept.
    """
    compared = compare_table(records, model, draws=is_trained, progress=progress)
    if is_trained:
        model = fit_model(compared, model)
    pairs = compared.proposed
    # A level that is missing has the last place, which is -1 too.
    scales = tuple(np.array([*(level.chance.weight for level in c.levels), 0.0]) for c in model.comparisons)
    weight = np.zeros(len(pairs.left))
    for place, scale in enumerate(scales):
        weight += scale[pairs.levels[:, place]]
    weight = np.round(weight + find_prior(weight, compared.count_pairs(), max(2, len(compared.places))), 6)
    ends = compared.places[pairs.left], compared.places[pairs.right]
    left, right = np.minimum(*ends), np.maximum(*ends)
    kept = np.flatnonzero(weight >= LOWEST)
    order = kept[np.lexsort((right[kept], left[kept]))]
    return ScoredPairs(
        count=len(compared.places),
        left=left[order],
        right=right[order],
        weight=weight[order],
        comparisons=tuple(comparison.name for comparison in model.comparisons),
        levels=pairs.levels[order],
        scales=scales,
        copies=compared.places[compared.copies],
        ignored=compared.ignored,
    )


def find_entities(pairs: ScoredPairs) -> Places:
    """Return, for each record, the place of the first record of its entity; (count,) int64."""
    found = find_clusters(pairs.count, pairs.left, pairs.right, pairs.weight, STOP, absent=ABSENT)
    copy, first, second = pairs.copies.T
    found[copy] = np.where(found[first] == found[second], found[first], copy)
    # A copy may come before those that it says the same as.
    earliest = np.arange(pairs.count)
    np.minimum.at(earliest, found, np.arange(pairs.count))
    entities: Places = earliest[found]
    return entities
