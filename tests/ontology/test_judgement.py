"""Judgements: one pair whichever way round, an id from the content."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.judgement import Judgement, Verdict, judge
from tests.factory import START, make_label

ONE, OTHER = "1" * 32, "2" * 32


def make_judgement(things: tuple[str, str] = (ONE, OTHER)) -> Judgement:
    """Return a judgement on two things."""
    return judge(things, Verdict.NEGATIVE, by="ada", reason="other scars", label=make_label(), recorded_at=START)


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_order_of_things_does_not_count(one: str, other: str) -> None:
    """Two things judged in either order give the same judgement, the lesser at its left."""
    if one == other:
        return
    judgement = make_judgement((one, other))

    assert judgement == make_judgement((other, one))
    assert judgement.left < judgement.right
    assert {judgement.left, judgement.right} == {one, other}


def test_a_thing_is_not_judged_against_itself() -> None:
    """One thing given twice is refused."""
    with pytest.raises(ValueError, match="expected two things"):
        make_judgement((ONE, ONE))


def test_the_id_is_of_the_whole_content() -> None:
    """Whatever differs between two judgements, their ids do."""
    judgement = make_judgement()
    others = [
        replace(judgement, left="0" * 32),
        replace(judgement, right="3" * 32),
        replace(judgement, verdict=Verdict.WITHDRAWN),
        replace(judgement, by="bea"),
        replace(judgement, reason=""),
        replace(judgement, label=make_label(tlp="RED")),
        replace(judgement, recorded_at=START + timedelta(microseconds=1)),
    ]

    assert len({judgement.id, *(other.id for other in others)}) == len(others) + 1
    assert judgement.id == make_judgement().id
    assert judgement.lid == make_label().lid
