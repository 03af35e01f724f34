"""The serving benchmark: both ways of answering give one answer, and the goals come at the end."""

import asyncio
import gc
from collections.abc import Iterator

import orjson
import pytest

from bench.peers.held import ANALYST, PLAIN, RELAY, STOCK, Held, ask_ours, ask_stock
from bench.serving import measure_all, measure_served
from ontology.observer import SYSTEM


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_compared_is_the_same_answer() -> None:
    """The list, the connection and Strawberry's own list hold the same entities, under the policy or without it."""
    for observer in (ANALYST, SYSTEM):
        held = Held.make(30, observer)
        asked = (ask_ours(PLAIN, held), ask_ours(RELAY, held), ask_stock(STOCK, held))
        ours, relay, stock = (orjson.loads(asyncio.run(one))["data"] for one in asked)

        assert len(ours["entities"]) == 30
        assert ours["entities"] == stock["stock"] == [edge["node"] for edge in relay["connection"]["edges"]]
        assert all(len(entity["neighbours"]["edges"]) == 5 for entity in ours["entities"])


def test_the_policy_is_at_work() -> None:
    """What is timed shows the analyst less than it shows whoever may see all."""
    shown = [asyncio.run(ask_ours(PLAIN, Held.make(30, observer))) for observer in (ANALYST, SYSTEM)]

    assert shown[0].count(b'"name":null') + shown[0].count(b'"birthDate":null') > 0 or b'"P-' in shown[0]
    assert shown[1].count(b":null") == 0


def test_goals_come_last(capsys: pytest.CaptureFixture[str]) -> None:
    """A short run, over HTTP and in process, prints each way's time and its goals; the peer only where Node is."""
    measure_served([50], 2)
    asyncio.run(measure_all([50], 2))

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("GOAL")] == [
        "serving_50_first_over_floor",
        "serving_50_warm_over_floor",
        "serving_50_relay_over_floor",
        "serving_50_policy_share",
    ]
    assert lines[-1].startswith("GOAL")
