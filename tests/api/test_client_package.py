"""The client for notebooks, against the service on a real socket."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from graph.store import Batch
from ontology.record import Record
from tests.api.backend import COMPANY, INVESTIGATOR, NOW, OPEN, PERSON, PUBLIC, WORK
from tests.api.client import Client
from tests.api.server import run_service
from tests.factory import START, make_link, make_record
from vinculum import client as package
from vinculum.client import ServiceError, connect

# More than two pages of the service, numbered so that names sort as they were made.
PORTS = [
    make_record("Company", f"port{number}", properties={"name": [f"Harbour Trading {number:03}"]}, label=OPEN)
    for number in range(230)
]
CHAIN = [make_link(left, right, label=OPEN) for left, right in pairwise(PORTS[:4])]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str]]:
    """Return the service over the invented case with many companies, and its address."""
    served = Client(tmp_path_factory.mktemp("keys"))
    served.backend.store.write(Batch(records=PORTS, links=CHAIN))
    with run_service(served.app) as (host, port):
        yield served, f"http://{host}:{port}"


@pytest.fixture
def client(service: tuple[Client, str]) -> Iterator[package.Client]:
    """Return a client of the service for the investigator, whose token ends as that of a file does."""
    served, address = service
    with connect(address, token=served.keys.issue(INVESTIGATOR.name) + "\n") as client:
        yield client


def test_import_loads_no_library_of_tables_or_graphs(tmp_path: Path) -> None:
    """The package is importable from anywhere, and pandas, networkx and igraph wait until they are asked for."""
    code = "import sys, vinculum.client; print({'pandas', 'networkx', 'igraph'} & sys.modules.keys())"

    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "set()"


def test_search_follows_pages_to_the_end(client: package.Client) -> None:
    """Without a limit every entity comes once, however many pages that takes."""
    found = client.search("harbour trading", limit=None)

    assert sorted(entity["caption"] for entity in found.entities) == [name_of(port) for port in PORTS]
    assert (found.total, len(found), found.is_complete) == (230, 230, True)


def test_search_stops_where_it_was_asked_to(client: package.Client) -> None:
    """With a limit as many come, and it is said that there are more."""
    found = client.search("harbour trading", limit=120)

    assert len({entity["id"] for entity in found.entities}) == 120
    assert (found.total, found.is_complete) == (230, False)
    with pytest.raises(ValueError, match="at least 1"):
        client.search("harbour", limit=0)


def test_entities_meet_their_filter_in_their_order(client: package.Client) -> None:
    """Filter, sort and selected fields reach the service as they are said."""
    where = {"Company": {"name": {"prefix": "Harbour Trading 00"}}}

    found = client.entities(where, sort={"property": "name", "descending": True}, fields="... on Company { name }")

    assert [entity["name"] for entity in found.entities] == [[name_of(port)] for port in reversed(PORTS[:10])]


def test_answers_are_as_of_a_moment(client: package.Client) -> None:
    """What was not recorded yet at a moment is not found as of it."""
    assert client.search("harbour", as_of=NOW).total == 230
    assert client.search("harbour", as_of=START - timedelta(days=1)).total == 0


def test_neighbourhood_becomes_the_same_graph_everywhere(client: package.Client) -> None:
    """What lies within two links becomes nodes with their distance, and links between them, in each library."""
    start = client.search(name_of(PORTS[0])).entities[0]["id"]

    found = client.neighbourhood(start, depth=2)
    table, network, graph = found.to_pandas(), found.to_networkx(), found.to_igraph()

    distances = {name_of(port): distance for distance, port in enumerate(PORTS[:3])}
    ends = {(name_of(PORTS[0]), name_of(PORTS[1])), (name_of(PORTS[1]), name_of(PORTS[2]))}
    assert found.is_complete
    assert dict(zip(table["caption"], table["distance"], strict=True)) == distances
    assert {node["caption"]: node["distance"] for _, node in network.nodes(data=True)} == distances
    assert {(network.nodes[a]["caption"], network.nodes[b]["caption"]) for a, b in network.edges()} == ends
    assert dict(zip(graph.vs["caption"], graph.vs["distance"], strict=True)) == distances
    assert {(graph.vs[a]["caption"], graph.vs[b]["caption"]) for a, b in graph.get_edgelist()} == ends
    assert set(graph.es["type"]) == {data["type"] for *_, data in network.edges(data=True)} == {CHAIN[0].schema}


def test_link_runs_from_its_left_end_to_its_right_one(client: package.Client) -> None:
    """A link is read from the end that it was stored with as left, whichever end was asked about."""
    company = client.search("blue lagoon").entities[0]["id"]

    found = client.neighbourhood(company)
    captions = {entity["id"]: entity["caption"] for entity in found.entities}

    assert WORK.left == PERSON.thing
    assert [(captions[link["source"]], link["type"], captions[link["target"]]) for link in found.links] == [
        (name_of(PERSON), WORK.schema, name_of(COMPANY))
    ]


def test_nothing_found_keeps_its_columns(client: package.Client) -> None:
    """No entities make a table of no rows with the columns that are always there, and empty graphs."""
    found = client.search("nobody by such a name")

    assert found.to_pandas().columns.tolist() == ["id", "caption", "schema"]
    assert (len(found.to_pandas()), len(found.to_networkx()), found.to_igraph().vcount()) == (0, 0, 0)


def test_unknown_id_is_a_lookup_error(client: package.Client) -> None:
    """Around an id by which nothing may be seen there is no empty graph, but an error."""
    with pytest.raises(LookupError, match="expected the id of an entity that you may see"):
        client.neighbourhood("no such id")


def test_query_passes_on_what_the_service_says(client: package.Client) -> None:
    """A refusal has the code and the message of the service, and no data."""
    with pytest.raises(ServiceError, match=r"^BAD_INPUT: Cannot query field 'nothing'") as caught:
        client.query("{ nothing }")

    assert (caught.value.code, caught.value.status, caught.value.data) == ("BAD_INPUT", 400, None)


def test_query_swallows_no_partial_error(client: package.Client) -> None:
    """An answer with an error in one field raises, and says where; what came along is kept."""
    document = '{ observer { name } around: neighbourhood(id: "x", depth: 9) { isComplete } }'

    with pytest.raises(ServiceError, match=r"\(at around\)$") as caught:
        client.query(document)

    assert caught.value.data == {"observer": {"name": INVESTIGATOR.name}, "around": None}
    assert (caught.value.code, caught.value.status) == ("BAD_INPUT", 200)


def test_query_takes_variables_of_any_name(client: package.Client) -> None:
    """Variables named as the client's own parameters are passed on."""
    document = "query Q($document: String!, $self: Int!) { search(text: $document, first: $self) { totalCount } }"

    assert client.query(document, **{"document": "harbour", "self": 1}) == {"search": {"totalCount": 230}}


def test_query_takes_the_id_of_a_trusted_document(client: package.Client) -> None:
    """What begins as an id is sent as one: the service, which has no manifest, knows none."""
    with pytest.raises(ServiceError) as caught:
        client.query("sha256:" + "0" * 64)

    assert caught.value.code == "UNKNOWN_DOCUMENT"


def test_each_client_sees_what_its_observer_may(service: tuple[Client, str]) -> None:
    """The token decides: the public finds the company and not the person, by the same words as the investigator."""
    served, address = service

    totals = []
    for observer in (INVESTIGATOR, PUBLIC):
        with connect(address, token=served.keys.issue(observer.name)) as client:
            totals.append([client.search(name_of(record)).total for record in (PERSON, COMPANY)])

    assert totals == [[1, 1], [0, 1]]


def test_refused_token_is_never_shown(service: tuple[Client, str]) -> None:
    """A token that is not good gives its code, and is in no text of the error or the client."""
    with connect(service[1], token="not-a-token") as client, pytest.raises(ServiceError) as caught:
        client.search("harbour")

    assert (caught.value.code, caught.value.status) == ("UNAUTHENTICATED", 401)
    assert "not-a-token" not in repr(client) + repr(caught.value)


def test_silence_and_other_answers_are_said_plainly(service: tuple[Client, str]) -> None:
    """Where nothing listens, or something else than GraphQL answers, the error says so and has no code."""
    strange = package.Client(httpx.Client(base_url=service[1], headers={"Host": "elsewhere.example"}))

    with (
        connect("http://127.0.0.1:1", token="t") as client,
        pytest.raises(ServiceError, match="ConnectError") as silent,
    ):
        client.search("harbour")
    with strange, pytest.raises(ServiceError, match="something else with status 400") as other:
        strange.search("harbour")

    assert (silent.value.code, silent.value.status, other.value.code) == (None, None, None)


def name_of(record: Record) -> str:
    """Return the name that a record was made with."""
    return record.properties["name"][0]
