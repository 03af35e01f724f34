"""py2neo: nodes and relationships of a library that is end of life, brought in.

The one place where py2neo is known, an optional extra (``vinculum[py2neo]``).
It takes py2neo's objects, or reads an old graph through py2neo with plain
Cypher. A node's label that is a schema of ours, or that `labels` translates,
says what the record is; a relationship's type says the same of a link.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery
from ontology.digest import canonical_json, make_id
from ontology.errors import SettingError

_PAGE = 1000
_NODES = "MATCH (n) WHERE id(n) > $after RETURN n AS item, id(n) AS id ORDER BY id LIMIT $page"
_LINKS = "MATCH ()-[r]->() WHERE id(r) > $after RETURN r AS item, id(r) AS id ORDER BY id LIMIT $page"
_NO_NAMES: Mapping[str, str] = {}


def read_subgraph(
    subgraph: Any, delivery: Delivery, *, labels: Mapping[str, str] = _NO_NAMES, types: Mapping[str, str] = _NO_NAMES
) -> Iterator[Item]:
    """Yield the records and links of a py2neo Node, Relationship, Path or Subgraph.

    `labels` and `types` translate its names into schemata of ours. Nodes come in
    the order of their keys, so that the same graph always gives the same answer.
    Raises SettingError when py2neo is not installed.
    """
    data = _load()
    if not isinstance(subgraph, data.Subgraph):
        raise TypeError(f"expected a py2neo Subgraph, found {type(subgraph).__name__}")
    reader = _GraphReader(Assembler(delivery), labels, types)
    yield from reader.read_nodes(sorted(subgraph.nodes, key=make_key))
    links = sorted(
        subgraph.relationships, key=lambda r: (make_key(r.start_node), make_key(r.end_node), make_link_key(r))
    )
    yield from reader.read_links(links)


def read_graph(
    graph: Any, delivery: Delivery, *, labels: Mapping[str, str] = _NO_NAMES, types: Mapping[str, str] = _NO_NAMES
) -> Iterator[Item]:
    """Stream a whole old graph through a connected py2neo Graph, nodes first."""
    _load()
    reader = _GraphReader(Assembler(delivery), labels, types)
    yield from reader.read_nodes(_iter_pages(graph, _NODES))
    yield from reader.read_links(_iter_pages(graph, _LINKS))


def make_key(node: Any) -> str:
    """Return what names a node as a source: its identity in its graph, or its content before it has one."""
    if node.identity is not None:
        return f"node/{node.identity}"
    return f"node/{make_id(*sorted(node.labels), canonical_json(_to_plain(dict(node))).decode())}"


def make_link_key(link: Any) -> str:
    """Return what names a relationship as a source: its identity, or its type and content before it has one."""
    if link.identity is not None:
        return f"relationship/{link.identity}"
    return f"relationship/{make_id(_type_of(link), canonical_json(_to_plain(dict(link))).decode())}"


class _GraphReader:
    def __init__(self, assembler: Assembler, labels: Mapping[str, str], types: Mapping[str, str]) -> None:
        self._assembler = assembler
        self._labels = labels
        self._types = types

    def read_nodes(self, nodes: Iterable[Any]) -> Iterator[Item]:
        for node in nodes:
            key, schema = make_key(node), self._schema_of(node)
            if schema is None:
                yield self._assembler.reject(key, "a label that is a schema of things", "others")
                continue
            found = [Found(name, name, _to_plain(value)) for name, value in sorted(dict(node).items())]
            found.append(Found("", "labels", sorted(set(node.labels) - {schema})))
            yield from self._assembler.make_record(schema, key, found, where=key)

    def read_links(self, links: Iterable[Any]) -> Iterator[Item]:
        for link in links:
            where = f"{make_key(link.start_node)}-{_type_of(link)}"
            ends = (self._schema_of(link.start_node), self._schema_of(link.end_node))
            if ends[0] is None or ends[1] is None:
                yield self._assembler.reject(where, "ends that are things of ours", "others")
                continue
            schema = self._link_of(_type_of(link), ends[0], ends[1])
            found = [Found(name, name, _to_plain(value)) for name, value in sorted(dict(link).items())]
            if schema == "UnknownLink" and "role" not in dict(link):
                found.append(Found("role", "type", _type_of(link)))
            left, right = make_key(link.start_node), make_key(link.end_node)
            yield from self._assembler.make_link(schema, left, right, found, key=make_link_key(link), where=where)

    def _schema_of(self, node: Any) -> str | None:
        """Return the most exact schema of things among a node's labels."""
        ontology = self._assembler.ontology
        names = [self._labels.get(label, label) for label in sorted(node.labels)]
        things = [
            name for name in names if name in ontology and not ontology[name].is_link and not ontology[name].abstract
        ]
        return max(things, key=lambda name: len(ontology[name].lineage), default=None)

    def _link_of(self, kind: str, left: str, right: str) -> str:
        ontology = self._assembler.ontology
        name = self._types.get(kind, kind if kind in ontology else "".join(map(str.capitalize, kind.split("_"))))
        schema = ontology.get(name)
        if schema is None or schema.left is None or schema.right is None or schema.abstract:
            return "UnknownLink"
        fits = ontology.is_a(left, schema.left.schema) and ontology.is_a(right, schema.right.schema)
        return name if fits else "UnknownLink"


def _load() -> Any:
    try:
        # py2neo is an optional extra, and carries no types.
        import py2neo  # type: ignore[import-untyped,unused-ignore]
    except ImportError as exc:
        raise SettingError("py2neo: expected the extra vinculum[py2neo] to be installed, found nothing") from exc
    return py2neo


def _iter_pages(graph: Any, query: str) -> Iterator[Any]:
    after = -1
    while rows := graph.run(query, after=after, page=_PAGE).data():
        for row in rows:
            yield row["item"]
        after = rows[-1]["id"]


def _type_of(link: Any) -> str:
    return type(link).__name__


def _to_plain(value: Any) -> Any:
    """Return a value that JSON can hold; what it cannot (a date, a point) as text."""
    if isinstance(value, dict):
        return {str(name): _to_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set) and not hasattr(value, "srid"):
        return [_to_plain(part) for part in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)
