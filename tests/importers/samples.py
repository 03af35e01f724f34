"""Small invented files of every format, and the delivery that they come in."""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importers.assembly import Item
from importers.delivery import Delivery
from importers.mapping import FileMapping, make_mapping
from importers.registry import read_file
from ontology.label import Label
from ontology.record import Link, Record
from ontology.rejection import Rejection
from ontology.source import Source

LABEL = Label(handling="H0", tlp="GREEN", pap="GREEN", category="other", owner="Blue Harbour")

# Published vectors of BIP 173 and EIP 55, which belong to nobody.
BITCOIN = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
BITCOIN_WRONG = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

PAGE = f"""<!doctype html><html lang="en"><head><title>Farm work abroad</title>
<script type="application/ld+json">{{"@context": "https://schema.org", "@type": "JobPosting",
 "title": "Fruit picker", "description": "Write to jobs@harvest.example", "datePosted": "2026-02-03"}}</script>
<style>p {{ color: red }}</style></head><body>
<p>We look for young people for work on a farm in the south, housing included, no papers needed.</p>
<p>Call +40 721 234 567 today. Pay the fee to {BITCOIN}.</p>
<a href="https://t.me/harvest_boss">Telegram</a> <a href="/about">About</a></body></html>"""

TAGPACK = f"""title: Harbour pack
creator: Blue Harbour
currency: BTC
confidence: web_crawl
source: https://harbour.example/list
lastmod: 2026-01-02
tags:
- address: {BITCOIN}
  label: Grey Market
  actor: greymarket
  category: market
- address: "{ETHEREUM}"
  currency: ETH
  label: Grey Market
  actor: greymarket
- tx_hash: {"ab" * 32}
  label: Fee
"""

AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
PERSON = "identity--00000000-0000-4000-8000-000000000001"
GROUP = "identity--00000000-0000-4000-8000-000000000002"
WALLET = "cryptocurrency-wallet--00000000-0000-4000-8000-000000000003"

STIX: dict[str, Any] = {
    "type": "bundle",
    "id": "bundle--00000000-0000-4000-8000-00000000000f",
    "objects": [
        {
            "type": "relationship",
            "spec_version": "2.1",
            "id": "relationship--00000000-0000-4000-8000-000000000004",
            "relationship_type": "member-of",
            "source_ref": PERSON,
            "target_ref": GROUP,
            "object_marking_refs": [AMBER],
        },
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": PERSON,
            "identity_class": "individual",
            "name": "Mara Invented",
            "description": "Recruits for the group",
            "contact_information": "mara@harvest.example",
            "object_marking_refs": [AMBER],
            "granular_markings": [{"marking_ref": RED, "selectors": ["contact_information"]}],
        },
        {"type": "identity", "spec_version": "2.1", "id": GROUP, "identity_class": "organization", "name": "Harvest"},
        {"type": "cryptocurrency-wallet", "spec_version": "2.1", "id": WALLET, "value": BITCOIN, "holder_ref": GROUP},
    ],
}

ENTITIES: list[dict[str, Any]] = [
    {"id": "p1", "schema": "Person", "properties": {"name": ["Mara Invented"], "addressEntity": ["a1"]}},
    {"id": "a1", "schema": "Address", "properties": {"full": ["1 Quay, Harbourtown"], "country": ["ro"]}},
    {"id": "c1", "schema": "PublicBody", "properties": {"name": ["Harbour Office"]}, "datasets": ["made_up"]},
    {
        "id": "o1",
        "schema": "Directorship",
        "properties": {"director": ["p1"], "organization": ["c1"], "role": ["head"]},
    },
]

TABLE = """id,name,phone,born,note
7,Mara Invented,+40 721 234 567,03/02/1990,seen twice
8,Ion Imagined,,1988-05-06,
"""

MAPPING: dict[str, Any] = {
    "entities": {
        "person": {
            "schema": "Person",
            "keys": ["id"],
            "properties": {
                "name": {"column": "name", "required": True},
                "birthDate": {"column": "born", "format": "%d/%m/%Y"},
            },
        },
        "phone": {"schema": "Phone", "keys": ["phone"], "properties": {"number": {"column": "phone"}}},
    },
    "links": [{"schema": "Contact", "left": "phone", "right": "person", "properties": {"role": {"literal": "own"}}}],
}

PAGES = (
    '{"format": "json-pages-1.0", "id": "pages", "title": "All"}\n'
    '{"id": "1", "url": "https://harvest.example/", "title": "Harvest", "ts": "2026-02-03T04:05:06Z", "seed": true}\n'
)


def make_warc(
    body: str = PAGE, *, url: str = "https://harvest.example/jobs", date: str = "2026-02-03T04:05:06Z"
) -> bytes:
    """Return one WARC response record."""
    payload = body.encode()
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + payload
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: {date}\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000009>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def make_lines(values: Iterable[Any]) -> str:
    """Return JSON lines."""
    return "".join(f"{json.dumps(value)}\n" for value in values)


SAMPLES: dict[str, bytes] = {
    "warc": make_warc(),
    "warc.gz": gzip.compress(make_warc(), mtime=0),
    "stix": json.dumps(STIX).encode(),
    "followthemoney": make_lines(ENTITIES).encode(),
    "pages": PAGES.encode(),
    "tagpack": TAGPACK.encode(),
    "csv": TABLE.encode(),
}


def make_delivery(mapping: FileMapping | None = None, **parts: Any) -> Delivery:
    """Return the delivery of a file from an invented source."""
    return Delivery(
        source=Source("harbour", "Blue Harbour"),
        label=LABEL,
        capture="c" * 64,
        file="in.dat",
        recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
        mapping=mapping,
        **parts,
    )


def read(folder: Path, content: bytes | str, mapping: dict[str, Any] | None = None, **parts: Any) -> list[Item]:
    """Write content to a file and return what importing it yields."""
    path = folder / "in.dat"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    made = None if mapping is None else make_mapping(mapping, "map.yaml")
    return list(read_file(path, make_delivery(made, **parts)))


def records(items: Iterable[Item], schema: str | None = None) -> list[Record]:
    """Return the records, of one schema if named."""
    return [item for item in items if isinstance(item, Record) and schema in (None, item.schema)]


def links(items: Iterable[Item], schema: str | None = None) -> list[Link]:
    """Return the links, of one schema if named."""
    return [item for item in items if isinstance(item, Link) and schema in (None, item.schema)]


def rejections(items: Iterable[Item]) -> list[Rejection]:
    """Return the rejections."""
    return [item for item in items if isinstance(item, Rejection)]
