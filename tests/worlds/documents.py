"""Documents: what an observer can ask of a world over GraphQL, each under the leak channel that it watches.

They are asked in turn: each may build on the answers before it, as a caller's
do who follows cursors and ids. Equal answers lead to equal documents.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from random import Random
from typing import Any

import orjson
from graphql import GraphQLSchema, build_schema, get_introspection_query

from api.schema import print_sdl
from graph.handle import Handles
from ontology.observer import Observer
from ontology.schema import default_ontology
from tests.factory import SECRET
from tests.worlds.questions import EARLY, Channel
from tests.worlds.world import OBSERVERS, POOLS, WORDS, World, thing_of

_BEFORE = EARLY.isoformat()
_MOST = 6  # properties that one document names
_FULL_INTROSPECTION = 0.005
_PAGE = "totalCount pageInfo{hasNextPage endCursor}"
_EXPLANATIONS = (
    "same by total weights{comparison weight}",
    "left right model prior stop weights{level} judged{verdict by reason}",
)
_LINKS = ("verb link{id properties{name values}}", "link{id type provenance{record assertion}}", "link{id}")
_SCHEMATA = ("Person", "LegalEntity", "Thing", *POOLS)


@dataclass(frozen=True, slots=True)
class Document:
    """One request: the channel that it watches, what it asks for, and its body."""

    channel: Channel
    what: str
    body: bytes


Asking = Generator[Document, dict[str, Any], None]  # takes the answer to each document


class Asker:
    """Draws what one observer asks of a world; equal `random` states and answers ask the same."""

    def __init__(self, world: World, observer: Observer, random: Random) -> None:
        self._world = world
        self._observer = observer
        self._random = random
        self._schema = _schema_of(observer.tier)
        self._handles = Handles(SECRET, observer.organisation)
        self._ids = [self._handles.seal("entity", thing_of(key)) for key in world.keys]

    def watching(self) -> Asking:
        """Ask for everything to be watched, hidden things among it."""
        for id_ in self._ids:
            yield _ask(Channel.ALERT, "watch", "mutation($id:ID!){watchEntity(id:$id){id entity{id}}}", id=id_)

    def reading(self) -> Asking:
        """Ask what changes nothing."""
        yield from self._entities()
        yield from self._foreign_ids()
        yield from self._searches()
        yield from self._filters()
        yield from self._ways()
        yield from self._totals()
        yield from self._explanations()
        yield from self._alerts()
        yield from self._mistakes()
        yield from self._introspection()

    def writing(self) -> Asking:
        """Watch and judge, and ask what came of it."""
        (id_,) = self._random.sample(self._ids, 1)
        yield _ask(
            Channel.WRITE, "watch", "mutation($id:ID!){watchEntity(id:$id){id createdAt entity{id caption}}}", id=id_
        )
        shown = self._random.choice(_EXPLANATIONS)
        query = f'mutation($l:ID!,$r:ID!,$v:Verdict!){{judge(left:$l,right:$r,verdict:$v,reason:"alike"){{{shown}}}}}'
        for left, right in self._pairs(2):
            verdict = self._random.choice(("POSITIVE", "NEGATIVE", "UNSURE", "WITHDRAWN"))
            yield _ask(Channel.WRITE, "judge", query, l=left, r=right, v=verdict)
            yield self._entity(Channel.MERGE, left, "records{id}")
        yield _ask(Channel.MERGE, "counts once judged", "{counts{schema count}}")

    def _entities(self) -> Asking:
        for id_ in self._ids:
            yield self._node(id_)
            channel, part = self._draw_part()
            yield self._entity(channel, id_, part)
            yield from self._neighbours(id_)
        yield _ask(Channel.EXISTENCE, "nodes", "query($i:[ID!]!){nodes(ids:$i){id __typename}}", i=self._ids)
        query = "query($i:[ID!]!,$t:DateTime){nodes(ids:$i,asOf:$t){id ...on Entity{caption records{id}}}}"
        yield _ask(Channel.HISTORY, "nodes before", query, i=self._ids, t=_BEFORE)

    def _node(self, id_: str) -> Document:
        """Ask for an entity's values by its own fields, some of which others may name and this tier may not."""
        key = self._world.keys[list(self._world.keys)[self._ids.index(id_)]]
        names = self._names_of(key) & default_ontology()[key].properties.keys()
        chosen = self._random.sample(sorted(names), min(_MOST, len(names)))
        query = f"query($id:ID!){{node(id:$id){{id __typename ...on Entity{{caption}} ...on {key}{{__typename {' '.join(chosen)}}}}}}}"  # fmt: skip
        return _ask(Channel.EXISTENCE, "node", query, id=id_)

    def _draw_part(self) -> tuple[Channel, str]:
        provenance = " ".join(sorted({"record", "assertion", "recordedAt"} | self._given("source", "capture")))
        handling = " handling{handling tlp sourceGrade basis}" if self._given("handling") else ""
        return self._random.choice(
            (
                (Channel.COPY, "records{id schema caption values{name values treatment} redactions{fieldClass}}"),
                (Channel.EXPORT, f"provenance{{property value {provenance}{handling}}}"),
                (Channel.LABEL, f"records{{provenance{{{provenance}{handling}}}}}"),
                (Channel.VOCABULARY, "redactions{fieldClass treatment reason contact}"),
            )
        )

    def _given(self, *names: str) -> set[str]:
        return set(names) & self._names_of("Provenance")

    def _entity(self, channel: Channel, id_: str, part: str) -> Document:
        return _ask(channel, "entity", f"query($id:ID!){{entity(id:$id){{id caption schema {part}}}}}", id=id_)

    def _neighbours(self, id_: str) -> Asking:
        edges = f"edges{{cursor {self._random.choice(_LINKS)} node{{id caption}}}}"
        query = f"query($id:ID!,$a:String){{entity(id:$id){{neighbours(first:1,after:$a){{{_PAGE} {edges}}}}}}}"
        answer = yield _ask(Channel.PATH, "neighbours", query, id=id_)
        for cursor in _find(answer, "endCursor"):
            yield _ask(Channel.CURSOR, "neighbours after", query, id=id_, a=cursor)
        if self._random.random() < 0.5:
            kind = self._random.choice(("Contact", "UnknownLink"))
            query = f"query($id:ID!){{entity(id:$id){{neighbours(first:2,types:[{kind}]){{totalCount edges{{node{{id neighbours(first:2){{totalCount edges{{verb node{{id caption}}}}}}}}}}}}}}}}"  # fmt: skip
            yield _ask(Channel.PATH, "two hops", query, id=id_)

    def _foreign_ids(self) -> Iterator[Document]:
        other = next(o for o in OBSERVERS if o.organisation != self._observer.organisation)
        thing = thing_of(self._random.choice(list(self._world.keys)))
        forged = (Handles(SECRET, other.organisation).seal("entity", thing), thing, self._handles.seal("link", thing))
        for id_ in forged:
            yield _ask(Channel.ID, "another's id", "query($id:ID!){entity(id:$id){id caption}}", id=id_)
        mixed = [*forged, *self._ids[:1], "nothing", ""]
        yield _ask(Channel.ID, "ids of all kinds", "query($i:[ID!]!){nodes(ids:$i){id}}", i=mixed)

    def _searches(self) -> Asking:
        query = f"query($w:String!,$a:String){{search(text:$w,first:1,after:$a){{{_PAGE} edges{{cursor node{{id caption}}}}}}}}"  # fmt: skip
        for word in self._random.sample(WORDS, 3):
            answer = yield _ask(Channel.SEARCH, "search", query, w=word)
            for cursor in _find(answer, "endCursor"):
                yield _ask(Channel.CURSOR, "search after", query, w=word, a=cursor)
                yield _ask(Channel.CURSOR, "another list's cursor", query, w=f"{word} x", a=cursor)
        some = self._random.choice(("ada hidden", "ada exam", "bela sample", "hidden"))
        yield _ask(Channel.SIMILARITY, "search of more", "query($w:String!){search(text:$w){totalCount edges{node{id}}}}", w=some)  # fmt: skip
        schema = self._random.choice(_SCHEMATA)
        yield _ask(Channel.GROUP, "search by schema", f'{{search(text:"ada",schema:{schema},first:0){{totalCount}}}}')
        query = "query($w:String!,$t:DateTime){search(text:$w,asOf:$t){totalCount edges{node{id caption}}}}"
        yield _ask(Channel.HISTORY, "search before", query, w="ada", t=_BEFORE)

    def _filters(self) -> Asking:
        schema = self._random.choice(list(POOLS))
        known = sorted(self._names_of(f"{schema}Filter") & POOLS[schema].keys())
        name = self._random.choice(known) if known else "name"
        asked = self._random.choice((f'prefix:"{self._random.choice(WORDS)}"', f'equals:"{POOLS[schema].get(name, ("x",))[0]}"'))  # fmt: skip
        sort = f',sort:{{property:"{name}",descending:{self._random.choice(("true", "false"))}}}'
        for where, order in ((f"{name}:{{{asked}}}", ""), ("", sort)):
            query = f"query($a:String){{entities(where:{{{schema}:{{{where}}}}}{order},first:1,after:$a){{{_PAGE} edges{{cursor node{{id caption}}}}}}}}"  # fmt: skip
            answer = yield _ask(Channel.FILTER, "entities", query)
            for cursor in _find(answer, "endCursor"):
                yield _ask(Channel.CURSOR, "entities after", query, a=cursor)

    def _ways(self) -> Asking:
        shown = "entity{id} reached{distance entity{id caption}} links{left{id} verb right{id}} isComplete"
        query = f"query($id:ID!,$d:Int!){{neighbourhood(id:$id,depth:$d,first:3){{{shown}}}}}"
        yield _ask(
            Channel.PATH, "neighbourhood", query, id=self._random.choice(self._ids), d=self._random.randint(1, 3)
        )
        query = "query($l:[ID!]!,$r:[ID!]!){paths(left:$l,right:$r){items{start{id} steps{verb node{id caption}}} hasMore isComplete}}"  # fmt: skip
        for left, right in self._pairs(1):
            yield _ask(Channel.PATH, "paths", query, l=[left], r=[right])
        query = "query($w:String!){search(text:$w,first:2){edges{match{property value score record} node{id}}}}"
        yield _ask(Channel.SEARCH, "what matched", query, w=self._random.choice(WORDS))

    def _totals(self) -> Iterator[Document]:
        yield _ask(Channel.COUNT, "counts", "{counts{schema count}}")
        yield _ask(Channel.COUNT, "counts before", "query($t:DateTime){counts(asOf:$t){schema count}}", t=_BEFORE)
        if self._schema.query_type and "cubes" in self._schema.query_type.fields:
            yield _ask(Channel.DIFFERENCING, "cubes", "{cubes{name rows columns cells{row column count}}}")

    def _explanations(self) -> Iterator[Document]:
        shown = self._random.choice(_EXPLANATIONS)
        query = f"query($l:ID!,$r:ID!,$t:DateTime){{explain(left:$l,right:$r,asOf:$t){{{shown}}}}}"
        for left, right in self._pairs(3):
            moment = {"t": _BEFORE} if self._random.random() < 0.2 else {}
            yield _ask(Channel.EXPLANATION, "explain", query, l=left, r=right, **moment)

    def _alerts(self) -> Iterator[Document]:
        yield _ask(Channel.ALERT, "watches", "{watches{id createdAt entity{id caption}}}")
        yield _ask(
            Channel.ALERT, "alerts", "{alerts(first:5){id watch recordedAt verb entity{id} node{id caption} link{id}}}"
        )

    def _mistakes(self) -> Iterator[Document]:
        """Ask what cannot be asked: the texts of the errors are answers too."""
        for what, query, variables in self._random.sample(list(self._iter_mistakes()), 5):
            yield _ask(Channel.ERROR, what, query, **variables)
        body = self._random.choice(
            (b"", b"{", b"[]", b'{"query":1}', b'{"query":""}', b'{"query":"{a}","variables":3}')
        )
        yield Document(Channel.ERROR, "no request", body)

    def _iter_mistakes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        id_, schema = self._random.choice(self._ids), self._random.choice(list(POOLS))
        forbidden = default_ontology()[schema].properties.keys() - self._names_of(schema)
        for name in sorted(forbidden)[:3]:
            yield "another tier's field", f"query($id:ID!){{entity(id:$id){{...on {schema}{{{name}}}}}}}", {"id": id_}
        yield "unknown field", '{search(text:"ada"){hidden}}', {}
        yield "unknown type", f'{{entity(id:"{id_}"){{...on Secret{{id}}}}}}', {}
        yield "unknown schema", '{search(text:"ada",schema:Secret){totalCount}}', {}
        yield "wrong type", "query($id:Int!){entity(id:$id){id}}", {"id": id_}
        yield "no variable", "query($id:ID!){entity(id:$id){id}}", {}
        yield "page out of bounds", '{search(text:"ada",first:101){totalCount}}', {}
        yield "another's cursor", '{search(text:"ada",after:"cAAAA"){totalCount}}', {}
        yield "moment without offset", '{counts(asOf:"2026-01-01T00:00:00"){count}}', {}
        yield "too deep", "{" * 25 + "a" + "}" * 25, {}
        yield "too wide", "{" + " ".join(f"a{n}:counts{{count}}" for n in range(8)) + "}", {}
        yield "no document", "query {", {}
        yield "two operations", "query a{observer{tier}} query b{observer{tier}}", {}
        yield "a subscription", "subscription{alerts{id}}", {}

    def _introspection(self) -> Iterator[Document]:
        name = self._random.choice((*POOLS, "Query", "Mutation", "CubeName", "Secret"))
        query = f'{{__type(name:"{name}"){{name fields{{name type{{name}}}} enumValues{{name}}}}}}'
        yield _ask(Channel.VOCABULARY, "introspection of a type", query)
        if self._random.random() < _FULL_INTROSPECTION:
            yield _ask(Channel.VOCABULARY, "introspection", get_introspection_query())

    def _names_of(self, type_: str) -> set[str]:
        """Return the fields that the observer's tier may name of a type."""
        return set(getattr(self._schema.type_map.get(type_), "fields", {}))

    def _pairs(self, most: int) -> Iterable[tuple[str, str]]:
        pairs = list(combinations(self._ids, 2))
        return self._random.sample(pairs, min(most, len(pairs)))


def _ask(channel: Channel, what: str, query: str, **variables: Any) -> Document:
    asked = {"query": query, "variables": variables} if variables else {"query": query}
    return Document(channel, what, orjson.dumps(asked))


def _find(answer: Any, name: str) -> list[Any]:
    """Return every value of a field in an answer that is not null."""
    if isinstance(answer, list):
        return [found for part in answer for found in _find(part, name)]
    if not isinstance(answer, dict):
        return []
    mine = [answer[name]] if answer.get(name) is not None else []
    return mine + [found for part in answer.values() for found in _find(part, name)]


@cache
def _schema_of(tier: str) -> GraphQLSchema:
    return build_schema(print_sdl(tier))
