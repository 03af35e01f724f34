"""Scoring of many records: Splink compares, pairs come out in batches.

Nothing is learned or counted here that changes a weight: what a pair weighs
and whether it is kept depends on its two records and the model alone.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

from ontology.pair import BlockingKey, Pair
from ontology.record import Record
from resolution.block import CANDIDATES, RECORDS, Engine, block_range, load_records, open_engine, plan_ranges
from resolution.column import WHOLE
from resolution.compare import make_evidence
from resolution.level import TESTS
from resolution.model import Comparison, Level, Model

Progress = Callable[[int, int], None]

_FETCHED_AT_ONCE = 10_000
_DEFAULT_ENGINE = Engine()


def score_records(
    records: Iterable[Record],
    model: Model,
    *,
    recorded_at: datetime,
    progress: Progress | None = None,
    engine: Engine = _DEFAULT_ENGINE,
) -> Iterator[Pair]:
    """Yield, in order of left and right id, every proposed pair that could reach the stop for some observer.

    Order, batching and repetition of the records make no difference; two
    records of one thing make no pair. `progress` is told how many records are
    done, and of how many.
    """
    with open_engine(engine) as connection:
        count, _ = load_records(connection, records, model)
        make_pair = _pair_maker(model, recorded_at)
        linker = make_linker(DuckDBAPI(connection=connection), model)
        for first, last in plan_ranges(connection, engine):
            block_range(connection, first, last)
            yield from map(make_pair, _iter_kept(connection, linker, model))
            if progress:
                progress(last + 1, count)
        if progress:
            progress(count, count)


def make_settings(model: Model) -> SettingsCreator:
    """Return the model as Splink's settings, every chance fixed and blocking left to us."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="row",
        probability_two_random_records_match=1 / (1 + 2**-model.prior),
        comparisons=[_make_comparison(comparison) for comparison in model.comparisons],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
    )


def _make_comparison(comparison: Comparison) -> dict[str, Any]:
    whole = f"{comparison.name}_{WHOLE}"
    missing = {"sql_condition": f"{whole}_l IS NULL OR {whole}_r IS NULL", "is_null_level": True}
    levels = [_make_level(comparison, level) for level in comparison.levels]
    return {"output_column_name": comparison.name, "comparison_levels": [missing, *levels]}


def _make_level(comparison: Comparison, level: Level) -> dict[str, Any]:
    columns = [f"{comparison.name}_{column}" for column in level.columns]
    return {
        "sql_condition": TESTS[level.test].sql.format(*columns, bound=level.bound),
        "label_for_charts": level.words,
        "m_probability": level.chance.m,
        "u_probability": level.chance.u,
        "fix_m_probability": True,
        "fix_u_probability": True,
    }


def make_linker(engine: DuckDBAPI, model: Model) -> Linker:
    """Return Splink over the table `records`, with the model as its settings."""
    frame = engine.register(RECORDS, dataset_display_name=RECORDS)
    # Without a level, Splink leaves logging as it is; else it writes to standard error.
    return Linker(frame, make_settings(model), log_level=None)


@contextmanager
def compare_candidates(connection: duckdb.DuckDBPyConnection, linker: Linker) -> Iterator[str]:
    """Let Splink compare the table `candidates`; gives the name of its table, which is gone afterwards.

    Its columns are `row_l`, `row_r` and, for each comparison, `mw_NAME` in bits (see `places_by_weight`).
    """
    candidates = DuckDBAPI(connection=connection).register(CANDIDATES, dataset_display_name=CANDIDATES)
    linker.table_management.register_blocked_pairs_for_predict(candidates)
    compared = linker.inference.predict(warning_mode="never")
    try:
        yield compared.physical_name
    finally:
        compared.drop_table_from_database_and_remove_from_cache()


def _iter_kept(connection: duckdb.DuckDBPyConnection, linker: Linker, model: Model) -> Iterator[tuple[Any, ...]]:
    with compare_candidates(connection, linker) as compared:
        kept = connection.cursor().execute(_select_kept(model, compared))
        while rows := kept.fetchmany(_FETCHED_AT_ONCE):
            yield from rows


def _select_kept(model: Model, scored: str) -> str:
    names = [comparison.name for comparison in model.comparisons]
    most = " + ".join(f"greatest(mw_{c.name}, {_equality_sql(c)}, 0)" for c in model.comparisons)
    found = ", ".join(f"mw_{name}, coalesce({_equal_sql(name)}, false)" for name in names)
    return f"""
        SELECT l.id, r.id, rules, {found}
        FROM {scored} s JOIN {CANDIDATES} c ON s.row_l = c.join_key_l AND s.row_r = c.join_key_r
        JOIN {RECORDS} l ON s.row_l = l.row JOIN {RECORDS} r ON s.row_r = r.row
        WHERE round({model.prior} + {most}, 6) >= {model.stop}
        ORDER BY s.row_l, s.row_r
    """


def _equal_sql(name: str) -> str:
    return f"list_has_any(l.{name}_{WHOLE}, r.{name}_{WHOLE})"


def _equality_sql(comparison: Comparison) -> str:
    seen = comparison.equality
    return f"CASE {_equal_sql(comparison.name)} WHEN true THEN {seen.weight} WHEN false THEN {seen.opposite_weight} ELSE 0 END"


def _pair_maker(model: Model, recorded_at: datetime) -> Callable[[tuple[Any, ...]], Pair]:
    # Splink gives back weights; the levels of one comparison all weigh differently (see read_model).
    places = [places_by_weight(comparison) for comparison in model.comparisons]

    @cache
    def list_keys(rules: int) -> tuple[BlockingKey, ...]:
        return tuple(rule.key for place, rule in enumerate(model.keys) if rules >> place & 1)

    def make_pair(row: tuple[Any, ...]) -> Pair:
        left, right, rules, *found = row
        findings = zip(model.comparisons, places, found[::2], found[1::2], strict=True)
        evidence = tuple(
            make_evidence(comparison, by[weight], equal=equal) for comparison, by, weight, equal in findings
        )
        return Pair(left, right, model.version, model.prior, model.stop, list_keys(rules), evidence, recorded_at)

    return make_pair


def places_by_weight(comparison: Comparison) -> dict[float, int | None]:
    """Return the place of each level by its weight in bits, which is what Splink gives back; 0 is missing."""
    return {0.0: None} | {level.chance.weight: place for place, level in enumerate(comparison.levels)}
