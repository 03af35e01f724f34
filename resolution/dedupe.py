"""Deduplication of a table that one reader sees whole: scored pairs as arrays, and entities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontology.record import Record
from resolution.linkage import Places, Weights, find_clusters
from resolution.model import Model
from resolution.table import Progress, compare_table
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
    `comparisons` the place of its weight in its part of `scales`.
    """

    count: int
    left: Places
    right: Places
    weight: Weights
    comparisons: tuple[str, ...]
    levels: npt.NDArray[np.int8]
    scales: tuple[Weights, ...]

    def iter_rows(self) -> Iterator[tuple[int, int, float, float, list[float]]]:
        """Yield left, right, weight, probability and the weight of each comparison, rounded to a millionth."""
        for start in range(0, len(self.left), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            found = [scale[self.levels[some, place]] for place, scale in enumerate(self.scales)]
            weights = np.column_stack(found).round(6).tolist()
            figures = (self.left[some], self.right[some], self.weight[some], to_probability(self.weight[some]))
            yield from zip(*(part.tolist() for part in figures), weights, strict=True)


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
    weight = np.round(weight + find_prior(weight, 1.0, max(2, len(compared.places))), 6)
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
    )


def find_entities(pairs: ScoredPairs) -> Places:
    """Return, for each record, the place of the first record of its entity; (count,) int64."""
    return find_clusters(pairs.count, pairs.left, pairs.right, pairs.weight, STOP, absent=ABSENT)
