"""Connection: one driver on one database of an engine that speaks Bolt."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count, islice
from math import inf
from typing import Any, TypeVar

import neo4j
from neo4j import GraphDatabase, ManagedTransaction
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from graph import cypher
from graph.deadline import get_remaining_s
from graph.dialect import read_agent
from ontology.errors import StoreError

CHUNK = 2_000

_COLLISIONS = 12
_CONNECT_TIMEOUT_S = 10.0
# How long a dead engine is waited for, and a lost race run again.
_RETRY_TIMEOUT_S = 15.0
# What the driver would round down to no timeout at all.
_SHORTEST_S = 0.001
# One writer of a process at a time: together they would collide, on every engine, and wait longer to try again.
_WRITER: AbstractContextManager[Any] = threading.Lock()

# The driver's warnings tell of what it tries again, and may quote a value.
logging.getLogger("neo4j").setLevel(logging.ERROR)

Item = TypeVar("Item")


class Connection:
    """A driver on one database of one engine, with its errors translated and its differences hidden.

    Raises StoreError, naming the address and never the password, when the
    engine cannot be reached, refuses what is asked, or would answer only after
    the deadline in force (`graph.deadline`), which goes to the engine as the
    timeout of each transaction.
    """

    def __init__(self, address: str, user: str, password: str, *, database: str) -> None:
        self.address = address
        self._database = database
        with self._translated():
            self._driver = _open_driver(address, user, password, _CONNECT_TIMEOUT_S)
            try:
                with self._driver.session(database=database) as session:
                    self.dialect, self.version = read_agent(session.run(cypher.PING).consume().server.agent)
            except BaseException:
                self._driver.close()
                raise
        self._bookmarks = GraphDatabase.bookmark_manager() if self.dialect.has_bookmarks else None

    def read(self, text: str, **parameters: Any) -> list[Any]:
        """Return the first column of what a text finds."""
        with self._translated():
            # Whoever has to answer in time is told that the engine does not, rather than nothing.
            deadline = time.monotonic() + min(_RETRY_TIMEOUT_S, (get_remaining_s() or inf) / 2)
            for attempt in count():
                query = neo4j.Query(text, timeout=self._timeout_s())
                try:
                    # Without a transaction around it, which would cost two journeys more.
                    with self._session(neo4j.READ_ACCESS) as session:
                        return session.run(query, parameters).value()
                except (DriverError, Neo4jError) as exc:
                    pause_s = 0.1 * 2**attempt
                    if not exc.is_retryable() or time.monotonic() + pause_s > deadline:
                        raise
                    time.sleep(pause_s)
        raise AssertionError("the last attempt either returns or raises")

    def read_latest(self, text: str, **parameters: Any) -> list[Any]:
        """Return the first column of what a text finds where writes go: in a cluster a follower may lag behind them."""
        with self._translated(), self._session(neo4j.WRITE_ACCESS) as session:
            return session.execute_write(self._timed(lambda work: work.run(text, parameters).value()))

    def read_by(self, text: str, values: Iterable[str], **parameters: Any) -> Iterator[Any]:
        """Yield what a text collects for each of the values, asked a chunk at a time."""
        for chunk in iter_chunks(sorted(set(values))):
            for found in self.read(text, values=chunk, **parameters):
                yield from found

    def stream(self, text: str, **parameters: Any) -> Iterator[list[Any]]:
        """Yield the first column of what a text finds, a chunk at a time, holding no more than that."""
        with (
            self._translated(),
            self._session(neo4j.READ_ACCESS) as session,
            session.begin_transaction(timeout=self._timeout_s()) as transaction,
        ):
            found = (record[0] for record in transaction.run(text, parameters))
            yield from iter_chunks(found)

    def write(self, work: Callable[[ManagedTransaction], Item]) -> Item:
        """Do work in one transaction, again from its start when it collided with another writer."""
        with self._translated():
            for attempt in range(_COLLISIONS):
                try:
                    with _WRITER, self._session(neo4j.WRITE_ACCESS) as session:
                        return session.execute_write(self._timed(work))
                except ConstraintError:
                    # Somebody else made one of the same nodes meanwhile; next time it will be found.
                    if attempt == _COLLISIONS - 1:
                        raise
                    time.sleep(random.uniform(0, 0.02 * 2**attempt))
        raise AssertionError("the last attempt either returns or raises")

    def close(self) -> None:
        """Let go of the connections."""
        self._driver.close()

    def _session(self, access: str) -> neo4j.Session:
        return self._driver.session(
            database=self._database,
            default_access_mode=access,
            bookmark_manager=self._bookmarks,
            fetch_size=CHUNK,
        )

    def _timed(self, work: Callable[[ManagedTransaction], Item]) -> Callable[[ManagedTransaction], Item]:
        return neo4j.unit_of_work(timeout=self._timeout_s())(work)

    def _timeout_s(self) -> float | None:
        remaining_s = get_remaining_s()
        # Of none the engine would make all the time in the world.
        if remaining_s is not None and remaining_s < _SHORTEST_S:
            raise StoreError(f"{self.address}: expected to be asked before the deadline, was asked after it")
        return remaining_s

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AuthError as exc:
            raise StoreError(
                f"{self.address}: expected a user and password that the engine knows, found others"
            ) from exc
        except (ServiceUnavailable, SessionExpired) as exc:
            raise StoreError(f"{self.address}: expected a graph engine that answers over Bolt, found none") from exc
        except Neo4jError as exc:
            # The engine's own words may quote a value.
            raise StoreError(f"{self.address}: the graph engine refused what was asked: {exc.code}") from exc
        except DriverError as exc:
            raise StoreError(
                f"{self.address}: the connection to the graph engine failed: {type(exc).__name__}"
            ) from exc


def is_answering(address: str, user: str, password: str, *, database: str) -> bool:
    """Whether an engine answers a question there, at once."""
    try:
        with _open_driver(address, user, password, 2.0) as driver, driver.session(database=database) as session:
            session.run(cypher.PING).consume()
    except (DriverError, Neo4jError):
        return False
    return True


def iter_chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield items some at a time, in their order."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _open_driver(address: str, user: str, password: str, timeout_s: float) -> neo4j.Driver:
    if "@" in address:
        raise StoreError("the address of the graph engine holds a user or a password, which belong in their settings")
    try:
        return GraphDatabase.driver(
            address,
            auth=(user, password),
            user_agent="vinculum",
            connection_timeout=timeout_s,
            connection_acquisition_timeout=timeout_s,
            max_transaction_retry_time=_RETRY_TIMEOUT_S,
            telemetry_disabled=True,
            notifications_min_severity="OFF",
        )
    except (ValueError, ConfigurationError) as exc:
        raise StoreError(f"{address}: expected an address like bolt://host:port, found another") from exc
