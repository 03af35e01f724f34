"""What a View shows: records, entities, links and pages, every value already treated.

Nothing here can reach a stored value: these are plain results. `thing` is the
internal id and never leaves for a caller; `id` is the observer's handle for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from ontology.judgement import Verdict
from ontology.policy import Treatment

Item = TypeVar("Item")
Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Redaction:
    """A class of values that is withheld, wholly or in part, whether or not there are any.

    `reason` names the tier and the category that decide, `contact` whom to ask.
    """

    field_class: str
    treatment: Treatment
    reason: str
    contact: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where something shown comes from; a part that the observer may not have is None.

    `record` is the id of the thing that it is said of, `assertion` the handle of
    what says so: a facet of that thing, or a link.
    """

    record: str
    assertion: str
    source: str | None
    capture: str | None
    handling: Mapping[str, str] | None  # handling, tlp, pap, source_grade, information_grade, basis
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ShownFacet:
    """What one assertion of a record shows. `treatments` tells of each property in `values` what was done to it."""

    values: Values
    treatments: Mapping[str, Treatment]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """One record as its observer sees it: the union of the facets that they may have, in one order for all."""

    thing: str
    id: str
    schema: str
    caption: str
    values: Values
    facets: tuple[ShownFacet, ...]
    redactions: tuple[Redaction, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """The records that an observer holds to be one thing, earliest first.

    `id` is the handle of the earliest; any of its records' ids names it too.
    """

    thing: str
    id: str
    schema: str
    caption: str
    values: Values
    records: tuple[ShownRecord, ...]
    redactions: tuple[Redaction, ...]

    @property
    def things(self) -> frozenset[str]:
        """The things of all its records."""
        return frozenset(r.thing for r in self.records)

    def provenance(self, name: str) -> list[tuple[str, Provenance]]:
        """Return each value of a property with where it comes from, in the order of `values`."""
        return [
            (value, facet.provenance)
            for value in self.values.get(name, ())
            for record in self.records
            for facet in record.facets
            if value in facet.values.get(name, ())
        ]


@dataclass(frozen=True, slots=True)
class ShownLink:
    """One link as its observer sees it; `left` and `right` are things."""

    id: str
    schema: str
    left: str
    right: str
    values: Values
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entity one link away. `verb` reads from the asked entity: "posted on", "paid by"."""

    link: ShownLink
    verb: str
    entity: Entity


@dataclass(frozen=True, slots=True)
class Tie:
    """Two entities and how the left one is linked to the right one: "posted on", "paid"."""

    left: Entity
    verb: str
    right: Entity


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list: `cursors` match `items`, `total` counts the whole list in this View."""

    items: tuple[Item, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int


@dataclass(frozen=True, slots=True)
class Weight:
    """What one comparison adds for this observer, in bits, and why."""

    comparison: str
    weight: float
    level: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two records are, or are not, one thing for this observer.

    `prior` and `total` are in bits; both None when no rule that the observer may
    see proposed the pair. `by` is ``identifier``, ``weights``, ``judgement`` or
    ``nothing``; `judged` is the judgement in force, whichever decided.
    """

    left: str
    right: str
    same: bool
    by: str
    model: str | None = None
    prior: float | None = None
    stop: float | None = None
    total: float | None = None
    weights: tuple[Weight, ...] = field(default=())
    judged: "ShownJudgement | None" = None


@dataclass(frozen=True, slots=True)
class ShownJudgement:
    """A judgement as its observer sees it; a part that they may not have is None."""

    verdict: Verdict
    by: str | None
    reason: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert whose ground its observer may still see: the link that came, which says when it was recorded."""

    id: str
    watch: str
    entity: Entity
    neighbour: Neighbour

    @property
    def recorded_at(self) -> datetime:
        """When the link was recorded. Not when we noticed: that would tell of imports that are hidden."""
        return self.neighbour.link.provenance.recorded_at
