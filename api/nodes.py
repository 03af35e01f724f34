"""The GraphQL types of entities and of lists of them, in the form of Relay.

Each concrete schema of things becomes one object type that implements Entity,
with a field for each of its properties. The types are the same for every tier;
a field that carries a field class is left out of the schema of a tier that is
never given a value of that class (see `api.schema`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, NamedTuple, Self, TypeVar, cast

import strawberry

from api.arguments import check_first, make_window
from api.assertions import Link, ProvenancedValue, Record, Redaction
from api.declaring import FIELD_CLASS, EntitySchema, LinkType, batched, described, read
from api.executor import COLUMN, READ, SHOWN
from api.guard import DEFAULT_PAGE
from api.loaders import Loader
from graph import shown
from graph.selection import Part
from ontology.schema import Property, Schema, default_ontology

Item = TypeVar("Item")


@described
@strawberry.interface
class Node:
    """Whatever has an id of its own (Relay). An id works for the organisation that was shown it, and for no other."""

    id: strawberry.ID


@described
@strawberry.type
class PageInfo:
    """Where a page stands in its list (Relay)."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None

    @classmethod
    def of(cls, cursors: Sequence[str], *, has_next: bool, after: str | None) -> Self:
        """Describe a page by the cursors of its items."""
        return cls(
            has_next_page=has_next,
            has_previous_page=bool(cursors) and after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


def _id_of(self: "Entity") -> strawberry.ID:
    return strawberry.ID(self.found.id)


def _caption_of(self: "Entity") -> str:
    return self.found.caption


def _schema_of(self: "Entity") -> EntitySchema:
    return EntitySchema(self.found.schema)


@described
@strawberry.interface
class Entity(Node):
    """The records that, as far as you may see, are one thing. Any of their ids names it; the earliest is shown."""

    id: strawberry.ID = strawberry.field(
        resolver=_id_of, metadata={COLUMN: (Part.ID, None)}, description="The id of its earliest record."
    )
    caption: str = strawberry.field(
        resolver=_caption_of, metadata={COLUMN: (Part.CAPTION, None)}, description="What to call it."
    )
    schema: EntitySchema = strawberry.field(
        resolver=_schema_of,
        metadata={COLUMN: (Part.SCHEMA, None)},
        description="What it is: the most specific that one of its records says.",
    )
    found: strawberry.Private[shown.Entity]
    loader: strawberry.Private[Loader]

    @strawberry.field
    def records(self) -> list[Record]:
        """The records that it is made of, earliest first."""
        return [Record.of(record) for record in self.found.records]

    @strawberry.field
    def provenance(self, property: str | None = None) -> list[ProvenancedValue]:
        """Each value with where it comes from: of one property, or of all."""
        names = [property] if property is not None else list(self.found.values)
        return [
            ProvenancedValue.of(found, property=name, value=value)
            for name in names
            for value, found in self.found.provenance(name)
        ]

    @strawberry.field
    def redactions(self) -> list[Redaction]:
        """What is withheld from you of things of this kind, why, and whom to ask."""
        return [Redaction.of(redaction) for redaction in self.found.redactions]

    @batched(lambda entities, loader, **arguments: _neighbours_of_all(entities, loader, **arguments))
    async def neighbours(
        self,
        first: int = DEFAULT_PAGE,
        after: str | None = None,
        types: list[LinkType] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> "NeighbourConnection":
        """The entities one link away, by type of link, the latest link first.

        `types` keeps links of some types; `since` and `until` those that held, or were recorded, between two moments.
        """
        (found,) = await _neighbours_of_all([self.found], self.loader, first, after, types, since, until)
        return cast("NeighbourConnection", found)


# One item of a page, as an edge is resolved from it: its cursor, what is there, and the loader of its View.
Edge = tuple[str, Any, Loader]


def entity_at(path: str, description: str) -> Any:
    """Declare a field that is an entity, at a path of what its type is resolved from, which ends with the loader."""
    get = eval(f"lambda self: self{path}")
    return strawberry.field(
        resolver=lambda self: make_entity(get(self), self[-1]), metadata={READ: path}, description=description
    )


class Listed(NamedTuple):
    """An entity in a list; `hit` is what a search found it by, None in others."""

    entity: shown.Entity
    hit: shown.Hit | None = None


def list_items(page: shown.Page[Item], item: Callable[[Item], Listed]) -> shown.Page[Listed]:
    """Return a page of entities as lists hold them."""
    return shown.Page(tuple(map(item, page.items)), page.cursors, page.has_next, page.total)


class Paged(NamedTuple):
    """A page that a View shows, as a connection is resolved from it; `after` is the cursor that it follows."""

    page: shown.Page[Any]
    loader: Loader
    after: str | None

    @property
    def edges(self) -> list[Edge]:
        """Its items with their cursors."""
        return list(zip(self.page.cursors, self.page.items, repeat(self.loader), strict=False))

    @property
    def page_info(self) -> PageInfo:
        """Where it stands in its list."""
        return PageInfo.of(self.page.cursors, has_next=self.page.has_next, after=self.after)


@described
@strawberry.type
class Match:
    """The value of an entity that matched a search best, as one of its records says it, in clear."""

    property: str
    value: str
    score: float = strawberry.field(description="How well that record matches as a whole, from 0 to 100.")
    record: strawberry.ID = strawberry.field(description="The id of the record.")

    @classmethod
    def of(cls, hit: shown.Hit) -> Self:
        """Take over what a View shows."""
        record = strawberry.ID(hit.provenance.record)
        return cls(property=hit.name, value=hit.value, score=round(hit.score, 1), record=record)


@described
@strawberry.type
class EntityEdge:
    """An entity in a list, and the cursor that names its place (Relay)."""

    cursor: str = read("[0]")

    node: Entity = entity_at("[1].entity", "The entity.")
    match: Match | None = strawberry.field(
        resolver=lambda self: Match.of(self[1].hit) if self[1].hit else None,
        description="What a search found it by; null in other lists.",
    )


@described
@strawberry.type
class EntityConnection:
    """A page of entities (Relay). The total counts what you may see."""

    edges: list[EntityEdge] = read(".edges")
    page_info: PageInfo = read(".page_info")
    total_count: int = read(".page.total")


@described
@strawberry.type
class NeighbourEdge:
    """An entity one link away. The verb reads from the entity that was asked."""

    cursor: str = read("[0]")
    verb: str = read("[1].verb")

    @strawberry.field
    def link(self: Any) -> Link:
        """The link that leads there."""
        return Link.of(self[1].link)

    node: Entity = entity_at("[1].entity", "The entity at its far end.")


@described
@strawberry.type
class NeighbourConnection:
    """A page of neighbours (Relay). The total counts what you may see."""

    edges: list[NeighbourEdge] = read(".edges")
    page_info: PageInfo = read(".page_info")
    total_count: int = read(".page.total")


async def _neighbours_of_all(
    entities: Sequence[shown.Entity],
    loader: Loader,
    first: int = DEFAULT_PAGE,
    after: str | None = None,
    types: list[LinkType] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Paged]:
    """Return the neighbours of each of some entities, asked for together."""
    size, window = check_first(first), make_window(since, until)
    pages = await loader.ask(
        lambda view: view.neighbours_of(entities, types=types or (), window=window, first=size, after=after)
    )
    return [Paged(page, loader, after) for page in pages]


def make_entity(found: shown.Entity, loader: Loader) -> Entity:
    """Return an entity in the type of its schema; what is asked of it later goes to the same View."""
    return ENTITY_TYPES[found.schema](found=found, loader=loader)


def _make_type(schema: Schema) -> type[Entity]:
    fields = {name: _make_field(prop) for name, prop in schema.properties.items()}
    cls: Any = type(schema.name, (Entity,), {"__doc__": schema.description, **fields})
    described_type: type[Entity] = strawberry.type(
        cls, name=schema.name, description=_describe(schema.description, schema.terms)
    )
    return described_type


def _make_field(prop: Property) -> Any:
    return strawberry.field(
        resolver=_make_resolver(prop.name),
        name=prop.name,
        description=_describe(prop.description, prop.terms),
        metadata={FIELD_CLASS: prop.field_class, COLUMN: (Part.PROPERTY, prop.name)},
    )


def _make_resolver(name: str) -> Callable[[Entity], list[str] | None]:
    def resolve(self: Entity) -> list[str] | None:
        values = self.found.values.get(name)
        return list(values) if values else None

    return resolve


def _describe(description: str, terms: Sequence[str]) -> str:
    return f"{description}\n\nTerms: {', '.join(terms)}." if terms else description


setattr(Entity, SHOWN, True)
ENTITY_TYPES = {schema.name: _make_type(schema) for schema in default_ontology().things()}
