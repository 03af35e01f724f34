"""How well the shipped person model resolves public files whose truth is known, beside Splink as it is documented.

The files lie beside the project in ``../shared/data``. For each table three
rows: our weights as shipped, fitted to the table, and Splink with ready-made
comparisons, trained on it. Precision, recall and F over records (B-cubed) and
over pairs, the share of people found exactly, records in clusters of more than
one person, the largest cluster, and CPU seconds; and the same for a synthetic
population of as many people. Then pairs of names: how likely one of the same
scores above one of two (AUC), beside rapidfuzz. The model's numbers were set with
the tables marked *, the words and the checks of names in view; the stop of tables
and how a model is fitted were chosen with all of them in view.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from bench.goal import print_goal
from bench.labelled.names import LANGUAGES, ScoredPair, score_checks, score_words
from bench.labelled.population import iter_population
from bench.labelled.quality import Quality, find_area, find_average_precision, measure
from bench.labelled.tables import DATA, TABLES, read_table
from bench.peers import stock_splink
from ontology.record import Record
from resolution.dedupe import ABSENT, ScoredPairs, find_entities, score_pairs
from resolution.linkage import find_clusters
from resolution.model import load_model

SHIPPED, FITTED, PEER = "shipped", "fitted", "Splink"
WORDS = 2_000
_HIGHEST_STOP = 25


class Row(NamedTuple):
    """How well a table was resolved, and in how many CPU seconds."""

    quality: Quality
    seconds: float


def main() -> None:
    """Resolve every table, score every set of pairs, and say which goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="the most records to take of each file")
    limit = parser.parse_args().n
    if not DATA.is_dir():
        sys.exit(f"expected the public files in {DATA}, found no such folder: nothing measured")
    # Splink says at length what it cannot train.
    logging.disable(logging.WARNING)
    print(
        f"{'table':18} {'by':8} {'B3 P':>6} {'B3 R':>6} {'B3 F':>6} {'P':>6} {'R':>6} {'F':>6} {'exact':>6} impure large  CPU s"
    )
    measured = {}
    for table in TABLES:
        measured[table.name] = _run(f"{table.name}{' *' if table.tuned else ''}", *read_table(table, limit))
    people = list(iter_population(limit))
    truth = {record.id: str(person) for record, person in people}
    population = _run("population", [record for record, _ in people], truth)
    print(f"\n{'pairs':18} {'number':>8} {'AUC':>6} {'peer':>6} {'AP':>6} {'peer':>6}")
    areas = {"checks": _show_pairs("checks", score_checks())}
    areas |= {language: _show_pairs(language, score_words(language, WORDS)) for language in LANGUAGES}
    print()
    for name, found in measured.items():
        for how in (SHIPPED, FITTED):
            ahead = found[how].quality.record_f - found[PEER].quality.record_f
            print_goal(f"resolution_{name}_{how}_b3_ahead", ahead, ">=", 0.0)
        print_goal(f"resolution_{name}_shipped_precision", found[SHIPPED].quality.record_precision, ">=", 0.99)
    ours, theirs = population[SHIPPED], population[PEER]
    print_goal("resolution_population_b3_ahead", ours.quality.record_f - theirs.quality.record_f, ">=", 0.02)
    at_recall = _find_at_recall([record for record, _ in people], truth, theirs.quality.record_recall)
    _show("", "recall", at_recall, 0.0)
    print_goal("resolution_population_impure_ratio", at_recall.impure / max(1, theirs.quality.impure), "<=", 0.35)
    print_goal("resolution_population_largest_ratio", at_recall.largest / theirs.quality.largest, "<=", 0.2)
    print_goal("resolution_population_cpu_ratio", ours.seconds / theirs.seconds, "<=", 1.2)
    for name, (area, peer) in areas.items():
        print_goal(f"resolution_{name}_auc_ahead", area - peer, ">=", 0.0)


def _run(name: str, records: Sequence[Record], truth: Mapping[str, str]) -> dict[str, Row]:
    """Resolve records in each way, and print and return how well, and in how many CPU seconds."""
    ways: Mapping[str, Callable[[], Mapping[str, object]]] = {
        SHIPPED: lambda: _resolve(records, is_trained=False),
        FITTED: lambda: _resolve(records, is_trained=True),
        PEER: lambda: stock_splink.resolve(records),
    }
    found = {}
    for how, resolve in ways.items():
        start = time.process_time()
        clusters = resolve()
        seconds = time.process_time() - start
        found[how] = Row(measure(truth, clusters), seconds)
        _show(name if how == SHIPPED else "", how, *found[how])
    return found


def _resolve(records: Sequence[Record], *, is_trained: bool) -> dict[str, object]:
    entities = find_entities(score_pairs(records, load_model("person"), is_trained=is_trained))
    return dict(zip((record.id for record in records), entities.tolist(), strict=True))


def _find_at_recall(records: Sequence[Record], truth: Mapping[str, str], recall: float) -> Quality:
    """Return how well the shipped weights do at the highest stop at which they still find so much of each person."""
    pairs = score_pairs(records, load_model("person"))
    found = [_measure_at(pairs, stop, records, truth) for stop in range(_HIGHEST_STOP)]
    return max((q for q in found if q.record_recall >= recall), key=lambda q: q.record_precision, default=found[0])


def _measure_at(pairs: ScoredPairs, stop: float, records: Sequence[Record], truth: Mapping[str, str]) -> Quality:
    found = find_clusters(pairs.count, pairs.left, pairs.right, pairs.weight, stop, absent=stop + ABSENT)
    return measure(truth, dict(zip((record.id for record in records), found.tolist(), strict=True)))


def _show(name: str, how: str, q: Quality, seconds: float) -> None:
    shares = (q.record_precision, q.record_recall, q.record_f, q.pair_precision, q.pair_recall, q.pair_f, q.exact)
    figures = " ".join(f"{share:6.3f}" for share in shares)
    print(f"{name:18} {how:8} {figures} {q.impure:6d} {q.largest:5d} {seconds:6.1f}", flush=True)


def _show_pairs(name: str, pairs: Iterable[ScoredPair]) -> tuple[float, float]:
    pairs = list(pairs)
    same = [pair.is_same for pair in pairs]
    ours, theirs = [pair.weight for pair in pairs], [pair.ratio for pair in pairs]
    areas = find_area(ours, same), find_area(theirs, same)
    means = find_average_precision(ours, same), find_average_precision(theirs, same)
    print(f"{name:18} {len(pairs):8d} {areas[0]:6.3f} {areas[1]:6.3f} {means[0]:6.3f} {means[1]:6.3f}", flush=True)
    return areas


if __name__ == "__main__":
    main()
