"""The pipeline: where importers, resolution and the graph meet.

A file is first kept as a capture, then read as a stream: records are written in
batches, links are spooled to disk and written after all records of all files,
since they may point forward. Every batch is one transaction and writing it
again adds nothing, so an import that was killed is run again and ends as if it
never had been.
"""

import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self, TypeVar
from urllib.parse import quote

from api.settings import Settings
from graph.export import Export, make_export
from graph.handle import Handles
from graph.judgements import add_judgement
from graph.open import open_store
from graph.relabellings import (
    ShownRelabelling,
    approve_relabelling,
    list_open_relabellings,
    propose_relabelling,
)
from graph.shown import ShownAlert
from graph.store import Batch, Store, Written
from graph.view import View
from graph.watches import add_watch, check_watches, list_alerts, order_watches
from importers.capture import CaptureStore, Kept
from importers.delivery import Delivery
from importers.label_file import LabelFile, read_label_file
from importers.mapping import FileMapping, read_mapping
from importers.registry import Format, read_file, sniff_format
from ontology.consent import Consent, Use
from ontology.errors import AccessError, InvalidData, NotPermitted, UnusableSource
from ontology.judgement import Judgement, Verdict
from ontology.label import PURPOSES, Label
from ontology.observer import SYSTEM, Observer
from ontology.policy import Policy, Right
from ontology.record import Link, Record
from ontology.rejection import Rejection
from ontology.relabelling import Relabelling
from ontology.schema import default_ontology
from ontology.source import Capture, Source
from ontology.watch import Watch

BATCH_SIZE = 2_000
LOCAL = "local"
_SHOWN_PATH = 200

T = TypeVar("T")
Progress = Callable[[str, int], None]  # what is being done, and how many more of it are done


@dataclass(slots=True)
class ImportReport:
    """What an import took in. `rejections` names what was left out and why.

    `duplicates` counts what was there already, None where who imports may not
    know: then records and links count what was taken, new or not. `waiting`
    counts links with an end of which whoever imports sees no record yet.
    """

    files: int = 0
    captures: int = 0
    records: int = 0
    links: int = 0
    duplicates: int | None = 0
    waiting: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    alerts: int = 0
    seconds: float = 0.0

    def add(self, batch: Batch, written: Written) -> None:
        """Count what a batch added."""
        if self.duplicates is None:
            self.records += len(batch.records)
            self.links += len(batch.links)
            return
        self.records += written.records
        self.links += written.links
        self.duplicates += written.duplicates


@dataclass(frozen=True, slots=True)
class ResolveReport:
    """What resolution found; `seconds` by stage."""

    records: int
    pairs: int
    entities: int
    alerts: int
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Handling:
    """How the files of one import are to be read and handled.

    `observer` is who imports, None for the operator of the machine, who holds
    the store anyway. An observer's sources are their own, under their
    organisation, so that nobody can speak for another's source, nor find out that
    it is there, be it a colleague's who may see more.
    """

    source: Source | None
    label: LabelFile
    mapping: FileMapping | None
    observer: Observer | None = None

    @classmethod
    def read(
        cls, source: str | None, label: Path | None, mapping: Path | None, observer: Observer | None = None
    ) -> Self:
        """Read the label and mapping files; `source` names a source that the label file does not describe."""
        ontology = default_ontology()
        found = read_label_file(label, ontology=ontology) if label else LabelFile(Label(), {}, None)
        who = Source(source, source) if source and found.source is None else found.source
        if who and source:
            who = replace(who, name=source)
        return cls(who, found, read_mapping(mapping, ontology=ontology) if mapping else None, observer)

    def delivery(self, path: Path, kept: Kept, now: datetime, importer: str = "") -> Delivery:
        """Return how one file is delivered; one of no named source is its own source, owned locally.

        `importer` stands for the observer in the names of their sources.
        """
        source = self.source or Source(path.name, LOCAL)
        if self.observer:
            organisation = self.observer.organisation
            # No organisation has the sign that ends its name, so no two make one name.
            name = f"{quote(organisation, safe=' ')}/{importer}/{source.name}"
            source = replace(source, name=name, organisation=organisation)
        label = self.label.label
        return Delivery(
            source=source,
            label=label if label.owner else replace(label, owner=source.organisation),
            capture=kept.sha256,
            file=path.name,
            recorded_at=now,
            mapping=self.mapping,
            schema_labels=self.label.schema_labels,
            owner=self.observer.organisation if self.observer else None,
        )


class Pipeline:
    """Everything that can be done with one home folder and one store; close it when done."""

    def __init__(
        self, settings: Settings, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.settings = settings
        self.store = store
        self._clock = clock
        self._captures = CaptureStore(settings.home)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the store that the settings name."""
        store = open_store(
            settings.store,
            home=settings.home,
            user=settings.store_user,
            password=settings.password,
            secret=settings.secret,
            policy=settings.load_policy(),
        )
        return cls(settings, store)

    def __enter__(self) -> Self:
        return self

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.store.policy

    def __exit__(self, *exc: object) -> None:
        self.store.close()

    def import_paths(self, paths: Sequence[Path], handling: Handling, progress: Progress) -> ImportReport:
        """Import files, and folders with all that is below them, in order of name.

        Raises NotPermitted for an observer without the right, and UnusableSource
        when not one file could be used; otherwise a file that cannot is a
        rejection of the report. Nothing of what is told depends on what is
        hidden from the observer who imports.
        """
        self._require(handling.observer or SYSTEM, Right.IMPORT)
        started = time.monotonic()
        report = ImportReport(duplicates=None if handling.observer else 0)
        files = [file for path in paths for file in _iter_files(path)]
        taken: set[bytes] = set()
        with tempfile.TemporaryFile() as spool:
            for file in files:
                try:
                    self._import_records(file, handling, spool, taken, report, progress)
                except UnusableSource as exc:
                    report.rejections.append(Rejection(file.name, exc.path, exc.expected, exc.found))
            spool.seek(0)
            for links in _read_ahead(_chunks(_iter_spooled(spool), BATCH_SIZE)):
                batch = Batch(links=links)
                report.add(batch, self.store.write(batch))
                report.waiting += self._count_waiting(links, taken, handling.observer or SYSTEM)
                progress("links", len(links))
        if report.captures == 0:
            raise _nothing_usable(paths, report)
        report.files = len(files)
        raised = check_watches(self.store, self._clock)
        # Who watches what is nothing for an observer who imports.
        report.alerts = 0 if handling.observer else raised
        report.seconds = round(time.monotonic() - started, 3)
        return report

    def resolve(self, progress: Progress) -> ResolveReport:
        """Score the records of every resolution model's schema and store the pairs worth keeping."""
        # Splink and DuckDB take a second to load, and only this needs them.
        from resolution.model import load_model
        from resolution.score import score_records

        seconds: dict[str, float] = {}
        records = pairs = 0
        view = self.store.view(SYSTEM)
        for name, schemata in _models().items():
            started = time.monotonic()
            batch = list(view.iter_records(schemata))
            records += len(batch)
            for chunk in _chunks(score_records(batch, load_model(name), recorded_at=self._clock()), BATCH_SIZE):
                pairs += self.store.write(Batch(pairs=chunk)).pairs
                progress(f"pairs of {name}", len(chunk))
            seconds[name] = round(time.monotonic() - started, 3)
        started = time.monotonic()
        entities = sum(self.store.view(SYSTEM).counts().values())
        seconds["entities"] = round(time.monotonic() - started, 3)
        return ResolveReport(records, pairs, entities, check_watches(self.store, self._clock), seconds)

    def add_observer(self, observer: Observer) -> Observer:
        """Store an observer, acting for their tier's purpose unless they name another; raises AccessError."""
        tiers = self.policy.tiers
        if observer.tier not in tiers:
            raise AccessError(f"tier: expected one of {', '.join(tiers)}, found another term")
        if observer.purpose and observer.purpose not in PURPOSES:
            raise AccessError(f"purpose: expected one of {', '.join(PURPOSES)}, found another term")
        if not observer.name.strip() or not (observer.organisation.strip() or observer.tier == "public"):
            raise AccessError("name, organisation: expected text, found none")
        if not observer.purpose:
            observer = replace(observer, purpose=tiers[observer.tier].purpose)
        known = self.store.get_observer(observer.name)
        if known and known.organisation != observer.organisation:
            # Somebody else by that name: what the one before watched is none of theirs.
            self.store.remove_observer(observer.name)
        self.store.put_observer(observer)
        return observer

    def remove_observer(self, name: str) -> None:
        """Take all rights from an observer, for every request that starts from now on; raises AccessError for nobody."""
        if not self.store.remove_observer(name):
            raise AccessError("observer: expected one that was added with `vinculum observer add`, found none")

    def check(self) -> None:
        """Raise StoreError when the store does not answer."""
        self.store.get_observer("")

    def find_observer(self, name: str) -> Observer:
        """Return a stored observer; raises AccessError when there is none."""
        observer = self.store.get_observer(name)
        if observer is None:
            raise AccessError("observer: expected one that was added with `vinculum observer add`, found none")
        return observer

    def observer(self, name: str) -> Observer | None:
        """Return a stored observer's present rights, None for nobody."""
        return self.store.get_observer(name)

    def view(self, observer: Observer, as_of: datetime | None = None) -> View:
        """Return what an observer may have."""
        return self.store.view(observer, as_of)

    def judge(self, observer: Observer, ids: tuple[str, str], verdict: Verdict, reason: str) -> Judgement:
        """Keep a judgement on the records of two visible ids; raises NotPermitted, NotVisible or InvalidData."""
        self._require(observer, Right.JUDGE)
        return add_judgement(self.store, observer, ids, verdict, reason, self._clock())

    def propose_relabelling(
        self, observer: Observer, *, record: str, assertion: str, parts: Mapping[str, Any], reason: str
    ) -> Relabelling:
        """Ask for another handling of a visible assertion: in force at once when it is stricter in every part.

        Raises NotPermitted, NotVisible or InvalidData.
        """
        self._require(observer, Right.LABEL)
        return propose_relabelling(
            self.store,
            observer,
            record=record,
            assertion=assertion,
            parts=parts,
            reason=reason,
            now=self._clock(),
        )

    def open_relabellings(self, observer: Observer) -> list[ShownRelabelling]:
        """Return the relabellings that wait for a second observer, of what this one sees; raises NotPermitted."""
        self._require(observer, Right.LABEL)
        return list_open_relabellings(self.store, observer)

    def approve_relabelling(self, observer: Observer, id_: str) -> Relabelling:
        """Carry out a relabelling that another observer proposed; raises NotPermitted, NotVisible or InvalidData."""
        self._require(observer, Right.LABEL)
        return approve_relabelling(self.store, observer, id_, self._clock())

    def record_consent(self, observer: Observer, use: Use, to: str, reference: str) -> Consent:
        """Record that the observer's organisation lets what it owns be used further; raises NotPermitted or InvalidData."""
        self._require(observer, Right.LABEL)
        if not (to.strip() and reference.strip()):
            raise InvalidData("text", "none", path="to, reference")
        consent = Consent(observer.organisation, use, to, reference, observer.name, self._clock())
        self.store.put_consent(consent)
        return consent

    def export(
        self, observer: Observer, ids: Sequence[str], use: Use, to: str, recipient: Observer | None = None
    ) -> Export:
        """Return what an observer may take out; see `graph.export`. Raises NotPermitted or NotVisible."""
        self._require(observer, Right.EXPORT)
        return make_export(self.store, observer, ids, use, to, recipient)

    def watch(self, observer: Observer, id_: str) -> Watch:
        """Watch the entity that a visible id names; raises NotPermitted or NotVisible. Watching twice changes nothing."""
        self._require(observer, Right.WATCH)
        return add_watch(self.store, observer, id_, self._clock())

    def watches(self, observer: Observer) -> list[Watch]:
        """Return an observer's watches by when they were made; raises NotPermitted."""
        self._require(observer, Right.WATCH)
        return order_watches(self.store, observer)

    def alerts(self, observer: Observer) -> list[ShownAlert]:
        """Return an observer's alerts whose ground they may still see, newest first; raises NotPermitted."""
        self._require(observer, Right.WATCH)
        return list_alerts(self.store, observer, self._clock())

    def _require(self, observer: Observer, right: Right) -> None:
        if not self.policy.has_right(observer, right):
            raise NotPermitted(right.value)

    def _import_records(
        self,
        path: Path,
        handling: Handling,
        spool: IO[bytes],
        taken: set[bytes],
        report: ImportReport,
        progress: Progress,
    ) -> None:
        form = sniff_format(path, handling.mapping)
        kept = self._captures.keep(path)
        delivery = handling.delivery(path, kept, self._clock(), self._name_importer(handling.observer))
        self.store.write(Batch(sources=[delivery.source], captures=[_capture(kept, form, delivery)]))
        for chunk in _read_ahead(_chunks(_iter_records(kept.path, delivery, spool, report), BATCH_SIZE)):
            batch = Batch(records=chunk)
            report.add(batch, self.store.write(batch))
            taken.update(bytes.fromhex(record.thing) for record in chunk)
            progress(path.name, len(chunk))
        report.captures += 1

    def _name_importer(self, observer: Observer | None) -> str:
        """Return what stands for an observer in the names of sources: not their name, which is their organisation's."""
        if observer is None:
            return ""
        return Handles(self.settings.secret, observer.organisation).pseudonym("importer", observer.name)

    def _count_waiting(self, links: Sequence[Link], taken: set[bytes], observer: Observer) -> int:
        """Return how many links have an end that this import did not bring and of which its observer sees no record."""
        ends = {end for link in links for end in (link.left, link.right) if bytes.fromhex(end) not in taken}
        missing = ends - self.store.view(observer).visible_things(ends) if ends else ends
        return sum(link.left in missing or link.right in missing for link in links) if missing else 0


def _models() -> dict[str, list[str]]:
    """Return the schemata of each resolution model that the ontology names."""
    found: dict[str, list[str]] = {}
    for schema in default_ontology().things():
        if schema.model:
            found.setdefault(schema.model, []).append(schema.name)
    return found


def _iter_files(path: Path) -> Iterator[Path]:
    try:
        path.stat()
    except (OSError, ValueError) as exc:
        raise UnusableSource("a file or folder", "nothing of that name", path=str(path)[:_SHOWN_PATH]) from exc
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    else:
        yield path


def _nothing_usable(paths: Sequence[Path], report: ImportReport) -> UnusableSource:
    if len(report.rejections) == 1:
        only = report.rejections[0]
        return UnusableSource(only.expected, only.found, path=only.where)
    found = f"{len(report.rejections)} files, none of them" if report.rejections else "no file at all"
    return UnusableSource("at least one readable file", found, path=", ".join(str(p) for p in paths))


def _capture(kept: Kept, form: Format, delivery: Delivery) -> Capture:
    return Capture(
        sha256=kept.sha256,
        size=kept.size,
        file=delivery.file,
        format=form.name,
        source=delivery.source.name,
        received_at=delivery.recorded_at,
        received_by="vinculum import",
    )


def _iter_records(path: Path, delivery: Delivery, spool: IO[bytes], report: ImportReport) -> Iterator[Record]:
    """Yield the records of a file, spooling its links and noting its rejections on the way."""
    for item in read_file(path, delivery):
        if isinstance(item, Record):
            yield item
        elif isinstance(item, Link):
            pickle.dump(item, spool)
        else:
            report.rejections.append(item)


def _iter_spooled(spool: IO[bytes]) -> Iterator[Link]:
    while True:
        try:
            yield pickle.load(spool)
        except EOFError:
            return


def _read_ahead(chunks: Iterator[list[T]]) -> Iterator[list[T]]:
    """Yield chunks while the next one is read already, since a writer mostly waits for its engine."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, chunks, None)
            yield chunk


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
