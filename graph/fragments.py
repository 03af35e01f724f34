"""Fragments: what an observer was shown of an entity, kept as finished JSON for when they are shown it again.

A record never changes: another version is another record. So what is shown of
an entity of one record depends on that record, on what was selected, and on who
is shown it with which rights. A fragment is found by all three and by nothing
less; entities of several records are not kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from graph.shown import Entity

# Bytes of JSON, with what it takes to hold them.
_ROOM = 32_000_000
_HELD = 300
_MET = 100
# What an observer selected, each with all that was shown of it.
_SELECTIONS = 256


class Fragments:
    """Keeps fragments, up to so many bytes and selections; those of what was selected longest ago go first, together."""

    def __init__(self, room: int = _ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, object], _Kept] = OrderedDict()

    def show(
        self, selected: object, entities: Sequence[Entity], make_rows: Callable[[Sequence[Entity]], Sequence[Any]]
    ) -> list[Any]:
        """Return what orjson writes for each of some entities of one View: a fragment, or the row itself.

        `selected` stands for what is selected, for as long as it lives; `make_rows`
        makes the rows of those of which no fragment is kept. One is made when an
        entity is shown for the second time, for most are shown once.
        """
        if not entities:
            return []
        with self._lock:
            kept = self._find((selected, entities[0].shower))
        versions = [entity.version for entity in entities]
        rows: list[Any] = list(map(kept.fragments.get, versions))
        missing = [place for place, row in enumerate(rows) if row is None]
        if missing:
            made = make_rows([entities[place] for place in missing])
            with self._lock:
                again = kept.once.intersection(versions)
                for place, row in zip(missing, made, strict=True):
                    rows[place] = self._keep(kept, versions[place], row) if versions[place] in again else row
                self._meet(kept, versions)
                self._make_room()
        return rows

    def _find(self, place: tuple[object, object]) -> "_Kept":
        kept = self._kept.get(place)
        if kept is None:
            kept = self._kept[place] = _Kept()
        self._kept.move_to_end(place)
        return kept

    def _keep(self, kept: "_Kept", version: str | None, row: Any) -> orjson.Fragment:
        text = orjson.dumps(row)
        fragment = kept.fragments[version] = orjson.Fragment(text)
        self._charge(kept, len(text) + _HELD)
        return fragment

    def _meet(self, kept: "_Kept", versions: Iterable[str | None]) -> None:
        known = len(kept.once)
        # What is of several records has no version.
        kept.once.update(version for version in versions if version is not None)
        self._charge(kept, (len(kept.once) - known) * _MET)

    def _charge(self, kept: "_Kept", size: int) -> None:
        kept.size += size
        self._room -= size

    def _make_room(self) -> None:
        while self._kept and (self._room < 0 or len(self._kept) > _SELECTIONS):
            _, dropped = self._kept.popitem(last=False)
            self._room += dropped.size


@dataclass(slots=True)
class _Kept:
    """What is kept of one selection and one observer, by the id of the record, and the bytes that it takes.

    `once` are the records that were shown, of which there is a fragment when they were so twice.
    """

    fragments: dict[str | None, orjson.Fragment] = field(default_factory=dict)
    once: set[str | None] = field(default_factory=set)
    size: int = 0
