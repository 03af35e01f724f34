"""Display: what a person reads at the terminal. Values are printed as they are, never as markup."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from api.cli.console import err, out, plain
from api.pipeline import ImportReport, ResolveReport
from graph.communities import Community
from graph.shown import Entity, Explanation, Neighbour, Page, Redaction, ShownJudgement
from ontology.observer import Observer
from ontology.rejection import Rejection
from ontology.schema import Schema, default_ontology

_SHOWN_REJECTIONS = 10
_SHOWN_COMMUNITIES = 20
_SHOWN_MEMBERS = 8


def show_import(report: ImportReport, *, is_labelled: bool) -> None:
    """Say what an import took in, what it left out and why."""
    known = "" if report.duplicates is None else f" ({report.duplicates:,} known before)"
    out.print(
        f"{report.captures} of {report.files} files: {report.records:,} records, {report.links:,} links"
        f"{known}, {len(report.rejections):,} rejections, {report.seconds:.1f} s"
    )
    if report.waiting:
        out.print(f"  {report.waiting:,} links wait for a record at one of their ends")
    for rejection in report.rejections[:_SHOWN_REJECTIONS]:
        show_rejection(rejection)
    if len(report.rejections) > _SHOWN_REJECTIONS:
        reasons = Counter(rejection.expected for rejection in report.rejections)
        out.print(
            f"  ... of all: {', '.join(f'{n} expected {what}' for what, n in reasons.most_common(5))}", markup=False
        )
    if report.alerts:
        out.print(f"{report.alerts} alerts raised; `vinculum alerts --as NAME` shows them to whom they concern")
    if not is_labelled and report.records:
        err.print(
            "no --label given: what the source did not mark is taken strictest"
            " (TLP RED, handling H2, category victim) and shown to its owner alone"
        )


def show_rejection(rejection: Rejection) -> None:
    """Say in one line what was left out, where and why."""
    where = f"  {rejection.file}: {rejection.where}" if rejection.where != rejection.file else f"  {rejection.file}"
    out.print(plain(f"{where}: expected {rejection.expected}, found {rejection.found}"), markup=False, soft_wrap=True)


def show_resolve(report: ResolveReport) -> None:
    """Say what resolution found."""
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.seconds.items())
    out.print(
        f"{report.records:,} records compared, {report.pairs:,} new pairs, {report.entities:,} entities ({stages})"
    )


def show_schemata(schemata: Sequence[Schema]) -> None:
    """List schemata with what they are, links with their ends."""
    table = _table("schema", "what it is")
    for schema in schemata:
        ends = f"{schema.left.schema} → {schema.right.schema}: " if schema.left and schema.right else ""
        _row(table, schema.name, f"{ends}{schema.description}")
    out.print(table)


def show_schema(schema: Schema) -> None:
    """Show one schema with its properties."""
    show_schemata([schema])
    table = _table("property", "type", "field class", "what it is")
    for name, prop in schema.properties.items():
        _row(table, name, prop.type.name, prop.field_class, prop.description)
    out.print(table)


def show_observers(observers: Sequence[Observer]) -> None:
    """List observers with their rights."""
    table = _table("name", "tier", "organisation", "cases", "orders", "compartments", "purpose")
    for observer in observers:
        rights = (", ".join(names) for names in (observer.cases, observer.orders, observer.compartments))
        _row(table, observer.name, observer.tier, observer.organisation, *rights, observer.purpose)
    out.print(table)


def show_search(page: Page[Entity]) -> None:
    """List the entities found."""
    if not page.items:
        out.print("nothing found" if not page.total else f"no more of {page.total}")
        return
    table = _table("entity", "schema", "records", "id")
    for entity in page.items:
        _row(table, entity.caption, entity.schema, str(len(entity.records)), entity.id)
    out.print(table)
    out.print(f"{len(page.items)} of {page.total}", markup=False)
    if page.has_next:
        out.print(f"next: --after {page.cursors[-1]}", markup=False)


def show_entity(entity: Entity) -> None:
    """Show an entity: its values with their sources, and what is withheld."""
    out.print(Text(f"{plain(entity.caption)}  ({entity.schema}, {len(entity.records)} records)", style="bold"))
    out.print(f"id {entity.id}", markup=False)
    table = _table("property", "value", "treatment", "said by")
    for name, values in entity.values.items():
        for value in values:
            facets = (facet for record in entity.records for facet in record.facets)
            said = [facet for facet in facets if value in facet.values.get(name, ())]
            treatments = sorted({facet.treatments[name].value for facet in said})
            sources = sorted({facet.provenance.source or "(withheld)" for facet in said})
            _row(table, name, value, ", ".join(treatments), ", ".join(sources))
    out.print(table)
    _show_redactions(entity.redactions)
    if len(entity.records) > 1:
        out.print("records: " + ", ".join(record.id for record in entity.records), markup=False, soft_wrap=True)


def show_neighbours(page: Page[Neighbour]) -> None:
    """List the entities one link away."""
    if not page.items:
        return
    folded = Counter((n.verb, n.entity.caption, n.entity.schema, n.entity.id) for n in page.items)
    table = _table("", "neighbour", "schema", "links", "id")
    for (verb, caption, schema, id_), count in folded.items():
        _row(table, verb, caption, schema, str(count), id_)
    out.print(table)
    if page.has_next:
        out.print(f"{len(page.items)} of {page.total} links", markup=False)


def show_explanation(explanation: Explanation) -> None:
    """Show a sum of bits, line by line without those that add nothing, and its verdict."""
    verdict = "one thing" if explanation.same else _APART.get(explanation.by, "not shown to be one thing")
    if explanation.total is None:
        out.print(f"{verdict}: {_REASONS[explanation.by]}")
        return
    table = _table("comparison", "found", "bits")
    _row(table, "prior", "before any comparison", f"{explanation.prior:+.2f}")
    for weight in (weight for weight in explanation.weights if weight.weight):
        _row(table, weight.comparison, weight.level, f"{weight.weight:+.2f}")
    _row(table, "sum", f"stop at {explanation.stop:+.2f} ({explanation.model})", f"{explanation.total:+.2f}")
    out.print(table)
    judged = f" ({_say_judged(explanation.judged)})" if explanation.by == "judgement" and explanation.judged else ""
    out.print(f"verdict: {verdict}{judged}")


def show_watches(documents: Sequence[Mapping[str, Any]]) -> None:
    """List watches."""
    table = _table("observer", "watched", "since")
    for document in documents:
        entity = document["entity"]
        caption = entity["caption"] if entity else "(not shown)"
        _row(table, document["observer"], caption, _to_second(document["created_at"]))
    out.print(table)


def show_relabellings(documents: Sequence[Mapping[str, Any]]) -> None:
    """List what waits for a second observer."""
    if not documents:
        out.print("nothing waits")
        return
    table = _table("of", "change", "reason", "proposed by", "id")
    for document in documents:
        changes = [f"{part}: {_say(c['from'])} to {_say(c['to'])}" for part, c in document["changes"].items()]
        _row(
            table,
            document["caption"],
            "\n".join(changes),
            document["reason"],
            document["proposed_by"],
            document["id"],
        )
    out.print(table)


def show_alerts(documents: Sequence[Mapping[str, Any]]) -> None:
    """List alerts: what came to which entity."""
    if not documents:
        out.print("no alerts")
        return
    table = _table("recorded", "watched", "", "came", "schema")
    for document in documents:
        neighbour = document["neighbour"]
        other = neighbour["entity"]
        _row(
            table,
            _to_second(document["recorded_at"]),
            document["entity"]["caption"],
            neighbour["verb"],
            other["caption"],
            other["schema"],
        )
    out.print(table)


def show_side_by_side(columns: Mapping[str, Entity | None]) -> None:
    """Show one entity as several observers see it, a column each; None where it is not visible."""
    table = _table("property", *columns)
    seen = [entity for entity in columns.values() if entity]
    _row(table, "records", *(str(len(e.records)) if e else "nothing is visible" for e in columns.values()))
    for name in dict.fromkeys(["name", *(name for entity in seen for name in entity.values)]):
        _row(table, name, *(_cell(entity, name) for entity in columns.values()))
    out.print(table)


def show_communities(communities: Sequence[Community]) -> None:
    """List the largest communities with their best connected members."""
    for community in communities[:_SHOWN_COMMUNITIES]:
        captions = Counter(member.caption for member in community.members)
        names = [f"{name} ×{count}" if count > 1 else name for name, count in captions.items()]
        more = f" and {len(names) - _SHOWN_MEMBERS} more" if len(names) > _SHOWN_MEMBERS else ""
        line = f"{community.number}. {community.size} members: {' · '.join(names[:_SHOWN_MEMBERS])}{more}"
        out.print(plain(line), markup=False)
    if len(communities) > _SHOWN_COMMUNITIES:
        out.print(f"and {len(communities) - _SHOWN_COMMUNITIES} smaller ones; --json lists them all")


_APART = {"judgement": "two things"}


def _say_judged(judged: ShownJudgement) -> str:
    by = f" by {judged.by}" if judged.by else ""
    return plain(f"judged so{by}: {judged.reason}" if judged.reason else f"judged so{by}")


_REASONS = {
    "identifier": "an identifier is equal",
    "judgement": "somebody judged so",
    "nothing": "no rule that you may see proposes the pair",
}


def _cell(entity: Entity | None, name: str) -> str:
    """Return what one observer sees of a property: its values, or whom to ask where they may know that it is withheld."""
    if entity is None:
        return ""
    if name in entity.values:
        return "\n".join(entity.values[name])
    prop = default_ontology()[entity.schema].properties.get(name)
    asked = {r.contact for r in entity.redactions if prop and r.field_class == prop.field_class}
    return f"(withheld: ask {', '.join(sorted(asked))})" if asked else ""


def _say(part: Any) -> str:
    return ", ".join(part) if isinstance(part, list | tuple) else str(part)


def _to_second(moment: str) -> str:
    return f"{moment[:19].replace('T', ' ')} UTC"


def _show_redactions(redactions: Sequence[Redaction]) -> None:
    for redaction in redactions:
        what = (
            "withheld" if redaction.treatment.value in ("absent", "count") else f"shown as {redaction.treatment.value}"
        )
        out.print(f"  {redaction.field_class} {what}: ask {redaction.contact}", style="dim", markup=False)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        # An id that is broken over two lines cannot be copied.
        table.add_column(heading, overflow="fold", no_wrap=heading == "id", min_width=45 if heading == "id" else None)
    return table


def _row(table: Table, *cells: str) -> None:
    # Text, not str: a value may hold what rich would read as markup.
    table.add_row(*(Text("\n".join(map(plain, cell.split("\n")))) for cell in cells))
