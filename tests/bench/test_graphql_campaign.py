"""The GraphQL campaign: a short budget of it, and proof that a leak planted in the service is found."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from api import answering, app
from api.errors import BadInput
from api.loaders import Context
from api.pipeline import Pipeline
from bench.campaigns.campaign import VIOLATION
from bench.campaigns.graphql import INTERNAL, TOLD, draw_concrete_pair, try_world
from bench.campaigns.noninterference import PAIRS
from graph import shown
from graph.handle import Handles
from graph.memory import MemoryStore
from graph.view import View
from ontology.errors import NotVisible
from ontology.observer import SYSTEM
from ontology.schema import default_ontology
from tests.worlds.questions import Channel
from tests.worlds.twin import ASKING

# What no document can ask of a service, and is asked of a store.
ELSEWHERE = {"SORT", "FILTER", "CENTRALITY", "SHARED_STATE", "CACHE_KEY", "STATISTICS"}
FEW = len(ASKING)


def test_hidden_differences_change_no_byte_of_an_answer() -> None:
    """Services over two stores that differ in hidden things alone give every tier the same bytes."""
    found = sum(map(try_world, range(FEW)), start=Counter[str]())

    assert found[VIOLATION] == found[INTERNAL] == 0
    assert found[TOLD] > found[PAIRS] // 2
    assert {c.name for c in Channel} - ELSEWHERE <= {name.removeprefix("channel ") for name in found}
    assert {observer.tier for observer in ASKING} == {n.removeprefix("tier ") for n in found if n.startswith("tier ")}


def test_a_case_is_drawn_from_its_seed() -> None:
    """The same seed asks the same and counts the same, of things that an importer could have made."""
    things = [thing for _, world, _ in map(draw_concrete_pair, range(100)) for thing in world.things]

    assert try_world(4) == try_world(4)
    assert not any(default_ontology()[thing.schema].abstract for thing in things)


def _tell_hidden_from_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    entity = View.entity

    def find(view: View, id_: str) -> shown.Entity:
        try:
            return entity(view, id_)
        except NotVisible:
            everything = View(view._reader, SYSTEM, view.as_of, secret=view._handles._secret)
            if everything.visible_things([view.identity("entity", id_)]):
                raise BadInput("not for you") from None
            raise

    monkeypatch.setattr(View, "entity", find)


def _tell_the_size_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(context: Context, query: str, *more: Any) -> answering.Answered:
        assert isinstance(context.backend, Pipeline)
        assert isinstance(context.backend.store, MemoryStore)
        records = len(context.backend.store._records)
        monkeypatch.setitem(app._HEADERS, "Server-Timing", f"store;dur={records}")
        return await answering.answer(context, query, *more)

    monkeypatch.setattr(app, "answer", answer)


def _number_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    made = count()
    seal = Handles.seal
    monkeypatch.setattr(
        Handles,
        "seal",
        lambda handles, kind, id_: seal(handles, kind, id_) + ("" if kind == "entity" else f"{next(made)}"),
    )


@pytest.mark.parametrize("plant", [_tell_hidden_from_absent, _tell_the_size_of_the_store, _number_what_is_shown])
def test_a_planted_leak_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that tells hidden from absent, a header that tells a size, an id that counts: each is found."""
    plant(monkeypatch)

    assert any(try_world(seed)[VIOLATION] for seed in range(FEW))
