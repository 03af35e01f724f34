"""One pair at a time: scored in Python as in the batch, and told row by row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ontology.pair import Pair, sum_weights
from ontology.record import Record
from resolution.compare import MISSING, compare_columns
from resolution.keys import iter_keys, read_columns
from resolution.model import Model


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an explanation: what was looked at, what was found, its bits and the sum so far."""

    name: str
    level: str
    weight: float
    total: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a pair counts as one thing, or does not: the rows, their sum and the stop, in bits."""

    rows: tuple[Row, ...]
    total: float
    stop: float

    @property
    def is_match(self) -> bool:
        """Whether the sum reaches the stop."""
        return self.total >= self.stop


def compare_records(left: Record, right: Record, model: Model, *, recorded_at: datetime) -> Pair:
    """Return the pair that two records make, as `score_records` would, but whatever its weight and keys.

    Which record is given first makes no difference.
    """
    left, right = sorted((left, right), key=lambda record: record.id)
    left_columns, right_columns = read_columns(left.properties, model), read_columns(right.properties, model)
    shared = {place for place, _ in set(iter_keys(left_columns, model)) & set(iter_keys(right_columns, model))}
    return Pair(
        left=left.id,
        right=right.id,
        model=model.version,
        prior=model.prior,
        stop=model.stop,
        keys=tuple(rule.key for place, rule in enumerate(model.keys) if place in shared),
        evidence=tuple(compare_columns(left_columns[c.name], right_columns[c.name], c) for c in model.comparisons),
        recorded_at=recorded_at,
    )


def has_reach(pair: Pair) -> bool:
    """Whether some observer could see the pair's weight reach the stop: only such pairs are kept.

    Whoever sees less sees, of each comparison, its weight, that of equality or nothing.
    """
    most = sum_weights(pair.prior, (max(e.weight, e.equality_weight, 0.0) for e in pair.evidence))
    return most >= pair.stop


def explain_pair(pair: Pair, *, equality_only: Iterable[str] = (), hidden: Iterable[str] = ()) -> Explanation:
    """Return the explanation of a pair, as seen by somebody.

    Comparisons named in `equality_only` count by whether whole values are
    equal; those in `hidden` are left out.
    """
    blind, unseen = frozenset(equality_only), frozenset(hidden)
    rows = [Row("prior", "two records at random", pair.prior, sum_weights(pair.prior, ()))]
    for found in pair.evidence:
        if found.comparison in unseen:
            continue
        weight = found.equality_weight if found.comparison in blind else found.weight
        level = _describe(found.equality_weight) if found.comparison in blind else found.level
        rows.append(Row(found.comparison, level, weight, 0.0))
    return _total(rows, pair.stop)


def _describe(equality_weight: float) -> str:
    if equality_weight == 0:
        return MISSING
    return "equal" if equality_weight > 0 else "not equal"


def _total(rows: list[Row], stop: float) -> Explanation:
    weights = [row.weight for row in rows]
    totals = [sum_weights(0.0, weights[: place + 1]) for place in range(len(rows))]
    told = tuple(Row(row.name, row.level, row.weight, total) for row, total in zip(rows, totals, strict=True))
    return Explanation(told, totals[-1], stop)
