"""Tests of levels, each said twice: in SQL for many pairs, in Python for one.

Both speak of the same columns and must agree on every pair; DuckDB and
rapidfuzz share one definition of Jaro-Winkler and of Damerau-Levenshtein.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from resolution.column import Columns

ELSE = "else"

# Functions of two lists that DuckDB lacks; NULL, hence not true, when a list is empty.
MACROS = (
    "CREATE MACRO nearest(l, r) AS list_max(list_transform(l, lambda x: list_max(list_transform(r, "
    "lambda y: jaro_winkler_similarity(x, y)))))",
    "CREATE MACRO fewest_edits(l, r) AS list_min(list_transform(l, lambda x: list_min(list_transform(r, "
    "lambda y: damerau_levenshtein(x, y)))))",
    "CREATE MACRO least_apart(l, r) AS list_min(list_transform(l, lambda x: list_min(list_transform(r, "
    "lambda y: abs(x - y)))))",
    # How well the worst matched word of x is found among those of y.
    "CREATE MACRO word_cover(x, y) AS list_min(list_transform(x, lambda i: list_max(list_transform(y, "
    "lambda j: jaro_winkler_similarity(i, j)))))",
    "CREATE MACRO alike(l, r) AS list_max(list_transform(l, lambda x: list_max(list_transform(r, lambda y: "
    "CASE WHEN len(x) = len(y) AND len(x) > 1 THEN least(word_cover(x, y), word_cover(y, x)) ELSE 0 END))))",
    "CREATE MACRO within(l, r) AS list_max(list_transform(l, lambda x: list_max(list_transform(r, lambda y: "
    "CASE WHEN len(x) > 1 AND len(x) < len(y) THEN word_cover(x, y) "
    "WHEN len(y) > 1 AND len(y) < len(x) THEN word_cover(y, x) ELSE 0 END))))",
)


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


def is_near(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether the Jaro-Winkler similarity of some pair of values reaches the bound."""
    return find_nearest(left[columns[0]], right[columns[0]]) >= bound


def is_within_edits(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether some pair of values is at most so many edits apart (Damerau-Levenshtein)."""
    return any(DamerauLevenshtein.distance(x, y) <= bound for x in left[columns[0]] for y in right[columns[0]])


def is_within(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether some pair of numbers is at most so far apart."""
    return any(abs(x - y) <= bound for x in left[columns[0]] for y in right[columns[0]])


def is_alike(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether two names of as many words, two or more, have each word matched in the other."""
    return any(_alike(x, y) >= bound for x in left[columns[0]] for y in right[columns[0]])


def is_contained(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Whether each word of a name, two or more, is matched in a longer name."""
    return any(_within(x, y) >= bound for x in left[columns[0]] for y in right[columns[0]])


def is_else(left: Columns, right: Columns, columns: Sequence[str], bound: float) -> bool:
    """Take what no other level took."""
    del left, right, columns, bound
    return True


TESTS: dict[str, LevelTest] = {
    "share": LevelTest(1, "list_has_any({0}_l, {0}_r)", is_shared),
    "cross": LevelTest(2, "(list_has_any({0}_l, {1}_r) OR list_has_any({1}_l, {0}_r))", is_crossed),
    "near": LevelTest(1, "nearest({0}_l, {0}_r) >= {bound}", is_near),
    "edits": LevelTest(1, "fewest_edits({0}_l, {0}_r) <= {bound}", is_within_edits),
    "apart": LevelTest(1, "least_apart({0}_l, {0}_r) <= {bound}", is_within),
    "alike": LevelTest(1, "alike({0}_l, {0}_r) >= {bound}", is_alike),
    "within": LevelTest(1, "within({0}_l, {0}_r) >= {bound}", is_contained),
    ELSE: LevelTest(0, "ELSE", is_else),
}


def find_nearest(left: Sequence[str], right: Sequence[str]) -> float:
    """Return the best Jaro-Winkler similarity over all pairs, 0.0 when a list is empty."""
    return max((JaroWinkler.similarity(x, y) for x in left for y in right), default=0.0)


def _cover(words: Sequence[str], others: Sequence[str]) -> float:
    return min(max(JaroWinkler.similarity(word, other) for other in others) for word in words)


def _alike(left: Sequence[str], right: Sequence[str]) -> float:
    if len(left) != len(right) or len(left) < 2:
        return 0.0
    return min(_cover(left, right), _cover(right, left))


def _within(left: Sequence[str], right: Sequence[str]) -> float:
    shorter, longer = sorted((left, right), key=len)
    return _cover(shorter, longer) if 1 < len(shorter) < len(longer) else 0.0


def _hashable(values: Sequence[Any]) -> list[Any]:
    return [tuple(value) if isinstance(value, list) else value for value in values]
