"""Display: what a person reads at the terminal. Values are printed as they are, never as markup."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from api.cli.console import err, out, plain, print_table, say_count
from api.pipeline import ImportReport, ResolveReport
from graph.communities import Community
from graph.shown import Entity, Explanation, Neighbour, Page, Redaction, ShownJudgement
from ontology.observer import Observer
from ontology.rejection import Rejection
from ontology.schema import Schema, default_ontology

_SHOWN_REJECTIONS = 10
_SHOWN_COMMUNITIES = 20
_SHOWN_MEMBERS = 8
_WIDE = 100


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
    ends = [f"{s.left.schema} → {s.right.schema}: " if s.left and s.right else "" for s in schemata]
    rows = [(schema.name, f"{end}{schema.description}") for schema, end in zip(schemata, ends, strict=True)]
    print_table(("schema", "what it is"), rows)


def show_schema(schema: Schema) -> None:
    """Show one schema with its properties."""
    show_schemata([schema])
    rows = [(name, prop.type.name, prop.field_class, prop.description) for name, prop in schema.properties.items()]
    print_table(("property", "type", "field class", "what it is"), rows)


def show_observers(observers: Sequence[Observer]) -> None:
    """List observers with their rights; of cases, orders and compartments what anybody of them has."""
    lists = [part for part in ("cases", "orders", "compartments") if any(getattr(o, part) for o in observers)]
    rows = [
        (o.name, o.tier, o.organisation, *(", ".join(getattr(o, part)) for part in lists), o.purpose) for o in observers
    ]
    print_table(("name", "tier", "organisation", *lists, "purpose"), rows)


def show_search(page: Page[Entity]) -> None:
    """List the entities found."""
    if not page.items:
        out.print("nothing found" if not page.total else f"no more of {page.total}")
        return
    rows = [(_name(entity.caption, entity.id), entity.schema, str(len(entity.records))) for entity in page.items]
    print_table(("entity and its id", "schema", "records"), rows)
    out.print(f"{len(page.items)} of {page.total}", markup=False)
    if page.has_next:
        out.print(f"next: --after {page.cursors[-1]}", markup=False)


def show_entity(entity: Entity) -> None:
    """Show an entity: its values with their sources, and what is withheld."""
    records = say_count(len(entity.records), "record")
    out.print(Text(f"{plain(entity.caption)}  ({entity.schema}, {records})", style="bold"))
    out.print(f"id {entity.id}", markup=False)
    rows = []
    for name, values in entity.values.items():
        for value in values:
            facets = (facet for record in entity.records for facet in record.facets)
            said = [facet for facet in facets if value in facet.values.get(name, ())]
            treatments = sorted({facet.treatments[name].value for facet in said})
            sources = sorted({facet.provenance.source or "(withheld)" for facet in said})
            rows.append((name, value, ", ".join(treatments), ", ".join(sources)))
    print_table(("property", "value", "treatment", "said by"), rows)
    _show_redactions(entity.redactions)
    if len(entity.records) > 1:
        out.print("records: " + ", ".join(record.id for record in entity.records), markup=False, soft_wrap=True)


def show_neighbours(page: Page[Neighbour]) -> None:
    """List the entities one link away."""
    if not page.items:
        return
    folded = Counter((n.verb, n.entity.caption, n.entity.schema, n.entity.id) for n in page.items)
    rows = [(verb, _name(caption, id_), schema, str(n)) for (verb, caption, schema, id_), n in folded.items()]
    out.print()
    print_table(("how", "neighbour and its id", "schema", "links"), rows)
    if page.has_next:
        out.print(f"{len(page.items)} of {page.total} links", markup=False)


def show_explanation(explanation: Explanation) -> None:
    """Show a sum of bits, line by line without those that add nothing, and its verdict."""
    verdict = "one thing" if explanation.same else _APART.get(explanation.by, "not shown to be one thing")
    if explanation.total is None:
        out.print(f"verdict: {verdict}: {_REASONS[explanation.by]}")
    else:
        weights = [(w.comparison, w.level, f"{w.weight:+.2f}") for w in explanation.weights if w.weight]
        first = ("prior", "before any comparison", f"{explanation.prior:+.2f}")
        last = ("sum", f"stop at {explanation.stop:+.2f} ({explanation.model})", f"{explanation.total:+.2f}")
        print_table(("comparison", "found", "bits"), [first, *weights, last])
        out.print(f"verdict: {verdict}")
    if explanation.judged:
        out.print(_say_judged(explanation.judged), markup=False)


def show_watches(documents: Sequence[Mapping[str, Any]]) -> None:
    """List watches."""
    rows = [
        (d["observer"], d["entity"]["caption"] if d["entity"] else "(not shown)", _to_second(d["created_at"]))
        for d in documents
    ]
    print_table(("observer", "watched", "since"), rows)


def show_relabellings(documents: Sequence[Mapping[str, Any]]) -> None:
    """List what waits for a second observer, an id a line and below it what it is about."""
    if not documents:
        out.print("nothing waits")
    for document in documents:
        changes = [f"{part}: {_say(c['from'])} to {_say(c['to'])}" for part, c in document["changes"].items()]
        said = {"of": document["caption"], "reason": document["reason"], "proposed by": document["proposed_by"]}
        out.print(document["id"], markup=False, soft_wrap=True)
        for line in (*changes, *(f"{key}: {value}" for key, value in said.items())):
            out.print(f"  {plain(line)}", markup=False)


def show_alerts(documents: Sequence[Mapping[str, Any]]) -> None:
    """List alerts: what came to which entity."""
    if not documents:
        out.print("no alerts")
        return
    rows = []
    for document in documents:
        neighbour = document["neighbour"]
        other, moment = neighbour["entity"], _to_second(document["recorded_at"])
        rows.append((moment, document["entity"]["caption"], neighbour["verb"], other["caption"], other["schema"]))
    print_table(("recorded", "watched", "how", "came", "schema"), rows)


def show_side_by_side(columns: Mapping[str, Entity | None]) -> None:
    """Show one entity as several observers see it, a column each; None where it is not visible.

    A terminal of less than a hundred characters shows them one below the other.
    """
    seen = [entity for entity in columns.values() if entity]
    names = dict.fromkeys(["name", *(name for entity in seen for name in entity.values)])
    rows = [
        ("records", *(str(len(e.records)) if e else "nothing is visible" for e in columns.values())),
        *((name, *(_cell(entity, name) for entity in columns.values())) for name in names),
    ]
    if out.width >= _WIDE:
        print_table(("property", *columns), rows)
    else:
        print_table(("property", "as seen by", "value"), _stack(columns, rows))


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


def _stack(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield each cell that is not empty with its column, and with the name of its row where that begins."""
    for name, *cells in rows:
        found = [(column, cell) for column, cell in zip(columns, cells, strict=True) if cell]
        yield from ((name if number == 0 else "", column, cell) for number, (column, cell) in enumerate(found))


def _name(caption: str, id_: str) -> str:
    """Return a caption with the id on a line of its own: one that is broken over two lines cannot be copied."""
    return f"{caption}\n{id_}"


def _say_judged(judged: ShownJudgement) -> str:
    by = f" by {judged.by}" if judged.by else ""
    reason = f": {judged.reason}" if judged.reason else ""
    return plain(f"judged {judged.verdict}{by}{reason}")


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
