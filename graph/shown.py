"""What a View shows: records, entities, links and pages, every value already treated.

These are plain results, but for Entity, whose stored records nothing reaches
but the Treater that shows them. `thing` is the internal id and never leaves for
a caller; `id` is the observer's handle for it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from ontology.judgement import Verdict
from ontology.policy import Treatment
from ontology.record import Record

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
class ShownEntity:
    """An entity shown whole: every record, and what each of them holds."""

    thing: str
    id: str
    schema: str
    caption: str
    values: Values
    records: tuple[ShownRecord, ...]
    redactions: tuple[Redaction, ...]

    def provenance(self, name: str) -> list[tuple[str, Provenance]]:
        """Return each value of a property with where it comes from, in the order of `values`."""
        return [
            (value, facet.provenance)
            for value in self.values.get(name, ())
            for record in self.records
            for facet in record.facets
            if value in facet.values.get(name, ())
        ]


class Shower(Protocol):
    """What an entity asks of the Treater that shows it."""

    @property
    def ids(self) -> Mapping[str, str]:
        """The observer's handle of each thing."""

    def most_specific(self, schemata: Iterable[str]) -> str:
        """Return the most specific of some schemata."""

    def show_entity(self, facets: Mapping[str, Sequence[Record]]) -> ShownEntity:
        """Return what is shown of the records of some things that are one entity."""


class Entity:
    """The records that an observer holds to be one thing, earliest first.

    `id` is the handle of the earliest; any of its records' ids names it too.
    What is stored stays inside and is treated when it is asked for: a list wants
    a few values of each (`graph.selection`), and seldom the whole. `shower` does
    that; `version` is the stored id of its record where it has only one, which
    never leaves for a caller.
    """

    __slots__ = ("_facets", "_only", "_whole", "schema", "shower", "thing", "version")

    def __init__(self, facets: Mapping[str, Sequence[Record]], shower: Shower) -> None:
        self._facets = facets
        self.shower = shower
        self._whole: ShownEntity | None = None
        self.thing = next(iter(facets))
        records = facets[self.thing]
        # Most entities are one record in one part.
        self._only = records[0] if len(facets) == len(records) == 1 else None
        self.version = self._only.id if self._only is not None else None
        self.schema = (
            self._only.schema
            if self._only is not None
            else shower.most_specific(record.schema for found in facets.values() for record in found)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and self.whole == other.whole

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.whole)

    @property
    def id(self) -> str:
        """The observer's handle of its earliest thing."""
        return self.shower.ids[self.thing]

    @property
    def things(self) -> frozenset[str]:
        """The things of all its records."""
        return frozenset(self._facets)

    @property
    def whole(self) -> ShownEntity:
        """Everything that its observer is shown of it."""
        if self._whole is None:
            self._whole = self.shower.show_entity(self._facets)
        return self._whole

    @property
    def caption(self) -> str:
        """What to call it."""
        return self.whole.caption

    @property
    def values(self) -> Values:
        """The values of all its records together, by property."""
        return self.whole.values

    @property
    def records(self) -> tuple[ShownRecord, ...]:
        """Its records, earliest first."""
        return self.whole.records

    @property
    def redactions(self) -> tuple[Redaction, ...]:
        """What is withheld of it."""
        return self.whole.redactions

    def provenance(self, name: str) -> list[tuple[str, Provenance]]:
        """Return each value of a property with where it comes from, in the order of `values`."""
        return self.whole.provenance(name)


@dataclass(frozen=True, slots=True)
class ShownLink:
    """One link as its observer sees it; `left` and `right` are things."""

    id: str
    schema: str
    left: str
    right: str
    values: Values
    provenance: Provenance


class Neighbour:
    """An entity one link away. `verb` reads from the asked entity: "posted on", "paid by". The link is shown when asked."""

    __slots__ = ("_link", "_show", "entity", "verb")

    def __init__(self, show: Callable[[], ShownLink], verb: str, entity: Entity) -> None:
        self._show = show
        self._link: ShownLink | None = None
        self.verb = verb
        self.entity = entity

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Neighbour) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.to_dict())

    @property
    def link(self) -> ShownLink:
        """The link that leads there."""
        if self._link is None:
            self._link = self._show()
        return self._link

    def to_dict(self) -> dict[str, object]:
        """Return its parts, each shown whole."""
        return {"link": self.link, "verb": self.verb, "entity": self.entity.whole}


@dataclass(frozen=True, slots=True)
class Tie:
    """Two entities and how the left one is linked to the right one: "posted on", "paid"."""

    left: Entity
    verb: str
    right: Entity


@dataclass(frozen=True, slots=True)
class Hit:
    """An entity that a text was found in, and the value of the record that matched best, in clear.

    `score` (0.0 to 100.0) says how well that record matches; hits are ordered by
    it. `provenance` names the record, and says where the value comes from.
    """

    entity: Entity
    name: str
    value: str
    score: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Reached:
    """An entity and how many links lead to it, by the shortest way."""

    entity: Entity
    distance: int


@dataclass(frozen=True, slots=True)
class LinkBetween:
    """One link with the entities at its ends. `verb` reads from the left one: "posted on", "paid"."""

    left: Entity
    verb: str
    right: Entity
    link: ShownLink


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What lies around an entity: the nearest first, and the links among these and it, by type and the latest first.

    `is_complete` says that neither entities nor links were left out for being many.
    """

    entity: Entity
    reached: tuple[Reached, ...]
    links: tuple[LinkBetween, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Path:
    """A way from one entity to another, link by link; the last step leads to its end. Without steps the two are one."""

    start: Entity
    steps: tuple[Neighbour, ...]

    @property
    def end(self) -> Entity:
        """The entity that it leads to."""
        return self.steps[-1].entity if self.steps else self.start


@dataclass(frozen=True, slots=True)
class Paths:
    """The shortest paths that were found, and whether there are more of them.

    `is_complete` says that nothing within reach was left unvisited; where it is
    False, there may be shorter ones or others.
    """

    items: tuple[Path, ...]
    has_next: bool
    is_complete: bool


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
