"""Conditions: when each holds, and that more rights never make one false."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.condition import CONDITIONS, has_condition, is_met, iter_situations
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy_file import default_policy
from tests.factory import make_label, make_observer
from tests.ontology.test_label import labels, observers

OWN = make_label(owner="ORG", cases=("A",), compartments=("S",))
FOREIGN = make_label(owner="OTHER", cases=("A",), compartments=("S",))
RELEASED = make_label(owner="OTHER", release=("ORG", "THIRD"), cases=("A",))
CASELESS = make_label(owner="ORG")
NOBODYS = make_label(owner="")


# Hand-worked: an observer of ORG, by what they hold, and the labels under which the condition holds.
@pytest.mark.parametrize(
    ("name", "rights", "holds"),
    [
        ("anyone", {}, (OWN, FOREIGN, RELEASED, CASELESS, NOBODYS)),
        ("otherwise", {}, (OWN, FOREIGN, RELEASED, CASELESS, NOBODYS)),
        ("member", {}, (OWN, FOREIGN, RELEASED, CASELESS, NOBODYS)),
        ("own_organisation", {}, (OWN, CASELESS)),
        ("own_file", {}, (CASELESS,)),
        ("released", {}, (RELEASED,)),
        ("own_case", {}, ()),
        ("own_case", {"cases": ("A",)}, (OWN, FOREIGN, RELEASED)),
        ("own_case", {"orders": ("A",)}, ()),
        ("ordered", {"orders": ("A",)}, (OWN, FOREIGN, RELEASED)),
        ("ordered", {"cases": ("A",)}, ()),
        ("source_team", {"compartments": ("S",)}, (OWN,)),
        ("source_team", {"cases": ("A",)}, ()),
        ("named", {}, (CASELESS,)),
        ("named", {"cases": ("A",)}, (OWN, RELEASED, CASELESS)),
    ],
)
def test_a_condition_holds_when_it_says(name: str, rights: dict[str, Any], holds: tuple[Label]) -> None:
    """Each asks what the policy file says that it asks, and nothing else."""
    observer = make_observer(organisation="ORG", **rights)

    held = tuple(x for x in (OWN, FOREIGN, RELEASED, CASELESS, NOBODYS) if has_condition(name, observer, x))

    assert held == holds


@pytest.mark.parametrize("name", sorted(CONDITIONS.keys() - {"anyone", "otherwise"}))
def test_the_public_meets_no_condition(name: str) -> None:
    """Whatever organisation and cases they name."""
    observer = make_observer("public", organisation="ORG", cases=("A",), orders=("A",), compartments=("S",))

    assert not any(has_condition(name, observer, label) for label in (OWN, RELEASED, CASELESS))


def test_no_organisation_owns_nothing() -> None:
    """An observer without an organisation is not that of what nobody owns."""
    assert not has_condition("own_organisation", make_observer(organisation=""), NOBODYS)


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        ((), (), False),
        (("A",), (), False),
        ((), ("A",), False),
        (("A",), ("A", "B"), True),
        (("A",), ("A & B",), False),
        (("B", "A"), ("A & B",), True),
        (("C",), ("A & B", "C"), True),
        (("A & B",), ("A",), False),
    ],
)
def test_one_name_is_enough_and_a_joined_one_needs_both(
    held: tuple[str, ...], wanted: tuple[str, ...], expected: bool
) -> None:
    """Need to know is met by any one alternative, in full."""
    assert is_met(held, wanted) == expected


names = st.sets(st.sampled_from(["A", "B", "C", "S", "T"])).map(lambda found: tuple(sorted(found)))


@given(observers, labels, names, names, names)
def test_more_rights_make_no_condition_false(
    observer: Observer, label: Label, cases: tuple[str, ...], orders: tuple[str, ...], compartments: tuple[str, ...]
) -> None:
    """What held still holds with more cases, orders and compartments."""
    more = replace(
        observer,
        cases=observer.cases + cases,
        orders=observer.orders + orders,
        compartments=observer.compartments + compartments,
    )

    held = [name for name in CONDITIONS if has_condition(name, observer, label)]

    assert all(has_condition(name, more, label) for name in held)


@given(observers, labels)
def test_the_situations_are_all_there_are(observer: Observer, label: Label) -> None:
    """Whatever conditions hold of anybody and any label, they hold together in one of the situations of the tier."""
    held = {name for name in CONDITIONS if has_condition(name, observer, label)}

    assert held in [
        {name for name in CONDITIONS if has_condition(name, *situation)} for situation in iter_situations(observer.tier)
    ]


def test_every_condition_is_told_apart() -> None:
    """No two conditions hold in the same situations, but the two words for always."""
    situations = [s for tier in default_policy().tiers for s in iter_situations(tier)]

    seen = {name: tuple(has_condition(name, *situation) for situation in situations) for name in CONDITIONS}

    assert len(set(seen.values())) == len(CONDITIONS) - 1
    assert seen["anyone"] == seen["otherwise"]
