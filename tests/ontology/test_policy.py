"""The policy that ships, cell by cell, and what it gives one observer."""

from typing import Any

import pytest

from ontology.label import CATEGORIES, Label
from ontology.observer import SYSTEM, Observer
from ontology.policy import Clearance, Right, Treatment
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.factory import make_label, make_observer

OWNER = "HOME"
CASE = "A"
TIERS = ("public", "private", "ngo", "liaison", "analyst", "investigator", "magistrate", "auditor", "operator")

# Hand-written from the table of treatments that access control was designed by: the tiers as above, each of an
# organisation that neither owns the record nor has it released, on none of its cases and with no order.
#   C clear, M mask, G generalise, P pseudonym, N count, - absent; a grain is written out
OUTSIDERS = {
    ("identity", "victim"): "- - - - P P - - -",
    ("identity", "suspect"): "- - - - P P - - -",
    ("identity", "convicted"): "- - - - P P - - -",
    ("identity", "other"): "- - - - P P - - -",
    ("identity", "none"): "- - C C C C C - -",
    ("contact", "victim"): "- - - - - - - - -",
    ("contact", "suspect"): "- - - - P C - - -",
    ("contact", "convicted"): "- - - - P C - - -",
    ("contact", "other"): "- - - - P C - - -",
    ("contact", "none"): "C C C C C C C - -",
    ("address", "victim"): "- - - - - - - - -",
    ("address", "suspect"): "- - - - G G - - -",
    ("shelter", "victim"): "- - - - - - - - -",
    ("shelter", "none"): "- - - - - - - - -",
    ("birth_date", "victim"): "- - - decade year year - - -",
    ("birth_date", "suspect"): "- - - decade year year - - -",
    ("special", "victim"): "- - - - N N - - -",
    ("special", "suspect"): "- - - - N N - - -",
    ("profile", "victim"): "N - - G G G - - -",
    ("profile", "suspect"): "- - - G C C - - -",
    ("advert", "victim"): "- - M - M C - - -",
    ("advert", "suspect"): "- - M - M C - - -",
    ("advert", "other"): "- - M - M C - - -",
    ("place", "victim"): "N - G G G G - - -",
    ("place", "suspect"): "N - G G G G - - -",
    ("notes", "victim"): "- - - - - - - - -",
    ("notes", "suspect"): "- - - - - - - - -",
    ("source", "victim"): "- - - P P P - P -",
    ("source", "suspect"): "- - - P P P - P -",
    ("source", "none"): "C C C C C C C P -",
    ("handling", "victim"): "- C C C C C C C -",
    ("handling", "suspect"): "- C C C C C C C -",
    ("event_time", "victim"): "N month month day week C C - -",
    ("event_time", "suspect"): "N month month day week C C - -",
    ("event_time", "none"): "year month C C C C C - -",
    ("raw", "none"): "- - - - - - - - -",
}
WITNESS_CLASSES = sorted(default_policy().classes.keys() - {"handling", "shelter"})

# What the rights named add to that: tier, what they have, field class, category, treatment.
INSIDERS = [
    ("private", "owner", "contact", "suspect", "C"),
    ("private", "owner", "advert", "suspect", "C"),
    ("private", "owner", "contact", "victim", "-"),
    ("private", "owner", "identity", "suspect", "-"),
    ("private", "owner", "place", "victim", "-"),
    ("private", "owner", "notes", "suspect", "-"),
    ("ngo", "owner", "identity", "victim", "C"),
    ("ngo", "owner", "contact", "victim", "C"),
    ("ngo", "owner", "address", "victim", "C"),
    ("ngo", "owner", "shelter", "victim", "C"),
    ("ngo", "owner", "birth_date", "victim", "C"),
    ("ngo", "owner", "special", "victim", "C"),
    ("ngo", "owner", "profile", "victim", "C"),
    ("ngo", "owner", "notes", "victim", "C"),
    ("ngo", "owner", "identity", "suspect", "-"),
    ("ngo", "owner", "contact", "suspect", "-"),
    ("ngo", "owner", "advert", "victim", "M"),
    ("ngo", "owner", "identity", "witness", "-"),
    ("ngo", "released", "identity", "victim", "-"),
    ("liaison", "released", "identity", "victim", "C"),
    ("liaison", "released", "identity", "suspect", "C"),
    ("liaison", "released", "contact", "suspect", "C"),
    ("liaison", "released", "contact", "victim", "-"),
    ("liaison", "released", "address", "victim", "-"),
    ("liaison", "released", "birth_date", "victim", "decade"),
    ("liaison", "released", "special", "victim", "C"),
    ("liaison", "released", "profile", "victim", "G"),
    ("liaison", "released", "advert", "victim", "C"),
    ("liaison", "released", "place", "victim", "G"),
    ("liaison", "released", "notes", "victim", "-"),
    ("liaison", "released", "source", "victim", "P"),
    ("liaison", "released", "event_time", "victim", "day"),
    ("analyst", "owner case order released", "identity", "victim", "P"),
    ("analyst", "owner case order released", "contact", "victim", "-"),
    ("analyst", "owner case order released", "special", "victim", "N"),
    ("analyst", "owner case order released", "notes", "victim", "-"),
    ("analyst", "owner case order released", "source", "victim", "P"),
    ("investigator", "case", "identity", "victim", "C"),
    ("investigator", "case", "contact", "victim", "C"),
    ("investigator", "case", "address", "victim", "C"),
    ("investigator", "case", "birth_date", "victim", "C"),
    ("investigator", "case", "special", "victim", "C"),
    ("investigator", "case", "profile", "victim", "C"),
    ("investigator", "case", "identity", "suspect", "C"),
    ("investigator", "case", "place", "victim", "C"),
    ("investigator", "case", "notes", "suspect", "C"),
    ("investigator", "case", "source", "suspect", "P"),
    ("investigator", "owner", "source", "suspect", "C"),
    ("investigator", "owner", "identity", "suspect", "P"),
    ("investigator", "owner no-case", "identity", "suspect", "C"),
    ("investigator", "owner no-case", "notes", "suspect", "C"),
    ("investigator", "owner no-case", "identity", "victim", "P"),
    ("investigator", "owner case", "identity", "witness", "-"),
    ("investigator", "owner team", "identity", "witness", "C"),
    ("investigator", "team", "identity", "witness", "-"),
    ("magistrate", "case", "identity", "victim", "C"),
    ("magistrate", "case", "contact", "victim", "M"),
    ("magistrate", "order", "contact", "victim", "C"),
    ("magistrate", "case", "address", "victim", "G"),
    ("magistrate", "order", "address", "victim", "C"),
    ("magistrate", "order", "shelter", "victim", "C"),
    ("magistrate", "case", "shelter", "victim", "-"),
    ("magistrate", "case", "birth_date", "victim", "C"),
    ("magistrate", "case", "special", "victim", "C"),
    ("magistrate", "case", "profile", "victim", "C"),
    ("magistrate", "case", "identity", "suspect", "C"),
    ("magistrate", "case", "contact", "suspect", "C"),
    ("magistrate", "case", "advert", "suspect", "C"),
    ("magistrate", "case", "place", "victim", "C"),
    ("magistrate", "case", "notes", "victim", "C"),
    ("magistrate", "case", "source", "victim", "C"),
    ("magistrate", "case", "identity", "witness", "-"),
    ("magistrate", "order", "identity", "witness", "C"),
    ("auditor", "owner case order released team", "identity", "none", "-"),
    ("operator", "owner case order released team", "handling", "none", "-"),
]  # fmt: skip
SYMBOLS = {"clear": "C", "mask": "M", "generalise": "G", "pseudonym": "P", "count": "N", "absent": "-"}


def _compile(observer: Observer, *labels: Label) -> Clearance:
    return default_policy().compile(observer, {label.lid: label for label in labels})


def _treat(observer: Observer, field_class: str, label: Label) -> str:
    """Return what is done to a class, as the tables above write it."""
    rule = _compile(observer, label).rule(label.lid, field_class)
    return rule.grain or SYMBOLS[rule.treatment]


def _outsider(tier: str) -> Observer:
    return make_observer(tier, organisation="ELSEWHERE")


@pytest.mark.parametrize(("field_class", "category"), OUTSIDERS)
def test_outsiders_get_what_the_table_says(field_class: str, category: str) -> None:
    """Without own case, own organisation, release or order, each tier is given this and no more."""
    label = make_label(category=category, owner=OWNER, cases=(CASE,))

    given = " ".join(_treat(_outsider(tier), field_class, label) for tier in TIERS)

    assert given == OUTSIDERS[field_class, category]


@pytest.mark.parametrize("field_class", WITNESS_CLASSES)
def test_nobody_outside_the_source_team_learns_of_a_witness(field_class: str) -> None:
    """The owner's own people, the case team and whoever it is released to are given nothing."""
    label = make_label(category="witness", owner=OWNER, cases=(CASE,), compartments=("S",), release=("FRIEND",))
    observers = [make_observer(tier, organisation=org, cases=(CASE,)) for tier in TIERS for org in (OWNER, "FRIEND")]

    assert {_treat(observer, field_class, label) for observer in observers} == {"-"}


@pytest.mark.parametrize(("tier", "has", "field_class", "category", "expected"), INSIDERS)
def test_insiders_get_what_the_table_says(tier: str, has: str, field_class: str, category: str, expected: str) -> None:
    """Each right opens what it is for, to the tiers that it is for."""
    label = make_label(
        category=category,
        owner=OWNER,
        cases=() if "no-case" in has else (CASE,),
        release=("FRIEND",),
        compartments=("S",),
    )
    observer = make_observer(
        tier,
        organisation=OWNER if "owner" in has else "FRIEND" if "released" in has else "ELSEWHERE",
        cases=(CASE,) if "case" in has.split() else (),
        orders=(CASE,) if "order" in has else (),
        compartments=("S",) if "team" in has else (),
    )

    assert _treat(observer, field_class, label) == expected


@pytest.mark.parametrize("tier", ["public", "private", "liaison", "analyst", "investigator", "auditor", "operator"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_no_police_tier_has_a_shelter(tier: str, category: str) -> None:
    """Not on its own case, by no order, not of its own organisation: a protective place is never given."""
    label = make_label(category=category, owner=OWNER, cases=(CASE,), compartments=("S",))
    insider = make_observer(tier, organisation=OWNER, cases=(CASE,), orders=(CASE,), compartments=("S",))

    assert _treat(insider, "shelter", label) == "-"


def test_the_tiers_are_the_nine() -> None:
    """Who there is, and what each may do besides reading."""
    rights = {name: " ".join(sorted(tier.rights)) for name, tier in default_policy().tiers.items()}

    assert rights == {
        "public": "",
        "private": "import",
        "ngo": "export import label watch",
        "liaison": "export import label watch",
        "analyst": "judge watch",
        "investigator": "export import judge label watch",
        "magistrate": "export label watch",
        "auditor": "",
        "operator": "",
    }


def test_a_right_is_of_the_tier() -> None:
    """An analyst may judge and not import; somebody of no tier may do nothing, the system all."""
    policy = default_policy()

    assert policy.has_right(make_observer("analyst"), Right.JUDGE)
    assert not policy.has_right(make_observer("analyst"), Right.IMPORT)
    assert not any(policy.has_right(make_observer("nobody"), right) for right in Right)
    assert all(policy.has_right(SYSTEM, right) for right in Right)


def test_oversight_sees_that_records_exist_and_no_value() -> None:
    """The auditor has every label, whatever it says, and of each no more than how it is handled and who said it."""
    label = Label(owner=OWNER, compartments=("S",), purposes=("protection",))
    clearance = _compile(make_observer("auditor", organisation="COURT"), label)

    given = {name for name in default_policy().classes if clearance.treatment(label.lid, name) is not Treatment.ABSENT}

    assert clearance.allowed == [label.lid]
    assert given == {"handling", "source"}


def test_the_operator_sees_no_record() -> None:
    """Not even what is for everybody."""
    assert _compile(make_observer("operator", purpose="statistics"), make_label(purposes=("statistics",))).allowed == []


def test_a_tier_that_there_is_not_sees_nothing() -> None:
    """A tier that was taken out of the policy takes its observers' rights with it."""
    label = make_label()
    clearance = _compile(make_observer("king"), label)

    assert clearance.allowed == []
    assert {clearance.treatment(label.lid, name) for name in default_policy().classes} == {Treatment.ABSENT}


def test_an_unknown_label_gives_nothing() -> None:
    """A lid that no label is known for hides every class and marks none as withheld."""
    clearance = _compile(make_observer())

    assert {clearance.treatment(7, name) for name in default_policy().classes} == {Treatment.ABSENT}
    assert not any(clearance.is_known(7, name) for name in default_policy().classes)
    assert clearance.allowed == []


@pytest.mark.parametrize("parts", [{"tlp": "PURPLE"}, {"handling": "H9"}])
def test_an_unknown_term_hides(parts: dict[str, Any]) -> None:
    """What a store may hold from another version is hidden, and stops nobody's question about the rest."""
    label = make_label(owner=OWNER, **parts)

    assert _compile(make_observer(organisation=OWNER), label, make_label()).allowed == [make_label().lid]


def test_an_unknown_class_or_category_gives_nothing() -> None:
    """What the policy does not write of is hidden."""
    assert _treat(make_observer(), "gossip", make_label()) == "-"
    assert _treat(make_observer(), "contact", make_label(category="somebody")) == "-"


@pytest.mark.parametrize("tier", TIERS)
def test_the_strictest_label_is_for_its_owner_alone(tier: str) -> None:
    """What nobody marked is seen by the organisation that delivered it, and by oversight."""
    label = Label(owner=OWNER)
    own, other = make_observer(tier, organisation=OWNER), make_observer(tier, organisation="ELSEWHERE")

    assert bool(_compile(own, label).allowed) == (tier not in ("public", "operator"))
    assert bool(_compile(other, label).allowed) == (tier == "auditor")


def test_no_owner_means_nobody() -> None:
    """A label without any part said is seen by no observer, whatever they hold."""
    everything = make_observer(organisation="", cases=("A",), orders=("A",), compartments=("S",))

    assert _compile(everything, Label()).allowed == []


@pytest.mark.parametrize(
    ("parts", "rights", "is_admitted"),
    [
        ({"tlp": "GREEN"}, {}, True),
        ({"tlp": "AMBER"}, {}, False),
        ({"tlp": "AMBER", "release": ("POLICE",)}, {}, True),
        ({"tlp": "AMBER", "cases": ("A",)}, {"cases": ("A",)}, True),
        ({"tlp": "AMBER", "cases": ("A",)}, {"cases": ("B",)}, False),
        ({"tlp": "AMBER", "cases": ("A",)}, {"orders": ("A",)}, False),
        ({"tlp": "AMBER+STRICT", "cases": ("A",)}, {"cases": ("A",)}, False),
        ({"tlp": "RED", "cases": ("A",), "owner": "POLICE"}, {"cases": ("A",)}, True),
        ({"tlp": "RED", "cases": ("A",), "owner": "POLICE"}, {}, False),
        ({"tlp": "RED", "owner": "POLICE"}, {}, True),
        ({"tlp": "RED", "release": ("POLICE",)}, {}, True),
        ({"handling": "H2"}, {}, False),
        ({"handling": "H2", "owner": "POLICE"}, {}, True),
        ({"handling": "H3", "cases": ("A",)}, {"cases": ("A",)}, False),
        ({"compartments": ("S", "T")}, {"compartments": ("T",)}, True),
        ({"compartments": ("S",)}, {}, False),
        ({"compartments": ("S & T",)}, {"compartments": ("S",)}, False),
        ({"compartments": ("S & T",)}, {"compartments": ("S", "T")}, True),
        ({"purposes": ("prosecution",)}, {}, False),
        ({"purposes": ()}, {}, False),
        ({"classification": "SECRET"}, {}, False),
    ],
)
def test_each_part_of_a_label_must_pass(parts: dict[str, Any], rights: dict[str, Any], is_admitted: bool) -> None:
    """Sharing, need to know and purpose each keep out who does not meet them."""
    observer = make_observer(organisation="POLICE", **rights)

    assert bool(_compile(observer, make_label(owner=parts.pop("owner", OWNER), **parts)).allowed) == is_admitted


def test_classified_material_is_for_nobody() -> None:
    """Should it ever get into a store, not even oversight has it."""
    label = make_label(classification="SECRET", owner=OWNER)

    assert not any(_compile(make_observer(tier, organisation=OWNER), label).allowed for tier in TIERS)


def test_the_public_is_nobodys_member() -> None:
    """Whatever organisation they name, the public sees what is released to everybody."""
    observer = make_observer("public", organisation=OWNER, cases=(CASE,), purpose="statistics")
    shared = [make_label(tlp=tlp, owner=OWNER, cases=(CASE,), purposes=("statistics",)) for tlp in ("CLEAR", "AMBER")]

    assert _compile(observer, *shared).allowed == [shared[0].lid]


def test_a_marker_follows_policy_and_label_alone() -> None:
    """The analyst may know that names are withheld; the public may not know that there could be any."""
    label = make_label(category="suspect")

    assert _compile(_outsider("analyst"), label).is_known(label.lid, "identity")
    assert not _compile(_outsider("public"), label).is_known(label.lid, "identity")
    assert not _compile(make_observer(cases=()), make_label()).is_known(make_label().lid, "identity")


@pytest.mark.parametrize("tier", TIERS)
def test_no_marker_tells_that_somebody_is_a_witness(tier: str) -> None:
    """What is withheld of witnesses is withheld without a word, to whoever may not know that they are."""
    label = make_label(category="witness", owner=OWNER)
    clearance = _compile(_outsider(tier), label)

    assert [name for name in default_policy().classes if clearance.is_known(label.lid, name)] == []


def test_resolution_reads_everything() -> None:
    """The system observer, whom nobody can be added as, has every label in clear."""
    label = Label()

    assert _compile(SYSTEM, label).allowed == [label.lid]
    assert _treat(SYSTEM, "shelter", label) == "C"
    assert "system" not in default_policy().tiers


def test_the_policy_covers_the_ontology() -> None:
    """Every class of the schemata has its row, so no property is hidden by a slip of the pen."""
    assert set(default_ontology().field_classes()) <= default_policy().classes.keys()


def test_what_a_tier_may_ever_be_given_is_told() -> None:
    """Over all categories, as the GraphQL schema of a tier needs it."""
    assert default_policy().reachable("analyst", "identity") == {"clear", "pseudonym", "absent"}
    assert default_policy().reachable("investigator", "shelter") == {"absent"}
    assert default_policy().reachable("magistrate", "contact") == {"clear", "mask", "absent"}
