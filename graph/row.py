"""Rows: the maps in which records, links, pairs and the rest lie in an engine, and back.

Times are microseconds since 1970 UTC. Each property of the ontology is a list of
texts under its own name; what has more structure is JSON.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from graph.store import Outline
from ontology.consent import Consent, Use
from ontology.judgement import Judgement, Verdict
from ontology.key import fold_words, make_key
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.record import Link, Record, from_microseconds, to_microseconds
from ontology.relabelling import Relabelling
from ontology.schema import Schema
from ontology.source import Capture, Source
from ontology.watch import Alert, Watch

Row = dict[str, Any]

_RECORD_OWN = frozenset(
    {"id", "lid", "thing", "facet", "schema", "key", "source", "source_key", "capture", "recorded_at", "sequence",
     "text", "extra"}
)  # fmt: skip
_LINK_OWN = frozenset(
    {"id", "lid", "schema", "source", "source_key", "left", "right", "capture", "recorded_at", "sequence"}
)
_OBSERVER_LISTS = ("cases", "compartments", "orders")


def from_record(record: Record, schema: Schema) -> Row:
    """Return the row of a record; its key is None when it has none."""
    return {
        "id": record.id,
        "lid": record.lid,
        "thing": record.thing,
        "facet": record.facet,
        "schema": record.schema,
        "key": make_key(schema, record.properties),
        "source": record.source,
        "source_key": record.source_key,
        "capture": record.capture,
        "recorded_at": to_microseconds(record.recorded_at),
        "sequence": record.sequence,
        "text": fold_words(value for values in record.properties.values() for value in values),
        "extra": orjson.dumps(dict(record.extra)).decode(),
        **{name: list(values) for name, values in record.properties.items()},
    }


def to_record(row: Row, label: Label) -> Record:
    """Return the record of a row."""
    record = Record(
        schema=row["schema"],
        source=row["source"],
        source_key=row["source_key"],
        label=label,
        capture=row["capture"],
        sequence=row["sequence"],
        properties=_properties(row, _RECORD_OWN),
        recorded_at=from_microseconds(row["recorded_at"]),
        facet=row["facet"],
        extra=orjson.loads(row["extra"]) if row["extra"] != "{}" else {},
    )
    if row["lid"] == label.lid:
        # They are what it would work out from the rest, which costs more than all the above; another label, another id.
        vars(record).update(id=row["id"], thing=row["thing"])
    return record


def to_outline(
    id_: str, thing: str, facet: str, schema: str, lid: int, key: str, recorded_at: int, sequence: int, capture: str
) -> Outline:
    """Return the outline of the cells of one record, in the order of its fields; an empty key is none."""
    return Outline(id_, thing, facet, schema, lid, key or None, from_microseconds(recorded_at), sequence, capture)


def from_link(link: Link) -> Row:
    """Return the row of a link; its schema is the relationship's type."""
    return {
        "id": link.id,
        "lid": link.lid,
        "source": link.source,
        "source_key": link.source_key,
        "left": link.left,
        "right": link.right,
        "capture": link.capture,
        "recorded_at": to_microseconds(link.recorded_at),
        "sequence": link.sequence,
        **{name: list(values) for name, values in link.properties.items()},
    }


def to_link(row: Row, label: Label) -> Link:
    """Return the link of a row that has its relationship's type as `schema`."""
    link = Link(
        schema=row["schema"],
        source=row["source"],
        source_key=row["source_key"],
        left=row["left"],
        right=row["right"],
        label=label,
        capture=row["capture"],
        sequence=row["sequence"],
        properties=_properties(row, _LINK_OWN),
        recorded_at=from_microseconds(row["recorded_at"]),
    )
    if row["lid"] == label.lid:
        vars(link)["id"] = row["id"]
    return link


def from_pair(pair: Pair) -> Row:
    """Return the row of a pair, with the weight of each comparison as a number beside the evidence in full."""
    return {
        "id": pair.id,
        "left": pair.left,
        "right": pair.right,
        "model": pair.model,
        "prior": float(pair.prior),
        "stop": float(pair.stop),
        "keys": orjson.dumps([asdict(key) for key in pair.keys]).decode(),
        "evidence": orjson.dumps([asdict(evidence) for evidence in pair.evidence]).decode(),
        "recorded_at": to_microseconds(pair.recorded_at),
        **{f"w_{evidence.comparison}": float(evidence.weight) for evidence in pair.evidence},
    }


def to_pair(row: Row) -> Pair:
    """Return the pair of a row."""
    return Pair(
        left=row["left"],
        right=row["right"],
        model=row["model"],
        prior=row["prior"],
        stop=row["stop"],
        keys=tuple(BlockingKey(**_with_tuples(key, "properties")) for key in orjson.loads(row["keys"])),
        evidence=tuple(Evidence(**_with_tuples(found, "properties")) for found in orjson.loads(row["evidence"])),
        recorded_at=from_microseconds(row["recorded_at"]),
    )


def to_things_by_key(rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    """Return the things that have each key."""
    things: dict[str, set[str]] = {}
    for row in rows:
        things.setdefault(row["key"], set()).add(row["thing"])
    return {key: frozenset(found) for key, found in things.items()}


def to_surrounding_pairs(rows: Iterable[Row]) -> list[tuple[str, str, Pair]]:
    """Return the pairs around records with the things of their two records, each once."""
    found: dict[str, tuple[str, str, Pair]] = {}
    for row in rows:
        for near in row["pairs"]:
            if near["pair"]["id"] not in found:
                pair, things = to_pair(near["pair"]), (row["record"]["thing"], near["other"])
                left, right = things if pair.left == row["record"]["id"] else reversed(things)
                found[pair.id] = (left, right, pair)
    return list(found.values())


def from_judgement(judgement: Judgement) -> Row:
    """Return the row of a judgement."""
    return {
        "id": judgement.id,
        "lid": judgement.lid,
        "left": judgement.left,
        "right": judgement.right,
        "verdict": judgement.verdict.value,
        "by": judgement.by,
        "reason": judgement.reason,
        "recorded_at": to_microseconds(judgement.recorded_at),
        "grounds": list(judgement.grounds),
    }


def to_judgement(row: Row, label: Label) -> Judgement:
    """Return the judgement of a row."""
    return Judgement(
        left=row["left"],
        right=row["right"],
        verdict=Verdict(row["verdict"]),
        by=row["by"],
        reason=row["reason"],
        label=label,
        recorded_at=from_microseconds(row["recorded_at"]),
        grounds=tuple(sorted(row["grounds"])),
    )


def from_relabelling(relabelling: Relabelling) -> Row:
    """Return the row of a relabelling, without approval as long as it has none."""
    return {
        "id": relabelling.id,
        "lid": relabelling.label.lid,
        "assertion": relabelling.assertion,
        "thing": relabelling.thing,
        "reason": relabelling.reason,
        "proposed_by": relabelling.proposed_by,
        "proposed_at": to_microseconds(relabelling.proposed_at),
        "approved_by": relabelling.approved_by,
        "approved_at": to_microseconds(relabelling.approved_at) if relabelling.approved_at else None,
    }


def to_relabelling(row: Row) -> Relabelling:
    """Return the relabelling of a row that has its label's JSON as `label`."""
    approved_at = row.get("approved_at")
    return Relabelling(
        assertion=row["assertion"],
        thing=row["thing"],
        label=to_label(row["label"]),
        reason=row["reason"],
        proposed_by=row["proposed_by"],
        proposed_at=from_microseconds(row["proposed_at"]),
        approved_by=row.get("approved_by"),
        approved_at=None if approved_at is None else from_microseconds(approved_at),
    )


def from_label(label: Label) -> Row:
    """Return the row of a label."""
    return {"lid": label.lid, "json": orjson.dumps(label.to_dict()).decode()}


def to_label(json: str) -> Label:
    """Return the label of what its row holds, exactly as it was: cleaning it again might give another lid."""
    return Label(**_with_tuples(orjson.loads(json), "release", "cases", "compartments", "purposes"))


def from_source(source: Source) -> Row:
    """Return the row of a source."""
    return asdict(source)


def from_capture(capture: Capture) -> Row:
    """Return the row of a capture."""
    return asdict(capture) | {"received_at": to_microseconds(capture.received_at)}


def to_capture(row: Row) -> Capture:
    """Return the capture of a row."""
    return Capture(**row | {"received_at": from_microseconds(row["received_at"])})


def from_observer(observer: Observer) -> Row:
    """Return the row of an observer: all rights in one property, which changes as a whole for whoever reads meanwhile."""
    return {"name": observer.name, "json": orjson.dumps(asdict(observer)).decode()}


def to_observer(json: str) -> Observer:
    """Return the observer of what their row holds."""
    return Observer(**_with_tuples(orjson.loads(json), *_OBSERVER_LISTS))


def from_consent(consent: Consent) -> Row:
    """Return the row of a consent."""
    return asdict(consent) | {
        "id": consent.id,
        "use": consent.use.value,
        "recorded_at": to_microseconds(consent.recorded_at),
    }


def to_consent(row: Row) -> Consent:
    """Return the consent of a row."""
    parts = {name: value for name, value in row.items() if name != "id"}
    return Consent(**parts | {"use": Use(row["use"]), "recorded_at": from_microseconds(row["recorded_at"])})


def from_watch(watch: Watch) -> Row:
    """Return the row of a watch."""
    return {
        "id": watch.id,
        "observer": watch.observer,
        "thing": watch.thing,
        "created_at": to_microseconds(watch.created_at),
        "checked_at": to_microseconds(watch.checked_at),
    }


def to_watch(row: Row) -> Watch:
    """Return the watch of a row."""
    return Watch(
        observer=row["observer"],
        thing=row["thing"],
        created_at=from_microseconds(row["created_at"]),
        checked_at=from_microseconds(row["checked_at"]),
    )


def from_alert(alert: Alert) -> Row:
    """Return the row of an alert."""
    return asdict(alert) | {"id": alert.id, "raised_at": to_microseconds(alert.raised_at)}


def to_alert(row: Row) -> Alert:
    """Return the alert of a row."""
    parts = {name: value for name, value in row.items() if name != "id"}
    return Alert(**parts | {"raised_at": from_microseconds(row["raised_at"])})


def _properties(row: Row, own: frozenset[str]) -> dict[str, tuple[str, ...]]:
    # An engine keeps no order among properties; sorted, they come the same from each.
    return {name: tuple(row[name]) for name in sorted(row.keys() - own)}


def _with_tuples(row: Mapping[str, Any], *names: str) -> Row:
    return dict(row) | {name: tuple(row[name]) for name in names}
