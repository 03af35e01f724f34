"""Relabellings: what is lower, and what follows an assertion to its new label."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.label import Label
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.relabelling import Relabelling, is_lower, move_pairs
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
def test_less_strict_in_one_part_is_lower(parts: dict[str, object]) -> None:
    """A label is lower when a single part of it is less strict, be all others as they were or stricter."""
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
    lower: Label = replace(strict, **parts)  # type: ignore[arg-type]  # of the parts above each has its own type

    assert is_lower(lower, strict)
    assert is_lower(replace(lower, pap="RED", basis="assessment"), strict)


def test_stricter_is_not_lower() -> None:
    """A label with a stricter part and the others as they were is not lower, and neither is the same one."""
    label = make_label()

    assert not is_lower(label, label)
    assert not is_lower(replace(label, handling="H2", tlp="RED", category="victim", special=True), label)


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
