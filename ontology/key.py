"""Keys and words: what a record is found by.

A key is the equality of all the properties that a schema names in `key`: two
wallets with one address are one wallet. Words are folded tokens of a record's
values, for search.
"""

from collections.abc import Iterable, Mapping, Sequence

from ontology.digest import make_id
from ontology.schema import Ontology, Schema
from ontology.values.name import fold_name


def make_key(schema: Schema, properties: Mapping[str, Sequence[str]]) -> str | None:
    """Return the identifying key of a thing (32 hex digits), None when its schema has none or a part is missing.

    Where a property has several values the least counts, since their order may be hidden. Heirs share the key of
    the ancestor that declares it: a passport and an identification with one
    number are one document.
    """
    if not schema.key or not all(properties.get(name) for name in schema.key):
        return None
    return make_id("key", schema.key_owner, *(min(properties[name]) for name in schema.key))


def fold_words(values: Iterable[str]) -> str:
    """Return the values folded for search, a line each: lower-case Latin letters and digits."""
    return "\n".join(filter(None, (fold_name(value) for value in values)))


def concrete_schemata(ontology: Ontology, names: Iterable[str]) -> frozenset[str]:
    """Return the concrete schemata of things that are one of these or descend from one."""
    wanted = set(names)
    return frozenset(s.name for s in ontology.things() if not wanted.isdisjoint(s.lineage))
