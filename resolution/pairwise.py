"""One pair at a time, scored in Python as in the batch."""

from datetime import datetime

from ontology.pair import Pair, sum_weights
from ontology.record import Record
from resolution.compare import compare_columns
from resolution.keys import iter_keys, read_columns
from resolution.model import Model


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
