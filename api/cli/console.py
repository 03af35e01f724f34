"""Console: answers on standard output, progress and faults on standard error."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from api.pipeline import Pipeline, Progress
from api.settings import load_settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
log = logging.getLogger(__name__)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for scripts.")]
# Where the answer is one JSON document anyway, scripts may still say so.
AsJsonAlways = Annotated[bool, typer.Option("--json", hidden=True)]
AsObserver = Annotated[str, typer.Option("--as", metavar="NAME", help="The observer whose eyes to look with.")]
AsActor = Annotated[
    str, typer.Option("--as", metavar="NAME", help="The observer who does it: it counts as theirs, by their rights.")
]
_GAP = 3  # columns between two of a table


def print_json(document: Any) -> None:
    """Write one document to standard output."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def plain(text: str) -> str:
    """Drop what could move the cursor, turn the text around or colour the terminal: values and names come from anybody."""
    return "".join(character for character in text if character.isprintable())


def say_count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table that breaks lines between words, and words only where they fit in no other way."""
    # Text, not str: a value may hold what rich would read as markup.
    cells = [["\n".join(map(plain, cell.split("\n"))) for cell in row] for row in rows]
    widths = _fit_widths(list(zip(headings, *cells, strict=True)), out.width - _GAP * (len(headings) - 1))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(heading, overflow="fold", width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    out.print(table)


def _fit_widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return how wide columns are: each as its longest word and, as far as there is room, its longest line."""
    wanted = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]
    widths = [max([1, *(cell_len(word) for cell in column for word in cell.split())]) for column in columns]
    while sum(widths) > max(room, len(widths)):
        widths[widths.index(max(widths))] -= 1
    while sum(widths) < room and (growing := [i for i, width in enumerate(widths) if width < wanted[i]]):
        widths[min(growing, key=lambda i: widths[i])] += 1
    return widths


@contextmanager
def open_pipeline() -> Iterator[Pipeline]:
    """Open the store that the environment names, with a word while its engine starts."""
    settings = load_settings()
    with err.status(f"opening the store ({settings.store}) ..."):
        pipeline = Pipeline.open(settings)
    with pipeline:
        yield pipeline


@contextmanager
def show_progress(what: str) -> Iterator[Progress]:
    """Count work done on standard error while it goes on; silent where that is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with ProgressBar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def advance(part: str, count: int) -> None:
            bar.update(task, description=f"{what}: {part}", advance=count)

        yield advance
