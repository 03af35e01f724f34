"""Delivery: one file on its way in, and everything that is known about it beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple

from importers.mapping import FileMapping
from ontology.label import NO_PERSON, Label
from ontology.schema import default_ontology
from ontology.source import Source

_PERSON = "Person"


class Marked(NamedTuple):
    """A label that something of a schema has."""

    schema: str
    label: Label


@dataclass(frozen=True)
class Delivery:
    """Who delivers a file, how it must be handled and which bytes it is.

    `label` says how, with `schema_labels` holding the parts that differ for a
    schema and its heirs. `capture` is the SHA-256 of the file, `file` its name
    for messages. `recorded_at` is aware, UTC. `mapping` is needed by formats
    that do not say what their columns mean. `owner` stands above whatever a
    label says of it, where who delivers may speak for one organisation alone.
    """

    source: Source
    label: Label
    capture: str
    file: str
    recorded_at: datetime
    mapping: FileMapping | None = None
    schema_labels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    owner: str | None = None

    def label_for(self, schema: str, said: Mapping[str, Any], beside: Iterable[Marked] = ()) -> Label:
        """Return the label of a record or link of this schema whose own marking said these parts.

        The source's own marking stands above the parts for the schema (its own
        or its nearest ancestor's), which stand above the label of the delivery.
        What takes its label from others that it stands `beside` has their join
        in place of the delivery's label, with the stricter of each part where
        the parts for its schema are not those for theirs. Raises InvalidData,
        naming the part, for a marking that is not one.
        """
        parts = self._parts_for(schema)
        label = self._join(parts, beside) or self.label.to_filled(parts)
        label = label.to_filled(said)
        if self.owner is not None:
            label = replace(label, owner=self.owner)
        is_denied = label.category == NO_PERSON and _PERSON in default_ontology()[schema].lineage
        return replace(label, category=Label().category) if is_denied else label

    def _parts_for(self, schema: str) -> Mapping[str, Any]:
        lineage = default_ontology()[schema].lineage
        return next((self.schema_labels[name] for name in lineage if name in self.schema_labels), {})

    def _join(self, parts: Mapping[str, Any], beside: Iterable[Marked]) -> Label | None:
        # Each label once: joined with itself, the terms of one would come out in another order.
        labels: dict[Label, None] = {}
        for other in beside:
            labels[other.label] = None
            if parts != self._parts_for(other.schema):
                labels[other.label.to_filled(parts)] = None
        return reduce(Label.join, labels) if labels else None
