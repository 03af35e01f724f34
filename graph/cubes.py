"""Cubes: fixed tables of counts that give away no group under a floor.

The numbers of a table, its cells and its row, column and grand totals, are the
flows of a network: what comes into a row leaves it over its cells, what comes
into a column leaves it over its total. A number that is withheld can be told by
subtraction just as far as the other withheld numbers cannot move with it around
a cycle, so complementary suppression looks for the cheapest such cycles (Cox,
Suppression Methodology and Statistical Disclosure Control, JASA 75, 1980, and
Network Models for Complementary Cell Suppression, JASA 90, 1995; Hundepool et
al., Statistical Disclosure Control, Wiley 2012, chapters 4 and 5).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from ontology.policy import Cube

_Node = tuple[str, str]  # what it stands for, and its value
_Number = tuple[_Node, _Node]  # one number of a table, as the arc that it flows along
_Step = tuple[_Number, int]  # a number, and whether it grows (1) or shrinks (-1)

_ROWS: _Node = ("rows", "")
_COLUMNS: _Node = ("columns", "")
_TOTAL: _Number = (_COLUMNS, _ROWS)


@dataclass(frozen=True, slots=True)
class Table:
    """The published numbers of one cube, each rounded by itself; what is not there is zero, few or withheld."""

    cube: Cube
    cells: Mapping[tuple[str, str], int]  # (row, column) -> count
    rows: Mapping[str, int]
    columns: Mapping[str, int]
    total: int | None


def count_things(things: Iterable[tuple[Collection[str], Collection[str]]]) -> dict[tuple[str, str], int]:
    """Count things by (row, column), from the values of the two properties that a cube counts by.

    A thing with several values of a property counts under the least of them, so
    that a table adds up; one without a value of either counts nowhere. Values
    are as the policy treats them.
    """
    return dict(Counter((min(rows), min(columns)) for rows, columns in things if rows and columns))


def make_table(cube: Cube, counts: Mapping[tuple[str, str], int], *, floor: int, rounding: int) -> Table:
    """Return what may be published of some counts.

    No number under `floor` is published, and further ones are withheld, those
    that stand for the fewest first, until each withheld number above zero could
    be `floor` or more for all that the published ones say: even to whoever
    knows those exactly (they are rounded to the nearest multiple of `rounding`)
    and knows which cells are empty. So in each line with a published total the
    rest is nothing, or at least `floor` over two cells or more, and no linear
    program over the table bounds a group under the floor below it.

    Not promised: that nobody learns that a cell is empty, or that a withheld
    number is at least so and so many; anything against whoever knows some of
    the withheld ones, or who replays this choice over all tables that give the
    same (they can learn that somewhere a group is under the floor); anything
    across tables that share a property, or across two states of the data: each
    table is made by itself, so a cube is for release at fixed times.
    """
    numbers = _add_up(counts)
    hidden = _find_hidden(numbers, floor)
    shown = {number: _round(count, rounding) for number, count in numbers.items() if number not in hidden}
    return Table(
        cube,
        cells={(tail[1], head[1]): n for (tail, head), n in shown.items() if tail[0] == "row"},
        rows={head[1]: n for (tail, head), n in shown.items() if tail == _ROWS},
        columns={tail[1]: n for (tail, head), n in shown.items() if tail[0] == "column"},
        total=shown.get(_TOTAL),
    )


def _add_up(counts: Mapping[tuple[str, str], int]) -> dict[_Number, int]:
    """Return the cells and totals above zero, in order."""
    numbers: Counter[_Number] = Counter()
    for (row, column), count in counts.items():
        if count > 0:
            one, other = ("row", row), ("column", column)
            for number in ((one, other), (_ROWS, one), (other, _COLUMNS), _TOTAL):
                numbers[number] += count
    return dict(sorted(numbers.items()))


def _find_hidden(numbers: Mapping[_Number, int], floor: int) -> set[_Number]:
    """Return the numbers to withhold. Withholding more never uncovers one that is covered, so each is seen to once."""
    touching: dict[_Node, list[_Number]] = {}
    for number in numbers:
        for node in number:
            touching.setdefault(node, []).append(number)
    hidden = {number for number, count in numbers.items() if count < floor}
    waiting = sorted(hidden, key=lambda number: (numbers[number], number))
    for number in waiting:
        more = _find_cover(number, numbers, hidden, touching, floor) - hidden
        hidden |= more
        waiting += sorted(more)
    return hidden


def _find_cover(
    number: _Number,
    numbers: Mapping[_Number, int],
    hidden: Collection[_Number],
    touching: Mapping[_Node, list[_Number]],
    floor: int,
) -> set[_Number]:
    """Return the numbers to withhold so that this one could be the floor, and one more than it is.

    There are always such: with its row, its column and all totals withheld it could be anything.
    """
    moved = dict(numbers)
    cover = set(hidden)
    missing = max(floor - numbers[number], 1)
    while missing > 0:
        path = _find_path(number, moved, {n: numbers[n] for n in numbers.keys() - cover}, touching)
        cover.update(step for step, _ in path)
        amount = min([missing, *(moved[step] for step, sign in path if sign < 0)])
        for step, sign in path:
            moved[step] += sign * amount
        missing -= amount
    return cover


def _find_path(
    number: _Number,
    moved: Mapping[_Number, int],
    costs: Mapping[_Number, int],
    touching: Mapping[_Node, list[_Number]],
) -> list[_Step]:
    """Return how the others can move when a number grows by one: the cheapest way, and the shortest of these.

    What is not in `costs` costs nothing; `moved` is how much each could still shrink.
    """
    goal, start = number
    best = {start: (0, 0)}
    queue: list[tuple[int, int, _Node, list[_Step]]] = [(0, 0, start, [])]
    while queue:
        cost, length, node, path = heappop(queue)
        if node == goal:
            return path
        for other in touching[node] if best[node] == (cost, length) else ():
            tail, head = other
            sign, far = (1, head) if tail == node else (-1, tail)
            price = (cost + costs.get(other, 0), length + 1)
            if other != number and (sign > 0 or moved[other]) and (far not in best or price < best[far]):
                best[far] = price
                heappush(queue, (*price, far, [*path, (other, sign)]))
    raise AssertionError("a number that is above zero lies on a cycle through the totals")


def _round(count: int, rounding: int) -> int:
    """Return the nearest multiple, the upper of two that are equally near."""
    return (count + rounding // 2) // rounding * rounding
