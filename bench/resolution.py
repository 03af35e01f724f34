"""How well the shipped person model resolves public files whose truth is known.

The files lie beside the project in ``../shared/data/er``. Prints, for each,
the pairs kept, precision, recall and F over pairs of records and over records
(B-cubed, Bagga and Baldwin 1998) after connected components at the model's
stop and at others, and CPU seconds. The model's numbers were set with
fake_1000 and historical_people in view; the other files were not.
"""

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ontology.errors import InvalidValue
from ontology.label import Label
from ontology.pair import Pair, sum_weights
from ontology.record import Record
from ontology.schema import default_ontology
from resolution.model import Model, load_model
from resolution.score import score_records

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "er"
NOW = datetime(2025, 1, 1, tzinfo=UTC)
LABEL = Label()
OTHER_STOPS = (-12.0, -10.0, -8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Task:
    """One file of records whose truth is known: its columns by property, and what names the person."""

    name: str
    path: str
    properties: Mapping[str, Callable[[Row], str]]
    find_truth: Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall over pairs of records and over records."""

    pair_precision: float
    pair_recall: float
    record_precision: float
    record_recall: float

    @property
    def pair_f(self) -> float:
        """The harmonic mean over pairs."""
        return make_mean(self.pair_precision, self.pair_recall)

    @property
    def record_f(self) -> float:
        """The harmonic mean over records (B-cubed F)."""
        return make_mean(self.record_precision, self.record_recall)


def make_mean(first: float, second: float) -> float:
    """Return the harmonic mean."""
    return 2 * first * second / (first + second) if first + second else 0.0


def pick(column: str) -> Callable[[Row], str]:
    """Return what reads one column."""
    return lambda row: row[column]


def join(*columns: str) -> Callable[[Row], str]:
    """Return what reads several columns as one text."""
    return lambda row: " ".join(filter(None, (row[column] for column in columns)))


FAKE = {
    "firstName": pick("first_name"),
    "lastName": pick("surname"),
    "birthDate": pick("dob"),
    "email": pick("email"),
    "address": pick("city"),
}
FEBRL = {
    "firstName": pick("given_name"),
    "lastName": pick("surname"),
    "birthDate": pick("date_of_birth"),
    "idNumber": pick("soc_sec_id"),
    "address": join("street_number", "address_1", "suburb", "postcode"),
}
TASKS = (
    Task("fake_1000", "splink_fake_1000/fake_1000.csv", FAKE, pick("cluster")),
    Task(
        "historical_people",
        "historical_people/records.csv",
        {
            "name": pick("full_name"),
            "birthDate": pick("dob"),
            "birthPlace": pick("birth_place"),
            "gender": pick("gender"),
            "address": pick("postcode_fake"),
        },
        pick("cluster"),
    ),
    Task("fake_20000", "splink_fake_20000/fake_20000.csv", FAKE, pick("group")),
    *(
        Task(f"febrl{number}", f"febrl/dataset{number}.csv", FEBRL, lambda row: row["rec_id"].split("-")[1])
        for number in (1, 2, 3)
    ),
)


def main() -> None:
    """Run every task and say which goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="the most records to take of each file")
    limit = parser.parse_args().n
    if not DATA.is_dir():
        sys.exit(f"expected the public files in {DATA}, found no such folder: nothing measured")
    model = load_model("person")
    print(f"model {model.version}, prior {model.prior}, stop {model.stop} bits")
    measured = {task.name: run_task(task, model, limit) for task in TASKS}
    print_goals(measured, model.stop)


def run_task(task: Task, model: Model, limit: int) -> dict[float, Quality]:
    """Resolve one file, print its figures and return its quality at each stop."""
    records, truth = read_task(task, limit)
    lowest = replace(model, stop=min(OTHER_STOPS))
    start = time.process_time()
    pairs = list(score_records(records, lowest, recorded_at=NOW))
    seconds = time.process_time() - start
    weights = [(pair, sum_weights(pair.prior, (e.weight for e in pair.evidence))) for pair in pairs]
    print(f"\n{task.name}: {len(records)} records, {len(pairs)} pairs, {seconds:.2f} CPU s")
    print(f"{'stop':>6} {'pairs':>6} {'P':>6} {'R':>6} {'F':>6} {'B3 P':>6} {'B3 R':>6} {'B3 F':>6} {'largest':>8}")
    measured = {}
    for stop in sorted({*OTHER_STOPS, model.stop}):
        reaching = [pair for pair, weight in weights if weight >= stop]
        found = cluster(truth, reaching)
        measured[stop] = measure(truth, found)
        print_line(stop, len(reaching), measured[stop], max(Counter(found.values()).values(), default=0))
    return measured


def read_task(task: Task, limit: int) -> tuple[list[Record], dict[str, str]]:
    """Return the records of a task and, by record id, whom each is about."""
    records, truth = [], {}
    with (DATA / task.path).open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, skipinitialspace=True)):
            if number == limit:
                break
            record = make_record(task, number, row)
            records.append(record)
            truth[record.id] = task.find_truth(row)
    return records, truth


def make_record(task: Task, number: int, row: Row) -> Record:
    """Return a row as a record, without the values that cannot be cleaned."""
    properties = {name: tuple(clean(name, read(row))) for name, read in task.properties.items()}
    said = {name: values for name, values in properties.items() if values}
    return Record("Person", task.name, str(number), LABEL, "0" * 64, number, said, NOW)


def clean(name: str, value: str) -> Iterator[str]:
    """Yield the cleaned value, or nothing."""
    try:
        yield default_ontology()["Person"].properties[name].type.clean(value)
    except InvalidValue:
        return


def cluster(records: Iterable[str], pairs: Iterable[Pair]) -> dict[str, str]:
    """Return, by record, a name for its connected component."""
    parent = {record: record for record in records}

    def find_root(record: str) -> str:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for pair in pairs:
        parent[find_root(pair.right)] = find_root(pair.left)
    return {record: find_root(record) for record in parent}


def measure(truth: Mapping[str, str], found: Mapping[str, str]) -> Quality:
    """Return how well what was found agrees with the truth."""
    both = Counter((truth[record], found[record]) for record in truth)
    true_sizes, found_sizes = Counter(truth.values()), Counter(found.values())
    right = count_pairs(both.values())
    records = len(truth) or 1
    return Quality(
        pair_precision=right / (count_pairs(found_sizes.values()) or 1),
        pair_recall=right / (count_pairs(true_sizes.values()) or 1),
        record_precision=sum(n * n / found_sizes[name] for (_, name), n in both.items()) / records,
        record_recall=sum(n * n / true_sizes[name] for (name, _), n in both.items()) / records,
    )


def count_pairs(sizes: Iterable[int]) -> int:
    """Return how many pairs lie within groups of these sizes."""
    return sum(size * (size - 1) // 2 for size in sizes)


def print_line(stop: float, pairs: int, quality: Quality, largest: int) -> None:
    """Print the figures at one stop."""
    figures = (
        quality.pair_precision, quality.pair_recall, quality.pair_f,
        quality.record_precision, quality.record_recall, quality.record_f,
    )  # fmt: skip
    print(f"{stop:6.1f} {pairs:6d} " + " ".join(f"{figure:6.3f}" for figure in figures) + f" {largest:8d}")


def print_goals(measured: Mapping[str, Mapping[float, Quality]], stop: float) -> None:
    """Print one line for each goal."""
    goals = [
        ("fake_1000_b3", measured["fake_1000"][stop].record_f, 0.90),
        ("febrl3_b3", measured["febrl3"][stop].record_f, 0.95),
    ]
    goals += [(f"{name}_precision", qualities[stop].pair_precision, 0.95) for name, qualities in measured.items()]
    print()
    for name, value, goal in goals:
        print(f"GOAL resolution_{name} measured={value:.4f} goal>={goal} {'met' if value >= goal else 'missed'}")


if __name__ == "__main__":
    main()
