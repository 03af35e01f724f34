"""Fixtures that every test may ask for: a store on each engine, empty."""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from graph.bolt import BoltStore
from graph.memory import MemoryStore
from graph.store import Store
from tests.engines.neo4j import Server, Unavailable
from tests.engines.running import EMBEDDED, NEO4J, Engines, wipe
from tests.factory import SECRET

MEMORY = "memory"
BOLT_ENGINES = [
    pytest.param(EMBEDDED, marks=pytest.mark.embedded),
    *(pytest.param(name, marks=pytest.mark.neo4j) for name in NEO4J),
]
_ENGINES = pytest.StashKey[Engines]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the session its engines, none of them started; no example of a law is timed."""
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    config.stash[_ENGINES] = Engines()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the engines that were started."""
    with config.stash[_ENGINES]:
        pass


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to start the servers that the chosen tests will ask for."""
    if session.config.option.collectonly:
        return
    wanted = {
        item.callspec.params.get("engine_name")
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    session.config.stash[_ENGINES].start(name for name in NEO4J if name in wanted)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session that had to run on a Neo4j release and did not."""
    required = _required()
    if required and required not in session.config.stash[_ENGINES].used and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on which engines and versions the tests ran."""
    engines = config.stash[_ENGINES]
    if not (engines.used or engines.missing or _required()):
        return
    terminalreporter.section("graph engines")
    for name, version in sorted(engines.used.items()):
        terminalreporter.line(f"{name}: {version}")
    for name, reason in sorted(engines.missing.items()):
        terminalreporter.line(f"{name}: not run: {reason}")
    if _required() and _required() not in engines.used:
        terminalreporter.line(f"VINCULUM_REQUIRE_NEO4J: no test ran on {_required()}", red=True)


@pytest.fixture
def server(engine_name: str, pytestconfig: pytest.Config) -> Server:
    """Return the running, empty engine of this name, or skip with the reason."""
    try:
        found = pytestconfig.stash[_ENGINES].get(engine_name)
    except Unavailable as exc:
        if engine_name == _required():
            pytest.fail(f"{engine_name} is required: {exc}")
        pytest.skip(f"{engine_name}: {exc}")
    wipe(found)
    return found


@pytest.fixture
def make_store(engine_name: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Return what opens an empty store on this engine, each time anew."""
    opened: list[Store] = []

    def make() -> Store:
        opened.append(MemoryStore(secret=SECRET) if engine_name == MEMORY else open_empty(request))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    """Return an empty store."""
    return make_store()


def open_bolt(server: Server) -> BoltStore:
    """Open the store on a running engine."""
    return BoltStore(server.address, server.user, server.password, database=server.database, secret=SECRET)


def open_empty(request: pytest.FixtureRequest) -> BoltStore:
    """Wipe the engine of a test and open a store on it."""
    server: Server = request.getfixturevalue("server")
    wipe(server)
    return open_bolt(server)


def _required() -> str | None:
    release = os.environ.get("VINCULUM_REQUIRE_NEO4J")
    return f"neo4j-{release}" if release else None
