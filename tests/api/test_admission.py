"""Admission: never more at once than slots, never more waiting than places, and no slot lost."""

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.admission import Admission, Gone, Late, Limits, Overloaded
from graph.deadline import get_remaining_s


async def stay() -> None:
    """Wait for the answer however long it takes."""
    await asyncio.Event().wait()


async def leave_at_once() -> None:
    """Be gone from the start."""


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_request_beyond_the_queue_is_refused_at_once() -> None:
    """One runs, one waits, the third is told to come again; the second runs after the first."""

    async def ask() -> None:
        admission, open_ = Admission(Limits(1, 1, 60.0)), asyncio.Event()

        async def work() -> str:
            await open_.wait()
            return "done"

        first, second = (asyncio.create_task(admission.run(work, stay)) for _ in range(2))
        await settle()
        assert (admission.running, admission.waiting) == (1, 1)
        with pytest.raises(Overloaded):
            await admission.run(work, stay)
        open_.set()
        assert [await first, await second] == ["done", "done"]
        assert (admission.running, admission.waiting) == (0, 0)

    asyncio.run(ask())


def test_whoever_waits_too_long_is_told_to_come_again() -> None:
    """The deadline covers the wait; whoever gave up is not run later."""

    async def ask() -> None:
        admission, open_, ran = Admission(Limits(1, 5, 0.05)), asyncio.Event(), []

        async def work() -> None:
            await open_.wait()

        async def note() -> None:
            ran.append(1)

        first = asyncio.create_task(admission.run(work, stay))
        await settle()
        second = asyncio.create_task(admission.run(note, stay))
        with pytest.raises(Late):
            await first
        with pytest.raises(Overloaded):
            await second
        assert (admission.running, admission.waiting) == (1, 0)
        open_.set()
        await settle()
        assert (admission.running, ran) == (0, [])

    asyncio.run(ask())


def test_a_slot_is_taken_until_its_work_has_ended() -> None:
    """A thread that cannot be stopped keeps its slot after its deadline; the next one gets it when the thread ends."""
    blocked = threading.Event()

    async def ask() -> None:
        admission = Admission(Limits(1, 1, 0.05))

        async def work() -> float | None:
            await asyncio.to_thread(blocked.wait)
            return get_remaining_s()

        with pytest.raises(Late):
            await admission.run(work, stay)
        assert admission.running == 1
        with pytest.raises(Overloaded):
            await admission.run(work, stay)
        blocked.set()
        while admission.running:
            await asyncio.sleep(0.01)
        assert await admission.run(work, stay) is not None

    asyncio.run(ask())


@pytest.mark.parametrize("cancelled", [False, True])
def test_work_for_nobody_is_past_its_deadline(cancelled: bool) -> None:
    """Whoever leaves, or whose request is cancelled, leaves work that is told to stop, and a free slot after that."""

    async def ask() -> None:
        admission, going, seen = Admission(Limits(1, 0, 60.0)), asyncio.Event(), []

        async def work() -> None:
            await going.wait()
            seen.append(get_remaining_s())

        running = asyncio.create_task(admission.run(work, stay if cancelled else leave_at_once))
        await settle()
        if cancelled:
            running.cancel()
        with pytest.raises(asyncio.CancelledError if cancelled else Gone):
            await running
        assert admission.running == 1
        going.set()
        await settle()
        assert (admission.running, seen) == (0, [0.0])

    asyncio.run(ask())


def test_what_fails_is_told_and_frees_its_slot() -> None:
    """An error of the work is that of the request."""

    async def ask() -> None:
        admission = Admission(Limits(1, 0, 60.0))

        async def fail() -> None:
            raise KeyError("of the work")

        for _ in range(2):
            with pytest.raises(KeyError):
                await admission.run(fail, stay)
        await settle()
        assert admission.running == 0

    asyncio.run(ask())


@settings(max_examples=60)
@given(
    slots=st.integers(1, 4),
    queue=st.integers(0, 4),
    steps=st.lists(st.tuples(st.sampled_from(["come", "end", "leave", "cancel"]), st.integers(0, 9)), max_size=40),
)
def test_slots_and_places_are_never_exceeded_nor_lost(slots: int, queue: int, steps: list[tuple[str, int]]) -> None:
    """Whoever comes, ends, leaves or is cancelled when: the limits hold throughout, and all is free in the end."""

    async def play() -> None:
        admission, at_work, most = Admission(Limits(slots, queue, 60.0)), 0, 0
        guests: list[tuple[asyncio.Task[None], asyncio.Event, asyncio.Event]] = []

        def come() -> None:
            ended, left = asyncio.Event(), asyncio.Event()

            async def work() -> None:
                nonlocal at_work, most
                at_work += 1
                most = max(most, at_work)
                await ended.wait()
                at_work -= 1

            async def leave() -> None:
                await left.wait()

            guests.append((asyncio.create_task(admission.run(work, leave)), ended, left))

        for step, which in steps:
            if step == "come":
                come()
            elif guests:
                task, ended, left = guests[which % len(guests)]
                if step == "cancel":
                    task.cancel()
                else:
                    (ended if step == "end" else left).set()
            if which % 2:
                await settle()
            assert admission.running <= slots
            assert admission.waiting <= queue
            assert at_work <= slots
        for _, ended, _ in guests:
            ended.set()
        ends = await asyncio.gather(*(task for task, _, _ in guests), return_exceptions=True)
        await settle()

        assert most <= slots
        assert (admission.running, admission.waiting) == (0, 0)
        assert all(end is None or isinstance(end, Overloaded | Gone | asyncio.CancelledError) for end in ends)

    asyncio.run(play())
