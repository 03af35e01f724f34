"""Training: what is known of how records were made is found again, and nothing breaks where there is nothing to learn."""

from collections.abc import Mapping
from math import log2
from random import Random

import pytest

from ontology.record import Record
from resolution.model import Model
from resolution.train import guess_prior, train_model
from tests.resolution.people import PERSON, make_people

PEOPLE = 400
# How often one person's two records agree: what training is to find.
SAME_TOWN = 0.8
SAME_NUMBER = 0.6


def _draw_name(random: Random) -> str:
    return "".join(random.choice("bdfgklmnprstvz") + random.choice("aeiou") for _ in range(4))


def _make_population(seed: int) -> list[Record]:
    """Return two records of each of many people, whose towns and numbers agree as often as said above."""
    random = Random(seed)
    towns = [_draw_name(random) for _ in range(10)]
    said = []
    for _ in range(PEOPLE):
        name = f"{_draw_name(random)} {_draw_name(random)}"
        day = f"19{random.randint(50, 99)}-{random.randint(2, 12):02}-{random.randint(2, 28):02}"
        town, number = random.choice(towns), f"P{random.randrange(10**9)}"
        for is_first in (True, False):
            moved = is_first or random.random() < SAME_TOWN
            renewed = is_first or random.random() < SAME_NUMBER
            said.append(
                {
                    "name": [name],
                    "birthDate": [day],
                    "birthPlace": [town if moved else random.choice([t for t in towns if t != town])],
                    "passportNumber": [number if renewed else f"X{random.randrange(10**9)}"],
                }
            )
    return make_people(said)


def _make_families(seed: int) -> list[Record]:
    """Return two records of each of two or three siblings of many families, who share a surname and a house."""
    random = Random(seed)
    said = []
    for _ in range(PEOPLE // 4):
        surname, house = _draw_name(random), f"{_draw_name(random)} {random.randint(1, 99)}"
        for _ in range(random.randint(2, 3)):
            name = f"{_draw_name(random)} {surname}"
            day = f"19{random.randint(50, 99)}-{random.randint(2, 12):02}-{random.randint(2, 28):02}"
            said += [{"name": [name], "birthDate": [day], "address": [house]}] * 2
    return make_people(said)


def _levels(model: Model, name: str) -> Mapping[str, tuple[float, float]]:
    comparison = next(c for c in model.comparisons if c.name == name)
    return {level.words: (level.chance.m, level.chance.u) for level in comparison.levels}


@pytest.fixture(scope="module")
def trained() -> Model:
    """The model as a population has it."""
    return train_model(_make_population(1), PERSON)


def test_what_one_persons_records_have_in_common_is_found(trained: Model) -> None:
    """The shares of agreement among pairs of one thing come out as they were put in."""
    assert _levels(trained, "place")["the same place"][0] == pytest.approx(SAME_TOWN, abs=0.06)
    assert _levels(trained, "document")["a number in common"][0] == pytest.approx(SAME_NUMBER, abs=0.08)


def test_what_two_people_have_in_common_is_found(trained: Model) -> None:
    """One town in ten is the same by chance; no number is, and that weighs no less than it did."""
    assert _levels(trained, "place")["the same place"][1] == pytest.approx(0.1, abs=0.02)
    known = _levels(PERSON, "document")["a number in common"][1]
    assert _levels(trained, "document")["a number in common"][1] <= known * 1.01


def test_the_prior_is_how_many_pairs_are_of_one_thing(trained: Model) -> None:
    """One pair of all, for each person known twice."""
    assert trained.prior == pytest.approx(log2(PEOPLE / (PEOPLE * (2 * PEOPLE - 1))), abs=0.3)


def test_siblings_are_not_taken_for_one(trained: Model) -> None:
    """Who shares a house and a surname alone is not what one person's records are learnt from."""
    families = train_model(_make_families(3), PERSON)

    assert _levels(families, "birth")["different"][0] < 0.05
    for model in (trained, families):
        name = next(c for c in model.comparisons if c.name == "name")
        known = next(c for c in PERSON.comparisons if c.name == "name")
        fixed = [level.chance for level in name.levels if level.is_fixed]
        assert fixed == [level.chance for level in known.levels if level.is_fixed] != []


def test_the_order_of_records_makes_no_difference(trained: Model) -> None:
    """The same records shuffled, and some of them given twice, train the same model."""
    records = _make_population(1)
    again = Random(2).sample(records, len(records)) + records[:20]

    assert train_model(again, PERSON) == trained


def test_a_trained_model_says_so(trained: Model) -> None:
    """Its version tells it from the shipped one and from another; keys and stop stay."""
    other = train_model(_make_population(2), PERSON)

    assert len({PERSON.version, trained.version, other.version}) == 3
    assert (trained.keys, trained.stop) == (PERSON.keys, PERSON.stop)


def test_levels_still_weigh_differently(trained: Model) -> None:
    """No two levels of a comparison have one weight, and none weighs nothing, as for a model that is read."""
    for comparison in trained.comparisons:
        weights = {0.0, *(level.chance.weight for level in comparison.levels)}
        assert len(weights) == len(comparison.levels) + 1


@pytest.mark.parametrize("count", [0, 1])
def test_there_must_be_two(count: int) -> None:
    """Of fewer nothing is learnt."""
    assert train_model(make_people([{"name": ["Mirela Vosgan"]}] * count), PERSON) == PERSON


@pytest.mark.parametrize("said", [{"name": ["Mirela Vosgan"]}, {"gender": ["female"]}, {}])
def test_what_is_alike_in_all_teaches_nothing_wrong(said: dict[str, list[str]]) -> None:
    """Records that are all alike, or empty, give chances like any other."""
    model = train_model(make_people([said] * 30), PERSON)

    for comparison in model.comparisons:
        assert all(0 < chance < 1 for level in comparison.levels for chance in (level.chance.m, level.chance.u))
    assert abs(model.prior - guess_prior(30)) <= 6.0


def test_a_guess_is_one_other_record_for_each() -> None:
    """Of a thousand records each has about one other of its thing."""
    assert guess_prior(1_000) == pytest.approx(log2(1 / 1_000))
