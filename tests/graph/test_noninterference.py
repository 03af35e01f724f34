"""Non-interference: what an observer may not see changes no byte of what they get."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.store import Store
from graph.treat import Treater
from ontology.observer import Observer
from ontology.policy import Clearance, Treatment
from tests.conftest import BOLT_ENGINES
from tests.graph.worlds import OBSERVERS, World, make_twin, make_world, observe

seeds = st.integers(min_value=0, max_value=2**32)
observers = st.sampled_from(OBSERVERS)


@settings(max_examples=100, deadline=None)
@given(seeds, observers)
def test_hidden_differences_change_no_byte(seed: int, observer: Observer) -> None:
    """Two stores that differ only in hidden records, values, links and pairs answer the same."""
    world, twin = _draw(seed, observer)

    assert observe(world, observer) == observe(twin, observer)


def test_visible_differences_show() -> None:
    """A store that hides everything does not pass: to an observer who may see it, a difference shows."""
    open_eyes = OBSERVERS[-1]
    worlds = [make_world(Random(seed)) for seed in range(40)]

    changed = sum(observe(world, open_eyes) != observe(_without_first(world), open_eyes) for world in worlds)

    assert changed >= 20


def _hide_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Clearance, "treatment", lambda self, lid, field_class: Treatment.CLEAR)


def _weigh_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Treater, "weight", lambda self, left, right, evidence: evidence.weight)


def _block_on_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Treater, "is_proposed", lambda self, left, right, keys: True)


def _search_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Treater, "clear_values", lambda self, record: dict(record.properties))


def _admit_everything(patch: pytest.MonkeyPatch) -> None:
    made = Clearance.__init__

    def admit(self: Clearance, *args: object) -> None:
        made(self, *args)  # type: ignore[arg-type]
        self.allowed = sorted(self.labels)

    patch.setattr(Clearance, "__init__", admit)


@pytest.mark.parametrize(
    "plant",
    [_hide_nothing, _admit_everything, _weigh_everything, _block_on_everything, _search_everything],
)
def test_planted_leaks_are_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The law fails for a view that hides nothing, and for each part of it that leaks alone."""
    cases = [(*_draw(seed, observer), observer) for seed in range(120) for observer in OBSERVERS]
    plant(monkeypatch)

    assert any(observe(world, observer) != observe(twin, observer) for world, twin, observer in cases)


def _draw(seed: int, observer: Observer) -> tuple[World, World]:
    world = make_world(Random(seed))
    return world, make_twin(world, observer, Random(seed + 1))


def _without_first(world: World) -> World:
    first = world.things[0].key
    bonds = tuple(b for b in world.bonds if first not in (b.left, b.right))
    return World(tuple(t for t in world.things if t.key != first), bonds, ())


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_an_engine_shows_what_the_reference_shows(make_store: Callable[[], Store]) -> None:
    """Every answer of a View is the same bytes on an engine as on the reference."""
    for seed, observer in enumerate(OBSERVERS):
        world = make_world(Random(seed))

        assert observe(world, observer, make_store()) == observe(world, observer)
