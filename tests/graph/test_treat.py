"""Treating: what one observer is shown of a record."""

from collections.abc import Iterable

import pytest

from graph.handle import Handles
from graph.shown import ShownRecord
from graph.treat import Treater
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import BlockingKey, Evidence
from ontology.policy import Treatment
from ontology.policy_file import default_policy
from ontology.record import Record
from ontology.schema import default_ontology
from tests.factory import SECRET, make_label, make_link, make_observer, make_record

SUSPECT = make_label(category="suspect", owner="POLICE", cases=("A",))
VICTIM = make_label(category="victim", owner="HOME", cases=("A",))
PERSON = {
    "name": ["Ada Example", "A. Example"],
    "birthDate": ["1980-01-02"],
    "phone": ["+40712345678"],
    "shelterAddress": ["Hidden Street 1"],
    "notes": ["a remark"],
}
NAME = BlockingKey("name", ("name",), is_equality=False)
BIRTH_DATE = BlockingKey("birth date", ("birthDate",), is_equality=True)
WHOLE_NAME = BlockingKey("whole name", ("name",), is_equality=True)
EVIDENCE = Evidence("name", ("name",), 9.0, 5.0, "rare and alike")


def _treater(observer: Observer, labels: Iterable[Label]) -> Treater:
    clearance = default_policy().compile(observer, {label.lid: label for label in labels})
    return Treater(default_ontology(), clearance, Handles(SECRET, observer.organisation))


def _show(record: Record, observer: Observer) -> ShownRecord:
    return _treater(observer, [record.label]).show_record([record])


def test_an_investigator_of_the_case_sees_a_suspect_in_clear() -> None:
    """All that the policy gives on an own case, in the source's order; never the shelter."""
    shown = _show(make_record(label=SUSPECT, properties=PERSON), make_observer(organisation="X", cases=("A",)))

    assert shown.values == {name: tuple(values) for name, values in PERSON.items() if name != "shelterAddress"}
    assert shown.caption == "Ada Example"
    assert set(shown.facets[0].treatments.values()) == {Treatment.CLEAR}


def test_an_analyst_sees_pseudonyms_and_years() -> None:
    """Names by pseudonym, in an order that does not tell the source's; the birth date by its year."""
    shown = _show(make_record(label=VICTIM, properties=PERSON), make_observer("analyst", organisation="LAB"))

    assert set(shown.values) == {"name", "birthDate"}
    assert list(shown.values["name"]) == sorted(shown.values["name"])
    assert all(name.startswith("P-") for name in shown.values["name"])
    assert shown.values["birthDate"] == ("1980",)
    assert shown.facets[0].treatments == {"name": Treatment.PSEUDONYM, "birthDate": Treatment.GENERALISE}
    assert shown.caption == shown.values["name"][0]


def test_the_order_of_hidden_values_does_not_show() -> None:
    """Two records that differ in the order of pseudonymised values look the same."""
    turned = PERSON | {"name": PERSON["name"][::-1]}
    analyst = make_observer("analyst", organisation="LAB")

    shown = [_show(make_record(label=VICTIM, properties=said), analyst) for said in (PERSON, turned)]

    assert shown[0] == shown[1]


def test_the_shelter_sees_its_own_client() -> None:
    """The protecting organisation has the protective place; another one does not see that there is one."""
    record = make_record(label=VICTIM, properties=PERSON)

    assert _show(record, make_observer("ngo", organisation="HOME")).values["shelterAddress"] == ("Hidden Street 1",)
    assert _show(record, make_observer("ngo", organisation="OTHER")).values == {}


def test_what_has_no_place_in_the_ontology_is_never_shown() -> None:
    """What a source said besides stays in the store."""
    record = make_record(properties={"name": ["Ada Example"], "unheardOf": ["a secret"]})

    assert "a secret" not in str(_show(record, make_observer()))


def test_without_a_name_the_caption_says_what_it_is() -> None:
    """A thing whose names are hidden is called by its schema's label."""
    shown = _show(make_record(label=VICTIM, properties=PERSON), make_observer("ngo", organisation="OTHER"))

    assert shown.caption == "Person"


@pytest.mark.parametrize(
    ("observer", "source"),
    [
        (make_observer(organisation="POLICE"), "src"),
        (make_observer("analyst", organisation="LAB"), "P-"),
        (make_observer("public", organisation=""), None),
    ],
    ids=lambda part: getattr(part, "tier", ""),
)
def test_provenance_goes_by_the_class_of_sources(observer: Observer, source: str | None) -> None:
    """Who said so in clear, by pseudonym or not at all; the fingerprint of the file to nobody."""
    provenance = _show(make_record(label=SUSPECT), observer).facets[0].provenance

    assert (provenance.source or "none").startswith(source or "none")
    assert provenance.capture is None
    assert (provenance.handling is None) == (observer.tier == "public")


def test_links_are_treated_like_records() -> None:
    """A value of a link follows the policy under the link's own label."""
    left, right = make_record(key="1"), make_record(key="2")
    link = make_link(left, right, "Family", label=SUSPECT, properties={"relationship": ["mother"]})

    shown = [
        _treater(make_observer(tier, organisation="X"), [SUSPECT]).show_link(link) for tier in ("investigator", "ngo")
    ]

    assert [view.values for view in shown] == [{"relationship": ("mother",)}, {}]


def test_markers_do_not_follow_values() -> None:
    """What is marked as withheld is the same for a full record and an empty one under one label."""
    analyst = make_observer("analyst", organisation="LAB")
    full, empty = (_show(make_record(label=VICTIM, properties=said), analyst) for said in (PERSON, {}))

    assert full.redactions == empty.redactions
    assert {r.field_class for r in full.redactions} >= {"identity", "birth_date", "notes", "source"}
    assert "shelter" not in {r.field_class for r in full.redactions}
    assert {r.contact for r in full.redactions} == {"the organisation that protects this person"}


def test_only_clear_values_can_be_searched() -> None:
    """A pseudonym, a year or a hidden value is nothing that a search may match."""
    record = make_record(label=SUSPECT, properties=PERSON)

    assert _treater(make_observer("analyst"), [SUSPECT]).clear_values(record) == {}
    found = _treater(make_observer(organisation="X"), [SUSPECT]).clear_values(record)
    assert found == {"phone": ("+40712345678",)}


def test_a_weight_counts_at_the_level_that_is_seen() -> None:
    """The whole weight in clear, that of equality by pseudonym, nothing across or when hidden."""
    left, right = (make_record(key=key, label=SUSPECT, properties=PERSON) for key in "12")
    known = make_record(key="3", properties=PERSON)
    clear = _treater(make_observer(cases=("A",)), [SUSPECT])
    blind = _treater(make_observer("analyst"), [SUSPECT, known.label])
    hidden = _treater(make_observer("public"), [SUSPECT])

    assert (clear.weight(left, right, EVIDENCE), clear.level(left, right, EVIDENCE)) == (9.0, "rare and alike")
    assert (blind.weight(left, right, EVIDENCE), blind.level(left, right, EVIDENCE)) == (5.0, "equal")
    assert blind.weight(left, known, EVIDENCE) is None
    assert hidden.weight(left, right, EVIDENCE) is None


def test_a_level_that_weighs_as_much_as_equality_is_not_told() -> None:
    """To who sees pseudonyms, two levels of unequal values look alike."""
    left, right = (make_record(key=key, label=SUSPECT, properties=PERSON) for key in "12")
    blind = _treater(make_observer("analyst"), [SUSPECT])
    levels = [Evidence("name", ("name",), weight, -4.0, level) for weight, level in ((-4.0, "far"), (2.0, "near"))]

    assert [blind.level(left, right, evidence) for evidence in levels] == ["not equal", "not equal"]


@pytest.mark.parametrize(
    ("key", "by_analyst", "by_investigator"),
    [(NAME, False, True), (WHOLE_NAME, True, True), (BIRTH_DATE, False, True)],
    ids=lambda key: getattr(key, "name", ""),
)
def test_a_pair_is_proposed_by_a_key_that_can_be_computed(
    key: BlockingKey, by_analyst: bool, by_investigator: bool
) -> None:
    """Pseudonyms serve a key of equality, years serve none."""
    left, right = (make_record(key=number, label=SUSPECT, properties=PERSON) for number in "12")

    assert _treater(make_observer("analyst"), [SUSPECT]).is_proposed(left, right, [key]) == by_analyst
    assert _treater(make_observer(cases=("A",)), [SUSPECT]).is_proposed(left, right, [key]) == by_investigator


def test_an_identifying_key_needs_to_be_seen() -> None:
    """A number in clear and by pseudonym give unlike keys, a hidden one none."""
    phones = [make_record("Phone", key, label=label, properties={"number": ["+40712345678"]}) for key, label in
              (("1", make_label()), ("2", SUSPECT), ("3", VICTIM))]  # fmt: skip
    treater = _treater(make_observer("analyst"), [phone.label for phone in phones])

    clear, pseudonym, hidden = (treater.comparable_key(phone) for phone in phones)

    assert clear is not None
    assert pseudonym is not None
    assert clear != pseudonym
    assert hidden is None
