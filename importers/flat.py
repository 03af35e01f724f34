"""Flat tables: one record a row, as a small mapping says, to be compared without a store.

A mapping is a YAML file::

    schema: Person
    id: unique_id                # the column that names a row; no two rows may share a value
    csv: {delimiter: ";"}        # only where the first line leaves it open
    properties:
      lastName: surname          # a column
      name: [name, known_as]     # several columns, one value each
      birthDate: {column: born, format: "%d/%m/%Y"}
      address: {columns: [street, town], join: ", "}
      alias: {column: aliases, split: ";"}

A property takes ``column``, ``columns``, ``join``, ``literal``, ``split`` and
``format`` as in the mapping of an import. CSV, TSV, JSON lines and Parquet are
told apart by content, and the first three may be gzip. Columns of JSON lines
and Parquet may be dotted paths.

A table is read as a whole or not at all: whoever lost a row here would find it
missing in the answer. Values that do not clean are left out and counted.
"""

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from importers.guard import StrictJson, load_yaml, open_bytes, parse_json, read_head
from importers.mapping import PropertyMapping, check_keys, get_mapping, get_text, read_delimiter, read_property
from importers.table import Fault, Row, iter_json_rows, open_csv, read_texts, read_values
from ontology.errors import InvalidData, InvalidValue, UnusableSource, describe_kind
from ontology.label import Label
from ontology.record import Record
from ontology.schema import Ontology, Schema, default_ontology

DELIMITERS = ",;\t|"

_TOP_KEYS = ("schema", "id", "csv", "properties")
_PROPERTY_KEYS = ("column", "columns", "join", "literal", "split", "format")
_PARQUET_MAGIC = b"PAR1"
_BOM = b"\xef\xbb\xbf"
_SOURCE = "table"
_LABEL = Label()
_PLAIN = "text or a number"
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)

# Opens a Parquet file for some columns and returns the names of all that it has, and rows as Python values.
ParquetReader = Callable[[Path, frozenset[str]], tuple[list[str], Iterator[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class FlatMapping:
    """What the columns of some tables are, checked against the ontology.

    Several columns of one property that are not joined are several entries of
    `properties`, so that each can be answered for. `delimiter` is None where
    the first line of a table decides. `file` is the name for errors.
    """

    file: str
    schema: str
    id: str
    properties: tuple[PropertyMapping, ...]
    delimiter: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Every column in use, and the key of the mapping that asks for it."""
        asked = {column: f"properties.{prop.name}" for prop in self.properties for column in prop.columns}
        return {**asked, self.id: "id"}


def read_flat_mapping(path: Path, *, ontology: Ontology | None = None) -> FlatMapping:
    """Read a mapping file and check it against the ontology.

    Raises InvalidData, naming file and key, for a fault.
    """
    return make_flat_mapping(load_yaml(path), path.name, ontology=ontology)


def make_flat_mapping(data: Mapping[str, Any], name: str, *, ontology: Ontology | None = None) -> FlatMapping:
    """Check what a mapping file says; `name` begins the path in errors."""
    check_keys(data, _TOP_KEYS, name)
    schema = _read_schema(data, name, ontology or default_ontology())
    column = get_text(data, "id", name)
    if not column:
        raise InvalidData("the column that names a row", "none", path=f"{name}: id")
    properties = get_mapping(data, "properties", name)
    if not properties:
        raise InvalidData("at least one property", "none", path=f"{name}: properties")
    made: list[PropertyMapping] = []
    for key, spec in properties.items():
        path = f"{name}: properties.{key}"
        if key not in schema.properties:
            raise InvalidData(f"a property of {schema.name}", "another name", path=path)
        made += _split_columns(read_property(key, _spell_out(spec), path, allowed=_PROPERTY_KEYS))
    return FlatMapping(name, schema.name, column, tuple(made), read_delimiter(data, name))


class Found(NamedTuple):
    """A text for a property, and what to call its place when it does not clean."""

    property: str
    path: str
    text: str


class Cleaner:
    """Makes records of found values, cleaned by the types of their properties, and counts what it leaves out.

    `left_out` counts by where the values were (a column, a property) and what
    was expected there.
    """

    def __init__(self) -> None:
        self.left_out: Counter[tuple[str, str]] = Counter()

    def make_record(self, schema: Schema, key: str, found: Iterable[Found]) -> Record:
        """Return a record of what can be cleaned, which may be nothing."""
        properties: dict[str, dict[str, None]] = {}
        for name, path, text in found:
            try:
                # A dict, to keep order and drop what is said twice.
                properties.setdefault(name, {})[_clean(schema, name, text)] = None
            except InvalidValue as fault:
                self.left_out[path, fault.expected] += 1
        return Record(
            schema=schema.name,
            source=_SOURCE,
            source_key=key,
            label=_LABEL,
            capture="",
            sequence=0,
            properties={name: tuple(values) for name, values in properties.items() if values},
            recorded_at=_NO_TIME,
        )


class FlatReader:
    """Reads tables under one mapping, once."""

    def __init__(self, mapping: FlatMapping, *, read_parquet: ParquetReader, ontology: Ontology | None = None) -> None:
        self.cleaner = Cleaner()
        self._mapping = mapping
        self._columns = mapping.columns
        self._schema = (ontology or default_ontology())[mapping.schema]
        self._read_parquet = read_parquet
        self._places: dict[str, str] = {}

    @property
    def ids(self) -> list[str]:
        """The ids of the records read so far, in order."""
        return list(self._places)

    def iter_records(self, paths: Iterable[Path]) -> Iterator[Record]:
        """Stream the record of each row of each table.

        Raises InvalidData for a row that cannot be read, has no id or one that
        another row has, and for a table without a column of the mapping.
        """
        for path in paths:
            for row in self._iter_rows(path):
                id_ = self._take_id(row, str(path))
                yield self.cleaner.make_record(self._schema, id_, self._iter_found(row))

    def _iter_rows(self, path: Path) -> Iterator[Row]:
        missing: set[str] = set()
        with ExitStack() as stack:
            header, rows = self._open(path, stack)
            if header is not None:
                self._check_none({column for column in self._columns if not _may_hold(header, column)}, path)
            for place, row in enumerate(rows):
                if isinstance(row, Fault):
                    raise UnusableSource(row.expected, row.found, path=f"{path}: {row.where}")
                if place == 0:
                    missing = set(self._columns).difference(header or ())
                if missing:
                    missing = {column for column in missing if not _has_column(row.cells, column)}
                yield row
        self._check_none(missing, path)

    def _open(self, path: Path, stack: ExitStack) -> tuple[list[str] | None, Iterable[Row | Fault]]:
        """Return the names of the columns, None where each row has its own, and the rows."""
        head = _read_start(path)
        if head.startswith(_PARQUET_MAGIC):
            header, rows = self._read_parquet(path, frozenset(self._columns))
            return header, (_settle_row(f"row {number}", cells) for number, cells in enumerate(rows, 1))
        stream = stack.enter_context(open_bytes(path, str(path)))
        if head.startswith(b"{"):
            return None, iter_json_rows(stream, parse_figures)
        return open_csv(stream, self._mapping.delimiter or guess_delimiter(head), str(path))

    def _check_none(self, missing: Iterable[str], path: Path) -> None:
        for column in sorted(missing):
            where = f"{self._mapping.file}: {self._columns[column]}"
            raise InvalidData(f"a column of {path}", f"none by the name {column}", path=where)

    def _take_id(self, row: Row, file: str) -> str:
        where, column = f"{file}: {row.where}", self._mapping.id
        texts = read_texts(row.cells, column)
        if len(texts) != 1:
            raise InvalidData(f"one value in {column}", "several" if texts else "none", path=where)
        if texts[0] in self._places:
            found = f"that of {self._places[texts[0]]}"
            raise InvalidData(f"a value in {column} that no other row has", found, path=where)
        self._places[texts[0]] = where
        return texts[0]

    def _iter_found(self, row: Row) -> Iterator[Found]:
        for prop in self._mapping.properties:
            path = ", ".join(prop.columns) or prop.name
            texts = read_values(row.cells, prop)
            for text in texts:
                yield Found(prop.name, path, text)
            if not texts and any(isinstance(row.cells.get(column), dict) for column in prop.columns):
                self.cleaner.left_out[path, _PLAIN] += 1


class Entity(NamedTuple):
    """One side of a pair to compare: its schema, and its record."""

    schema: Schema
    record: Record


def read_entity(spec: Any, side: str, cleaner: Cleaner, *, ontology: Ontology | None = None) -> Entity:
    """Read ``{"schema": ..., "properties": {name: [values]}}``, a lone value taken as a list of one.

    Properties that the schema does not have are left out and counted. Raises
    InvalidValue for anything else; `side` is what the error calls it.
    """
    known = ontology or default_ontology()
    name = spec.get("schema") if isinstance(spec, dict) else None
    if not isinstance(spec, dict):
        raise InvalidValue(f"a JSON object as {side}", describe_kind(spec))
    if not isinstance(name, str) or name not in known or known[name].is_link:
        raise InvalidValue(f"the name of a schema of things as {side}.schema", "another value")
    if not isinstance(spec.get("properties"), dict):
        raise InvalidValue(f"a JSON object as {side}.properties", describe_kind(spec.get("properties")))
    schema = known[name]
    return Entity(schema, cleaner.make_record(schema, side, _iter_said(schema, spec["properties"], cleaner)))


def _iter_said(schema: Schema, properties: Mapping[str, Any], cleaner: Cleaner) -> Iterator[Found]:
    for key, said in properties.items():
        values = [value for value in (said if isinstance(said, list) else [said]) if value is not None]
        odd = [value for value in values if isinstance(value, dict | list)]
        if key not in schema.properties:
            cleaner.left_out[key, f"a property of {schema.name}"] += len(values)
            continue
        cleaner.left_out[key, _PLAIN] += len(odd)
        yield from (Found(key, key, text) for text in read_texts({key: values}, key))


def parse_figures(text: str) -> Any:
    """Parse JSON as strictly as an import does, but for numbers: those not finite are None, whole ones integers.

    Raises InvalidValue.
    """
    return settle_value(parse_json(text, _FigureJson()))


def settle_value(value: Any) -> Any:
    """Return a value as JSON could say it: no NaN, whole numbers without a fraction, times in ISO 8601.

    Raises UnicodeDecodeError for bytes that are no UTF-8.
    """
    if isinstance(value, dict):
        return {name: settle_value(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [settle_value(part) for part in value]
    if isinstance(value, float | Decimal):
        return _settle_number(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    # Tables of days often hold moments, all of them at midnight.
    if isinstance(value, datetime) and value.time() == time() and value.tzinfo in (None, UTC):
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else value


def guess_delimiter(head: bytes) -> str:
    """Return which of `DELIMITERS` parts the first line of a table in most cells, a comma where none does."""
    line = head.splitlines()[:1] or [b""]
    text = line[0].decode("utf-8", "replace").replace("\0", "")
    return max(DELIMITERS, key=lambda delimiter: _count_cells(text, delimiter))


def _settle_row(where: str, cells: Mapping[str, Any]) -> Row | Fault:
    try:
        return Row(where, settle_value(dict(cells)))
    except UnicodeDecodeError:
        return Fault(where, "UTF-8 text", "other bytes")


def _count_cells(text: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([text], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _settle_number(value: float | Decimal) -> int | str | float | None:
    if not math.isfinite(value):
        return None
    if value == int(value):
        return int(value)
    return value if isinstance(value, float) else format(value.normalize(), "f")


class _FigureJson(StrictJson):
    """A strict decoder to which numbers that are not finite are no values."""

    def read_constant(self, _name: str) -> None:
        """Return no value."""

    def read_float(self, text: str) -> float:
        """Return the number; what is too large becomes infinite, and no value later on."""
        return float(text)


def _read_schema(data: Mapping[str, Any], name: str, ontology: Ontology) -> Schema:
    chosen = get_text(data, "schema", name)
    fit = [schema.name for schema in ontology.things() if schema.model]
    if chosen not in fit:
        found = "none" if chosen is None else "one without" if chosen in ontology else "another name"
        raise InvalidData(f"a schema with a resolution model ({', '.join(fit)})", found, path=f"{name}: schema")
    return ontology[chosen]


def _spell_out(spec: Any) -> Any:
    if isinstance(spec, list):
        return {"columns": spec}
    return spec if isinstance(spec, dict) else {"column": spec}


def _split_columns(prop: PropertyMapping) -> list[PropertyMapping]:
    if prop.join is not None or len(prop.columns) < 2:
        return [prop]
    return [replace(prop, columns=(column,)) for column in prop.columns]


def _read_start(path: Path) -> bytes:
    """Return how a table begins, without a byte order mark."""
    if not path.is_file():
        raise InvalidData("a file", "none by that name" if not path.exists() else "another thing", path=str(path))
    try:
        head = read_head(path)
    except OSError as exc:
        raise InvalidData("a file that can be read", exc.strerror or "an error", path=str(path)) from exc
    start = head.removeprefix(_BOM).lstrip()
    if not start:
        found = "nothing that can be read" if head or path.stat().st_size else "an empty file"
        raise UnusableSource("a table, with a line of column names at least", found, path=str(path))
    return start


def _may_hold(header: Iterable[str], column: str) -> bool:
    """Whether a column, or what it is a part of, is in the header."""
    parts = column.split(".")
    return any(".".join(parts[:length]) in header for length in range(1, len(parts) + 1))


def _has_column(cells: Any, column: str) -> bool:
    """Whether a row has a column, or nothing in the place where it would be."""
    if isinstance(cells, list):
        return not cells or any(_has_column(item, column) for item in cells)
    if not isinstance(cells, dict):
        return cells is None
    head, _, rest = column.partition(".")
    return column in cells or (bool(rest) and head in cells and _has_column(cells[head], rest))


def _clean(schema: Schema, name: str, text: str) -> str:
    return schema.properties[name].type.clean(text)
