"""Page lists: the ``pages.jsonl`` that a crawler puts into a WACZ (json-pages 1.0)."""

from collections.abc import Iterator
from pathlib import Path

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery
from importers.guard import open_bytes
from importers.mapping import EXTRACTS
from importers.mentions import make_mentions
from importers.table import Fault, Row, iter_json_rows
from ontology.record import Record

_PROPERTIES = {"url": "url", "title": "title", "ts": "retrievedAt", "text": "bodyText"}


def read_pages(path: Path, delivery: Delivery) -> Iterator[Item]:
    """Stream a page list: a HyperText for each page, known by its address and moment."""
    assembler = Assembler(delivery)
    with open_bytes(path, delivery.file) as stream:
        for row in iter_json_rows(stream):
            if isinstance(row, Fault):
                yield assembler.reject(*row)
            elif "format" not in row.cells:
                yield from _read_page(assembler, row)


def _read_page(assembler: Assembler, row: Row) -> Iterator[Item]:
    url = row.cells.get("url")
    if not isinstance(url, str) or not url:
        yield assembler.reject(f"{row.where}.url", "the address of a page", "none")
        return
    key = f"{url} {row.cells.get('ts', '')}"
    found = [Found(_PROPERTIES.get(name, ""), name, value) for name, value in row.cells.items()]
    record: Record | None = yield from assembler.make_record("HyperText", key, found, where=row.where)
    text = row.cells.get("text")
    if record is not None and isinstance(text, str):
        yield from make_mentions(assembler, key, text, kinds=EXTRACTS, where=f"{row.where}.text", said={})
