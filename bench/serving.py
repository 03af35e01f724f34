"""Serving: what answering GraphQL costs, over writing the same answer as JSON.

From memory: `n` invented entities under 120 labels, of twelve scalars and five
neighbours each, are held as a View holds them, untreated, and one document asks
for all of them. Timed side by side, the policy at work in all but the first:

- floor: `orjson.dumps` of the finished answer.
- ours: from the document to bytes, by the record executor.
- relay: the same entities as a connection, against the floor of that answer.
- all clear: ours for an observer to whom everything is clear; what ours takes
  beyond that is the policy's share.
- stock: Strawberry as it comes, with a field extension that treats each value
  as the policy says; it answers for the same entities with the same fields.

Parsing and validating are remembered by all alike. Medians of processor time
over rounds taken by turns. Not here: the store, the network, the guard.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import orjson
import strawberry
from strawberry.extensions import FieldExtension, ParserCache, ValidationCache

from api.collector import settle
from api.executor import Plans, RecordExecutor
from api.loaders import Loader
from api.nodes import ENTITY_TYPES, Entity, EntityConnection, Listed, Paged, list_items, make_entity
from bench.goal import print_goal
from bench.policy import KINDS, make_labels, make_records
from graph import shown
from graph.fragments import Fragments
from graph.handle import Handles
from graph.treat import Treater
from ontology.observer import SYSTEM, Observer
from ontology.policy_file import default_policy
from ontology.record import Link, Record
from ontology.schema import default_ontology

SIZES = (50, 500, 5_000)
NEIGHBOURS = 5
SECRET = bytes(32)
ANALYST = Observer("ana", "ORG-0", "analyst", purpose="investigation")
PROPERTIES = ("name", "alias", "firstName", "lastName", "birthDate", "gender", "nationality", "email", "phone")
FIELDS = f"id schema caption ... on Person {{ {' '.join(PROPERTIES)} }}"
NEAR = f"neighbours(first: {NEIGHBOURS}) {{ edges {{ verb node {{ id schema caption }} }} }}"
PLAIN = f"{{ entities {{ {FIELDS} {NEAR} }} }}"
RELAY = f"{{ connection {{ totalCount pageInfo {{ endCursor }} edges {{ cursor node {{ {FIELDS} {NEAR} }} }} }} }}"
STOCK = f"{{ stock {{ id schema caption {' '.join(PROPERTIES)} {NEAR} }} }}"
Way = Callable[[], Awaitable[bytes]]
GOALS = {50: 5.0, 500: 3.0, 5_000: 3.0}


def main() -> None:
    """Measure each size and print the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=max(SIZES), help="entities at most")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    asyncio.run(measure_all([size for size in SIZES if size <= args.n], args.rounds))


async def measure_all(sizes: Sequence[int], rounds: int) -> None:
    """Measure each size, all in one task, as a server's threads live as long as it does."""
    for size in sizes:
        await measure(size, rounds)


async def measure(size: int, rounds: int) -> None:
    """Take all ways of answering by turns, print their times and goals."""
    ours, clear = (Held.make(size, observer) for observer in (ANALYST, SYSTEM))
    asked = {"ours": (PLAIN, ours), "relay": (RELAY, ours), "all clear": (PLAIN, clear), "stock": (STOCK, ours)}
    ways: dict[str, Way] = {name: partial(_ask, *what) for name, what in asked.items()}
    answers = {name: orjson.loads(await way()) for name, way in ways.items()}
    _compare(answers["ours"]["data"]["entities"], answers["stock"]["data"]["stock"])
    floors: dict[str, Way] = {
        "floor": partial(_dump, answers["ours"]),
        "floor of relay": partial(_dump, answers["relay"]),
    }
    settle()
    times = await _take_turns({**floors, **ways}, {"stock": max(3, rounds // 5)}, rounds)
    print(f"{size} entities, {len(orjson.dumps(answers['ours'])):,} bytes, medians of {rounds} rounds, ms:")
    for name, took in times.items():
        print(f"  {name:15} {took:9.3f}   {took / times['floor']:7.1f} x floor")
    print_goal(f"serving_{size}_over_floor", round(times["ours"] / times["floor"], 2), "<=", GOALS[size])
    print_goal(f"serving_{size}_relay_over_floor", round(times["relay"] / times["floor of relay"], 2), "<=", 5.0)
    print_goal(f"serving_{size}_policy_share", round(times["ours"] / times["all clear"], 2), "<=", 1.15)
    if size >= 500:
        print_goal(f"serving_{size}_stock_over_ours", round(times["stock"] / times["ours"], 1), ">=", 40.0)


@dataclass(frozen=True, slots=True)
class Held:
    """Entities as a View holds them before they are treated, with their neighbours, and what treats them."""

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
        return cls(records, entities, pages, treater)

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


class _Schema(strawberry.Schema):
    """A schema with room for plans."""

    plans = Plans()
    fragments = Fragments()
    wrap = staticmethod(make_entity)


def _loader(held: Held) -> Loader:
    return Loader(lambda: held)  # type: ignore[arg-type, return-value]


@cache
def _schema() -> strawberry.Schema:
    return _Schema(
        query=Query,
        types=ENTITY_TYPES.values(),
        extensions=[ParserCache, ValidationCache],
        execution_context_class=RecordExecutor,
    )


async def _dump(answer: object) -> bytes:
    return orjson.dumps(answer)


async def _ask(text: str, held: Held) -> bytes:
    result = await _schema().execute(text, context_value=held)
    if result.errors:
        raise RuntimeError(str(result.errors[0]))
    return orjson.dumps({"data": result.data})


def _compare(ours: Sequence[Mapping[str, Any]], stock: Sequence[Mapping[str, Any]]) -> None:
    if list(ours) != list(stock):
        raise RuntimeError("expected the same answer of both, found two")


async def _take_turns(ways: Mapping[str, Way], fewer: Mapping[str, int], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each way; `fewer` are the rounds of those that take long."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in _iter_due(ways, fewer, number):
            started = time.process_time()
            await ways[name]()
            times[name].append((time.process_time() - started) * 1_000)
    return {name: median(took) for name, took in times.items()}


def _iter_due(ways: Mapping[str, object], fewer: Mapping[str, int], number: int) -> Iterator[str]:
    yield from (name for name in ways if number < fewer.get(name, number + 1))


if __name__ == "__main__":
    main()
