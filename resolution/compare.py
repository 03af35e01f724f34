"""From columns of two records to one piece of Evidence."""

from functools import cache

from ontology.pair import Evidence
from resolution.column import WHOLE, Columns
from resolution.level import TESTS
from resolution.model import Comparison

MISSING = "missing on a side"


def compare_columns(left: Columns, right: Columns, comparison: Comparison) -> Evidence:
    """Return what one comparison finds; it weighs nothing when either record is silent.

    Symmetric, and a function of the two records and the model alone.
    """
    if not left[WHOLE] or not right[WHOLE]:
        return make_evidence(comparison, None, equal=False)
    equal = not set(left[WHOLE]).isdisjoint(right[WHOLE])
    place = next(
        place
        for place, level in enumerate(comparison.levels)
        if TESTS[level.test].is_reached(left, right, level.columns, level.bound)
    )
    return make_evidence(comparison, place, equal=equal)


@cache
def make_evidence(comparison: Comparison, place: int | None, *, equal: bool) -> Evidence:
    """Return the Evidence of one level by its place in the comparison, None for missing.

    Equal arguments give the same object: a million pairs share a few of them.
    """
    if place is None:
        return Evidence(comparison.name, comparison.reads, 0.0, 0.0, MISSING)
    level = comparison.levels[place]
    seen = comparison.equality.weight if equal else comparison.equality.opposite_weight
    return Evidence(comparison.name, comparison.reads, level.chance.weight, seen, level.words)
