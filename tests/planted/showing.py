"""Planted leaks in what is shown of what was found: copies, exports, alerts, explanations, words (channels 12 to 14, 19, 20)."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from api import pipeline
from api.pipeline import Handling, ImportReport, Pipeline, Progress
from graph.explaining import Explaining
from graph.shown import Entity, Provenance, ShownAlert, ShownRecord
from graph.treat import Treater, merge_values
from graph.view import View
from graph.watches import check_watches
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Treatment
from ontology.record import Link, Record
from ontology.watch import Alert
from tests.planted.plant import Detector, Patch, everything, plant, stored


@plant(12, Detector.NONINTERFERENCE)
def caption_is_the_stored_name(patch: Patch) -> None:
    """A record is called by its name as it is stored."""
    honest = Treater.show_record

    def show_record(self: Treater, facets: Sequence[Record]) -> ShownRecord:
        shown = honest(self, facets)
        values = merge_values(record.properties for record in facets)
        return replace(shown, caption=self.caption(self.ontology[shown.schema], values))

    patch(Treater, "show_record", show_record)


@plant(12, Detector.NONINTERFERENCE)
def stored_text_is_taken_at_its_word(patch: Patch) -> None:
    """A search shows what the engine's folded copy of a record matched, without looking at the record again."""

    def ranked(self: View, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        found = self._reader.records_by_words(self._scope, words, sorted(names or ())) if words else []
        current = self._current_ids({record.thing for record in found})
        return sorted({record.thing for record in found if record.id in current})

    patch(View, "_ranked", ranked)


@plant(13, Detector.EXPORTS)
def export_goes_by_the_exporters_rights(patch: Patch) -> None:
    """A release shows its recipient every record that the exporter may have."""

    def show_part(
        self: View,
        facets: Mapping[str, Sequence[Record]],
        may_leave: Callable[[Label], bool],
        recipient: Observer | None,
    ) -> Entity | None:
        del recipient
        kept = {thing: [r for r in records if may_leave(r.label)] for thing, records in facets.items()}
        left = [thing for thing in facets if kept[thing]]
        return self._show_entity(left, kept) if left else None

    patch(View, "show_part", show_part)


@plant(13, Detector.NONINTERFERENCE)
def capture_of_a_pseudonymised_source_is_told(patch: Patch) -> None:
    """Provenance hides who a source is and tells the hash of what it sent."""
    honest = Treater._provenance

    def provenance(self: Treater, said: Record | Link, thing: str, assertion: str) -> Provenance:
        found = honest(self, said, thing, assertion)
        is_pseudonym = self._clearance.treatment(said.lid, "source") is Treatment.PSEUDONYM
        return replace(found, capture=said.capture) if is_pseudonym else found

    patch(Treater, "_provenance", provenance)


@plant(14, Detector.NONINTERFERENCE)
def hidden_link_raises_an_alert(patch: Patch) -> None:
    """Watches compare what the store holds; an alert is shown where both ends of its link are."""

    def links_of_entity(self: View, thing: str) -> dict[str, str]:
        found = self.entities_of([thing])
        return {link.identity: _other(link, found[thing]) for link in _links(self, found[thing])} if found else {}

    patch(View, "links_of_entity", links_of_entity)
    patch(View, "show_alert", _show_any_alert)


@plant(14, Detector.IMPORTS)
def importer_is_told_of_alerts(patch: Patch) -> None:
    """Whoever imports is told how many alerts came of it, to whomever."""
    raised: Counter[str] = Counter()
    honest = Pipeline.import_paths

    def import_paths(self: Pipeline, paths: Any, handling: Handling, progress: Progress) -> ImportReport:
        report = honest(self, paths, handling, progress)
        report.alerts = raised["last"]
        return report

    def count_alerts(*given: Any) -> int:
        raised["last"] = check_watches(*given)
        return raised["last"]

    patch(pipeline, "check_watches", count_alerts)
    patch(Pipeline, "import_paths", import_paths)


@plant(19, Detector.NONINTERFERENCE)
def level_of_a_pseudonym_is_told(patch: Patch) -> None:
    """An explanation names the level that two pseudonymised values reached in clear."""
    patch(Treater, "level", lambda self, left, right, evidence: evidence.level)


@plant(19, Detector.NONINTERFERENCE)
def pairs_kept_for_others_are_explained(patch: Patch) -> None:
    """An explanation lists a pair that is stored only for what others could see in it."""
    patch(Explaining, "_most", lambda self, left, right, pair: inf)


@plant(20, Detector.NONINTERFERENCE)
def markers_name_hidden_facets(patch: Patch) -> None:
    """What is said to be withheld of a thing counts in the categories of its hidden records."""
    honest = View._show_entity

    def show_entity(self: View, members: Sequence[str], current: dict[str, list[Record]]) -> Entity:
        entity = honest(self, members, current)
        found = (marker for record in stored(self, members) for marker in self._treater._redactions(record))
        entity._whole = replace(entity.whole, redactions=tuple(dict.fromkeys((*entity.redactions, *found))))
        return entity

    patch(View, "_show_entity", show_entity)


@plant(20, Detector.NONINTERFERENCE)
def counts_name_hidden_schemata(patch: Patch) -> None:
    """An entity is counted under the most specific schema that anybody gave it."""

    def counts(self: View) -> dict[str, int]:
        members = self._clustered[0].members
        schemata = (self._treater.most_specific(r.schema for r in stored(self, things)) for things in members)
        return dict(sorted(Counter(schemata).items()))

    patch(View, "counts", counts)


def _show_any_alert(self: View, alert: Alert) -> ShownAlert | None:
    entity = self.entities_of([alert.thing]).get(alert.thing)
    links = _links(self, entity) if entity else []
    link = next((link for link in links if link.identity == alert.link), None)
    if entity is None or link is None:
        return None
    [(_, neighbour)] = self._neighbours(entity, [link], self.entities_of([_other(link, entity)]))
    return ShownAlert(self.handle("alert", alert.id), self.handle("watch", alert.watch), entity, neighbour)


def _links(view: View, entity: Entity) -> list[Link]:
    """Return all stored links from an entity to another visible one."""
    found = view._reader.links_of(everything(view), sorted(entity.things))
    leading = [link for link in found if not {link.left, link.right} <= entity.things]
    seen = view.visible_things({_other(link, entity) for link in leading})
    return [link for link in leading if _other(link, entity) in seen]


def _other(link: Link, entity: Entity) -> str:
    return link.right if link.left in entity.things else link.left
