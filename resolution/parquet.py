"""Parquet: rows of a file as Python values."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ontology.errors import UnusableSource

# Few, because a single value can be megabytes.
_ROWS_AT_ONCE = 1_000


def read_parquet(path: Path, columns: frozenset[str]) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    """Return the names of all columns of a file, and its rows with those columns that are asked for.

    A dotted path asks for the column that it begins with. Raises UnusableSource,
    now or while rows are read, where the file is damaged.
    """
    try:
        file = pq.ParquetFile(path)
        names = list(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise UnusableSource("a whole Parquet file", "a damaged one", path=str(path)) from exc
    chosen = [name for name in names if any(f"{column}.".startswith(f"{name}.") for column in columns)]
    return names, _iter_rows(file, chosen, str(path))


def _iter_rows(file: pq.ParquetFile, columns: list[str], name: str) -> Iterator[Mapping[str, Any]]:
    try:
        with file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns, use_threads=False):
                yield from batch.to_pylist()
    # Text that is not UTF-8 and days before the year 1 are ValueErrors of Python.
    except (pa.ArrowException, OSError, ValueError, OverflowError) as exc:
        raise UnusableSource("Parquet of text, numbers and times", "other data", path=name) from exc
