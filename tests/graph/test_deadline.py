"""A deadline: it runs down, can be brought forward, and holds for all that is begun under it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from graph.deadline import Deadline, get_remaining_s, within


def test_what_remains_runs_down_to_nothing() -> None:
    """Seconds are counted from the start, and never go under 0."""
    now = 100.0
    deadline = Deadline(2.5, lambda: now)

    assert deadline.remaining_s == 2.5
    now = 101.0
    assert deadline.remaining_s == 1.5
    now = 200.0
    assert deadline.remaining_s == 0.0


def test_an_end_is_never_put_off() -> None:
    """What was ended stays so; ending what has passed already changes nothing."""
    now = 0.0
    deadline = Deadline(10.0, lambda: now)

    deadline.end()
    assert deadline.remaining_s == 0.0
    now = 3.0
    deadline.end()
    now = 0.0
    assert deadline.remaining_s == 0.0


def test_without_one_there_is_no_hurry() -> None:
    """Work outside of any deadline has none, before and after."""
    assert get_remaining_s() is None
    with within(Deadline(1.0)):
        assert get_remaining_s() is not None
    assert get_remaining_s() is None


@pytest.mark.parametrize("in_thread", [False, True])
def test_it_goes_with_the_work(in_thread: bool) -> None:
    """Tasks and threads begun under a deadline see it, also its end, after whoever set it has left."""
    deadline = Deadline(60.0)

    async def look() -> float | None:
        return await asyncio.to_thread(get_remaining_s) if in_thread else get_remaining_s()

    async def ask() -> tuple[float | None, float | None]:
        with within(deadline):
            first, later = asyncio.create_task(look()), copy_context()
        seen = await first
        deadline.end()
        with ThreadPoolExecutor(1) as pool:
            return seen, pool.submit(later.run, get_remaining_s).result()

    seen, after = asyncio.run(ask())

    assert seen is not None
    assert 0.0 < seen <= 60.0
    assert after == 0.0
