"""Splink as its documentation shows it: ready-made comparisons, plain keys, trained on the table, clusters at p 0.95."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pyarrow as pa
import splink.comparison_library as library
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from ontology.record import Record

THRESHOLD = 0.95

# Comparisons that Splink offers for what such a column holds, by its property; others by Jaro-Winkler.
_MADE_FOR: Mapping[str, Any] = {
    "name": library.NameComparison,
    "firstName": library.NameComparison,
    "lastName": library.NameComparison,
    "birthDate": lambda column: library.DateOfBirthComparison(column, input_is_string=True),
    "email": library.EmailComparison,
    "idNumber": lambda column: library.DamerauLevenshteinAtThresholds(column, [1, 2]),
}
# Two people seldom share these.
_TELLING = ("email", "idNumber")
_SEED = 1


def resolve(records: Sequence[Record]) -> dict[str, str]:
    """Return the cluster of each record, by record id.

    Blocks on each two columns, and on e-mail and number alone; u by sampling, m
    by one session for each of the two fullest columns.
    """
    filled = {name: sum(name in record.properties for record in records) for name in _list_columns(records)}
    columns = [name for name, count in filled.items() if count]
    rows: dict[str, list[Any]] = {"unique_id": [record.id for record in records]}
    rows |= {
        name: [" ".join(record.properties.get(name, ())).lower() or None for record in records] for name in columns
    }
    frame = DuckDBAPI().register(pa.table(rows), dataset_display_name="people")
    rules: list[Any] = [block_on(name) for name in columns if name in _TELLING]
    pairs: list[Any] = [block_on(*both) for both in combinations([c for c in columns if c != "gender"], 2)]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_compare(name) for name in columns],
        blocking_rules_to_generate_predictions=rules + pairs,
    )
    linker = Linker(frame, settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(rules or pairs[:1], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=_SEED)
    fullest = sorted((c for c in columns if c != "gender"), key=lambda name: -filled[name])
    for name in fullest[:2]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(name), max_pairs=1e6)
    predicted = linker.inference.predict(threshold_match_probability=0.01, warning_mode="never")
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, THRESHOLD)
    clusters = found.as_record_list()
    return {row["unique_id"]: str(row["cluster_id"]) for row in clusters}


def _list_columns(records: Sequence[Record]) -> list[str]:
    return sorted({name for record in records for name in record.properties})


def _compare(name: str) -> Any:
    if name == "gender":
        return library.ExactMatch(name)
    make: Any = _MADE_FOR.get(name, _compare_text)
    return make(name).configure(term_frequency_adjustments=True)


def _compare_text(name: str) -> Any:
    return library.JaroWinklerAtThresholds(name, [0.9, 0.7])
