"""The GraphQL types of what is asserted: records, links and their values, and where each comes from."""

from datetime import datetime
from typing import Any, Self

import strawberry

from api.declaring import CLEAR_ONLY, FIELD_CLASS, EntitySchema, LinkType, described
from graph import shown
from ontology.policy import Treatment


@described
@strawberry.type
class Handling:
    """How an assertion must be handled: Europol handling code, TLP 2.0, PAP, the two 4x4 grades, fact or assessment."""

    handling: str
    tlp: str
    pap: str
    source_grade: str
    information_grade: str
    basis: str


@described
@strawberry.type
class Provenance:
    """Where something comes from. A part that you may not have is null."""

    record: strawberry.ID = strawberry.field(description="The id of the record that says so.")
    assertion: strawberry.ID = strawberry.field(description="The part of it, or the link, that says so.")
    recorded_at: datetime = strawberry.field(description="When it was recorded here.")
    source: str | None = strawberry.field(description="Who says so, or a pseudonym.", metadata={FIELD_CLASS: "source"})
    capture: str | None = strawberry.field(
        description="The SHA-256 of the bytes that say so.", metadata={FIELD_CLASS: "raw", CLEAR_ONLY: True}
    )
    handling: Handling | None = strawberry.field(
        description="How it must be handled.", metadata={FIELD_CLASS: "handling", CLEAR_ONLY: True}
    )

    @classmethod
    def of(cls, found: shown.Provenance, **more: Any) -> Self:
        """Take over what a View shows."""
        return cls(
            record=strawberry.ID(found.record),
            assertion=strawberry.ID(found.assertion),
            recorded_at=found.recorded_at,
            source=found.source,
            capture=found.capture,
            handling=Handling(**found.handling) if found.handling else None,
            **more,
        )


@described
@strawberry.type
class ProvenancedValue(Provenance):
    """One value of a property with one record that holds it."""

    property: str
    value: str


@described
@strawberry.type
class Redaction:
    """A class of values that is withheld from you, wholly or in part, whether or not there are any."""

    field_class: str
    treatment: Treatment
    reason: str
    contact: str = strawberry.field(description="Whom to ask.")

    @classmethod
    def of(cls, found: shown.Redaction) -> Self:
        """Take over what a View shows."""
        return cls(field_class=found.field_class, treatment=found.treatment, reason=found.reason, contact=found.contact)


@described
@strawberry.type
class RecordProperty:
    """The values of one property in one record, and what was done to them."""

    name: str
    values: list[str]
    treatment: Treatment


@described
@strawberry.type
class LinkProperty:
    """The values of one property of a link."""

    name: str
    values: list[str]


@described
@strawberry.type
class Record:
    """What one source says about one thing, as you may have it: one provenance for each part handled alike."""

    id: strawberry.ID
    schema: EntitySchema
    caption: str
    values: list[RecordProperty]
    provenance: list[Provenance]
    redactions: list[Redaction]

    @classmethod
    def of(cls, found: shown.ShownRecord) -> Self:
        """Take over what a View shows."""
        return cls(
            id=strawberry.ID(found.id),
            schema=EntitySchema(found.schema),
            caption=found.caption,
            values=[
                RecordProperty(name=name, values=list(values), treatment=facet.treatments[name])
                for facet in found.facets
                for name, values in facet.values.items()
            ],
            provenance=[Provenance.of(facet.provenance) for facet in found.facets],
            redactions=[Redaction.of(redaction) for redaction in found.redactions],
        )


@described
@strawberry.type
class Link:
    """One source's assertion that two things are related."""

    id: strawberry.ID
    type: LinkType
    properties: list[LinkProperty]
    provenance: Provenance

    @classmethod
    def of(cls, found: shown.ShownLink) -> Self:
        """Take over what a View shows."""
        return cls(
            id=strawberry.ID(found.id),
            type=LinkType(found.schema),
            properties=[LinkProperty(name=name, values=list(values)) for name, values in found.values.items()],
            provenance=Provenance.of(found.provenance),
        )
