"""py2neo objects, as an old program would hand them over."""

import sys
from typing import Any

import pytest

from importers.py2neo import make_key, read_graph, read_subgraph
from ontology.errors import SettingError
from tests.engines.neo4j import Server
from tests.engines.running import NEO4J
from tests.importers.samples import links, make_delivery, records, rejections

py2neo = pytest.importorskip("py2neo", reason="the optional extra py2neo is not installed")


def _make_graph() -> Any:
    mara = py2neo.Node("Person", name="Mara Invented", birthDate="1990-02-03", shoe=38)
    club = py2neo.Node("Firm", name="Harvest")
    wallet = py2neo.Node("Wallet", publicKey="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
    return (
        py2neo.Relationship(mara, "EMPLOYMENT", club, role="cook")
        | py2neo.Relationship(mara, "KEEPS", wallet)
        | py2neo.Relationship(mara, "LIKES", club)
    )


def test_nodes_and_relationships_become_ours() -> None:
    """Labels that are schemata are taken, others translated, and types that fit no link keep their name as role."""
    names = {"Firm": "Company", "Wallet": "CryptoWallet"}
    items = list(read_subgraph(_make_graph(), make_delivery(), labels=names, types={"KEEPS": "Ownership"}))

    assert {record.schema for record in records(items)} == {"Person", "Company", "CryptoWallet"}
    person = records(items, "Person")[0]
    assert person.properties == {"name": ("Mara Invented",), "birthDate": ("1990-02-03",)}
    assert person.extra == {"shoe": 38}
    assert links(items, "Employment")[0].properties == {"role": ("cook",)}
    assert links(items, "Ownership")[0].left == person.thing
    assert links(items, "UnknownLink")[0].properties == {"role": ("LIKES",)}
    assert len({link.source_key for link in links(items)}) == 3


def test_the_same_graph_gives_the_same_ids() -> None:
    """Objects that no graph has named yet are known by their content."""
    first, second = (list(read_subgraph(_make_graph(), make_delivery())) for _ in range(2))

    assert first == second


def test_unknown_labels_are_rejected() -> None:
    """A node that is nothing of ours is left out, and so are its links."""
    items = list(read_subgraph(_make_graph(), make_delivery()))

    assert [record.schema for record in records(items)] == ["Person"]
    assert len(rejections(items)) == 5


def test_an_old_graph_is_read_page_by_page() -> None:
    """Reading goes on after the last id until a page is empty."""
    node = py2neo.Node("Person", name="Mara Invented")

    class Answer:
        def __init__(self, rows: list[dict[str, Any]]) -> None:
            self._rows = rows

        def data(self) -> list[dict[str, Any]]:
            return self._rows

    class Graph:
        def run(self, query: str, **parameters: Any) -> Answer:
            is_first = parameters["after"] < 0 and "(n)" in query
            return Answer([{"item": node, "id": 7}] if is_first else [])

    items = list(read_graph(Graph(), make_delivery()))

    assert [record.source_key for record in records(items)] == [make_key(node)]


@pytest.mark.neo4j
@pytest.mark.parametrize("engine_name", NEO4J)
def test_a_graph_that_py2neo_wrote_is_read(server: Server, request: pytest.FixtureRequest) -> None:
    """What an old program wrote to a real Neo4j comes out as records and links."""
    graph = py2neo.Graph(server.address, auth=(server.user, server.password))
    request.addfinalizer(graph.service.connector.close)
    graph.create(_make_graph())
    names = {"Firm": "Company", "Wallet": "CryptoWallet"}
    items = list(read_graph(graph, make_delivery(), labels=names, types={"KEEPS": "Ownership"}))

    assert {record.schema for record in records(items)} == {"Person", "Company", "CryptoWallet"}
    assert {link.schema for link in links(items)} == {"Employment", "Ownership", "UnknownLink"}
    assert {end for link in links(items) for end in (link.left, link.right)} == {r.thing for r in records(items)}


def test_other_objects_and_a_missing_library_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong object is a bug of the caller; a missing library names the extra that brings it."""
    with pytest.raises(TypeError):
        list(read_subgraph(object(), make_delivery()))
    monkeypatch.setitem(sys.modules, "py2neo", None)
    with pytest.raises(SettingError, match=r"vinculum\[py2neo\]"):
        list(read_subgraph(_make_graph_stub(), make_delivery()))


def _make_graph_stub() -> object:
    return object()
