"""Comparison of a table: arrays of what each pair showed, with one pair at a time as the reference."""

from itertools import combinations
from random import Random

import numpy as np
import pytest

from ontology.record import Record
from resolution.compare import MISSING as SILENT
from resolution.compare import compare_columns
from resolution.keys import iter_keys, read_columns
from resolution.table import MISSING, Compared, Findings, compare_table
from tests.resolution.people import PERSON, draw_people, make_people


def _expect(one: Record, other: Record) -> list[int]:
    """Return the place of the level that each comparison finds alone."""
    left, right = read_columns(one.properties, PERSON), read_columns(other.properties, PERSON)
    found = [compare_columns(left[c.name], right[c.name], c).level for c in PERSON.comparisons]
    words = [[level.words for level in c.levels] for c in PERSON.comparisons]
    return [MISSING if level == SILENT else said.index(level) for level, said in zip(found, words, strict=True)]


def _by_input(compared: Compared, findings: Findings) -> dict[tuple[int, int], list[int]]:
    ends = np.sort(np.column_stack((compared.places[findings.left], compared.places[findings.right])), axis=1)
    return dict(zip(map(tuple, ends.tolist()), findings.levels.tolist(), strict=True))


@pytest.fixture(scope="module")
def people() -> list[Record]:
    """Enough people for all levels to show."""
    return draw_people(40, seed=7)


@pytest.fixture(scope="module")
def compared(people: list[Record]) -> Compared:
    """What comparing them found."""
    return compare_table(people, PERSON, draws=True)


def test_each_pair_shows_what_it_shows_alone(people: list[Record], compared: Compared) -> None:
    """Whether a key proposed it or it was drawn, a pair has the levels that its two records have alone."""
    assert compared.drawn is not None
    drawn, proposed = (_by_input(compared, findings) for findings in (compared.drawn, compared.proposed))

    assert drawn == {(i, j): _expect(people[i], people[j]) for i, j in combinations(range(len(people)), 2)}
    assert len(proposed) > 100
    assert proposed.items() <= drawn.items()


def test_the_rules_are_those_whose_keys_are_shared(people: list[Record], compared: Compared) -> None:
    """Bit k is of the model's rule k; those for tables count as long as not too many have the key."""
    keys = [set(iter_keys(read_columns(person.properties, PERSON), PERSON, of_table=True)) for person in people]
    common = {k for k in set().union(*keys) if sum(k in one for one in keys) > (PERSON.keys[k[0]].most or len(keys))}
    ends = compared.places[np.column_stack((compared.proposed.left, compared.proposed.right))]

    for (i, j), rules in zip(ends.tolist(), compared.proposed.rules.tolist(), strict=True):
        assert rules == sum({1 << rule for rule, _ in keys[i] & keys[j] - common})


def test_the_order_and_repetition_of_records_make_no_difference(people: list[Record], compared: Compared) -> None:
    """Shuffled, and some given twice, they show the same; only the places are others."""
    again = Random(3).sample(people, len(people)) + people[:5]

    other = compare_table(again, PERSON, draws=True)

    assert [again[place].id for place in other.places] == [people[place].id for place in compared.places]
    for one, same in ((other.proposed, compared.proposed), (other.drawn, compared.drawn)):
        assert one is not None
        assert same is not None
        assert all(np.array_equal(getattr(one, part), getattr(same, part)) for part in Findings.__slots__)


@pytest.mark.parametrize("count", [0, 1])
def test_few_records_make_no_pairs(count: int) -> None:
    """None and one give empty arrays of the right shape, and nothing drawn."""
    compared = compare_table(make_people([{"name": ["Mirela Vosgan"]}] * count), PERSON, draws=True)

    assert len(compared.places) == count
    assert compared.proposed.levels.shape == (0, len(PERSON.comparisons))
    assert compared.drawn is None
