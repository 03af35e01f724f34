"""The Neo4j campaign: a short budget of it, and faults planted in what an engine is asked."""

import pytest

from bench.campaigns import neo4j as campaign
from bench.campaigns.campaign import VIOLATION
from bench.campaigns.neo4j import STRANGE, try_worlds
from bench.campaigns.noninterference import NEAR, PAIRS
from graph import bolt
from graph.store import Scope
from tests.conftest import BOLT_ENGINES
from tests.engines.neo4j import Server
from tests.engines.running import EMBEDDED, NEO4J

SEED = 86  # an investigator, and a world of which little can be asked
# The embedded engine takes part in the tests, never in the figures; one cold Neo4j is slow enough.
SOME_ENGINES = [engine for engine in BOLT_ENGINES if engine.values[0] in (EMBEDDED, NEO4J[0])]


@pytest.mark.parametrize("engine_name", SOME_ENGINES)
def test_twins_answer_alike_on_an_engine(server: Server) -> None:
    """A short budget of the campaign: no answer differs from the twin's or from the reference's."""
    [(_, found)] = try_worlds(server, [SEED])

    assert (found[VIOLATION], found[STRANGE]) == (0, 0)
    assert found[PAIRS] >= 80
    assert found[NEAR] >= 0.4 * found[PAIRS]


@pytest.mark.parametrize("engine_name", SOME_ENGINES)
def test_an_engine_that_is_asked_for_too_much_is_found(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: labels that are not allowed are asked for too."""
    bounds = bolt._bounds
    known: list[int] = []
    labels = bolt.BoltReader.labels

    def remember(self: bolt.BoltReader) -> object:
        found = labels(self)
        known[:] = found
        return found

    def ask_for_all(scope: Scope) -> dict[str, object]:
        return {**bounds(scope), "allowed": list(known)}

    monkeypatch.setattr(bolt.BoltReader, "labels", remember)
    monkeypatch.setattr(bolt, "_bounds", ask_for_all)
    [(_, found)] = try_worlds(server, [SEED])

    assert found[VIOLATION] > 0
    assert found[STRANGE] > 0


def test_the_package_of_the_driver_is_not_shadowed() -> None:
    """The campaign shares its name with the driver, which is still the one that is imported."""
    import neo4j

    assert hasattr(neo4j, "GraphDatabase")
    assert neo4j is not campaign
