"""Tests of scoring, with one pair at a time in Python as the reference."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from splink import DuckDBAPI, Linker

from ontology.pair import Pair, sum_weights
from ontology.record import Record
from resolution.block import Engine, block_range, load_records, open_engine, plan_ranges
from resolution.model import Model
from resolution.pairwise import compare_records, has_reach
from resolution.score import make_settings, score_records
from tests.factory import make_record
from tests.resolution.people import NOW, ORGANIZATION, PERSON, draw_people, make_people, populations

SLOW = settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
ENGINE = Engine()
OPEN = replace(PERSON, stop=-1000.0)


def _score(records: Iterable[Record], model: Model = PERSON, *, engine: Engine = ENGINE) -> list[Pair]:
    return list(score_records(records, model, recorded_at=NOW, engine=engine))


def _expect(records: Iterable[Record], model: Model) -> list[Pair]:
    distinct = {record.id: record for record in records}.values()
    pairs = (compare_records(a, b, model, recorded_at=NOW) for a, b in combinations(distinct, 2) if a.thing != b.thing)
    return sorted((pair for pair in pairs if pair.keys and has_reach(pair)), key=lambda pair: (pair.left, pair.right))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_records_make_no_pair(count: int) -> None:
    """None and one record are resolved as quietly as many."""
    assert _score(make_people([{"name": ["Mirela Vosgan"]}] * count)) == []


def test_python_and_splink_agree_on_hundreds_of_pairs() -> None:
    """The batch gives what one pair at a time gives: keys, levels and weights."""
    records = draw_people(40, seed=3)

    found = _score(records, OPEN)

    assert len(found) > 300
    assert found == _expect(records, OPEN)


def test_the_sum_equals_splinks_own_match_weight() -> None:
    """Prior and weights add up to what Splink itself reports for the pair."""
    records = draw_people(40, seed=4)
    expected = {(pair.left, pair.right): pair for pair in _expect(records, OPEN)}

    weights = list(_iter_splink_weights(records))

    assert len(weights) == len(expected) > 300
    for left, right, weight in weights:
        pair = expected[left, right]
        assert sum_weights(pair.prior, (e.weight for e in pair.evidence)) == pytest.approx(weight, abs=1e-6)


def _iter_splink_weights(records: list[Record]) -> Iterator[tuple[str, str, float]]:
    with open_engine(Engine()) as connection:
        load_records(connection, records, OPEN)
        splink = DuckDBAPI(connection=connection)
        linker = Linker(splink.register("records"), make_settings(OPEN), log_level=None)
        for first, last in plan_ranges(connection, Engine()):
            block_range(connection, first, last)
            linker.table_management.register_blocked_pairs_for_predict(splink.register("candidates"))
            scored = linker.inference.predict(warning_mode="never").physical_name
            yield from connection.sql(
                f"SELECT l.id, r.id, match_weight FROM {scored} JOIN records l ON row_l = l.row "
                "JOIN records r ON row_r = r.row"
            ).fetchall()


def test_only_pairs_that_some_observer_could_see_match_are_kept() -> None:
    """What is kept at the model's stop is what reaches it for whoever sees the most in favour."""
    records = draw_people(50, seed=5)

    found = _score(records)

    assert 0 < len(found) < len(_score(records, OPEN))
    assert found == _expect(records, PERSON)


@SLOW
@given(populations, st.randoms(use_true_random=False), st.integers(4, 20))
def test_order_repetition_and_batching_change_nothing(records: list[Record], random: Random, at_once: int) -> None:
    """The same records give the same pairs, however they come."""
    shuffled = [*records, *records[:2]]
    random.shuffle(shuffled)

    assert _score(shuffled, OPEN, engine=Engine(pairs_at_once=at_once)) == _score(records, OPEN)


@SLOW
@given(populations, populations)
def test_more_records_never_change_a_pair(records: list[Record], others: list[Record]) -> None:
    """A pair depends on its two records and the model alone (law 1)."""
    others = [replace(record, source="other") for record in others]

    before, after = _score(records), _score([*records, *others])

    known = {record.id for record in records}
    assert before == [pair for pair in after if pair.left in known and pair.right in known]


def test_a_common_key_is_never_too_common() -> None:
    """However many records share a value, each two of them are proposed."""
    said = {"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"]}

    assert len(_score(make_people([said] * 60))) == 60 * 59 // 2


def test_records_of_one_thing_are_not_paired() -> None:
    """Versions and facets of a record are one thing already."""
    said = {"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"]}
    records = [
        make_record(properties=said),
        make_record(properties=said, facet="b"),
        make_record("Person", "2", properties=said),
    ]

    pairs = _score(records)

    things = {record.id: record.thing for record in records}
    assert len(pairs) == 2
    assert all(things[pair.left] != things[pair.right] for pair in pairs)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Mirela Vosgan", "Мирела Восган"),
        ("Oleksandr Kovtsun", "Александр Ковцун"),
        ("Желязко Тумбев", "Jeliazko Toumbev"),
        ("سليم قذراوي", "Salim Qadhrawi"),
        ("Vosgan, Mirela", "Mirela VOSGAN"),
    ],
)
def test_one_person_in_two_scripts_is_found(left: str, right: str) -> None:
    """A name in another script, spelling or order, born the same day, is one person."""
    records = make_people(
        [{"name": [name], "birthDate": ["1991-04-07"], "gender": ["female"]} for name in (left, right)]
    )

    assert [_is_match(pair) for pair in _score(records)] == [True]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"]}, {"name": ["Dorin Vosgan"], "birthDate": ["1993-09-21"]}),
        ({"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"]}, {"name": ["Dorina Vosgan"], "birthDate": ["1993-09-21"]}),
        ({"name": ["Mirela Vosgan"], "birthDate": ["1991-04-07"]}, {"name": ["Mirela Vosgan"], "birthDate": ["1964-11-30"]}),
        ({"name": ["Mirela Vosgan"], "birthDate": ["1991"]}, {"name": ["Mirela Vosgan"], "birthDate": ["1991"]}),
        ({"name": ["Mirela Vosgan"], "phone": ["+40700000001"]}, {"name": ["Dorin Tumbev"], "phone": ["+40700000001"]}),
        ({"name": ["Mirela Vosgan"]}, {"name": ["Mirela Vosgan"]}),
    ],
)  # fmt: skip
def test_what_could_be_two_people_stays_two(left: dict[str, list[str]], right: dict[str, list[str]]) -> None:
    """Siblings, namesakes, years alone and a controller's phone do not merge anybody."""
    home = {"nationality": ["ro"], "gender": ["female"]}

    pairs = _score(make_people([left | home, right | home]))

    assert not any(_is_match(pair) for pair in pairs)


def test_twins_at_one_address_stay_two() -> None:
    """The same day, surname, sex, country and house are what twins share."""
    home = {
        "birthDate": ["1991-04-07"],
        "nationality": ["ro"],
        "gender": ["female"],
        "address": ["Strada Lunga 4, Strugeni"],
    }

    pairs = _score(make_people([{"name": ["Mirela Vosgan"]} | home, {"name": ["Oana Vosgan"]} | home]))

    assert not any(_is_match(pair) for pair in pairs)


def test_a_firm_in_two_registers_is_found() -> None:
    """A firm is one whatever its legal form is called, when its number agrees."""
    left = {"name": ["ООО «Плопис Транс»"], "registrationNumber": ["J401234"], "jurisdiction": ["ro"]}
    right = {"name": ["Plopis Trans S.R.L."], "registrationNumber": ["J401234"], "jurisdiction": ["ro"]}

    pairs = _score(
        [make_record("Company", "1", properties=left), make_record("Company", "2", properties=right)], ORGANIZATION
    )

    assert [_is_match(pair) for pair in pairs] == [True]
    assert [key.name for key in pairs[0].keys if key.is_equality] == ["a registration number"]


def test_scoring_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither Splink nor DuckDB writes to the terminal."""
    _score(draw_people(10, seed=6))

    assert capfd.readouterr() == ("", "")


def test_progress_ends_with_all_records() -> None:
    """Progress is told in records and reaches their number."""
    told: list[tuple[int, int]] = []
    records = draw_people(20, seed=7)
    engine = Engine(pairs_at_once=40)

    list(
        score_records(
            records, OPEN, recorded_at=NOW, engine=engine, progress=lambda done, all_: told.append((done, all_))
        )
    )

    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (20, 20)


def _is_match(pair: Pair) -> bool:
    """Whether somebody who sees everything holds the two records to be one thing."""
    return sum_weights(pair.prior, (found.weight for found in pair.evidence)) >= pair.stop
