"""The commands and their entry point."""

import logging
import os
import sys
import traceback
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.logging import RichHandler

from api.cli.console import AsActor, AsJson, AsObserver, err, open_pipeline, out, plain, print_json, show_progress
from api.cli.deciding import consent_app, export, judge, label_app
from api.cli.demo import demo
from api.cli.display import (
    show_alerts,
    show_communities,
    show_entity,
    show_explanation,
    show_import,
    show_neighbours,
    show_observers,
    show_resolve,
    show_schema,
    show_schemata,
    show_search,
    show_watches,
)
from api.cli.documents import documents
from api.cli.policy import policy_app
from api.cli.resolving import compare, dedupe, train
from api.cli.schema import schema
from api.cli.serving import query, serve, token
from api.document import (
    alert_document,
    community_document,
    entity_document,
    explanation_document,
    neighbour_document,
    observer_document,
    page_document,
    schema_document,
    watch_document,
)
from api.pipeline import Handling, ImportReport
from graph.communities import METHODS, find_communities
from graph.watches import order_watches
from ontology.errors import InvalidData, UnusableSource, VinculumError
from ontology.observer import Observer
from ontology.policy_file import default_policy
from ontology.rejection import Rejection
from ontology.schema import default_ontology

USAGE = 2
FAULT = 1

app = typer.Typer(
    name="vinculum",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="""Fuse what crawlers, wallet tracers and agencies know about trafficking in human beings into one graph,
and show each observer exactly the part that they may have.

A first round: [bold]vinculum demo --once[/bold]. With your own files:

  vinculum import FILES --source NAME --label HANDLING.yaml
  vinculum resolve
  vinculum observer add anna --tier investigator --organisation NAME
  vinculum search "some name" --as anna

Settings come from the environment; README.md has their defaults.

  VINCULUM_HOME                 folder of captures, keys, the embedded engine
  VINCULUM_STORE                embedded, or a bolt:// or neo4j:// address
  VINCULUM_STORE_USER           who signs in there
  VINCULUM_STORE_PASSWORD       their password, or else the file with it:
  VINCULUM_STORE_PASSWORD_FILE
  VINCULUM_POLICY               a policy file, in place of the one that ships
  VINCULUM_HOST                 address that serve listens on
  VINCULUM_PORT                 its port
  VINCULUM_ALLOWED_HOSTS        names that requests may call it by
  VINCULUM_IDE                  true: serve GraphiQL
  VINCULUM_DOCUMENTS            manifest of trusted documents
  VINCULUM_DOCUMENTS_ONLY       tiers that may ask nothing else
  VINCULUM_CONCURRENCY          requests that run at once
  VINCULUM_QUEUE                requests that may wait
  VINCULUM_DEADLINE_S           seconds that one may wait and run
  VINCULUM_METRICS              true: operators may read /metrics
  VINCULUM_OIDC_ISSUER          a provider whose tokens are taken: its iss
  VINCULUM_OIDC_AUDIENCE        their aud
  VINCULUM_OIDC_JWKS            its public keys: an address or a file
  VINCULUM_OIDC_NAME_CLAIM      the claim with an observer's name
  VINCULUM_DEBUG                1: show where a fault of ours is

Exit codes: 0 done (rejections are counted), 2 usage or a source unusable as a whole, 1 a fault of ours.""",
)
observer_app = typer.Typer(no_args_is_help=True, help="Who may ask, and with what rights.")
watch_app = typer.Typer(no_args_is_help=True, help="Standing questions: what links to an entity from now on.")

Id = Annotated[str, typer.Argument(metavar="ID", help="An id as shown by search, entity or GraphQL.")]
AsAnyObserver = Annotated[str | None, typer.Option("--as", metavar="NAME", help="The observer whose watches to list.")]


def print_version(asked: bool) -> None:
    """Print the version, if asked, and end."""
    if asked:
        out.print(f"vinculum {version('vinculum')}", markup=False)
        raise typer.Exit


def main() -> None:
    """Run a command; every expected fault becomes one clear line and an exit code."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)]
    )
    try:
        _check_arguments(sys.argv[1:])
        app()
    except VinculumError as exc:
        err.print(plain(f"vinculum: {exc}"), markup=False, soft_wrap=True)
        sys.exit(USAGE)
    except Exception as exc:
        err.print(f"vinculum: a fault of ours ({type(exc).__name__}); VINCULUM_DEBUG=1 shows where", markup=False)
        if os.environ.get("VINCULUM_DEBUG"):
            traceback.print_exc()
        sys.exit(FAULT)


def _check_arguments(words: list[str]) -> None:
    for place, word in enumerate(words, 1):
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise InvalidData("text in UTF-8", "other bytes", path=f"word {place} of the command")


@app.callback()
def _options(
    asked: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    del asked


@app.command()
def init(json: AsJson = False) -> None:
    """Make the home folder and open the store once; every other command does so too when needed."""
    with open_pipeline() as pipeline:
        info = pipeline.store.info()
        document = {
            "engine": info.engine,
            "version": info.version,
            "home": str(pipeline.settings.home.resolve()),
            "schemata": sorted(s.name for s in default_ontology().values() if not s.abstract),
        }
    if json:
        print_json(document)
    else:
        out.print(f"{info.engine} {info.version} at {document['home']}, {len(document['schemata'])} schemata")


@app.command()
def schemata(
    name: Annotated[str | None, typer.Argument(help="A schema to show in full.")] = None, json: AsJson = False
) -> None:
    """List the schemata of things and links, or one with its properties, for mappings and searches."""
    ontology = default_ontology()
    if name is not None and name not in ontology:
        raise typer.BadParameter("expected the name of a schema, as `vinculum schemata` lists them")
    chosen = [ontology[name]] if name else [*ontology.things(), *ontology.links()]
    if json:
        print_json([schema_document(schema) for schema in chosen])
    elif name:
        show_schema(ontology[name])
    else:
        show_schemata(chosen)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders with all below them.")],
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who says so; also the owner unless the label file names one.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What the columns of CSV, TSV and JSON lines mean (YAML).")
    ] = None,
    label: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How the files must be handled (YAML); unsaid is strictest.")
    ] = None,
    observer: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="The observer who imports, for their organisation; without one, whoever holds the store.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Take files in: WARC, TagPack, STIX 2.1, FollowTheMoney, and CSV or JSON lines by a mapping.

    The format is told from the content. Importing the same file twice adds nothing, and a killed import is simply
    run again. What a source does not mark and no label file says is taken strictest: TLP RED, handling H2, category
    victim, seen by the owner's organisation alone.
    """
    handling = Handling.read(source, label, mapping)
    try:
        with open_pipeline() as pipeline, show_progress("import") as progress:
            if observer is not None:
                handling = replace(handling, observer=pipeline.find_observer(observer))
            report = pipeline.import_paths(paths, handling, progress)
    except UnusableSource as exc:
        if json:
            print_json(ImportReport(rejections=[Rejection(exc.path, exc.path, exc.expected, exc.found)]))
        raise
    if json:
        print_json(report)
    else:
        show_import(report, is_labelled=label is not None)


@app.command()
def resolve(json: AsJson = False) -> None:
    """Compare the people and organisations taken in and store the pairs that may be one thing."""
    with open_pipeline() as pipeline, show_progress("resolve") as progress:
        report = pipeline.resolve(progress)
    if json:
        print_json(report)
    else:
        show_resolve(report)


@observer_app.command("add")
def observer_add(
    name: Annotated[str, typer.Argument(help="The observer's name, as tokens will carry it.")],
    tier: Annotated[str, typer.Option(help=f"One of {', '.join(default_policy().tiers)}.")],
    organisation: Annotated[str, typer.Option(help="The organisation that they act for.")],
    case: Annotated[list[str] | None, typer.Option(help="A case that they work on; may be repeated.")] = None,
    compartment: Annotated[
        list[str] | None, typer.Option(help="A compartment that they are in; may be repeated.")
    ] = None,
    order: Annotated[
        list[str] | None, typer.Option(help="A case that a judicial order opens to them further; may be repeated.")
    ] = None,
    purpose: Annotated[str, typer.Option(help="What they act for (default: the tier's purpose).")] = "",
    json: AsJson = False,
) -> None:
    """Add an observer, or replace the rights of one."""
    cases, compartments, orders = (tuple(sorted(names or ())) for names in (case, compartment, order))
    observer = Observer(name, organisation, tier, cases, compartments, purpose, orders)
    with open_pipeline() as pipeline:
        observer = pipeline.add_observer(observer)
    if json:
        print_json(observer_document(observer))
    else:
        show_observers([observer])


@observer_app.command("remove")
def observer_remove(
    name: Annotated[str, typer.Argument(help="The observer's name.")],
    json: AsJson = False,
) -> None:
    """Take all rights from an observer: their tokens are refused from the moment that this command ends."""
    with open_pipeline() as pipeline:
        pipeline.remove_observer(name)
    if json:
        print_json({"removed": name})
    else:
        out.print("removed")


@observer_app.command("list")
def observer_list(json: AsJson = False) -> None:
    """List the observers."""
    with open_pipeline() as pipeline:
        observers = pipeline.store.list_observers()
    if json:
        print_json([observer_document(observer) for observer in observers])
    else:
        show_observers(observers)


@app.command()
def entity(id_: Id, observer: AsObserver, json: AsJson = False) -> None:
    """Show one entity as an observer sees it: values, where each comes from, what is withheld, its neighbours."""
    with open_pipeline() as pipeline:
        view = pipeline.view(pipeline.find_observer(observer))
        found = view.entity(id_)
        neighbours = view.neighbours(id_, first=100)
    if json:
        print_json({**entity_document(found), "neighbours": [neighbour_document(n) for n in neighbours.items]})
    else:
        show_entity(found)
        show_neighbours(neighbours)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Words that must all occur; any script.")],
    observer: AsObserver,
    schema: Annotated[str | None, typer.Option(help="Keep one schema and its heirs, such as Person.")] = None,
    first: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 20,
    after: Annotated[str | None, typer.Option(help="Go on after the `next` of an earlier page.")] = None,
    json: AsJson = False,
) -> None:
    """Find entities by words in the values that an observer sees in clear."""
    if schema is not None and schema not in default_ontology():
        raise typer.BadParameter(
            "expected the name of a schema, as `vinculum init --json` lists them", param_hint="--schema"
        )
    with open_pipeline() as pipeline:
        view = pipeline.view(pipeline.find_observer(observer))
        page = view.search(text, schema=schema, first=first, after=after)
    if json:
        print_json(page_document(page))
    else:
        show_search(page)


@app.command()
def explain(left: Id, right: Id, observer: AsObserver, json: AsJson = False) -> None:
    """Explain in bits why two records are one thing, or not, from what an observer may see."""
    with open_pipeline() as pipeline:
        explanation = pipeline.view(pipeline.find_observer(observer)).explain(left, right)
    if json:
        print_json(explanation_document(explanation))
    else:
        show_explanation(explanation)


@app.command()
def communities(
    observer: AsObserver,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a picture that needs no internet.")
    ] = None,
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = METHODS[0],
    json: AsJson = False,
) -> None:
    """Find communities among the entities that an observer sees."""
    if method not in METHODS:
        raise typer.BadParameter(f"expected one of {', '.join(METHODS)}", param_hint="--method")
    # pyvis takes a second to load.
    from graph.render import render_picture

    with open_pipeline() as pipeline, show_progress("communities"):
        view = pipeline.view(pipeline.find_observer(observer))
        found = find_communities(view, method=method)
        if html:
            try:
                render_picture(view, found, html)
            except OSError as exc:
                raise InvalidData("a file that can be written", exc.strerror or "an error", path="--html") from exc
    if json:
        print_json({"communities": [community_document(c) for c in found], "html": str(html) if html else None})
        return
    show_communities(found)
    if html:
        out.print(f"picture: {html}", markup=False)


@watch_app.command("add")
def watch_add(id_: Id, observer: AsActor, json: AsJson = False) -> None:
    """Watch an entity: whatever links to it from now on, visibly to the observer, raises an alert."""
    with open_pipeline() as pipeline:
        who = pipeline.find_observer(observer)
        view = pipeline.view(who)
        watch = pipeline.watch(who, id_)
        document = watch_document(watch, view.handle("watch", watch.id), view.entity(id_))
    if json:
        print_json(document)
    else:
        show_watches([document])


@watch_app.command("list")
def watch_list(observer: AsAnyObserver = None, json: AsJson = False) -> None:
    """List an observer's watches; without one, who watches since when, and not what."""
    with open_pipeline() as pipeline:
        if observer is None:
            documents = [watch_document(watch) for watch in pipeline.store.list_watches()]
        else:
            who = pipeline.find_observer(observer)
            view, watches = pipeline.view(who), order_watches(pipeline.store, who)
            entities = view.entities_of([w.thing for w in watches])
            documents = [watch_document(w, view.handle("watch", w.id), entities.get(w.thing)) for w in watches]
    if json:
        print_json(documents)
    else:
        show_watches(documents)


@app.command()
def alerts(observer: AsObserver, json: AsJson = False) -> None:
    """List an observer's alerts, newest first."""
    with open_pipeline() as pipeline:
        documents = [alert_document(alert) for alert in pipeline.alerts(pipeline.find_observer(observer))]
    if json:
        print_json(documents)
    else:
        show_alerts(documents)


# Help lists commands in the order in which they are registered: that of their use.
app.add_typer(observer_app, name="observer")
app.command()(judge)
app.add_typer(label_app, name="label")
app.add_typer(consent_app, name="consent")
app.command()(export)
app.add_typer(watch_app, name="watch")
app.add_typer(policy_app, name="policy")
app.command()(dedupe)
app.command()(train)
app.command()(compare)
app.command()(schema)
app.command()(documents)
app.command()(query)
app.command()(token)
app.command()(serve)
app.command()(demo)
