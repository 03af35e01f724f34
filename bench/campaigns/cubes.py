"""Cubes: no group under the floor is recovered from the tables of counts, by an attacker who solves for it.

Each query set asks for every cube of the policy over a random population. The
attacker knows all rows and columns that there are, and bounds each withheld
group by a linear program over what is published; a group under the floor is
recovered when its bound stays below the floor. He tries twice: with the rounded
numbers, and told the exact ones and which cells are empty. A control publishes
every number of the floor or more and must fall. Prints each violation's seed.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, identity, kron, vstack

from bench.goal import print_goal
from graph.cubes import Table, count_things, make_table
from ontology.policy import Cube
from ontology.policy_file import default_policy

CHUNK = 20
Counts = Mapping[tuple[str, str], int]
Group = frozenset[tuple[str, str]]  # the cells that a number sums up


@dataclass(frozen=True, slots=True)
class Release:
    """What an attacker holds: bounds of each published group, all cells that there are, those known to be empty."""

    bounds: Mapping[Group, tuple[int, int]]
    cells: tuple[tuple[str, str], ...]
    empty: frozenset[tuple[str, str]] = frozenset()


def main() -> None:
    """Run the campaign and print its goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000, help="how many query sets")
    parser.add_argument("--seed", type=int, default=1, help="the first case")
    args = parser.parse_args()
    started = time.monotonic()
    counts: Counter[str] = Counter()
    violations: list[int] = []
    seeds = range(args.seed, args.seed + args.n)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for seed, found in zip(seeds, pool.map(run_query_set, seeds, chunksize=CHUNK), strict=True):
            counts += found
            violations += [seed] if found["recovered"] or found["broken"] else []
    seconds = time.monotonic() - started
    print(f"{args.n} query sets from seed {args.seed} in {seconds:.0f} s")
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")
    for seed in violations[:20]:
        print(f"  VIOLATION seed {seed}")
    print_goal("cubes_groups_recovered", counts["recovered"], "==", 0)
    print_goal("cubes_numbers_broken", counts["broken"], "==", 0)
    print_goal("cubes_control_recovered_share", counts["control sets recovered"] / args.n, ">=", 0.5)


def run_query_set(seed: int) -> Counter[str]:
    """Ask for all cubes over one population and attack what is published; return what was counted."""
    policy, random, found = default_policy(), Random(seed), Counter[str]()
    for cube in policy.cubes.values():
        things = list(_draw_things(random))
        counts = count_things(things)
        table = make_table(cube, counts, floor=policy.floor, rounding=policy.rounding)
        true, shown = sum_groups(counts), published(table, counts)
        small = {group for group, n in true.items() if 0 < n < policy.floor}
        attacks = [release(table, counts), tell(table, counts)]
        found["groups under the floor"] += len(small)
        found["groups published"] += len(shown)
        found["groups withheld"] += sum(n > 0 for n in true.values()) - len(shown)
        found["recovered"] += sum(len(find_recovered(known, small, policy.floor)) for known in attacks)
        found["broken"] += _count_broken(table, things, random)
        control = release(make_control(cube, counts), counts)
        found["groups recovered in the control"] += len(find_recovered(control, small, policy.floor))
    found["control sets recovered"] = int(found["groups recovered in the control"] > 0)
    return found


def sum_groups(counts: Counts) -> dict[Group, int]:
    """Return every number of a table by brute force: its cells, rows, columns and total, those of zero too."""
    return {group: sum(counts.get(cell, 0) for cell in group) for group in _name_groups(counts).values()}


def published(table: Table, counts: Counts) -> dict[Group, int]:
    """Return what a table publishes, by the cells that each number sums up."""
    groups = _name_groups(counts)
    shown = {groups[cell]: n for cell, n in table.cells.items()}
    shown |= {groups[row, ""]: n for row, n in table.rows.items()}
    shown |= {groups["", column]: n for column, n in table.columns.items()}
    return shown | ({groups["", ""]: table.total} if table.total is not None else {})


def release(table: Table, counts: Counts) -> Release:
    """Return what everybody can take from a table: each number lies around its rounded one, and not under the floor."""
    floor, rounding = default_policy().floor, default_policy().rounding
    bounds = {
        group: (max(n - rounding // 2, floor), n + (rounding - 1) // 2) for group, n in published(table, counts).items()
    }
    return Release(bounds, tuple(sorted(_name_groups(counts)["", ""])))


def tell(table: Table, counts: Counts) -> Release:
    """Return what a well-informed attacker has: the published numbers as they are, and which cells are empty."""
    true, cells = sum_groups(counts), tuple(sorted(_name_groups(counts)["", ""]))
    empty = frozenset(cell for cell in cells if not counts.get(cell))
    return Release({group: (true[group], true[group]) for group in published(table, counts)}, cells, empty)


def find_recovered(known: Release, groups: Iterable[Group], floor: int) -> set[Group]:
    """Return the groups that cannot reach the floor in any table that fits what is known.

    One linear program holds a copy of the table for each group; in each copy
    the sum of that group's cells is driven up to the floor, if it will go.
    """
    chosen = sorted(groups, key=sorted)
    if not chosen:
        return set()
    objective = np.concatenate([_indicate(group, known.cells) for group in chosen])
    each = identity(len(chosen))
    published_rows = np.array([_indicate(group, known.cells) for group in known.bounds]).reshape(-1, len(known.cells))
    lows, highs = np.array(list(known.bounds.values()), dtype=float).reshape(-1, 2).T
    capped = csr_matrix(kron(each, np.ones((1, len(known.cells)))).multiply(objective))
    result = linprog(
        -objective,
        A_ub=csr_matrix(vstack([kron(each, published_rows), kron(each, -published_rows), capped])),
        b_ub=np.concatenate([np.tile(highs, len(chosen)), np.tile(-lows, len(chosen)), np.full(len(chosen), floor)]),
        bounds=[(0, 0 if cell in known.empty else None) for cell in known.cells] * len(chosen),
        method="highs",
    )
    if result.status != 0:
        raise AssertionError(f"expected a feasible program, found status {result.status}")
    reached = capped @ result.x
    return {group for group, value in zip(chosen, reached, strict=True) if value < floor - 1e-6}


def make_control(cube: Cube, counts: Counts) -> Table:
    """Return a table with a floor and rounding and no complementary suppression: the planted leak."""
    policy, true = default_policy(), sum_groups(counts)
    rounded = {group: round(n / policy.rounding) * policy.rounding for group, n in true.items() if n >= policy.floor}
    groups = _name_groups(counts)
    return Table(
        cube,
        cells={(row, column): rounded[g] for (row, column), g in groups.items() if row and column and g in rounded},
        rows={row: rounded[g] for (row, column), g in groups.items() if row and not column and g in rounded},
        columns={column: rounded[g] for (row, column), g in groups.items() if column and not row and g in rounded},
        total=rounded.get(groups["", ""]),
    )


def _draw_things(random: Random) -> Iterable[tuple[list[str], list[str]]]:
    """Draw a population whose values are common and rare, some with several or none."""
    rows = [f"row-{i}" for i in range(random.randint(2, 5))]
    columns = [f"column-{i}" for i in range(random.randint(2, 7))]
    for _ in range(random.choice((15, 60, 150, 400))):
        yield _draw_values(random, rows), _draw_values(random, columns)


def _draw_values(random: Random, vocabulary: list[str]) -> list[str]:
    weights = [1 / (place + 1) ** 1.2 for place in range(len(vocabulary))]
    return random.choices(vocabulary, weights, k=random.choices((0, 1, 2), (1, 16, 3))[0])


def _count_broken(table: Table, things: list[tuple[list[str], list[str]]], random: Random) -> int:
    """Count the published numbers that are too small or not the nearest multiple, and a table that changes when asked again."""
    policy, counts = default_policy(), count_things(things)
    true = sum_groups(counts)
    wrong = [
        group
        for group, n in published(table, counts).items()
        if true[group] < policy.floor or n % policy.rounding or 2 * abs(n - true[group]) > policy.rounding
    ]
    random.shuffle(things)
    again = make_table(table.cube, count_things(things), floor=policy.floor, rounding=policy.rounding)
    return len(wrong) + (again != table)


def _name_groups(counts: Counts) -> dict[tuple[str, str], Group]:
    """Return the cells behind each number, by its row and column; an empty name stands for all of them."""
    rows, columns = sorted({row for row, _ in counts}), sorted({column for _, column in counts})
    return {
        (row, column): frozenset((r, c) for r in rows if row in ("", r) for c in columns if column in ("", c))
        for row in ["", *rows]
        for column in ["", *columns]
    }


def _indicate(group: Group, cells: Iterable[tuple[str, str]]) -> NDArray[np.float64]:
    return np.array([cell in group for cell in cells], dtype=float)


if __name__ == "__main__":
    main()
