"""The GraphQL types of answers that are no entities: explanations, watches, alerts, tables, counts, and who asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from api.assertions import Link
from api.declaring import CLEAR_ONLY, FIELD_CLASS, EntitySchema, described
from api.loaders import Loader
from api.nodes import Entity, make_entity
from graph import cubes, shown
from ontology import watch
from ontology.judgement import Verdict


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
