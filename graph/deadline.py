"""Deadline: a moment by which whoever asked wants the work done, known to all that works for them.

Work in a thread cannot be stopped from outside: it stops itself, at its next
question to the store, and the engine stops a question that is under way.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Deadline:
    """So many seconds from now, on a clock that only runs forward; it may be brought forward, never put off."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    @property
    def remaining_s(self) -> float:
        """How many seconds are left, 0 once it has passed."""
        return max(0.0, self._at - self._clock())

    def end(self) -> None:
        """Let it have passed: nobody waits any more."""
        self._at = min(self._at, self._clock())


_IN_FORCE: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Hold all work of this context to a deadline, that of tasks and threads begun in it as well."""
    token = _IN_FORCE.set(deadline)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def get_remaining_s() -> float | None:
    """Return how many seconds the work of this context has left, None without a deadline."""
    deadline = _IN_FORCE.get()
    return deadline.remaining_s if deadline else None
