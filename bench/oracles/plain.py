"""The plain reading: the policy file taken at its word, slowly, and nothing of our own compiler."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ontology.label import Label
from ontology.observer import Observer

Rules = list[tuple[str, str]]  # condition, and the term of the file: "clear", "generalise year"
Cells = dict[tuple[str, str, str], Rules]  # (tier, category, field class)
Document = Mapping[str, Any]


class Answer(NamedTuple):
    """Whether an observer may have what carries a label, and what is done to each class, in alphabetical order."""

    may_have: bool
    terms: tuple[str, ...]


def read_document(path: Path) -> Document:
    """Return the policy file as YAML reads it."""
    found: Document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def read_classes(document: Document) -> list[str]:
    """Return the field classes, in alphabetical order."""
    return sorted(document["classes"])


def read_cells(document: Document) -> Cells:
    """Return each cell that the file writes, with its conditions in order."""
    return {
        (tier, category, name): _read_rules(cell)
        for name, spec in document["classes"].items()
        for categories, row in spec["cells"].items()
        for tiers, cell in row.items()
        for category in categories.split(", ")
        for tier in tiers.split(", ")
    }


class PlainReading:
    """Decides by looking a question up in the file, line by line."""

    def __init__(self, document: Document) -> None:
        self.cells = read_cells(document)
        self._classes = read_classes(document)
        self._tiers = document["tiers"]
        self._sharing = document["sharing"]

    def decide(self, observers: Sequence[Observer], labels: Sequence[Label]) -> list[list[Answer]]:
        """Return an answer for each observer (rows) and label (columns)."""
        return [[self._answer(observer, label) for label in labels] for observer in observers]

    def _answer(self, observer: Observer, label: Label) -> Answer:
        held = hold(observer, label)
        return Answer(self._may_have(observer, label, held), tuple(self._terms(observer, label, held)))

    def _may_have(self, observer: Observer, label: Label, held: frozenset[str]) -> bool:
        if observer.tier not in self._tiers or label.classification != "":
            return False
        sees = self._tiers[observer.tier].get("sees", "shared")
        if sees == "everything":
            return True
        if sees == "nothing":
            return False
        if observer.purpose not in label.purposes:
            return False
        if len(label.compartments) > 0 and not _meets(observer.compartments, label.compartments):
            return False
        if held.isdisjoint(self._sharing["tlp"][label.tlp]):
            return False
        if held.isdisjoint(self._sharing["category"][label.category]):
            return False
        return not held.isdisjoint(self._sharing["handling"][label.handling])

    def _terms(self, observer: Observer, label: Label, held: frozenset[str]) -> Iterator[str]:
        for name in self._classes:
            rules = self.cells.get((observer.tier, label.category, name), [])
            yield next((term for condition, term in rules if condition in held), "absent")


def hold(observer: Observer, label: Label) -> frozenset[str]:
    """Return the conditions that hold between an observer and a label."""
    return frozenset(name for name, is_held in _CONDITIONS.items() if is_held(observer, label))


def _read_rules(cell: Any) -> Rules:
    if isinstance(cell, str):
        return [("otherwise", cell)]
    said = [(condition, term) for condition, term in cell.items() if condition not in ("known", "otherwise")]
    return [*said, ("otherwise", cell["otherwise"])]


def _meets(held: Sequence[str], wanted: Sequence[str]) -> bool:
    for name in wanted:
        needed = name.split(" & ")
        if len([part for part in needed if part in held]) == len(needed):
            return True
    return False


def _belongs(observer: Observer) -> bool:
    return observer.tier != "public"


def _owns(observer: Observer, label: Label) -> bool:
    return _belongs(observer) and label.owner != "" and label.owner == observer.organisation


def _is_released(observer: Observer, label: Label) -> bool:
    return _belongs(observer) and observer.organisation in label.release


def _is_named(observer: Observer, label: Label) -> bool:
    if not _owns(observer, label) and not _is_released(observer, label):
        return False
    return len(label.cases) == 0 or _meets(observer.cases, label.cases)


_CONDITIONS: Mapping[str, Callable[[Observer, Label], bool]] = {
    "anyone": lambda _observer, _label: True,
    "otherwise": lambda _observer, _label: True,
    "member": lambda observer, _label: _belongs(observer),
    "own_organisation": _owns,
    "own_file": lambda observer, label: _owns(observer, label) and len(label.cases) == 0,
    "released": _is_released,
    "own_case": lambda observer, label: _belongs(observer) and _meets(observer.cases, label.cases),
    "ordered": lambda observer, label: _belongs(observer) and _meets(observer.orders, label.cases),
    "source_team": lambda observer, label: _owns(observer, label) and _meets(observer.compartments, label.compartments),
    "named": _is_named,
}
