"""Tables of people of which it is known who is whom."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ontology.errors import InvalidValue
from ontology.label import Label
from ontology.record import Record
from ontology.schema import Property, default_ontology

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NOW = datetime(2025, 1, 1, tzinfo=UTC)
LABEL = Label()

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One file of records: its columns by property, and what names the person.

    With those that are `tuned` in view the model's numbers were set.
    """

    name: str
    path: str
    properties: Mapping[str, Callable[[Row], str]]
    find_truth: Callable[[Row], str]
    tuned: bool = False


def pick(column: str) -> Callable[[Row], str]:
    """Return what reads one column."""
    return lambda row: row[column]


def join(*columns: str) -> Callable[[Row], str]:
    """Return what reads several columns as one text."""
    return lambda row: " ".join(filter(None, (row[column] for column in columns)))


_FAKE = {
    "firstName": pick("first_name"),
    "lastName": pick("surname"),
    "birthDate": pick("dob"),
    "email": pick("email"),
    "address": pick("city"),
}
_FEBRL = {
    "firstName": pick("given_name"),
    "lastName": pick("surname"),
    "birthDate": pick("date_of_birth"),
    "idNumber": pick("soc_sec_id"),
    "address": join("street_number", "address_1", "suburb", "postcode"),
}
_HISTORICAL = {
    "name": pick("full_name"),
    "birthDate": pick("dob"),
    "birthPlace": pick("birth_place"),
    "gender": pick("gender"),
    "address": pick("postcode_fake"),
    "profession": pick("occupation"),
}
TABLES = (
    Table("fake_1000", "splink_fake_1000/fake_1000.csv", _FAKE, pick("cluster"), tuned=True),
    Table("historical_people", "historical_people/records.csv", _HISTORICAL, pick("cluster"), tuned=True),
    Table("fake_20000", "splink_fake_20000/fake_20000.csv", _FAKE, pick("group")),
    *(
        Table(f"febrl{number}", f"febrl/dataset{number}.csv", _FEBRL, lambda row: row["rec_id"].split("-")[1])
        for number in (1, 2, 3)
    ),
)


def read_table(table: Table, limit: int) -> tuple[list[Record], dict[str, str]]:
    """Return the records of the first rows of a table and, by record id, whom each is about."""
    records, truth = [], {}
    with (DATA / "er" / table.path).open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, skipinitialspace=True)):
            if number == limit:
                break
            record = _read_row(table, number, row)
            records.append(record)
            truth[record.id] = table.find_truth(row)
    return records, truth


def _read_row(table: Table, number: int, row: Row) -> Record:
    said = {name: [read(row)] for name, read in table.properties.items()}
    return make_record(table.name, "Person", number, said)


def make_record(source: str, schema: str, number: int, said: Mapping[str, Iterable[str]]) -> Record:
    """Return the record of what was said, without what the schema does not have and values that cannot be cleaned."""
    properties = default_ontology()[schema].properties
    cleaned = {name: tuple(_clean(properties[name], values)) for name, values in said.items() if name in properties}
    kept = {name: values for name, values in cleaned.items() if values}
    return Record(schema, source, str(number), LABEL, "0" * 64, number, kept, NOW)


def _clean(prop: Property, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        with suppress(InvalidValue):
            yield prop.type.clean(value)
