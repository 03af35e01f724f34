"""The schema of each tier, and what documents are answered."""

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from api.schema import make_schema, print_sdl
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.api.backend import ANALYST, FOREIGN, INVESTIGATOR, NGO, PERSON, PUBLIC
from tests.api.client import Client

TIERS = ("public", "ngo", "analyst", "investigator")
PERSON_FIELDS = "... on Person { name birthDate }"
FIND = f'{{ search(text: "%s") {{ totalCount edges {{ node {{ __typename caption {PERSON_FIELDS} }} }} }} }}'
ENTITY = "query E($id: ID!) { entity(id: $id) { id caption schema } node(id: $id) { id __typename } }"


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a caller of the service over the invented case."""
    return Client(tmp_path)


def person_of(client: Client, observer: Any) -> str:
    """Return the person's id: the neighbour of the company, which everybody finds."""
    company = client.backend.id_of(observer, "blue lagoon")
    page = client.backend.store.view(observer).neighbours(company)
    return page.items[0].entity.id


def property_fields(sdl: str, name: str) -> set[str]:
    """Return the fields of a type that a schema text declares."""
    return set(build_schema(sdl).type_map[name].fields)  # type: ignore[attr-defined]


@pytest.mark.parametrize("tier", TIERS)
def test_types_hold_just_what_the_tier_can_be_given(tier: str) -> None:
    """A property is a field of its type exactly when some cell of the policy gives the tier a value of its class."""
    schema, classes = build_schema(print_sdl(tier)), default_policy().classes
    given = {
        field_class
        for field_class in classes
        for treatment in default_policy().reachable(tier, field_class)
        if treatment in ("clear", "mask", "generalise", "pseudonym")
    }
    common = set(schema.type_map["Entity"].fields)  # type: ignore[attr-defined]

    for thing in default_ontology().things():
        expected = {p.name for p in thing.properties.values() if p.field_class in given}
        assert set(schema.type_map[thing.name].fields) - common == expected  # type: ignore[attr-defined]


def test_forbidden_fields_are_in_no_introspection(client: Client) -> None:
    """A shelter address is a field for the protecting organisation's tier and for nobody else; likewise the rest."""
    query = '{ __type(name: "Person") { fields { name } } p: __type(name: "Provenance") { fields { name } } }'
    seen = {}
    for observer in (PUBLIC, NGO, ANALYST, INVESTIGATOR):
        data = client.data(observer, query)
        seen[observer.tier] = {field["name"] for kind in data.values() for field in kind["fields"]}

    assert {tier for tier, names in seen.items() if "shelterAddress" in names} == {"ngo"}
    assert {tier for tier, names in seen.items() if "ethnicity" in names} == {"ngo", "investigator"}
    assert {tier for tier, names in seen.items() if "birthDate" in names} == {"ngo", "analyst", "investigator"}
    assert {tier for tier, names in seen.items() if "handling" in names} == {"ngo", "analyst", "investigator"}


def test_forbidden_field_and_made_up_field_are_refused_alike(client: Client) -> None:
    """Asking for a field of another tier tells no more than asking for one that never was."""
    said = [
        client.post(
            ANALYST, {"query": f'{{ search(text: "a") {{ edges {{ node {{ ... on Person {{ {name} }} }} }} }} }}'}
        )
        for name in ("shelterAddress", "shelterAddresz")
    ]

    assert said[0].text.replace("shelterAddress", "*") == said[1].text.replace("shelterAddresz", "*")
    assert "Did you mean" not in said[0].text + said[1].text


def test_four_tiers_see_what_they_should(client: Client) -> None:
    """The public finds nobody, the analyst no name, the two that care for her or lead her case find her in clear."""
    found = {
        o.tier: client.data(o, FIND % "ada")["search"] for o in (PUBLIC, NGO, ANALYST, INVESTIGATOR) if o != PUBLIC
    }
    public = client.data(PUBLIC, '{ search(text: "ada") { totalCount } counts { schema count } }')
    clear = {"__typename": "Person", "caption": "Ada Example", "name": ["Ada Example"], "birthDate": ["1999-02-03"]}

    assert public == {"search": {"totalCount": 0}, "counts": [{"schema": "Company", "count": 1}]}
    assert found["analyst"] == {"totalCount": 0, "edges": []}
    assert found["ngo"] == found["investigator"] == {"totalCount": 1, "edges": [{"node": clear}]}


def test_analyst_sees_a_pseudonym_a_year_and_why(client: Client) -> None:
    """What is withheld is replaced, and says so, for the class and not for the value."""
    id_ = person_of(client, ANALYST)

    found = client.data(
        ANALYST,
        f"""query E($id: ID!) {{ entity(id: $id) {{ {PERSON_FIELDS} caption
            records {{ values {{ name values treatment }} }}
            redactions {{ fieldClass treatment reason contact }} }} }}""",
        id=id_,
    )["entity"]  # fmt: skip

    assert found["name"][0].startswith("P-")
    assert found["caption"] == found["name"][0]
    assert found["birthDate"] == ["1999"]
    assert {"name": "birthDate", "values": ["1999"], "treatment": "GENERALISE"} in found["records"][0]["values"]
    assert {
        "fieldClass": "identity",
        "treatment": "PSEUDONYM",
        "reason": "policy gives tier analyst no more of identity for data subjects of category victim",
        "contact": "the organisation that protects this person",
    } in found["redactions"]


def test_protecting_organisation_sees_the_shelter(client: Client) -> None:
    """The one tier that may have it is given it, in its provenance too."""
    query = """{ search(text: "ada") { edges { node { ... on Person { shelterAddress }
                 provenance(property: "shelterAddress") { property value source handling { tlp handling } } } } } }"""

    node = client.data(NGO, query)["search"]["edges"][0]["node"]

    assert node["shelterAddress"] == ["Hidden Lane 1"]
    assert node["provenance"] == [
        {
            "property": "shelterAddress",
            "value": "Hidden Lane 1",
            "source": "src",
            "handling": {"tlp": "GREEN", "handling": "H1"},
        }
    ]


def test_provenance_names_record_source_and_time(client: Client) -> None:
    """A value that is seen in clear names who says so and when."""
    query = '{ search(text: "lagoon") { edges { node { id provenance(property: "name") { %s } } } } }'
    node = client.data(PUBLIC, query % "value record source recordedAt")["search"]["edges"][0]["node"]

    assert node["provenance"] == [
        {
            "value": "Blue Lagoon Escorts Ltd",
            "record": node["id"],
            "source": "src",
            "recordedAt": "2026-01-01T00:00:00+00:00",
        }
    ]


def test_neighbours_read_from_the_entity_that_was_asked(client: Client) -> None:
    """A link has a verb from either end, and walking there and back returns to the start."""
    hop = "neighbours { totalCount edges { verb link { type properties { name } } node { caption %s } } }"
    query = f'{{ search(text: "ada") {{ edges {{ node {{ caption {hop % (hop % "")} }} }} }} }}'

    there = client.data(NGO, query)["search"]["edges"][0]["node"]["neighbours"]["edges"][0]
    back = there["node"]["neighbours"]["edges"][0]

    assert (there["verb"], there["node"]["caption"]) == ("works for", "Blue Lagoon Escorts Ltd")
    assert (back["verb"], back["node"]["caption"]) == ("employs", "Ada Example")
    assert there["link"] == back["link"] == {"type": "Employment", "properties": []}


def test_public_sees_no_neighbour_that_it_may_not_have(client: Client) -> None:
    """A hidden neighbour is not counted."""
    query = '{ search(text: "lagoon") { edges { node { neighbours { totalCount edges { verb } } } } } }'

    assert client.data(PUBLIC, query)["search"]["edges"][0]["node"] == {"neighbours": {"totalCount": 0, "edges": []}}


def test_id_is_null_for_whoever_may_not_have_it(client: Client) -> None:
    """Absent, hidden, forged and another organisation's ids give one answer."""
    mine = person_of(client, INVESTIGATOR)
    nothing = {"entity": None, "node": None}

    assert client.data(INVESTIGATOR, ENTITY, id=mine)["entity"]["caption"] == "Ada Example"
    assert client.data(FOREIGN, ENTITY, id=mine) == nothing
    assert client.data(PUBLIC, ENTITY, id=mine) == nothing
    for forged in ("", "x", PERSON.thing, PERSON.id, mine[:-1] + ("A" if mine[-1] != "A" else "B"), "é" * 9):
        assert client.data(INVESTIGATOR, ENTITY, id=forged) == nothing


def test_nodes_keep_the_order_of_ids(client: Client) -> None:
    """Each id is answered in its place, with null for what is not there."""
    ids = [person_of(client, NGO), "nothing", client.backend.id_of(NGO, "lagoon")]

    data = client.data(NGO, "query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)

    assert data["nodes"] == [{"__typename": "Person", "id": ids[0]}, None, {"__typename": "Company", "id": ids[2]}]


def test_as_of_asks_what_was_known_then(client: Client) -> None:
    """Before the first record there is nothing; one View is made for each moment of a request."""
    query = """{ before: counts(asOf: "2025-12-31T00:00:00Z") { count } again: counts(asOf: "2025-12-31T00:00:00Z") { count }
                 now: counts { schema } also: search(text: "lagoon") { totalCount } }"""

    data = client.data(PUBLIC, query)

    assert data == {"before": [], "again": [], "now": [{"schema": "Company"}], "also": {"totalCount": 1}}
    assert len(client.backend.views) == 2


def test_moment_needs_its_offset(client: Client) -> None:
    """A time that could mean several moments is refused with the reason."""
    error = client.ask(PUBLIC, '{ counts(asOf: "2025-12-31T00:00:00") { count } }')["errors"][0]

    assert error["extensions"]["code"] == "BAD_INPUT"
    assert error["message"].startswith("asOf: expected a time with its offset from UTC")


@pytest.mark.parametrize("first", [-1, 101])
def test_pages_are_bounded(client: Client, first: int) -> None:
    """Nobody gets more than a hundred at once, and they are told."""
    answer = client.ask(PUBLIC, f'{{ search(text: "a", first: {first}) {{ totalCount }} }}')

    assert answer["errors"][0]["message"] == "first: expected 0 to 100, found another number"


def test_cursor_goes_on_where_the_page_ended(client: Client) -> None:
    """The end cursor of a page leads to the next, in the manner of Relay."""
    query = """query S($after: String) { search(text: "e", first: 1, after: $after) {
                 edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    one = client.data(NGO, query, after=None)["search"]
    two = client.data(NGO, query, after=one["pageInfo"]["endCursor"])["search"]

    assert one["pageInfo"]["hasNextPage"]
    assert not one["pageInfo"]["hasPreviousPage"]
    assert (two["pageInfo"]["hasNextPage"], two["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert one["edges"][0]["node"]["id"] != two["edges"][0]["node"]["id"]


def test_search_can_be_for_one_schema_and_its_heirs(client: Client) -> None:
    """An abstract schema stands for those that descend from it."""
    query = 'query S($schema: EntitySchema) { search(text: "e", schema: $schema) { edges { node { schema } } } }'

    def found(schema: str) -> list[str]:
        return [e["node"]["schema"] for e in client.data(NGO, query, schema=schema)["search"]["edges"]]

    assert found("Company") == ["Company"]
    assert sorted(found("LegalEntity")) == ["Company", "Person"]
    assert found("Phone") == []


def test_explanation_is_null_for_what_is_hidden(client: Client) -> None:
    """Two visible ids are explained; a hidden one is as one that never was."""
    query = "query X($l: ID!, $r: ID!) { explain(left: $l, right: $r) { same by total weights { comparison } } }"
    person, company = person_of(client, NGO), client.backend.id_of(NGO, "lagoon")

    assert client.data(NGO, query, l=person, r=company)["explain"] == {
        "same": False,
        "by": "nothing",
        "total": None,
        "weights": [],
    }
    assert client.data(NGO, query, l=person, r=person)["explain"]["by"] == "identifier"
    assert client.data(PUBLIC, query, l=person, r=company) == {"explain": None}


def test_watch_raises_an_alert_that_can_be_read(client: Client) -> None:
    """What is watched is listed, and what came to it is read with the entity at the far end."""
    watch = "mutation W($id: ID!) { watchEntity(id: $id) { id entity { caption } } }"
    made = client.data(NGO, watch, id=client.backend.id_of(NGO, "lagoon"))["watchEntity"]
    client.backend.raise_alerts(NGO)

    data = client.data(
        NGO, "{ watches { id } alerts { watch recordedAt verb entity { caption } link { type } node { caption } } }"
    )

    assert made["entity"] == {"caption": "Blue Lagoon Escorts Ltd"}
    assert data == {
        "watches": [{"id": made["id"]}],
        "alerts": [
            {
                "watch": made["id"],
                "recordedAt": "2026-01-01T00:00:00+00:00",
                "verb": "employs",
                "entity": {"caption": "Blue Lagoon Escorts Ltd"},
                "link": {"type": "Employment"},
                "node": {"caption": "Ada Example"},
            }
        ],
    }


def test_hidden_entity_cannot_be_watched(client: Client) -> None:
    """Watching what one may not see gives what watching nothing gives."""
    watch = "mutation W($id: ID!) { watchEntity(id: $id) { id } }"

    for id_ in (person_of(client, INVESTIGATOR), "nothing"):
        assert client.data(FOREIGN, watch, id=id_) == {"watchEntity": None}


def test_a_tier_without_the_right_has_no_mutation(client: Client) -> None:
    """What the tier may not do is not in its schema, whatever the id."""
    watch = "mutation W($id: ID!) { watchEntity(id: $id) { id } }"
    judge = "mutation J($id: ID!) { judge(left: $id, right: $id, verdict: POSITIVE) { same } }"

    assert client.ask(PUBLIC, watch, id="nothing")["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert client.ask(NGO, judge, id="nothing")["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def test_watch_stays_when_its_entity_is_no_longer_visible(client: Client) -> None:
    """Taking a right away empties the watch, and its alerts are gone."""
    watch = "mutation W($id: ID!) { watchEntity(id: $id) { id } }"
    client.data(INVESTIGATOR, watch, id=person_of(client, INVESTIGATOR))
    client.backend.raise_alerts(INVESTIGATOR)
    query = "{ watches { entity { caption } } alerts { node { caption } } }"
    before = client.data(INVESTIGATOR, query)

    client.backend.demote(INVESTIGATOR, "magistrate", purpose="statistics")

    assert before["watches"] == [{"entity": {"caption": "Ada Example"}}]
    assert before["alerts"] == [{"node": {"caption": "Blue Lagoon Escorts Ltd"}}]
    assert client.data(INVESTIGATOR, query) == {"watches": [{"entity": None}], "alerts": []}


def test_observer_is_told_who_they_are(client: Client) -> None:
    """Rights come from the store at each request, not from the token."""
    query = "{ observer { name organisation tier purpose cases } }"
    me = {"name": "investigator", "organisation": "Police", "purpose": "investigation", "cases": ["C1"]}

    assert client.data(INVESTIGATOR, query)["observer"] == me | {"tier": "investigator"}
    client.backend.demote(INVESTIGATOR, "analyst")
    assert client.data(INVESTIGATOR, query)["observer"] == me | {"tier": "analyst"}


@pytest.mark.parametrize("tier", TIERS)
def test_sdl_is_a_schema_whose_types_all_say_what_they_are(tier: str) -> None:
    """Types and properties carry descriptions; those of the ontology name the terms of the standards."""
    schema = build_schema(print_sdl(tier))
    person: Any = schema.type_map["Person"]
    own = [t for name, t in schema.type_map.items() if not name.startswith("__")]

    assert all(t.description for t in own)
    assert "ftm:Person" in person.description
    assert validate(schema, parse("{ observer { tier } }")) == []


def test_schema_of_a_tier_is_made_once() -> None:
    """Making a schema is slow, so it is kept; another tier has another."""
    assert make_schema("ngo") is make_schema("ngo")
    assert make_schema("ngo") is not make_schema("analyst")


def test_a_judgement_is_made_and_explained(client: Client) -> None:
    """The answer to a judgement is the explanation that results; null for what may not be seen."""
    judge = """mutation J($left: ID!, $right: ID!) {
      judge(left: $left, right: $right, verdict: POSITIVE, reason: "alike") { same by judged { verdict by reason } } }"""
    left, right = person_of(client, INVESTIGATOR), client.backend.id_of(INVESTIGATOR, "lagoon")

    made = client.data(INVESTIGATOR, judge, left=left, right=right)["judge"]

    assert made["same"] is True
    assert made["by"] == "judgement"
    assert made["judged"] == {"verdict": "POSITIVE", "by": "investigator", "reason": "alike"}
    assert client.data(INVESTIGATOR, judge, left=left, right="nothing") == {"judge": None}


def test_a_cursor_of_another_question_is_a_mistake_of_the_caller(client: Client) -> None:
    """One constant code and text, and no data."""
    query = 'query S($after: String) { search(text: "lagoon", after: $after) { totalCount } }'

    errors = client.ask(INVESTIGATOR, query, after="c" + "A" * 43)["errors"]

    assert [e["extensions"] for e in errors] == [{"code": "INVALID_CURSOR"}]
    assert errors[0]["message"] == "after: expected a cursor that this same question returned, found another"


def test_cubes_hold_no_small_group(client: Client) -> None:
    """One victim is in no table, whoever asks."""
    query = "{ cubes { name rows columns cells { row column count } } }"

    assert client.data(PUBLIC, query)["cubes"][0] == {
        "name": "victims_by_exploitation_and_country",
        "rows": "exploitationType",
        "columns": "exploitationPlace",
        "cells": [],
    }
