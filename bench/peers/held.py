"""What the serving benchmark asks for: invented entities with neighbours, held as a View holds them, and their schema.

The entities have twelve scalars and five neighbours each, under 120 labels, and
are not treated yet. `stock` is the same for Strawberry as it comes, with a field
extension that treats each value as the policy says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import orjson
import strawberry
from graphql import DocumentNode
from strawberry.extensions import FieldExtension, ParserCache, ValidationCache

from api.answering import answer_under
from api.checked import CheckedDocuments
from api.executor import Plans, RecordExecutor
from api.loaders import Loader
from api.nodes import ENTITY_TYPES, Entity, EntityConnection, Listed, Paged, list_items, make_entity
from bench.policy import KINDS, make_labels, make_records
from graph import shown
from graph.fragments import Fragments
from graph.handle import Handles
from graph.treat import Treater
from ontology.observer import Observer
from ontology.policy_file import default_policy
from ontology.record import Link, Record
from ontology.schema import default_ontology

NEIGHBOURS = 5
SECRET = bytes(32)
ANALYST = Observer("ana", "ORG-0", "analyst", purpose="investigation")
PROPERTIES = ("name", "alias", "firstName", "lastName", "birthDate", "gender", "nationality", "email", "phone")
FIELDS = f"id schema caption ... on Person {{ {' '.join(PROPERTIES)} }}"
NEAR = f"neighbours(first: {NEIGHBOURS}) {{ edges {{ verb node {{ id schema caption }} }} }}"
PLAIN = f"{{ entities {{ {FIELDS} {NEAR} }} }}"
RELAY = f"{{ connection {{ totalCount pageInfo {{ endCursor }} edges {{ cursor node {{ {FIELDS} {NEAR} }} }} }} }}"
STOCK = f"{{ stock {{ id schema caption {' '.join(PROPERTIES)} {NEAR} }} }}"


@dataclass(frozen=True, slots=True)
class Held:
    """Entities as a View holds them before they are treated, with their neighbours, and what treats them."""

    observer: Observer
    records: Sequence[Record]
    entities: Sequence[shown.Entity]
    pages: Mapping[str, shown.Page[shown.Neighbour]]
    treater: Treater

    @classmethod
    def make(cls, size: int, observer: Observer) -> "Held":
        """Invent entities for an observer; each is linked with the five that follow."""
        labels = make_labels()
        records = [r for r in make_records(2 * size, labels, KINDS) if r.schema == "Person"][:size]
        clearance = default_policy().compile(observer, {label.lid: label for label in labels})
        treater = Treater(default_ontology(), clearance, Handles(SECRET, observer.organisation))
        entities = [shown.Entity({record.thing: [record]}, treater) for record in records]
        links = [treater.show_link(_make_link(records[0], records[1 + place])) for place in range(NEIGHBOURS)]
        pages = {
            entity.thing: shown.Page(
                tuple(
                    shown.Neighbour(
                        partial(itemgetter(place), links), "knows", entities[(number + place + 1) % len(entities)]
                    )
                    for place in range(NEIGHBOURS)
                ),
                tuple(link.id for link in links),
                False,
                NEIGHBOURS,
            )
            for number, entity in enumerate(entities)
        }
        return cls(observer, records, entities, pages, treater)

    def neighbours_of(self, entities: Sequence[shown.Entity], **_: object) -> list[shown.Page[shown.Neighbour]]:
        """Answer for a View."""
        return [self.pages[entity.thing] for entity in entities]


def _make_link(left: Record, right: Record) -> Link:
    return Link(
        "Contact", "invented", right.source_key, left.thing, right.thing, left.label, "0" * 64, 0, {}, left.recorded_at
    )


class _Treated(FieldExtension):
    """Treats the values of one property as the policy says: how Strawberry would have it done."""

    def __init__(self, name: str) -> None:
        self._name = name

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        """Return what is left of the values."""
        values = next_(source, info, **kwargs)
        record: Record = source.record
        treat = info.context.treater.treat_of(record.schema, record.lid, self._name)
        return list(treat[values]) or None if values and treat is not None else None


@strawberry.type
class StockNode:
    """The entity at the far end."""

    id: str
    schema: str
    caption: str


@strawberry.type
class StockEdge:
    """An edge."""

    verb: str
    node: StockNode


@strawberry.type
class StockConnection:
    """A page."""

    edges: list[StockEdge]


def _make_stock() -> Any:
    def resolver_of(name: str) -> Callable[[Any], list[str] | None]:
        def resolve(self: Any) -> list[str] | None:
            found: list[str] | None = self.record.properties.get(name)
            return found

        return resolve

    def neighbours(self: Any, info: strawberry.Info, first: int) -> StockConnection:
        page = info.context.pages[self.record.thing]
        return StockConnection(
            edges=[
                StockEdge(
                    verb=found.verb,
                    node=StockNode(id=found.entity.id, schema=found.entity.schema, caption=found.entity.caption),
                )
                for found in page.items[:first]
            ]
        )

    made: Any = type(
        "StockEntity",
        (),
        {
            "__annotations__": {"id": str, "schema": str, "caption": str, "record": strawberry.Private[Record]},
            "neighbours": strawberry.field(resolver=neighbours),
            **{name: strawberry.field(resolver=resolver_of(name), extensions=[_Treated(name)]) for name in PROPERTIES},
        },
    )
    return strawberry.type(made)


if TYPE_CHECKING:
    StockEntity: TypeAlias = Any

else:
    StockEntity = _make_stock()


@strawberry.type
class Query:
    """What is asked here."""

    @strawberry.field
    def entities(self, info: strawberry.Info) -> list[Entity]:
        """All entities, as the API lists them."""
        loader = _loader(info.context)
        return [make_entity(entity, loader) for entity in info.context.entities]

    @strawberry.field
    def connection(self, info: strawberry.Info) -> EntityConnection:
        """All entities, as the API pages them."""
        entities = tuple(info.context.entities)
        page = shown.Page(entities, tuple(entity.id for entity in entities), False, len(entities))
        return cast(EntityConnection, Paged(list_items(page, Listed), _loader(info.context), None))

    @strawberry.field
    def stock(self, info: strawberry.Info) -> list[StockEntity]:
        """All entities, for Strawberry as it comes."""
        return [
            StockEntity(id=entity.id, schema=entity.schema, caption=entity.caption, record=record)
            for entity, record in zip(info.context.entities, info.context.records, strict=True)
        ]


class HeldSchema(strawberry.Schema):
    """A schema with room for what ours keeps."""

    checked = CheckedDocuments()
    plans = Plans()
    fragments = Fragments()
    wrap = staticmethod(make_entity)


def _loader(held: Held) -> Loader:
    return Loader(lambda: held)  # type: ignore[arg-type, return-value]


@cache
def held_schema() -> HeldSchema:
    """Return the schema that everything here is asked under."""
    return HeldSchema(
        query=Query,
        types=ENTITY_TYPES.values(),
        extensions=[ParserCache, ValidationCache],
        execution_context_class=RecordExecutor,
    )


async def ask_ours(asked: str | DocumentNode, held: Held, *, is_cold: bool = False) -> bytes:
    """Return our answer to a document, from the guard to the bytes; `is_cold` forgets what was shown before."""
    schema: Any = held_schema()
    kept = schema.fragments
    schema.fragments = Fragments() if is_cold else kept
    answered = await answer_under(schema, cast(Any, held), asked)
    schema.fragments = kept
    if not answered.is_run:
        raise RuntimeError(answered.body.decode())
    return answered.body


async def ask_stock(text: str, held: Held) -> bytes:
    """Return Strawberry's answer to a document."""
    result = await held_schema().execute(text, context_value=held)
    if result.errors:
        raise RuntimeError(str(result.errors[0]))
    return orjson.dumps({"data": result.data})
