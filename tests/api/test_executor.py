"""The record executor: whatever is asked, the answer is graphql-core's, byte for byte, and most of it is compiled."""

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from graphql.execution.collect_fields import FieldDetailsList
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.answering import answer
from api.executor import Plan, Plans, RecordExecutor
from api.loaders import Context
from api.schema import make_schema
from bench.campaigns.graphql import Served, ask_in_turn, draw_concrete_pair
from ontology.observer import Observer
from ontology.policy_file import default_policy
from tests.api.backend import COMPANY, INVESTIGATOR, OBSERVERS, PERSON, MemoryBackend
from tests.worlds.documents import Asker
from tests.worlds.twin import ASKING

EDGES = (
    "edges { cursor verb link { id type provenance { recordedAt } } node { __typename id ... on Company { name } } }"
)
DOCUMENTS = {
    "aliases": "{ one: node(id: $a) { x: id y: id ... on Person { n: name b: birthDate } } two: node(id: $b) { id } }",
    "typename": "{ nodes(ids: [$a, $b, $c]) { __typename id ... on Entity { kind: __typename schema } } }",
    "fragments": "{ entity(id: $a) { ...F ...G } } fragment F on Entity { id caption ...G } "
    "fragment G on Entity { schema neighbours { ...H } } fragment H on NeighbourConnection { totalCount }",
    "the same field twice": "{ entity(id: $a) { neighbours(first: 1) { totalCount } "
    "neighbours(first: 1) { edges { verb } edges { cursor } } records { id } records { caption } } }",
    "include and skip": "query($y: Boolean!, $n: Boolean!) { entity(id: $a) { id caption @include(if: $y) "
    "schema @include(if: $n) records @skip(if: $y) { id } neighbours { totalCount @skip(if: $n) } } }",
    "everything": "{ entity(id: $a) { id records { id schema caption values { name values treatment } "
    "provenance { record source recordedAt handling { tlp pap } } } "
    "provenance { property value recordedAt } redactions { fieldClass treatment reason contact } "
    'one: provenance(property: "name") { value } none: provenance(property: "no such") { value } '
    f"neighbours(first: 5) {{ totalCount pageInfo {{ hasNextPage startCursor endCursor }} {EDGES} }} }} }}",
    "two hops": "{ entity(id: $a) { neighbours { edges { node { id neighbours { edges { node { id caption } } } } } } } }",
    "search": '{ search(text: "blue") { totalCount edges { cursor node { id schema } } pageInfo { endCursor } } }',
    "filters": '{ entities(where: {Person: {name: {prefix: "ada"}}}, sort: {property: "birthDate"}) '
    "{ totalCount pageInfo { endCursor } edges { cursor match { value } node { id caption } } } }",
    "filters that do not fit": '{ entities(where: {Person: {birthDate: {equals: "no date"}}}) { totalCount } }',
    "neighbourhood": "{ neighbourhood(id: $a, depth: 2) { entity { id } isComplete "
    "reached { distance entity { id caption } } links { verb left { id } right { id schema } link { type } } } }",
    "paths": "{ paths(left: [$a], right: [$b]) { hasMore isComplete items { start { id } "
    "steps { verb link { id } node { id caption } } } } none: paths(left: [$c], right: [$b]) { hasMore } }",
    "what matched": '{ search(text: "blue") { edges { match { property value score record } node { id } } } }',
    "nothing there": "{ nodes(ids: [$c]) { id } entity(id: $c) { id } }",
    "a page too large": "{ entity(id: $a) { id neighbours(first: 1000) { totalCount } } }",
    "a cursor of nowhere": '{ entity(id: $a) { id neighbours(after: "x") { totalCount } } caption: node(id: $b) { id } }',
    "types": "{ entity(id: $a) { work: neighbours(types: [Employment]) { totalCount } "
    "pay: neighbours(types: [Payment]) { totalCount edges { verb } } } }",
    "watches and alerts": "{ watches { id entity { id caption } } alerts { id entity { id } node { id } verb } }",
    "explain": "{ explain(left: $a, right: $b) { same by weights { comparison weight } judged { verdict } } }",
    "tables": "{ cubes { name cells { row column count } } counts { schema count } observer { name cases } }",
}


@pytest.fixture(name="backend")
def _backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture(autouse=True)
def _own_executor() -> Iterator[None]:
    yield
    for tier in default_policy().tiers:
        make_schema(tier).execution_context_class = RecordExecutor


def _answer(backend: MemoryBackend, observer: Observer, text: str, executor: type) -> bytes:
    schema = make_schema(observer.tier)
    schema.execution_context_class = executor
    variables = {"y": True, "n": False} if "$y" in text else None
    return asyncio.run(answer(Context(backend, observer), text, variables)).body


def _fill(text: str, backend: MemoryBackend, observer: Observer) -> str:
    view = backend.store.view(observer)
    ids = [view.handle("entity", record.thing) for record in (PERSON, COMPANY)]
    return text.replace("$a", f'"{ids[0]}"').replace("$b", f'"{ids[1]}"').replace("$c", '"AAAA"')


@pytest.mark.parametrize("observer", OBSERVERS, ids=lambda o: o.name)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_answers_are_those_of_graphql_core(name: str, observer: Observer, backend: MemoryBackend) -> None:
    """Aliases, fragments, merging, directives, nulls and errors come out as graphql-core has them, for every tier."""
    text = _fill(DOCUMENTS[name], backend, observer)

    stock = _answer(backend, observer, text, StrawberryGraphQLCoreExecutionContext)
    assert _answer(backend, observer, text, RecordExecutor) == stock


@pytest.mark.parametrize("seed", range(len(ASKING)))
def test_drawn_documents_are_answered_alike(seed: int) -> None:
    """Documents drawn from the schema of each tier, over a drawn world, are answered as graphql-core answers them."""
    observer, world, _ = draw_concrete_pair(seed)
    ours, theirs = Served(world, [observer]), Served(world, [observer])
    schema, asker = make_schema(observer.tier), Asker(world, observer, Random(f"{seed} documents"))

    async def ask() -> int:
        count = 0
        async for document, reply in ask_in_turn(asker.reading(), lambda body: ours.post(observer, body)):
            schema.execution_context_class = StrawberryGraphQLCoreExecutionContext
            assert await theirs.post(observer, document.body) == reply, document.body
            schema.execution_context_class = RecordExecutor
            count += 1
        return count

    assert asyncio.run(ask()) > 0


def test_what_is_our_own_is_compiled(backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an entity with its records and neighbours graphql-core completes the root field and nothing below."""
    completed: list[str] = []
    execute_field = StrawberryGraphQLCoreExecutionContext.execute_field

    def note(self: Any, parent: Any, *rest: Any) -> Any:
        completed.append(parent.name)
        return execute_field(self, parent, *rest)

    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "execute_field", note)
    _answer(backend, INVESTIGATOR, _fill(DOCUMENTS["everything"], backend, INVESTIGATOR), RecordExecutor)

    assert completed == ["Query"]


def test_neighbours_of_a_list_are_asked_for_together(backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question to the View fetches a level of the answer, however many entities are on it."""
    asked: list[int] = []
    fetch = Plan.run

    def note(self: Plan, call: Any, sources: Sequence[Any]) -> list[Any]:
        asked.append(len(sources))
        return fetch(self, call, sources)

    monkeypatch.setattr(Plan, "run", note)
    text = _fill("{ nodes(ids: [$a, $b]) { ... on Entity { neighbours { totalCount } } } }", backend, INVESTIGATOR)
    _answer(backend, INVESTIGATOR, text, RecordExecutor)

    assert asked == [2, 2]


def test_plans_are_kept_up_to_a_number() -> None:
    """The plan found longest ago goes first; another place has another plan."""
    plans, details = Plans(kept=2), FieldDetailsList()
    first, second = plans.find("a", None, details), plans.find("b", None, details)

    assert first is plans.find("a", None, details) is not second
    plans.find("c", None, details)

    assert plans.find("a", None, details) is first
    assert plans.find("b", None, details) is not second
