"""TagPacks: GraphSense attribution tags in YAML, streamed tag by tag.

What the header says holds for each tag that does not say it itself. A tag on
an address is one CryptoWallet record, a tag on a transaction one Transaction
record; an actor is one Organization of the pack, and the holder of the wallets
that its tags name.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery
from importers.guard import YamlEvent, iter_yaml, open_bytes
from ontology.digest import canonical_json, make_id
from ontology.errors import UnusableSource

MAX_TAG_EVENTS = 10_000

# Beyond so many actors their records may repeat, which adds nothing to a store.
_REMEMBERED_ACTORS = 2**16
_HEADER_CHUNK = 64 * 2**10
_TRUE = frozenset({"true", "yes", "on", "y"})
# These stand in the pack and say nothing of a wallet.
_PACK_KEYS = frozenset({"owner", "is_public", "tags", "header", "description"})
_SHARED_PROPERTIES = {
    "currency": "currency",
    "network": "network",
    "label": "tagLabel",
    "category": "category",
    "concepts": "category",
    "abuse": "abuse",
    "confidence": "confidence",
}
_PROPERTIES = {
    "CryptoWallet": {
        **_SHARED_PROPERTIES,
        "address": "publicKey",
        "actor": "actor",
        "context": "context",
        "is_cluster_definer": "isClusterDefiner",
        "source": "tagSource",
        "lastmod": "lastModified",
        "title": "tagPack",
        "creator": "tagCreator",
    },
    "Transaction": {**_SHARED_PROPERTIES, "tx_hash": "transactionHash", "lastmod": "modifiedAt"},
}


def read_tagpack(path: Path, delivery: Delivery) -> Iterator[Item]:
    """Stream a TagPack; each tag's place in errors is ``tags[12]``.

    Raises UnusableSource where it stops being YAML, or was never a TagPack.
    """
    reader = _TagReader(Assembler(delivery), _read_header(path, delivery.file))
    with open_bytes(path, delivery.file) as stream:
        for index, tag in enumerate(_iter_tags(iter_yaml(stream, delivery.file), delivery.file)):
            yield from reader.read_tag(tag, f"tags[{index}]")


class _TagReader:
    def __init__(self, assembler: Assembler, header: Mapping[str, Any]) -> None:
        self._assembler = assembler
        self._header = header
        self._pack = "/".join(str(header.get(key) or "") for key in ("title", "creator"))
        self._actors: set[str] = set()

    def read_tag(self, tag: Any, where: str) -> Iterator[Item]:
        if not isinstance(tag, dict):
            yield self._assembler.reject(where, "a mapping", type(tag).__name__)
            return
        full = {**self._header, **tag}
        said = {"tlp": "CLEAR"} if str(full.get("is_public")).lower() in _TRUE else {}
        subject = "address" if full.get("address") else "tx_hash"
        if not isinstance(full.get(subject), str):
            yield self._assembler.reject(where, "an address or a tx_hash", "neither")
            return
        schema = "CryptoWallet" if subject == "address" else "Transaction"
        key = f"{self._pack}/{full[subject]}/{make_id(canonical_json(tag).decode())}"
        made = yield from self._assembler.make_record(schema, key, _describe(full, schema), where=where, said=said)
        actor = full.get("actor")
        if made is not None and isinstance(actor, str):
            yield from self._make_holder(actor, key, schema, where, said)

    def _make_holder(self, actor: str, key: str, schema: str, where: str, said: Mapping[str, Any]) -> Iterator[Item]:
        # An actor is one across the packs of a source: its id comes from a list that they share.
        actor_key = f"actor/{actor}"
        if actor not in self._actors:
            found = [Found("name", "actor", actor)]
            if (
                yield from self._assembler.make_record("Organization", actor_key, found, where=where, said=said)
            ) is None:
                return
            if len(self._actors) < _REMEMBERED_ACTORS:
                self._actors.add(actor)
        if schema == "CryptoWallet":
            yield from self._assembler.make_link("Holder", key, actor_key, key=actor_key, where=where, said=said)


def _describe(tag: Mapping[str, Any], schema: str) -> Iterator[Found]:
    properties = _PROPERTIES[schema]
    for name, value in tag.items():
        if name == "address" and tag.get("currency") == "EOS":
            # Accounts there are short names; the prefix tells them from other text.
            yield Found(properties[name], name, f"eos:{str(value).removeprefix('eos:')}")
        elif name not in _PACK_KEYS:
            yield Found(properties.get(name, ""), name, value)


def _read_header(path: Path, file: str) -> dict[str, Any]:
    with open_bytes(path, file) as stream:
        is_first = _is_header_first(stream)
    header: dict[str, Any] = {}
    # A fault further down is said by the second reading, after the tags before it.
    with open_bytes(path, file) as stream, suppress(UnusableSource):
        events = iter_yaml(stream, file)
        for key in _iter_keys(events, file):
            if key != "tags":
                header[key] = _build(events, next(events), file)
            elif is_first:
                break
            else:
                _skip(events)
    return header


def _is_header_first(stream: BinaryIO) -> bool:
    """Say whether nothing at the left margin follows ``tags:``, so that no key of the header can.

    Most packs are so, and reading them twice would take twice as long.
    """
    is_in_tags = False
    while line := stream.readline(_HEADER_CHUNK):
        if line[:1] in b"#\r\n" or (line[:1] in b" -" and not line.startswith(b"---")):
            continue
        if is_in_tags or b"{" in line[:8]:
            return False
        is_in_tags = line.startswith(b"tags:")
    return is_in_tags


def _iter_tags(events: Iterator[YamlEvent], file: str) -> Iterator[Any]:
    for key in _iter_keys(events, file):
        first = next(events)
        if key != "tags":
            _skip_rest(events, first)
        elif first.kind != "[":
            raise _refuse("a list of tags", "something else", file, first)
        else:
            yield from _iter_list(events, file)


def _iter_keys(events: Iterator[YamlEvent], file: str) -> Iterator[str]:
    """Stream the keys of the top mapping; whoever takes one takes its value's events too."""
    top = next(events, None)
    if top is None or top.kind != "{":
        raise UnusableSource("a YAML mapping with tags", "something else", path=file)
    seen: set[str] = set()
    for event in events:
        if event.kind == "}":
            break
        if event.kind != "scalar" or event.value is None:
            raise _refuse("text as key", "something else", file, event)
        if event.value in seen:
            raise _refuse("each key once", "a key twice", file, event)
        seen.add(event.value)
        yield event.value
    if "tags" not in seen:
        raise UnusableSource("a list of tags", "none", path=file)


def _iter_list(events: Iterator[YamlEvent], file: str) -> Iterator[Any]:
    for event in events:
        if event.kind == "]":
            return
        yield _build(events, event, file)


def _build(events: Iterator[YamlEvent], first: YamlEvent, file: str) -> Any:
    """Return the small tree that begins with this event; its depth is bounded by the stream's."""
    return _build_part(events, first, file, [MAX_TAG_EVENTS])


def _build_part(events: Iterator[YamlEvent], first: YamlEvent, file: str, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise _refuse(f"at most {MAX_TAG_EVENTS} parts in one tag", "more", file, first)
    if first.kind == "scalar":
        return first.value
    if first.kind == "[":
        return [_build_part(events, event, file, budget) for event in iter(lambda: _until(events, "]"), None)]
    tree: dict[str, Any] = {}
    for event in iter(lambda: _until(events, "}"), None):
        if event.kind != "scalar" or event.value is None or event.value in tree:
            raise _refuse("text as key, each once", "another key", file, event)
        tree[event.value] = _build_part(events, next(events), file, budget)
    return tree


def _until(events: Iterator[YamlEvent], closing: str) -> YamlEvent | None:
    event = next(events)
    return None if event.kind == closing else event


def _skip(events: Iterator[YamlEvent]) -> None:
    _skip_rest(events, next(events))


def _skip_rest(events: Iterator[YamlEvent], first: YamlEvent) -> None:
    depth = int(first.kind in "[{")
    while depth:
        kind = next(events).kind
        depth += (kind in "[{") - (kind in "]}")


def _refuse(expected: str, found: str, file: str, event: YamlEvent) -> UnusableSource:
    return UnusableSource(expected, found, path=f"{file}: line {event.line}")
