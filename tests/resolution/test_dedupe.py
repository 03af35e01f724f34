"""Deduplication: arrays of scored pairs, with one pair at a time as the reference."""

from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ontology.errors import UnusableSource
from resolution.block import MOST_OF_ANY
from resolution.dedupe import LOWEST, find_entities, score_pairs
from resolution.keys import iter_keys, read_columns
from resolution.pairwise import compare_records
from resolution.parquet import read_parquet
from resolution.score import score_records
from tests.resolution.people import NOW, PERSON, Said, draw_people, make_people

TWICE: list[Said] = [
    {"name": ["Dorin Vosgan"], "birthDate": ["1964-11-30"]},
    {"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"], "email": ["mirela.v@example.org"]},
    {"name": ["Мирела Восган"], "birthDate": ["1991-04-07"], "email": ["mirela.v@example.org"]},
]


def test_pairs_are_those_of_comparing_one_by_one() -> None:
    """Places and the weights of all comparisons are what each two records give alone, in input order, but for the worst."""
    records = draw_people(30, seed=5)
    keys = [set(iter_keys(read_columns(record.properties, PERSON), PERSON, of_table=True)) for record in records]
    alike = Counter(key for found in keys for key in found)
    telling = {(rule, text) for (rule, text), n in alike.items() if n <= (PERSON.keys[rule].most or n)}
    expected = []
    for (left, one), (right, other) in combinations(enumerate(records), 2):
        pair = compare_records(one, other, PERSON, recorded_at=NOW)
        if keys[left] & keys[right] & telling:
            expected.append((left, right, [round(evidence.weight, 6) for evidence in pair.evidence]))

    found = score_pairs(iter(records), PERSON)
    rows = [(left, right, weights) for left, right, _, _, weights in found.iter_rows()]
    priors = found.weight - [sum(weights) for _, _, weights in rows]

    assert len(rows) > 100
    assert priors == pytest.approx(np.full(len(rows), priors[0]), abs=1e-5)
    assert rows == [row for row in expected if round(priors[0] + sum(row[2]), 5) >= LOWEST]
    assert found.comparisons == tuple(comparison.name for comparison in PERSON.comparisons)


def test_a_key_of_too_many_records_proposes_nothing() -> None:
    """Two of a rare name are compared by it alone; those of a name that very many have are not, nor is one a model's."""
    names = ["Mirela Vosgan", "Mirela Vosgan", *["Dorin Tumbev"] * 41]
    records = make_people([{"name": [name]} for name in names])

    assert [(left, right) for left, right, *_ in score_pairs(records, PERSON).iter_rows()] == [(0, 1)]
    assert list(score_records(records, replace(PERSON, stop=-1000.0), recorded_at=NOW)) == []


def test_what_many_rows_say_alike_is_compared_once() -> None:
    """A thousand rows that say the same are one person where two of them would be, each paired with one of the two."""
    said: Said = {"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"], "email": ["mirela.v@example.org"]}
    records = make_people([{"name": ["Dorin Sample"]}, *[said] * 1_000, {**said, "name": ["Мирела Восган"]}])

    pairs = score_pairs(iter(records), PERSON)
    rows = list(pairs.iter_rows())

    assert find_entities(pairs).tolist() == [0, *[1] * 1_001]
    # The two with each other and with the last, and the other 998 with one of them.
    assert (len(rows), len({row[:2] for row in rows})) == (1 + 2 + 998, len(rows))
    assert all(left < right for left, right, *_ in rows)
    assert {end for row in rows for end in row[:2]} == {*range(1, 1_002)}
    assert len({row[2] for row in rows if row[1] < 1_001}) == 1


def test_many_of_a_common_name_alone_stay_apart() -> None:
    """Where two that say the same are not one, no more of them are."""
    records = make_people([{"firstName": ["Maria"]}] * 50)

    assert find_entities(score_pairs(iter(records), PERSON)).tolist() == list(range(50))


def test_a_key_of_a_whole_table_proposes_nothing_and_is_counted() -> None:
    """An address that all rows have is no reason to compare each with each."""
    count = MOST_OF_ANY + 1
    records = make_people([{"email": ["office@example.org"], "notes": [f"said {n}"]} for n in range(count)])

    pairs = score_pairs(iter(records), PERSON)

    assert (pairs.ignored, len(pairs.left)) == (1, 0)


def test_the_probability_is_that_of_the_odds() -> None:
    """Three bits are odds of eight to one, no bits are even odds."""
    pairs = score_pairs(make_people(TWICE[1:]), PERSON)
    pairs = replace(pairs, weight=np.array([3.0]))

    assert [row[3] for row in pairs.iter_rows()] == [8 / 9]
    assert [row[3] for row in replace(pairs, weight=np.zeros(1)).iter_rows()] == [0.5]


def test_the_entity_is_the_first_record_of_it() -> None:
    """Records of one person have the place of the first of them, others their own."""
    pairs = score_pairs(make_people(TWICE), PERSON)

    assert find_entities(pairs).tolist() == [0, 1, 1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_records_that_share_nothing_make_no_pair(count: int) -> None:
    """None, one and two strangers are no pairs and as many entities."""
    strangers: list[Said] = [{"name": ["Dorin Tumbev"]}, {"name": ["Mirela Vosgan"]}]
    pairs = score_pairs(make_people(strangers[:count]), PERSON)

    assert list(pairs.iter_rows()) == []
    assert find_entities(pairs).tolist() == list(range(count))


def test_parquet_gives_python_values_of_the_columns_asked_for(tmp_path: Path) -> None:
    """All names are told, and rows hold what was asked for, a dotted path by the column that it begins with."""
    path = tmp_path / "table"
    rows: list[dict[str, Any]] = [{"nr": 1, "who": {"name": "Ada"}, "whose": 2}, {"nr": 2, "who": None, "whose": 3}]
    pq.write_table(pa.Table.from_pylist(rows), path)

    names, found = read_parquet(path, frozenset({"nr", "who.name"}))

    assert names == ["nr", "who", "whose"]
    assert list(found) == [{"nr": 1, "who": {"name": "Ada"}}, {"nr": 2, "who": None}]


def test_a_damaged_parquet_file_is_an_error_of_ours(tmp_path: Path) -> None:
    """A file that is cut off is named and says that it is damaged."""
    path = tmp_path / "table"
    path.write_bytes(b"PAR1 and no more")

    with pytest.raises(UnusableSource, match=r"table: expected a whole Parquet file"):
        read_parquet(path, frozenset({"nr"}))
