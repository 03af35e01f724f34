"""Non-interference: what an observer may not see changes no byte of what they get."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.campaigns.campaign import VIOLATION
from bench.campaigns.noninterference import PAIRS, reachable_cells, try_world
from graph.store import Store
from tests.conftest import BOLT_ENGINES
from tests.worlds.questions import Channel, iter_answers
from tests.worlds.twin import ASKING, draw_pair
from tests.worlds.world import OBSERVERS, World, build, fill, make_world


@settings(max_examples=150)
@given(st.integers(min_value=0, max_value=2**32))
def test_hidden_differences_change_no_byte(seed: int) -> None:
    """Two stores that differ only in hidden records, values, links, pairs and judgements answer the same."""
    found = try_world(seed)

    assert found[PAIRS] > 0
    assert found[VIOLATION] == 0


def test_a_hidden_difference_is_near_every_question() -> None:
    """Twins differ, for every observer from whom anything is hidden, in most of what is drawn."""
    pairs = [draw_pair(seed) for seed in range(10 * len(ASKING))]

    assert all(world != twin for _, world, twin in pairs)


def test_every_channel_is_asked() -> None:
    """One world puts a question to every channel that a store can be asked through."""
    asked = {channel for seed in range(20) for channel, _, _ in _answers(seed)}

    assert asked == set(Channel)


def test_worlds_reach_most_of_the_policy() -> None:
    """Some hundred worlds put nearly every treatment of the policy to work."""
    counted = sum((try_world(seed) for seed in range(150)), start=type(try_world(0))())

    reached = [cell for cell in reachable_cells() if counted[cell]]

    assert len(reached) >= 0.85 * len(reachable_cells())


def test_visible_differences_show() -> None:
    """A store that hides everything does not pass: to an observer who may see it, a difference shows."""
    open_eyes = next(o for o in OBSERVERS if o.name == "source team")
    worlds = [make_world(Random(seed)) for seed in range(40)]

    changed = sum(
        [*iter_answers(world, build(world), open_eyes, Random(1))]
        != [*iter_answers(less, build(less), open_eyes, Random(1))]
        for world in worlds
        for less in [_without_first(world)]
    )

    assert changed >= 20


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_an_engine_shows_what_the_reference_shows(make_store: Callable[[], Store]) -> None:
    """Every answer of a View is the same bytes on an engine as on the reference."""
    for seed in (1, 2, 6, 7):
        observer, world, _ = draw_pair(seed)
        store = make_store()
        fill(world, store)

        assert [*iter_answers(world, store, observer, Random(seed))] == _answers(seed)


def _answers(seed: int) -> list[tuple[Channel, str, bytes]]:
    observer, world, _ = draw_pair(seed)
    return [*iter_answers(world, build(world), observer, Random(seed))]


def _without_first(world: World) -> World:
    first = next(iter(world.keys))
    keys = {key: schema for key, schema in world.keys.items() if key != first}
    things = tuple(thing for thing in world.things if thing.key != first)
    bonds = tuple(b for b in world.bonds if first not in (b.left, b.right))
    return World(keys, things, bonds, (), ())
