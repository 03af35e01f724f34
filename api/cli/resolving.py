"""Resolving without a store: tables to entities, and pairs to figures."""

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TextIO, TypeVar

import typer

from api.cli.console import err, plain, say_count, show_progress
from api.cli.drafts import open_drafts
from api.pipeline import Progress
from importers.flat import Cleaner, FlatReader, parse_figures, read_entity, read_flat_mapping
from importers.guard import iter_lines, open_bytes
from ontology.errors import InvalidData, InvalidValue, describe_kind
from ontology.pair import sum_weights
from ontology.schema import Ontology, Schema, default_ontology

if TYPE_CHECKING:
    from resolution.dedupe import ScoredPairs
    from resolution.model import Model

MATCH, POSSIBLE, DIFFERENT, INVALID = VERDICTS = ("match", "possible", "different", "invalid")
# In bits. Whoever names a pair to compare thinks it likelier than any two records are: 1 to 256.
NAMED_PRIOR = -8.0
# Likelier one than not; and likely enough for a second look.
MATCH_FROM, POSSIBLE_FROM = 0.0, -6.0

_SHOWN = 20
_SHOWN_NAME = 60
_TOLD_AT_ONCE = 1_000
_SIDES = ("left", "right")

T = TypeVar("T")

Tables = Annotated[list[Path], typer.Argument(metavar="TABLE...", help="CSV, TSV, JSON lines or Parquet.")]
Mapping = Annotated[Path, typer.Option(metavar="MAPPING", help="What the columns mean (YAML).")]
Trained = Annotated[
    Path | None, typer.Option("--model", metavar="FILE", help="A model of `vinculum train`, for the shipped one.")
]
Target = Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write; - is standard output.")]


def dedupe(
    tables: Tables,
    mapping: Mapping,
    target: Target,
    pairs: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also write the scored pairs, with each comparison's weight.")
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Fit the model to these tables first.")] = False,
    model: Trained = None,
) -> None:
    """Find which rows of tables are one person or organisation. Needs no store and keeps nothing.

    Writes `id,entity`, a line for each row: its entity is the id of the first of the rows that are one. A row that
    cannot be read stops it, and nothing is written; a value that cannot is left out and counted.
    """
    # Splink and DuckDB take a second to load, and only this needs them.
    from resolution.dedupe import find_entities, score_pairs
    from resolution.parquet import read_parquet

    started = time.monotonic()
    flat = read_flat_mapping(mapping)
    targets = [target] if pairs is None else [target, pairs]
    _check_targets(targets, [*tables, mapping, model])
    chosen = _read_model(flat.schema, model)
    reader = FlatReader(flat, read_parquet=read_parquet)
    with open_drafts(targets) as drafts, show_progress("dedupe") as progress:
        records = _count(reader.iter_records(tables), "records", progress)
        scored = score_pairs(records, chosen, is_trained=train, progress=_follow(progress))
        entities = find_entities(scored).tolist()
        ids = reader.ids
        _write(drafts[0], ("id", "entity"), zip(ids, (ids[place] for place in entities), strict=True))
        for draft in drafts[1:]:
            _write(draft, _PAIR_HEADER + scored.comparisons, _iter_pair_rows(scored, ids))
    _show_left_out(reader.cleaner)
    if scored.ignored:
        said = f"{scored.ignored:,} shared by so many records that they proposed no pair"
        err.print(f"keys: {said}", markup=False, soft_wrap=True)
    sizes = Counter(entities)
    found = [say_count(len(entities), "record"), say_count(len(scored.left), "pair"), _say_entities(len(sizes))]
    _show_summary(f"{', '.join(found)}, the largest of {say_count(max(sizes.values(), default=0), 'record')}", started)


def train(
    tables: Tables,
    mapping: Mapping,
    target: Target,
    model: Trained = None,
) -> None:
    """Fit a model to tables that nobody has judged, and write it for `dedupe --model` and `compare --model`.

    How often each finding shows among rows of one thing and of two is counted by expectation maximisation; what is
    compared, the keys that propose pairs and the stop stay. Nothing of any row is in the file.
    """
    from resolution.model import dump_model
    from resolution.parquet import read_parquet
    from resolution.train import train_model

    started = time.monotonic()
    flat = read_flat_mapping(mapping)
    _check_targets([target], [*tables, mapping, model])
    chosen = _read_model(flat.schema, model)
    reader = FlatReader(flat, read_parquet=read_parquet)
    with open_drafts([target]) as (draft,), show_progress("train") as progress:
        fitted = train_model(_count(reader.iter_records(tables), "records", progress), chosen)
        draft.write(dump_model(fitted, f"Fitted to {len(reader.ids):,} records on {datetime.now(UTC):%Y-%m-%d}."))
    _show_left_out(reader.cleaner)
    _show_summary(f"{say_count(len(reader.ids), 'record')}, a prior of {fitted.prior:+.1f} bits", started)


def compare(
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS", help="JSON lines, each with left and right: their schema and properties.")
    ],
    target: Target,
    model: Trained = None,
) -> None:
    """Weigh pairs of records, one a line, by the shipped models. Needs no store and keeps nothing.

    Writes `line,weight,probability,verdict`: the weight in bits, and match, possible or different. Two of kinds that
    no model compares are different, without a weight. A line that cannot be read is invalid, counted and named.
    """
    started = time.monotonic()
    _check_targets([target], [pairs, model])
    weigher = _Weigher(model)
    with open_drafts([target]) as (draft,), show_progress("compare") as progress:
        _write(draft, ("line", "weight", "probability", "verdict"), _count(weigher.iter_rows(pairs), "pairs", progress))
    weigher.show_faults()
    _show_left_out(weigher.cleaner)
    found = ", ".join(f"{weigher.verdicts[verdict]:,} {verdict}" for verdict in VERDICTS)
    _show_summary(f"{say_count(weigher.verdicts.total(), 'pair')}: {found}", started)


def find_common_model(left: Schema, right: Schema, ontology: Ontology) -> str | None:
    """Return the name of the model that compares things of two schemata, None when there is none.

    It is that of their nearest common ancestor; or, where one schema is only a
    wider word for the other, that of the narrower one.
    """
    for ancestor in left.lineage:
        if ancestor in right.lineage and (model := ontology[ancestor].model):
            return model
    if right.name in left.lineage:
        return left.model
    return right.model if left.name in right.lineage else None


def find_verdict(weight: float) -> str:
    """Return what a weight in bits says of a pair."""
    if weight >= MATCH_FROM:
        return MATCH
    return POSSIBLE if weight >= POSSIBLE_FROM else DIFFERENT


class _Score(NamedTuple):
    """A line of the answer; figures that there are none of are empty."""

    line: int
    weight: float | str
    probability: float | str
    verdict: str


class _Weigher:
    """Weighs the pairs of a file, and keeps count of what it could not read."""

    def __init__(self, path: Path | None) -> None:
        # With the models come libraries that take a second to load.
        from resolution.model import read_model

        trained = read_model(path) if path else None
        self._trained = {trained.name: trained} if trained else {}
        self.cleaner = Cleaner()
        self.verdicts: Counter[str] = Counter()
        self._faults: list[str] = []

    def iter_rows(self, path: Path) -> Iterator[_Score]:
        """Stream the score of each line that is not blank."""
        for number, text in _iter_texts(path):
            try:
                score = self._weigh(number, text)
            except InvalidValue as fault:
                score = _Score(number, "", "", INVALID)
                if self.verdicts[INVALID] < _SHOWN:
                    self._faults.append(f"{path}: line {number}: {fault}")
            self.verdicts[score.verdict] += 1
            yield score

    def show_faults(self) -> None:
        """Name the first lines that could not be read, and say how many more there were."""
        for fault in self._faults:
            err.print(plain(fault), markup=False, soft_wrap=True)
        if more := self.verdicts[INVALID] - len(self._faults):
            err.print(f"... and {say_count(more, 'line')} more that cannot be read", markup=False)

    def _weigh(self, number: int, text: str | InvalidValue) -> _Score:
        from resolution.model import load_model
        from resolution.pairwise import compare_records

        if isinstance(text, InvalidValue):
            raise text
        said = parse_figures(text)
        if not isinstance(said, dict):
            raise InvalidValue("a JSON object", describe_kind(said))
        left, right = (read_entity(said.get(side), side, self.cleaner) for side in _SIDES)
        name = find_common_model(left.schema, right.schema, default_ontology())
        if name is None:
            return _Score(number, "", "", DIFFERENT)
        model = self._trained.get(name) or load_model(name)
        pair = compare_records(left.record, right.record, model, recorded_at=_NO_TIME)
        weight = sum_weights(NAMED_PRIOR, (evidence.weight for evidence in pair.evidence))
        return _Score(number, weight, 1 / (1 + 2**-weight), find_verdict(weight))


_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_PAIR_HEADER = ("left", "right", "weight", "probability")


def _iter_texts(path: Path) -> Iterator[tuple[int, str | InvalidValue]]:
    try:
        stream = open_bytes(path, str(path))
    except OSError as exc:
        raise InvalidData("a file that can be read", exc.strerror or "an error", path=str(path)) from exc
    with stream:
        for line in iter_lines(stream):
            if line.text is None:
                yield line.number, InvalidValue(*line.fault)
            elif line.text.strip():
                yield line.number, line.text


def _iter_pair_rows(scored: "ScoredPairs", ids: Sequence[str]) -> Iterator[list[Any]]:
    for left, right, weight, probability, weights in scored.iter_rows():
        yield [ids[left], ids[right], weight, probability, *weights]


def _write(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def _read_model(schema: str, path: Path | None) -> "Model":
    """Return the model of a schema: the one in a file, or the shipped one. Raises SchemaError, or InvalidData for another."""
    from resolution.model import load_model, read_model

    name = default_ontology()[schema].model or ""
    if path is None:
        return load_model(name)
    model = read_model(path)
    if model.name != name:
        raise InvalidData(f"the model {name}, which is that of {schema}", "another one", path=str(path))
    return model


def _check_targets(targets: Sequence[str], sources: Iterable[Path | None]) -> None:
    read = {source.resolve() for source in sources if source}
    written = [Path(target).resolve() for target in targets]
    if not read.isdisjoint(written):
        raise InvalidData("another file than those that are read", "one of them", path="--out")
    if len(set(written)) < len(written):
        raise InvalidData("another file than --out", "the same", path="--pairs")


def _count(items: Iterable[T], what: str, progress: Progress) -> Iterator[T]:
    """Pass items on and tell how many, now and then."""
    number = 0
    for number, item in enumerate(items, 1):
        if number % _TOLD_AT_ONCE == 0:
            progress(what, _TOLD_AT_ONCE)
        yield item
    progress(what, number % _TOLD_AT_ONCE)


def _follow(progress: Progress) -> Callable[[int, int], None]:
    """Return what is told how many records are done and tells how many more."""
    done = 0

    def follow(now: int, _: int) -> None:
        nonlocal done
        progress("compared", now - done)
        done = now

    return follow


def _show_left_out(cleaner: Cleaner) -> None:
    found = [(place, count) for place, count in cleaner.left_out.most_common() if count]
    for (name, expected), count in found[:_SHOWN]:
        said = f"{say_count(count, 'value')} of {name[:_SHOWN_NAME]} left out: expected {expected}"
        err.print(plain(said), markup=False, soft_wrap=True)
    if more := sum(count for _, count in found[_SHOWN:]):
        err.print(f"... and {say_count(more, 'value')} elsewhere", markup=False)


def _show_summary(said: str, started: float) -> None:
    err.print(f"{said}, {time.monotonic() - started:.1f} s", markup=False, soft_wrap=True)


def _say_entities(number: int) -> str:
    return "1 entity" if number == 1 else f"{number:,} entities"
