"""Addresses: what is one place however it is written, and what is not however alike."""

from itertools import combinations

import pytest

from ontology.pair import sum_weights
from ontology.record import Record
from resolution.keys import iter_keys, read_columns
from resolution.model import load_model
from resolution.pairwise import compare_records, has_reach
from resolution.score import score_records
from tests.factory import make_record
from tests.resolution.people import NOW

ADDRESS = load_model("address")

Said = dict[str, list[str]]

FULL: Said = {"full": ["Strada Lunga 4, Strugeni"], "country": ["ro"]}
STREET: Said = {"street": ["Strada Lunga 4"], "city": ["Strugeni"], "postalCode": ["907123"]}
PLACES: list[Said] = [
    FULL,
    {"full": ["Strugeni, Str. Lunga 4"], "country": ["ro"]},
    {"full": ["Strada Lunga 5, Strugeni"], "country": ["ro"]},
    {"full": ["Strugeni"]},
    STREET,
    {"street": ["Str. Lunga 4"], "city": ["Strugani"], "postalCode": ["907123"]},
    {"street": ["Strada Lunga 4"], "city": ["Varna"]},
    {},
]


def _make(said: list[Said]) -> list[Record]:
    return [make_record("Address", str(place), properties=one) for place, one in enumerate(said)]


def _is_one(left: Said, right: Said) -> bool:
    records = _make([left, right])
    pairs = list(score_records(records, ADDRESS, recorded_at=NOW))
    return any(sum_weights(pair.prior, (e.weight for e in pair.evidence)) >= pair.stop for pair in pairs)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (FULL, FULL),
        (FULL, {"full": ["Strugeni, Str. Lunga 4"], "country": ["ro"]}),
        (FULL, {"full": ["Strada Lunga nr. 4, Strugeni"], "country": ["ro"]}),
        (STREET, {"street": ["Str. Lunga 4"], "city": ["Strugeni"], "postalCode": ["907123"]}),
        (STREET, {"street": ["Strada Lunga 4"], "city": ["Strugani"], "postalCode": ["907123"]}),
    ],
)
def test_one_place_is_one(left: Said, right: Said) -> None:
    """Order, short forms, and a town spelt otherwise leave a place what it is."""
    assert _is_one(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (FULL, {"full": ["Strada Lunga 5, Strugeni"], "country": ["ro"]}),
        (FULL, {"full": ["Strada Scurta 4, Strugeni"], "country": ["ro"]}),
        (STREET, {"street": ["Strada Lunga 4"], "city": ["Varna"]}),
        (STREET, {"street": ["Strada Lunga 4"]}),
        ({"full": ["Strugeni"], "country": ["ro"]}, {"full": ["Strugeni"], "country": ["ro"]}),
    ],
)
def test_two_places_stay_two(left: Said, right: Said) -> None:
    """Another number, street or town, a street that every town has, and a town alone, are no one place."""
    assert not _is_one(left, right)


def test_many_are_scored_as_one_pair_is() -> None:
    """The batch finds, of pairs that share a key, what comparing two records finds."""
    records = _make(PLACES)
    keys = {record.id: set(iter_keys(read_columns(record.properties, ADDRESS), ADDRESS)) for record in records}
    alone = (compare_records(one, other, ADDRESS, recorded_at=NOW) for one, other in combinations(records, 2))
    expected = [pair for pair in alone if keys[pair.left] & keys[pair.right] and has_reach(pair)]

    found = list(score_records(records, ADDRESS, recorded_at=NOW))

    assert sorted(found, key=lambda pair: pair.id) == sorted(expected, key=lambda pair: pair.id) != []
