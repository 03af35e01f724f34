"""The sequences campaign: a short budget of it, and faults planted in the code that some run must find."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import pytest

from bench.campaigns.campaign import VIOLATION
from bench.campaigns.sequences import RULES, STEPS_A_RUN, try_case
from graph import entities, judgements, view
from graph.memory import MemoryStore, _Sight
from graph.store import Scope
from ontology.judgement import Judgement, judge
from tests.worlds.machine import APART, STEPS, name_run

SEED = 7
SMALL = 15  # runs
MORE = 60
TRIES = 6


@cache
def _counted() -> Counter[str]:
    return try_case(SEED, SMALL)


def test_no_sequence_tells_two_stores_apart() -> None:
    """A short budget of the campaign: whole runs, in which every answer is the same from both stores."""
    counted = _counted()

    assert counted[VIOLATION] == 0
    assert counted[name_run(STEPS_A_RUN)] == SMALL
    assert counted[STEPS] >= SMALL * STEPS_A_RUN


def test_there_is_something_to_tell() -> None:
    """The stores differ in hidden things nearly always, most rules are followed, and things vanish."""
    counted = _counted()

    assert counted[APART] >= 0.8 * counted[STEPS]
    assert sum(counted[f"rule {name}"] > 0 for name in RULES) >= len(RULES) - 2
    assert counted["vanished"] > 0


def test_a_case_is_drawn_from_its_seed() -> None:
    """The same seed does the same, another something else."""
    one, again, other = (try_case(seed, 2) for seed in (1, 1, 2))

    assert one == again != other


def _keep_what_was_relabelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What vanished still shows to whoever saw it."""
    monkeypatch.setattr(MemoryStore, "_withdraw_record", lambda self, record: None)


def _forget_the_label_of_judgements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hidden judgements join what an observer sees."""

    def find(self: MemoryStore, scope: Scope, things: Iterable[str]) -> list[Judgement]:
        return [j for j in self._judgements_by_end.find(list(things)) if j.recorded_at <= scope.as_of]

    monkeypatch.setattr(MemoryStore, "judgements_of", find)


def _judge_under_the_joined_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judgement sways the judge's whole organisation, whatever it was made on."""

    def judge_alone(*given: Any, **named: Any) -> Judgement:
        return judge(*given, **{**named, "grounds": ()})

    monkeypatch.setattr(judgements, "judge", judge_alone)


def _break_ties_by_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of judgements of one instant that with the greatest id decides, which leans on its reason."""
    monkeypatch.setattr(entities, "_order_of_judgement", lambda judgement: (judgement.recorded_at, judgement.id))


def _show_links_to_what_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link counts though one of its ends is hidden."""
    monkeypatch.setattr(
        MemoryStore,
        "_is_visible",
        lambda self, sight, thing: bool(self._records_by_thing.find([thing])),
    )
    monkeypatch.setattr(
        view.View,
        "_neighbours",
        lambda self, entity, links, others: [(link, self._neighbour(entity, link, entity)) for link in links],
    )


def _remember_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order depends on the id of a record, which depends on its hidden values."""
    monkeypatch.setattr(entities, "order_of", lambda said: (0, 0, "", said.id))


def _take_rights_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A View lets through what any observer of the store may have."""
    see = MemoryStore._see

    def lax(self: MemoryStore, scope: Scope) -> _Sight:
        return see(self, scope if len(self._observers) < 4 else Scope(list(self._labels), scope.as_of))

    monkeypatch.setattr(MemoryStore, "_see", lax)


def _tell_of_hidden_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a record is new depends on what others keep of the same thing."""
    is_taken = MemoryStore._is_taken
    monkeypatch.setattr(
        MemoryStore,
        "_is_taken",
        lambda self, id_: is_taken(self, id_) or len(self._records) % 5 == 4,
    )


PLANTS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "relabelled": _keep_what_was_relabelled,
    "judgements": _forget_the_label_of_judgements,
    "grounds": _judge_under_the_joined_label,
    "ties": _break_ties_by_reasons,
    "links": _show_links_to_what_is_hidden,
    "order": _remember_the_newest,
    "rights": _take_rights_of_all,
    "duplicates": _tell_of_hidden_duplicates,
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What would let something hidden through, or leave it behind, makes some run fail."""
    plant(monkeypatch)

    assert any(try_case(seed, MORE)[VIOLATION] for seed in range(SEED, SEED + TRIES))
