"""Tests of one pair at a time and its explanation."""

from collections.abc import Sequence

from hypothesis import given, settings

from ontology.pair import Pair
from ontology.record import Record
from resolution.compare import MISSING
from resolution.keys import read_columns
from resolution.pairwise import compare_records
from tests.resolution.people import NOW, PERSON, Said, make_people, populations


def _compare(said: Sequence[Said]) -> Pair:
    left, right = make_people(said)
    return compare_records(left, right, PERSON, recorded_at=NOW)


@settings(max_examples=30)
@given(populations)
def test_a_pair_has_no_direction(records: list[Record]) -> None:
    """Which record is given first makes no difference."""
    left, right = records[:2]

    pair = compare_records(left, right, PERSON, recorded_at=NOW)

    assert pair == compare_records(right, left, PERSON, recorded_at=NOW)
    assert pair.left <= pair.right


@settings(max_examples=30)
@given(populations)
def test_what_a_record_does_not_say_weighs_nothing(records: list[Record]) -> None:
    """A comparison weighs 0 exactly when a side is silent, whoever looks."""
    left, right = records[:2]
    one, other = read_columns(left.properties, PERSON), read_columns(right.properties, PERSON)

    pair = compare_records(left, right, PERSON, recorded_at=NOW)

    for found in pair.evidence:
        silent = not one[found.comparison]["whole"] or not other[found.comparison]["whole"]
        assert ((found.weight, found.equality_weight, found.level) == (0.0, 0.0, MISSING)) == silent


def test_equality_is_of_values_as_they_are() -> None:
    """Somebody who sees pseudonyms alone cannot tell that two scripts write one name."""
    same, folded = {"name": ["Mirela Vosgan"]}, {"name": ["Мирела Восган"]}
    equal = _compare([same, same]).evidence[0]
    alike = _compare([same, folded]).evidence[0]

    assert equal.weight == alike.weight > 0
    assert equal.equality_weight > 0 > alike.equality_weight


def test_equality_keys_compare_whole_values() -> None:
    """A key that a pseudonym shows as much is marked so; one on sounds is not."""
    said = {"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"], "passportNumber": ["X1234567"]}
    keys = _compare([said, said]).keys

    assert {key.name: key.is_equality for key in keys} == {
        "a document number": True,
        "two sounding words and birth year": False,
        "two sounding words and birthday": False,
        "a sounding word and birth month": False,
        "an initial and birth date": False,
    }
