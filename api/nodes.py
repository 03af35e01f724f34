"""The GraphQL types: what a View shows, in the form of Relay.

Each concrete schema of things becomes one object type that implements Entity,
with a field for each of its properties. The types are the same for every tier;
a field that carries a field class is left out of the schema of a tier that is
never given a value of that class (see `api.schema`).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from inspect import cleandoc
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar, cast

import strawberry

from api.errors import BadInput
from api.executor import BATCH, COLUMN, READ, SHOWN
from api.guard import DEFAULT_PAGE, MAX_PAGE
from api.loaders import Loader
from graph import cubes, shown
from graph.selection import Part
from graph.window import Window
from ontology import watch
from ontology.judgement import Verdict
from ontology.policy import Treatment
from ontology.schema import Property, Schema, default_ontology

FIELD_CLASS = "field_class"
CLEAR_ONLY = "clear_only"

MAX_TEXT = 500

Node_ = TypeVar("Node_")
Item = TypeVar("Item")


def described(cls: type[Node_]) -> type[Node_]:
    """Give a GraphQL type and its resolvers the descriptions that their docstrings hold."""
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
    definition.description = cleandoc(cls.__doc__ or "")
    for field in definition.fields:
        if field.base_resolver and not field.description:
            field.description = cleandoc(field.base_resolver.wrapped_func.__doc__ or "")
    return cls


def batched(fetch: Callable[..., Awaitable[Sequence[Any]]]) -> Callable[[Callable[..., Any]], Any]:
    """Declare a field whose values are fetched for many objects at once."""
    return lambda resolver: strawberry.field(resolver=resolver, metadata={BATCH: fetch})


def read(path: str) -> Any:
    """Declare a field whose value is at a path (`.name`, `[1]`) of what its type is resolved from."""
    return strawberry.field(resolver=eval(f"lambda self: self{path}"), metadata={READ: path})


def _make_enum(name: str, members: Iterable[str], description: str) -> Any:
    made: Any = StrEnum  # called for a new enum, whose members mypy could not know
    return strawberry.enum(made(name, {member: member for member in members}), description=description)


if TYPE_CHECKING:
    EntitySchema: TypeAlias = str
    LinkType: TypeAlias = str
else:
    EntitySchema = _make_enum(
        "EntitySchema",
        [schema.name for schema in default_ontology().values() if not schema.is_link and schema.name != "Link"],
        "The schemata of things; an abstract one stands for all that descend from it.",
    )
    LinkType = _make_enum("LinkType", [schema.name for schema in default_ontology().links()], "The schemata of links.")

strawberry.enum(Treatment, description="What is done to a value before anything else sees it.")
strawberry.enum(Verdict, description="What a judgement says of two records; withdrawn takes your earlier ones back.")


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


@described
@strawberry.type
class Handling:
    """How an assertion must be handled: Europol handling code, TLP 2.0, PAP, the two 4x4 grades, fact or assessment."""

    handling: str
    tlp: str
    pap: str
    source_grade: str
    information_grade: str
    basis: str


@described
@strawberry.type
class Provenance:
    """Where something comes from. A part that you may not have is null."""

    record: strawberry.ID = strawberry.field(description="The id of the record that says so.")
    assertion: strawberry.ID = strawberry.field(description="The part of it, or the link, that says so.")
    recorded_at: datetime = strawberry.field(description="When it was recorded here.")
    source: str | None = strawberry.field(description="Who says so, or a pseudonym.", metadata={FIELD_CLASS: "source"})
    capture: str | None = strawberry.field(
        description="The SHA-256 of the bytes that say so.", metadata={FIELD_CLASS: "source", CLEAR_ONLY: True}
    )
    handling: Handling | None = strawberry.field(
        description="How it must be handled.", metadata={FIELD_CLASS: "handling", CLEAR_ONLY: True}
    )

    @classmethod
    def of(cls, found: shown.Provenance, **more: Any) -> Self:
        """Take over what a View shows."""
        return cls(
            record=strawberry.ID(found.record),
            assertion=strawberry.ID(found.assertion),
            recorded_at=found.recorded_at,
            source=found.source,
            capture=found.capture,
            handling=Handling(**found.handling) if found.handling else None,
            **more,
        )


@described
@strawberry.type
class ProvenancedValue(Provenance):
    """One value of a property with one record that holds it."""

    property: str
    value: str


@described
@strawberry.type
class Redaction:
    """A class of values that is withheld from you, wholly or in part, whether or not there are any."""

    field_class: str
    treatment: Treatment
    reason: str
    contact: str = strawberry.field(description="Whom to ask.")

    @classmethod
    def of(cls, found: shown.Redaction) -> Self:
        """Take over what a View shows."""
        return cls(field_class=found.field_class, treatment=found.treatment, reason=found.reason, contact=found.contact)


@described
@strawberry.type
class RecordProperty:
    """The values of one property in one record, and what was done to them."""

    name: str
    values: list[str]
    treatment: Treatment


@described
@strawberry.type
class LinkProperty:
    """The values of one property of a link."""

    name: str
    values: list[str]


@described
@strawberry.type
class Record:
    """What one source says about one thing, as you may have it: one provenance for each part handled alike."""

    id: strawberry.ID
    schema: EntitySchema
    caption: str
    values: list[RecordProperty]
    provenance: list[Provenance]
    redactions: list[Redaction]

    @classmethod
    def of(cls, found: shown.ShownRecord) -> Self:
        """Take over what a View shows."""
        return cls(
            id=strawberry.ID(found.id),
            schema=EntitySchema(found.schema),
            caption=found.caption,
            values=[
                RecordProperty(name=name, values=list(values), treatment=facet.treatments[name])
                for facet in found.facets
                for name, values in facet.values.items()
            ],
            provenance=[Provenance.of(facet.provenance) for facet in found.facets],
            redactions=[Redaction.of(redaction) for redaction in found.redactions],
        )


@described
@strawberry.type
class Link:
    """One source's assertion that two things are related."""

    id: strawberry.ID
    type: LinkType
    properties: list[LinkProperty]
    provenance: Provenance

    @classmethod
    def of(cls, found: shown.ShownLink) -> Self:
        """Take over what a View shows."""
        return cls(
            id=strawberry.ID(found.id),
            type=LinkType(found.schema),
            properties=[LinkProperty(name=name, values=list(values)) for name, values in found.values.items()],
            provenance=Provenance.of(found.provenance),
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


@described
@strawberry.type
class Weight:
    """What one comparison adds, in bits, and the level that it reached."""

    comparison: str
    weight: float
    level: str


@described
@strawberry.type
class Judgement:
    """What somebody decided about two records. A part that you may not have is null."""

    verdict: Verdict
    recorded_at: datetime
    by: str | None = strawberry.field(
        description="Who decided, within your own organisation.", metadata={FIELD_CLASS: "source"}
    )
    reason: str | None = strawberry.field(
        description="Why, within your own organisation.", metadata={FIELD_CLASS: "notes", CLEAR_ONLY: True}
    )

    @classmethod
    def of(cls, found: shown.ShownJudgement) -> Self:
        """Take over what a View shows."""
        return cls(verdict=found.verdict, by=found.by, reason=found.reason, recorded_at=found.recorded_at)


@described
@strawberry.type
class Explanation:
    """Why two records are, or are not, one thing, from what you may see alone. Prior, stop and total are in bits."""

    left: strawberry.ID
    right: strawberry.ID
    same: bool
    by: str = strawberry.field(description="identifier, weights, judgement or nothing")
    model: str | None
    prior: float | None
    stop: float | None = strawberry.field(description="They are one thing when the total reaches this.")
    total: float | None
    weights: list[Weight]
    judged: Judgement | None = strawberry.field(description="The judgement in force, whatever decided.")

    @classmethod
    def of(cls, found: shown.Explanation) -> Self:
        """Take over what a View shows."""
        return cls(
            left=strawberry.ID(found.left),
            right=strawberry.ID(found.right),
            same=found.same,
            by=found.by,
            model=found.model,
            prior=found.prior,
            stop=found.stop,
            total=found.total,
            weights=[Weight(comparison=w.comparison, weight=w.weight, level=w.level) for w in found.weights],
            judged=Judgement.of(found.judged) if found.judged else None,
        )


@described
@strawberry.type
class Watch:
    """A standing question: what new links come to an entity? The entity is null while you may not see it."""

    id: strawberry.ID
    entity: Entity | None
    created_at: datetime

    @classmethod
    async def of_all(cls, found: Sequence[watch.Watch], loader: Loader) -> list[Self]:
        """Show an observer's watches, all their entities from one walk."""
        entities, ids = await loader.ask(
            lambda view: (view.entities_of([w.thing for w in found]), [view.handle("watch", w.id) for w in found])
        )
        return [
            cls(
                id=strawberry.ID(id_),
                entity=make_entity(entities[w.thing], loader) if w.thing in entities else None,
                created_at=w.created_at,
            )
            for id_, w in zip(ids, found, strict=True)
        ]


@described
@strawberry.type
class Alert:
    """A link that came to an entity that you watch, and the entity at its far end."""

    id: strawberry.ID
    watch: strawberry.ID
    recorded_at: datetime
    entity: Entity
    verb: str
    link: Link
    node: Entity

    @classmethod
    def of(cls, found: shown.ShownAlert, loader: Loader) -> Self:
        """Take over an alert whose ground its observer may see."""
        return cls(
            id=strawberry.ID(found.id),
            watch=strawberry.ID(found.watch),
            recorded_at=found.recorded_at,
            entity=make_entity(found.entity, loader),
            verb=found.neighbour.verb,
            link=Link.of(found.neighbour.link),
            node=make_entity(found.neighbour.entity, loader),
        )


@described
@strawberry.type
class TableCell:
    """How many things fall in a row and a column of a table; null stands for the total over all of them."""

    row: str | None
    column: str | None
    count: int


@described
@strawberry.type
class Table:
    """A table of counts, rounded; what is not in it is zero, too few, or would give away what is too few."""

    name: str
    description: str
    rows: str = strawberry.field(description="The property that rows are values of.")
    columns: str = strawberry.field(description="The property that columns are values of.")
    cells: list[TableCell]

    @classmethod
    def of(cls, found: cubes.Table) -> Self:
        """Take over what a View shows."""
        counted: list[tuple[str | None, str | None, int]] = [
            *((row, column, count) for (row, column), count in sorted(found.cells.items())),
            *((row, None, count) for row, count in sorted(found.rows.items())),
            *((None, column, count) for column, count in sorted(found.columns.items())),
            *([] if found.total is None else [(None, None, found.total)]),
        ]
        rows, columns = found.cube.by
        return cls(
            name=found.cube.name,
            description=found.cube.description,
            rows=rows,
            columns=columns,
            cells=[TableCell(row=row, column=column, count=count) for row, column, count in counted],
        )


@described
@strawberry.type
class SchemaCount:
    """How many entities of one schema you may see."""

    schema: EntitySchema
    count: int


@described
@strawberry.type
class Observer:
    """You, as the store knows you."""

    name: str
    organisation: str
    tier: str
    purpose: str
    cases: list[str]


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


def check_first(first: int, most: int = MAX_PAGE) -> int:
    """Return the size of a page; raises BadInput for one that is out of bounds."""
    return check_number("first", first, 0, most)


def check_number(name: str, number: int, least: int, most: int) -> int:
    """Return a number that an argument gives; raises BadInput for one that is out of bounds."""
    if not least <= number <= most:
        raise BadInput(f"{name}: expected {least} to {most}, found another number")
    return number


def check_text(name: str, text: str) -> str:
    """Return a text that an argument gives; raises BadInput for one that is longer than anything looked for."""
    if len(text) > MAX_TEXT:
        raise BadInput(f"{name}: expected at most {MAX_TEXT} characters, found more")
    return text


def check_moment(moment: datetime | None, name: str = "asOf") -> datetime | None:
    """Return a moment that an argument gives; raises BadInput for one that does not say where on Earth."""
    if moment is not None and moment.utcoffset() is None:
        raise BadInput(f"{name}: expected a time with its offset from UTC, such as 2026-01-31T12:00:00Z")
    return moment


def make_window(since: datetime | None, until: datetime | None) -> Window | None:
    """Return the time between two moments, None for all time."""
    if since is None and until is None:
        return None
    return Window(check_moment(since, "since"), check_moment(until, "until"))


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
