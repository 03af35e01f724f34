"""The policy campaign: four readings agree, and a fault planted in ours is found."""

from collections.abc import Callable, Mapping
from itertools import chain

import pytest

from bench.campaigns import policy as campaign
from bench.campaigns.draw import make_lattice_labels, make_lattice_observers
from bench.campaigns.policy import (
    CompilerReading,
    Outcome,
    Reading,
    compare,
    compare_all,
    count_rules,
    iter_drawn,
    iter_points,
    lattice_size,
)
from bench.oracles.cedar import CedarReading, make_cedar
from bench.oracles.plain import Document, PlainReading, read_cells, read_document
from bench.oracles.rego import RegoReading
from ontology import condition as conditions
from ontology import policy
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Clearance, Rule, Treatment
from ontology.policy_file import POLICY_FILE
from tests.factory import make_label, make_observer

SEED = 4
SMALL = 8_000  # decisions, four ways each
MORE = 80_000  # decisions, two ways each


@pytest.fixture(scope="module")
def document() -> Document:
    """Return the policy file as it stands."""
    return read_document(POLICY_FILE)


def _finds_a_difference(document: Document) -> bool:
    """Whether our compiler is told from the plain reading, by no more questions than it takes."""
    readings: Mapping[str, Reading] = {"ours": CompilerReading(), "plain": PlainReading(document)}
    return any(
        compare(questions, readings).differences for questions in chain(iter_drawn(MORE, SEED), iter_points(MORE))
    )


def test_the_four_readings_agree() -> None:
    """A short budget of the campaign: no decision differs, and both kinds of answer occur."""
    outcome = Outcome()
    for questions in (*iter_drawn(SMALL, SEED), *iter_points(SMALL)):
        outcome.add(compare_all(questions))

    assert outcome.differences == []
    assert outcome.decisions >= 2 * SMALL
    assert 0 < outcome.admitted < outcome.decisions // 18


def test_every_rule_of_the_policy_decides_something(document: Document) -> None:
    """Over the lattice, no line of the policy is left untried."""
    outcome = Outcome()
    for questions in iter_points(3 * MORE):
        outcome.add(compare(questions, {"plain": PlainReading(document)}))

    assert [place for place, times in count_rules(outcome.situations, document).items() if times == 0] == []


def test_the_lattice_is_every_combination() -> None:
    """5 TLP x 4 handling x 6 categories x 2^5 by 9 tiers x 2^3, each once, 18 decisions each."""
    labels = make_lattice_labels()
    observers = make_lattice_observers(("a", "b"))

    assert len({label.lid for label in labels}) == len(labels) == 3_840
    assert len(set(observers)) == len(observers) == 16
    assert lattice_size() == 3_840 * 72 * 18
    assert sum(len(points.labels) for points in iter_points(lattice_size())) == 3_840 * 72


def test_questions_are_drawn_from_the_seed() -> None:
    """The same seed asks the same, another something else."""
    first, again, other = (next(iter_drawn(1, seed)) for seed in (1, 1, 2))

    assert first == again != other


@pytest.mark.parametrize("name", sorted(conditions.CONDITIONS.keys() - {"anyone", "otherwise", "member"}))
@pytest.mark.parametrize("always", [True, False])
def test_a_condition_that_is_broken_is_found(
    name: str, always: bool, monkeypatch: pytest.MonkeyPatch, document: Document
) -> None:
    """Each condition of our compiler, planted to hold always or never, makes decisions differ."""
    monkeypatch.setitem(conditions.CONDITIONS, name, lambda observer, label: always)

    assert _finds_a_difference(document)


def _forget_compartments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "is_met", lambda held, wanted: True)


def _take_the_last_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Clearance.rule

    def take_last(self: Clearance, lid: int, name: str) -> Rule:
        cell = self.policy.cells.get((name, self.labels[lid].category, self.observer.tier))
        return cell.rules[-1] if cell else rule(self, lid, name)

    monkeypatch.setattr(Clearance, "rule", take_last)


def _forget_the_grain(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Clearance.rule

    def forget(self: Clearance, lid: int, name: str) -> Rule:
        found = rule(self, lid, name)
        return Rule(found.condition, found.treatment)

    monkeypatch.setattr(Clearance, "rule", forget)


def _show_notes_to_analysts(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Clearance.rule

    def show(self: Clearance, lid: int, name: str) -> Rule:
        is_it = name == "notes" and self.observer.tier == "analyst" and self.labels[lid].category == "convicted"
        return Rule("otherwise", Treatment.CLEAR) if is_it else rule(self, lid, name)

    monkeypatch.setattr(Clearance, "rule", show)


def _admit_the_classified(monkeypatch: pytest.MonkeyPatch) -> None:
    admits = policy._admits

    def admit(found: policy.Policy, observer: Observer, label: Label) -> bool:
        return admits(found, observer, label) or label.classification != ""

    monkeypatch.setattr(policy, "_admits", admit)


@pytest.mark.parametrize(
    "plant",
    [_forget_compartments, _take_the_last_rule, _forget_the_grain, _show_notes_to_analysts, _admit_the_classified],
)
def test_a_fault_of_the_compiler_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, document: Document
) -> None:
    """From a whole part forgotten to one cell of 918 that is wrong."""
    plant(monkeypatch)

    assert _finds_a_difference(document)


@pytest.mark.parametrize("oracle", [CedarReading, RegoReading])
def test_another_policy_is_told_apart(oracle: Callable[[Document], Reading], document: Document) -> None:
    """Each oracle reads the file that it is given: one cell written otherwise makes decisions differ."""
    cells = document["classes"]["special"]["cells"]["none, other, victim"]
    changed = {**document, "classes": {**document["classes"]}}
    changed["classes"]["special"] = {
        **document["classes"]["special"],
        "cells": {
            **document["classes"]["special"]["cells"],
            "none, other, victim": {**cells, "analyst": "absent"},
        },
    }
    questions = campaign.Questions([make_observer("analyst")], [make_label(category="victim")])

    assert compare(questions, {"plain": PlainReading(document), "other": oracle(changed)}).differences != []
    assert compare(questions, {"plain": PlainReading(document), "same": oracle(document)}).differences == []


def test_a_difference_says_who_what_and_how(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to try the one decision again by hand."""
    monkeypatch.setitem(conditions.CONDITIONS, "own_case", lambda observer, label: True)
    questions = campaign.Questions([make_observer("magistrate")], [make_label(category="suspect")])

    [difference] = compare(questions, {"ours": CompilerReading(), "plain": PlainReading(document)}).differences

    assert "tier='magistrate'" in difference
    assert "category='suspect'" in difference
    assert "identity: {'ours': 'clear', 'plain': 'absent'}" in difference


def test_cedar_is_given_permits_alone(document: Document) -> None:
    """As many treatments as the file writes, none of them a deny rule."""
    text = make_cedar(document)
    given = sum(term != "absent" for rules in read_cells(document).values() for _, term in rules)

    assert "forbid" not in text
    assert text.count("permit(") == given + 8
