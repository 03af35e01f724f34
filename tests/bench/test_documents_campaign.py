"""The documents campaign: a short budget of it, and proof that a planted difference, fault or text is found."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from graphql import parse, validate

from api.executor import Plan
from api.schema import make_schema
from bench.campaigns.campaign import VIOLATION
from bench.campaigns.documents import (
    ANSWERED,
    DOCUMENTS,
    DOCUMENTS_A_CASE,
    FAULTS,
    SHAPES_A_CASE,
    UNLIKE,
    UNMASKED,
    Known,
    Varying,
    draw_shapes,
    try_case,
)
from bench.campaigns.graphql import make_concrete_world
from graph.view import View
from ontology.errors import NotPermitted
from tests.worlds.twin import ASKING
from tests.worlds.world import POOLS

INVESTIGATOR = next(place for place, observer in enumerate(ASKING) if observer.tier == "investigator")
PUBLIC = next(place for place, observer in enumerate(ASKING) if observer.tier == "public")


def test_ours_answers_as_stock_does() -> None:
    """Documents drawn from the schemata of two tiers are answered alike, without a fault, and mostly in full."""
    found = try_case(INVESTIGATOR) + try_case(PUBLIC)

    assert found[VIOLATION] == found[FAULTS] == found[UNMASKED] == found[UNLIKE] == 0
    assert found[DOCUMENTS] == 2 * DOCUMENTS_A_CASE
    for tier in ("investigator", "public"):
        assert found[f"{tier} {ANSWERED}"] > DOCUMENTS_A_CASE // 2


@pytest.mark.parametrize("place", [INVESTIGATOR, PUBLIC])
def test_what_is_drawn_is_mostly_valid(place: int) -> None:
    """Variations differ from each other, and most are valid under the schema that they are drawn from."""
    observer = ASKING[place]
    schema, known = make_schema(observer.tier)._schema, Known.of(make_concrete_world(place), observer)
    random = Random(1)

    shapes = draw_shapes(observer.tier, place)
    made = [Varying(random, known).make(shape).text for shape in shapes for _ in range(4)]

    assert len(shapes) == SHAPES_A_CASE
    assert len(set(made)) > len(made) * 3 // 4
    assert sum(not validate(schema, parse(text)) for text in made) > len(made) * 3 // 4
    assert all(any(part in text for text in made) for part in ("@include", "@skip", "fragment ", "alias", "($v0: "))


def _turn_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Plan.run
    monkeypatch.setattr(Plan, "run", lambda plan, call, sources: run(plan, call, sources)[::-1])


def _fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("entity")

    monkeypatch.setattr(View, "entity", fail)


def _tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(*_: Any, **__: Any) -> None:
        raise NotPermitted(f"not for you: {POOLS['Person']['shelterAddress'][0]}")

    monkeypatch.setattr(View, "entity", tell)


@pytest.mark.parametrize(("plant", "what"), [(_turn_lists, UNLIKE), (_fail, FAULTS), (_tell, UNMASKED)])
def test_what_is_planted_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executor that turns lists round, a fault of ours and an error that quotes a value: each is found as that."""
    plant(monkeypatch)

    found = next(found for seed in range(INVESTIGATOR, INVESTIGATOR + 20) if (found := try_case(seed))[what])

    assert isinstance(found, Counter)
    assert found[VIOLATION] >= found[what] > 0
