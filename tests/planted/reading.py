"""Planted leaks in what a View computes: filters, orders, cursors, counts, paths, searches (channels 1 to 11, 25)."""

import base64
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

from rapidfuzz import fuzz

from graph import cubes, render, view
from graph.entities import Rank, cluster_all, order_of
from graph.handle import Handles
from graph.memory import MemoryStore, _Sight
from graph.projection import Projection, make_projection
from graph.shown import Entity, Neighbour, Page, Redaction, ShownEntity
from graph.store import Scope
from graph.treat import Treater
from graph.view import View
from ontology.digest import canonical_json
from ontology.errors import AccessError, NotVisible
from ontology.key import fold_words
from ontology.pair import Evidence
from ontology.record import Link, Record
from ontology.values.name import fold_name
from tests.planted.plant import Detector, Patch, everything, plant, stored

_FIRST = 3  # what a hasty engine takes before anybody looks at labels


@plant(1, Detector.NONINTERFERENCE)
def search_matches_hidden_values(patch: Patch) -> None:
    """A search looks at every value of a visible record, not only at those seen in clear."""
    patch(Treater, "clear_values", lambda self, record: dict(record.properties))


@plant(1, Detector.NONINTERFERENCE)
def schema_filter_asks_hidden_facets(patch: Patch) -> None:
    """A search by schema keeps a thing when any of its records, hidden ones too, is of that schema."""
    honest = View._ranked

    def ranked(self: View, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        found = honest(self, words, None)
        fitting = {record.thing for record in stored(self, found) if names is None or record.schema in names}
        return [thing for thing in found if thing in fitting]

    patch(View, "_ranked", ranked)


@plant(2, Detector.NONINTERFERENCE)
def newest_version_orders_search(patch: Patch) -> None:
    """A search puts first what was recorded last, in whatever version and by whomever."""
    honest = View._ranked

    def ranked(self: View, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        found = honest(self, words, names)
        latest: dict[str, datetime] = {}
        for record in stored(self, found):
            latest[record.thing] = max(record.recorded_at, latest.get(record.thing, record.recorded_at))
        return sorted(found, key=lambda thing: latest[thing], reverse=True)

    patch(View, "_ranked", ranked)


@plant(2, Detector.NONINTERFERENCE)
def links_go_by_their_hidden_text(patch: Patch) -> None:
    """Links of one type are ordered by what they say, whether or not that is shown."""
    honest = view._order_links

    def order_links(links: Iterable[Link], things: Collection[str], rank: Rank) -> list[Link]:
        return sorted(honest(links, things, rank), key=lambda link: (link.schema, sorted(link.properties.items())))

    patch(view, "_order_links", order_links)


@plant(3, Detector.CANARIES)
def cursor_is_plain_base64(patch: Patch) -> None:
    """A cursor is the stored id of a thing in Base64."""

    patch(Handles, "seal_cursor", lambda self, identity, bound_to: _to_base64(identity))
    patch(Handles, "open_cursor", lambda self, cursor, bound_to: base64.urlsafe_b64decode(cursor[1:]).hex())


@plant(3, Detector.HANDLES)
def cursor_opens_for_colleagues(patch: Patch) -> None:
    """A cursor is bound to its question, but not to who asked it."""
    patch(View, "_bind", lambda self, *question: sha256(canonical_json(question)).digest())


@plant(4, Detector.NONINTERFERENCE)
def counts_group_everything(patch: Patch) -> None:
    """Counts by schema are taken of the store instead of the View."""

    def counts(self: View) -> dict[str, int]:
        clusters, current = cluster_all(self._reader, everything(self), self._treater)
        schemata = (self._treater.most_specific(r.schema for t in ts for r in current[t]) for ts in clusters.members)
        return dict(sorted(Counter(schemata).items()))

    patch(View, "counts", counts)


@plant(4, Detector.CUBES)
def cube_without_complementary_suppression(patch: Patch) -> None:
    """A table of counts withholds what is under the floor and nothing that would give it away."""

    def find_hidden(numbers: Mapping[Any, int], floor: int) -> set[Any]:
        return {number for number, count in numbers.items() if count < floor}

    patch(cubes, "_find_hidden", find_hidden)


@plant(5, Detector.NONINTERFERENCE)
def search_total_is_the_stores(patch: Patch) -> None:
    """The total of a search is what the engine found before anything was left out."""
    honest = View.search

    def search(self: View, text: str, **asked: Any) -> Page[Entity]:
        return replace(honest(self, text, **asked), total=len(_find_all(self, text)))

    patch(View, "search", search)


@plant(5, Detector.NONINTERFERENCE)
def neighbours_total_is_the_stores(patch: Patch) -> None:
    """The total of neighbours counts all links of an entity's records."""
    honest = View.neighbours

    def neighbours(self: View, id_: str, **asked: Any) -> Page[Neighbour]:
        things = sorted(self.entity(id_).things)
        return replace(honest(self, id_, **asked), total=len(self._reader.links_of(everything(self), things)))

    patch(View, "neighbours", neighbours)


@plant(6, Detector.NONINTERFERENCE)
def hidden_is_forbidden_and_absent_is_not_found(patch: Patch) -> None:
    """A record that is there but hidden gives another error than one that is not there."""
    honest = View.entity_of

    def entity_of(self: View, thing: str) -> Entity:
        try:
            return honest(self, thing)
        except NotVisible:
            if stored(self, [thing]):
                raise AccessError("expected the right to see this record, found none") from None
            raise

    patch(View, "entity_of", entity_of)


@plant(6, Detector.NONINTERFERENCE)
def marker_follows_values(patch: Patch) -> None:
    """A class is marked as withheld only where there is a value of it."""
    honest = Treater._redactions

    def redactions(self: Treater, record: Record) -> tuple[Redaction, ...]:
        properties = self.ontology[record.schema].properties
        held = {properties[name].field_class for name in record.properties if name in properties}
        return tuple(found for found in honest(self, record) if found.field_class in held)

    patch(Treater, "_redactions", redactions)


@plant(7, Detector.NONINTERFERENCE)
def link_to_a_hidden_end_is_shown(patch: Patch) -> None:
    """A link is shown where there are records of both its ends, hidden or not, and lists an end that is hidden."""

    def visible_links(self: MemoryStore, scope: Scope, things: Collection[str] | None = None) -> list[Link]:
        shown = self._find(scope, self._links_by_end, things)
        return [link for link in shown if all(self._records_by_thing.find([end]) for end in (link.left, link.right))]

    def neighbours(
        self: View, entity: Entity, links: Sequence[Link], others: Mapping[str, Entity]
    ) -> list[tuple[Link, Neighbour]]:
        ends = [link.right if link.left in entity.things else link.left for link in links]
        return [
            (link, Neighbour(partial(self._treater.show_link, link), link.schema, others.get(end) or _stub(self, end)))
            for link, end in zip(links, ends, strict=True)
        ]

    patch(MemoryStore, "_visible_links", visible_links)
    patch(View, "_neighbours", neighbours)


@plant(7, Detector.NONINTERFERENCE)
def label_of_a_link_is_not_asked(patch: Patch) -> None:
    """A link shows where both its ends do, whatever its own label."""

    def visible_links(self: MemoryStore, scope: Scope, things: Collection[str] | None = None) -> list[Link]:
        sight = self._see(scope)
        links = list(self._links.values()) if things is None else self._links_by_end.find(things)
        in_time = (link for link in links if link.recorded_at <= scope.as_of)
        return [link for link in in_time if all(self._is_visible(sight, end) for end in (link.left, link.right))]

    patch(MemoryStore, "_visible_links", visible_links)


@plant(8, Detector.NONINTERFERENCE)
def projection_weighs_hidden_links(patch: Patch) -> None:
    """The projection of a View takes its links from the whole store."""

    def projection(self: View, *, types: Collection[str] = ()) -> Projection:
        links = (link for chunk in self._reader.iter_links(everything(self)) for link in chunk)
        return make_projection(self._clustered[0], (link for link in links if not types or link.schema in types))

    patch(View, "projection", projection)


@plant(8, Detector.PICTURES)
def picture_sizes_nodes_by_all_links(patch: Patch) -> None:
    """The size of a node in the picture is that of its degree in the whole store."""
    honest = render._choose

    def choose(shown: View, *asked: Any) -> Any:
        nodes, edges = honest(shown, *asked)
        scope = everything(shown)
        degrees = [len(shown._reader.links_of(scope, sorted(node.entity.things))) for node in nodes]
        return [replace(node, degree=degree) for node, degree in zip(nodes, degrees, strict=True)], edges

    patch(render, "_choose", choose)


@plant(9, Detector.NONINTERFERENCE)
def search_ranks_by_the_stored_text(patch: Patch) -> None:
    """What matches is found in clear values, but how well is told by the folded text of all of them."""
    honest = View._score

    def score(self: View, record: Record, words: Sequence[str]) -> float | None:
        return None if honest(self, record, words) is None else _likeness(record, words)

    patch(View, "_score", score)


@plant(9, Detector.NONINTERFERENCE)
def search_is_cut_before_it_is_restricted(patch: Patch) -> None:
    """The engine returns its first few finds, and what is hidden is left out of those."""
    honest = View._ranked

    def ranked(self: View, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        found = self._reader.records_by_words(everything(self), words, sorted(names or ()))
        first = {record.thing for record in sorted(found, key=lambda record: record.id)[:_FIRST]}
        return [thing for thing in honest(self, words, names) if thing in first]

    patch(View, "_ranked", ranked)


@plant(10, Detector.NONINTERFERENCE)
def similarity_is_taken_over_hidden_records(patch: Patch) -> None:
    """How alike a thing is to a text is taken over all its records (there is no vector search: fuzzy search is nearest)."""
    honest = View._ranked

    def ranked(self: View, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        found = honest(self, words, names)
        best: dict[str, float] = {}
        for record in stored(self, found):
            best[record.thing] = max(_likeness(record, words), best.get(record.thing, 0.0))
        return sorted(found, key=lambda thing: (-best[thing], thing))

    patch(View, "_ranked", ranked)


@plant(10, Detector.NONINTERFERENCE)
def pseudonyms_are_compared_by_similarity(patch: Patch) -> None:
    """Two pseudonymised values weigh what the stored ones do, term frequency and nearness included."""
    honest = Treater.weight

    def weight(self: Treater, left: Record, right: Record, evidence: Evidence) -> float | None:
        weight = honest(self, left, right, evidence)
        is_equality = weight is not None and self.level(left, right, evidence) != evidence.level
        return evidence.weight if is_equality else weight

    patch(Treater, "weight", weight)


@plant(11, Detector.NONINTERFERENCE)
def hidden_version_supersedes(patch: Patch) -> None:
    """The latest version is chosen first, and left out when it is hidden: an earlier visible one goes with it."""

    class Hasty(_Sight):
        def __init__(self, scope: Scope, store: MemoryStore) -> None:
            super().__init__(scope)
            self._store = store

        def holds(self, assertion: Record | Link) -> bool:
            return super().holds(assertion) and not self._is_superseded(assertion)

        def _is_superseded(self, assertion: Record | Link) -> bool:
            if not isinstance(assertion, Record):
                return False
            versions = self._store._records_by_thing.find([assertion.thing])
            return any(
                other.facet == assertion.facet
                and other.recorded_at <= self.scope.as_of
                and order_of(other) > order_of(assertion)
                for other in versions
            )

    patch(MemoryStore, "_see", lambda self, scope: Hasty(scope, self))


@plant(11, Detector.NONINTERFERENCE)
def recorded_at_is_that_of_any_version(patch: Patch) -> None:
    """Provenance says when a record was last recorded, in whatever version."""
    honest = View._show_entity

    def show_entity(self: View, members: Sequence[str], current: dict[str, list[Record]]) -> Entity:
        entity = honest(self, members, current)
        latest = max(record.recorded_at for record in stored(self, members))
        entity._whole = replace(entity.whole, records=tuple(_date(record, latest) for record in entity.records))
        return entity

    patch(View, "_show_entity", show_entity)


@plant(25, Detector.NONINTERFERENCE)
def next_page_is_promised_by_an_estimate(patch: Patch) -> None:
    """Whether there is another page is told by the engine's statistics."""
    honest = View.search

    def search(self: View, text: str, **asked: Any) -> Page[Entity]:
        page = honest(self, text, **asked)
        return replace(page, has_next=len(_find_all(self, text)) > len(page.items))

    patch(View, "search", search)


def _find_all(view: View, text: str) -> set[str]:
    words = fold_name(text).split()
    return {record.thing for record in view._reader.records_by_words(everything(view), words, ())}


def _likeness(record: Record, words: Sequence[str]) -> float:
    """Return how much of all that is stored of a record some words make up (0 to 100)."""
    return fuzz.ratio(" ".join(words), fold_words(value for values in record.properties.values() for value in values))


def _to_base64(identity: str) -> str:
    return "c" + base64.urlsafe_b64encode(bytes.fromhex(identity)).decode()


def _stub(view: View, thing: str) -> Entity:
    stub = Entity.__new__(Entity)
    stub.thing, stub.schema, stub._facets, stub._only, stub.shower = thing, "Thing", {thing: ()}, None, view._treater
    stub._whole = ShownEntity(thing, view._handles.seal("entity", thing), "Thing", "Thing", {}, (), ())
    return stub


def _date(record: Any, moment: datetime) -> Any:
    facets = (replace(f, provenance=replace(f.provenance, recorded_at=moment)) for f in record.facets)
    return replace(record, facets=tuple(facets))
