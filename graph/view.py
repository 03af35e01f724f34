"""The View: a smaller graph, and the only door to stored content.

It drops what the observer may not have, treats what they may have only in
part, and keeps what was recorded by its moment. Every answer below is computed
from that alone, so it equals the answer of a store that never held the rest.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cached_property, partial, reduce
from hashlib import sha256
from typing import TypeVar

from rapidfuzz import fuzz

from graph.cubes import Table, count_things, make_table
from graph.entities import (
    Clusters,
    Rank,
    Walk,
    choose_current,
    choose_latest,
    cluster_all,
)
from graph.explaining import Explaining
from graph.finding import Filter, Question, Sort, choose_things, find_hit, is_in
from graph.neighbourhood import MAX_LINKS, Exploration, find_neighbourhood, order_links, show_link
from graph.paths import MAX_ENDS, MAX_PATHS, find_ways, show_ways
from graph.projection import Projection, make_projection
from graph.shown import (
    Entity,
    Explanation,
    Hit,
    Neighbour,
    Neighbourhood,
    Page,
    Paths,
    ShownAlert,
    Tie,
)
from graph.store import Outline, Reader, Scope
from graph.treat import Treater
from graph.treaters import Treaters
from graph.window import Window, keep_links
from ontology.digest import canonical_json
from ontology.errors import NotVisible
from ontology.judgement import Judgement
from ontology.key import concrete_schemata, fold_words
from ontology.label import Label
from ontology.observer import SYSTEM_TIER, Observer
from ontology.policy import Cube, JointClearance, Policy
from ontology.policy_file import countable_cubes, default_policy
from ontology.record import Link, Record
from ontology.schema import Ontology, default_ontology
from ontology.values.name import fold_name
from ontology.watch import Alert

Item = TypeVar("Item")

MAX_PAGE = 100
# Beyond so many things, clustering everything is quicker than walking out from each.
MANY = 2_000

_NOTHING_MET: tuple[frozenset[str], Sequence[Link]] = (frozenset(), ())


class View:
    """What one observer may have of a store, as recorded by a moment.

    Ids given and taken are the observer's handles; one that is absent, hidden or
    another organisation's raises NotVisible, always the same. A cursor opens for
    the observer with the same rights, under the same policy, for the question
    that returned it, or raises InvalidCursor; `is_pinned` says that the moment
    was asked for and so is part of the question.
    """

    def __init__(
        self,
        reader: Reader,
        observer: Observer,
        as_of: datetime,
        *,
        secret: bytes,
        ontology: Ontology | None = None,
        policy: Policy | None = None,
        is_pinned: bool = False,
        treaters: Treaters | None = None,
    ) -> None:
        self.observer = observer
        self.as_of = as_of
        self.ontology = ontology or default_ontology()
        self.policy = policy or default_policy()
        self._reader = reader
        self._treaters = treaters or Treaters(secret, self.ontology, self.policy)
        self._handles = self._treaters.handles(observer.organisation)
        self._sight: tuple[Scope, Treater] | None = None
        # A walk that has met, in the same question, what is walked to next.
        self._ahead: Walk | None = None
        # Of which things the links were met already, and these.
        self._met = _NOTHING_MET
        self._is_pinned = is_pinned

    def entity(self, id_: str, *, with_links: bool = False) -> Entity:
        """Return the entity that one of its records' ids names.

        `with_links` says that its neighbours are asked for next, which takes fewer questions then.
        """
        thing = self._handles.open("entity", id_)
        return self._entity_with_links(thing) if with_links else self.entity_of(thing)

    def entities(self, ids: Sequence[str]) -> list[Entity | None]:
        """Return the entity that each of some ids names, None for an id that names nothing visible; one walk for all."""
        things = [self._handles.find("entity", id_) for id_ in ids]
        found = self.entities_of({thing for thing in things if thing})
        return [found.get(thing or "") for thing in things]

    def entity_of(self, thing: str) -> Entity:
        """Return the entity around a thing, found by walking out from it; raises NotVisible."""
        found = self.entities_of([thing])
        if not found:
            raise NotVisible
        return found[thing]

    def entities_of(self, things: Collection[str]) -> dict[str, Entity]:
        """Return the entity of each visible thing; one walk for all of them."""
        return self._show_entities(things, *self._gather(things))

    def search(
        self,
        text: str,
        *,
        schema: str | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[Entity]:
        """Find the entities with a record that holds every word of a text, or its beginning, in values seen in clear.

        Best match first, by the record that matches best; ties by its caption,
        then its thing. `schema` takes heirs along. An empty text finds nothing.
        """
        page = self._search(text, schema, first, after)
        entities = self.entities_of(page.items)
        return self._fill(page, entities)

    def search_hits(
        self,
        text: str,
        *,
        schema: str | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[Hit]:
        """Find what `search` finds, on the same pages with the same cursors, and say which value of it matched.

        The value is one of the record that matches best; of its clear values
        that which holds most of the words, and of these the one most alike.
        """
        page = self._search(text, schema, first, after)
        clusters, current = self._gather(page.items)
        entities = self._show_entities(page.items, clusters, current)
        words, names = self._words(text), self._names(schema)
        hits = {
            thing: hit
            for thing, entity in entities.items()
            if (hit := find_hit(entity, current, names, words, self._treater, self._score))
        }
        return self._fill(page, hits)

    def find(
        self,
        schema: str,
        filters: Sequence[Filter] = (),
        *,
        sort: Sort | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[Entity]:
        """Return the entities of a schema, heirs included, that meet all filters with values seen in clear.

        Ordered by `sort`, those without a clear value to sort by last; ties, and
        all without a sort, by the least caption of a record, then by rank. Raises
        InvalidValue for a filter's value that its property cannot have, ValueError
        for a filter that does not fit the schema. Where no filter is an equality or
        a prefix, all records of the schema are read.
        """
        asked = Question.of(self.ontology, schema, filters, sort)
        bound = self._bind("find", schema, [[type(one).__name__, one] for one in filters], sort)
        last = self._open_cursor(after, bound)
        clusters, records = self._candidates(asked)
        found = choose_things(asked, clusters, records, self._treater)
        page = self._cut(found, clusters, bound, first, last)
        return self._fill(page, self.entities_of(page.items))

    def neighbours(
        self,
        id_: str,
        *,
        types: Collection[str] = (),
        window: Window | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[Neighbour]:
        """Return the entities one visible link away, by link type, the latest link first.

        `types` keeps links of these schemata alone (empty: all), `window` those whose
        dates touch it, or the moment that they were recorded at where no date of
        theirs is seen in clear. Links inside the entity are left out; of several
        versions of a source's link the latest shows.
        """
        entity = self.entity(id_, with_links=True)
        (page,) = self.neighbours_of([entity], types=types, window=window, first=first, after=after)
        return page

    def neighbours_of(
        self,
        entities: Sequence[Entity],
        *,
        types: Collection[str] = (),
        window: Window | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> list[Page[Neighbour]]:
        """Return what `neighbours` returns for each of some entities of this View, in one question and one walk."""
        things = frozenset(thing for entity in entities for thing in entity.things)
        by_thing: dict[str, dict[str, Link]] = {}
        for link in self._links_around(things):
            for end in (link.left, link.right):
                by_thing.setdefault(end, {})[link.id] = link
        listed = []
        for entity in entities:
            mine = {id_: link for thing in entity.things for id_, link in by_thing.get(thing, {}).items()}
            ordered = _order_links(mine.values(), entity.things, self._treater.rank)
            kept = keep_links(ordered, types, window, self._treater)
            bound = self._bind("neighbours", entity.id, sorted(types), window)
            start = _link_after(kept, self._open_cursor(after, bound))
            listed.append((entity, kept, bound, start, start + _bounded(first)))
        far = {_far_end(link, entity.things) for entity, kept, _, start, end in listed for link in kept[start:end]}
        others = self.entities_of(sorted(far))
        return [self._page_of_links(*place, others) for place in listed]

    def _page_of_links(
        self, entity: Entity, links: Sequence[Link], bound: bytes, start: int, end: int, others: Mapping[str, Entity]
    ) -> Page[Neighbour]:
        """Return what some of an entity's links lead to."""
        chosen = links[start:end]
        there = self._neighbours(entity, chosen, others)
        return Page(
            tuple(neighbour for _, neighbour in there),
            tuple(self._handles.seal_cursor(link.identity, bound) for link, _ in there),
            start + len(chosen) < len(links),
            len(links),
        )

    def neighbourhood(
        self,
        id_: str,
        *,
        depth: int = 1,
        types: Collection[str] = (),
        window: Window | None = None,
        first: int = 100,
    ) -> Neighbourhood:
        """Return the entities up to so many visible links away (1 to 3), the nearest first, and the links among them.

        At most `first` (up to 500), those equally far in the order of the links that
        lead to them. `types` and `window` as for neighbours.
        """
        start = self.entity(id_)
        explored = self._explore([start], types, window)
        reached, is_all = find_neighbourhood(explored, start, depth, first)
        links = order_links(explored.links.values(), explored.rank)
        shown = tuple(show_link(explored, link, self.ontology, self._treater) for link in links[:MAX_LINKS])
        return Neighbourhood(start, tuple(reached), shown, is_all and len(links) <= MAX_LINKS)

    def paths(
        self,
        left: str | Collection[str],
        right: str | Collection[str],
        *,
        longest: int = 4,
        types: Collection[str] = (),
        window: Window | None = None,
        first: int = 10,
    ) -> Paths:
        """Return the shortest visible paths between two entities, or from each of some (up to 20) to each of others.

        None is longer than `longest` links (1 to 6). In order of length, then by the
        captions on the way, then by things; of several links between two entities
        the first by type and the latest shows. `types` and `window` as for
        neighbours. Raises NotVisible when one of the ids names nothing.
        """
        lefts, rights = self._entities_named(left), self._entities_named(right)
        explored = self._explore([*lefts, *rights], types, window)
        ends = ([entity.thing for entity in lefts], [entity.thing for entity in rights])
        ways = find_ways(explored, *ends, longest=longest, first=max(0, min(first, MAX_PATHS)))
        return Paths(tuple(show_ways(explored, ways.items, self._neighbour)), ways.has_next, ways.is_complete)

    def ties(self, entities: Collection[Entity]) -> list[Tie]:
        """Return how these entities are linked with each other, each kind of link between two of them once."""
        owner = {thing: entity for entity in entities for thing in entity.things}
        found: dict[tuple[str, str, str], Tie] = {}
        for link in self._reader.links_of(self._scope, sorted(owner)):
            left, right, end = owner.get(link.left), owner.get(link.right), self.ontology[link.schema].left
            if left and right and end and left.thing != right.thing:
                found[left.thing, right.thing, link.schema] = Tie(left, end.label, right)
        rank = self._treater.rank
        return [found[key] for key in sorted(found, key=lambda key: (rank(key[0]), rank(key[1]), key[2]))]

    def explain(self, left: str, right: str) -> Explanation:
        """Say in bits why the records of two ids are one thing, or not, from what is visible alone."""
        ends = [self._handles.open("entity", id_) for id_ in (left, right)]
        current = self._current(set(ends))
        if set(ends) - current.keys():
            raise NotVisible
        return Explaining(self._reader, self._scope, self._treater).explain(
            left, right, current[ends[0]], current[ends[1]]
        )

    def counts(self) -> dict[str, int]:
        """Return how many entities of each schema are visible, by schema; clusters everything visible."""
        clusters, current = self._clustered
        counts: dict[str, int] = {}
        for members in clusters.members:
            schema = self._treater.most_specific(r.schema for thing in members for r in current[thing])
            counts[schema] = counts.get(schema, 0) + 1
        return dict(sorted(counts.items()))

    def cubes(self) -> list[Table]:
        """Return the fixed tables of counts that the tier may count, with no group under the policy's floor.

        They count entities as recorded by the first of the View's month (UTC),
        for a table that follows each day could be subtracted from yesterday's.
        """
        month = self.as_of.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        scope = Scope(self._scope.allowed, month)
        cubes = countable_cubes(self.policy, self.observer.tier)
        clusters, current = cluster_all(self._reader, scope, self._treater) if cubes else (Clusters((), {}), {})
        ids = {outline.id for outlines in current.values() for outline in outlines}
        floor, rounding = self.policy.floor, self.policy.rounding
        counts = [count_things(self._iter_counted(cube, scope, clusters, ids)) for cube in cubes]
        return [make_table(c, n, floor=floor, rounding=rounding) for c, n in zip(cubes, counts, strict=True)]

    def projection(self, *, types: Collection[str] = ()) -> Projection:
        """Return the visible entities and the links between them as arrays (`types` empty: all links)."""
        clusters, _ = self._clustered
        links = (link for link in self._iter_links() if not types or link.schema in types)
        return make_projection(clusters, links)

    def show_alert(self, alert: Alert) -> ShownAlert | None:
        """Return an alert while its link is still visible, None when it is not."""
        found = self.entities_of([alert.thing])
        entity = found.get(alert.thing)
        links = self._links_from(entity.things) if entity else []
        link = next((link for link in links if link.identity == alert.link), None)
        if entity is None or link is None:
            return None
        others = self.entities_of([_far_end(link, entity.things)])
        for _, neighbour in self._neighbours(entity, [link], others):
            id_, watch = self._handles.seal("alert", alert.id), self._handles.seal("watch", alert.watch)
            return ShownAlert(id_, watch, entity, neighbour)
        return None

    def links_of_entity(self, thing: str) -> dict[str, str]:
        """Return what links to the entity around a thing now: link identity -> thing at the far end.

        Empty when the thing is not visible. For watches, which compare two moments.
        """
        things = self._clusters_of([thing])
        if thing not in things.of:
            return {}
        members = frozenset(things.members[things.of[thing]])
        return {link.identity: _far_end(link, members) for link in self._links_from(members)}

    def thing_of(self, id_: str) -> str:
        """Return the thing behind a visible id, for what is stored about it (a watch); raises NotVisible."""
        thing = self._handles.open("entity", id_)
        if not self._current({thing}):
            raise NotVisible
        return thing

    def visible_things(self, things: Collection[str]) -> set[str]:
        """Return those of some things that are visible."""
        return set(self._current(things))

    def assertion_of(self, record: str, assertion: str) -> Record | Link:
        """Return the current facet, or the link, that two ids of a Provenance name; raises NotVisible."""
        thing = self._handles.open("entity", record)
        for said in self._said_of(thing):
            if self._treater.assertion(said) == assertion:
                return said
        raise NotVisible

    def versions_of(self, said: Record | Link) -> list[Record | Link]:
        """Return the older versions of a facet or link that are visible."""
        found: Iterable[Record | Link]
        if isinstance(said, Record):
            records = self._reader.records_by_thing(self._scope, [said.thing])
            found = (record for record in records if record.facet == said.facet)
        else:
            found = (link for link in self._reader.links_of(self._scope, [said.left]) if link.identity == said.identity)
        return [version for version in found if version.id != said.id]

    def find_assertion(self, thing: str, id_: str) -> Record | Link | None:
        """Return the current facet of a thing, or the link out of it, with a stored id; None where none is visible."""
        return next((said for said in self._said_of(thing) if said.id == id_), None)

    def _said_of(self, thing: str) -> Iterator[Record | Link]:
        """Yield the current facets of a thing and, where there is one, the links out of it."""
        facets = self._current({thing}).get(thing, [])
        yield from facets
        if facets:
            yield from self._links_from(frozenset({thing}))

    def facets_of(self, thing: str) -> dict[str, list[Record]]:
        """Return the current facets of the entity around a thing, by its things, earliest first; raises NotVisible.

        For another View to show: what leaves must be treated for whom it leaves to.
        """
        clusters, current = self._gather([thing])
        if thing not in clusters.of:
            raise NotVisible
        return {member: current[member] for member in clusters.members[clusters.of[thing]]}

    def show_part(
        self, facets: Mapping[str, Sequence[Record]], may_leave: Callable[[Label], bool], recipient: Observer | None
    ) -> Entity | None:
        """Return an entity from those of its facets whose label may leave, None when none may.

        For a recipient no more than both may have, each value as whoever of them
        is shown less of it sees it, under this observer's ids and pseudonyms.
        """
        treater = self._treater if recipient is None else self._meet(recipient)
        allowed = set(treater.allowed)
        kept = {
            thing: [r for r in records if r.lid in allowed and may_leave(r.label)] for thing, records in facets.items()
        }
        left = [thing for thing in facets if kept[thing]]
        return self._show_entity(left, kept, treater) if left else None

    def _meet(self, other: Observer) -> Treater:
        labels = self._reader.labels()
        joint = JointClearance(self.policy.compile(self.observer, labels), self.policy.compile(other, labels))
        return Treater(self.ontology, joint, self._handles)

    def contact_of(self, label: Label) -> str:
        """Return whom to ask about what is under a label."""
        return self.policy.contact(label)

    def label_of(self, ids: Collection[str]) -> Label:
        """Return the label of what this observer derives from the records of some ids; raises NotVisible.

        The strictest of every part of what they see of the entities around them, owned by their own organisation.
        """
        return self.grounds_of(ids)[0]

    def grounds_of(self, ids: Collection[str]) -> tuple[Label, set[int]]:
        """Return the label of what is derived from some ids, as `label_of` does, and the labels that it is joined of."""
        labels = [record.label for record in self._records_around(ids)]
        joined = replace(reduce(Label.join, labels), owner=self.observer.organisation)
        return joined, {label.lid for label in labels}

    def judgements_by(self, things: tuple[str, str]) -> list[Judgement]:
        """Return what the observer themselves judged of two things, given in ascending order."""
        found = self._reader.judgements_of(self._scope, things)
        author = (*things, self.observer.name, self.observer.organisation)
        return [j for j in found if (j.left, j.right, j.by, j.label.owner) == author]

    def _records_around(self, ids: Collection[str]) -> list[Record]:
        """Return the current records of the entities around some ids; raises NotVisible."""
        things = {self._handles.open("entity", id_) for id_ in ids}
        clusters, current = self._gather(things)
        if things - clusters.of.keys() or not things:
            raise NotVisible
        named = sorted(things, key=self._treater.rank)
        members = (member for thing in named for member in clusters.members[clusters.of[thing]])
        return [record for member in members for record in current[member]]

    def handle(self, kind: str, identity: str) -> str:
        """Return the observer's handle of something stored about what they see: a watch, a relabelling."""
        return self._handles.seal(kind, identity)

    def identity(self, kind: str, handle: str) -> str:
        """Return what a handle stands for; raises NotVisible."""
        return self._handles.open(kind, handle)

    def iter_records(self, schemata: Collection[str]) -> Iterator[Record]:
        """Stream records of some schemata in full, for resolution; the system observer's alone.

        Of each thing and facet the latest under every label: which of them is
        current differs from observer to observer, and resolution may not choose.
        """
        if self.observer.tier != SYSTEM_TIER:
            raise NotVisible
        names = concrete_schemata(self.ontology, schemata)
        found = (r for chunk in self._reader.iter_records(self._scope, sorted(names)) for r in chunk)
        yield from choose_latest(found, lambda record: (record.thing, record.facet, record.lid)).values()

    @cached_property
    def _clustered(self) -> tuple[Clusters, dict[str, list[Outline]]]:
        return cluster_all(self._reader, self._scope, self._treater)

    def _iter_counted(
        self, cube: Cube, scope: Scope, clusters: Clusters, ids: Collection[str]
    ) -> Iterator[tuple[set[str], set[str]]]:
        """Yield, for each entity that a cube counts, its values of both properties."""
        counted: dict[int, tuple[set[str], set[str]]] = {}
        for chunk in self._reader.iter_records(scope, sorted(concrete_schemata(self.ontology, [cube.schema]))):
            for record in chunk:
                if record.id not in ids or record.label.category != cube.category:
                    continue
                values = [self._treater.countable_value(record, name) for name in cube.by]
                entity = counted.setdefault(clusters.of[record.thing], (set(), set()))
                for found, value in zip(entity, values, strict=True):
                    found.update([value] if value else [])
        yield from counted.values()

    def _current(self, things: Collection[str]) -> dict[str, list[Record]]:
        return choose_current(self._reader.records_by_thing(self._scope, sorted(things))) if things else {}

    def _iter_links(self) -> Iterator[Link]:
        yield from (link for chunk in self._reader.iter_links(self._scope) for link in chunk)

    @property
    def _scope(self) -> Scope:
        return self._see()[0]

    @property
    def _treater(self) -> Treater:
        return self._see()[1]

    def _see(self) -> tuple[Scope, Treater]:
        """Return what the observer may see under every label that there is."""
        if self._sight is None:
            self._sight = self._look(self._reader.labels())
        return self._sight

    def _look(self, labels: Mapping[int, Label]) -> tuple[Scope, Treater]:
        treater = self._treaters.find(self.observer, labels)
        return Scope(treater.allowed, self.as_of), treater

    def _walk(self, things: Collection[str], *, with_links: bool = False) -> tuple[Clusters, Walk]:
        """Walk out from some things.

        The first question of a View tells how many labels there are, which saves
        asking for them; were there others, it is put again.
        """
        walk, self._ahead = self._ahead, None
        if walk is not None and not with_links:
            return walk.clusters(things), walk
        labels = self._reader.known_labels()
        sight = self._sight or self._look(labels)
        walk = Walk(self._reader, *sight)
        clusters = walk.clusters(things, with_links=with_links)
        if self._sight is None and walk.labels is not None:
            if walk.labels != len(labels):
                self._see()
                return self._walk(things, with_links=with_links)
            self._sight = sight
        return clusters, walk

    def _bind(self, *question: object) -> bytes:
        """Return what a cursor of a question is bound to.

        Not the store's epoch: it would tell that somebody else's rights have changed.
        """
        return sha256(self._asker + canonical_json(question)).digest()

    @cached_property
    def _asker(self) -> bytes:
        """Who asks, with which rights, under which policy and of which moment."""
        moment = self.as_of.isoformat() if self._is_pinned else None
        return canonical_json([asdict(self.observer), self.policy.digest, moment])

    def _words(self, text: str) -> list[str]:
        return fold_name(text).split()

    def _names(self, schema: str | None) -> frozenset[str] | None:
        return concrete_schemata(self.ontology, [schema]) if schema else None

    def _search(self, text: str, schema: str | None, first: int, after: str | None) -> Page[str]:
        """Return a page of what a search finds, each entity by its earliest thing."""
        bound = self._bind("search", text, schema)
        last = self._open_cursor(after, bound)
        ranked = self._ranked(self._words(text), self._names(schema))
        if len(ranked) <= MANY:
            # What is shown next has been met by then.
            clusters, self._ahead = self._walk(ranked)
        else:
            clusters = self._clustered[0]
        # A thing may have gone out of sight between two questions: then the later one counts.
        found = list(dict.fromkeys(clusters.members[clusters.of[t]][0] for t in ranked if t in clusters.of))
        return self._cut(found, clusters, bound, first, last)

    def _open_cursor(self, after: str | None, bound: bytes) -> str | None:
        return None if after is None else self._handles.open_cursor(after, bound)

    def _cut(self, found: Sequence[str], clusters: Clusters, bound: bytes, first: int, last: str | None) -> Page[str]:
        """Return the page of a list of entities that begins after one of them (None: at its start)."""
        start = 0 if last is None else _place_after(found, clusters, last)
        chosen = tuple(found[start : start + _bounded(first)])
        cursors = tuple(self._handles.seal_cursor(thing, bound) for thing in chosen)
        return Page(chosen, cursors, start + len(chosen) < len(found), len(found))

    def _fill(self, page: Page[str], items: Mapping[str, Item]) -> Page[Item]:
        """Put items in the place of the things of a page, leaving out what went out of sight since it was found."""
        kept = [
            (items[thing], cursor) for thing, cursor in zip(page.items, page.cursors, strict=True) if thing in items
        ]
        has_next = page.has_next or len(kept) < len(page.items)
        return Page(tuple(item for item, _ in kept), tuple(cursor for _, cursor in kept), has_next, page.total)

    def _candidates(self, asked: Question) -> tuple[Clusters, Iterator[Record]]:
        """Return clusters that hold every entity that may meet a question, and current records of these.

        All records of the schema, one by one, where there are many; otherwise
        those of the entities around what meets the one filter that is looked for.
        """
        things: set[str] = set()
        for chunk in self._anchored(asked):
            clear = self._treater.clear_values
            things.update(record.thing for record in chunk if asked.is_anchored(clear(record)))
            if len(things) > MANY:
                clusters, outlines = self._clustered
                return clusters, self._iter_current(asked.names, outlines)
        clusters, walk = self._walk(things)
        # What is shown next has been met by then.
        self._ahead = walk
        members = (
            thing for index in {clusters.of[t] for t in things if t in clusters.of} for thing in clusters.members[index]
        )
        return clusters, (record for thing in members for record in walk.current[thing])

    def _anchored(self, asked: Question) -> Iterator[list[Record]]:
        if not asked.names:
            return
        if asked.words:
            yield self._reader.records_by_words(self._scope, asked.words, sorted(asked.names))
        else:
            yield from self._reader.iter_records(self._scope, sorted(asked.names))

    def _iter_current(self, names: Collection[str], outlines: Mapping[str, Sequence[Outline]]) -> Iterator[Record]:
        ids = {outline.id for found in outlines.values() for outline in found if outline.schema in names}
        chunks = self._reader.iter_records(self._scope, sorted(names))
        yield from (record for chunk in chunks for record in chunk if record.id in ids)

    def _show_entities(
        self, things: Collection[str], clusters: Clusters, current: dict[str, list[Record]]
    ) -> dict[str, Entity]:
        """Return the entity of each of some things that clusters hold."""
        entities = {
            index: self._show_entity(clusters.members[index], current)
            for index in {clusters.of[thing] for thing in things if thing in clusters.of}
        }
        return {thing: entities[clusters.of[thing]] for thing in things if thing in clusters.of}

    def _show_entity(
        self, members: Sequence[str], current: dict[str, list[Record]], treater: Treater | None = None
    ) -> Entity:
        return Entity({thing: current[thing] for thing in members}, treater or self._treater)

    def _score(self, record: Record, words: Sequence[str]) -> float | None:
        """Return how well a record's clear values match (0 to 100), None when a word is missing."""
        folded = fold_words(v for values in self._treater.clear_values(record).values() for v in values)
        tokens = folded.split()
        if not all(is_in(word, tokens) for word in words):
            return None
        query = " ".join(words)
        return max(fuzz.WRatio(query, line) for line in folded.split("\n"))

    def _ranked(self, words: Sequence[str], names: Collection[str] | None) -> list[str]:
        """Return the things with a current record that holds every word in clear, best match first."""
        found = self._reader.records_by_words(self._scope, words, sorted(names or ())) if words else []
        current = self._current_ids({record.thing for record in found})
        best: dict[str, tuple[float, str]] = {}
        for record in found:
            score = self._score(record, words) if record.id in current else None
            if score is not None:
                match = (-score, self._treater.show_caption(record))
                best[record.thing] = min(match, best.get(record.thing, match))
        return sorted(best, key=lambda thing: (*best[thing], self._treater.rank(thing)))

    def _current_ids(self, things: Collection[str]) -> set[str]:
        if len(things) > MANY:
            return {outline.id for outlines in self._clustered[1].values() for outline in outlines}
        return {record.id for records in self._current(things).values() for record in records}

    def _gather(self, things: Collection[str]) -> tuple[Clusters, dict[str, list[Record]]]:
        """Return clusters that hold these things, and the current records of their members."""
        if len(things) <= MANY:
            clusters, walk = self._walk(things)
            return clusters, walk.current
        clusters = self._clustered[0]
        members = {clusters.of[thing] for thing in things if thing in clusters.of}
        return clusters, self._current({thing for index in members for thing in clusters.members[index]})

    def _clusters_of(self, things: Collection[str]) -> Clusters:
        """Return clusters that hold these things, walked out to or, where they are many, those of everything."""
        if len(things) > MANY:
            return self._clustered[0]
        return self._walk(things)[0]

    def _links_from(self, things: frozenset[str]) -> list[Link]:
        """Return the links out of an entity, of each the latest version, by type and the latest first."""
        return _order_links(self._reader.links_of(self._scope, sorted(things)), things, self._treater.rank)

    def _entity_with_links(self, thing: str) -> Entity:
        """Return the entity around a thing, keeping the links with an end in it, and its walk, for what is asked next."""
        clusters, walk = self._walk([thing], with_links=True)
        if thing not in clusters.of:
            raise NotVisible
        members = frozenset(clusters.members[clusters.of[thing]])
        # What was met ahead, as the far end of a link, is known without its own links, and may be one with the thing.
        ends = [
            (link.left, link.right) for link in walk.links.values() if link.left in members and link.right in members
        ]
        if inside := {end for pair in ends for end in pair}:
            walk.links |= {link.id: link for link in self._reader.links_of(self._scope, sorted(inside))}
        self._ahead, self._met = walk, (members, list(walk.links.values()))
        return self._show_entity(clusters.members[clusters.of[thing]], walk.current)

    def _links_around(self, things: frozenset[str]) -> Iterable[Link]:
        """Return the links with an end among some things, and maybe others."""
        (met, links), self._met = self._met, _NOTHING_MET
        return links if met == things else self._reader.links_of(self._scope, sorted(things))

    def _neighbours(
        self, entity: Entity, links: Iterable[Link], others: Mapping[str, Entity]
    ) -> list[tuple[Link, Neighbour]]:
        """Return what each link leads to, of the entities around their far ends; one out of sight by now is left out."""
        ends = ((link, others.get(_far_end(link, entity.things))) for link in links)
        return [(link, self._neighbour(entity, link, other)) for link, other in ends if other]

    def _neighbour(self, entity: Entity, link: Link, other: Entity) -> Neighbour:
        schema = self.ontology[link.schema]
        end = schema.left if link.left in entity.things else schema.right
        return Neighbour(partial(self._treater.show_link, link), end.label if end else schema.label, other)

    def _explore(self, entities: Iterable[Entity], types: Collection[str], window: Window | None) -> Exploration:
        def ask(things: Collection[str]) -> list[Link]:
            links = order_links(self._reader.links_of(self._scope, sorted(things)), self._treater.rank)
            return keep_links(links, types, window, self._treater)

        return Exploration(entities, ask, self.entities_of, self._treater.rank)

    def _entities_named(self, ids: str | Collection[str]) -> list[Entity]:
        """Return the distinct entities that some ids name, by rank; raises NotVisible where one names nothing."""
        names = {ids} if isinstance(ids, str) else set(ids)
        if len(names) > MAX_ENDS:
            raise ValueError(f"expected at most {MAX_ENDS} ids on a side, found {len(names)}")
        things = {self._handles.open("entity", id_) for id_ in names}
        found = self.entities_of(things)
        if len(found) < len(things):
            raise NotVisible
        entities = {entity.thing: entity for entity in found.values()}
        return [entities[thing] for thing in sorted(entities, key=self._treater.rank)]


def _bounded(first: int) -> int:
    return max(0, min(first, MAX_PAGE))


def _far_end(link: Link, things: Collection[str]) -> str:
    return link.right if link.left in things else link.left


def _order_links(links: Iterable[Link], things: Collection[str], rank: Rank) -> list[Link]:
    """Return the links out of an entity, of each the latest version, by type and the latest first."""
    leaving = (link for link in links if (link.left in things) != (link.right in things))
    return order_links(leaving, rank)


def _link_after(links: Sequence[Link], last: str | None) -> int:
    """Return where a list of links goes on after the one of an identity; at its end when it has none."""
    if last is None:
        return 0
    return next((i for i, link in enumerate(links, 1) if link.identity == last), len(links))


def _place_after(found: Sequence[str], clusters: Clusters, thing: str) -> int:
    """Return where a list of entities goes on after the one with a thing; at its end when it has none."""
    index = clusters.of.get(thing)
    first = clusters.members[index][0] if index is not None else None
    return next((i for i, other in enumerate(found, 1) if other == first), len(found))
