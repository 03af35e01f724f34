"""The command that prints, writes and compares the schema of each tier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import AsJson, out, plain, print_json
from api.settings import read_settings
from ontology.errors import InvalidData
from ontology.policy_file import default_policy

if TYPE_CHECKING:
    from api.sdl import Change


def schema(
    tier: Annotated[str | None, typer.Option(help=f"One of {', '.join(default_policy().tiers)}.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Say what changed since this older schema of the tier.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the schemata of all tiers there instead.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Print the GraphQL schema of a tier in SDL: every type and field that there is for it.

    With --against, print each change that breaks clients or may surprise them; ends with 1 when one breaks them.
    """
    if (tier is None) == (write is None):
        raise typer.BadParameter("expected either --tier, or --write for all tiers")
    if against is not None and tier is None:
        raise typer.BadParameter("expected with --tier", param_hint="--against")
    policy = read_settings().load_policy()
    if tier is not None and tier not in policy.tiers:
        raise typer.BadParameter(f"expected one of {', '.join(policy.tiers)}", param_hint="--tier")
    # The server's libraries take a second to load.
    from api.schema import print_sdl
    from api.sdl import find_changes, write_schemata

    if write is not None:
        show_files(write_schemata(write, policy), json=json)
    elif tier is not None and against is not None:
        changes = find_changes(_read_text(against), print_sdl(tier, policy), path=str(against))
        show_changes(changes, json=json)
        raise typer.Exit(any(change.breaks for change in changes))
    elif tier is not None:
        sdl = print_sdl(tier, policy)
        print_json({"tier": tier, "sdl": sdl}) if json else typer.echo(sdl)


def show_files(files: list[Path], *, json: bool) -> None:
    """Print which files were written."""
    if json:
        print_json([str(file) for file in files])
    else:
        out.print("\n".join(str(file) for file in files), markup=False, soft_wrap=True)


def show_changes(changes: list["Change"], *, json: bool) -> None:
    """Print changes, and how many of them break clients."""
    breaking = sum(change.breaks for change in changes)
    if json:
        print_json({"breaks_clients": breaking, "changes": changes})
        return
    for change in changes:
        words = ("breaks" if change.breaks else "may surprise", change.kind, change.description)
        out.print(plain(": ".join(words)), markup=False, soft_wrap=True)
    out.print(f"breaks clients: {breaking}")


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidData("a readable text file", type(exc).__name__, path=str(file)) from exc
