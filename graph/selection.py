"""Selections: what an observer is shown of a few properties of many entities, compiled for one clearance.

Showing an entity whole makes an object of every part of it. A list wants some
values of each, so here the policy is folded into one function for each schema
and set of rules: what is hidden is a constant, what is clear is taken as it is,
and only what is treated is looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graph.shown import Entity
from graph.treat import CLEAR, Treater, merge_values
from ontology.record import Record
from ontology.schema import Schema

Row = dict[str, Any]
_Cells = Callable[[Record], Row]


class Part(Enum):
    """What a column is of: a property by its name, or something that every entity has."""

    PROPERTY = "property"
    ID = "id"
    SCHEMA = "schema"
    CAPTION = "caption"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a row: its key there, and what it is of. `name` is the property's, or the text of a constant."""

    key: str
    part: Part
    name: str | None = None


def select(entities: Sequence[Entity], columns: tuple[Column, ...]) -> list[Row]:
    """Return a row of columns for each of some entities of one View; a property without values is None."""
    if not entities:
        return []
    treater = entities[0].shower
    if not isinstance(treater, Treater):
        raise TypeError("expected entities that a Treater shows")
    selections = {name: Selection.of(treater, name, columns) for name in {entity.schema for entity in entities}}
    rows: list[Row] = []
    add = rows.append
    for entity in entities:
        only = entity._only
        if only is None:
            add(selections[entity.schema].merge(entity._facets))
            continue
        selection = selections[entity.schema]
        cells = selection.cells.get(only.label.lid) or selection.compile(only.label.lid)
        add(cells(only))
    return rows


class Selection:
    """Some columns of entities of one schema, compiled for one clearance."""

    def __init__(self, treater: Treater, schema: Schema, columns: tuple[Column, ...]) -> None:
        self._treater = treater
        self._schema = schema
        self._columns = columns
        self._named = sorted({column.name for column in columns if column.part is Part.PROPERTY and column.name})
        has_caption = any(column.part is Part.CAPTION for column in columns)
        self._wanted = tuple(sorted({*self._named, *(schema.caption if has_caption else ())}))
        # What makes the row of a single record, by its label.
        self.cells: dict[int, _Cells] = {}

    @classmethod
    def of(cls, treater: Treater, schema: str, columns: tuple[Column, ...]) -> "Selection":
        """Return a selection, compiled once for a treater."""
        return treater.remember((schema, columns), lambda: cls(treater, treater.ontology[schema], columns))

    def merge(self, facets: Mapping[str, Sequence[Record]]) -> Row:
        """Return the row of an entity of several records or parts."""
        merged = merge_values(self._values(record) for records in facets.values() for record in records)
        fixed = {
            Part.ID: self._treater.ids[next(iter(facets))],
            Part.SCHEMA: self._schema.name,
            Part.CAPTION: self._treater.caption(self._schema, merged),
        }
        return {
            column.key: fixed[column.part] if column.part in fixed else _cell(column, merged)
            for column in self._columns
        }

    def _values(self, record: Record) -> dict[str, tuple[str, ...]]:
        held = record.properties
        wanted = {name: held[name] for name in self._wanted if name in held}
        return self._treater.values(record.schema, record.lid, wanted)

    def compile(self, lid: int) -> _Cells:
        """Return the function that makes the row of an entity of a single record under a label, written once."""
        cells = self.cells[lid] = self._write_cells(lid)
        return cells

    def _write_cells(self, lid: int) -> _Cells:
        scope: dict[str, Any] = {"ids": self._treater.ids}
        values = {name: self._write_value(name, lid, scope) for name in self._wanted}
        # What is in two cells is looked up once; of the names that could be the caption only as many as it takes.
        places = {name: f"value_{place}" for place, name in enumerate(self._named)}
        lines = [f"    {places[name]} = {values[name]}" for name in self._named]
        places = values | places
        cells = ", ".join(f"{column.key!r}: {self._write(column, places)}" for column in self._columns)
        text = "\n".join(
            ["def cells(record):", "    held = record.properties", *lines, f"    return {{{cells}}}"],
        )
        exec(compile(text, "<row>", "exec"), scope)
        found: _Cells = scope["cells"]
        return found

    def _write(self, column: Column, places: Mapping[str, str]) -> str:
        if column.part is Part.PROPERTY and column.name is not None:
            return places[column.name]
        if column.part is Part.ID:
            return "ids[record.thing]"
        if column.part is Part.CAPTION:
            return (
                f"({' or '.join((*(places[name] for name in self._schema.caption), repr((self._schema.label,))))})[0]"
            )
        return repr(self._schema.name if column.part is Part.SCHEMA else column.name)

    def _write_value(self, name: str, lid: int, scope: dict[str, Any]) -> str:
        treat = self._treater.treat_of(self._schema.name, lid, name)
        if treat is None:
            return "None"
        if treat is CLEAR:
            return f"held.get({name!r})"
        place = f"treat_{len(scope)}"
        scope[place] = treat
        return f"(None if (found := held.get({name!r})) is None else {place}[found] or None)"


def _cell(column: Column, values: Mapping[str, tuple[str, ...]]) -> str | tuple[str, ...] | None:
    return column.name if column.part is Part.CONSTANT else values.get(column.name or "") or None
