"""Treating: from a stored record to what one observer is shown of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

from graph.handle import Handles
from graph.shown import Provenance, Redaction, ShownEntity, ShownFacet, ShownJudgement, ShownLink, ShownRecord, Values
from graph.store import Keyed, Outline
from ontology.digest import make_id
from ontology.judgement import Judgement
from ontology.key import make_key
from ontology.pair import BlockingKey, Evidence
from ontology.policy import Clearance, Rule, Treatment
from ontology.record import Link, Properties, Record
from ontology.schema import Ontology, Property, Schema

Place = TypeVar("Place")
Made = TypeVar("Made")
# What is shown for some values.
Treat = Mapping[tuple[str, ...], tuple[str, ...]]

# Whose values are seen is a matter of schema and label alone.
Sighted = Record | Outline

# A treater lives as long as its observer keeps asking, so nothing that it remembers may grow without end.
_REMEMBERED = 2_000
_REMEMBERED_IDS = 20_000
_HIDDEN = frozenset({Treatment.COUNT, Treatment.ABSENT})
_COMPARABLE = frozenset({Treatment.CLEAR, Treatment.PSEUDONYM})


class Treater:
    """Applies one clearance to records and links, and tells what may be compared under it.

    `merging` is the clearance under which records are compared: None for the
    observer's own, another where the policy grants them the merges of a tier.
    """

    def __init__(
        self, ontology: Ontology, clearance: Clearance, handles: Handles, merging: Clearance | None = None
    ) -> None:
        self.ontology = ontology
        self._clearance = clearance
        self._merging = merging or clearance
        self._handles = handles
        self._plans: dict[tuple[str, int, tuple[str, ...]], _Plan] = {}
        # Many labels are treated alike, and share their plans.
        self._plans_of_rules: dict[tuple[str, int, tuple[str, ...]], _Plan] = {}
        self._treats: dict[tuple[str, Rule], _Treat] = {}
        self._redacted: dict[tuple[str, int], tuple[Redaction, ...]] = {}
        self._seen_by: dict[tuple[str, int, tuple[str, ...]], Treatment] = {}
        self._selections: dict[object, Any] = {}

    @property
    def allowed(self) -> list[int]:
        """The lids that the observer may have, ascending."""
        return self._clearance.allowed

    @cached_property
    def keyed(self) -> list[Keyed]:
        """Where the observer could compare identifying keys: under which labels, for which schemata."""
        schemata_by_lids: dict[tuple[int, ...], list[str]] = {}
        for schema in self.ontology.things():
            if schema.key:
                alike = (lids for lids in self._alike if self._seen(schema.name, lids[0], schema.key) in _COMPARABLE)
                lids = tuple(sorted(chain.from_iterable(alike)))
                schemata_by_lids.setdefault(lids, []).append(schema.name)
        return [Keyed(tuple(names), lids) for lids, names in schemata_by_lids.items() if lids]

    @cached_property
    def _alike(self) -> list[list[int]]:
        """The labels allowed, those together under which the same is compared."""
        groups: dict[int, list[int]] = {}
        for lid in self.allowed:
            groups.setdefault(id(self._merging.rules(lid)), []).append(lid)
        return list(groups.values())

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The observer's handle of each thing that there is, sealed when it is looked up first."""
        return _Ids(self._handles)

    def rank(self, identity: str) -> bytes:
        """Return what breaks a tie between things or links for this observer's organisation (see `Handles.rank`)."""
        return self._handles.rank(identity)

    def show_entity(self, facets: Mapping[str, Sequence[Record]]) -> ShownEntity:
        """Return what the observer is shown of the current facets of the things that are one entity, earliest first."""
        records = [self.show_record(facets[thing]) for thing in facets]
        schema = self.most_specific(record.schema for record in records)
        merged = merge_values(record.values for record in records)
        return ShownEntity(
            thing=next(iter(facets)),
            id=records[0].id,
            schema=schema,
            caption=self.caption(self.ontology[schema], merged),
            values=merged,
            records=tuple(records),
            redactions=tuple(dict.fromkeys(r for record in records for r in record.redactions)),
        )

    def show_record(self, facets: Sequence[Record]) -> ShownRecord:
        """Return what the observer is shown of the current facets of one thing, at least one."""
        schema = self.most_specific(record.schema for record in facets)
        shown = tuple(self._show_facet(record) for record in facets)
        values = merge_values(facet.values for facet in shown)
        return ShownRecord(
            thing=facets[0].thing,
            id=self.ids[facets[0].thing],
            schema=schema,
            caption=self.caption(self.ontology[schema], values),
            values=values,
            facets=shown,
            redactions=tuple(dict.fromkeys(r for record in facets for r in self._redactions(record))),
        )

    def show_link(self, link: Link) -> ShownLink:
        """Return what the observer is shown of a link."""
        identity = self.assertion(link)
        return ShownLink(
            id=identity,
            schema=link.schema,
            left=link.left,
            right=link.right,
            values=self.values(link.schema, link.lid, link.properties),
            provenance=self._provenance(link, link.left, identity),
        )

    def assertion(self, said: Record | Link) -> str:
        """Return the handle of one assertion: a facet of a thing, or a link."""
        if isinstance(said, Record):
            return self._handles.seal("facet", facet_identity(said))
        return self._handles.seal("link", said.identity)

    def show_judgement(self, judgement: Judgement, on: Iterable[Record]) -> ShownJudgement:
        """Return what the observer is shown of a judgement: who decided and why, within their own organisation alone.

        The reason may tell of what it was judged on, so notes on all of that must
        be theirs too: the joined label of two records can open a class that one of
        them keeps shut.
        """
        lids = {*judgement.grounds, *(record.lid for record in on)}
        is_own = judgement.label.owner == self._clearance.observer.organisation != ""
        is_readable = is_own and all(self._clearance.treatment(lid, "notes") is Treatment.CLEAR for lid in lids)
        return ShownJudgement(
            verdict=judgement.verdict,
            by=judgement.by if is_own else None,
            reason=judgement.reason if is_readable else None,
            recorded_at=judgement.recorded_at,
        )

    def most_specific(self, schemata: Iterable[str]) -> str:
        """Return the most specific of some schemata, the first in the alphabet of equals."""
        return min(set(schemata), key=lambda name: (-len(self.ontology[name].lineage), name))

    def caption(self, schema: Schema, values: Values) -> str:
        """Return the best visible name of a thing, or what kind of thing it is."""
        return next(
            (values[name][0] for name in schema.caption if values.get(name)),
            schema.label,
        )

    def show_caption(self, record: Record) -> str:
        """Return the best visible name of one facet."""
        schema = self.ontology[record.schema]
        names = {name: record.properties[name] for name in schema.caption if name in record.properties}
        return self.caption(schema, self.values(record.schema, record.lid, names))

    def values(self, schema: str, lid: int, properties: Properties) -> dict[str, tuple[str, ...]]:
        """Return the treated values of an assertion, by property in alphabetical order; none of them empty."""
        names = tuple(properties)
        plan = self._plans.get((schema, lid, names))
        if plan is None:
            plan = _keep(self._plans, (schema, lid, names), self._find_plan(schema, lid, names))
        return plan.apply(properties)

    def treat_of(self, schema: str, lid: int, name: str) -> "Treat | None":
        """Return what is done to the values of a property under a label, None where they are hidden."""
        prop = self.ontology[schema].properties.get(name)
        rule = self._clearance.rule(lid, prop.field_class) if prop else None
        if prop is None or rule is None or rule.treatment in _HIDDEN:
            return None
        if rule.treatment is Treatment.CLEAR:
            return CLEAR
        return self._find_treat(prop, rule)

    def remember(self, place: object, make: Callable[[], Made]) -> Made:
        """Return what was compiled for this treater at a place, compiled when it is asked for first."""
        found: Made | None = self._selections.get(place)
        return found or _keep(self._selections, place, make())

    def clear_values(self, record: Record) -> dict[str, tuple[str, ...]]:
        """Return the values that the observer has in clear: the only ones that a search may match."""
        properties = self.ontology[record.schema].properties
        return {
            name: values
            for name, values in record.properties.items()
            if name in properties and self._of(record.lid, properties[name]) is Treatment.CLEAR
        }

    def countable_value(self, record: Record, name: str) -> str | None:
        """Return the least value of a property, generalised, for a table of counts; None where it may not be counted."""
        prop = self.ontology[record.schema].properties.get(name)
        if prop is None or self._of(record.lid, prop) is Treatment.ABSENT:
            return None
        values = record.properties.get(name, ())
        coarse = (prop.type.generalise(value) if prop.type.is_generalised else value for value in values)
        return min((value for value in coarse if value), default=None)

    def comparable_key(self, record: Record | Outline) -> tuple[str, Treatment] | None:
        """Return the identifying key with how its values are seen, None when the observer could not compare it.

        A value in clear and a pseudonym cannot be compared with each other, so
        only keys seen the same way are equal.
        """
        schema = self.ontology[record.schema]
        key = record.key if isinstance(record, Outline) else make_key(schema, record.properties)
        if key is None:
            return None
        seen = self._seen_in(record, schema.key)
        return (key, seen) if seen in _COMPARABLE else None

    def is_proposed(self, left: Sighted, right: Sighted, keys: Iterable[BlockingKey]) -> bool:
        """Whether a blocking key that the observer could compute for both records proposes the pair."""
        return any(self._can_block(left, right, key) for key in keys)

    def weight(self, left: Sighted, right: Sighted, evidence: Evidence) -> float | None:
        """Return the weight that the observer could compute of one comparison, None for none."""
        seen = self._seen_in(left, evidence.properties)
        if seen is not self._seen_in(right, evidence.properties):
            return None
        if seen is Treatment.CLEAR:
            return evidence.weight
        return evidence.equality_weight if seen is Treatment.PSEUDONYM else None

    def level(self, left: Sighted, right: Sighted, evidence: Evidence) -> str:
        """Return the level that the observer could tell of a comparison that weighs something for them."""
        if self._seen_in(left, evidence.properties) is self._seen_in(right, evidence.properties) is Treatment.CLEAR:
            return evidence.level
        if evidence.equality_weight == 0:
            return "missing on a side"
        return "equal" if evidence.equality_weight > 0 else "not equal"

    def _can_block(self, left: Sighted, right: Sighted, key: BlockingKey) -> bool:
        seen = self._seen_in(left, key.properties)
        if seen is not self._seen_in(right, key.properties):
            return False
        return seen is Treatment.CLEAR or (seen is Treatment.PSEUDONYM and key.is_equality)

    def _seen_in(self, record: Sighted, names: tuple[str, ...]) -> Treatment:
        return self._seen(record.schema, record.lid, names)

    def _seen(self, schema: str, lid: int, names: tuple[str, ...]) -> Treatment:
        """Return the one treatment under which all these properties are compared, ABSENT when they differ."""
        place = (schema, lid, names)
        found = self._seen_by.get(place)
        if found is None:
            properties = self.ontology[schema].properties
            seen = {self._merging.treatment(lid, properties[name].field_class) for name in names if name in properties}
            found = self._seen_by[place] = seen.pop() if len(seen) == 1 else Treatment.ABSENT
        return found

    def _of(self, lid: int, prop: Property) -> Treatment:
        return self._clearance.treatment(lid, prop.field_class)

    def _show_facet(self, record: Record) -> ShownFacet:
        values = self.values(record.schema, record.lid, record.properties)
        properties = self.ontology[record.schema].properties
        assertion = self.assertion(record)
        return ShownFacet(
            values=values,
            treatments={name: self._of(record.lid, properties[name]) for name in values},
            provenance=self._provenance(record, record.thing, assertion),
        )

    def _find_plan(self, schema: str, lid: int, names: tuple[str, ...]) -> "_Plan":
        place = (schema, id(self._clearance.rules(lid)), names)
        plan = self._plans_of_rules.get(place)
        return plan or _keep(self._plans_of_rules, place, self._make_plan(self.ontology[schema], lid, names))

    def _make_plan(self, schema: Schema, lid: int, names: tuple[str, ...]) -> "_Plan":
        kept: list[str] = []
        treated: dict[str, Treat] = {}
        for name in sorted(names):
            treat = self.treat_of(schema.name, lid, name)
            if treat is None:
                continue
            kept.append(name)
            if treat is not CLEAR:
                treated[name] = treat
        return _Plan(names, kept, treated)

    def _find_treat(self, prop: Property, rule: Rule) -> "_Treat":
        place = (prop.type.name, rule)
        if place not in self._treats:
            self._treats[place] = _Treat(self._make_transform(prop, rule))
        return self._treats[place]

    def _make_transform(self, prop: Property, rule: Rule) -> Callable[[str], str | None]:
        if rule.treatment is Treatment.PSEUDONYM:
            return lambda value: self._handles.pseudonym(prop.type.name, value)
        if rule.treatment is Treatment.MASK:
            return prop.type.mask
        return prop.type.grains.get(rule.grain or "", prop.type.generalise)

    def _provenance(self, said: Record | Link, thing: str, assertion: str) -> Provenance:
        source = self._clearance.treatment(said.lid, "source")
        is_handling_clear = self._clearance.treatment(said.lid, "handling") is Treatment.CLEAR
        return Provenance(
            record=self.ids[thing],
            assertion=assertion,
            source=self._source(said.source, source),
            # Of the whole file, so whoever knows most of it could try guesses of the rows that are hidden.
            capture=said.capture if self._clearance.treatment(said.lid, "raw") is Treatment.CLEAR else None,
            handling={part: getattr(said.label, part) for part in _HANDLING_PARTS} if is_handling_clear else None,
            recorded_at=said.recorded_at,
        )

    def _source(self, name: str, treatment: Treatment) -> str | None:
        if treatment is Treatment.CLEAR:
            return name
        return self._handles.pseudonym("source", name) if treatment is Treatment.PSEUDONYM else None

    def _redactions(self, record: Record) -> tuple[Redaction, ...]:
        place = (record.schema, record.lid)
        if place not in self._redacted:
            self._redacted[place] = self._make_redactions(self.ontology[record.schema], record.lid)
        return self._redacted[place]

    def _make_redactions(self, schema: Schema, lid: int) -> tuple[Redaction, ...]:
        classes = sorted({prop.field_class for prop in schema.properties.values()} | {"source"})
        tier = self._clearance.tier
        return tuple(
            Redaction(
                field_class=name,
                treatment=self._clearance.told_treatment(lid, name),
                reason=f"policy gives tier {tier} no more of {name} for data subjects of category "
                + self._clearance.labels[lid].category,
                contact=self._clearance.contact(lid),
            )
            for name in classes
            if self._clearance.is_known(lid, name)
        )


def _keep(kept: dict[Place, Made], place: Place, made: Made, most: int = _REMEMBERED) -> Made:
    """Remember what was made, forgetting everything before when that is much."""
    if len(kept) >= most:
        kept.clear()
    kept[place] = made
    return made


class _Ids(dict[str, str]):
    """The handles of things, worked out when they are met first."""

    def __init__(self, handles: Handles) -> None:
        super().__init__()
        self._handles = handles

    def __missing__(self, thing: str) -> str:
        """Seal a thing."""
        return _keep(self, thing, self._handles.seal("entity", thing), _REMEMBERED_IDS)


class _Treat(dict[tuple[str, ...], tuple[str, ...]]):
    """What is shown for the values of a property, worked out when they are met first."""

    def __init__(self, transform: Callable[[str], str | None]) -> None:
        super().__init__()
        self._transform = transform

    def __missing__(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Work out what is shown for some values."""
        # Sorted, since the source's order of what is hidden could tell it apart.
        found = sorted({shown for value in values if (shown := self._transform(value)) is not None})
        return _keep(self, values, tuple(found))


class _Clear(dict[tuple[str, ...], tuple[str, ...]]):
    """Shows values as they are."""

    def __missing__(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return them."""
        return values


CLEAR: Treat = _Clear()


class _Plan:
    """What is done to the values of assertions of one schema, under labels treated alike, with the same properties.

    Compiled once and applied to thousands: what stays is taken out in one step,
    and only what is not shown in clear is looked at singly.
    """

    def __init__(self, names: Sequence[str], kept: Sequence[str], treated: Mapping[str, Treat]) -> None:
        self._kept = tuple(kept)
        self._take = itemgetter(*kept) if len(kept) > 1 else None
        self._dropped = tuple(set(names) - set(kept))
        # Copying and leaving out a little is quicker than taking out nearly all, and keeps the order that there is.
        self._is_copied = len(self._dropped) <= len(kept) and list(names) == sorted(names)
        self._treated = tuple(treated.items())

    def apply(self, properties: Properties) -> dict[str, tuple[str, ...]]:
        """Return the treated values; what nothing is left of is left out."""
        if self._is_copied:
            shown = dict(properties)
            for name in self._dropped:
                del shown[name]
        elif self._take is not None:
            shown = dict(zip(self._kept, self._take(properties), strict=True))
        else:
            shown = {name: properties[name] for name in self._kept}
        for name, treat in self._treated:
            values = treat[shown[name]]
            if values:
                shown[name] = values
            else:
                del shown[name]
        return shown


_HANDLING_PARTS = (
    "handling",
    "tlp",
    "pap",
    "source_grade",
    "information_grade",
    "basis",
)


def merge_values(parts: Iterable[Values]) -> dict[str, tuple[str, ...]]:
    """Return the union of values by property, each in the order in which it first comes."""
    every = list(parts)
    if len(every) == 1:
        # In alphabetical order already.
        return dict(every[0])
    merged: dict[str, dict[str, None]] = {}
    for values in every:
        for name, found in values.items():
            merged.setdefault(name, {}).update(dict.fromkeys(found))
    return {name: tuple(found) for name, found in sorted(merged.items())}


def facet_identity(record: Record) -> str:
    """Return what all versions of one facet of a thing share (32 hex digits); nothing of its content."""
    return make_id("facet", record.thing, record.facet)
