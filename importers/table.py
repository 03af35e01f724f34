"""Tables: rows of CSV, TSV and JSON lines to records and links, as a mapping says."""

import csv
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery, Marked
from importers.guard import MAX_FIELD_CHARS, Line, iter_lines, open_bytes, parse_json
from importers.mapping import EntityMapping, FileMapping, LinkMapping, PropertyMapping
from importers.mentions import make_mentions
from ontology.errors import InvalidData, InvalidValue, UnusableSource
from ontology.record import Record

_LIST_PARTS = ("release", "cases", "compartments", "purposes")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NO_LABEL = ("label columns of this row that give a label", "a wrong one")
_MAPPING_NEEDED = "a mapping that says what the columns are (--mapping FILE)"


class Row(NamedTuple):
    """One row and where it stands (``line 17``)."""

    where: str
    cells: Mapping[str, Any]


class Fault(NamedTuple):
    """One row that cannot be read."""

    where: str
    expected: str
    found: str


def read_table(path: Path, delivery: Delivery) -> Iterator[Item]:
    """Stream a CSV, TSV or JSON lines file through the mapping of its delivery.

    Raises UnusableSource at once when there is no mapping.
    """
    mapping = delivery.mapping
    if mapping is None:
        raise UnusableSource(_MAPPING_NEEDED, "none", path=delivery.file)
    return _iter_table(path, delivery, mapping)


def _iter_table(path: Path, delivery: Delivery, mapping: FileMapping) -> Iterator[Item]:
    reader = _TableReader(Assembler(delivery), mapping)
    with open_bytes(path, delivery.file) as stream:
        rows = iter_json_rows(stream) if mapping.format == "jsonl" else iter_csv_rows(stream, mapping, delivery.file)
        for row in rows:
            if isinstance(row, Fault):
                yield reader.assembler.reject(*row)
            else:
                yield from reader.read_row(row)


def iter_json_rows(stream: BinaryIO, parse: Callable[[str], Any] = parse_json) -> Iterator[Row | Fault]:
    """Stream the objects of JSON lines, empty lines left out.

    `parse` raises InvalidValue for what is no JSON.
    """
    for line in iter_lines(stream):
        where = f"line {line.number}"
        if line.text is None:
            yield Fault(where, *line.fault)
        elif line.text.strip():
            yield _read_json_row(where, line.text, parse)


def iter_csv_rows(stream: BinaryIO, mapping: FileMapping, file: str) -> Iterator[Row | Fault]:
    """Stream the rows of a CSV or TSV file under the names of its first line, empty rows left out.

    Raises UnusableSource when the header lacks a column of the mapping, and
    for what `open_csv` does.
    """
    header, rows = open_csv(stream, mapping.delimiter, file)
    for column in sorted(mapping.columns - set(header)):
        raise UnusableSource(f"the column {column} of the mapping", "none by that name", path=f"{file}: line 1")
    yield from rows


def open_csv(stream: BinaryIO, delimiter: str, file: str) -> tuple[list[str], Iterator[Row | Fault]]:
    """Read the first line of a CSV or TSV file; return its column names and the rows below, empty ones left out.

    Raises UnusableSource for a line that holds no such names, and, while rows
    are read, where quotes are so wrong that no later row can be told.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    marker = _Marker(iter_lines(stream))
    reader = csv.reader(marker, delimiter=delimiter)
    header = _read_header(reader, file)
    if fault := marker.take_fault():
        raise UnusableSource(*fault, path=f"{file}: line 1")
    return header, _iter_cells(reader, marker, header, file)


def _iter_cells(reader: Iterator[list[str]], marker: "_Marker", header: list[str], file: str) -> Iterator[Row | Fault]:
    start = marker.count + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if marker.count > start:
                raise UnusableSource("CSV with quotes in pairs", "other text", path=f"{file}: line {start}") from None
            yield Fault(f"line {start}", "cells in quotes where they hold a line break", "one without")
            start = marker.count + 1
            continue
        if marker.is_done:
            if marker.count > start:
                raise UnusableSource("CSV with quotes in pairs", "other text", path=f"{file}: line {start}")
            yield Fault(f"line {start}", "a closing quote", "the end of the file")
            continue
        where, fault = f"line {start}", marker.take_fault()
        start = marker.count + 1
        if fault:
            yield Fault(where, *fault)
        elif len(cells) == len(header):
            yield Row(where, dict(zip(header, cells, strict=True)))
        elif cells:
            yield Fault(where, f"{len(header)} cells", str(len(cells)))


def read_values(cells: Mapping[str, Any], prop: PropertyMapping) -> list[str]:
    """Return what the cells of a row hold for one property, as text, empty ones left out."""
    if prop.literal is not None:
        return [prop.literal]
    values = [text for column in prop.columns for text in read_texts(cells, column)]
    if prop.join is not None and values:
        values = [prop.join.join(values)]
    if prop.split:
        values = [part for text in values for part in text.split(prop.split)]
    texts = [text.strip() for text in values if text.strip()]
    return [_read_date(text, prop.format) for text in texts] if prop.format else texts


def read_texts(cells: Any, column: str) -> list[str]:
    """Return the texts of one column of a row, which may be a dotted path; empty ones left out."""
    return [text for value in _iter_values(cells, column) if (text := _to_text(value))]


class _Marker:
    """The texts of lines for the CSV reader, counted, with the last fault among them set aside."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.count = 0
        self.is_done = False
        self._lines = lines
        self._fault: tuple[str, str] | None = None

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.count += 1
            if line.text is None:
                self._fault = line.fault
            yield f"{line.text or ''}\n"
        # The CSV reader asks for one line too many only while a quote is open.
        self.is_done = True

    def take_fault(self) -> tuple[str, str] | None:
        fault, self._fault = self._fault, None
        return fault


class _Draft(NamedTuple):
    """What a row says of an entity before it has a label; without key and fault the row does not have it."""

    entity: EntityMapping
    key: str | None = None
    found: list[Found] | None = None
    fault: InvalidValue | None = None

    @property
    def is_absent(self) -> bool:
        return self.key is None and self.fault is None


class _TableReader:
    def __init__(self, assembler: Assembler, mapping: FileMapping) -> None:
        self.assembler = assembler
        self._mapping = mapping
        self._used = mapping.columns

    def read_row(self, row: Row) -> Iterator[Item]:
        """Yield what one row gives: its entities, what is mentioned in them, and its links."""
        drafts = [_make_draft(row, entity) for entity in self._mapping.entities]
        labels = self._read_labels(row, drafts)
        made: dict[str, Record] = {}
        unplaced = list(_iter_unplaced(row.cells, self._used))
        faults = 0
        for draft in drafts:
            where = f"{row.where}.{draft.entity.alias}"
            if draft.fault:
                faults += 1
                yield self.assembler.reject(where, draft.fault.expected, draft.fault.found)
            elif draft.key is not None:
                extra, unplaced = unplaced, []
                if labels is None and _takes_label(draft.entity):
                    faults += 1
                    yield self.assembler.reject(where, *_NO_LABEL)
                elif record := (yield from self._make_record(row, draft, extra, labels or ())):
                    made[draft.entity.alias] = record
        if not made and not faults:
            yield self.assembler.reject(row.where, "a row that gives at least one entity", "none")
        for link in self._mapping.links:
            yield from self._make_link(row, link, made, is_labelled=labels != ())

    def _read_labels(self, row: Row, drafts: Iterable[_Draft]) -> tuple[Marked, ...] | None:
        """Return the labels that label columns say in this row, None when one of them is wrong.

        They count for the rest of the row although their own entity is
        rejected; and if the row does not have it, where they say what those of
        the others do not.
        """
        labelled = [draft for draft in drafts if draft.entity.label_columns]
        chosen = [draft.entity for draft in labelled if not draft.is_absent]
        told = {column for entity in chosen for column in entity.label_columns.values()}
        chosen += [d.entity for d in labelled if d.is_absent and _find_filled(row, d.entity) - told]
        with suppress(InvalidData):
            return tuple(Marked(e.schema, self.assembler.label_for(e.schema, _read_own(row, e))) for e in chosen)
        return None

    def _make_record(
        self, row: Row, draft: _Draft, extra: Iterable[Found], labels: tuple[Marked, ...]
    ) -> Generator[Item, None, Record | None]:
        entity, said = draft.entity, _read_own(row, draft.entity)
        beside = labels if _takes_label(entity) else ()
        found = [*(draft.found or ()), *extra]
        record = yield from self.assembler.make_record(
            entity.schema, draft.key or "", found, where=row.where, said=said, beside=beside
        )
        if record is None:
            return None
        # What stands in a text is as much to be kept as the text.
        text_label = (Marked(record.schema, record.label),) if beside or entity.label_columns else ()
        for prop in entity.properties:
            yield from self._make_mentions(row, record, prop, {} if text_label else said, text_label)
        return record

    def _make_mentions(
        self, row: Row, record: Record, prop: PropertyMapping, said: Mapping[str, Any], beside: tuple[Marked, ...]
    ) -> Iterator[Item]:
        for number, text in enumerate(record.properties.get(prop.name, ()) if prop.extract else ()):
            yield from make_mentions(
                self.assembler,
                record.source_key,
                text,
                kinds=prop.extract,
                where=f"{row.where}.{prop.columns[0] if prop.columns else prop.name}",
                said=said,
                beside=beside,
                part=f"{prop.name}/{number}",
            )

    def _make_link(
        self, row: Row, link: LinkMapping, made: Mapping[str, Record], *, is_labelled: bool
    ) -> Iterator[Item]:
        left, right = made.get(link.left), made.get(link.right)
        if left is None or right is None or (link.when and not read_texts(row.cells, link.when)):
            return
        try:
            key = _read_link_key(row, link, left.source_key, right.source_key)
            found = _read_properties(row, link.properties)
        except InvalidValue as fault:
            yield self.assembler.reject(row.where, fault.expected, fault.found)
            return
        ends = tuple(Marked(end.schema, end.label) for end in (left, right))
        yield from self.assembler.make_link(
            link.schema,
            left.source_key,
            right.source_key,
            found,
            key=key,
            where=row.where,
            said=_read_own(row, link),
            beside=ends if is_labelled and _takes_label(link) else (),
            is_one_of_many=bool(link.properties) and not link.keys,
        )


def _make_draft(row: Row, entity: EntityMapping) -> _Draft:
    try:
        key = _read_key(row, entity)
        return _Draft(entity, key, _read_properties(row, entity.properties) if key else None)
    except InvalidValue as fault:
        return _Draft(entity, fault=fault)


def _takes_label(part: EntityMapping | LinkMapping) -> bool:
    return not part.label_columns and not part.keeps_label


def _read_own(row: Row, part: EntityMapping | LinkMapping) -> dict[str, Any]:
    return {**part.label, **_read_said(row, part.label_columns)}


def _find_filled(row: Row, entity: EntityMapping) -> set[str]:
    return {column for column in entity.label_columns.values() if read_texts(row.cells, column)}


def _read_json_row(where: str, text: str, parse: Callable[[str], Any]) -> Row | Fault:
    try:
        value = parse(text)
    except InvalidValue as fault:
        return Fault(where, fault.expected, fault.found)
    return Row(where, value) if isinstance(value, dict) else Fault(where, "a JSON object", type(value).__name__)


def _read_header(reader: Iterator[list[str]], file: str) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error:
        raise UnusableSource("a line of column names", "other text", path=f"{file}: line 1") from None
    if len(set(header)) != len(header):
        raise UnusableSource("each column name once", "a name twice", path=f"{file}: line 1")
    return header


def _read_key(row: Row, entity: EntityMapping) -> str | None:
    """Return the source key, None when the row does not have this entity."""
    if entity.when and not read_texts(row.cells, entity.when):
        return None
    values = _read_key_values(row, entity.keys)
    if values and not any(values):
        return None
    _check_key_values(values, entity.keys)
    return "/".join((entity.key_literal, *map(_escape, values)))


def _read_link_key(row: Row, link: LinkMapping, left: str, right: str) -> str:
    values = _read_key_values(row, link.keys)
    _check_key_values(values, link.keys)
    # What a link always says tells it apart from another one of the same row between the same ends.
    literals = [prop.literal for prop in link.properties if prop.literal is not None]
    return "/".join(map(_escape, (link.left, link.right, left, right, *literals, *values)))


def _read_key_values(row: Row, columns: Iterable[str]) -> list[str]:
    return ["; ".join(read_texts(row.cells, column)) for column in columns]


def _check_key_values(values: Iterable[str], columns: Iterable[str]) -> None:
    if not all(values):
        raise InvalidValue(f"a value in each of {', '.join(columns)}", "an empty one")


def _escape(value: str) -> str:
    return value.replace("%", "%25").replace("/", "%2F")


def _read_properties(row: Row, properties: Iterable[PropertyMapping]) -> list[Found]:
    found = []
    for prop in properties:
        values = read_values(row.cells, prop)
        if prop.required and not values:
            raise InvalidValue(f"a value for {prop.name}", "none")
        found.append(Found(prop.name, prop.columns[0] if prop.columns else prop.name, values))
    return found


def _read_date(text: str, form: str) -> str:
    with suppress(ValueError):
        return datetime.strptime(text, form).date().isoformat()
    # Left as it is: cleaning says what is wrong with it.
    return text


def _iter_values(cells: Any, column: str) -> Iterator[Any]:
    if isinstance(cells, list):
        for item in cells:
            yield from _iter_values(item, column)
    elif isinstance(cells, dict) and column in cells:
        value = cells[column]
        yield from value if isinstance(value, list) else [value]
    elif isinstance(cells, dict) and "." in column:
        head, rest = column.split(".", 1)
        yield from _iter_values(cells.get(head), rest)


def _to_text(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def _read_said(row: Row, columns: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for part, column in columns.items():
        texts = read_texts(row.cells, column)
        if not texts:
            continue
        if part in _LIST_PARTS:
            said[part] = [item.strip() for text in texts for item in text.split(";") if item.strip()]
        else:
            said[part] = _FLAGS.get(texts[0].lower(), texts[0]) if part in _FLAG_PARTS else texts[0]
    return said


_FLAG_PARTS = ("special", "legal_hold", "minor")


def _iter_unplaced(cells: Mapping[str, Any], used: frozenset[str], prefix: str = "") -> Iterator[Found]:
    for name, value in cells.items():
        path = f"{prefix}{name}"
        if path in used or value is None or value == "":
            continue
        if isinstance(value, dict) and any(column.startswith(f"{path}.") for column in used):
            yield from _iter_unplaced(value, used, f"{path}.")
        elif not isinstance(value, list) or not any(column.startswith(f"{path}.") for column in used):
            yield Found("", path, value)
