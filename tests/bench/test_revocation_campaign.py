"""The revocation campaign: a short budget of it, and broken backends that it must find."""

from collections.abc import Callable
from functools import cache
from threading import Timer

import pytest

from api.pipeline import Pipeline
from bench.campaigns import revocation
from bench.campaigns.campaign import VIOLATION
from bench.campaigns.revocation import (
    CONTROLS,
    RACES,
    try_case_in_process,
    try_case_over_http,
    try_on_server,
)
from graph.memory import MemoryStore
from ontology.observer import Observer
from tests.conftest import BOLT_ENGINES
from tests.engines.neo4j import Server

SEED = 3
SMALL = 100  # races
FEW = 15
FEWEST = 5  # one for each way of revoking


def test_a_revocation_is_in_force_once_it_is_told() -> None:
    """A short budget of the campaign: each way of revoking, with requests before, meanwhile and after."""
    counted = try_case_in_process(SEED, SMALL)

    assert counted[VIOLATION] == 0
    assert counted[RACES] == SMALL
    assert counted["requests after"] == SMALL * revocation.READERS * revocation.AFTERWARDS
    assert counted["requests before"] > SMALL
    assert counted["requests meanwhile"] > 0


def test_a_revocation_is_in_force_over_http() -> None:
    """The same with a token, through the whole service."""
    counted = try_case_over_http(SEED, FEW)

    assert counted[VIOLATION] == 0
    assert counted[RACES] == FEW


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_a_revocation_is_in_force_for_another_process(server: Server) -> None:
    """Readers and the writer have a store each on one engine."""
    counted = try_on_server(server, FEWEST, SEED)

    assert counted[VIOLATION] == 0
    assert counted[RACES] == FEWEST


@pytest.mark.parametrize("control", CONTROLS)
def test_a_backend_that_remembers_is_found(control: str) -> None:
    """Rights or Views that are remembered for milliseconds are found within some races."""
    assert try_case_in_process(SEED, FEW, control)[VIOLATION] > 0


def _look_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = Pipeline.observer
    known = cache(look_up)
    monkeypatch.setattr(Pipeline, "observer", lambda self, name: known(self, name))


def _tell_too_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    remove = MemoryStore.remove_observer

    def remove_later(self: MemoryStore, name: str) -> bool:
        Timer(0.005, remove, (self, name)).start()
        return True

    monkeypatch.setattr(MemoryStore, "remove_observer", remove_later)


def _only_add_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    put = MemoryStore.put_observer

    def put_more(self: MemoryStore, observer: Observer) -> None:
        known = self.get_observer(observer.name)
        if known is None or len(observer.cases) >= len(known.cases):
            put(self, observer)

    monkeypatch.setattr(MemoryStore, "put_observer", put_more)


def _forget_to_withdraw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "_withdraw_record", lambda self, record: None)


@pytest.mark.parametrize("plant", [_look_up_once, _tell_too_soon, _only_add_rights, _forget_to_withdraw])
def test_a_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that is cached, and a revocation that is late or half done, make races fail."""
    plant(monkeypatch)

    assert try_case_in_process(SEED, FEW)[VIOLATION] > 0
