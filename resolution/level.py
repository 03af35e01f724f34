"""Tests of levels, each said twice: in SQL for many pairs, in Python for one.

Both speak of the same columns and must agree on every pair; DuckDB and
rapidfuzz share one definition of Jaro-Winkler and of Damerau-Levenshtein.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from resolution.column import Columns
from resolution.likeness import FIRM, PERSON, PLACE, find_likeness

ELSE = "else"

# Functions of two lists that DuckDB lacks; NULL, hence not true, when a list is empty.
MACROS = (
    "CREATE MACRO nearest(l, r) AS list_max(list_transform(l, lambda x: list_max(list_transform(r, "
    "lambda y: jaro_winkler_similarity(x, y)))))",
    "CREATE MACRO fewest_edits(l, r) AS list_min(list_transform(l, lambda x: list_min(list_transform(r, "
    "lambda y: damerau_levenshtein(x, y)))))",
    "CREATE MACRO least_apart(l, r) AS list_min(list_transform(l, lambda x: list_min(list_transform(r, "
    "lambda y: abs(x - y)))))",
)


def compare_people(left: list[str], right: list[str]) -> float:
    """Return how alike the most alike of two people's names are."""
    return find_likeness(left, right, PERSON)


def compare_firms(left: list[str], right: list[str]) -> float:
    """Return how alike the most alike of two organisations' names are."""
    return find_likeness(left, right, FIRM)


def compare_places(left: list[str], right: list[str]) -> float:
    """Return how alike the most alike of two addresses are."""
    return find_likeness(left, right, PLACE)


# Functions of two lists that only Python has, by their names in SQL.
FUNCTIONS = {
    f"{PERSON}_likeness": compare_people,
    f"{FIRM}_likeness": compare_firms,
    f"{PLACE}_likeness": compare_places,
}


@dataclass(frozen=True, slots=True)
class LevelTest:
    """One test: SQL over ``{0}_l``, ``{0}_r`` (and ``{1}``) with ``{bound}``, and the same in Python."""

    columns: int
    sql: str
    is_reached: Callable[[Columns, Columns, Sequence[str], float], bool]


def is_shared(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether a value is in both lists."""
    del bound
    return not set(_hashable(left[columns[0]])).isdisjoint(_hashable(right[columns[0]]))


def is_crossed(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether a value of one column is in the other column of the other record."""
    first, second = columns
    del bound
    return not (set(left[first]).isdisjoint(right[second]) and set(left[second]).isdisjoint(right[first]))


def has_many(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether so many values are in both lists."""
    return len(set(left[columns[0]]) & set(right[columns[0]])) >= bound


def is_near(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether the Jaro-Winkler similarity of some pair of values reaches the bound."""
    return find_nearest(left[columns[0]], right[columns[0]]) >= bound


def is_within_edits(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether some pair of values is at most so many edits apart (Damerau-Levenshtein)."""
    return any(DamerauLevenshtein.distance(x, y) <= bound for x in left[columns[0]] for y in right[columns[0]])


def is_within(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether some pair of numbers is at most so far apart."""
    return any(abs(x - y) <= bound for x in left[columns[0]] for y in right[columns[0]])


def is_like(left: Columns, right: Columns, columns: Sequence[str], bound: float, *, kind: str) -> bool:
    """Whether some pair of names is so much alike."""
    return find_likeness(left[columns[0]], right[columns[0]], kind) >= bound


def is_else(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Take what no other level took."""
    del left, right, columns, bound
    return True


TESTS: dict[str, LevelTest] = {
    "share": LevelTest(1, "list_has_any({0}_l, {0}_r)", is_shared),
    "many": LevelTest(1, "len(list_intersect({0}_l, {0}_r)) >= {bound}", has_many),
    "cross": LevelTest(2, "(list_has_any({0}_l, {1}_r) OR list_has_any({1}_l, {0}_r))", is_crossed),
    "near": LevelTest(1, "nearest({0}_l, {0}_r) >= {bound}", is_near),
    "edits": LevelTest(1, "fewest_edits({0}_l, {0}_r) <= {bound}", is_within_edits),
    "apart": LevelTest(1, "least_apart({0}_l, {0}_r) <= {bound}", is_within),
    **{
        kind: LevelTest(1, f"{kind}_likeness({{0}}_l, {{0}}_r) >= {{bound}}", partial(is_like, kind=kind))
        for kind in (PERSON, FIRM, PLACE)
    },
    ELSE: LevelTest(0, "ELSE", is_else),
}


def find_nearest(left: Sequence[str], right: Sequence[str]) -> float:
    """Return the best Jaro-Winkler similarity over all pairs, 0.0 when a list is empty."""
    return max((JaroWinkler.similarity(x, y) for x in left for y in right), default=0.0)


def _hashable(values: Sequence[Any]) -> list[Any]:
    return [tuple(value) if isinstance(value, list) else value for value in values]
