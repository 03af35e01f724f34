"""The policy that ships, and what its loader says of faulty ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ontology.errors import PolicyError
from ontology.label import CATEGORIES, Label
from ontology.observer import SYSTEM, Observer
from ontology.policy import POLICY_FILE, Clearance, Treatment, default_policy, load_policy
from ontology.schema import default_ontology
from tests.factory import make_label, make_observer

OWNER = "HOME"
CASE = "A"
TIERS = ("public", "ngo", "analyst", "investigator")

Edit = Callable[[dict[str, Any]], object]


def _compile(observer: Observer, *labels: Label) -> Clearance:
    return default_policy().compile(observer, {label.lid: label for label in labels})


def _treat(observer: Observer, field_class: str, label: Label) -> str:
    return _compile(observer, label).treatment(label.lid, field_class).value


def _outsider(tier: str) -> Observer:
    return make_observer(tier, organisation="ELSEWHERE")


# Hand-written from the table of treatments that access control was designed by: columns public, ngo, analyst and
# investigator, each of an organisation that does not own the record and on none of its cases.
OUTSIDERS = {
    ("identity", "victim"): ("absent", "absent", "pseudonym", "pseudonym"),
    ("identity", "suspect"): ("absent", "absent", "pseudonym", "pseudonym"),
    ("identity", "witness"): ("absent", "absent", "absent", "absent"),
    ("contact", "victim"): ("absent", "absent", "absent", "absent"),
    ("contact", "suspect"): ("absent", "absent", "pseudonym", "clear"),
    ("contact", "none"): ("clear", "clear", "clear", "clear"),
    ("shelter", "victim"): ("absent", "absent", "absent", "absent"),
    ("birth_date", "victim"): ("absent", "absent", "generalise", "generalise"),
    ("special", "victim"): ("absent", "absent", "count", "count"),
    ("profile", "victim"): ("count", "absent", "generalise", "generalise"),
    ("advert", "suspect"): ("absent", "mask", "mask", "clear"),
    ("place", "victim"): ("count", "generalise", "generalise", "generalise"),
    ("notes", "victim"): ("absent", "absent", "absent", "absent"),
    ("source", "victim"): ("absent", "absent", "pseudonym", "pseudonym"),
    ("handling", "victim"): ("absent", "clear", "clear", "clear"),
    ("event_time", "suspect"): ("count", "generalise", "generalise", "clear"),
    ("registry", "none"): ("clear", "clear", "clear", "clear"),
    ("raw", "none"): ("absent", "absent", "absent", "absent"),
}  # fmt: skip
INSIDERS = [
    ("ngo", "identity", "victim", "clear"),
    ("ngo", "shelter", "victim", "clear"),
    ("ngo", "notes", "victim", "clear"),
    ("ngo", "contact", "victim", "clear"),
    ("ngo", "identity", "witness", "absent"),
    ("analyst", "identity", "victim", "pseudonym"),
    ("analyst", "shelter", "victim", "absent"),
    ("investigator", "identity", "victim", "clear"),
    ("investigator", "identity", "suspect", "clear"),
    ("investigator", "contact", "victim", "clear"),
    ("investigator", "special", "victim", "clear"),
    ("investigator", "shelter", "victim", "absent"),
    ("investigator", "source", "suspect", "clear"),
    ("investigator", "notes", "suspect", "clear"),
    ("investigator", "identity", "witness", "absent"),
]  # fmt: skip


@pytest.mark.parametrize(("field_class", "category"), OUTSIDERS)
def test_outsiders_get_what_the_table_says(field_class: str, category: str) -> None:
    """Without own case or own organisation, each tier is given this and no more."""
    label = make_label(category=category, owner=OWNER, cases=(CASE,))

    given = tuple(_treat(_outsider(tier), field_class, label) for tier in TIERS)

    assert given == OUTSIDERS[field_class, category]


@pytest.mark.parametrize(("tier", "field_class", "category", "expected"), INSIDERS)
def test_insiders_get_what_the_table_says(tier: str, field_class: str, category: str, expected: str) -> None:
    """The owner's shelter worker and the case team are given more, and neither all."""
    label = make_label(category=category, owner=OWNER, cases=(CASE,))
    observer = make_observer(tier, organisation=OWNER, cases=(CASE,))

    assert _treat(observer, field_class, label) == expected


@pytest.mark.parametrize("tier", ["analyst", "investigator"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_no_police_tier_has_a_shelter(tier: str, category: str) -> None:
    """Not on its own case, not of its own organisation: a protective place is never given."""
    label = make_label(category=category, owner=OWNER, cases=(CASE,))

    assert _treat(make_observer(tier, organisation=OWNER, cases=(CASE,)), "shelter", label) == "absent"


def test_an_unknown_label_gives_nothing() -> None:
    """A lid that no label is known for hides every class and marks none as withheld."""
    clearance = _compile(make_observer())

    assert {clearance.treatment(7, name) for name in default_policy().classes} == {Treatment.ABSENT}
    assert not any(clearance.is_known(7, name) for name in default_policy().classes)
    assert clearance.allowed == []


def test_an_unknown_class_gives_nothing() -> None:
    """A field class that the policy does not write of is hidden."""
    assert _treat(make_observer(), "gossip", make_label()) == "absent"


@pytest.mark.parametrize("tier", TIERS)
def test_the_strictest_label_is_for_its_owner_alone(tier: str) -> None:
    """What nobody marked is seen by the organisation that delivered it."""
    label = Label(owner=OWNER)
    own, other = make_observer(tier, organisation=OWNER), make_observer(tier, organisation="ELSEWHERE")

    assert bool(_compile(own, label).allowed) == (tier != "public")
    assert _compile(other, label).allowed == []


def test_no_owner_means_nobody() -> None:
    """A label without any part said is seen by no observer, whatever they hold."""
    everything = make_observer(organisation="", cases=("A",), compartments=("S",))

    assert _compile(everything, Label()).allowed == []


@pytest.mark.parametrize(
    ("parts", "rights", "is_admitted"),
    [
        ({"tlp": "GREEN"}, {}, True),
        ({"tlp": "AMBER"}, {}, False),
        ({"tlp": "AMBER", "release": ("POLICE",)}, {}, True),
        ({"tlp": "AMBER", "cases": ("A",)}, {"cases": ("A",)}, True),
        ({"tlp": "AMBER", "cases": ("A",)}, {"cases": ("B",)}, False),
        ({"tlp": "AMBER+STRICT", "cases": ("A",)}, {"cases": ("A",)}, False),
        ({"tlp": "RED", "cases": ("A",), "owner": "POLICE"}, {"cases": ("A",)}, True),
        ({"tlp": "RED", "cases": ("A",), "owner": "POLICE"}, {}, False),
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


def test_resolution_reads_everything() -> None:
    """The system observer, whom nobody can be added as, has every label in clear."""
    label = Label()

    assert _compile(SYSTEM, label).allowed == [label.lid]
    assert _treat(SYSTEM, "shelter", label) == "clear"
    assert "system" not in default_policy().tiers


def test_the_policy_covers_the_ontology() -> None:
    """Every class of the schemata has its row, so no property is hidden by a slip of the pen."""
    assert set(default_ontology().field_classes()) <= default_policy().classes.keys()


def test_what_a_tier_may_ever_be_given_is_told() -> None:
    """Over all categories, as the GraphQL schema of a tier needs it."""
    assert default_policy().reachable("analyst", "identity") == {"clear", "pseudonym", "absent"}
    assert default_policy().reachable("investigator", "shelter") == {"absent"}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d["classes"]["shelter"]["cells"].popitem(), r"classes\.shelter\.cells\.none\.public: missing"),
        (lambda d: d["classes"]["notes"]["cells"]["none"].pop("ngo"), r"classes\.notes\.cells\.none\.ngo: missing"),
        (lambda d: d["classes"].pop("notes"), r"classes\.notes: missing"),
        (lambda d: d["classes"].update(gossip=d["classes"]["raw"]), r"classes: unknown class gossip"),
        (lambda d: d["classes"]["raw"]["cells"].update(client={}), r"classes\.raw\.cells: unknown category client"),
        (lambda d: d["classes"]["notes"]["cells"]["none"].update(king="clear"), r"cells\.none: unknown tier king"),
        (lambda d: d["classes"]["notes"]["cells"]["none"].update(ngo="blur"), r"none\.ngo: unknown treatment blur"),
        (
            lambda d: d["classes"]["notes"]["cells"]["none"].update(ngo={"friend": "clear", "otherwise": "absent"}),
            r"none\.ngo: unknown condition friend",
        ),
        (
            lambda d: d["classes"]["notes"]["cells"]["none"].update(ngo={"own_case": "clear"}),
            r"none\.ngo: expected a treatment, or conditions with otherwise",
        ),
        (lambda d: d["sharing"]["tlp"].pop("AMBER"), r"sharing\.tlp\.AMBER: missing"),
        (lambda d: d["sharing"]["handling"].update(H3=["friend"]), r"sharing\.handling\.H3: unknown condition friend"),
        (lambda d: d["contacts"].pop("otherwise"), r"contacts\.otherwise: missing"),
        (lambda d: d["tiers"]["ngo"].update(purpose="gossip"), r"tiers\.ngo: unknown purpose"),
        (lambda d: d["tiers"].update(system=d["tiers"]["ngo"]), r"tiers\.system: the name is reserved"),
        (lambda d: d.pop("sharing"), r"sharing: expected a mapping"),
    ],
)
def test_a_faulty_policy_is_named_with_its_cell(tmp_path: Path, edit: Edit, message: str) -> None:
    """The error says which file and which cell to mend."""
    data = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    edit(data)
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    with pytest.raises(PolicyError, match=rf"^other\.yaml: .*{message}|^other\.yaml: {message}"):
        load_policy(path)


def test_a_policy_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    """A slip of the pen gives one line, not a traceback."""
    path = tmp_path / "other.yaml"
    path.write_text("tiers: [", encoding="utf-8")

    with pytest.raises(PolicyError, match=r"other\.yaml: expected YAML, found a syntax error"):
        load_policy(path)


def test_any_change_changes_the_digest(tmp_path: Path) -> None:
    """Caches that hang on the digest are never stale."""
    data = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    data["classes"]["notes"]["cells"]["none"]["ngo"] = "absent"
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    assert load_policy(path).digest != default_policy().digest == load_policy(POLICY_FILE).digest
