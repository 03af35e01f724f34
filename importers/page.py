"""Page: what a web page says: its title, text, language, links and schema.org adverts."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import py3langid
from selectolax.lexbor import LexborHTMLParser, LexborNode

from importers.guard import parse_json
from ontology.errors import InvalidValue

MAX_TEXT_CHARS = 1_000_000
MAX_LINKS = 500
MAX_ADVERTS = 100
MAX_HTML_BYTES = 4 * 2**20

# Where JSON-LD keeps what a page is about, last first.
_WRAPPERS = ("item", "itemListElement", "mainEntity", "@graph")
_ADVERT_TYPES = frozenset({"JobPosting", "Offer", "Product"})
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]{2,40})", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,4096}>")
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
# Elements that pages rightly leave open.
_UNCLOSED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
     "p", "li", "dt", "dd", "tr", "td", "th", "option", "thead", "tbody"}
)  # fmt: skip
# Parsing time grows with the square of the depth.
_MAX_NESTING = 2000
_LANGUAGE_CHARS = 4000
_SHORTEST_GUESS = 40


@dataclass(frozen=True, slots=True)
class Page:
    """What was read from one page; `adverts` are schema.org objects as the page has them."""

    title: str
    text: str
    language: str
    links: tuple[str, ...]
    adverts: tuple[Mapping[str, Any], ...]


def read_page(content: bytes, charset: str | None = None) -> Page:
    """Read HTML; `charset` is what the server said, and the page's own word is the next best.

    Beyond the bound a page is cut. One nested so deep that only an attacker would write it gives its text alone.
    """
    html = decode(content[:MAX_HTML_BYTES], charset)
    if _is_too_deep(html):
        return read_plain(_TAG.sub(" ", html).encode())
    tree = LexborHTMLParser(html)
    adverts = tuple(_iter_adverts(tree))
    title = tree.css_first("title")
    root = tree.css_first("html")
    stated = (root.attributes.get("lang") or "").strip() if root else ""
    links = tuple(link for a in tree.css("a[href]")[:MAX_LINKS] if (link := (a.attributes.get("href") or "").strip()))
    name = title.text(strip=True) if title else ""
    tree.strip_tags(["script", "style", "noscript", "template", "svg", "title"])
    text = _tidy(tree.body.text(separator="\n")) if tree.body else ""
    return Page(name, text, guess_language(text) or stated.replace("_", "-").split("-")[0], links, adverts)


def read_plain(content: bytes, charset: str | None = None) -> Page:
    """Read plain text as a page without title or links."""
    text = _tidy(decode(content, charset))
    return Page("", text, guess_language(text), (), ())


def guess_language(text: str) -> str:
    """Return the likeliest ISO 639-1 code, empty when the text is too short to tell."""
    sample = text[:_LANGUAGE_CHARS]
    if sum(map(str.isalpha, sample)) < _SHORTEST_GUESS:
        return ""
    return str(py3langid.classify(sample)[0])


def decode(content: bytes, charset: str | None) -> str:
    """Decode by what the server said, what the page says, UTF-8, or Windows-1252, whichever fits first.

    What fits none keeps replacement characters; NUL is left out.
    """
    stated = _CHARSET.search(content[:4096])
    for name in (charset, stated.group(1).decode("ascii") if stated else None, "utf-8", "cp1252"):
        try:
            return content.decode(name).replace("\0", "") if name else _no_charset()
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("utf-8", errors="replace").replace("\0", "")


def _is_too_deep(html: str) -> bool:
    depth, opened = 0, Counter[str]()
    for closing, tag in _TAG_NAME.findall(html):
        name = tag.lower()
        if name in _UNCLOSED or (closing and not opened[name]):
            continue
        step = -1 if closing else 1
        opened[name] += step
        depth += step
        if depth > _MAX_NESTING:
            return True
    return False


def _no_charset() -> str:
    raise LookupError


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text[: 2 * MAX_TEXT_CHARS].splitlines())
    return "\n".join(line for line in lines if line)[:MAX_TEXT_CHARS]


def _iter_adverts(tree: LexborHTMLParser) -> Iterator[Mapping[str, Any]]:
    yield from islice(chain(_iter_json_ld(tree), _iter_microdata(tree)), MAX_ADVERTS)


def _iter_json_ld(tree: LexborHTMLParser) -> Iterator[Mapping[str, Any]]:
    for script in tree.css('script[type="application/ld+json"]')[:MAX_ADVERTS]:
        with suppress(InvalidValue):
            yield from _iter_typed(parse_json(script.text()))


def _iter_typed(tree: Any) -> Iterator[Mapping[str, Any]]:
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, dict):
            if _types(item) & _ADVERT_TYPES:
                yield item
            else:
                pending.extend(item[key] for key in _WRAPPERS if key in item)


def _iter_microdata(tree: LexborHTMLParser) -> Iterator[Mapping[str, Any]]:
    for node in tree.css("[itemscope][itemtype]")[:MAX_LINKS]:
        kind = (node.attributes.get("itemtype") or "").rsplit("/", 1)[-1]
        if kind in _ADVERT_TYPES and not _is_inside_advert(node):
            yield {"@type": kind, **_read_microdata(node)}


def _is_inside_advert(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if (parent.attributes.get("itemtype") or "").rsplit("/", 1)[-1] in _ADVERT_TYPES:
            return True
        parent = parent.parent
    return False


def _read_microdata(node: LexborNode) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in node.css("[itemprop]")[:MAX_LINKS]:
        name = part.attributes.get("itemprop") or ""
        value = part.attributes.get("content") or part.attributes.get("datetime") or part.attributes.get("href")
        text = value or _tidy(part.text(separator="\n"))
        if name and text and "itemscope" not in part.attributes:
            values.setdefault(name, text)
    return values


def _types(item: Mapping[str, Any]) -> set[str]:
    kinds = item.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return {name.rsplit("/", 1)[-1] for name in names if isinstance(name, str)}
