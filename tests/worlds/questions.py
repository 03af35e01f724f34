"""Questions: all that an observer can ask of a store, each under the leak channel that it watches.

The numbers are those of the list of channels in `docs/assurance.md`. An answer
is bytes: every value, id, order, total and cursor that the observer gets.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import IntEnum
from itertools import combinations
from random import Random

import orjson

from graph.communities import find_communities
from graph.finding import Equals, Filter, Near, OneOf, Prefix, Range, Sort
from graph.handle import Handles
from graph.judgements import add_judgement
from graph.shown import Entity, Neighbour
from graph.store import Batch, Store
from graph.view import View
from graph.watches import add_watch, check_watches, list_alerts
from graph.window import Window
from ontology.errors import VinculumError
from ontology.judgement import Verdict
from ontology.observer import Observer
from ontology.policy import Right
from ontology.policy_file import default_policy
from ontology.record import Link
from ontology.watch import Watch
from tests.factory import CAPTURE, SECRET, START
from tests.worlds.world import LABELS, NOW, OBSERVERS, POOLS, SOURCE, WORDS, World, low_record, thing_of

EARLY = START + timedelta(minutes=30)
# Links are dated five days after the start, and recorded in its first hour.
_WINDOWS = (Window(until=EARLY), Window(since=START + timedelta(days=4)))
_FILTERS: Mapping[str, Sequence[Filter]] = {
    "Person": (
        Equals("name", "Ada Example"),
        OneOf("nationality", ("ro", "bg")),
        Prefix("phone", "40712"),
        Prefix("shelterAddress", "hidden"),
        Range("birthDate", "1980-03", "1985"),
        Near("deathDate", "2026-01-06", 1),
        Equals("notes", "seen with Ada"),
    ),
    "Advertisement": (
        Prefix("title", "ada"),
        Range("price", "150"),
        Near("publishedAt", "2026-01-05", 3),
        Equals("location", "Hamburg, Germany"),
        Prefix("bodyText", "call"),
    ),
    "Phone": (Equals("number", "+40712345678"), Prefix("number", "40712"), Range("firstSeen", most="2026-01")),
    "CryptoWallet": (Prefix("publicKey", "wallet"), Prefix("tagLabel", "hidden"), Range("balance", "1", "1")),
    "Organization": (Prefix("name", "ada"), OneOf("country", ("de", "ro"))),
    "Thing": (Prefix("notes", "hidden"), Equals("country", "ro")),
}
_SORTS = (Sort("birthDate"), Sort("name", is_descending=True), Sort("phone"), Sort("deathDate", is_descending=True))


class Channel(IntEnum):
    """A way in which hidden things could show; the ones that a question to a store can watch."""

    FILTER = 1
    SORT = 2
    CURSOR = 3
    GROUP = 4
    COUNT = 5
    EXISTENCE = 6
    PATH = 7
    CENTRALITY = 8
    SEARCH = 9
    SIMILARITY = 10
    HISTORY = 11
    COPY = 12
    EXPORT = 13
    ALERT = 14
    SHARED_STATE = 15
    CACHE_KEY = 16
    MERGE = 17
    LABEL = 18
    EXPLANATION = 19
    VOCABULARY = 20
    ID = 21
    WRITE = 22
    ERROR = 23
    STATISTICS = 25
    DIFFERENCING = 33


Answer = tuple[Channel, str, bytes]  # the channel, what was asked, the answer
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def iter_answers(world: World, store: Store, observer: Observer, random: Random) -> Iterator[Answer]:
    """Yield every answer that an observer can get of a world in a store; the last ones write to it.

    Equal `random` states ask the same. Costly questions (communities) are asked of a few worlds only.
    """
    store.put_observer(observer)
    for other in OBSERVERS:
        if other.name != observer.name and random.random() < 0.2:
            store.put_observer(other)
    view, early = store.view(observer), store.view(observer, EARLY)
    asker = _Asker(world, store, observer, view, early, random)
    # Somebody else asks in between: what they are shown must not stay behind.
    bystander = store.view(random.choice(OBSERVERS))
    bystander.search(WORDS[0])
    yield from asker.entities()
    yield from asker.hidden_ids()
    yield from asker.searches()
    yield from asker.filters()
    yield from asker.surroundings()
    yield from asker.totals()
    yield from asker.explanations()
    yield from asker.foreign_ids()
    if random.random() < 0.02:
        yield Channel.CENTRALITY, "communities", _dump(find_communities(view))
    yield from asker.alerts()
    yield from asker.writes()


class _Asker:
    def __init__(self, world: World, store: Store, observer: Observer, view: View, early: View, random: Random) -> None:
        self._random = random
        self._world = world
        self._store = store
        self._observer = observer
        self._view = view
        self._early = early
        self._handles = Handles(SECRET, observer.organisation)
        self._ids = [self._handles.seal("entity", thing_of(key)) for key in world.keys]
        found = view.entities_of([thing_of(key) for key in world.keys])
        self._shown: list[Entity] = list({entity.id: entity for entity in found.values()}.values())

    def entities(self) -> Iterator[Answer]:
        view = self._view
        for entity in self._shown:
            yield Channel.COPY, "entity", _dump(view.entity(entity.id))
            yield Channel.VOCABULARY, "redactions", _dump(entity.redactions)
            yield Channel.SORT, "order of records", _dump([record.id for record in entity.records])
            for name in entity.values:
                yield Channel.EXPORT, "provenance", _dump(entity.provenance(name))
            yield Channel.HISTORY, "entity before", _try(self._early.entity, entity.id)
            yield from self._neighbours(entity.id)
        yield Channel.PATH, "ties", _dump(view.ties(self._shown))

    def _neighbours(self, id_: str) -> Iterator[Answer]:
        first = self._view.neighbours(id_, first=2)
        yield Channel.PATH, "neighbours", _dump(first)
        yield Channel.HISTORY, "neighbours before", _try(self._early.neighbours, id_)
        yield Channel.FILTER, "neighbours by type", _dump(self._view.neighbours(id_, types=["Contact"]))
        if first.has_next:
            yield Channel.CURSOR, "neighbours after", _dump(self._view.neighbours(id_, after=first.cursors[-1]))
        for neighbour in first.items[:1]:
            yield Channel.PATH, "two hops", _try(self._view.neighbours, neighbour.entity.id)

    def hidden_ids(self) -> Iterator[Answer]:
        visible = self._shown[0].id if self._shown else self._ids[0]
        for id_ in self._ids:
            yield Channel.EXISTENCE, "entity", _try(self._view.entity, id_)
            yield Channel.EXISTENCE, "neighbours", _try(self._view.neighbours, id_)
            yield Channel.ERROR, "explain", _try(self._view.explain, visible, id_)
            yield Channel.LABEL, "label of what is derived", _try(self._view.label_of, [visible, id_])

    def searches(self) -> Iterator[Answer]:
        for word in WORDS:
            page = self._view.search(word, first=1)
            yield Channel.SEARCH, "search", _dump(page)
            for cursor in page.cursors:
                yield Channel.CURSOR, "search after", _dump(self._view.search(word, first=2, after=cursor))
        for schema in ("Person", "LegalEntity", "Company", "Thing"):
            yield Channel.FILTER, "search by schema", _dump(self._view.search("ada", schema=schema))
        for like in ("ada exam", "ada hidden example", "bela sample"):
            yield Channel.SIMILARITY, "search like", _dump(self._view.search(like))
        yield Channel.SORT, "search of two words", _dump(self._view.search("ada hidden", first=1))
        for text in ("ada", "hidden hamburg"):
            yield Channel.SEARCH, "what a search matched", _dump(self._view.search_hits(text, first=5))

    def filters(self) -> Iterator[Answer]:
        find = self._view.find
        shown = sorted(entity.schema for entity in self._shown if entity.schema in _FILTERS)
        for schema in (self._random.choice(shown or ["Person"]), self._random.choice(shown or ["Phone"]), "Person"):
            one, other = self._random.sample(_FILTERS[schema], 2)
            yield Channel.FILTER, "filter", _dump(find(schema, [one]))
            yield Channel.FILTER, "two filters", _dump(find(schema, [one, other], sort=Sort("name")))
        yield Channel.FILTER, "filter of everything", _dump(find("Thing", [self._random.choice(_FILTERS["Thing"])]))
        sort = self._random.choice(_SORTS)
        first = find("Person", sort=sort, first=1)
        yield Channel.SORT, "sorted", _dump([first, find("Person", sort=sort, first=100)])
        for cursor in first.cursors:
            yield Channel.CURSOR, "sorted after", _dump(find("Person", sort=sort, first=2, after=cursor))

    def surroundings(self) -> Iterator[Answer]:
        view, window = self._view, self._random.choice(_WINDOWS)
        left, right = self._random.sample(self._ids, 2)
        yield Channel.PATH, "neighbourhood", _try(view.neighbourhood, left, depth=3, first=self._random.choice((2, 9)))
        yield Channel.HISTORY, "neighbourhood in a window", _try(view.neighbourhood, right, depth=2, window=window)
        yield Channel.FILTER, "neighbours in a window", _try(view.neighbours, left, window=window)
        yield Channel.PATH, "paths", _try(view.paths, left, right, longest=6)
        ends = [entity.id for entity in self._shown]
        yield Channel.PATH, "paths between many", _try(view.paths, ends, ends[:2], types=["Contact"], window=window)

    def totals(self) -> Iterator[Answer]:
        yield Channel.COUNT, "counts", _dump(self._view.counts())
        yield Channel.COUNT, "counts before", _dump(self._early.counts())
        yield (
            Channel.COUNT,
            "neighbours in all",
            _dump([self._view.neighbours(e.id, first=0).total for e in self._shown]),
        )
        for schema in POOLS:
            yield Channel.GROUP, "total by schema", _dump(self._view.search("ada", schema=schema, first=0).total)
        for word in WORDS[:3]:
            yield Channel.STATISTICS, "size of a page", _dump(len(self._view.search(word, first=100).items))
        for types in ((), ("Contact",), ("UnknownLink",)):
            projection = self._view.projection(types=types)
            shape = (projection.things, projection.edges, projection.weights)
            yield Channel.CENTRALITY, "projection", _dump(shape)
        for name, table in ((table.cube.name, table) for table in self._view.cubes()):
            parts = (table.cells, table.rows, table.columns)
            yield Channel.DIFFERENCING, name, _dump([[sorted(part.items()) for part in parts], table.total])
        for early in (self._early, self._view):
            yield Channel.DIFFERENCING, "tables", _dump([table.cube.name for table in early.cubes()])

    def explanations(self) -> Iterator[Answer]:
        ids = [record.id for entity in self._shown for record in entity.records]
        for left, right in list(combinations(ids[:4], 2)):
            yield Channel.EXPLANATION, "explain", _dump(self._view.explain(left, right))
        for entity in self._shown:
            yield Channel.MERGE, "entity of each record", _dump([self._view.entity(r.id).id for r in entity.records])

    def foreign_ids(self) -> Iterator[Answer]:
        other = next(o for o in OBSERVERS if o.organisation != self._observer.organisation)
        theirs = Handles(SECRET, other.organisation)
        for key in list(self._world.keys)[:2]:
            for id_ in (theirs.seal("entity", thing_of(key)), thing_of(key), self._handles.seal("link", thing_of(key))):
                yield Channel.ID, "another's id", _try(self._view.entity, id_)
        page = self._view.search(WORDS[0], first=1)
        for cursor in page.cursors:
            yield Channel.CURSOR, "another's cursor", _try(self._view.search, WORDS[1], after=cursor)
        # Of the same name and organisation: with fewer cases alone, two pseudonyms may be compared that were one in clear.
        demoted = self._store.view(replace(self._observer, tier="operator"))
        for word in WORDS[:3]:
            yield Channel.CACHE_KEY, "with fewer rights", _dump(demoted.search(word))
        again = self._store.view(self._observer)
        for word in WORDS[:2]:
            yield Channel.SHARED_STATE, "asked again", _dump(again.search(word))
        yield Channel.SHARED_STATE, "counted again", _dump(again.counts())

    def alerts(self) -> Iterator[Answer]:
        for entity in self._early_entities():
            self._store.put_watch(Watch(self._observer.name, entity.thing, EARLY, EARLY))
        check_watches(self._store, lambda: NOW)
        yield Channel.ALERT, "alerts", _dump(list_alerts(self._store, self._observer, NOW))
        for id_ in self._ids[:2]:
            yield Channel.ALERT, "watch", _try(self._watch, id_)

    def _early_entities(self) -> list[Entity]:
        found = self._early.entities_of([entity.thing for entity in self._shown])
        return list({entity.id: entity for entity in found.values()}.values())

    def _watch(self, id_: str) -> str:
        watch = add_watch(self._store, self._observer, id_, NOW)
        return self._view.handle("watch", watch.id)

    def writes(self) -> Iterator[Answer]:
        made = low_record("new")
        ends = [*(thing_of(key) for key in self._world.keys), thing_of("x1"), thing_of("nowhere")]
        links = [_link_between(made.thing, end) for end in ends]
        yield Channel.WRITE, "import", _dump(self._store.write(Batch(records=[made], links=links)))
        yield Channel.WRITE, "import again", _dump(self._store.write(Batch(records=[made], links=links)))
        after = self._store.view(self._observer)
        yield Channel.WRITE, "what links to it", _try(after.neighbours, self._handles.seal("entity", made.thing))
        yield Channel.WRITE, "what was waited for", _dump(sorted(after.visible_things(ends)))
        if default_policy().has_right(self._observer, Right.JUDGE):
            for left, right in list(combinations(self._ids, 2))[:3]:
                yield Channel.WRITE, "judge", _try(self._judge, left, right)
            yield Channel.MERGE, "counts once judged", _dump(self._store.view(self._observer).counts())

    def _judge(self, left: str, right: str) -> object:
        add_judgement(self._store, self._observer, (left, right), Verdict.POSITIVE, "alike", NOW)
        return self._store.view(self._observer).explain(left, right)


def _link_between(left: str, right: str) -> Link:
    return Link("Contact", SOURCE, "low", left, right, LABELS[0], CAPTURE, 0, {}, NOW)


def _try(question: Callable[..., object], *given: object, **named: object) -> bytes:
    try:
        return _dump(question(*given, **named))
    except VinculumError as exc:
        return f"{type(exc).__name__}: {exc}".encode()


def _dump(answer: object) -> bytes:
    return orjson.dumps(answer, default=plain, option=_OPTIONS)


def plain(value: object) -> object:
    """Return what is written as JSON for a value that JSON does not have; entities are shown whole."""
    if isinstance(value, Entity):
        return value.whole
    if isinstance(value, Neighbour):
        return value.to_dict()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | Sequence):
        return list(value)
    raise TypeError(type(value).__name__)
