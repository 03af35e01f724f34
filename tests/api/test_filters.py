"""Filters, sorts, neighbourhoods and paths over GraphQL: typed, bounded, and of what the tier may see in clear."""

import asyncio
from typing import Any

import orjson
import pytest
from graphql import GraphQLInputObjectType, GraphQLSchema, build_schema

from api.answering import answer
from api.loaders import Context
from api.schema import print_sdl
from graph.store import Batch
from ontology.label import PURPOSES
from ontology.observer import Observer
from ontology.policy import Treatment
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.api.backend import COMPANY, INVESTIGATOR, PERSON, PUBLIC, MemoryBackend
from tests.factory import make_label, make_link, make_record

OPEN = make_label(category="none", tlp="GREEN", purposes=PURPOSES)
FIRMS = [
    make_record("Company", f"f{n}", properties={"name": [name], "country": [country], "incorporationDate": [day]}, label=OPEN)
    for n, (name, country, day) in enumerate(
        (("Alpha Work", "ro", "2019-05-01"), ("Beta Work", "nl", "2021"), ("Gamma Homes", "ro", "2020-02-29"))
    )
]  # fmt: skip


@pytest.fixture(name="backend")
def _backend() -> MemoryBackend:
    backend = MemoryBackend()
    links = [make_link(FIRMS[0], FIRMS[1], label=OPEN), make_link(FIRMS[1], FIRMS[2], label=OPEN)]
    backend.store.write(Batch(records=FIRMS, links=links))
    return backend


def _ask(backend: MemoryBackend, text: str, observer: Observer = INVESTIGATOR) -> Any:
    return orjson.loads(asyncio.run(answer(Context(backend, observer), text)).body)


def _captions(backend: MemoryBackend, where: str, more: str = "") -> list[str]:
    told = _ask(backend, f"{{ entities(where: {{Company: {{{where}}}}}{more}) {{ edges {{ node {{ caption }} }} }} }}")
    return [edge["node"]["caption"] for edge in told["data"]["entities"]["edges"]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('name: {equals: "Beta Work"}', ["Beta Work"]),
        ('country: {equals: "ro"}', ["Alpha Work", "Gamma Homes"]),
        ('country: {in: ["nl", "be"]}', ["Beta Work"]),
        ('name: {prefix: "GAM"}', ["Gamma Homes"]),
        ('incorporationDate: {least: "2020", most: "2021-06"}', ["Beta Work", "Gamma Homes"]),
        ('incorporationDate: {near: {date: "2019-05-11", days: 10}}', ["Alpha Work"]),
        ('incorporationDate: {near: {date: "2019-05-12", days: 10}}', []),
        ('country: {equals: "ro"}, name: {prefix: "alpha"}', ["Alpha Work"]),
        ("country: null, name: {prefix: null, equals: \"Beta Work\"}", ["Beta Work"]),
    ],
)  # fmt: skip
def test_filters_of_all_kinds(backend: MemoryBackend, where: str, expected: list[str]) -> None:
    """Each filter keeps what it says; several must all hold; null asks nothing."""
    assert sorted(_captions(backend, where)) == expected


def test_sorts_and_pages(backend: MemoryBackend) -> None:
    """A list is in the order asked for, what has no value last, and its pages follow each other."""
    newest = ', sort: {property: "incorporationDate", descending: true}'

    assert _captions(backend, "", newest) == ["Beta Work", "Gamma Homes", "Alpha Work", "Blue Lagoon Escorts Ltd"]
    page = "{ totalCount pageInfo { hasNextPage endCursor } edges { node { caption } } }"
    first = _ask(backend, f"{{ entities(where: {{Company: {{}}}}{newest}, first: 3) {page} }}")["data"]["entities"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    after = f', first: 3, after: "{first["pageInfo"]["endCursor"]}"'
    assert _captions(backend, "", newest + after) == ["Blue Lagoon Escorts Ltd"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("entities(where: {})", "must specify exactly one key"),
        ("entities(where: {Company: {}, Person: {}})", "must specify exactly one key"),
        ('entities(where: {Person: {birthDate: {equals: "secret"}}})', "where: expected values that their properties"),
        ('entities(where: {Company: {incorporationDate: {least: "x"}}})', "where: expected values that their properties"),
        ('entities(where: {Company: {}}, sort: {property: "secret"})', "sort: expected a property that there is a filter"),
        ('search(text: "' + "secret " * 80 + '")', "text: expected at most 500 characters"),
        ('entities(where: {Company: {name: {prefix: "' + "secret " * 80 + '"}}})', "where: expected at most 500"),
        ("entities(where: {Company: {}}, first: 101)", "first: expected 0 to 100"),
        ('neighbourhood(id: "x", depth: 4)', "depth: expected 1 to 3"),
        ('neighbourhood(id: "x", since: "2026-01-01T00:00:00")', "since: expected a time with its offset"),
        ('paths(left: [], right: ["x"])', "number of ids in left: expected 1 to 20"),
        ('paths(left: ["x"], right: ["x"], longest: 7)', "longest: expected 1 to 6"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_without_its_value(backend: MemoryBackend, asked: str, message: str) -> None:
    """Errors say what was expected and hold nothing of what was sent."""
    told = _ask(backend, f"{{ {asked} {{ __typename }} }}")["errors"][0]

    assert message in told["message"]
    assert "secret" not in told["message"]


def test_neighbourhoods_and_paths(backend: MemoryBackend) -> None:
    """Three companies in a row: the far one is two links away, by way of the middle one."""
    view = backend.store.view(INVESTIGATOR)
    ids = [view.handle("entity", firm.thing) for firm in FIRMS]
    around = _ask(
        backend,
        f'{{ neighbourhood(id: "{ids[0]}", depth: 2) {{ isComplete reached {{ distance entity {{ caption }} }} '
        "links { verb left { caption } right { caption } } } }",
    )["data"]["neighbourhood"]
    assert [(r["distance"], r["entity"]["caption"]) for r in around["reached"]] == [
        (1, "Beta Work"),
        (2, "Gamma Homes"),
    ]
    assert len(around["links"]) == 2
    assert around["isComplete"]
    way = f'{{ paths(left: ["{ids[0]}"], right: ["{ids[2]}"]) {{ items {{ start {{ caption }} steps {{ node {{ caption }} }} }} }} }}'
    (path,) = _ask(backend, way)["data"]["paths"]["items"]
    assert path["start"]["caption"] == "Alpha Work"
    assert [step["node"]["caption"] for step in path["steps"]] == ["Beta Work", "Gamma Homes"]


def test_what_matched_a_search_is_told(backend: MemoryBackend) -> None:
    """A hit names the property and the value in clear, and the record that says so."""
    told = _ask(backend, '{ search(text: "lagoon") { edges { match { property value score record } node { id } } } }')
    (edge,) = told["data"]["search"]["edges"]

    assert edge["match"]["property"] == "name"
    assert edge["match"]["value"] == "Blue Lagoon Escorts Ltd"
    assert 0 < edge["match"]["score"] <= 100
    assert (
        edge["match"]["record"]
        == edge["node"]["id"]
        == backend.store.view(INVESTIGATOR).handle("entity", COMPANY.thing)
    )


@pytest.mark.parametrize("tier", sorted(default_policy().tiers))
def test_a_tier_filters_by_what_it_may_have_in_clear(tier: str) -> None:
    """Every filter is of a property that the tier can be given in clear, and each such property has one."""
    schema: GraphQLSchema = build_schema(print_sdl(tier))
    policy = default_policy()
    clear = {name for name in policy.classes if Treatment.CLEAR in policy.reachable(tier, name)}
    is_asked = schema.query_type is not None and "entities" in schema.query_type.fields
    for kind in default_ontology().things():
        found = schema.type_map.get(f"{kind.name}Filter")
        expected = {name for name, prop in kind.properties.items() if prop.field_class in clear} if is_asked else set()
        assert (set(found.fields) if isinstance(found, GraphQLInputObjectType) else set()) == expected


def test_a_hidden_value_is_never_found_by(backend: MemoryBackend) -> None:
    """Whoever sees a name as nothing cannot find by it that it is there."""
    named = PERSON.properties["name"][0]
    told = _ask(backend, f'{{ entities(where: {{Person: {{name: {{equals: "{named}"}}}}}}) {{ totalCount }} }}')
    assert told["data"]["entities"]["totalCount"] == 1

    found = _ask(backend, '{ entities(where: {Person: {email: {prefix: "a"}}}) { totalCount } }', PUBLIC)
    assert found["data"]["entities"]["totalCount"] == 0
