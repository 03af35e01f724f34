"""How well clusters agree with the truth, and scores with what is known of pairs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall over pairs of records and over records (B-cubed, Bagga and Baldwin 1998).

    `exact` is the share of true entities found with all their records and no
    other; `impure` counts records of clusters of more than one entity.
    """

    pair_precision: float
    pair_recall: float
    record_precision: float
    record_recall: float
    exact: float
    impure: int
    largest: int

    @property
    def pair_f(self) -> float:
        """The harmonic mean over pairs."""
        return make_mean(self.pair_precision, self.pair_recall)

    @property
    def record_f(self) -> float:
        """The harmonic mean over records (B-cubed F)."""
        return make_mean(self.record_precision, self.record_recall)


def make_mean(first: float, second: float) -> float:
    """Return the harmonic mean."""
    return 2 * first * second / (first + second) if first + second else 0.0


def measure(truth: Mapping[str, str], found: Mapping[str, object]) -> Quality:
    """Return how well the cluster found for each record agrees with its true entity."""
    both = Counter((truth[record], found[record]) for record in truth)
    true_sizes, found_sizes = Counter(truth.values()), Counter(found[record] for record in truth)
    right, records = _count_pairs(both.values()), len(truth) or 1
    entities_of: defaultdict[object, set[str]] = defaultdict(set)
    for entity, cluster in both:
        entities_of[cluster].add(entity)
    return Quality(
        pair_precision=right / (_count_pairs(found_sizes.values()) or 1),
        pair_recall=right / (_count_pairs(true_sizes.values()) or 1),
        record_precision=sum(n * n / found_sizes[cluster] for (_, cluster), n in both.items()) / records,
        record_recall=sum(n * n / true_sizes[entity] for (entity, _), n in both.items()) / records,
        exact=sum(n == true_sizes[e] == found_sizes[c] for (e, c), n in both.items()) / (len(true_sizes) or 1),
        impure=sum(found_sizes[cluster] for cluster, entities in entities_of.items() if len(entities) > 1),
        largest=max(found_sizes.values(), default=0),
    )


def find_area(scores: Sequence[float], are_same: Sequence[bool]) -> float:
    """Return how likely a pair of one thing scores above one of two (area under the ROC curve), ties half."""
    same = np.asarray(are_same, bool)
    ranks, n = rankdata(scores), int(same.sum())
    return float((ranks[same].sum() - n * (n + 1) / 2) / (n * (len(same) - n)))


def find_average_precision(scores: Sequence[float], are_same: Sequence[bool]) -> float:
    """Return the mean precision over what is recalled; pairs of one score count together."""
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    same, ranked = np.asarray(are_same, bool)[order], np.asarray(scores, float)[order]
    last = np.r_[ranked[1:] != ranked[:-1], True]
    right = np.cumsum(same)[last]
    precision, recall = right / np.arange(1, len(same) + 1)[last], right / same.sum()
    return float(np.sum(np.diff(np.r_[0.0, recall]) * precision))


def _count_pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
