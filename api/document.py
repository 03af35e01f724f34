"""Documents: what a View shows as plain JSON, the form that scripts read."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from graph.communities import Community
from graph.export import Export
from graph.relabellings import ShownRelabelling
from graph.shown import Entity, Explanation, Neighbour, Page, Provenance, ShownAlert, ShownFacet, ShownRecord
from ontology.consent import Consent
from ontology.observer import Observer
from ontology.schema import Schema
from ontology.watch import Watch


def entity_document(entity: Entity) -> dict[str, Any]:
    """Return an entity with its records, the provenance of each value and what is withheld."""
    return {
        **entity_summary(entity),
        "properties": {name: list(values) for name, values in entity.values.items()},
        "provenance": {
            name: [{"value": value, **_provenance(where)} for value, where in entity.provenance(name)]
            for name in entity.values
        },
        "redactions": [asdict(redaction) for redaction in entity.redactions],
        "records": [_record(record) for record in entity.records],
    }


def entity_summary(entity: Entity) -> dict[str, Any]:
    """Return what names an entity in a list."""
    return {"id": entity.id, "schema": entity.schema, "caption": entity.caption}


def neighbour_document(neighbour: Neighbour) -> dict[str, Any]:
    """Return an entity one link away, with the link."""
    return {
        "verb": neighbour.verb,
        "link": {
            "id": neighbour.link.id,
            "type": neighbour.link.schema,
            "properties": {name: list(values) for name, values in neighbour.link.values.items()},
        },
        "entity": entity_summary(neighbour.entity),
    }


def page_document(page: Page[Entity]) -> dict[str, Any]:
    """Return one page of a search."""
    return {
        "total": page.total,
        "entities": [{**entity_summary(entity), "records": len(entity.records)} for entity in page.items],
        "next": page.cursors[-1] if page.has_next else None,
    }


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return why two records are one thing, or not, in bits."""
    judged = explanation.judged
    return {
        "verdict": "same" if explanation.same else "not the same",
        **asdict(explanation),
        "judged": {**asdict(judged), "recorded_at": _moment(judged.recorded_at)} if judged else None,
    }


def community_document(community: Community) -> dict[str, Any]:
    """Return a community with its members, best connected first."""
    return {
        "number": community.number,
        "size": community.size,
        "links": community.links,
        "shared": [entity_summary(entity) for entity in community.shared],
        "members": [entity_summary(entity) for entity in community.members],
    }


def observer_document(observer: Observer) -> dict[str, Any]:
    """Return an observer and their rights."""
    return asdict(observer)


def alert_document(alert: ShownAlert) -> dict[str, Any]:
    """Return an alert with the entity watched and what came to it."""
    return {
        "id": alert.id,
        "watch": alert.watch,
        "recorded_at": _moment(alert.recorded_at),
        "entity": entity_summary(alert.entity),
        "neighbour": neighbour_document(alert.neighbour),
    }


def watch_document(watch: Watch, id_: str | None = None, entity: Entity | None = None) -> dict[str, Any]:
    """Return a watch; `entity` is None while its observer may not see it, or for whoever is not its observer."""
    return {
        "id": id_,
        "observer": watch.observer,
        "entity": entity_summary(entity) if entity else None,
        "created_at": _moment(watch.created_at),
    }


def relabelling_document(shown: ShownRelabelling) -> dict[str, Any]:
    """Return a relabelling that waits, with the parts of the label that it would change."""
    old, new = shown.old.to_dict(), shown.new.to_dict()
    return {
        "id": shown.id,
        "record": shown.record,
        "caption": shown.caption,
        "changes": {part: {"from": old[part], "to": new[part]} for part in old if old[part] != new[part]},
        "reason": shown.reason,
        "proposed_by": shown.proposed_by,
        "proposed_at": _moment(shown.proposed_at),
    }


def consent_document(consent: Consent) -> dict[str, Any]:
    """Return a consent."""
    return {**asdict(consent), "recorded_at": _moment(consent.recorded_at)}


def export_document(export: Export) -> dict[str, Any]:
    """Return what may be taken out, and how much was refused by which handling code."""
    return {
        "use": export.use,
        "to": export.to,
        "entities": [entity_document(entity) for entity in export.entities],
        "refused": [asdict(refusal) for refusal in export.refused],
    }


def schema_document(schema: Schema) -> dict[str, Any]:
    """Return a schema with its properties and, for a link, its ends."""
    ends = {"left": schema.left, "right": schema.right}
    return {
        "name": schema.name,
        "description": schema.description,
        "terms": list(schema.terms),
        "extends": list(schema.lineage[1:]),
        "key": list(schema.key),
        "ends": {side: asdict(end) for side, end in ends.items() if end},
        "properties": {
            name: {"type": prop.type.name, "class": prop.field_class, "description": prop.description}
            for name, prop in schema.properties.items()
        },
    }


def _record(record: ShownRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "schema": record.schema,
        "caption": record.caption,
        "facets": [_facet(facet) for facet in record.facets],
    }


def _facet(facet: ShownFacet) -> dict[str, Any]:
    return {
        "properties": {
            name: {"values": list(values), "treatment": facet.treatments[name].value}
            for name, values in facet.values.items()
        },
        **_provenance(facet.provenance),
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    return {
        "record": provenance.record,
        "assertion": provenance.assertion,
        "source": provenance.source,
        "capture": provenance.capture,
        "handling": dict(provenance.handling) if provenance.handling else None,
        "recorded_at": _moment(provenance.recorded_at),
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
