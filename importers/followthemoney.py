"""FollowTheMoney: entities as JSON lines, 4.x.

A thing becomes a record, and each of its properties that names another entity
a link; an edge (Ownership, Family, Payment, ...) becomes a link. Entities may
be nested inside a property, as in answers of an API. A schema that we lack is
taken as the nearest that we have (`NEAREST`), its own name kept in ``extra``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from importers.assembly import Assembler, Found, Item
from importers.delivery import Delivery
from importers.guard import open_bytes
from importers.table import Fault, Row, iter_json_rows

# Schemata of FollowTheMoney that are ours under another name, or that we keep as something wider.
# Its Email is a message; ours is an address.
NEAREST = {
    "PublicBody": "Organization",
    "LegalEntity": "Organization",
    "Pages": "Document",
    "PlainText": "Document",
    "Audio": "Document",
    "Video": "Document",
    "Package": "Document",
    "Table": "Document",
    "Workbook": "Document",
    "Folder": "Document",
    "Article": "Document",
    "Contract": "Document",
    "Email": "Message",
    "Note": "Report",
    "Assessment": "Report",
    "Airplane": "Vehicle",
    "Vessel": "Vehicle",
    "CourtCase": "Case",
    "EconomicActivity": "Event",
}


class Edge(NamedTuple):
    """A schema of edges: which link of ours it is, and which properties name its ends."""

    link: str
    left: str
    right: str
    role: str = ""


EDGES = {
    "Ownership": Edge("Ownership", "owner", "asset"),
    "Directorship": Edge("Directorship", "director", "organization"),
    "Membership": Edge("Membership", "member", "organization"),
    "Employment": Edge("Employment", "employee", "employer"),
    "Family": Edge("Family", "person", "relative"),
    "Associate": Edge("Associate", "person", "associate"),
    "Representation": Edge("Representation", "agent", "client"),
    "Payment": Edge("Payment", "payer", "beneficiary"),
    "UnknownLink": Edge("UnknownLink", "subject", "object"),
    "CourtCaseParty": Edge("PartOfCase", "party", "case"),
    "Documentation": Edge("EvidenceOf", "document", "entity"),
    "Succession": Edge("UnknownLink", "predecessor", "successor", "succession"),
    "Debt": Edge("UnknownLink", "debtor", "creditor", "debt"),
    "ProjectParticipant": Edge("UnknownLink", "participant", "project", "project_participant"),
}


class Reference(NamedTuple):
    """A property that names another entity: which link it is; `is_left` when the named one is its left end."""

    link: str
    is_left: bool = False
    role: str = ""


REFERENCES = {
    "addressEntity": Reference("HasAddress"),
    "holder": Reference("Holder"),
    "owner": Reference("Ownership", is_left=True),
    "involved": Reference("Involved"),
    "organizer": Reference("Organizer"),
    "vehicle": Reference("Transport"),
    "sender": Reference("Sender"),
    "emitters": Reference("Sender"),
    "recipients": Reference("Recipient"),
    "caller": Reference("Caller"),
    "receiver": Reference("Receiver"),
    "pictured": Reference("Pictured"),
    "mentionedEntities": Reference("Mentions"),
    "resolved": Reference("MentionOf"),
    "document": Reference("Mentions", is_left=True),
    "proof": Reference("EvidenceOf", is_left=True),
    "parent": Reference("UnknownLink", role="parent"),
    "subsidiaries": Reference("UnknownLink", role="subsidiary"),
    "unknownLinkTo": Reference("UnknownLink"),
    "associates": Reference("Associate"),
    "family": Reference("Family"),
}
# Where a reference means something else on one schema.
_REFERENCES_OF = {
    ("UserAccount", "owner"): Reference("HasAccount", is_left=True),
    ("Call", "owner"): Reference("UnknownLink", role="owner"),
}


def read_followthemoney(path: Path, delivery: Delivery) -> Iterator[Item]:
    """Stream entities; each one's place in errors is its line."""
    reader = _EntityReader(Assembler(delivery))
    with open_bytes(path, delivery.file) as stream:
        for row in iter_json_rows(stream):
            if isinstance(row, Fault):
                yield reader.assembler.reject(*row)
            else:
                yield from reader.read_entity(row)


class _EntityReader:
    def __init__(self, assembler: Assembler) -> None:
        self.assembler = assembler

    def read_entity(self, row: Row) -> Iterator[Item]:
        entity, where = row.cells, row.where
        key, schema, properties = entity.get("id"), entity.get("schema"), entity.get("properties")
        if not isinstance(key, str) or not key:
            yield self.assembler.reject(f"{where}.id", "the id of an entity", "none")
        elif not isinstance(properties, dict):
            yield self.assembler.reject(f"{where}.properties", "a mapping", type(properties).__name__)
        elif schema in EDGES:
            yield from self._read_edge(key, schema, properties, where)
        else:
            yield from self._read_thing(key, entity, properties, where)

    def _read_thing(
        self, key: str, entity: Mapping[str, Any], properties: Mapping[str, Any], where: str
    ) -> Iterator[Item]:
        schema = self._find_schema(entity.get("schema"))
        if schema is None:
            yield self.assembler.reject(f"{where}.schema", "a schema that the ontology has a place for", "another one")
            return
        found = [*self._describe(schema, properties), *_describe_rest(entity, schema)]
        made = yield from self.assembler.make_record(schema, key, found, where=where)
        for name, value in properties.items():
            for other in _listed(value):
                if isinstance(other, dict):
                    yield from self.read_entity(Row(f"{where}.properties.{name}", other))
                if made is not None:
                    yield from self._make_reference(schema, key, name, other, where)

    def _make_reference(self, schema: str, key: str, name: str, other: Any, where: str) -> Iterator[Item]:
        reference, other_key = self._find_reference(schema, name), _key_of(other)
        if reference is None and isinstance(other, dict) and other.get("schema") not in EDGES:
            reference = Reference("UnknownLink", role=name)
        if reference is None or other_key is None:
            return
        left, right = (other_key, key) if reference.is_left else (key, other_key)
        found = [Found("role", "role", reference.role)]
        place = f"{where}.properties.{name}"
        yield from self.assembler.make_link(reference.link, left, right, found, key=f"{key}/{name}", where=place)

    def _read_edge(self, key: str, schema: str, properties: Mapping[str, Any], where: str) -> Iterator[Item]:
        edge = _find_edge(schema, properties)
        for name in (edge.left, edge.right):
            for other in _listed(properties.get(name)):
                if isinstance(other, dict):
                    yield from self.read_entity(Row(f"{where}.properties.{name}", other))
            if not any(map(_key_of, _listed(properties.get(name)))):
                yield self.assembler.reject(f"{where}.properties.{name}", "the entity at this end", "none")
                return
        found = [
            Found(name, f"properties.{name}", value)
            for name, value in properties.items()
            if name not in (edge.left, edge.right)
        ]
        found.append(Found("role", "role", edge.role))
        for left in filter(None, map(_key_of, _listed(properties[edge.left]))):
            for right in filter(None, map(_key_of, _listed(properties[edge.right]))):
                yield from self.assembler.make_link(edge.link, left, right, found, key=key, where=where)

    def _describe(self, schema: str, properties: Mapping[str, Any]) -> Iterator[Found]:
        for name, value in properties.items():
            if self._find_reference(schema, name) is None:
                plain = [item for item in _listed(value) if not isinstance(item, dict)]
                yield Found(name, f"properties.{name}", plain)

    def _find_schema(self, name: Any) -> str | None:
        if not isinstance(name, str):
            return None
        schema = self.assembler.ontology.get(NEAREST.get(name, name))
        return None if schema is None or schema.abstract or schema.is_link else schema.name

    def _find_reference(self, schema: str, name: str) -> Reference | None:
        if name not in REFERENCES or name in self.assembler.ontology[schema].properties:
            return None
        return _REFERENCES_OF.get((schema, name), REFERENCES[name])


def _find_edge(schema: str, properties: Mapping[str, Any]) -> Edge:
    edge = EDGES[schema]
    if schema == "Payment" and not (properties.get("payer") and properties.get("beneficiary")):
        sides = [name if properties.get(name) else f"{name}Account" for name in (edge.left, edge.right)]
        if all(map(properties.get, sides)):
            return Edge("PaidTo", *sides)
    return edge


def _describe_rest(entity: Mapping[str, Any], schema: str) -> Iterator[Found]:
    for name, value in entity.items():
        if name not in ("id", "schema", "properties", "caption"):
            yield Found("", name, value)
    if entity.get("schema") != schema:
        yield Found("", "schema", entity.get("schema"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _key_of(value: Any) -> str | None:
    key = value.get("id") if isinstance(value, dict) else value
    return key if isinstance(key, str) and key else None
