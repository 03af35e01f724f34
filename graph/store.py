"""The store contract: what every engine keeps and how it is asked.

Writing takes batches, each in one transaction and idempotent. Reading content
has one door, `view`. Underneath, a `Reader` answers the few raw questions that
a View asks, each with the labels that the observer may have (`allowed`) and
the moment (`as_of`): a reader never returns a record, link or pair whose own
label or whose ends' labels are not allowed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, Self

from ontology.consent import Consent
from ontology.judgement import Judgement
from ontology.key import make_key
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.policy import Policy
from ontology.record import Link, Record
from ontology.relabelling import Relabelling
from ontology.schema import Ontology
from ontology.source import Capture, Source
from ontology.watch import Alert, Watch

if TYPE_CHECKING:
    from graph.view import View


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Which engine answers, its version, and the address that a driver reaches it by."""

    engine: str
    version: str
    address: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written together: all of it or none of it.

    A link names two things and is kept whether or not a record of either is
    there yet: whether one is must not depend on what somebody else keeps
    hidden. It shows once both have a record that does. Labels are interned with
    what they are on.
    """

    sources: Sequence[Source] = ()
    captures: Sequence[Capture] = ()
    records: Sequence[Record] = ()
    links: Sequence[Link] = ()
    pairs: Sequence[Pair] = ()
    judgements: Sequence[Judgement] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch added. `duplicates` counts records, links, pairs and judgements that were there already."""

    records: int = 0
    links: int = 0
    pairs: int = 0
    judgements: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the store that a question may see: labels allowed and the moment."""

    allowed: Sequence[int]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Outline:
    """What clustering needs of a record, without its values; `key` is its identifying key, None for none."""

    id: str
    thing: str
    facet: str
    schema: str
    lid: int
    key: str | None
    recorded_at: datetime
    sequence: int
    capture: str

    @classmethod
    def of(cls, record: Record, ontology: Ontology) -> Self:
        """Return the outline of a record."""
        return cls(
            id=record.id,
            thing=record.thing,
            facet=record.facet,
            schema=record.schema,
            lid=record.lid,
            key=make_key(ontology[record.schema], record.properties),
            recorded_at=record.recorded_at,
            sequence=record.sequence,
            capture=record.capture,
        )


@dataclass(frozen=True, slots=True)
class Keyed:
    """Labels under which the identifying keys of some schemata may be compared."""

    schemata: Sequence[str]
    lids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Some things' records, and whatever else in the scope may make them one with other things.

    `things` are those asked for, and with their links some of those at the far
    ends of these; `links` have an end among those asked for. `keyed` gives the things of all records with a key that one of the records has
    under a label where it may be compared; `pairs` come with the things of their
    two records. `labels` counts every label in the store.
    """

    things: Collection[str]
    records: Sequence[Record]
    keyed: Mapping[str, frozenset[str]]
    pairs: Sequence[tuple[str, str, Pair]]
    judgements: Sequence[Judgement]
    links: Sequence[Link]
    labels: int


class Reader(Protocol):
    """The raw questions, all bounded by a Scope; for `graph.view` alone.

    Records come in every version and facet that the scope holds; which of them
    counts is the View's to say. A link is in the scope when its own label is
    allowed, each of its two things has a record in the scope, and it was
    recorded by `as_of`; a pair, which has no label of its own, when both its
    records are; a judgement when all its grounds are allowed and it was recorded by
    `as_of` (what it is about may still be hidden: the View looks).
    """

    def labels(self) -> Mapping[int, Label]:
        """Return every distinct label by its lid."""

    def known_labels(self) -> Mapping[int, Label]:
        """Return the labels by their lids as they were when last asked for, without asking."""

    def surroundings(
        self, scope: Scope, things: Collection[str], keyed: Sequence[Keyed], *, with_links: bool = False
    ) -> Surroundings:
        """Return what lies around some things, in one question."""

    def records_by_id(self, scope: Scope, ids: Collection[str]) -> list[Record]:
        """Return the records with these ids, in no order."""

    def records_by_thing(self, scope: Scope, things: Collection[str]) -> list[Record]:
        """Return the records of these things, in no order."""

    def records_by_key(self, scope: Scope, keys: Collection[str]) -> list[Record]:
        """Return the records with one of these identifying keys (see `make_key`)."""

    def records_by_words(self, scope: Scope, words: Sequence[str], schemata: Collection[str]) -> list[Record]:
        """Return at least the records whose folded text holds every word, of these concrete schemata.

        `schemata` empty means all. More may come than match: the View looks again.
        """

    def iter_records(self, scope: Scope, schemata: Collection[str]) -> Iterator[list[Record]]:
        """Stream all records of these concrete schemata (empty: all), some thousand at a time."""

    def iter_outlines(self, scope: Scope) -> Iterator[list[Outline]]:
        """Stream the outlines of all records, some thousand at a time."""

    def links_of(self, scope: Scope, things: Collection[str]) -> list[Link]:
        """Return the links with either end among these things."""

    def iter_links(self, scope: Scope) -> Iterator[list[Link]]:
        """Stream all links, some thousand at a time."""

    def pairs_of(self, scope: Scope, records: Collection[str]) -> list[Pair]:
        """Return the scored pairs with either end among these records (by record id)."""

    def iter_pairs(self, scope: Scope) -> Iterator[list[Pair]]:
        """Stream all scored pairs, some thousand at a time."""

    def judgements_of(self, scope: Scope, things: Collection[str]) -> list[Judgement]:
        """Return the judgements on any of these things, each once, in no order."""

    def iter_judgements(self, scope: Scope) -> Iterator[list[Judgement]]:
        """Stream all judgements, some thousand at a time."""

    def epoch(self) -> int:
        """Return how often rights, labels in force or the policy have changed; a change raises it before it is told."""

    def captures(self, sha256s: Collection[str]) -> list[Capture]:
        """Return what is known of these captures; called for captures of visible records alone."""


class Store(Protocol):
    """One graph engine that keeps everything. Close it when done; it is a context manager."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""

    def info(self) -> StoreInfo:
        """Return engine, version and address."""

    def write(self, batch: Batch) -> Written:
        """Write a batch in one transaction; writing it again adds nothing."""

    def view(self, observer: Observer, as_of: datetime | None = None) -> "View":
        """Return what an observer may have, as recorded by a moment (None: now): the only way to read content."""

    def epoch(self) -> int:
        """Return how often rights, labels in force or the policy have changed."""

    def put_observer(self, observer: Observer) -> None:
        """Add an observer or replace their rights, and raise the epoch."""

    def remove_observer(self, name: str) -> bool:
        """Take all rights, watches and alerts from an observer and raise the epoch; return whether there was one."""

    def get_observer(self, name: str) -> Observer | None:
        """Return an observer's present rights, None for nobody."""

    def list_observers(self) -> list[Observer]:
        """Return all observers by name."""

    def put_relabelling(self, relabelling: Relabelling) -> None:
        """Keep a proposal that nobody has approved yet."""

    def list_relabellings(self) -> list[Relabelling]:
        """Return all relabellings, approved or not, by when they were proposed, then id."""

    def relabel(self, relabelling: Relabelling) -> bool:
        """Carry out an approved relabelling, in one transaction; return whether its assertion was there.

        The assertion gets a successor that differs from it in its label (and so
        in its id) alone, with the same `recorded_at`, pairs and ends, and is
        itself hidden from every View, whatever its moment, but kept: rights are
        always those of now. Raises the epoch. Doing it again changes nothing.
        """

    def put_consent(self, consent: Consent) -> None:
        """Keep a consent; again is once."""

    def list_consents(self) -> list[Consent]:
        """Return all consents, by when they were recorded, then id."""

    def put_watch(self, watch: Watch) -> None:
        """Add a watch, or move its `checked_at` forward."""

    def list_watches(self, observer: str | None = None) -> list[Watch]:
        """Return the watches of one observer (None: of all), by id."""

    def put_alerts(self, alerts: Iterable[Alert]) -> int:
        """Add alerts, skipping those already raised; return how many were new."""

    def list_alerts(self, observer: str) -> list[Alert]:
        """Return the alerts of one observer, newest first."""

    def close(self) -> None:
        """Let go of connections and of a child process."""
