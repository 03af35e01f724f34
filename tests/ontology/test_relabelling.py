"""Relabellings: what only shuts, and what follows an assertion to its new label."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.label import Label
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.relabelling import Relabelling, is_stricter, move_pairs
from tests.factory import START, make_label

PROPOSAL = Relabelling("a" * 32, "b" * 32, make_label(), "reviewed", "ada", START)
PAIR = Pair(
    left="1",
    right="3",
    model="person-1",
    prior=-9.5,
    stop=6.25,
    keys=(BlockingKey("same name", ("name",), is_equality=True),),
    evidence=(Evidence("name", ("name",), 7.5, 5.5, "equal"),),
    recorded_at=START,
)


@pytest.mark.parametrize(
    "parts",
    [
        {"handling": "H0"},
        {"tlp": "GREEN"},
        {"category": "suspect"},
        {"category": "witness"},
        {"owner": ""},
        {"release": ("A", "B")},
        {"cases": ("X", "Y")},
        {"cases": ()},
        {"compartments": ()},
        {"purposes": ("investigation", "prosecution")},
        {"minor": False},
        {"special": False},
        {"owner": "OTHER"},
        {"legal_hold": False},
    ],
)
def test_a_part_that_is_less_strict_or_may_open_is_not_stricter(parts: dict[str, object]) -> None:
    """A single part suffices, be all others as they were or stricter."""
    strict = Label(
        handling="H1",
        tlp="AMBER",
        category="victim",
        owner="ORG",
        release=("A",),
        cases=("X",),
        compartments=("S",),
        purposes=("investigation",),
        minor=None,
        special=True,
        legal_hold=True,
    )
    other: Label = replace(strict, **parts)  # type: ignore[arg-type]  # of the parts above each has its own type

    assert not is_stricter(other, strict)
    assert not is_stricter(replace(other, source_grade="X", pap="RED"), strict)


@pytest.mark.parametrize("part", ["cases", "compartments"])
def test_a_first_case_opens_to_who_is_on_it(part: str) -> None:
    """What is under no case is shut to whom a case would open it."""
    assert not is_stricter(replace(make_label(), **{part: ("X",)}), make_label())  # type: ignore[arg-type]


def test_less_sharing_is_stricter() -> None:
    """TLP, handling code, PAP, release list, purposes and the special mark only ever shut."""
    label = make_label(release=("A", "B"))

    assert is_stricter(label, label)
    assert is_stricter(
        replace(label, handling="H2", tlp="RED", pap="RED", release=("A",), purposes=("protection",), special=True),
        label,
    )


def test_approval_keeps_the_id() -> None:
    """A proposal is the same one before and after its approval, and is approved when it says by whom and when."""
    half = replace(PROPOSAL, approved_by="bea")
    approved = replace(half, approved_at=START + timedelta(hours=1))

    assert PROPOSAL.id == approved.id
    assert [r.is_approved for r in (PROPOSAL, half, approved)] == [False, False, True]
    assert replace(PROPOSAL, label=make_label(tlp="RED")).id != PROPOSAL.id


@given(st.sampled_from(["1", "3"]), st.sampled_from(["0", "2", "4"]))
def test_a_moved_pair_says_the_same(old: str, new: str) -> None:
    """The successor's pair has the other end and everything that was found, with the lesser id at its left."""
    [moved] = move_pairs([PAIR], old, new)

    assert {moved.left, moved.right} == {"1", "3", new} - {old}
    assert moved.left < moved.right
    assert replace(moved, left="1", right="3") == PAIR


def test_a_record_is_not_paired_with_itself() -> None:
    """The pair of a record with what becomes its successor is left out."""
    assert list(move_pairs([PAIR], "1", "3")) == []
