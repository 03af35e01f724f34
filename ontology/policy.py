"""Policy: tier x field class -> treatment, read from data and compiled once per request.

Default-deny with no deny rules: a cell that nothing is written for gives
nothing, and the loader refuses a policy that leaves a cell unwritten.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from ontology.digest import canonical_json
from ontology.errors import PolicyError
from ontology.label import BOTH, CATEGORIES, HANDLINGS, PURPOSES, TLPS, Label
from ontology.observer import SYSTEM_TIER, Observer
from ontology.schema import default_ontology

POLICY_FILE = Path(__file__).with_name("policy.yaml")

# Classes of what no property holds: who said it, how it is handled, what had no place.
_OWN_CLASSES = ("source", "handling", "raw")


class Treatment(StrEnum):
    """What is done to a value before anything else sees it."""

    CLEAR = "clear"
    MASK = "mask"
    GENERALISE = "generalise"
    PSEUDONYM = "pseudonym"
    COUNT = "count"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one tier is given of one field class of one category: the first rule whose condition holds."""

    rules: tuple[tuple[str, Treatment], ...]  # the last condition is always "otherwise"
    known: bool


@dataclass(frozen=True, slots=True)
class Tier:
    """A class of observers, and the purpose that they act for unless they say another."""

    name: str
    description: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is given what. `digest` (64 hex digits) changes with any change of it."""

    tiers: Mapping[str, Tier]
    sharing: Mapping[str, Mapping[str, tuple[str, ...]]]
    cells: Mapping[tuple[str, str, str], Cell]  # (field class, category, tier)
    classes: Mapping[str, str]  # field class -> description
    contacts: Mapping[str, str]
    digest: str

    def compile(self, observer: Observer, labels: Mapping[int, Label]) -> "Clearance":
        """Evaluate the policy for one observer over every distinct label."""
        return Clearance(self, observer, labels)

    def reachable(self, tier: str, field_class: str) -> frozenset[Treatment]:
        """Return every treatment that a tier can ever be given for a class, over all categories."""
        cells = (self.cells[field_class, category, tier] for category in CATEGORIES)
        return frozenset(treatment for cell in cells for _, treatment in cell.rules)


class Clearance:
    """The policy as it stands for one observer: which labels they may have, and how each class is treated.

    `allowed` lists the lids that the observer may have, ascending.
    """

    def __init__(self, policy: Policy, observer: Observer, labels: Mapping[int, Label]) -> None:
        self.observer = observer
        self.policy = policy
        self.labels = labels
        self._all = observer.tier == SYSTEM_TIER
        self.allowed = sorted(lid for lid, label in labels.items() if self._all or _admits(policy, observer, label))
        self._treatments: dict[tuple[int, str], Treatment] = {}

    def treatment(self, lid: int, field_class: str) -> Treatment:
        """Return what is done to values of a class under a label; ABSENT where nothing says otherwise."""
        found = self._treatments.get((lid, field_class))
        if found is None:
            found = self._treatments[lid, field_class] = self._evaluate(lid, field_class)
        return found

    def is_known(self, lid: int, field_class: str) -> bool:
        """Whether the observer may know that values of this class are withheld.

        A function of policy and label alone, never of whether a value is there.
        """
        if self._all or lid not in self.labels:
            return False
        cell = self.policy.cells.get((field_class, self.labels[lid].category, self.observer.tier))
        return cell is not None and cell.known and self.treatment(lid, field_class) is not Treatment.CLEAR

    def contact(self, lid: int) -> str:
        """Return whom to ask about what is withheld under a label."""
        contacts = self.policy.contacts
        return contacts.get(self.labels[lid].category, contacts["otherwise"])

    def _evaluate(self, lid: int, field_class: str) -> Treatment:
        if self._all:
            return Treatment.CLEAR
        label = self.labels.get(lid)
        if label is None:
            return Treatment.ABSENT
        cell = self.policy.cells.get((field_class, label.category, self.observer.tier))
        if cell is None:
            return Treatment.ABSENT
        return next(t for condition, t in cell.rules if _holds(condition, self.observer, label))


@cache
def default_policy() -> Policy:
    """Return the policy that ships with Vinculum."""
    return load_policy(POLICY_FILE)


def load_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises PolicyError, naming the cell, for one that is missing or that names an
    unknown tier, class, category, condition or treatment.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise PolicyError(f"{path.name}: expected YAML, found a syntax error") from exc
    return make_policy(data, path.name)


def make_policy(data: Any, file: str) -> Policy:
    """Check a policy that was read from YAML; `file` names it in errors."""
    parts = {part: _section(data, part, file) for part in ("tiers", "contacts", "sharing", "classes")}
    tiers = {name: _read_tier(name, spec, f"{file}: tiers") for name, spec in parts["tiers"].items()}
    if SYSTEM_TIER in tiers:
        raise PolicyError(f"{file}: tiers.{SYSTEM_TIER}: the name is reserved")
    if "otherwise" not in data["contacts"]:
        raise PolicyError(f"{file}: contacts.otherwise: missing")
    cells: dict[tuple[str, str, str], Cell] = {}
    known = {*default_ontology().field_classes(), *_OWN_CLASSES}
    for field_class in sorted(known - data["classes"].keys()):
        raise PolicyError(f"{file}: classes.{field_class}: missing")
    for field_class, spec in data["classes"].items():
        _check(field_class, known, f"{file}: classes", "class")
        cells |= _read_class(field_class, spec, tiers, f"{file}: classes.{field_class}")
    return Policy(
        tiers=tiers,
        sharing={
            "tlp": _read_sharing(data["sharing"], "tlp", TLPS, file),
            "handling": _read_sharing(data["sharing"], "handling", HANDLINGS, file),
        },
        cells=cells,
        classes={name: _text(spec, "description", f"{file}: classes.{name}") for name, spec in data["classes"].items()},
        contacts=data["contacts"],
        digest=sha256(canonical_json(data)).hexdigest(),
    )


def _read_tier(name: str, spec: Any, where: str) -> Tier:
    tier = Tier(name, _text(spec, "description", f"{where}.{name}"), _text(spec, "purpose", f"{where}.{name}"))
    _check(tier.purpose, PURPOSES, f"{where}.{name}", "purpose")
    return tier


def _section(data: Any, key: str, where: str) -> Mapping[Any, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise PolicyError(f"{where}: {key}: expected a mapping, found {type(found).__name__}")
    return found


def _text(data: Any, key: str, where: str) -> str:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, str):
        raise PolicyError(f"{where}.{key}: expected text, found {type(found).__name__}")
    return found


def _read_sharing(data: Mapping[str, Any], part: str, terms: Iterable[str], file: str) -> dict[str, tuple[str, ...]]:
    found = _section(data, part, f"{file}: sharing")
    for term in terms:
        if not isinstance(found.get(term), list):
            raise PolicyError(f"{file}: sharing.{part}.{term}: missing")
        for condition in found[term]:
            _check(condition, _CONDITIONS, f"{file}: sharing.{part}.{term}", "condition")
    return {term: tuple(found[term]) for term in terms}


def _read_class(
    field_class: str, spec: Mapping[str, Any], tiers: Mapping[str, Tier], where: str
) -> dict[tuple[str, str, str], Cell]:
    cells = {}
    for group, row in _section(spec, "cells", where).items():
        if not isinstance(row, dict):
            raise PolicyError(f"{where}.cells.{group}: expected a mapping, found {type(row).__name__}")
        for category in (c.strip() for c in str(group).split(",")):
            _check(category, CATEGORIES, f"{where}.cells", "category")
            for tier, cell in row.items():
                _check(tier, tiers, f"{where}.cells.{category}", "tier")
                cells[field_class, category, tier] = _read_cell(cell, f"{where}.cells.{category}.{tier}")
    for category in CATEGORIES:
        for tier in tiers:
            if (field_class, category, tier) not in cells:
                raise PolicyError(f"{where}.cells.{category}.{tier}: missing")
    return cells


def _read_cell(cell: Any, where: str) -> Cell:
    if isinstance(cell, str):
        cell = {"otherwise": cell}
    if not isinstance(cell, dict) or "otherwise" not in cell:
        raise PolicyError(f"{where}: expected a treatment, or conditions with otherwise")
    rules = [(condition, treatment) for condition, treatment in cell.items() if condition not in ("known", "otherwise")]
    rules.append(("otherwise", cell["otherwise"]))
    for condition, treatment in rules:
        _check(condition, _CONDITIONS, where, "condition")
        _check(treatment, [t.value for t in Treatment], where, "treatment")
    return Cell(
        tuple((c, Treatment(t)) for c, t in rules),
        known=cell.get("known", False) is True,
    )


def _check(term: Any, known: Iterable[str], where: str, what: str) -> None:
    if term not in set(known):
        raise PolicyError(f"{where}: unknown {what} {term!s:.40}")


def _admits(policy: Policy, observer: Observer, label: Label) -> bool:
    return (
        not label.classification
        and observer.purpose in label.purposes
        and (not label.compartments or _meets(observer.compartments, label.compartments))
        and any(_holds(c, observer, label) for c in policy.sharing["tlp"][label.tlp])
        and any(_holds(c, observer, label) for c in policy.sharing["handling"][label.handling])
    )


def _holds(condition: str, observer: Observer, label: Label) -> bool:
    return _CONDITIONS[condition](observer, label)


def _meets(held: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether one of the names wanted is held, or all the names that it joins."""
    names = set(held)
    return any(names.issuperset(name.split(BOTH)) for name in wanted)


def _is_owner(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and observer.organisation == label.owner != ""


def _is_released(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and observer.organisation in label.release


def _is_on_case(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and _meets(observer.cases, label.cases)


def _is_named(observer: Observer, label: Label) -> bool:
    """Whether the observer is a named recipient: of the owner's or a released organisation and on the label's case."""
    is_recipient = _is_owner(observer, label) or _is_released(observer, label)
    return is_recipient and (not label.cases or _is_on_case(observer, label))


def _is_member(observer: Observer, label: Label) -> bool:
    del label
    return observer.tier != "public"


def _is_anyone(observer: Observer, label: Label) -> bool:
    del observer, label
    return True


_CONDITIONS: Mapping[str, Callable[[Observer, Label], bool]] = {
    "anyone": _is_anyone,
    "otherwise": _is_anyone,
    "member": _is_member,
    "own_organisation": _is_owner,
    "released": _is_released,
    "own_case": _is_on_case,
    "named": _is_named,
}
