"""Flat tables: what a mapping must say, and what rows become."""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from importers.flat import (
    Cleaner,
    FlatReader,
    guess_delimiter,
    make_flat_mapping,
    parse_figures,
    read_entity,
    settle_value,
)
from ontology.errors import InvalidData, InvalidValue, UnusableSource

MAPPING: dict[str, Any] = {
    "schema": "Person",
    "id": "nr",
    "properties": {"name": ["name", "known_as"], "birthDate": {"column": "born", "format": "%d/%m/%Y"}},
}
HEADER = "nr,name,known_as,born"


def _no_parquet(path: Path, columns: frozenset[str]) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    raise AssertionError(path, columns)


def _reader(mapping: Mapping[str, Any] = MAPPING) -> FlatReader:
    return FlatReader(make_flat_mapping(mapping, "people.yaml"), read_parquet=_no_parquet)


def _write(folder: Path, *lines: str, name: str = "table", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding, newline="")
    return path


def _read(*paths: Path, mapping: Mapping[str, Any] = MAPPING) -> list[dict[str, tuple[str, ...]]]:
    return [dict(record.properties) for record in _reader(mapping).iter_records(paths)]


def test_several_columns_feed_one_property(tmp_path: Path) -> None:
    """A property has a value of each of its columns, once, and a date in the format that the mapping says."""
    path = _write(tmp_path, HEADER, "7,Ada Invented,Ada I.,03/02/1990", "8,Bo Sample,Bo Sample,")

    assert _read(path) == [
        {"name": ("Ada Invented", "Ada I."), "birthDate": ("1990-02-03",)},
        {"name": ("Bo Sample",)},
    ]


def test_cells_are_split_and_joined(tmp_path: Path) -> None:
    """One column may give several values, and several columns one; a literal is in every row."""
    says = {"alias": {"column": "a", "split": ";"}, "name": {"columns": ["b", "c"], "join": " "}}
    mapping = {"schema": "Person", "id": "nr", "properties": {**says, "nationality": {"literal": "ro"}}}
    path = _write(tmp_path, "nr,a,b,c", "1,Nix; Nox,Ada,Invented")

    assert _read(path, mapping=mapping) == [
        {"alias": ("Nix", "Nox"), "name": ("Ada Invented",), "nationality": ("ro",)}
    ]


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_header_tells_the_delimiter(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """Commas, semicolons, tabs and bars are told apart by the first line, with a byte order mark or without."""
    lines = [line.replace(",", delimiter) for line in (HEADER, "7,Ada Invented,,")]
    path = _write(tmp_path, *lines, encoding=encoding)

    assert _read(path) == [{"name": ("Ada Invented",)}]


@pytest.mark.parametrize(
    ("head", "expected"), [(b"nr", ","), (b'"a;b;c",d\n', ","), (b"a,b;c;d\r\nx,y,z,w", ";"), (b"", ",")]
)
def test_the_delimiter_parts_most_cells_of_the_first_line(head: bytes, expected: str) -> None:
    """What stands in quotes or in later lines does not count; a lone column has a comma."""
    assert guess_delimiter(head) == expected


def test_the_mapping_may_say_the_delimiter(tmp_path: Path) -> None:
    """What the mapping says of the delimiter stands above the guess."""
    mapping = {"schema": "Person", "id": "nr", "csv": {"delimiter": "#"}, "properties": {"name": "a,b,c"}}

    assert _read(_write(tmp_path, "nr#a,b,c", "1#Ada"), mapping=mapping) == [{"name": ("Ada",)}]


def test_json_lines_and_gzip_are_told_by_content(tmp_path: Path) -> None:
    """The same rows as JSON lines, compressed or not, give the same records as the CSV."""
    line = json.dumps({"nr": 7, "name": "Ada Invented", "known_as": None, "born": "03/02/1990"})
    plain = _write(tmp_path, line, name="rows.csv")
    packed = tmp_path / "rows.txt"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert _read(plain) == _read(packed) == [{"name": ("Ada Invented",), "birthDate": ("1990-02-03",)}]


def test_parquet_is_read_by_what_is_given_for_it(tmp_path: Path) -> None:
    """A file that begins with PAR1 goes to the Parquet reader, which is asked for the columns in use."""
    path = tmp_path / "table.csv"
    path.write_bytes(b"PAR1...")
    asked = []

    def read(_: Path, columns: frozenset[str]) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
        asked.append(columns)
        return [*columns], iter([{"nr": 7.0, "name": b"Ada", "known_as": float("nan"), "born": None}])

    reader = FlatReader(make_flat_mapping(MAPPING, "m"), read_parquet=read)

    assert [(r.source_key, r.properties) for r in reader.iter_records([path])] == [("7", {"name": ("Ada",)})]
    assert asked == [frozenset({"nr", "name", "known_as", "born"})]


def test_values_that_do_not_clean_are_counted_by_column(tmp_path: Path) -> None:
    """A value that its type refuses is left out and counted with what was expected, and the row stays."""
    reader = _reader()
    path = _write(tmp_path, HEADER, f"1,{'x' * 10_000_000},Ada,tomorrow", "2,Bo,,yesterday")

    records = list(reader.iter_records([path]))

    assert [record.properties for record in records] == [{"name": ("Ada",)}, {"name": ("Bo",)}]
    counts = {(column, expected[:6]): count for (column, expected), count in reader.cleaner.left_out.items()}
    assert counts == {("name", "a name"): 1, ("born", "a date"): 2}


def test_ids_keep_the_order_of_the_tables(tmp_path: Path) -> None:
    """Ids are those of the rows in the order of the tables, each record a thing of its own."""
    reader = _reader()
    paths = [_write(tmp_path, HEADER, "b,Ada,,", "a,Ada,,", name="1"), _write(tmp_path, HEADER, "0,Ada,,", name="2")]

    things = {record.thing for record in reader.iter_records(paths)}

    assert reader.ids == ["b", "a", "0"]
    assert len(things) == 3


def test_a_repeated_id_names_both_rows(tmp_path: Path) -> None:
    """An id that stands in two rows, be it of two tables, is an error that says where both are."""
    one, two = _write(tmp_path, HEADER, "1,A,,", "2,B,,", name="one"), _write(tmp_path, HEADER, "2,C,,", name="two")

    with pytest.raises(InvalidData, match=r"two: line 2: expected a value in nr that .*one: line 3"):
        _read(one, two)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (" ,Ada,,", "line 2: expected one value in nr, found none"),
        ("1,Ada,", "line 2: expected 4 cells, found 3"),
        ('1,Ada,,"', "line 2: expected a closing quote, found the end of the file"),
        ('1,Ada,,"\n2,Bo,,', "line 2: expected CSV with quotes in pairs, found other text"),
        ("1,Ad\0a,,", "line 2: expected text without NUL, found a NUL"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, line: str, message: str) -> None:
    """No row is lost in silence: one without id, or of another length, ends it with its table and line."""
    with pytest.raises(InvalidData, match=message):
        _read(_write(tmp_path, HEADER, line))


@pytest.mark.parametrize(
    "content", ["nr,name,born", "nr,name,born\n1,Ada,", '{"nr": 1, "name": "Ada", "born": null}\n{"nr": 2}']
)
def test_a_missing_column_is_named_with_its_key(tmp_path: Path, content: str) -> None:
    """A column that no row of a table has is an error that names mapping, key, table and column."""
    path = _write(tmp_path, content)

    with pytest.raises(InvalidData, match=r"people.yaml: properties.name: .*table, found none by the name known_as"):
        _read(path)


def test_a_dotted_path_under_nothing_is_no_missing_column(tmp_path: Path) -> None:
    """Where JSON lines have no object or an empty list on the way, the column is empty and not missing."""
    mapping = {"schema": "Person", "id": "nr", "properties": {"name": "who.name", "alias": "also.name"}}
    path = _write(tmp_path, '{"nr": 1, "who": null, "also": []}', '{"nr": 2, "who": null, "also": [{"name": "Ada"}]}')

    assert _read(path, mapping=mapping) == [{}, {"alias": ("Ada",)}]


def test_an_object_in_place_of_a_value_is_counted(tmp_path: Path) -> None:
    """A column that holds an object says nothing for the property and is counted."""
    reader = _reader({"schema": "Person", "id": "nr", "properties": {"name": "who"}})

    records = list(reader.iter_records([_write(tmp_path, '{"nr": 1, "who": {"name": "Ada"}}')]))

    assert [record.properties for record in records] == [{}]
    assert reader.cleaner.left_out == {("who", "text or a number"): 1}


def test_a_header_alone_gives_no_record(tmp_path: Path) -> None:
    """A table without rows is read as no records, an empty file is an error."""
    assert _read(_write(tmp_path, HEADER)) == []
    with pytest.raises(UnusableSource, match="an empty file"):
        _read(_write(tmp_path))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"schema": "Persn"}, "schema"),
        ({"schema": "Phone"}, "schema"),
        ({"schema": None}, "schema"),
        ({"id": None}, "id"),
        ({"format": "csv"}, "format"),
        ({"csv": {"delimiter": "::"}}, "csv.delimiter"),
        ({"properties": {}}, "properties"),
        ({"properties": {"nam": "name"}}, "properties.nam"),
        ({"properties": {"name": None}}, "properties.name"),
        ({"properties": {"name": [1]}}, "properties.name.columns"),
        ({"properties": {"name": {"column": "a", "required": True}}}, "properties.name.required"),
        ({"properties": {"birthDate": {"column": "a", "format": "%d"}}}, "properties.birthDate.format"),
    ],
)
def test_a_fault_of_a_mapping_names_its_key(change: dict[str, Any], key: str) -> None:
    """A mapping that cannot be used is one error with file and key."""
    with pytest.raises(InvalidData) as fault:
        make_flat_mapping({**MAPPING, **change}, "people.yaml")

    assert fault.value.path.startswith("people.yaml")
    assert fault.value.path.endswith(key)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.0, 3),
        (-0.0, 0),
        (2.5, 2.5),
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("7.00"), 7),
        (Decimal("7.50"), "7.5"),
        (Decimal("NaN"), None),
        (True, True),
        (date(1990, 2, 3), "1990-02-03"),
        (datetime(1990, 2, 3), "1990-02-03"),
        (datetime(1990, 2, 3, 4, 5, tzinfo=UTC), "1990-02-03T04:05:00+00:00"),
        ({"a": (1.0, [b"x"])}, {"a": [1, ["x"]]}),
    ],
)
def test_values_are_settled_as_json_could_say_them(value: Any, expected: Any) -> None:
    """Whole numbers lose their fraction, what is no number is no value, a moment at midnight is a day."""
    settled = settle_value(value)

    assert settled == expected
    assert type(settled) is type(expected)


def test_json_that_pandas_writes_is_read() -> None:
    """NaN, infinities and numbers too large are no values, and not faults."""
    assert parse_figures('{"a": NaN, "b": [-Infinity, 1e999, 4.0]}') == {"a": None, "b": [None, None, 4]}


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{", "[" * 100_000, '{"a": "\\ud800"}'])
def test_other_json_is_refused(text: str) -> None:
    """A key twice, a syntax error, a tree without end and a lone surrogate are faults."""
    with pytest.raises(InvalidValue):
        parse_figures(text)


def test_one_side_of_a_pair_takes_lists_and_lone_values() -> None:
    """A lone value is a list of one; nothing is no value; unknown properties and objects are counted."""
    cleaner = Cleaner()
    said = {"name": "Ada", "birthDate": [1990, None], "shoeSize": ["1", "2"], "alias": [{"a": 1}]}

    entity = read_entity({"schema": "Person", "id": "x", "properties": said}, "left", cleaner)

    assert entity.schema.name == "Person"
    assert entity.record.properties == {"name": ("Ada",), "birthDate": ("1990",)}
    assert +cleaner.left_out == {("shoeSize", "a property of Person"): 2, ("alias", "text or a number"): 1}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (None, "a JSON object as left, found nothing"),
        ({"properties": {}}, "schema of things as left.schema"),
        ({"schema": "Ownership", "properties": {}}, "schema of things as left.schema"),
        ({"schema": "Person"}, "a JSON object as left.properties, found nothing"),
    ],
)
def test_a_side_that_cannot_be_read_says_why(spec: Any, message: str) -> None:
    """A side must be an object with the name of a schema and an object of properties."""
    with pytest.raises(InvalidValue, match=message):
        read_entity(spec, "left", Cleaner())
