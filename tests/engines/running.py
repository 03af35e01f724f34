"""The engines that a test session runs on, each started when first asked for and ended with the session."""

import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from neo4j import GraphDatabase

from graph import embedded
from graph.embedded import open_embedded
from tests.engines.neo4j import MARKER, RELEASES, Server, Unavailable, open_server

EMBEDDED = "embedded"
NEO4J = tuple(release.name for release in RELEASES)


class Engines:
    """Servers by name. Those of Neo4j take long to start, so several start at once, ahead of their tests."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._pool = ThreadPoolExecutor(max_workers=len(NEO4J) + 1)
        self._starts: dict[str, Future[tuple[Server, AbstractContextManager[Server]]]] = {}
        self.used: dict[str, str] = {}
        self.missing: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Return the engines, none of them running yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all that were started."""
        for start in self._starts.values():
            if start.exception() is None:
                self._stack.push(start.result()[1].__exit__)
        self._stack.close()
        self._pool.shutdown()

    def start(self, names: Iterable[str]) -> None:
        """Begin to start these, without waiting."""
        for name in names:
            if name not in self._starts:
                self._starts[name] = self._pool.submit(_enter, name)

    def get(self, name: str) -> Server:
        """Return a running server, waiting for it; raises Unavailable with the reason."""
        self.start([name])
        try:
            server, _ = self._starts[name].result()
        except Unavailable as exc:
            self.missing[name] = str(exc)
            raise
        self.used[name] = f"{server.version} ({server.how})"
        return server


def wipe(server: Server) -> None:
    """Delete everything that a test wrote, and keep constraints and indexes."""
    with GraphDatabase.driver(
        server.address, auth=(server.user, server.password), notifications_min_severity="OFF"
    ) as driver:
        driver.execute_query(
            f"MATCH (n) WHERE NOT n:{MARKER} AND NOT n:Meta DETACH DELETE n", database_=server.database
        )


def _enter(name: str) -> tuple[Server, AbstractContextManager[Server]]:
    if name == EMBEDDED:
        manager: AbstractContextManager[Server] = _open_embedded()
    else:
        manager = open_server(next(release for release in RELEASES if release.name == name))
    return manager.__enter__(), manager


@contextmanager
def _open_embedded() -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="vinculum-embedded-") as home,
        open_embedded(Path(home), heap="512m", mode="development") as engine,
    ):
        yield Server(
            engine.address, embedded.USER, engine.runtime.password, embedded.DATABASE, engine.version, "child process"
        )
