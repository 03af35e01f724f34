"""Assembler: from what a reader found in a file to cleaned records and links, in file order."""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from importers.delivery import Delivery, Marked
from ontology.digest import canonical_json
from ontology.errors import InvalidData, InvalidValue
from ontology.label import Label
from ontology.record import Link, Properties, Record, make_thing
from ontology.rejection import Rejection
from ontology.schema import Ontology, Schema, default_ontology

Item = Record | Link | Rejection

# Headers, categories and the like repeat in every row of a file; longer values hardly ever do.
_CACHED_CHARS = 256
_CACHED_VALUES = 2**14
_NOTHING_SAID: Mapping[str, Any] = {}


class Found(NamedTuple):
    """A value that a file holds: for which property, and under which path the source has it.

    `value` may be a scalar or a list of scalars. What the schema has no such
    property for (or "" as property) is unplaced.
    """

    property: str
    path: str
    value: Any


class Assembler:
    """Makes the records and links of one delivery, numbering them as they come."""

    def __init__(self, delivery: Delivery, *, ontology: Ontology | None = None) -> None:
        self.delivery = delivery
        self.ontology = ontology or default_ontology()
        self._sequence = 0
        self._counted: Counter[tuple[str, int]] = Counter()
        self._labels: Callable[[str, bytes, tuple[Marked, ...]], Label] = lru_cache(maxsize=4096)(self._make_label)

    def thing(self, key: str) -> str:
        """Return the id of the thing that this source names by a key."""
        return make_thing(self.delivery.source.name, key)

    def label_for(self, schema: str, said: Mapping[str, Any], beside: tuple[Marked, ...] = ()) -> Label:
        """Return what `Delivery.label_for` does, from memory where it was asked before."""
        return self._labels(schema, canonical_json(said) if said else b"{}", beside)

    def make_record(
        self,
        schema: str,
        key: str,
        found: Iterable[Found],
        *,
        where: str,
        said: Mapping[str, Any] = _NOTHING_SAID,
        beside: tuple[Marked, ...] = (),
        facet: str = "",
    ) -> Generator[Item, None, Record | None]:
        """Yield the record with its values cleaned, and a Rejection for each value that did not clean.

        Unplaced values, and those that did not clean, go into `extra` under
        their source path. The record as a whole is left out (and None returned)
        when no property is left of it, or when its marking is wrong. `beside`
        are those whose labels it takes in place of the delivery's.
        """
        kind = self.ontology[schema]
        properties, extra, rejections = self._clean(kind, found, where)
        yield from rejections
        if not properties:
            if not rejections:
                yield self.reject(where, f"a value for some property of {schema}", "none")
            return None
        label = yield from self._label(schema, said, beside, where)
        if label is None:
            return None
        record = Record(
            schema=schema,
            source=self.delivery.source.name,
            source_key=key,
            label=label,
            capture=self.delivery.capture,
            sequence=self._next(),
            properties=properties,
            recorded_at=self.delivery.recorded_at,
            facet=facet,
            extra=extra,
        )
        yield record
        return record

    def make_link(
        self,
        schema: str,
        left: str,
        right: str,
        found: Iterable[Found] = (),
        *,
        key: str,
        where: str,
        said: Mapping[str, Any] = _NOTHING_SAID,
        beside: tuple[Marked, ...] = (),
        is_one_of_many: bool = False,
    ) -> Generator[Item, None, Link | None]:
        """Yield the link between the things that the source names by two keys, its values cleaned.

        `key` is how the source names the link itself; with `is_one_of_many` each
        is another link, told apart by its number among those of its key and label:
        not by what it says, which not everybody may compare, nor by others' labels.
        A value that does not clean is a Rejection and leaves the link as it is;
        an unplaced one stays in the capture alone. A wrong marking leaves the
        link out. `beside` are those whose labels it takes in place of the
        delivery's.
        """
        properties, _, rejections = self._clean(self.ontology[schema], found, where)
        yield from rejections
        label = yield from self._label(schema, said, beside, where)
        if label is None:
            return None
        if is_one_of_many:
            self._counted[key, label.lid] += 1
            key = f"{key}#{label.lid}/{self._counted[key, label.lid]}"
        link = Link(
            schema=schema,
            source=self.delivery.source.name,
            source_key=key,
            left=self.thing(left),
            right=self.thing(right),
            label=label,
            capture=self.delivery.capture,
            sequence=self._next(),
            properties=properties,
            recorded_at=self.delivery.recorded_at,
        )
        yield link
        return link

    def reject(self, where: str, expected: str, found: str) -> Rejection:
        """Return a Rejection of this file."""
        return Rejection(self.delivery.file, where, expected, found)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _clean(
        self, schema: Schema, found: Iterable[Found], where: str
    ) -> tuple[Properties, dict[str, Any], list[Rejection]]:
        properties: dict[str, tuple[str, ...]] = {}
        extra: dict[str, Any] = {}
        rejections: list[Rejection] = []
        for name, path, value in found:
            if value is None or value == "" or value == []:
                continue
            prop = schema.properties.get(name)
            if prop is None or not _is_plain(value):
                extra[path] = _add(extra.get(path), value)
                continue
            for text in _texts(value):
                try:
                    cleaned = _clean_value(prop.type.clean, text)
                except InvalidValue as fault:
                    rejections.append(self.reject(_join(where, path), fault.expected, fault.found))
                    extra[path] = _add(extra.get(path), text)
                    continue
                kept = properties.get(name, ())
                if cleaned not in kept:
                    properties[name] = (*kept, cleaned)
        return properties, extra, rejections

    def _label(
        self, schema: str, said: Mapping[str, Any], beside: tuple[Marked, ...], where: str
    ) -> Generator[Item, None, Label | None]:
        try:
            return self.label_for(schema, said, beside)
        except InvalidData as fault:
            yield self.reject(_join(where, fault.path), fault.expected, fault.found)
        return None

    def _make_label(self, schema: str, said: bytes, beside: tuple[Marked, ...]) -> Label:
        return self.delivery.label_for(schema, json.loads(said), beside)


def _clean_value(clean: Callable[[str], str], text: str) -> str:
    return _clean_cached(clean, text) if len(text) <= _CACHED_CHARS else clean(text)


@lru_cache(maxsize=_CACHED_VALUES)
def _clean_cached(clean: Callable[[str], str], text: str) -> str:
    return clean(text)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, str | int | float) or item is None for item in value)
    return isinstance(value, str | int | float)


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list | tuple) else [value]
    texts = [_text(item) for item in items if item is not None]
    return [text for text in texts if text and not text.isspace()]


def _text(value: str | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _add(kept: Any, value: Any) -> Any:
    if kept is None:
        return value
    return [*(kept if isinstance(kept, list) else [kept]), *(value if isinstance(value, list) else [value])]


def _join(where: str, path: str) -> str:
    return f"{where}.{path}" if path else where
