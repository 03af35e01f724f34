"""The collector, set for serving."""

import gc
from collections.abc import Iterator

import pytest

from api.collector import settle


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_loaded_is_left_alone() -> None:
    """What is there by then is frozen, and thousands of new objects start no collection."""
    settle()
    frozen, runs = gc.get_freeze_count(), gc.get_stats()[0]["collections"]
    kept = [[number] for number in range(50_000)]

    assert frozen > 10_000
    assert gc.get_stats()[0]["collections"] == runs
    assert len(kept) == 50_000
