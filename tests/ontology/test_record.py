"""Records and links: what their ids stand for, and how times are kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.record import from_microseconds, make_thing, to_microseconds
from tests.factory import START, make_label, make_link, make_record

moments = st.datetimes(
    min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)  # fmt: skip


def test_the_same_content_has_the_same_id() -> None:
    """When it was read does not count, so importing twice adds nothing."""
    assert make_record(minute=0, sequence=1).id == make_record(minute=9, sequence=1).id


def test_a_place_makes_another_assertion() -> None:
    """Two lines that differ in a hidden value are two assertions, so two that do not are two as well."""
    assert make_record(sequence=1).id != make_record(sequence=2).id


def test_the_order_of_properties_does_not_count() -> None:
    """A source may write its columns in any order."""
    said = {"name": ["Ada Example"], "gender": ["female"]}

    assert make_record(properties=said).id == make_record(properties=dict(reversed(said.items()))).id


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "Organization"},
        {"source": "other"},
        {"source_key": "2"},
        {"facet": "marked"},
        {"label": make_label(tlp="RED")},
        {"capture": "d" * 64},
        {"properties": {"name": ("Ada Other",)}},
        {"extra": {"shoe": "40"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_other_content_has_another_id(change: dict[str, Any]) -> None:
    """What a source says anew, or under another label, is another assertion."""
    record = make_record()

    assert replace(record, **change).id != record.id


def test_versions_and_facets_share_their_thing() -> None:
    """A thing is a key of a source, whatever is said of it."""
    first = make_record(key="7")
    others = [
        make_record(key="7", properties={"name": ["Ada Other"]}, minute=5),
        make_record(key="7", facet="marked", label=make_label(tlp="RED")),
    ]

    assert {record.thing for record in others} == {first.thing} == {make_thing("src", "7")}
    assert make_thing("other", "7") != first.thing


def test_a_link_has_a_direction_and_an_id_from_its_content() -> None:
    """Turning a link round makes another one; reading it again does not."""
    left, right = make_record(key="1"), make_record(key="2")

    assert make_link(left, right, minute=0).id == make_link(left, right, minute=9).id
    assert make_link(left, right).id != make_link(right, left).id


@given(moments)
def test_times_come_back_to_the_microsecond(moment: datetime) -> None:
    """Storing a time loses nothing, before 1970 too."""
    assert from_microseconds(to_microseconds(moment)) == moment


@given(moments, moments)
def test_times_keep_their_order(left: datetime, right: datetime) -> None:
    """Stored times compare as the times do."""
    assert (left < right) == (to_microseconds(left) < to_microseconds(right))


def test_a_time_is_counted_from_1970() -> None:
    """The first of January 2026 is 1 767 225 600 s after the epoch, as date(1) gives it."""
    assert to_microseconds(START + timedelta(microseconds=7)) == 1_767_225_600_000_007
