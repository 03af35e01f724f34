"""Admission: how many requests run at once, how many may wait for that, and how long either may take.

Beyond the queue a request is refused at once, which costs next to nothing. Work
in a thread cannot be stopped from outside, so a request whose time is up is
answered then and there, while its slot stays taken until its work has ended:
the deadline goes with the work, down to the store (`graph.deadline`).
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from graph.deadline import Deadline, within

Answer = TypeVar("Answer")


class Overloaded(Exception):
    """No slot is free, and none became so in time; asking again later may do."""


class Late(Exception):
    """The work was not done by its deadline."""


class Gone(Exception):
    """Whoever asked does not wait for the answer any more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests run at once and how many more may wait; how many seconds each has for both."""

    concurrency: int = max(4, 2 * (os.cpu_count() or 1))
    queue: int = 64
    deadline_s: float = 10.0


class Admission:
    """Slots, and a queue for them in the order of arrival; for one event loop at a time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._taken = 0
        self._turns: deque[asyncio.Future[None]] = deque()
        self._works: set[asyncio.Task[Any]] = set()

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._turns)

    async def run(
        self, work: Callable[[], Coroutine[Any, Any, Answer]], leave: Callable[[], Coroutine[Any, Any, None]]
    ) -> Answer:
        """Return what work returns, once there is a slot for it.

        `leave` returns when whoever asked is gone. Raises Overloaded, Late or
        Gone, and whatever work raises; after any of them, what goes on of the
        work is past its deadline.
        """
        deadline = Deadline(self.limits.deadline_s)
        leaving = asyncio.create_task(leave())
        try:
            await self._enter(deadline, leaving)
            task = self._start(work, deadline)
            await _wait(task, leaving, deadline)
            if task.done():
                return task.result()
            raise Gone if leaving.done() else Late
        finally:
            deadline.end()
            leaving.cancel()

    async def _enter(self, deadline: Deadline, leaving: asyncio.Task[None]) -> None:
        if self._taken < self.limits.concurrency:
            self._taken += 1
            return
        if len(self._turns) >= self.limits.queue:
            raise Overloaded
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await _wait(turn, leaving, deadline)
        except asyncio.CancelledError:
            if turn.done():
                self._hand_on()
            raise
        finally:
            if not turn.done():
                self._turns.remove(turn)
        if not turn.done():
            raise Gone if leaving.done() else Overloaded

    def _start(self, work: Callable[[], Coroutine[Any, Any, Answer]], deadline: Deadline) -> asyncio.Task[Answer]:
        with within(deadline):
            task = asyncio.create_task(work())
        self._works.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._works.discard(task)
        if not task.cancelled():
            # Looked at, so that nobody logs its text when nobody waits for it.
            task.exception()
        self._hand_on()

    def _hand_on(self) -> None:
        if self._turns:
            self._turns.popleft().set_result(None)
        else:
            self._taken -= 1


async def _wait(what: asyncio.Future[Any], leaving: asyncio.Task[None], deadline: Deadline) -> None:
    await asyncio.wait({what, leaving}, timeout=deadline.remaining_s, return_when=asyncio.FIRST_COMPLETED)
