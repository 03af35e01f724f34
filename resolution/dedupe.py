"""Deduplication of records that one reader sees whole: scored pairs as arrays, and entities."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ontology.pair import Pair, sum_weights
from ontology.record import Record
from resolution.linkage import Places, Weights, find_clusters
from resolution.model import Model
from resolution.score import Progress, score_records
from resolution.train import guess_prior

# In bits: twice as likely one as not. A store asks for more, since there each pair joins by itself.
STOP = 1.0
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Scored pairs of `count` records by their places from 0, `left` before `right`, in order of both.

    `left` and `right` are (n,) int64 and `weight` (n,) float64, in bits, the
    prior and all evidence in it. `findings` is (n, k) uint32, for each of the k
    `comparisons` the place of the pair's weight in its part of `scales`.
    """

    count: int
    left: Places
    right: Places
    weight: Weights
    comparisons: tuple[str, ...]
    findings: npt.NDArray[np.uint32]
    scales: tuple[Weights, ...]

    def iter_rows(self) -> Iterator[tuple[int, int, float, float, list[float]]]:
        """Yield left, right, weight, probability and the weight of each comparison, rounded to a millionth."""
        for start in range(0, len(self.left), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            found = [scale[self.findings[some, place]] for place, scale in enumerate(self.scales)]
            weights = np.column_stack(found).round(6).tolist() if found else [[]] * len(self.left[some])
            figures = (self.left[some], self.right[some], self.weight[some], to_probability(self.weight[some]))
            yield from zip(*(part.tolist() for part in figures), weights, strict=True)


def to_probability(weight: Weights) -> Weights:
    """Return the probability of a match that weights in bits, prior included, stand for."""
    return 1 / (1 + np.exp2(-weight))


def score_pairs(
    records: Iterable[Record],
    model: Model,
    *,
    recorded_at: datetime,
    progress: Progress | None = None,
    prior: Callable[[int], float] | None = guess_prior,
) -> ScoredPairs:
    """Score the pairs of records, each of a thing of its own, that `score_records` proposes of a table.

    The records are gone through once and not kept. `prior` gives the prior for
    their number; with None it is the model's.
    """
    places: dict[str, int] = {}
    collector = _Collector(model)
    noted = _note_places(records, places)
    for pair in score_records(noted, model, recorded_at=recorded_at, progress=progress, is_table=True, prior=prior):
        collector.add(pair, places[pair.left], places[pair.right])
    return collector.to_pairs(len(places))


def find_entities(pairs: ScoredPairs) -> Places:
    """Return, for each record, the place of the first record of its entity; (count,) int64."""
    return find_clusters(pairs.count, pairs.left, pairs.right, pairs.weight, STOP)


class _Collector:
    """Pairs as they come, in a few bytes each."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._ends = array("q"), array("q")
        self._weights = array("d")
        self._findings = array("I")
        # Of each comparison the weights met, each with its place among them.
        self._scales: list[dict[float, int]] = [{} for _ in model.comparisons]

    def add(self, pair: Pair, left: int, right: int) -> None:
        weights = [evidence.weight for evidence in pair.evidence]
        self._ends[0].append(min(left, right))
        self._ends[1].append(max(left, right))
        self._weights.append(sum_weights(pair.prior, weights))
        found = zip(self._scales, weights, strict=True)
        self._findings.extend(scale.setdefault(weight, len(scale)) for scale, weight in found)

    def to_pairs(self, count: int) -> ScoredPairs:
        left, right = (np.frombuffer(end, np.int64) if end else np.empty(0, np.int64) for end in self._ends)
        weight = np.array(self._weights, np.float64)
        findings = np.array(self._findings, np.uint32).reshape(len(left), len(self._scales))
        order = np.lexsort((right, left))
        return ScoredPairs(
            count=count,
            left=left[order],
            right=right[order],
            weight=weight[order],
            comparisons=tuple(comparison.name for comparison in self._model.comparisons),
            findings=findings[order],
            scales=tuple(np.array(list(scale), np.float64) for scale in self._scales),
        )


def _note_places(records: Iterable[Record], places: dict[str, int]) -> Iterator[Record]:
    for place, record in enumerate(records):
        places[record.id] = place
        yield record
