"""Loaders: where a resolver's question leaves the event loop for the View that answers it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

import anyio
from anyio import to_thread

from graph.shown import ShownAlert
from graph.view import View
from ontology.judgement import Judgement, Verdict
from ontology.observer import Observer
from ontology.policy import Policy
from ontology.watch import Watch

Answer = TypeVar("Answer")


class Backend(Protocol):
    """What the API needs of everything below it; every call may block and is made from a thread."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""

    def view(self, observer: Observer, as_of: datetime | None) -> View:
        """Return what an observer may have, as recorded by a moment (None: now)."""

    def observer(self, name: str) -> Observer | None:
        """Return an observer's present rights, None for nobody."""

    def alerts(self, observer: Observer) -> list[ShownAlert]:
        """Return an observer's alerts whose ground they may still see, newest first."""

    def watches(self, observer: Observer) -> list[Watch]:
        """Return an observer's watches."""

    def watch(self, observer: Observer, id_: str) -> Watch:
        """Watch the entity that an id names; again is once. Raises NotPermitted or NotVisible."""

    def judge(self, observer: Observer, ids: tuple[str, str], verdict: Verdict, reason: str) -> Judgement:
        """Keep a judgement on the records of two ids; raises NotPermitted, NotVisible or InvalidData."""

    def check(self) -> None:
        """Raise StoreError when the store does not answer."""


class Loader:
    """One View, made when it is first asked and asked one question at a time."""

    def __init__(self, make_view: Callable[[], View]) -> None:
        self._make_view = make_view
        self._view: View | None = None
        self._lock = anyio.Lock()

    async def ask(self, question: Callable[[View], Answer]) -> Answer:
        """Return the View's answer to a question, which is put to it in a thread."""
        async with self._lock:
            return await to_thread.run_sync(self._ask, question)

    def _ask(self, question: Callable[[View], Answer]) -> Answer:
        if self._view is None:
            self._view = self._make_view()
        return question(self._view)


@dataclass(frozen=True, slots=True)
class Context:
    """One request: who asks, and the Views that it has opened so far, one a moment."""

    backend: Backend
    observer: Observer
    _loaders: dict[datetime | None, Loader] = field(default_factory=dict)

    def loader(self, as_of: datetime | None = None) -> Loader:
        """Return the loader of a moment (None: now), the same one throughout the request."""
        if as_of not in self._loaders:
            self._loaders[as_of] = Loader(lambda: self.backend.view(self.observer, as_of))
        return self._loaders[as_of]

    async def call(self, question: Callable[[Backend, Observer], Answer]) -> Answer:
        """Return the backend's answer to a question about this observer, put to it in a thread."""
        return await to_thread.run_sync(question, self.backend, self.observer)
