"""Console: answers on standard output, progress and faults on standard error."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from api.pipeline import Pipeline, Progress
from api.settings import load_settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
log = logging.getLogger(__name__)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for scripts.")]
AsObserver = Annotated[str, typer.Option("--as", metavar="NAME", help="The observer whose eyes to look with.")]


def print_json(document: Any) -> None:
    """Write one document to standard output."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def plain(text: str) -> str:
    """Drop what could move the cursor, turn the text around or colour the terminal: values and names come from anybody."""
    return "".join(character for character in text if character.isprintable())


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
