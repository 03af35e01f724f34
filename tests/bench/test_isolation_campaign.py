"""The isolation campaign: a short budget of it, and proof that answers which get mixed up are found."""

from collections.abc import Callable
from datetime import datetime

import pytest

from api.loaders import Context, Loader
from bench.campaigns.campaign import VIOLATION
from bench.campaigns.isolation import ANSWERS, MIXED, make_clients, try_world
from graph.memory import MemoryStore, _Sight
from graph.store import Scope
from ontology.observer import Observer


def test_clients_at_once_get_what_each_gets_alone() -> None:
    """A client of each tier, all asking one process at once, get their own answers."""
    found = try_world(1, a_tier=1, rounds=1)

    assert found[VIOLATION] == found[MIXED] == 0
    assert found[ANSWERS] > 8 * 30


def test_clients_are_of_every_tier_that_sees_something() -> None:
    """64 clients of eight tiers, of whom no two are one observer and some of a tier differ in their rights."""
    clients = make_clients()

    assert len({client.name for client in clients}) == 64
    assert len({client.tier for client in clients}) == 8
    assert len({(client.tier, client.organisation, client.cases) for client in clients}) > 20


def _share_who_is_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    asking: list[Observer] = []

    def loader(context: Context, as_of: datetime | None = None) -> Loader:
        asking[:] = [context.observer]
        return Loader(lambda: context.backend.view(asking[0], as_of))

    monkeypatch.setattr(Context, "loader", loader)


def _share_what_a_scope_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def see(store: MemoryStore, scope: Scope) -> _Sight:
        if store._last_sight is None or store._last_sight.scope.as_of != scope.as_of:
            store._last_sight = _Sight(scope)
        return store._last_sight

    monkeypatch.setattr(MemoryStore, "_see", see)


@pytest.mark.parametrize("plant", [_share_who_is_asking, _share_what_a_scope_lets_through])
def test_a_planted_mixture_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients who share a variable that says who asks, or a cache without its key, are told from those who do not."""
    plant(monkeypatch)

    found = try_world(1, a_tier=1, rounds=1)

    assert found[MIXED] > 0
