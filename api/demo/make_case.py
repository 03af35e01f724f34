"""The crawl of the demonstration case: writes ``case/ads.warc.gz`` anew, the same bytes each time.

Everything in the case is invented. German and British numbers are of the
ranges that their regulators keep for film; other countries have none, so
theirs are of blocks of zeros. Names of sites end in .example (RFC 2606), and
nobody has a key to the wallets.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

WARC_FILE = Path(__file__).with_name("case") / "ads.warc.gz"

_SITE = "http://munca-europa.example"
_ONION = "http://5pbjqbqjii2hu2trrg2bv7m2tjuipbazjhiedrj3hw2cvmivq6rkheva.onion"
_FETCHED = "2026-02-1{day}T0{hour}:15:00Z"


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of the crawl; `posting` holds what it says of itself in schema.org terms, empty for nothing."""

    url: str
    language: str
    title: str
    paragraphs: tuple[str, ...]
    posting: dict[str, str]
    links: tuple[str, ...] = ()


_PAGES = (
    _Page(
        f"{_SITE}/ro/hamburg-camerista",
        "ro",
        "Cameriste pentru hotel în Hamburg, plecare imediată",
        (
            "Căutăm femei între 19 și 35 de ani pentru curățenie la hotel în Hamburg. Nu este nevoie de experiență sau de limba germană.",
            "Transportul și cazarea sunt asigurate de firmă și se rețin din primul salariu. Actele se păstrează la coordonator pe durata drumului.",
            "Sunați la Irina: +40 700 000 112 sau scrieți pe t.me/steaua_nord_example",
        ),
        {"datePosted": "2026-02-03", "price": "1900", "priceCurrency": "EUR"},
    ),
    _Page(
        f"{_SITE}/ro/ingrijitoare-batrani",
        "ro",
        "Îngrijitoare bătrâni în Germania, contract pe loc",
        (
            "Familie din nordul Germaniei caută îngrijitoare. Contractul se semnează la sosire, cazare la domiciliu.",
            "Taxa de plasare de 150 EUR se plătește înainte, în criptomonede, la adresa TA5SRrFrGAGpCKnxsBmFbgPFgqMu8hH6dS",
            "Contact: Irina, +40 700 000 112, e-mail locuri@steaua-nord.example",
        ),
        {"datePosted": "2026-02-05", "price": "1600", "priceCurrency": "EUR"},
    ),
    _Page(
        f"{_SITE}/ro/masaj-studio-nord",
        "ro",
        "Salon de masaj angajează, cazare inclusă",
        (
            "Salon de masaj din Hamburg angajează colege noi. Program flexibil, cazare în același imobil, nu este nevoie de diplomă.",
            "Detalii doar prin telefon: +40 700 000 148 sau direct la salon +49 171 3920011",
        ),
        {"datePosted": "2026-02-06"},
    ),
    _Page(
        f"{_SITE}/de/studio-nordlicht",
        "de",
        "Massagestudio Nordlicht sucht Mitarbeiterinnen",
        (
            "Unser Studio in Hamburg sucht freundliche Mitarbeiterinnen, gern auch ohne Vorkenntnisse und ohne Deutsch.",
            "Zimmer im Haus vorhanden, die Miete wird verrechnet. Neue Kolleginnen kommen jede Woche aus Rumänien und der Ukraine.",
            "Telefon +49 171 3920011 oder +49 176 04069031",
        ),
        {"datePosted": "2026-02-07"},
        ("https://t.me/studio_nordlicht_example",),
    ),
    _Page(
        f"{_SITE}/de/zimmermaedchen-hamburg",
        "de",
        "Zimmermädchen für Hotels in Hamburg gesucht",
        (
            "Meridian Personal vermittelt Zimmermädchen an Hotels in Hamburg und Lübeck. Anreise im Bus wird organisiert.",
            "Die Vermittlungsgebühr wird vorab auf 1Ai5f4bNn3zkUNDBXZDWUaboAzLFgT9XNY eingezahlt.",
            "Anmeldung unter anmeldung@meridian-personal.example oder +49 176 04069031",
        ),
        {"datePosted": "2026-02-08", "price": "2100", "priceCurrency": "EUR"},
    ),
    _Page(
        f"{_SITE}/de/baeckerei-aushilfe",
        "de",
        "Aushilfe für Bäckerei in Bremen, samstags",
        (
            "Familienbäckerei in Bremen sucht eine Aushilfe für samstags, fünf Stunden, Lohn nach Tarif und Vertrag vor Arbeitsbeginn.",
            "Bitte melden unter +49 40 66969012",
        ),
        {"datePosted": "2026-02-08", "price": "14", "priceCurrency": "EUR"},
    ),
    _Page(
        f"{_SITE}/en/farm-work-fenland",
        "en",
        "Vegetable harvest in the Fens, start this week",
        (
            "We collect teams of eight from Plovdiv and Ruse. Travel and caravan are arranged, the cost comes off the first six weeks.",
            "No English needed, your team leader keeps the papers safe. Paid weekly in cash or to a wallet.",
            "Ring +44 7700 900118 or write to fields@fenland-harvest.example",
        ),
        {"datePosted": "2026-02-04", "price": "380", "priceCurrency": "GBP"},
    ),
    _Page(
        f"{_SITE}/en/packhouse-night-shift",
        "en",
        "Packhouse night shift, accommodation provided",
        (
            "Night shift packers wanted near Boston. Seven nights, caravan on site shared by six, deposit of 200 GBP.",
            "The deposit can be sent to 0x36823D62ee8aEEDD131e206FAC2CD021cd063bbc before you travel.",
            "Ring +44 7700 900118 or +44 7700 900163",
        ),
        {"datePosted": "2026-02-09", "price": "420", "priceCurrency": "GBP"},
    ),
    _Page(
        f"{_SITE}/en/au-pair-leeds",
        "en",
        "Au pair for two school children in Leeds",
        (
            "Family in Leeds looks for an au pair from April. Own room, thirty hours a week, written agreement in your language beforehand.",
            "Video call first, please: +44 7700 900204",
        ),
        {"datePosted": "2026-02-10"},
    ),
    _Page(
        f"{_ONION}/board/17",
        "en",
        "Documents and drivers, north route",
        (
            "Drivers for the north route, Suceava to Hamburg twice a month, four seats, paid on arrival.",
            "Half in advance to TA5SRrFrGAGpCKnxsBmFbgPFgqMu8hH6dS, the rest by the studio. Ask for Dima on +380 99 000 0021",
        ),
        {},
    ),
)


def make_warc() -> bytes:
    """Return the crawl as WARC 1.1, not compressed."""
    out = BytesIO()
    for number, page in enumerate(_PAGES):
        out.write(_make_record(page, _FETCHED.format(day=number % 3, hour=number % 9)))
    return out.getvalue()


def write_warc(path: Path = WARC_FILE) -> None:
    """Write the crawl, compressed, with no time of writing in it."""
    path.write_bytes(gzip.compress(make_warc(), mtime=0))


def _make_record(page: _Page, fetched: str) -> bytes:
    body = "".join(_iter_html(page)).encode()
    payload = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
    header = "\r\n".join(
        (
            "WARC/1.1",
            "WARC-Type: response",
            f"WARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, page.url)}>",
            f"WARC-Target-URI: {page.url}",
            f"WARC-Date: {fetched}",
            "Content-Type: application/http; msgtype=response",
            f"Content-Length: {len(payload)}",
        )
    )
    return header.encode() + b"\r\n\r\n" + payload + b"\r\n\r\n"


def _iter_html(page: _Page) -> Iterator[str]:
    yield f'<!DOCTYPE html>\n<html lang="{page.language}"><head><meta charset="utf-8">'
    yield f"<title>{escape(page.title)}</title>"
    if page.posting:
        said = {"@context": "https://schema.org", "@type": "JobPosting", "title": page.title, **page.posting}
        said["description"] = " ".join(page.paragraphs)
        yield f'<script type="application/ld+json">{json.dumps(said, ensure_ascii=False, sort_keys=True)}</script>'
    yield f"</head><body><h1>{escape(page.title)}</h1>"
    yield from (f"<p>{escape(paragraph)}</p>" for paragraph in page.paragraphs)
    yield from (f'<p><a href="{link}">Telegram</a></p>' for link in page.links)
    yield "</body></html>\n"


if __name__ == "__main__":
    write_warc()
