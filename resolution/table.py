"""Comparison of a table that one reader sees whole: what every proposed pair showed, as arrays.

A level is found once, and what it weighs is looked up afterwards, so that
training and scoring need no second look at the records.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from splink import DuckDBAPI, Linker

from ontology.record import Record
from resolution.block import CANDIDATES, RECORDS, Engine, block_range, load_records, open_engine, plan_ranges
from resolution.model import Comparison, Model
from resolution.score import Progress, compare_candidates, make_linker

Levels = npt.NDArray[np.int8]
Integers = npt.NDArray[np.int64]

MISSING = -1
MOST_DRAWN = 200_000

_SEED = 1
_ENGINE = Engine()


@dataclass(frozen=True, slots=True)
class Findings:
    """What pairs showed: of each comparison the place of its level, MISSING where a record is silent.

    `left` and `right` are (n,) rows of the table in order of record id, `levels`
    is (n, comparisons), and bit k of `rules` (n,) says that the model's rule k
    proposed the pair.
    """

    left: Integers
    right: Integers
    levels: Levels
    rules: Integers

    def take(self, chosen: Integers) -> "Findings":
        """Return some of them."""
        return Findings(self.left[chosen], self.right[chosen], self.levels[chosen], self.rules[chosen])


@dataclass(frozen=True, slots=True)
class Compared:
    """A table compared: `places` (count,) is where each row, in order of record id, came in the input from 0.

    `proposed` are the pairs that a key proposes, in order of left and right. `copies` is (m, 3): rows that say exactly
    what two others do, with these two; nothing proposes pairs of them. `ignored` counts the keys that too many records
    share.
    """

    places: Integers
    proposed: Findings
    copies: Integers
    ignored: int
    drawn: Findings | None

    def count_pairs(self) -> npt.NDArray[np.float64]:
        """Return for how many pairs each proposed one stands, when those of copies are counted."""
        alike = np.arange(len(self.places))
        alike[self.copies[:, 2]] = self.copies[:, 1]
        members = np.bincount(alike, minlength=len(alike)).astype(np.float64)
        members += np.bincount(self.copies[:, 1], minlength=len(alike))
        # Each of the two stands for half of all that say the same.
        two = np.where(np.bincount(self.copies[:, 1], minlength=len(alike)) > 0, members / 2, 1.0)[alike]
        left, right = self.proposed.left, self.proposed.right
        number = members[alike[left]]
        among = number * (number - 1) / 2
        return np.where(alike[left] == alike[right], among, two[left] * two[right])


def compare_table(
    records: Iterable[Record], model: Model, *, draws: bool = False, progress: Progress | None = None
) -> Compared:
    """Compare the pairs that the model's keys propose, those for tables among them.

    With `draws` some drawn at random as well, or all when they are few: nearly
    all of those are of two things.

    The records are gone through once and not kept. What a pair shows depends on
    its two records alone; the order of the records makes no difference but to
    `places`, where a record given twice has the place that it had first.
    """
    with open_engine(_ENGINE) as connection:
        count, ignored = load_records(connection, records, model, is_table=True)
        copies = connection.sql("SELECT row, first, second FROM copies ORDER BY row").fetchnumpy()
        places = connection.sql(f"SELECT loaded FROM {RECORDS} ORDER BY row").fetchnumpy()["loaded"]
        linker = make_linker(DuckDBAPI(connection=connection), model)
        found = []
        for first, last in plan_ranges(connection, _ENGINE):
            block_range(connection, first, last)
            found.append(_read_findings(connection, linker, model))
            if progress:
                progress(last + 1, count)
        drawn = None
        if draws and count > 1:
            _draw_candidates(connection, count)
            drawn = _read_findings(connection, linker, model)
        if progress:
            progress(count, count)
    alike = np.column_stack([np.asarray(copies[name], np.int64) for name in ("row", "first", "second")])
    return Compared(np.asarray(places, np.int64), _join(found, model), alike, ignored, drawn)


def _draw_candidates(connection: duckdb.DuckDBPyConnection, count: int) -> None:
    """Fill the table `candidates` with pairs drawn at random."""
    if count * (count - 1) // 2 <= MOST_DRAWN:
        left, right = np.triu_indices(count, 1)
    else:
        random = np.random.default_rng(_SEED)
        ends = random.integers(0, count, (MOST_DRAWN, 2))
        left, right = ends.min(axis=1), ends.max(axis=1)
    pairs = pa.table({"join_key_l": left, "join_key_r": right})
    connection.register("pairs", pairs)
    connection.execute(
        f"CREATE OR REPLACE TABLE {CANDIDATES} AS SELECT DISTINCT *, '0' AS match_key, 0::BIGINT AS rules "
        "FROM pairs WHERE join_key_l <> join_key_r"
    )
    connection.unregister("pairs")


def _read_findings(connection: duckdb.DuckDBPyConnection, linker: Linker, model: Model) -> Findings:
    """Let Splink compare the table `candidates` and return what it found."""
    weights = ", ".join(f"mw_{comparison.name}" for comparison in model.comparisons)
    with compare_candidates(connection, linker) as compared:
        found = connection.execute(
            f"SELECT row_l, row_r, rules, {weights} FROM {compared} s "
            f"JOIN {CANDIDATES} c ON s.row_l = c.join_key_l AND s.row_r = c.join_key_r ORDER BY row_l, row_r"
        ).fetchnumpy()
    levels = [_find_levels(comparison, found[f"mw_{comparison.name}"]) for comparison in model.comparisons]
    return Findings(found["row_l"], found["row_r"], np.column_stack(levels), found["rules"])


def _find_levels(comparison: Comparison, weights: npt.NDArray[np.float64]) -> Levels:
    """Return the place of the level of each weight, which is what Splink gives back; they all weigh differently."""
    known = np.array([0.0, *(level.chance.weight for level in comparison.levels)])
    order = np.argsort(known)
    return (order[np.searchsorted(known[order], weights)] - 1).astype(np.int8)


def _join(found: list[Findings], model: Model) -> Findings:
    nothing = np.empty(0, np.int64)
    parts = [Findings(nothing, nothing, np.empty((0, len(model.comparisons)), np.int8), nothing), *found]
    return Findings(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.levels for part in parts]),
        np.concatenate([part.rules for part in parts]),
    )
