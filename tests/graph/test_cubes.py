"""Tables of counts: what is published, and what an attacker can make of it."""

from collections.abc import Mapping
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.campaigns.cubes import Release, find_recovered, make_control, published, run_query_set, sum_groups, tell
from graph.cubes import Table, count_things, make_table
from ontology.policy import Cube
from ontology.policy_file import default_policy

CUBE = Cube("cube", "A table.", "Person", "victim", ("exploitationType", "exploitationPlace"))
ROWS, COLUMNS = ("a", "b", "c"), ("w", "x", "y", "z")
FLOOR, ROUNDING = 10, 5

few = st.one_of(st.integers(0, 3), st.integers(0, 30))
tables = st.dictionaries(st.tuples(st.sampled_from(ROWS), st.sampled_from(COLUMNS)), few, max_size=12)
values = st.lists(st.sampled_from(COLUMNS), max_size=3)
little = st.fixed_dictionaries({(row, column): st.integers(0, 5) for row in "ab" for column in "xy"})


def publish(counts: Mapping[tuple[str, str], int], floor: int = FLOOR, rounding: int = ROUNDING) -> Table:
    """Return the table of some counts."""
    return make_table(CUBE, counts, floor=floor, rounding=rounding)


def test_one_small_cell_takes_the_cheapest_rectangle_with_it() -> None:
    """By hand: 3 hides behind 20, 12 and 30, which tell less than 14, 50 and 30 do; all totals stay."""
    counts = {("a", "x"): 3, ("a", "y"): 20, ("a", "z"): 14, ("b", "x"): 30, ("b", "y"): 12, ("b", "z"): 50}

    table = publish(counts)

    assert table.cells == {("a", "z"): 15, ("b", "z"): 50}
    assert table.rows == {"a": 35, "b": 90}
    assert table.columns == {"x": 35, "y": 30, "z": 65}
    assert table.total == 130


def test_a_cover_that_is_too_thin_takes_more() -> None:
    """By hand: to reach 10 a cell of 1 needs 9 from its row; a cell of 6 alone does not have them, so another joins."""
    counts = {("a", "w"): 1, ("a", "x"): 6, ("a", "y"): 40, ("b", "w"): 40, ("b", "x"): 60, ("b", "y"): 70}

    table = publish(counts)

    assert not table.cells.keys() & {("a", "w"), ("a", "x"), ("a", "y"), ("b", "w")}
    assert table.rows == {"a": 45, "b": 170}


def test_nothing_of_a_table_under_the_floor_is_published() -> None:
    """Nine people in all give an empty table, as nobody does."""
    assert publish({("a", "x"): 4, ("b", "y"): 5}) == publish({}) == Table(CUBE, {}, {}, {}, None)


def test_a_total_goes_when_no_cell_covers() -> None:
    """Where each row has but one cell, a small one is covered by withholding the other row's total."""
    table = publish({("a", "x"): 3, ("b", "x"): 50})

    assert (table.cells, table.rows, table.columns, table.total) == ({}, {}, {"x": 55}, 55)


def test_zero_few_and_withheld_look_alike() -> None:
    """What is not published is not there, its row's and column's names neither."""
    rest = {("b", "x"): 40, ("b", "y"): 30, ("c", "x"): 25, ("c", "y"): 25}

    for few_people in (0, 4):
        table = publish({**rest, ("a", "z"): few_people})
        assert {"a", "z"}.isdisjoint({*table.rows, *table.columns, *(name for cell in table.cells for name in cell)})


def test_each_number_is_rounded_by_itself() -> None:
    """Rounded cells need not add up to the rounded total, and the nearer multiple is taken."""
    table = publish({("a", "x"): 12, ("a", "y"): 13, ("a", "z"): 12, ("b", "x"): 17, ("b", "y"): 18, ("b", "z"): 22})

    assert table.cells == {("a", "x"): 10, ("a", "y"): 15, ("a", "z"): 10} | {
        ("b", "x"): 15,
        ("b", "y"): 20,
        ("b", "z"): 20,
    }
    assert (table.rows, table.total) == ({"a": 35, "b": 55}, 95)


def test_a_thing_counts_once_under_its_least_values() -> None:
    """Several values make no second count, and a thing without one of the two is in no cell."""
    things = [(["x", "a"], ["z", "y"]), (["a"], ["y"]), (["a"], []), ([], ["y"]), (["b"], ["y"])]

    assert count_things(things) == {("a", "y"): 2, ("b", "y"): 1}


@given(st.lists(st.tuples(values, values)), st.randoms(use_true_random=False))
def test_counting_adds_up_whatever_the_order(things: list[tuple[list[str], list[str]]], random: Random) -> None:
    """Each thing that has both values is in one cell, and neither order of things nor of values matters."""
    shuffled = [(random.sample(rows, len(rows)), random.sample(columns, len(columns))) for rows, columns in things]
    random.shuffle(shuffled)

    assert sum(count_things(things).values()) == sum(bool(rows and columns) for rows, columns in things)
    assert count_things(shuffled) == count_things(things)


@given(tables, st.randoms(use_true_random=False))
def test_order_of_counts_changes_nothing(counts: dict[tuple[str, str], int], random: Random) -> None:
    """The same counts give the same table in any order, and cells of zero may be left out."""
    shuffled = dict(random.sample(sorted(counts.items()), len(counts)))

    assert publish(shuffled) == publish(counts) == publish({cell: n for cell, n in counts.items() if n})


@given(tables)
def test_published_numbers_are_the_floor_or_more_and_near(counts: dict[tuple[str, str], int]) -> None:
    """A published number is the nearest multiple of a count that reaches the floor."""
    true = sum_groups(counts)

    for group, number in published(publish(counts), counts).items():
        assert true[group] >= FLOOR
        assert number % ROUNDING == 0
        assert abs(number - true[group]) <= ROUNDING / 2


@given(tables)
def test_rest_of_a_line_is_nothing_or_many_in_two_cells(counts: dict[tuple[str, str], int]) -> None:
    """Where a total is published, what its line withholds is nothing, or the floor or more over two cells or more."""
    table = publish(counts)
    lines = [[(row, column) for column in COLUMNS] for row in table.rows]
    lines += [[(row, column) for row in ROWS] for column in table.columns]

    for line in lines:
        rest = [n for cell in line if cell not in table.cells and (n := counts.get(cell, 0))]
        assert not rest or (len(rest) >= 2 and sum(rest) >= FLOOR)


@settings(max_examples=60)
@given(tables)
def test_no_linear_program_bounds_a_small_group(counts: dict[tuple[str, str], int]) -> None:
    """Told the exact published numbers and the empty cells, an attacker still finds that each small group may be large."""
    small = {group for group, n in sum_groups(counts).items() if 0 < n < FLOOR}

    assert find_recovered(tell(publish(counts), counts), small, FLOOR) == set()


@settings(max_examples=60)
@given(little, st.integers(1, 3))
def test_some_other_table_fits_for_every_small_group(counts: dict[tuple[str, str], int], rounding: int) -> None:
    """By trying all tables: each small group reaches the floor in one that would be rounded to the same numbers."""
    floor, cells = 3, list(counts)
    shown = published(publish(counts, floor, rounding), counts)
    reach: dict[frozenset[tuple[str, str]], int] = {}
    for candidate in product(range(8), repeat=len(cells)):
        true = sum_groups(dict(zip(cells, candidate, strict=True)))
        if all(2 * abs(true[group] - number) <= rounding for group, number in shown.items()):
            reach = {group: max(n, reach.get(group, 0)) for group, n in true.items()}

    assert all(reach[group] >= floor for group, n in sum_groups(counts).items() if 0 < n < floor)


def test_attacker_finds_what_is_not_covered() -> None:
    """Without complementary suppression the textbook subtraction works: 37 less 20 and 14 leaves no room for ten."""
    counts = {("a", "x"): 3, ("a", "y"): 20, ("a", "z"): 14, ("b", "x"): 30, ("b", "y"): 12, ("b", "z"): 50}
    group = frozenset({("a", "x")})
    naive = tell(make_control(CUBE, counts), counts)

    assert find_recovered(naive, [group], FLOOR) == {group}
    assert find_recovered(Release({}, naive.cells), [group], FLOOR) == set()


def test_campaign_recovers_nothing_but_from_its_control() -> None:
    """A small budget of the campaign: no group is recovered, and the control gives groups away."""
    found = [run_query_set(seed) for seed in range(12)]

    assert sum(counts["recovered"] + counts["broken"] for counts in found) == 0
    assert sum(counts["groups recovered in the control"] for counts in found) > 10


def test_shipped_cubes_share_no_property() -> None:
    """Two tables of the same things by one property would have totals in common, and each is made by itself."""
    cubes = list(default_policy().cubes.values())
    counted = [(cube.schema, cube.category, name) for cube in cubes for name in cube.by]

    assert len(counted) == len(set(counted))
