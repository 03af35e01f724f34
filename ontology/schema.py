"""Schemata: the types of things and links, read from one YAML file each.

A schema is either of things (Person, CryptoWallet, ...) or of links (Ownership,
PostedOn, ...). Links have two ends, each naming the schema it takes. Names
follow FollowTheMoney 4.x, UCO/CASE 1.4 and IOM HTCDS 2.0; `terms` says which.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ontology.errors import SchemaError
from ontology.values import VALUE_TYPES, ValueType

SCHEMATA_FOLDER = Path(__file__).parent / "schemata"

# Stored beside the properties on every node, so no property may be called so.
RESERVED = frozenset(
    {
        "id", "lid", "thing", "facet", "schema", "key", "source", "source_key", "capture",
        "recorded_at", "sequence", "text", "extra", "left", "right", "label", "entity",
        "record", "records", "caption", "provenance", "redactions", "neighbours", "node",
    }
)  # fmt: skip

_SCHEMA_KEYS = frozenset(
    {"name", "label", "plural", "description", "terms", "extends", "abstract", "properties",
     "key", "caption", "model", "left", "right"}
)  # fmt: skip
_PROPERTY_KEYS = frozenset({"type", "label", "description", "terms", "class"})


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a schema; `field_class` is its row in the policy."""

    name: str
    type: ValueType
    field_class: str
    label: str
    description: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: the schema it takes (or any heir of it), and how the link reads from there."""

    schema: str
    label: str


@dataclass(frozen=True, slots=True)
class Schema:
    """One type of thing or link, its inherited properties included.

    `lineage` starts with the schema itself and ends with its furthest ancestor.
    `key` names the properties that together identify a thing across sources
    (empty: none do, or statistics decide: then `model` names the resolution
    model); `key_owner` is the ancestor that says so, whose heirs share the key. `caption` lists the properties to name a thing by, best first.
    `left` and `right` are set for links alone.
    """

    name: str
    label: str
    plural: str
    description: str
    terms: tuple[str, ...]
    lineage: tuple[str, ...]
    abstract: bool
    properties: Mapping[str, Property]
    key: tuple[str, ...]
    key_owner: str
    caption: tuple[str, ...]
    model: str | None
    left: End | None
    right: End | None

    @property
    def is_link(self) -> bool:
        """Whether this is a schema of links."""
        return self.left is not None


class Ontology(Mapping[str, Schema]):
    """All schemata by name, cross-checked, in alphabetical order."""

    def __init__(self, schemata: Mapping[str, Schema]) -> None:
        self._schemata = dict(sorted(schemata.items()))

    def __getitem__(self, name: str) -> Schema:
        return self._schemata[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schemata)

    def __len__(self) -> int:
        return len(self._schemata)

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether a schema is another or descends from it."""
        return ancestor in self._schemata[name].lineage

    def things(self) -> list[Schema]:
        """Return the concrete schemata of things."""
        return [s for s in self._schemata.values() if not s.is_link and not s.abstract]

    def links(self) -> list[Schema]:
        """Return the concrete schemata of links."""
        return [s for s in self._schemata.values() if s.is_link and not s.abstract]

    def field_classes(self) -> list[str]:
        """Return every field class that a property belongs to."""
        return sorted({p.field_class for s in self.values() for p in s.properties.values()})


@cache
def default_ontology() -> Ontology:
    """Return the ontology that ships with Vinculum."""
    return load_ontology(SCHEMATA_FOLDER)


def load_ontology(folder: Path) -> Ontology:
    """Read every ``*.yaml`` of a folder as one schema and check them against each other.

    Raises SchemaError, naming the file and the key, for an unknown key, parent,
    value type or end, for a cycle of parents, and for a link without two ends.
    """
    raw = {}
    for path in sorted(folder.glob("*.yaml")):
        data = _read(path)
        raw[data["name"]] = (path, data)
    return Ontology({name: _resolve(name, raw) for name in raw})


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise SchemaError(f"{path.name}: expected YAML, found a syntax error") from exc
    if not isinstance(data, dict):
        raise SchemaError(f"{path.name}: expected a mapping, found {type(data).__name__}")
    for key in data:
        if key not in _SCHEMA_KEYS:
            raise SchemaError(f"{path.name}: {key}: unknown key")
    for key in ("name", "label", "description"):
        if not isinstance(data.get(key), str):
            raise SchemaError(f"{path.name}: {key}: expected text, found {type(data.get(key)).__name__}")
    if data["name"] != path.stem:
        raise SchemaError(f"{path.name}: name: expected {path.stem}, found {data['name']}")
    if ("left" in data) != ("right" in data):
        raise SchemaError(f"{path.name}: left, right: a link needs two ends, found one")
    return data


def _resolve(name: str, raw: Mapping[str, tuple[Path, dict[str, Any]]]) -> Schema:
    path, data = raw[name]
    lineage = _lineage(name, raw, ())
    properties: dict[str, Property] = {}
    inherited: dict[str, Any] = {}
    for ancestor in reversed(lineage):
        ancestor_path, ancestor_data = raw[ancestor]
        for key, spec in (ancestor_data.get("properties") or {}).items():
            properties[key] = _property(ancestor_path.name, key, spec)
        inherited |= {k: ancestor_data[k] for k in ("key", "caption", "model", "left", "right") if k in ancestor_data}
    for key in ("key", "caption"):
        for member in inherited.get(key) or ():
            if member not in properties:
                raise SchemaError(f"{path.name}: {key}: no property {member}")
    if any(raw[a][1].get("name") == "Link" for a in lineage[1:]) and "left" not in inherited:
        raise SchemaError(f"{path.name}: left, right: a link needs two ends, found none")
    return Schema(
        name=name,
        label=data["label"],
        plural=data.get("plural", data["label"] + "s"),
        description=data["description"].strip(),
        terms=tuple(data.get("terms") or ()),
        lineage=lineage,
        abstract=bool(data.get("abstract", False)),
        properties=properties,
        key=tuple(inherited.get("key") or ()),
        key_owner=next((a for a in lineage if raw[a][1].get("key")), name),
        caption=tuple(inherited.get("caption") or ()),
        model=inherited.get("model"),
        left=_end(path.name, "left", inherited, raw),
        right=_end(path.name, "right", inherited, raw),
    )


def _lineage(name: str, raw: Mapping[str, tuple[Path, dict[str, Any]]], seen: tuple[str, ...]) -> tuple[str, ...]:
    path, data = raw[name]
    line = [name]
    for parent in data.get("extends") or ():
        if parent not in raw:
            raise SchemaError(f"{path.name}: extends: unknown parent {parent}")
        if parent in seen or parent == name:
            raise SchemaError(f"{path.name}: extends: {parent} is its own ancestor")
        line += [a for a in _lineage(parent, raw, (*seen, name)) if a not in line]
    return tuple(line)


def _property(file: str, name: str, spec: Any) -> Property:
    where = f"{file}: properties.{name}"
    if name in RESERVED or not name.isidentifier() or name.startswith("_"):
        raise SchemaError(f"{where}: the name is reserved or not an identifier")
    if not isinstance(spec, dict):
        raise SchemaError(f"{where}: expected a mapping, found {type(spec).__name__}")
    for key in spec:
        if key not in _PROPERTY_KEYS:
            raise SchemaError(f"{where}.{key}: unknown key")
    for key in ("type", "class", "description"):
        if not isinstance(spec.get(key), str):
            raise SchemaError(f"{where}.{key}: expected text, found {type(spec.get(key)).__name__}")
    if spec["type"] not in VALUE_TYPES:
        raise SchemaError(f"{where}.type: unknown property type {spec['type']}")
    return Property(
        name=name,
        type=VALUE_TYPES[spec["type"]],
        field_class=spec["class"],
        label=spec.get("label", name),
        description=spec["description"].strip(),
        terms=tuple(spec.get("terms") or ()),
    )


def _end(file: str, side: str, data: Mapping[str, Any], raw: Mapping[str, Any]) -> End | None:
    spec = data.get(side)
    if spec is None:
        return None
    if not isinstance(spec, dict) or not {"schema", "label"} == set(spec):
        raise SchemaError(f"{file}: {side}: expected the keys schema and label")
    if spec["schema"] not in raw:
        raise SchemaError(f"{file}: {side}.schema: unknown schema {spec['schema']}")
    return End(schema=spec["schema"], label=spec["label"])
