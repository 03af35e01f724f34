"""Blocking keys of one record: a pair is compared when its records share one."""

from collections.abc import Iterator, Mapping
from itertools import product

from ontology.record import Properties
from resolution.column import READERS, Columns
from resolution.model import Comparison, Model
from resolution.part import PARTS


def read_columns(properties: Properties, model: Model) -> dict[str, Columns]:
    """Return, by comparison, the columns that a record is compared by."""
    return {c.name: _read(properties, c) for c in model.comparisons}


def iter_keys(columns: Mapping[str, Columns], model: Model, *, of_table: bool = False) -> Iterator[tuple[int, str]]:
    """Yield each key of a record once: the place of its rule in the model, and its text.

    Rules for tables are left out unless the record is one `of_table`.
    """
    for place, rule in enumerate(model.keys):
        if rule.most is not None and not of_table:
            continue
        sources = [(PARTS[part], columns[of][PARTS[part].column]) for of, part in rule.parts]
        if all(values for _, values in sources):
            for texts in product(*(sorted(part.make(values)) for part, values in sources)):
                yield place, "\n".join(texts)


def _read(properties: Properties, comparison: Comparison) -> Columns:
    if not any(properties.get(name) for name in comparison.reads):
        return _NOTHING[comparison.reader]
    return READERS[comparison.reader].read(properties, comparison.reads, comparison.ignored)


_NOTHING: dict[str, Columns] = {name: {column: [] for column in reader.columns} for name, reader in READERS.items()}
