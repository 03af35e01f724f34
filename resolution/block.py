"""Blocking in DuckDB: records and their keys as tables, candidate pairs in bounded ranges.

No key is too common and no block is cut: what proposes a pair is in its two
records. Explosion is kept away by narrow keys, memory by ranges of left records.
Only a table that one reader sees whole has wider keys too (see `KeyRule`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DOUBLE, DuckDBPyType

from ontology.record import Record
from resolution.column import READERS, WHOLE
from resolution.keys import iter_keys, read_columns
from resolution.level import FUNCTIONS, MACROS
from resolution.model import Model

RECORDS = "records"
CANDIDATES = "candidates"

# In a table a key of more records proposes nothing, whatever its rule: a million pairs of it are enough.
MOST_OF_ANY = 1_500

_LOADED_AT_ONCE = 10_000
_TWO_LISTS: list[Any] = [DuckDBPyType(list[str])] * 2
_TEXTS = pa.list_(pa.string())
_OTHER_TYPES = {"parts": pa.list_(_TEXTS), "numbers": pa.list_(pa.int64())}
_KEY_SCHEMA = pa.schema([("loaded", pa.int64()), ("rule", pa.int64()), ("text", pa.string())])


@dataclass(frozen=True, slots=True)
class Engine:
    """How much of the machine scoring may take; nothing is ever written to disk.

    `pairs_at_once` is about how many candidates are held at a time.
    """

    threads: int = 2
    memory: str = "4GB"
    pairs_at_once: int = 500_000


def open_engine(engine: Engine) -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty database in memory, without network or files."""
    # No spilling either: values in clear would be left on the disk.
    limits: dict[str, Any] = {"threads": engine.threads, "memory_limit": engine.memory, "temp_directory": ""}
    offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    connection = duckdb.connect(":memory:", config=limits | offline)
    for name, function in FUNCTIONS.items():
        connection.create_function(name, function, _TWO_LISTS, DOUBLE)
    for statement in ("SET enable_external_access = false", "SET enable_progress_bar = false", *MACROS):
        connection.execute(statement)
    return connection


def load_records(
    connection: duckdb.DuckDBPyConnection, records: Iterable[Record], model: Model, *, is_table: bool = False
) -> tuple[int, int]:
    """Fill the table `records`, one row per distinct record in order of id, and the keys that any two share.

    Returns how many there are. A record given twice counts once. With `is_table`
    rules for tables count as well, but for keys of more records than they allow,
    and no key that more than `MOST_OF_ANY` share counts: how many of those there
    are is returned as well.
    """
    schema = _record_schema(model)
    for name, columns in (("loaded", schema), ("loaded_keys", _KEY_SCHEMA)):
        _insert(connection, f"CREATE TABLE {name} AS FROM batch", columns.empty_table())
    stream, start = iter(records), 0
    while batch := list(islice(stream, _LOADED_AT_ONCE)):
        rows, keys = _read_batch(batch, model, start, is_table=is_table)
        _insert(connection, "INSERT INTO loaded FROM batch", rows)
        _insert(connection, "INSERT INTO loaded_keys FROM batch", keys)
        start += len(batch)
    for statement in _RANK:
        connection.execute(statement)
    ignored = _narrow_keys(connection, model) if is_table else 0
    return int(connection.sql(f"SELECT count(*) FROM {RECORDS}").fetchall()[0][0]), ignored


def _narrow_keys(connection: duckdb.DuckDBPyConnection, model: Model) -> int:
    """Drop keys of a table that too many records share, and those of copies; return how many of any rule were dropped."""
    for place, rule in enumerate(model.keys):
        if rule.most is not None:
            connection.execute(_DROP_COMMON, [place, rule.most])
    for statement in _DROP_COPIES:
        connection.execute(statement)
    ignored = 0
    for place, rule in enumerate(model.keys):
        if rule.most is None:
            [(common,)] = connection.execute(_COUNT_COMMON, [place, MOST_OF_ANY]).fetchall()
            ignored += common
            connection.execute(_DROP_COMMON, [place, MOST_OF_ANY])
    return ignored


def plan_ranges(connection: duckdb.DuckDBPyConnection, engine: Engine) -> Iterator[tuple[int, int]]:
    """Yield ranges of left rows, in order, that hold about so many candidates each; none when there are none."""
    first, held = None, 0
    last = -1
    for row, candidates in connection.sql(_COUNT).fetchall():
        if first is not None and held + candidates > engine.pairs_at_once:
            yield first, last
            first, held = None, 0
        first = row if first is None else first
        last, held = row, held + candidates
    if first is not None:
        yield first, last


def block_range(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> None:
    """Fill the table `candidates` with the pairs whose left row is in the range, each once.

    `rules` has bit n set when the model's rule n proposes the pair.
    """
    connection.execute(_BLOCK, [first, last])


# Rows follow record ids, so that left < right by row is left < right by id.
_RANK = (
    f"CREATE TABLE {RECORDS} AS SELECT row_number() OVER (ORDER BY id) - 1 AS row, * FROM "
    "(FROM loaded QUALIFY row_number() OVER (PARTITION BY id ORDER BY loaded) = 1)",
    "CREATE TABLE keys AS SELECT row, thing, rule, text FROM loaded_keys JOIN records USING (loaded) "
    "QUALIFY count(*) OVER (PARTITION BY rule, text) > 1",
    "DROP TABLE loaded",
    "DROP TABLE loaded_keys",
)
# Of records that say exactly the same two are enough: of a million of them there are 500 milliard pairs.
_DROP_COPIES = (
    "CREATE TABLE copies AS SELECT row, two[1] AS first, two[2] AS second "
    f"FROM (SELECT said, min(row, 2) AS two FROM {RECORDS} GROUP BY said HAVING count(*) > 2) "
    f"JOIN {RECORDS} USING (said) WHERE row > two[2]",
    "DELETE FROM keys WHERE row IN (SELECT row FROM copies)",
)
_COUNT_COMMON = """
SELECT count(*) FROM (SELECT text FROM keys WHERE rule = ? GROUP BY text HAVING count(*) > ?)
"""
_DROP_COMMON = """
DELETE FROM keys WHERE rule = ?1 AND text IN (SELECT text FROM keys WHERE rule = ?1 GROUP BY text HAVING count(*) > ?2)
"""
_COUNT = """
SELECT row, sum(later)::BIGINT AS candidates
FROM (SELECT row, count(*) OVER (PARTITION BY rule, text ORDER BY row ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
      AS later FROM keys)
GROUP BY row HAVING candidates > 0 ORDER BY row
"""
_BLOCK = f"""
CREATE OR REPLACE TABLE {CANDIDATES} AS
SELECT l.row AS join_key_l, r.row AS join_key_r, '0' AS match_key, bit_or(1::BIGINT << l.rule) AS rules
FROM keys l JOIN keys r ON l.rule = r.rule AND l.text = r.text AND l.row < r.row AND l.thing <> r.thing
WHERE l.row BETWEEN ? AND ?
GROUP BY ALL
"""


def _record_schema(model: Model) -> pa.Schema:
    columns = [(c.name, column) for c in model.comparisons for column in READERS[c.reader].columns]
    compared = [(f"{of}_{column}", _OTHER_TYPES.get(column, _TEXTS)) for of, column in columns]
    named = [("id", pa.string()), ("thing", pa.string()), ("said", pa.binary())]
    return pa.schema([("loaded", pa.int64()), *named, *compared])


def _read_batch(records: Sequence[Record], model: Model, start: int, *, is_table: bool) -> tuple[pa.Table, pa.Table]:
    read = [read_columns(record.properties, model) for record in records]
    schema = _record_schema(model)
    rows: list[list[Any]] = [
        list(range(start, start + len(records))),
        [record.id for record in records],
        [record.thing for record in records],
        [_digest(record) if is_table else b"" for record in records],
    ]
    for comparison in model.comparisons:
        for column in READERS[comparison.reader].columns:
            # An empty whole becomes NULL: nothing to compare.
            empty = None if column == WHOLE else ()
            rows.append([columns[comparison.name][column] or empty for columns in read])
    keys = [
        (loaded, rule, text)
        for loaded, columns in enumerate(read, start)
        for rule, text in iter_keys(columns, model, of_table=is_table)
    ]
    return _make_table(rows, schema), _make_table(list(zip(*keys, strict=True)) or [(), (), ()], _KEY_SCHEMA)


def _digest(record: Record) -> bytes:
    """Return what is the same for records that say exactly the same."""
    said = repr((record.schema, sorted(record.properties.items())))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _make_table(columns: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _insert(connection: duckdb.DuckDBPyConnection, statement: str, batch: pa.Table) -> None:
    connection.register("batch", batch)
    connection.execute(statement)
    connection.unregister("batch")
