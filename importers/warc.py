"""WARC: what a crawler fetched, ISO 28500 (1.0 and 1.1), compressed or not.

Each page becomes a HyperText, known by its address and the moment of fetching;
what its text and links mention becomes records linked to it; schema.org offers
and job postings on it become Advertisements.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery
from importers.guard import MAX_LINE_BYTES, open_bytes
from importers.mapping import EXTRACTS
from importers.mentions import make_mentions
from importers.page import Page, read_page, read_plain
from ontology.errors import UnusableSource

MAX_PAYLOAD_BYTES = MAX_LINE_BYTES

_HTML = ("text/html", "application/xhtml+xml")
_MAX_HEADER_BYTES = 64 * 2**10
_WANTED = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.revisit | WarcRecordType.conversion
# What schema.org says of an advert, and which property of ours it is; the rest is unplaced.
_ADVERT_PROPERTIES = {
    "name": "title",
    "title": "title",
    "description": "bodyText",
    "price": "price",
    "priceCurrency": "currency",
    "datePosted": "publishedAt",
    "validThrough": "expiresAt",
    "inLanguage": "language",
    "category": "category",
    "industry": "industry",
    "employmentType": "employmentType",
    "hiringOrganization": "hiringOrganization",
    "experienceRequirements": "experienceRequirements",
    "educationRequirements": "educationRequirements",
    "jobBenefits": "benefits",
    "qualifications": "requirements",
}


def read_warc(path: Path, delivery: Delivery) -> Iterator[Item]:
    """Stream a WARC file's responses, resources, conversions and revisits as pages.

    Raises UnusableSource where the archive breaks off or stops being one.
    """
    assembler = Assembler(delivery)
    with open_bytes(path, delivery.file) as stream:
        records = ArchiveIterator(
            stream, record_types=_WANTED, parse_http=True, auto_decode="all", max_header_len=_MAX_HEADER_BYTES
        )
        number = 0
        while (record := _read_next(records, delivery.file, number)) is not None:
            number += 1
            yield from _read_record(assembler, record, f"record {number}")


def _read_next(records: ArchiveIterator, file: str, number: int) -> WarcRecord | None:
    try:
        return next(records, None)
    except UnusableSource:
        raise
    except BaseException as exc:
        # A panic in the reader's own language is no Exception, and says so by its name alone.
        if not isinstance(exc, OSError | ValueError | EOFError) and type(exc).__name__ != "PanicException":
            raise
        where = f"{file}: after page {number}"
        raise UnusableSource("a whole WARC record", "damaged bytes, or an early end", path=where) from exc


def _read_record(assembler: Assembler, record: WarcRecord, where: str) -> Iterator[Item]:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<>")
    if record.record_date is None:
        yield assembler.reject(f"{where}.WARC-Date", "a moment in ISO 8601", "another value, or none")
        return
    if not url.startswith(("http://", "https://")):
        # Lookups of names, and what the crawler says of itself.
        return
    payload = _read_payload(record)
    if payload is None:
        raise UnusableSource("a whole WARC record", "an early end", path=f"{assembler.delivery.file}: {where}")
    fetched_at = record.record_date.astimezone(UTC)
    key = f"{url} {fetched_at.isoformat()}"
    page = _read_page(record, payload)
    made = yield from assembler.make_record(
        "HyperText", key, _describe_page(record, url, fetched_at, page, payload), where=where
    )
    if made is not None and page is not None:
        yield from _read_mentions(assembler, key, url, page, where)
        yield from _read_adverts(assembler, key, url, fetched_at, page, where)


def _read_payload(record: WarcRecord) -> bytes | None:
    """Return the payload up to the bound, None when the file ends before it does."""
    try:
        payload = record.reader.read(MAX_PAYLOAD_BYTES)
    except (OSError, ValueError, EOFError):
        return None
    has_coding = record.http_headers is not None and any(
        name.lower() in ("content-encoding", "transfer-encoding") for name, _ in record.http_headers.items()
    )
    if not has_coding and len(payload) < min(record.content_length, MAX_PAYLOAD_BYTES):
        return None
    return bytes(payload)


def _read_page(record: WarcRecord, payload: bytes) -> Page | None:
    if not payload:
        return None
    stated = record.http_content_type or (record.headers.get("Content-Type") or "").split(";")[0].strip().lower()
    if stated in _HTML or (not stated and payload.lstrip()[:1] == b"<"):
        return read_page(payload, record.http_charset)
    return read_plain(payload, record.http_charset) if stated.startswith("text/plain") else None


def _describe_page(
    record: WarcRecord, url: str, fetched_at: datetime, page: Page | None, payload: bytes
) -> Iterator[Found]:
    yield Found("url", "WARC-Target-URI", url)
    yield Found("retrievedAt", "WARC-Date", fetched_at.isoformat())
    if payload:
        yield Found("contentHash", "payload", hashlib.sha256(payload).hexdigest())
        yield Found("mimeType", "Content-Type", record.http_content_type or record.headers.get("Content-Type"))
    if page is not None:
        yield Found("title", "title", page.title)
        yield Found("bodyText", "text", page.text)
        yield Found("language", "language", page.language)
    for name in ("WARC-Record-ID", "WARC-Payload-Digest", "WARC-IP-Address", "WARC-Refers-To-Date"):
        yield Found("", name, record.headers.get(name))
    if record.http_headers is not None:
        yield Found("", "status", record.http_headers.status_code)
    if len(payload) == MAX_PAYLOAD_BYTES:
        yield Found("", "truncated", True)


def _read_mentions(assembler: Assembler, key: str, url: str, page: Page, where: str) -> Iterator[Item]:
    host = urlsplit(url).hostname
    outward = [link for link in page.links if not link.startswith(("/", "#")) and _host(link) != host]
    text = "\n".join((page.title, page.text, *outward))
    yield from make_mentions(assembler, key, text, kinds=EXTRACTS, where=f"{where}.text", said={})


def _host(link: str) -> str | None:
    try:
        return urlsplit(link).hostname
    except ValueError:
        return None


def _read_adverts(
    assembler: Assembler, key: str, url: str, fetched_at: datetime, page: Page, where: str
) -> Iterator[Item]:
    for index, advert in enumerate(page.adverts):
        advert_key = f"{key} advert {index}"
        place = f"{where}.adverts[{index}]"
        found = [
            Found("url", "page", url),
            Found("retrievedAt", "WARC-Date", fetched_at.isoformat()),
            Found("language", "language", page.language),
            *_describe_advert(advert),
        ]
        if (yield from assembler.make_record("Advertisement", advert_key, found, where=place)):
            yield from assembler.make_link("FoundOn", advert_key, key, key=advert_key, where=place)
            text = "\n".join(_iter_texts(advert))
            yield from make_mentions(assembler, advert_key, text, kinds=EXTRACTS, where=place, said={})


def _describe_advert(advert: Mapping[str, Any]) -> Iterator[Found]:
    for name, value in advert.items():
        if name not in ("@context", "url"):
            yield Found(_ADVERT_PROPERTIES.get(name, ""), name, value)
    offer = advert.get("offers")
    if isinstance(offer, dict):
        for name in ("price", "priceCurrency"):
            yield Found(_ADVERT_PROPERTIES[name], f"offers.{name}", offer.get(name))


def _iter_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        # Names with "@" are JSON-LD's own: the address of a vocabulary is nobody's link.
        for name, part in value.items():
            if not name.startswith("@"):
                yield from _iter_texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _iter_texts(part)
