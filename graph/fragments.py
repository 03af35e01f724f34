"""Fragments: what an observer was shown of an entity, kept as finished JSON for when they are shown it again.

A record never changes: another version is another record. So what is shown of
an entity of one record depends on that record, on what was selected, and on who
is shown it with which rights. A fragment is found by all three and by nothing
less; entities of several records are not kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import orjson

from graph.shown import Entity

# Bytes of JSON, with what it takes to hold them.
_ROOM = 32_000_000
_HELD = 300
# What an observer selected, each with all that was shown of it.
_SELECTIONS = 256

_version_of = attrgetter("version")


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
        makes the rows of those of which nothing is kept.
        """
        if not entities:
            return []
        with self._lock:
            kept = self._find((selected, entities[0].shower))
            rows: list[Any] = list(map(kept.get, map(_version_of, entities)))
        missing = [place for place, row in enumerate(rows) if row is None]
        if missing:
            made = make_rows([entities[place] for place in missing])
            with self._lock:
                for place, row in zip(missing, made, strict=True):
                    rows[place] = self._keep(kept, entities[place].version, row)
                self._make_room()
        return rows

    def _find(self, place: tuple[object, object]) -> "_Kept":
        kept = self._kept.get(place)
        if kept is None:
            kept = self._kept[place] = _Kept()
        self._kept.move_to_end(place)
        return kept

    def _keep(self, kept: "_Kept", version: str | None, row: Any) -> Any:
        if version is None:
            return row
        text = orjson.dumps(row)
        kept.size += len(text) + _HELD
        self._room -= len(text) + _HELD
        kept[version] = orjson.Fragment(text)
        return kept[version]

    def _make_room(self) -> None:
        while self._kept and (self._room < 0 or len(self._kept) > _SELECTIONS):
            _, dropped = self._kept.popitem(last=False)
            self._room += dropped.size


class _Kept(dict[str | None, orjson.Fragment]):
    """The fragments of one selection and one observer, by the id of the record, and the room that they take in bytes."""

    size = 0
