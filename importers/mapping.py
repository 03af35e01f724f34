"""Mappings: how the columns of a CSV, TSV or JSON lines file become records and links.

A mapping is a YAML file, near to FollowTheMoney's mapping language::

    format: csv                    # csv (default), tsv or jsonl
    csv: {delimiter: ";"}          # csv only; default a comma
    entities:
      ad:                          # an alias, for the links below
        schema: Advertisement
        keys: [ad_id]              # columns that name the thing in this source
        key_literal: adboard       # optional, before the keys; default the schema
        properties:
          title: {column: headline}
          text: {columns: [intro, body], join: "\\n", extract: [phone, email, wallet]}
          language: {column: lang, required: true}
          keywords: {column: tags, split: ";"}
          publisher: {literal: Adboard}
        label: {tlp: GREEN}        # parts of the label for these records; or the word file
        label_columns: {tlp: tlp}  # parts that a column says, row by row
      phone:
        schema: Phone
        keys: [ad_id]              # named by the row: two rows' numbers are one where both are seen
        when: phone                # made only where this column is not empty
        properties:
          number: {column: phone}
      poster:
        schema: Person
        keys: [poster.name, poster.born]
        properties:
          name: {column: poster.name}
          birthDate: {column: poster.born, format: "%d/%m/%Y"}
    links:
      - {schema: UnknownLink, left: poster, right: ad, properties: {role: {literal: poster}}}
      - schema: Payment
        left: payer
        right: payee
        keys: [payment_id]         # optional: columns that tell two links between the same ends apart
        properties: {amount: {column: amount}}

Columns of JSON lines are dotted paths (``poster.name``); a list on the way
gives one value for each of its items. Several columns without ``join`` give
one value each. ``format`` reads dates that are not ISO 8601. ``extract`` makes
a record of each phone, e-mail, wallet, url or account found in the text, and a
link to it.

An entity is left out of a row, without a word, when its ``when`` column or all
of its keys are empty; it is rejected when only some keys are, or when a
``required`` property is. A link is made when both of its ends are. Rows that
give it between the same ends give one link when its ``keys`` are the same or it
has neither ``keys`` nor properties; with properties alone each row gives one.
What no entity uses goes into the ``extra`` of the first one.

``keys`` are names, which everybody may compare who sees what they name: not a
column whose values some may not have.

Where an entity of a row has ``label_columns``, those without have the join of
the labels of those with, and a link without has the join of its ends' labels,
in place of the file's label. ``label: file`` keeps the file's.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importers.guard import load_yaml
from ontology.errors import InvalidData
from ontology.label import read_parts
from ontology.schema import Ontology, Schema, default_ontology

FORMATS = ("csv", "tsv", "jsonl")
EXTRACTS = ("phone", "email", "wallet", "url", "account")

_TOP_KEYS = ("format", "csv", "entities", "links")
_ENTITY_KEYS = ("schema", "keys", "key_literal", "properties", "label", "label_columns", "when")
_LINK_KEYS = ("schema", "left", "right", "keys", "properties", "label", "label_columns", "when")
_PROPERTY_KEYS = ("column", "columns", "join", "literal", "split", "format", "required", "extract")
_FILE_LABEL = "file"
_SAMPLE_DAY = datetime(2001, 2, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PropertyMapping:
    """Where one property's values come from: columns, or a literal."""

    name: str
    columns: tuple[str, ...] = ()
    join: str | None = None
    literal: str | None = None
    split: str | None = None
    format: str | None = None
    required: bool = False
    extract: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityMapping:
    """One record of each row.

    With `keeps_label` it has the file's label, whatever the row says of others.
    """

    alias: str
    schema: str
    keys: tuple[str, ...]
    key_literal: str
    properties: tuple[PropertyMapping, ...]
    label: Mapping[str, Any] = field(default_factory=dict)
    label_columns: Mapping[str, str] = field(default_factory=dict)
    keeps_label: bool = False
    when: str | None = None


@dataclass(frozen=True, slots=True)
class LinkMapping:
    """One link of each row, between two entities of it.

    With `keeps_label` it has the file's label, whatever its ends have.
    """

    schema: str
    left: str
    right: str
    keys: tuple[str, ...] = ()
    properties: tuple[PropertyMapping, ...] = ()
    label: Mapping[str, Any] = field(default_factory=dict)
    label_columns: Mapping[str, str] = field(default_factory=dict)
    keeps_label: bool = False
    when: str | None = None


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How one kind of file is read, checked against the ontology."""

    format: str
    delimiter: str
    entities: tuple[EntityMapping, ...]
    links: tuple[LinkMapping, ...]

    @property
    def columns(self) -> frozenset[str]:
        """Every column that some entity or link uses."""
        parts: list[EntityMapping | LinkMapping] = [*self.entities, *self.links]
        used = {column for part in parts for prop in part.properties for column in prop.columns}
        used |= {column for part in parts for column in part.label_columns.values()}
        used |= {part.when for part in parts if part.when}
        return frozenset(used | {key for part in parts for key in part.keys})


def read_mapping(path: Path, *, ontology: Ontology | None = None) -> FileMapping:
    """Read a mapping file and check it against the ontology.

    Raises InvalidData, naming file and key, for a fault.
    """
    return make_mapping(load_yaml(path), path.name, ontology=ontology)


def make_mapping(data: Mapping[str, Any], name: str, *, ontology: Ontology | None = None) -> FileMapping:
    """Check what a mapping file says; `name` begins the path in errors."""
    checker = _Checker(ontology or default_ontology())
    check_keys(data, _TOP_KEYS, name)
    kind = get_text(data, "format", name) or "csv"
    if kind not in FORMATS:
        raise InvalidData(f"one of {', '.join(FORMATS)}", "another term", path=f"{name}: format")
    entities = get_mapping(data, "entities", name)
    if not entities:
        raise InvalidData("at least one entity", "none", path=f"{name}: entities")
    made = tuple(checker.read_entity(alias, spec, f"{name}: entities.{alias}") for alias, spec in entities.items())
    links = data.get("links") or []
    if not isinstance(links, list):
        raise InvalidData("a list", type(links).__name__, path=f"{name}: links")
    schemata = {entity.alias: entity.schema for entity in made}
    return FileMapping(
        format=kind,
        delimiter=read_delimiter(data, name) or ("\t" if kind == "tsv" else ","),
        entities=made,
        links=tuple(checker.read_link(spec, schemata, f"{name}: links[{i}]") for i, spec in enumerate(links)),
    )


@dataclass(frozen=True, slots=True)
class _Checker:
    ontology: Ontology

    def read_entity(self, alias: str, spec: Any, path: str) -> EntityMapping:
        check_keys(spec, _ENTITY_KEYS, path)
        schema = self._read_schema(spec, path)
        if schema.is_link:
            raise InvalidData("a schema of things", "a schema of links", path=f"{path}.schema")
        keys = _get_texts(spec, "keys", path)
        literal = get_text(spec, "key_literal", path)
        if not keys and not literal:
            raise InvalidData("keys, or a key_literal", "neither", path=f"{path}.keys")
        return EntityMapping(
            alias=alias,
            schema=schema.name,
            keys=keys,
            key_literal=literal or schema.name,
            properties=_read_properties(spec, schema, path),
            label=_read_label(spec, path),
            label_columns=_read_label_columns(spec, path),
            keeps_label=spec.get("label") == _FILE_LABEL,
            when=get_text(spec, "when", path),
        )

    def read_link(self, spec: Any, schemata: Mapping[str, str], path: str) -> LinkMapping:
        check_keys(spec, _LINK_KEYS, path)
        schema = self._read_schema(spec, path)
        if schema.left is None or schema.right is None:
            raise InvalidData("a schema of links", "a schema of things", path=f"{path}.schema")
        return LinkMapping(
            schema=schema.name,
            left=self._read_end(spec, "left", schema.left.schema, schemata, path),
            right=self._read_end(spec, "right", schema.right.schema, schemata, path),
            keys=_get_texts(spec, "keys", path),
            properties=_read_properties(spec, schema, path),
            label=_read_label(spec, path),
            label_columns=_read_label_columns(spec, path),
            keeps_label=spec.get("label") == _FILE_LABEL,
            when=get_text(spec, "when", path),
        )

    def _read_schema(self, spec: Mapping[str, Any], path: str) -> Schema:
        name = get_text(spec, "schema", path)
        if name is None or name not in self.ontology or self.ontology[name].abstract:
            raise InvalidData("the name of a concrete schema", "another name", path=f"{path}.schema")
        return self.ontology[name]

    def _read_end(self, spec: Mapping[str, Any], side: str, end: str, schemata: Mapping[str, str], path: str) -> str:
        alias = get_text(spec, side, path)
        if alias is None or alias not in schemata:
            raise InvalidData("the alias of an entity", "another name", path=f"{path}.{side}")
        if not self.ontology.is_a(schemata[alias], end):
            raise InvalidData(f"an entity of schema {end}", schemata[alias], path=f"{path}.{side}")
        return alias


def _read_properties(spec: Mapping[str, Any], schema: Schema, path: str) -> tuple[PropertyMapping, ...]:
    properties = get_mapping(spec, "properties", path)
    for name in properties:
        if name not in schema.properties:
            raise InvalidData(f"a property of {schema.name}", "another name", path=f"{path}.properties.{name}")
    return tuple(read_property(name, part, f"{path}.properties.{name}") for name, part in properties.items())


def read_property(name: str, spec: Any, path: str, *, allowed: Iterable[str] = _PROPERTY_KEYS) -> PropertyMapping:
    """Check what a mapping says of one property; `allowed` are the keys that may say it."""
    check_keys(spec, allowed, path)
    column, literal = get_text(spec, "column", path), get_text(spec, "literal", path)
    columns = (column,) if column else _get_texts(spec, "columns", path)
    if bool(columns) == (literal is not None):
        raise InvalidData("either column, columns or literal", "both or none", path=path)
    extract = _get_texts(spec, "extract", path)
    if not set(extract) <= set(EXTRACTS):
        raise InvalidData(f"terms of {', '.join(EXTRACTS)}", "another term", path=f"{path}.extract")
    required = spec.get("required", False)
    if not isinstance(required, bool):
        raise InvalidData("true or false", type(required).__name__, path=f"{path}.required")
    return PropertyMapping(
        name=name,
        columns=columns,
        join=get_text(spec, "join", path),
        literal=literal,
        split=get_text(spec, "split", path),
        format=_read_format(spec, path),
        required=required,
        extract=extract,
    )


def _read_format(spec: Mapping[str, Any], path: str) -> str | None:
    form = get_text(spec, "format", path)
    if form is None:
        return None
    # A format that lacks the day or the year would make up what it does not say.
    with suppress(ValueError, re.error):
        if datetime.strptime(_SAMPLE_DAY.strftime(form), form).date() == _SAMPLE_DAY.date():
            return form
    raise InvalidData("a format of year, month and day such as %d/%m/%Y", "another format", path=f"{path}.format")


def _read_label(spec: Mapping[str, Any], path: str) -> dict[str, Any]:
    if spec.get("label") != _FILE_LABEL:
        return read_parts(get_mapping(spec, "label", path), path=f"{path}.label")
    if spec.get("label_columns"):
        raise InvalidData("either label_columns or the label of the file", "both", path=f"{path}.label")
    return {}


def _read_label_columns(spec: Mapping[str, Any], path: str) -> dict[str, str]:
    columns = get_mapping(spec, "label_columns", path)
    read_parts(dict.fromkeys(set(columns) - {"minor"}), path=f"{path}.label_columns")
    return {part: get_text(columns, part, f"{path}.label_columns") or "" for part in columns}


def read_delimiter(data: Mapping[str, Any], name: str) -> str | None:
    """Return what separates the cells of CSV, None where the mapping does not say."""
    options = get_mapping(data, "csv", name)
    check_keys(options, ("delimiter",), f"{name}: csv")
    delimiter = get_text(options, "delimiter", f"{name}: csv") or None
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InvalidData("one character", "another delimiter", path=f"{name}: csv.delimiter")
    return delimiter


def check_keys(spec: Any, allowed: Iterable[str], path: str) -> None:
    """Raise InvalidData, naming the key, unless this is a mapping with none but the allowed keys."""
    if not isinstance(spec, dict):
        raise InvalidData("a mapping", type(spec).__name__, path=path)
    for key in spec:
        _check_key(key, path)
        if key not in allowed:
            raise InvalidData(f"one of {', '.join(allowed)}", "an unknown key", path=f"{path}.{key}")


def get_mapping(spec: Mapping[str, Any], key: str, path: str) -> dict[str, Any]:
    """Return the mapping under a key, an empty one where there is none; raises InvalidData for anything else."""
    value = spec.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidData("a mapping", type(value).__name__, path=f"{path}.{key}")
    for name in value:
        _check_key(name, f"{path}.{key}")
    return value


def _check_key(key: Any, path: str) -> None:
    if not isinstance(key, str):
        raise InvalidData("text as key, in quotes if need be", type(key).__name__, path=path)


def get_text(spec: Mapping[str, Any], key: str, path: str) -> str | None:
    """Return the text under a key, numbers as text; raises InvalidData for anything else."""
    value = spec.get(key)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidData("text", type(value).__name__, path=f"{path}.{key}")


def _get_texts(spec: Mapping[str, Any], key: str, path: str) -> tuple[str, ...]:
    value = spec.get(key)
    items = [value] if isinstance(value, str) else value or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        found = "a list with something else" if isinstance(items, list) else type(value).__name__
        raise InvalidData("a list of texts", found, path=f"{path}.{key}")
    return tuple(items)
