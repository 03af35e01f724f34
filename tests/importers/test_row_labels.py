"""Label columns: what they say of one entity of a row holds for all that the row gives."""

import csv
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.assembly import Item
from importers.mapping import make_mapping
from ontology.errors import InvalidData
from ontology.label import CATEGORIES, HANDLINGS, TLPS, Label
from ontology.observer import Observer
from ontology.policy_file import default_policy
from ontology.record import Link, Record
from tests.factory import make_observer
from tests.importers.samples import LABEL, links, read, records, rejections

COLUMNS = {
    "tlp": "tlp",
    "handling": "handling",
    "handling_text": "terms",
    "category": "category",
    "cases": "cases",
    "release": "release",
    "admiralty": "grade",
}
GUARDED = {
    "tlp": "AMBER",
    "handling": "H2",
    "terms": "not in court; ask first",
    "category": "victim",
    "cases": "C1",
    "release": "Z",
    "grade": "B2",
}
ROW = {"id": "7", "name": "Mara Invented", "phone": "+40 721 234 567", "ad": "", "title": "", "ad_tlp": "", **GUARDED}
PERSON: dict[str, Any] = {
    "schema": "Person",
    "keys": ["id"],
    "properties": {"name": {"column": "name", "required": True}},
}
PHONE: dict[str, Any] = {"schema": "Phone", "keys": ["phone"], "properties": {"number": {"column": "phone"}}}
AD: dict[str, Any] = {
    "schema": "Advertisement",
    "keys": ["ad"],
    "properties": {"title": {"column": "title", "extract": ["email"]}},
}
CONTACT: dict[str, Any] = {"schema": "Contact", "left": "phone", "right": "person"}
MENTION: dict[str, Any] = {"schema": "Mentions", "left": "ad", "right": "phone"}
LABELLED: dict[str, Any] = {"label_columns": COLUMNS}


def make_row_mapping(
    *,
    person: Mapping[str, Any] = LABELLED,
    phone: Mapping[str, Any] = MappingProxyType({}),
    ad: Mapping[str, Any] = MappingProxyType({}),
    contact: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return a mapping of a phone, a person and an advert, with these keys added to each."""
    entities = {"phone": {**PHONE, **phone}, "person": {**PERSON, **person}, "ad": {**AD, **ad}}
    return {"entities": entities, "links": [{**CONTACT, **contact}, MENTION]}


def read_row(mapping: dict[str, Any], row: Mapping[str, str] = ROW, **parts: Any) -> list[Item]:
    """Return what a table of this one row yields."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), text.getvalue(), mapping, **parts)


def find_labels(items: list[Item]) -> dict[str, Label]:
    """Return the labels of what was made, by schema."""
    return {item.schema: item.label for item in items if isinstance(item, Record | Link)}


def _admits(observer: Observer, label: Label) -> bool:
    return bool(default_policy().compile(observer, {label.lid: label}).allowed)


def _leaks(observer: Observer, label: Label, guarded: Label) -> bool:
    return _admits(observer, label) and not _admits(observer, guarded)


def _names(*names: str) -> st.SearchStrategy[str]:
    return st.sets(st.sampled_from(names)).map(lambda found: "; ".join(sorted(found)))


cells = st.fixed_dictionaries(
    {
        "tlp": st.sampled_from(["", "PURPLE", *TLPS]),
        "handling": st.sampled_from(["", *HANDLINGS]),
        "terms": st.sampled_from(["", "not in court; ask first"]),
        "category": st.sampled_from(["", *CATEGORIES]),
        "cases": _names("C1", "C2"),
        "release": _names("X", "Y"),
        "grade": st.sampled_from(["", "B2"]),
        "ad": st.sampled_from(["", "1"]),
        "title": st.just("write to mara@harvest.example"),
        "ad_tlp": st.sampled_from(["", *TLPS]),
    }
)
own_parts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "tlp": st.sampled_from(TLPS),
        "handling": st.sampled_from(HANDLINGS),
        "category": st.sampled_from(CATEGORIES),
        "cases": st.just(["C2"]),
    },
)
schema_labels = st.dictionaries(
    st.sampled_from(["Thing", "Person", "Phone", "Email", "Advertisement", "Contact", "Mentions"]), own_parts
)
observers = st.builds(
    make_observer,
    st.sampled_from(sorted(default_policy().tiers)),
    organisation=st.sampled_from(["X", "Y", "Blue Harbour", "Z"]),
    cases=st.sets(st.sampled_from(["C1", "C2"])).map(lambda found: tuple(sorted(found))),
    purpose=st.sampled_from(["investigation", "protection"]),
)


@settings(max_examples=200)
@given(cells, schema_labels, st.booleans(), st.lists(observers, min_size=1, max_size=8))
def test_nothing_of_a_row_is_shown_more_widely(
    said: dict[str, str], parts: dict[str, Any], two: bool, watchers: list[Observer]
) -> None:
    """Whoever may have a thing or link of a row may have each entity of it that has label columns."""
    mapping = make_row_mapping(ad={"label_columns": {"tlp": "ad_tlp"}} if two else {})
    items = read_row(mapping, ROW | said, schema_labels=parts)
    labels = find_labels(items)
    guarded = [labels[name] for name in ("Person", "Advertisement") if name in labels and (two or name == "Person")]

    if said["tlp"] == "PURPLE":
        assert set(labels) <= ({"Advertisement", "Email", "Mentions"} if two else set())
        return
    for schema in labels.keys() & {"Phone", "Contact"}:
        assert not [w for w in watchers for label in guarded if _leaks(w, labels[schema], label)]
    mentioned = [record.label for record in records(items, "Email")] + [link.label for link in links(items, "Mentions")]
    assert not [w for w in watchers for label in mentioned if _leaks(w, label, labels["Advertisement"])]


@settings(max_examples=100)
@given(cells, st.sampled_from([{}, {"Thing": {"handling": "H1"}}]))
def test_one_labelled_entity_gives_the_row_its_label(said: dict[str, str], parts: dict[str, Any]) -> None:
    """The others, what their texts mention and the links have exactly the label of the one with label columns."""
    labels = find_labels(read_row(make_row_mapping(), ROW | said, schema_labels=parts))

    assert "Person" in labels or not labels
    assert len(set(labels.values())) <= 1


def test_a_guarded_row_is_guarded_as_a_whole() -> None:
    """The number of a victim is the case's and nobody else's, as her name is."""
    labels = find_labels(read_row(make_row_mapping()))
    investigator = make_observer(organisation="Z", cases=("C1",))
    anybody = make_observer("analyst", organisation="Y")

    assert set(labels) == {"Person", "Phone", "Contact"}
    for label in labels.values():
        assert (label.tlp, label.handling, label.category, label.cases) == ("AMBER", "H2", "victim", ("C1",))
        assert (label.handling_text, label.admiralty) == ("not in court; ask first", "B2")
        assert (_admits(investigator, label), _admits(anybody, label)) == (True, False)


def test_two_labelled_entities_are_joined() -> None:
    """The phone has the strictest of each part, a link that of its two ends, a mention that of its text."""
    row = ROW | {"ad": "1", "title": "write to mara@harvest.example", "ad_tlp": "RED", "handling": "H3"}
    labels = find_labels(read_row(make_row_mapping(ad={"label_columns": {"tlp": "ad_tlp"}}), row))

    assert (labels["Person"].tlp, labels["Person"].handling) == ("AMBER", "H3")
    assert (labels["Advertisement"].tlp, labels["Advertisement"].handling) == ("RED", "H0")
    assert (labels["Phone"].tlp, labels["Phone"].handling, labels["Phone"].category) == ("RED", "H3", "victim")
    assert labels["Phone"] == labels["Person"].join(labels["Advertisement"])
    assert labels["Email"] == labels["Advertisement"]
    assert labels["Contact"] == labels["Phone"]


def test_without_label_columns_the_file_says_it() -> None:
    """Parts that an entity says of itself hold for it alone, as they do for all that have no row to go by."""
    labels = find_labels(read_row(make_row_mapping(person={"label": {"category": "victim"}})))

    assert labels["Person"].category == "victim"
    assert (labels["Phone"], labels["Contact"]) == (LABEL, LABEL)


def test_own_parts_stand_above_the_rows() -> None:
    """What an entity or a link says of its label in the mapping is put into what it takes."""
    mapping = make_row_mapping(phone={"label": {"category": "other"}}, contact={"label": {"pap": "RED"}})
    labels = find_labels(read_row(mapping))

    assert (labels["Phone"].category, labels["Phone"].tlp, labels["Phone"].cases) == ("other", "AMBER", ("C1",))
    assert (labels["Contact"].category, labels["Contact"].pap) == ("victim", "RED")


def test_the_label_of_the_file_can_be_kept() -> None:
    """`label: file` is a decision that somebody wrote down, for an entity or a link."""
    labels = find_labels(read_row(make_row_mapping(phone={"label": "file"}, contact={"label": "file"})))

    assert (labels["Phone"], labels["Contact"]) == (LABEL, LABEL)
    assert find_labels(read_row(make_row_mapping(phone={"label": "file"})))["Contact"] == labels["Person"].join(LABEL)


@pytest.mark.parametrize("label", [{"label": "file"} | LABELLED, {"label": "row"}])
def test_a_label_that_cannot_be_is_named(label: dict[str, Any]) -> None:
    """The file's label beside label columns, and another word, are faults of the mapping."""
    with pytest.raises(InvalidData, match=r"entities\.phone\.label"):
        make_mapping(make_row_mapping(phone=label), "map.yaml")


def test_parts_for_a_schema_only_tighten() -> None:
    """Of what the label file says of phones the stricter counts, beside the row."""
    parts = {"Phone": {"tlp": "RED", "handling": "H0", "category": "none"}}
    labels = find_labels(read_row(make_row_mapping(), schema_labels=parts))

    assert (labels["Phone"].tlp, labels["Phone"].handling, labels["Phone"].category) == ("RED", "H2", "victim")
    assert labels["Contact"] == labels["Phone"]


def test_a_wrong_label_cell_leaves_out_what_takes_it() -> None:
    """Nothing comes in under the label of the file in its stead, and each thing left out is said."""
    items = read_row(make_row_mapping(), ROW | {"tlp": "PURPLE"})

    assert (records(items), links(items)) == ([], [])
    assert [r.where for r in rejections(items)] == ["line 2.phone", "line 2.label.tlp"]
    assert "PURPLE" not in str(items)


@pytest.mark.parametrize("left_out", [{"name": ""}, {"id": ""}])
def test_the_label_counts_without_its_entity(left_out: dict[str, str]) -> None:
    """A row whose person is faulty or missing keeps the number as its columns say."""
    label = find_labels(read_row(make_row_mapping()))["Person"]

    assert find_labels(read_row(make_row_mapping(), ROW | left_out)) == {"Phone": label}


def test_a_missing_entity_without_a_label_says_nothing() -> None:
    """The advert that a row does not have makes nothing of it stricter; blank cells leave the file's label."""
    mapping = make_row_mapping(ad={"label_columns": {"tlp": "ad_tlp"}})
    labels = find_labels(read_row(mapping))
    blank = find_labels(read_row(make_row_mapping(), ROW | dict.fromkeys(GUARDED, "")))

    assert labels["Phone"] == labels["Person"]
    assert set(blank.values()) == {LABEL}


def test_a_person_is_never_nobody() -> None:
    """A person who takes the label of an advert with no natural person in it is taken for a victim."""
    ad = {"label": {"category": "none"}, "label_columns": {"tlp": "ad_tlp"}}
    labels = find_labels(read_row(make_row_mapping(person={}, ad=ad), ROW | {"ad": "1", "title": "Work"}))

    assert (labels["Advertisement"].category, labels["Phone"].category) == ("none", "none")
    assert (labels["Person"].category, labels["Contact"].category) == ("victim", "victim")
