"""Record and Link: what one source asserts, under one label, at one time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ontology.digest import canonical_json, make_id
from ontology.label import Label

Properties = Mapping[str, tuple[str, ...]]


def make_thing(source: str, source_key: str) -> str:
    """Return the id of the thing that a source names by one of its keys (32 hex digits)."""
    return make_id("thing", source, source_key)


@dataclass(frozen=True)
class Record:
    """One source's assertion about one thing, under one label.

    `source_key` is how the source names the thing; with the source it makes
    `thing`, which all versions and facets of it share. `facet` tells apart the
    parts that the source marks differently (empty for the main one). A later
    record of the same thing and facet supersedes an earlier one in a View, and
    both stay. `properties` hold cleaned values in the source's order; `extra`
    what the ontology has no place for, as the source wrote it. `capture` is
    the SHA-256 of the bytes that say so and `sequence` the place in them,
    which orders records of one instant. `recorded_at` is aware, UTC.
    """

    schema: str
    source: str
    source_key: str
    label: Label
    capture: str
    sequence: int
    properties: Properties
    recorded_at: datetime
    facet: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def thing(self) -> str:
        """The id that all versions and facets of this record share."""
        return make_thing(self.source, self.source_key)

    @cached_property
    def id(self) -> str:
        """The id of just this assertion, from its content and its place: importing twice adds nothing.

        Without the place, two versions that differ in a hidden value alone would
        be two, and with equal ones one.
        """
        content = canonical_json([{k: list(v) for k, v in self.properties.items()}, dict(self.extra)]).decode()
        return make_id(
            "record",
            self.schema,
            self.source,
            self.source_key,
            self.facet,
            str(self.label.lid),
            self.capture,
            str(self.sequence),
            content,
        )

    @property
    def lid(self) -> int:
        """The label as interned."""
        return self.label.lid


@dataclass(frozen=True)
class Link:
    """One source's assertion that two things are related, with its own label.

    `source_key` is how the source names the link: it tells apart two links of
    one kind between the same things (two payments), and all versions of one
    share it. `left` and `right` are things (see `make_thing`), in the direction
    that the schema names. `properties` are cleaned values, as in a record.
    """

    schema: str
    source: str
    source_key: str
    left: str
    right: str
    label: Label
    capture: str
    sequence: int
    properties: Properties
    recorded_at: datetime

    @cached_property
    def identity(self) -> str:
        """What all versions of one link of a source share (32 hex digits)."""
        return make_id("between", self.source, self.source_key, self.schema, self.left, self.right)

    @cached_property
    def id(self) -> str:
        """The id of just this assertion, from its content and its place."""
        content = canonical_json({k: list(v) for k, v in self.properties.items()}).decode()
        return make_id(
            "link",
            self.schema,
            self.source,
            self.source_key,
            self.left,
            self.right,
            str(self.label.lid),
            self.capture,
            str(self.sequence),
            content,
        )

    @property
    def lid(self) -> int:
        """The label as interned."""
        return self.label.lid


def to_microseconds(moment: datetime) -> int:
    """Return microseconds since 1970 UTC, the form in which times are stored and compared."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_microseconds(count: int) -> datetime:
    """Return the aware UTC moment; the inverse of `to_microseconds`."""
    return datetime.fromtimestamp(count // 1_000_000, UTC).replace(microsecond=count % 1_000_000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
