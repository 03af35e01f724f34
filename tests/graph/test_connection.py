"""A connection under a deadline: what is asked too late is not asked, what takes too long is stopped."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from neo4j.exceptions import ServiceUnavailable

from graph.connection import Connection
from graph.deadline import Deadline, within
from ontology.errors import StoreError
from tests.conftest import BOLT_ENGINES
from tests.engines.neo4j import Server
from tests.engines.running import NEO4J

# Ten thousand million rows, which no engine here counts in a second.
ENDLESS = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b % 7) AS found"
ONE = "RETURN 1 AS found"

WAYS: dict[str, Callable[[Connection, str], Any]] = {
    "read": lambda c, text: c.read(text),
    "read_latest": lambda c, text: c.read_latest(text),
    "stream": lambda c, text: [row for chunk in c.stream(text) for row in chunk],
    "write": lambda c, text: c.write(lambda work: work.run(text).value()),
}

by_each_way = pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    """Return a connection to the engine."""
    opened = Connection(server.address, server.user, server.password, database=server.database)
    yield opened
    opened.close()


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
@by_each_way
def test_an_open_deadline_changes_nothing(connection: Connection, ask: Callable[[Connection, str], Any]) -> None:
    """While there is time, an answer is what it is without a deadline."""
    with within(Deadline(60.0)):
        assert ask(connection, ONE) == ask(connection, ONE) == [1]
    assert ask(connection, ONE) == [1]


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
@by_each_way
def test_after_the_deadline_nothing_is_asked(connection: Connection, ask: Callable[[Connection, str], Any]) -> None:
    """A question that nobody waits for is refused before it reaches the engine."""
    deadline = Deadline(60.0)
    deadline.end()

    with within(deadline), pytest.raises(StoreError, match="expected to be asked before the deadline"):
        ask(connection, ONE)


@pytest.mark.parametrize("engine_name", [pytest.param(NEO4J[0], marks=pytest.mark.neo4j)])
@by_each_way
def test_the_engine_stops_what_takes_too_long(connection: Connection, ask: Callable[[Connection, str], Any]) -> None:
    """Neo4j ends a transaction at its deadline, and the connection is of use afterwards."""
    with within(Deadline(0.2)), pytest.raises(StoreError, match="Transaction"):
        ask(connection, ENDLESS)

    assert ask(connection, ONE) == [1]


@pytest.mark.parametrize("engine_name", BOLT_ENGINES[:1])
def test_an_engine_that_is_gone_is_told_in_time(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again for a while, and there is time left to say that it does not answer."""
    asked: list[str] = []

    def lose(access: str) -> Any:
        asked.append(access)
        raise ServiceUnavailable("gone")

    monkeypatch.setattr(connection, "_session", lose)
    deadline = Deadline(1.0)
    with within(deadline), pytest.raises(StoreError, match="expected a graph engine that answers"):
        connection.read(ONE)

    assert len(asked) > 1
    assert deadline.remaining_s > 0
