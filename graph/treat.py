"""Treating: from a stored record to what one observer is shown of it."""

from collections.abc import Iterable, Mapping

from graph.handle import Handles
from graph.shown import Provenance, Redaction, ShownLink, ShownRecord, Values
from graph.store import Outline
from ontology.digest import make_id
from ontology.key import make_key
from ontology.pair import BlockingKey, Evidence
from ontology.policy import Clearance, Treatment
from ontology.record import Link, Record
from ontology.schema import Ontology, Property, Schema

# Whose values are seen is a matter of schema and label alone.
Sighted = Record | Outline

_HIDDEN = frozenset({Treatment.COUNT, Treatment.ABSENT})
_COMPARABLE = frozenset({Treatment.CLEAR, Treatment.PSEUDONYM})


class Treater:
    """Applies one clearance to records and links, and tells what may be compared under it."""

    def __init__(self, ontology: Ontology, clearance: Clearance, handles: Handles) -> None:
        self._ontology = ontology
        self._clearance = clearance
        self._handles = handles

    def show_record(self, record: Record) -> ShownRecord:
        """Return what the observer is shown of a record."""
        schema = self._ontology[record.schema]
        values = self._values(schema, record.lid, record.properties)
        return ShownRecord(
            thing=record.thing,
            id=self._handles.seal("entity", record.thing),
            schema=record.schema,
            caption=self.caption(schema, values),
            values=values,
            treatments={name: self._of(record.lid, schema.properties[name]) for name in values},
            provenance=self._provenance(record),
            redactions=self._redactions(schema, record.lid),
        )

    def show_link(self, link: Link) -> ShownLink:
        """Return what the observer is shown of a link."""
        return ShownLink(
            id=self._handles.seal("link", link_identity(link)),
            schema=link.schema,
            left=link.left,
            right=link.right,
            values=self._values(self._ontology[link.schema], link.lid, link.properties),
            provenance=self._provenance(link),
        )

    def caption(self, schema: Schema, values: Values) -> str:
        """Return the best visible name of a thing, or what kind of thing it is."""
        return next(
            (values[name][0] for name in schema.caption if values.get(name)),
            schema.label,
        )

    def show_caption(self, record: Record) -> str:
        """Return the best visible name of a record."""
        schema = self._ontology[record.schema]
        names = {name: record.properties[name] for name in schema.caption if name in record.properties}
        return self.caption(schema, self._values(schema, record.lid, names))

    def clear_values(self, record: Record) -> dict[str, tuple[str, ...]]:
        """Return the values that the observer has in clear: the only ones that a search may match."""
        properties = self._ontology[record.schema].properties
        return {
            name: values
            for name, values in record.properties.items()
            if name in properties and self._of(record.lid, properties[name]) is Treatment.CLEAR
        }

    def comparable_key(self, record: Record | Outline) -> tuple[str, Treatment] | None:
        """Return the identifying key with how its values are seen, None when the observer could not compare it.

        A value in clear and a pseudonym cannot be compared with each other, so
        only keys seen the same way are equal.
        """
        schema = self._ontology[record.schema]
        key = record.key if isinstance(record, Outline) else make_key(schema, record.properties)
        if key is None:
            return None
        seen = self._seen(record, schema.key)
        return (key, seen) if seen in _COMPARABLE else None

    def is_proposed(self, left: Sighted, right: Sighted, keys: Iterable[BlockingKey]) -> bool:
        """Whether a blocking key that the observer could compute for both records proposes the pair."""
        return any(self._can_block(left, right, key) for key in keys)

    def weight(self, left: Sighted, right: Sighted, evidence: Evidence) -> float | None:
        """Return the weight that the observer could compute of one comparison, None for none."""
        seen = self._seen(left, evidence.properties)
        if seen is not self._seen(right, evidence.properties):
            return None
        if seen is Treatment.CLEAR:
            return evidence.weight
        return evidence.equality_weight if seen is Treatment.PSEUDONYM else None

    def level(self, left: Sighted, right: Sighted, evidence: Evidence) -> str:
        """Return the level that the observer could tell of a comparison that weighs something for them."""
        if self._seen(left, evidence.properties) is self._seen(right, evidence.properties) is Treatment.CLEAR:
            return evidence.level
        if evidence.equality_weight == 0:
            return "missing on a side"
        return "equal" if evidence.equality_weight > 0 else "not equal"

    def _can_block(self, left: Sighted, right: Sighted, key: BlockingKey) -> bool:
        seen = self._seen(left, key.properties)
        if seen is not self._seen(right, key.properties):
            return False
        return seen is Treatment.CLEAR or (seen is Treatment.PSEUDONYM and key.is_equality)

    def _seen(self, record: Sighted, names: Iterable[str]) -> Treatment:
        """Return the one treatment under which all these properties are seen, ABSENT when they differ."""
        properties = self._ontology[record.schema].properties
        found = {self._of(record.lid, properties[name]) for name in names if name in properties}
        return found.pop() if len(found) == 1 else Treatment.ABSENT

    def _of(self, lid: int, prop: Property) -> Treatment:
        return self._clearance.treatment(lid, prop.field_class)

    def _values(
        self, schema: Schema, lid: int, properties: Mapping[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        shown = {}
        for name, values in sorted(properties.items()):
            prop = schema.properties.get(name)
            treated = self._treat(prop, self._of(lid, prop), values) if prop else ()
            if treated:
                shown[name] = treated
        return shown

    def _treat(self, prop: Property, treatment: Treatment, values: tuple[str, ...]) -> tuple[str, ...]:
        if treatment is Treatment.CLEAR:
            return values
        if treatment in _HIDDEN:
            return ()
        if treatment is Treatment.PSEUDONYM:
            treated: list[str | None] = [self._handles.pseudonym(prop.type.name, value) for value in values]
        else:
            transform = prop.type.mask if treatment is Treatment.MASK else prop.type.generalise
            treated = [transform(value) for value in values]
        # Sorted, since the source's order of what is hidden could tell it apart.
        return tuple(sorted({value for value in treated if value is not None}))

    def _provenance(self, assertion: Record | Link) -> Provenance:
        lid, label = assertion.lid, assertion.label
        source = self._clearance.treatment(lid, "source")
        is_handling_clear = self._clearance.treatment(lid, "handling") is Treatment.CLEAR
        return Provenance(
            record=self._handles.seal(
                "entity",
                assertion.thing if isinstance(assertion, Record) else assertion.left,
            ),
            source=self._source(assertion.source, source),
            capture=assertion.capture if source is Treatment.CLEAR else None,
            handling={part: getattr(label, part) for part in _HANDLING_PARTS} if is_handling_clear else None,
            recorded_at=assertion.recorded_at,
        )

    def _source(self, name: str, treatment: Treatment) -> str | None:
        if treatment is Treatment.CLEAR:
            return name
        return self._handles.pseudonym("source", name) if treatment is Treatment.PSEUDONYM else None

    def _redactions(self, schema: Schema, lid: int) -> tuple[Redaction, ...]:
        classes = sorted({prop.field_class for prop in schema.properties.values()} | {"source"})
        tier, category = (
            self._clearance.observer.tier,
            self._clearance.labels[lid].category,
        )
        return tuple(
            Redaction(
                field_class=name,
                treatment=self._clearance.treatment(lid, name),
                reason=f"policy gives tier {tier} no more of {name} for data subjects of category {category}",
                contact=self._clearance.contact(lid),
            )
            for name in classes
            if self._clearance.is_known(lid, name)
        )


_HANDLING_PARTS = (
    "handling",
    "tlp",
    "pap",
    "source_grade",
    "information_grade",
    "basis",
)


def link_identity(link: Link) -> str:
    """Return what all versions of one link of a source share (32 hex digits)."""
    return make_id("between", link.source, link.source_key, link.schema, link.left, link.right)
