"""The demonstration: one invented cross-border case from files to a redacted answer, told step by step."""

import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from api.cli.console import err, out, show_progress
from api.cli.display import (
    show_alerts,
    show_communities,
    show_explanation,
    show_observers,
    show_rejection,
    show_side_by_side,
)
from api.cli.serving import run_server
from api.document import alert_document
from api.pipeline import Handling, ImportReport, Pipeline
from api.settings import EMBEDDED, Settings, load_settings
from graph.communities import find_communities
from graph.shown import Entity
from graph.view import View
from ontology.errors import StoreError
from ontology.observer import Observer

CASE = "demo/case"
PICTURE = "communities.html"


def demo(
    once: Annotated[bool, typer.Option("--once", help="End instead of serving GraphQL.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to serve on (default VINCULUM_PORT, 8350).")] = None,
) -> None:
    """Show the whole of Vinculum on an invented case: import, resolve, four observers, communities, an alert, GraphQL.

    It works in the folder `demo` of the home folder and starts afresh each time. With VINCULUM_STORE set to a Neo4j
    it writes there, beside what the store holds.
    """
    settings = load_settings()
    home = settings.home / "demo"
    if settings.store == EMBEDDED and home.exists():
        shutil.rmtree(home)
    settings = Settings(home=home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with err.status(f"opening the store ({settings.store}) ..."):
        pipeline = Pipeline.open(settings)
    with pipeline, as_file(files("api").joinpath(CASE)) as folder:
        case = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
        Demonstration(pipeline, folder, case).run()
        if not once:
            _serve(pipeline, case, port)


class Demonstration:
    """Tells one case; each step prints what it did."""

    def __init__(self, pipeline: Pipeline, folder: Path, case: Mapping[str, Any]) -> None:
        self._pipeline = pipeline
        self._folder = folder
        self._case = case

    def run(self) -> None:
        """Tell the case from its files to its alert."""
        info = self._pipeline.store.info()
        out.rule(f"{self._case['title']}: an invented case on {info.engine} {info.version}")
        self._add_observers()
        self._import(self._case["files"])
        self._resolve()
        self._explain()
        self._compare()
        self._cluster()
        self._alert()

    def _add_observers(self) -> None:
        _head("Who asks")
        show_observers(
            [
                self._pipeline.add_observer(
                    Observer(
                        spec["name"],
                        spec["organisation"],
                        spec["tier"],
                        cases=tuple(spec["cases"]),
                        purpose=spec["purpose"],
                    )
                )
                for spec in self._case["observers"]
            ]
        )

    def _import(self, specs: Sequence[Mapping[str, str]]) -> None:
        _head("Files taken in")
        for spec in specs:
            report = self._import_file(spec)
            out.print(
                f"{spec['file']:<22}{report.records:>5} records {report.links:>5} links"
                f" {len(report.rejections):>3} rejections"
            )
            for rejection in report.rejections:
                show_rejection(rejection)

    def _import_file(self, spec: Mapping[str, str]) -> ImportReport:
        mapping = self._folder / spec["mapping"] if "mapping" in spec else None
        handling = Handling.read(None, self._folder / spec["label"], mapping)
        with show_progress("import") as progress:
            return self._pipeline.import_paths([self._folder / spec["file"]], handling, progress)

    def _resolve(self) -> None:
        with show_progress("resolve") as progress:
            report = self._pipeline.resolve(progress)
        _head("Resolved")
        out.print(
            f"{report.records} people and organisations compared, {report.pairs} pairs that may be one,"
            f" {report.entities} entities in all"
        )

    def _explain(self) -> None:
        spec = self._case["explain"]
        view = self._view(spec["as"])
        left, right = (self._record_of(view, spec[side]) for side in ("left", "right"))
        _head(f"One merge, bit by bit, as {spec['as']} may know it")
        show_explanation(view.explain(left, right))

    def _record_of(self, view: View, spec: Mapping[str, str]) -> str:
        """Return the id of the record of that name in the first entity that a search finds."""
        return next(r.id for r in self._find(view, spec).records if r.caption == spec["search"])

    def _compare(self) -> None:
        spec = self._case["entity"]
        things = sorted(self._find(self._view(spec["as"]), spec).things)
        _head("One entity, four pairs of eyes")
        columns: dict[str, Entity | None] = {}
        for observer in self._case["observers"]:
            found = self._view(observer["name"]).entities_of(things)
            columns[f"{observer['tier']} ({observer['name']})"] = next(iter(found.values()), None)
        show_side_by_side(columns)

    def _cluster(self) -> None:
        # pyvis takes a second to load.
        from graph.render import render_picture

        name = self._case["communities"]["as"]
        picture = self._pipeline.settings.home / PICTURE
        with err.status("looking for communities ..."):
            view = self._view(name)
            found = find_communities(view)
            render_picture(view, found, picture)
        _head(f"Communities that {name} sees")
        show_communities(found)
        out.print(f"picture: {picture}", markup=False)

    def _alert(self) -> None:
        spec = self._case["watch"]
        observer = self._pipeline.find_observer(spec["as"])
        entity = self._find(self._view(spec["as"]), spec)
        self._pipeline.watch(observer, entity.id)
        _head(f"{spec['as']} watches {entity.caption}; then one more file comes")
        for later in self._case["later"]:
            self._import_file(later)
        show_alerts([alert_document(alert) for alert in self._pipeline.alerts(observer)])

    def _view(self, name: str) -> View:
        return self._pipeline.view(self._pipeline.find_observer(name))

    def _find(self, view: View, spec: Mapping[str, str]) -> Entity:
        page = view.search(spec["search"], schema=spec.get("schema"), first=1)
        if not page.items:
            raise StoreError("the case: expected its files in the store, found nothing by its searches")
        return page.items[0]


def _serve(pipeline: Pipeline, case: Mapping[str, Any], port: int | None) -> None:
    from api.identity import MAX_LIFETIME_S, TokenKeys

    _head("Ask for yourself")
    keys = TokenKeys(pipeline.settings.home / "keys")
    for observer in case["observers"]:
        out.print(f"token of {observer['name']}, for an hour:", markup=False)
        out.print(keys.issue(observer["name"], lifetime_s=MAX_LIFETIME_S), markup=False, soft_wrap=True)
    run_server(pipeline, port=port, ide=True)


def _head(text: str) -> None:
    out.print()
    out.print(text, style="bold", markup=False)
