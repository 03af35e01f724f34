"""Registry: every format that can be imported, and how each is told from the others.

A file is what its content says: names and extensions are hints for people.
The first format of the table whose `sniff` says yes reads the file; what a
mapping is given for is the table that the mapping says, even if its first rows
are faulty.
"""

import csv
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importers.assembly import Item
from importers.delivery import Delivery
from importers.followthemoney import read_followthemoney
from importers.guard import GZIP_MAGIC, HEAD_BYTES, parse_json, read_head
from importers.mapping import FileMapping
from importers.pages import read_pages
from importers.stix import read_stix
from importers.table import read_table
from importers.tagpack import read_tagpack
from importers.warc import read_warc
from ontology.errors import InvalidValue, UnusableSource
from ontology.rejection import Rejection

CRAWLER = "crawler"
TRACER = "wallet tracer"
AGENCY = "agency export"
TABLE = "table"


@dataclass(frozen=True, slots=True)
class Format:
    """One format: who writes it, which standard it is, how it is told and how it is read.

    `extensions` are a hint for people. `sniff` is asked about the first 64 KiB,
    decompressed; `read` streams what is in a file of this format.
    """

    family: str
    name: str
    standard: str
    version: str
    extensions: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    read: Callable[[Path, Delivery], Iterator[Item]]


def is_warc(head: bytes) -> bool:
    """Say whether this begins with a WARC version line."""
    return head.startswith((b"WARC/1.", b"WARC/0."))


def is_stix(head: bytes) -> bool:
    """Say whether this begins as a STIX bundle or a STIX 2.1 object."""
    if not head.lstrip(_BLANKS).startswith(b"{"):
        return False
    is_bundle = _STIX_BUNDLE_ID.search(head) or (_STIX_BUNDLE.search(head) and _STIX_OBJECTS.search(head))
    return bool(is_bundle or (_STIX_OBJECT.search(head) and _STIX_VERSION.search(head)))


def is_followthemoney(head: bytes) -> bool:
    """Say whether one of the first lines is a FollowTheMoney entity."""
    cut = head[head.rfind(b"\n") + 1 :] if len(head) == HEAD_BYTES else b""
    if cut.startswith(b"{") and _FTM_SCHEMA.search(cut) and _FTM_PROPERTIES.search(cut):
        return True
    return any(
        isinstance(found.get("schema"), str) and isinstance(found.get("properties"), dict)
        for found in _iter_objects(head)
    )


def is_pages(head: bytes) -> bool:
    """Say whether one of the first lines is the header of a page list."""
    return any(str(found.get("format", "")).startswith("json-pages-") for found in _iter_objects(head))


def is_tagpack(head: bytes) -> bool:
    """Say whether this is YAML with tags, and a title, a creator or addresses."""
    return bool(_TAGS.search(head)) and bool(_TAGPACK_KEY.search(head)) and not head.lstrip(_BLANKS).startswith(b"{")


def is_json_lines(head: bytes) -> bool:
    """Say whether one of the first lines is a whole JSON object."""
    return any(_iter_objects(head))


def is_csv(head: bytes) -> bool:
    """Say whether the first lines have the same number of cells, and the first one names them."""
    if _is_binary(head):
        return False
    lines = head.decode("utf-8", errors="replace").removeprefix("\ufeff").split("\n")
    rows = [line.rstrip("\r") for line in lines[:_FIRST_LINES]]
    return any(_is_table(rows, delimiter) for delimiter in (",", ";", "\t", "|"))


FORMATS: tuple[Format, ...] = (
    Format(CRAWLER, "warc", "ISO 28500 WARC", "1.0, 1.1", (".warc", ".warc.gz"), is_warc, read_warc),
    Format(AGENCY, "stix", "OASIS STIX", "2.1", (".json",), is_stix, read_stix),
    Format(AGENCY, "followthemoney", "FollowTheMoney", "4", (".json", ".ijson"), is_followthemoney, read_followthemoney),
    Format(CRAWLER, "pages", "WACZ page list", "json-pages 1.0", (".jsonl",), is_pages, read_pages),
    Format(TRACER, "tagpack", "GraphSense TagPack", "24", (".yaml",), is_tagpack, read_tagpack),
    Format(TABLE, "jsonl", "JSON lines, with a mapping", "", (".jsonl", ".ndjson"), is_json_lines, read_table),
    Format(TABLE, "csv", "CSV or TSV, with a mapping", "RFC 4180", (".csv", ".tsv"), is_csv, read_table),
)  # fmt: skip


def sniff_format(path: Path, mapping: FileMapping | None = None) -> Format:
    """Return the format that a file's content has.

    A mapping says which table it is, unless the content is certainly another
    format: a table whose first rows are faulty is still that table. Raises
    UnusableSource, saying what was found instead, when it has none.
    """
    head = _read_head(path)
    for form in FORMATS:
        is_it = form.sniff(head) if form.family != TABLE or mapping is None else _is_mapped(form, mapping, head)
        if is_it:
            return form
    names = ", ".join(form.name for form in FORMATS)
    raise UnusableSource(f"one of {names}", _describe(head), path=path.name)


def read_file(path: Path, delivery: Delivery) -> Generator[Item, None, None]:
    """Stream a file in the format that its content has.

    Raises UnusableSource when nothing of it can be read; what stops it later is
    the last item, a Rejection, and what came before stays.
    """
    form = sniff_format(path, delivery.mapping)
    count = 0
    try:
        for item in form.read(path, delivery):
            count += 1
            yield item
    except UnusableSource as fault:
        if not count:
            raise
        where = fault.path.removeprefix(delivery.file).removeprefix(": ") or "the rest"
        yield Rejection(delivery.file, where, fault.expected, fault.found)


_BLANKS = b"\xef\xbb\xbf \t\r\n"
_STIX_BUNDLE_ID = re.compile(rb'"id"\s*:\s*"bundle--')
_STIX_OBJECTS = re.compile(rb'"objects"\s*:\s*\[')
_STIX_BUNDLE = re.compile(rb'"type"\s*:\s*"bundle"')
_STIX_OBJECT = re.compile(rb'"type"\s*:\s*"[a-z0-9-]{3,250}"')
_STIX_VERSION = re.compile(rb'"spec_version"\s*:\s*"2\.1"')
_FTM_SCHEMA = re.compile(rb'"schema"\s*:\s*"[A-Z]')
_FTM_PROPERTIES = re.compile(rb'"properties"\s*:\s*\{')
_TAGS = re.compile(rb"^tags[ \t]*:", re.MULTILINE)
_TAGPACK_KEY = re.compile(rb"^(?:title|creator|[ \t]*- (?:address|tx_hash))[ \t]*:", re.MULTILINE)

# Among so many lines one faulty line must not hide what the others are.
_FIRST_LINES = 20
_UTF16 = "UTF-16 text (UTF-8 is needed)"
# What people drop in by mistake, by its first bytes.
_MAGICS = {
    b"PK\x03\x04": "a ZIP archive (unpack it first)",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x28\xb5\x2f\xfd": "zstd data (decompress it first)",
    b"\xfd7zXZ": "xz data (decompress it first)",
    b"BZh": "bzip2 data (decompress it first)",
    b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": _UTF16,
    b"\xfe\xff": _UTF16,
}


def _read_head(path: Path) -> bytes:
    if not path.is_file():
        raise UnusableSource("a file", "a folder" if path.is_dir() else "nothing by that name", path=path.name)
    try:
        head = read_head(path)
    except OSError as exc:
        raise UnusableSource("a readable file", exc.strerror or "an error", path=path.name) from exc
    if head:
        return head
    if path.stat().st_size == 0:
        raise UnusableSource("a file with content", "an empty file", path=path.name)
    raise UnusableSource("gzip data with content", "none, or damaged bytes", path=path.name)


def _is_mapped(form: Format, mapping: FileMapping, head: bytes) -> bool:
    if form.name != ("jsonl" if mapping.format == "jsonl" else "csv") or _is_binary(head):
        return False
    return form.name == "csv" or _has_objects(head)


def _is_binary(head: bytes) -> bool:
    # One NUL is the fault of one row.
    return head.startswith((*_MAGICS, GZIP_MAGIC)) or head.count(0) > head.count(b"\n") + 1


def _has_objects(head: bytes) -> bool:
    """Say whether one of the first lines begins an object, or is so long that none can be seen."""
    if _is_one_document(head):
        return False
    lines = head.split(b"\n")[:_FIRST_LINES]
    return any(line.lstrip(_BLANKS).startswith(b"{") for line in lines) or len(lines) == 1


def _is_one_document(head: bytes) -> bool:
    """Say whether this begins as JSON that is set over many lines."""
    return head.lstrip(_BLANKS).split(b"\n", 1)[0].strip() in (b"[", b"{")


def _is_wide(head: bytes) -> bool:
    """Say whether every other byte is NUL, as in UTF-16 of most European text."""
    fewest, most = sorted(head[at:200:2].count(0) for at in (0, 1))
    return fewest == 0 and most * 4 > len(head[:200])


def _describe(head: bytes) -> str:
    for magic, name in _MAGICS.items():
        if head.startswith(magic):
            return name
    if head.startswith(GZIP_MAGIC):
        return "gzip inside gzip"
    if _is_wide(head):
        return _UTF16
    if b"\0" in head:
        return "binary data"
    start = head.lstrip(_BLANKS)[:1]
    names = {b"{": "JSON of another kind", b"[": "a JSON array (one object a line is needed)", b"<": "HTML or XML"}
    return names.get(start, "text of no known format")


def _iter_objects(head: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects that are whole among the first lines."""
    if _is_one_document(head):
        return
    for line in head.lstrip(_BLANKS).split(b"\n")[:_FIRST_LINES]:
        with suppress(InvalidValue, UnicodeDecodeError):
            value = parse_json(line.decode("utf-8")) if line.lstrip(_BLANKS).startswith(b"{") else None
            if isinstance(value, dict):
                yield value


def _is_table(lines: list[str], delimiter: str) -> bool:
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return False
    if len(rows) < 2 or len(rows[0]) < 2 or len(set(rows[0])) != len(rows[0]) or not all(map(str.strip, rows[0])):
        return False
    return all(len(row) == len(rows[0]) for row in rows[:-1]) and len(rows[0]) >= len(rows[-1])
