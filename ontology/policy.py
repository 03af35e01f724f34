"""Policy: tier x field class -> treatment, as data, and what it gives one observer.

Default-deny with no deny rules: a cell that nothing is written for gives
nothing. `ontology.policy_file` reads it and refuses one that is not total.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ontology.condition import has_condition, is_met
from ontology.label import CATEGORIES, Label
from ontology.observer import SYSTEM_TIER, Observer


class Treatment(StrEnum):
    """What is done to a value before anything else sees it."""

    CLEAR = "clear"
    MASK = "mask"
    GENERALISE = "generalise"
    PSEUDONYM = "pseudonym"
    COUNT = "count"
    ABSENT = "absent"


class Right(StrEnum):
    """What an observer may do besides reading."""

    EXPORT = "export"
    IMPORT = "import"
    JUDGE = "judge"
    LABEL = "label"
    WATCH = "watch"


class Sees(StrEnum):
    """Which assertions a tier may have at all: what `sharing` admits, all (oversight) or none."""

    SHARED = "shared"
    EVERYTHING = "everything"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a cell: a treatment for whoever meets a condition.

    `grain` says how coarse a generalised value becomes, None for what the value's type takes for granted.
    """

    condition: str
    treatment: Treatment
    grain: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one tier is given of one field class of one category: the first rule whose condition holds."""

    rules: tuple[Rule, ...]  # the last condition is always "otherwise"
    known: bool


@dataclass(frozen=True, slots=True)
class Tier:
    """A class of observers, the purpose that they act for unless they say another, and what they may do.

    `merges` names the tier whose merges they are granted as a released fact, None for what they see themselves.
    """

    name: str
    description: str
    purpose: str
    rights: frozenset[Right]
    sees: Sees
    merges: str | None


@dataclass(frozen=True, slots=True)
class Cube:
    """One fixed table of counts: things of a schema whose label has a category, by two properties."""

    name: str
    description: str
    schema: str
    category: str
    by: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is given what. `digest` (64 hex digits) changes with any change of it.

    `floor` and `rounding` bound every number of `cubes`: none below the one, each a multiple of the other.
    """

    tiers: Mapping[str, Tier]
    sharing: Mapping[str, Mapping[str, tuple[str, ...]]]
    cells: Mapping[tuple[str, str, str], Cell]  # (field class, category, tier)
    classes: Mapping[str, str]  # field class -> description
    contacts: Mapping[str, str]
    cubes: Mapping[str, Cube]
    floor: int
    rounding: int
    digest: str
    # What was read off the cells, by category and tier, and for a table by the conditions that hold.
    _conditions: dict[tuple[str, str], tuple[str, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _tables: dict[tuple[str, str, tuple[str, ...]], Mapping[str, Rule]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def compile(self, observer: Observer, labels: Mapping[int, Label]) -> "Clearance":
        """Evaluate the policy for one observer over every distinct label."""
        return Clearance(self, observer, labels)

    def conditions(self, category: str, tier: str) -> tuple[str, ...]:
        """Return every condition that is asked about data subjects of a category for a tier, in alphabetical order."""
        place = (category, tier)
        if place not in self._conditions:
            cells = (self.cells.get((name, category, tier)) for name in self.classes)
            asked = {rule.condition for cell in cells if cell for rule in cell.rules}
            self._conditions[place] = tuple(sorted(asked))
        return self._conditions[place]

    def table(self, category: str, tier: str, held: tuple[str, ...]) -> Mapping[str, Rule]:
        """Return the rule of every class for a tier where these conditions hold; always the same mapping."""
        place = (category, tier, held)
        if place not in self._tables:
            cells = ((name, self.cells.get((name, category, tier))) for name in self.classes)
            self._tables[place] = {
                name: next(rule for rule in cell.rules if rule.condition in held) for name, cell in cells if cell
            }
        return self._tables[place]

    def reachable(self, tier: str, field_class: str) -> frozenset[Treatment]:
        """Return every treatment that a tier can ever be given for a class, over all categories."""
        cells = (self.cells[field_class, category, tier] for category in CATEGORIES)
        return frozenset(rule.treatment for cell in cells for rule in cell.rules)

    def contact(self, label: Label) -> str:
        """Return whom to ask about what is under a label."""
        return self.contacts.get(label.category, self.contacts["otherwise"])

    def has_right(self, observer: Observer, right: Right) -> bool:
        """Whether an observer's tier may do something; the system may do all."""
        tier = self.tiers.get(observer.tier)
        return observer.tier == SYSTEM_TIER or (tier is not None and right in tier.rights)


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
        self._everything = dict.fromkeys(policy.classes, _EVERYTHING) if self._all else {}
        self._rules: dict[int, Mapping[str, Rule]] = {}

    @property
    def tier(self) -> str:
        """The tier that markers speak of."""
        return self.observer.tier

    def treatment(self, lid: int, field_class: str) -> Treatment:
        """Return what is done to values of a class under a label; ABSENT where nothing says otherwise."""
        return self.rule(lid, field_class).treatment

    def rule(self, lid: int, field_class: str) -> Rule:
        """Return the rule that says what is done to values of a class under a label."""
        return self.rules(lid).get(field_class, _EVERYTHING if self._all else _NOTHING)

    def rules(self, lid: int) -> Mapping[str, Rule]:
        """Return the rule of every class under a label; labels in the same situation share one mapping.

        What is not in it is absent.
        """
        found = self._rules.get(lid)
        if found is None:
            found = self._rules[lid] = self._find_rules(lid)
        return found

    def is_known(self, lid: int, field_class: str) -> bool:
        """Whether the observer may know that values of this class are withheld.

        A function of policy and label alone, never of whether a value is there.
        """
        if self._all or lid not in self.labels:
            return False
        cell = self.policy.cells.get((field_class, self.labels[lid].category, self.observer.tier))
        return cell is not None and cell.known and self.treatment(lid, field_class) is not Treatment.CLEAR

    def told_treatment(self, lid: int, field_class: str) -> Treatment:
        """Return the treatment that a marker tells of."""
        return self.treatment(lid, field_class)

    def contact(self, lid: int) -> str:
        """Return whom to ask about what is withheld under a label."""
        return self.policy.contact(self.labels[lid])

    def _find_rules(self, lid: int) -> Mapping[str, Rule]:
        """Evaluate the conditions between observer and label once each, and look up what they open."""
        if self._all:
            return self._everything
        label = self.labels.get(lid)
        if label is None:
            return {}
        tier = self.observer.tier
        asked = self.policy.conditions(label.category, tier)
        held = tuple(name for name in asked if has_condition(name, self.observer, label))
        return self.policy.table(label.category, tier, held)


class JointClearance(Clearance):
    """What two observers may both have: each class as it is treated for whoever of them is shown less of it.

    Where neither treatment shows less than the other, such as a mask and a
    pseudonym, nothing is shown. Markers are the second observer's, for whom it is made.
    """

    def __init__(self, own: Clearance, other: Clearance) -> None:
        self.observer = own.observer
        self.policy = own.policy
        self.labels = own.labels
        self.allowed = sorted(set(own.allowed) & set(other.allowed))
        self._own = own
        self._other = other
        self._joint: dict[tuple[int, int], Mapping[str, Rule]] = {}

    @property
    def tier(self) -> str:
        """The tier of the second observer."""
        return self._other.tier

    def rules(self, lid: int) -> Mapping[str, Rule]:
        """Return the stricter rule of every class under a label."""
        own, other = self._own.rules(lid), self._other.rules(lid)
        place = (id(own), id(other))
        if place not in self._joint:
            self._joint[place] = {
                name: choose_stricter(own.get(name, _NOTHING), other.get(name, _NOTHING))
                for name in self.policy.classes
            }
        return self._joint[place]

    def rule(self, lid: int, field_class: str) -> Rule:
        """Return the stricter rule."""
        return self.rules(lid).get(field_class, _NOTHING)

    def is_known(self, lid: int, field_class: str) -> bool:
        """Whether the second observer may know that values of this class are withheld."""
        return self._other.is_known(lid, field_class)

    def told_treatment(self, lid: int, field_class: str) -> Treatment:
        """Return the second observer's treatment: the joint one would tell of the first's."""
        return self._other.treatment(lid, field_class)


def choose_stricter(one: Rule, other: Rule) -> Rule:
    """Return the rule that shows less; nothing where neither does and they differ."""
    if OPENNESS[one.treatment] != OPENNESS[other.treatment]:
        return min(one, other, key=lambda rule: OPENNESS[rule.treatment])
    is_alike = (one.treatment, one.grain) == (other.treatment, other.grain)
    return one if is_alike else _NOTHING


# How much a treatment shows; of those that show as much, none shows less than another.
OPENNESS = {
    Treatment.CLEAR: 3,
    Treatment.MASK: 2,
    Treatment.GENERALISE: 2,
    Treatment.PSEUDONYM: 2,
    Treatment.COUNT: 1,
    Treatment.ABSENT: 0,
}
_EVERYTHING = Rule("otherwise", Treatment.CLEAR)
_NOTHING = Rule("otherwise", Treatment.ABSENT)


def _admits(policy: Policy, observer: Observer, label: Label) -> bool:
    tier = policy.tiers.get(observer.tier)
    if tier is None or label.classification:
        return False
    if tier.sees is not Sees.SHARED:
        return tier.sees is Sees.EVERYTHING
    return (
        observer.purpose in label.purposes
        and (not label.compartments or is_met(observer.compartments, label.compartments))
        and all(
            any(has_condition(c, observer, label) for c in terms.get(getattr(label, part), ()))
            for part, terms in policy.sharing.items()
        )
    )
