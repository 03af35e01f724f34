"""Labels: reading them, their ids, and the laws of joining two."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ontology.errors import InvalidData
from ontology.label import BASES, CATEGORIES, HANDLINGS, PAPS, PURPOSES, TLPS, Label
from ontology.observer import Observer
from ontology.policy_file import default_policy
from tests.factory import make_label, make_observer


def _names(*names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(names)).map(lambda found: tuple(sorted(found)))


def test_one_label_has_one_lid() -> None:
    """In which order its lists were written, or how often, makes no other label, and what is not said is as if it were."""
    written = Label(release=("B", "A", "B"), purposes=("protection", "investigation"))
    told = Label.from_dict({"release": ["A", "B"], "purposes": ["investigation", "protection"]})

    assert (written, written.lid) == (told, told.lid)
    assert Label() == Label(purposes=tuple(reversed(Label().purposes)))


organisations = st.sampled_from(["", "X", "Y"])
labels = st.builds(
    Label,
    handling=st.sampled_from(HANDLINGS),
    handling_text=st.sampled_from(["", "ask first", "not in court"]),
    source_grade=st.sampled_from("ABCX"),
    information_grade=st.sampled_from("1234"),
    admiralty=st.sampled_from(["", "B2", "C3"]),
    tlp=st.sampled_from(TLPS),
    pap=st.sampled_from(PAPS),
    owner=organisations,
    release=_names("X", "Y", "Z"),
    cases=_names("A", "B", "C"),
    compartments=_names("S", "T"),
    purposes=_names(*PURPOSES),
    category=st.sampled_from(CATEGORIES),
    basis=st.sampled_from(BASES),
    special=st.booleans(),
    minor=st.sampled_from([True, False, None]),
    review_date=st.sampled_from(["", "2027-01-01", "2028-01-01"]),
    expiry_date=st.sampled_from(["", "2030-01-01"]),
    legal_hold=st.booleans(),
)
observers = st.builds(
    Observer,
    name=st.just("somebody"),
    organisation=organisations,
    tier=st.sampled_from(sorted(default_policy().tiers)),
    cases=_names("A", "B", "C"),
    orders=_names("A", "B", "C"),
    compartments=_names("S", "T"),
    purpose=st.sampled_from(PURPOSES),
)
SOMEBODY = make_observer(organisation="Z", cases=("A",))


def _admits(observer: Observer, label: Label) -> bool:
    return bool(default_policy().compile(observer, {label.lid: label}).allowed)


@given(labels, labels)
def test_joining_is_commutative(left: Label, right: Label) -> None:
    """It does not matter which part is named first."""
    assert left.join(right) == right.join(left)


@given(labels, labels, labels)
def test_joining_is_associative(first: Label, second: Label, third: Label) -> None:
    """It does not matter in which order parts are put together."""
    assert first.join(second).join(third) == first.join(second.join(third))


@given(labels, labels)
def test_joining_again_changes_nothing(left: Label, right: Label) -> None:
    """A label joined with itself, or with a part that it was made of, is itself."""
    joined = left.join(right)

    assert left.join(left) == left
    assert joined.join(left) == joined


@settings(max_examples=400)
@given(labels, labels, observers)
@example(make_label(tlp="AMBER", cases=("A",)), make_label(tlp="AMBER", cases=("B",)), SOMEBODY)
@example(make_label(tlp="AMBER", cases=("A",)), make_label(handling="H2"), SOMEBODY)
@example(
    make_label(compartments=("S",)), make_label(compartments=("T",)), make_observer("analyst", compartments=("S",))
)
@example(
    make_label(tlp="AMBER", owner="X"),
    make_label(tlp="GREEN"),
    make_observer("public", organisation="X", purpose="statistics"),
)
def test_joining_only_tightens(left: Label, right: Label, observer: Observer) -> None:
    """Whoever may have what was derived from two parts may have both of them."""
    left, right = (
        replace(label, purposes=tuple(sorted({*label.purposes, observer.purpose}))) for label in (left, right)
    )

    if _admits(observer, left.join(right)):
        assert _admits(observer, left)
        assert _admits(observer, right)


def test_two_cases_are_both_needed() -> None:
    """What came from two teams' files is for who is on both cases, and nobody else's guess."""
    joined = make_label(tlp="AMBER", cases=("A", "B")).join(make_label(tlp="AMBER", cases=("B", "C")))

    assert joined.cases == ("A & C", "B")
    assert _admits(make_observer(organisation="Z", cases=("B",)), joined)
    assert _admits(make_observer(organisation="Z", cases=("A", "C")), joined)
    assert not _admits(make_observer(organisation="Z", cases=("A",)), joined)


def test_the_strictest_of_each_part_is_taken() -> None:
    """A hand-worked join of two labels."""
    left = make_label(tlp="GREEN", handling="H1", release=("X", "Y"), category="suspect", minor=False)
    right = make_label(tlp="CLEAR", handling="H3", release=("Y", "Z"), owner="OTHER", special=True, minor=None)

    joined = left.join(right)

    assert (joined.tlp, joined.handling, joined.category) == ("GREEN", "H3", "suspect")
    assert (joined.release, joined.owner, joined.special, joined.minor) == (("Y",), "", True, None)


@given(labels, labels)
def test_labels_are_equal_where_their_lids_are(left: Label, right: Label) -> None:
    """A lid stands for all parts of a label, and fits a double exactly."""
    assert (left.lid == right.lid) == (left == right)
    assert 0 <= left.lid < 2**52


@given(labels.filter(lambda label: label.purposes))
def test_writing_and_reading_is_identity(label: Label) -> None:
    """A label survives its own dictionary."""
    assert Label.from_dict(label.to_dict()) == label


def test_what_is_not_said_is_strictest() -> None:
    """Somebody who says nothing of a file has said: ours alone, a victim, of unknown age and grade."""
    label = Label.from_dict({})

    assert (label.tlp, label.handling, label.pap, label.category) == ("RED", "H2", "RED", "victim")
    assert (label.source_grade, label.information_grade, label.basis) == ("X", "4", "assessment")
    assert (label.release, label.minor, label.owner) == ((), None, "")
    assert "statistics" not in label.purposes


def test_a_part_left_empty_is_a_part_not_said() -> None:
    """An empty value in YAML loosens nothing."""
    assert Label.from_dict({"tlp": None, "category": None, "minor": None}) == Label()


@pytest.mark.parametrize(
    ("said", "meant"), [("TLP:WHITE", "CLEAR"), ("tlp:amber+strict", "AMBER+STRICT"), ("red", "RED")]
)
def test_tlp_is_read_as_people_write_it(said: str, meant: str) -> None:
    """TLP 1.0's WHITE is TLP 2.0's CLEAR; prefix and case do not count."""
    assert Label.from_dict({"tlp": said}).tlp == meant


def test_days_are_read_as_yaml_gives_them() -> None:
    """A day is the same with and without quotes."""
    assert Label.from_dict({"review_date": date(2027, 1, 2)}) == Label.from_dict({"review_date": "2027-01-02"})


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"colour": "red"}, r"f\.yaml\.colour: expected one of handling, .*, found an unknown part"),
        ({"tlp": "PURPLE"}, r"f\.yaml\.tlp: expected one of CLEAR, .*, found another term"),
        ({"handling": "H9"}, r"f\.yaml\.handling: expected one of H0, H1, H2, H3"),
        ({"category": "client"}, r"f\.yaml\.category: expected one of none, other"),
        ({"purposes": ["gossip"]}, r"f\.yaml\.purposes: expected terms of prevention"),
        ({"release": "X"}, r"f\.yaml\.release: expected a list of texts such as \[A, B\], found text"),
        ({"cases": [["A"]]}, r"f\.yaml\.cases: expected a list of texts"),
        ({"cases": [True]}, r"f\.yaml\.cases: expected a list of texts"),
        ({"cases": ["A", " "]}, r"f\.yaml\.cases: expected names, found an empty one"),
        ({"release": [""]}, r"f\.yaml\.release: expected names, found an empty one"),
        ({"cases": ["A & B"]}, r"f\.yaml\.cases: expected names without the sign"),
        ({"compartments": ["& B"]}, r"f\.yaml\.compartments: expected names without the sign"),
        ({"purposes": []}, r"f\.yaml\.purposes: expected at least one purpose, found none"),
        ({"owner": {"name": "X"}}, r"f\.yaml\.owner: expected text, found mapping"),
        ({"handling_text": ["a"]}, r"f\.yaml\.handling_text: expected text, found list"),
        ({"owner": True}, r"f\.yaml\.owner: expected text, found true or false"),
        ({"expiry_date": "01/02/2027"}, r"f\.yaml\.expiry_date: expected a day as YYYY-MM-DD"),
        ({"expiry_date": "2027-02-30"}, r"f\.yaml\.expiry_date: expected a day as YYYY-MM-DD"),
        ({"expiry_date": "20270201"}, r"f\.yaml\.expiry_date: expected a day as YYYY-MM-DD"),
        ({"review_date": 2027}, r"f\.yaml\.review_date: expected a day as YYYY-MM-DD"),
        ({"review_date": datetime(2027, 1, 1)}, r"f\.yaml\.review_date: expected a day as YYYY-MM-DD"),
        ({"special": "no"}, r"f\.yaml\.special: expected true or false, found text"),
        ({"minor": "perhaps"}, r"f\.yaml\.minor: expected true or false, found text"),
        ({"classification": "SECRET UE"}, r"f\.yaml\.classification: expected unclassified material"),
    ],
)
def test_a_faulty_part_is_named(said: dict[str, Any], message: str) -> None:
    """The error says which file and part to mend, and what could stand there."""
    with pytest.raises(InvalidData, match=message):
        Label.from_dict(said, path="f.yaml")


def test_a_source_marking_changes_only_what_it_says() -> None:
    """A record's own marking goes over that of its file."""
    label = make_label(tlp="RED", owner="X")

    assert label.to_filled({"tlp": "GREEN"}) == replace(label, tlp="GREEN")
    assert label.to_filled({}) is label
