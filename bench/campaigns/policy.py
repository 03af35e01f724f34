"""Policy: four ways to decide what the policy file says must agree, decision by decision.

Our compiler, a plain reading of the file, Cedar and Rego are asked whether an
observer may have what carries a label, and what is done to each field class
under it: a decision each. `n` of them are drawn from the seed, and as many
again are of the lattice: every combination of what the policy asks of tiers,
rights and labels, spread evenly, and whole once `n` reaches its size. Each rule
of the policy is counted by how often it decided.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Protocol

from bench.campaigns.draw import draw_label, draw_observer, make_lattice_labels, make_lattice_observers
from bench.goal import print_goal
from bench.oracles.cedar import CedarReading
from bench.oracles.plain import Answer, Document, PlainReading, hold, read_cells, read_classes, read_document
from bench.oracles.rego import RegoReading
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Clearance
from ontology.policy_file import POLICY_FILE, default_policy

OBSERVERS_AT_ONCE = 8
LABELS_AT_ONCE = 64
SHOWN = 20

# Tier, category, field class and condition: where a rule stands.
Place = tuple[str, str, str, str]
# Tier, category, and the conditions that hold between an observer and a label.
Situation = tuple[str, str, frozenset[str]]


class Reading(Protocol):
    """One way to decide."""

    def decide(self, observers: Sequence[Observer], labels: Sequence[Label]) -> list[list[Answer]]:
        """Return an answer for each observer (rows) and label (columns)."""


class CompilerReading:
    """Decides as the product does: by one clearance of each observer over all labels."""

    def decide(self, observers: Sequence[Observer], labels: Sequence[Label]) -> list[list[Answer]]:
        """Return an answer for each observer (rows) and label (columns)."""
        policy, interned = default_policy(), dict(enumerate(labels))
        return [list(_iter_answers(policy.compile(observer, interned))) for observer in observers]


@dataclass(frozen=True, slots=True)
class Questions:
    """Each of some observers is asked about with each of some labels."""

    observers: Sequence[Observer]
    labels: Sequence[Label]


@dataclass(slots=True)
class Outcome:
    """What comparing found. `admitted` counts the pairs of which the observer may have the label.

    `differing` counts the pairs about which readings differ; `differences` says how, of the first ones.
    """

    decisions: int = 0
    admitted: int = 0
    differing: int = 0
    differences: list[str] = field(default_factory=list)
    situations: Counter[Situation] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Take in what was found elsewhere."""
        self.decisions += other.decisions
        self.admitted += other.admitted
        self.differing += other.differing
        self.differences = [*self.differences, *other.differences][:SHOWN]
        self.situations.update(other.situations)


def main() -> None:
    """Run the campaign and print its goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200_000, help="decisions drawn, and as many of the lattice")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    started = time.monotonic()
    drawn, points = Outcome(), Outcome()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome, questions in ((drawn, iter_drawn(args.n, args.seed)), (points, iter_points(args.n))):
            for found in pool.map(compare_all, questions):
                outcome.add(found)
    seconds = time.monotonic() - started
    _print_outcome("drawn", drawn)
    _print_outcome(f"of the lattice's {lattice_size()}", points)
    print(f"seed {args.seed}, {seconds:.0f} s, {(drawn.decisions + points.decisions) / seconds:.0f} decisions a second")
    drawn.add(points)
    reached = count_rules(drawn.situations, _document())
    _print_coverage(reached)
    for difference in drawn.differences:
        print(f"  DIFFERENCE {difference}")
    print_goal("policy_differences", drawn.differing, "==", 0)
    print_goal("policy_decisions", drawn.decisions, ">=", args.n)
    print_goal("policy_lattice_share", points.decisions / lattice_size(), ">=", min(1.0, args.n / lattice_size()))
    print_goal("policy_rules_not_reached", sum(times == 0 for times in reached.values()), "==", 0)


def lattice_size() -> int:
    """Return how many decisions the lattice has."""
    observers, labels = make_lattice_observers(_tiers()), make_lattice_labels()
    return len(observers) * len(labels) * _decisions_of_one()


def iter_drawn(n: int, seed: int) -> Iterator[Questions]:
    """Yield questions of at least `n` decisions, drawn from a seed."""
    at_once = OBSERVERS_AT_ONCE * LABELS_AT_ONCE * _decisions_of_one()
    for number in range(-(-n // at_once)):
        random = Random(f"{seed}:{number}")
        observers = [draw_observer(random, _tiers()) for _ in range(OBSERVERS_AT_ONCE)]
        yield Questions(observers, [draw_label(random) for _ in range(LABELS_AT_ONCE)])


def iter_points(n: int) -> Iterator[Questions]:
    """Yield questions of about `n` decisions of the lattice, spread evenly; all of it when `n` reaches its size."""
    step = max(1, lattice_size() // n)
    labels = make_lattice_labels()
    # In no order, so that what is left out by steps is of no one kind.
    Random(0).shuffle(labels)
    for number, observer in enumerate(make_lattice_observers(_tiers())):
        yield Questions([observer], labels[number % step :: step])


def compare_all(questions: Questions) -> Outcome:
    """Ask every reading and compare what they say."""
    return compare(questions, _readings())


def compare(questions: Questions, readings: Mapping[str, Reading]) -> Outcome:
    """Ask some readings and compare what they say."""
    answers = {name: reading.decide(questions.observers, questions.labels) for name, reading in readings.items()}
    outcome = Outcome(len(questions.observers) * len(questions.labels) * _decisions_of_one())
    for row, observer in enumerate(questions.observers):
        for column, label in enumerate(questions.labels):
            given = {name: found[row][column] for name, found in answers.items()}
            outcome.situations[observer.tier, label.category, hold(observer, label)] += 1
            outcome.admitted += any(answer.may_have for answer in given.values())
            if len(set(given.values())) > 1:
                outcome.differing += 1
                outcome.differences.append(_describe(observer, label, given))
    return outcome


def count_rules(situations: Mapping[Situation, int], document: Document) -> dict[Place, int]:
    """Return how often each rule of the policy decided."""
    cells = read_cells(document)
    reached = {(*cell, condition): 0 for cell, rules in cells.items() for condition, _ in rules}
    for (tier, category, held), times in situations.items():
        for name in read_classes(document):
            rules = cells.get((tier, category, name), [])
            condition = next((condition for condition, _ in rules if condition in held), None)
            if condition is not None:
                reached[tier, category, name, condition] += times
    return reached


def _iter_answers(clearance: Clearance) -> Iterator[Answer]:
    allowed, classes = set(clearance.allowed), sorted(clearance.policy.classes)
    for lid in clearance.labels:
        rules = (clearance.rule(lid, name) for name in classes)
        yield Answer(lid in allowed, tuple(f"{rule.treatment} {rule.grain or ''}".strip() for rule in rules))


def _describe(observer: Observer, label: Label, given: Mapping[str, Answer]) -> str:
    """Say who is asked about with what label, and each decision of which the readings differ."""
    questions = ["may have it", *read_classes(_document())]
    said = {name: [str(answer.may_have), *answer.terms] for name, answer in given.items()}
    columns = zip(questions, *said.values(), strict=True)
    differing = [f"{what}: {dict(zip(said, terms, strict=True))}" for what, *terms in columns if len(set(terms)) > 1]
    return f"{observer} {label}: {'; '.join(differing)}"


def _print_outcome(what: str, outcome: Outcome) -> None:
    pairs = outcome.decisions // _decisions_of_one()
    print(f"{outcome.decisions} decisions {what}: {pairs} observers and labels, {outcome.admitted} of them admitted")


def _print_coverage(reached: Mapping[Place, int]) -> None:
    tiers = Counter(tier for tier, _, _, _ in reached)
    print(
        f"{len(reached)} rules of tier x category x class x condition, the least often {min(reached.values())} times:"
    )
    for tier, rules in tiers.items():
        times = sorted(count for place, count in reached.items() if place[0] == tier)
        print(f"  {tier}: {rules} rules, each {times[0]} to {times[-1]} times, half of them over {times[rules // 2]}")


def _decisions_of_one() -> int:
    """Return how many decisions one observer and one label make: to have it at all, and one a class."""
    return 1 + len(read_classes(_document()))


def _tiers() -> tuple[str, ...]:
    return tuple(_document()["tiers"])


@cache
def _document() -> Document:
    return read_document(POLICY_FILE)


@cache
def _readings() -> dict[str, Reading]:
    document = _document()
    return {
        "compiler": CompilerReading(),
        "plain": PlainReading(document),
        "cedar": CedarReading(document),
        "rego": RegoReading(document),
    }


if __name__ == "__main__":
    main()
