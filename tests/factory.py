"""Small invented records, links and labels for tests, at fixed times."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ontology.label import Label
from ontology.observer import Observer
from ontology.record import Link, Record

START = datetime(2026, 1, 1, tzinfo=UTC)
CAPTURE = "c" * 64
SECRET = bytes(range(32))

OPEN = Label(
    handling="H0", tlp="CLEAR", pap="CLEAR", category="none", owner="ORG", source_grade="A", information_grade="1"
)  # fmt: skip


def make_label(**parts: Any) -> Label:
    """Return a label that everybody may have, with some parts put in."""
    return replace(OPEN, **parts)


def make_record(
    schema: str = "Person",
    key: str = "1",
    *,
    source: str = "src",
    label: Label | None = None,
    properties: Mapping[str, Sequence[str]] | None = None,
    minute: int = 0,
    sequence: int = 0,
    facet: str = "",
    capture: str = CAPTURE,
) -> Record:
    """Return a record recorded some minutes after the start."""
    return Record(
        schema=schema,
        source=source,
        source_key=key,
        label=label or OPEN,
        capture=capture,
        sequence=sequence,
        properties={
            name: tuple(values)
            for name, values in ({"name": ["Ada Example"]} if properties is None else properties).items()
        },
        recorded_at=START + timedelta(minutes=minute),
        facet=facet,
    )


def make_link(
    left: Record,
    right: Record,
    schema: str = "UnknownLink",
    *,
    label: Label | None = None,
    properties: Mapping[str, Sequence[str]] | None = None,
    minute: int = 0,
    sequence: int = 0,
    source: str | None = None,
    key: str = "",
) -> Link:
    """Return a link between the things of two records."""
    return Link(
        schema=schema,
        source=source or left.source,
        source_key=key,
        left=left.thing,
        right=right.thing,
        label=label or OPEN,
        capture=left.capture,
        sequence=sequence,
        properties={name: tuple(values) for name, values in (properties or {}).items()},
        recorded_at=START + timedelta(minutes=minute),
    )


def make_observer(tier: str = "investigator", *, organisation: str = "ORG", **rights: Any) -> Observer:
    """Return an observer named after the tier."""
    return Observer(name=rights.pop("name", tier), organisation=organisation, tier=tier, **rights)
