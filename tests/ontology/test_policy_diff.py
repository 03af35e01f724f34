"""Comparing two policies: who gains and who loses, by what the rules do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ontology.policy import Cell, Policy, Right, Rule, Sees, Treatment
from ontology.policy_diff import Change, Effect, describe_cell, find_changes
from ontology.policy_file import POLICY_FILE, default_policy, make_policy

CELL = ("special", "victim", "analyst")
GAIN, LOSS, CHANGE = Effect.GAIN, Effect.LOSS, Effect.CHANGE


def _with_cell(cell: Cell) -> Policy:
    policy = default_policy()
    return replace(policy, cells={**policy.cells, CELL: cell})


def _make_cell(*rules: tuple[str, str], known: bool = False) -> Cell:
    """Return a cell from conditions and terms, as the file writes them."""
    parted = [(condition, *term.partition(" ")) for condition, term in rules]
    return Cell(tuple(Rule(c, Treatment(treatment), grain or None) for c, treatment, _, grain in parted), known)


def test_a_policy_does_not_differ_from_itself() -> None:
    """Nor does one whose lines stand in another order, or whose words for people are others."""
    data: dict[str, Any] = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    data["classes"] = dict(reversed(data["classes"].items()))
    data["tiers"]["ngo"]["description"] = "A shelter."
    other = make_policy(data, "other.yaml")

    assert find_changes(default_policy(), other) == []
    assert other.digest != default_policy().digest


# Hand-worked: what the analyst has of victims' special categories before and after.
@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (_make_cell(("otherwise", "count")), _make_cell(("otherwise", "clear")), GAIN),
        (_make_cell(("otherwise", "count")), _make_cell(("otherwise", "absent")), LOSS),
        (_make_cell(("otherwise", "mask")), _make_cell(("otherwise", "pseudonym")), CHANGE),
        (_make_cell(("otherwise", "absent")), _make_cell(("own_case", "clear"), ("otherwise", "absent")), GAIN),
        (
            _make_cell(("own_case", "clear"), ("otherwise", "absent")),
            _make_cell(("own_case", "mask"), ("otherwise", "absent")),
            LOSS,
        ),
        (
            _make_cell(("own_case", "clear"), ("otherwise", "absent")),
            _make_cell(("otherwise", "mask")),
            CHANGE,
        ),
        (
            _make_cell(("own_case", "clear"), ("otherwise", "absent")),
            _make_cell(("released", "clear"), ("otherwise", "absent")),
            CHANGE,
        ),
        (
            _make_cell(("own_file", "clear"), ("otherwise", "absent")),
            _make_cell(("own_organisation", "clear"), ("otherwise", "absent")),
            GAIN,
        ),
        (_make_cell(("otherwise", "generalise month")), _make_cell(("otherwise", "generalise day")), GAIN),
        (_make_cell(("otherwise", "generalise month")), _make_cell(("otherwise", "generalise decade")), LOSS),
        (_make_cell(("otherwise", "absent")), _make_cell(("otherwise", "absent"), known=True), GAIN),
        (_make_cell(("otherwise", "absent"), known=True), _make_cell(("otherwise", "absent")), LOSS),
        (_make_cell(("otherwise", "generalise")), _make_cell(("otherwise", "generalise year")), CHANGE),
    ],
)
def test_a_cell_gains_or_loses_by_what_it_does(before: Cell, after: Cell, effect: Effect) -> None:
    """More in some situation and less in none is a gain, the other way a loss, anything else a change."""
    changes = find_changes(_with_cell(before), _with_cell(after))

    assert changes == [Change("analyst", "special.victim", describe_cell(before), describe_cell(after), effect)]


terms = st.sampled_from(["clear", "mask", "generalise", "generalise day", "pseudonym", "count", "absent"])
conditions = st.sampled_from(["own_case", "own_organisation", "released", "ordered"])
cells = st.builds(
    lambda condition, one, other, known: _make_cell((condition, one), ("otherwise", other), known=known),
    conditions,
    terms,
    terms,
    st.booleans(),
)


@given(cells, cells)
def test_what_one_way_gains_the_other_way_loses(one: Cell, other: Cell) -> None:
    """The way back undoes the way there."""
    there = find_changes(_with_cell(one), _with_cell(other))
    back = find_changes(_with_cell(other), _with_cell(one))
    undone = {GAIN: LOSS, LOSS: GAIN, CHANGE: CHANGE}

    assert [replace(c, before=c.after, after=c.before, effect=undone[c.effect]) for c in there] == back


def test_what_a_tier_may_is_compared() -> None:
    """Rights, what they see at all, purpose and granted merges, each on its own line."""
    policy = default_policy()
    analyst = replace(
        policy.tiers["analyst"],
        rights=frozenset({Right.JUDGE, Right.IMPORT}),
        sees=Sees.EVERYTHING,
        purpose="statistics",
        merges="investigator",
    )

    changes = find_changes(policy, replace(policy, tiers={**policy.tiers, "analyst": analyst}))

    assert changes == [
        Change("analyst", "rights", "nothing", "import", GAIN),
        Change("analyst", "rights", "watch", "nothing", LOSS),
        Change("analyst", "sees", "shared", "everything", GAIN),
        Change("analyst", "purpose", "investigation", "statistics", CHANGE),
        Change("analyst", "merges", "visible", "investigator", GAIN),
    ]


def test_sharing_is_compared_by_who_meets_it() -> None:
    """Fewer conditions share less, unless another takes in whoever met them; said of those who see what is shared."""
    policy = default_policy()
    tlp = {**policy.sharing["tlp"], "AMBER": ("released",), "GREEN": ("anyone",), "RED": ("own_case",)}
    members = ["private", "ngo", "liaison", "analyst", "investigator", "magistrate"]

    changes = find_changes(policy, replace(policy, sharing={**policy.sharing, "tlp": tlp}))

    # Members have what is GREEN already, the public never has what is AMBER or RED.
    assert [(change.tier, change.place, change.effect) for change in changes] == [
        ("public", "sharing.tlp.GREEN", GAIN),
        *(
            (name, f"sharing.tlp.{term}", effect)
            for name in members
            for term, effect in (("AMBER", LOSS), ("RED", CHANGE))
        ),
    ]


def test_sharing_that_is_written_otherwise_is_no_change() -> None:
    """Whoever owns a file without a case owns it, so to name them as well admits nobody."""
    policy = default_policy()
    tlp = {**policy.sharing["tlp"], "AMBER": (*policy.sharing["tlp"]["AMBER"], "own_file")}

    assert find_changes(policy, replace(policy, sharing={**policy.sharing, "tlp": tlp})) == []


def test_cubes_and_contacts_are_compared() -> None:
    """A lower floor tells more, a table less tells less."""
    policy = default_policy()
    [first, *rest] = policy.cubes
    other = replace(
        policy,
        floor=5,
        rounding=10,
        cubes={name: policy.cubes[name] for name in rest},
        contacts={**policy.contacts, "victim": "us"},
    )

    changes = {change.place: (change.after, change.effect) for change in find_changes(policy, other)}

    assert changes == {
        "cubes.floor": ("5", GAIN),
        "cubes.rounding": ("10", LOSS),
        f"cubes.{first}": ("nothing", LOSS),
        "contacts.victim": ("us", CHANGE),
    }


def test_a_tier_that_is_new_is_one_line(tmp_path: Path) -> None:
    """Its cells are what it is given, not what changed."""
    text = POLICY_FILE.read_text(encoding="utf-8").replace("operator", "operator, guest")
    text = text.replace(
        "  operator, guest:\n",
        "  guest:\n    description: G.\n    purpose: statistics\n    rights: []\n  operator:\n",
        1,
    )
    path = tmp_path / "other.yaml"
    path.write_text(text, encoding="utf-8")
    other = make_policy(yaml.safe_load(text), path.name)

    assert find_changes(default_policy(), other) == [
        Change("guest", "tier", "nothing", "sees shared, may nothing", GAIN)
    ]
    assert [change.effect for change in find_changes(other, default_policy())] == [LOSS]
