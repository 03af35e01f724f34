"""End to end: what a GraphQL question costs over an engine, over the same question put by bare Cypher.

A store of `n` invented records, as `bench/view.py` makes it, is served by
`vinculum serve` in a process of its own. An investigator asks it over HTTP for

- an entity with its first 50 neighbours. Bare: the records of its things, then
  the links of those with the records at their far ends, 50 of them.
- a page of 50 that a search for a first name finds. Bare: the records whose
  text contains it, 50 of them, in no order.
- what lies up to two links around an entity, 500 entities of it with their
  links. Bare: the links of its things with the records at their far ends, and
  again of those, until there are 500.

Bare Cypher goes through the same driver from this process, decoded to
dictionaries; it does not say which records are one thing, ranks nothing, treats
nothing, has no label to look at, and is told which things to read. Ours pays
for HTTP, the token and JSON as well. By turns, wall time, in the middle (p50)
and at the end (p99) of the same questions.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import median

from bench.goal import print_goal
from bench.peers.service import ENGINES, Client, bolt_store, open_pipeline, serve
from bench.view import BARE_RECORDS, OBSERVERS, Loaded, load, read_bare_links
from graph.bolt import BoltStore
from tests.engines.neo4j import Unavailable

GOAL = 2.0
NEIGHBOURS = PAGE = 50
REACHED = 500
ASKER = OBSERVERS[0]
_SHOWN = "id schema caption"
ENTITY = (
    f"query($id: ID!) {{ entity(id: $id) {{ {_SHOWN} neighbours(first: {NEIGHBOURS})"
    f" {{ totalCount edges {{ verb node {{ {_SHOWN} }} }} }} }} }}"
)
SEARCH = (
    f"query($text: String!) {{ search(text: $text, first: {PAGE}) {{ totalCount edges {{ node {{ {_SHOWN} }} }} }} }}"
)
AROUND = (
    f"query($id: ID!) {{ neighbourhood(id: $id, depth: 2, first: {REACHED})"
    f" {{ reached {{ distance entity {{ {_SHOWN} }} }} links {{ verb left {{ id }} right {{ id }} }} }} }}"
)
BUSY = (
    "MATCH (a:Record {schema: 'Phone'})-[r]-(:Record) WITH a.thing AS thing, count(r) AS links "
    "WHERE links >= $least AND links <= $most RETURN thing AS found LIMIT 2000"
)
BARE_SEARCH = (
    "MATCH (n:Record) WHERE n.text CONTAINS $word WITH collect(n) AS hits "
    f"RETURN {{total: size(hits), found: [n IN hits[..{PAGE}] | properties(n)]}} AS found"
)

Case = tuple[Callable[[], object], Callable[[], object]]


def main() -> None:
    """Measure each engine and print the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="records")
    parser.add_argument("--questions", type=int, default=100, help="of each kind; a fifth of neighbourhoods")
    parser.add_argument("--engine", choices=ENGINES, help="one engine only")
    args = parser.parse_args()
    for engine in [args.engine] if args.engine else ENGINES:
        try:
            measure(engine, args.n, args.questions)
        except Unavailable as exc:
            print(f"{engine}: not measured: {exc}")


def measure(engine: str, n: int, questions: int) -> None:
    """Put every kind of question on one engine, and print figures and goals."""
    with open_pipeline(engine) as pipeline:
        store = bolt_store(pipeline)
        loaded = load(store, n)
        store.put_observer(ASKER)
        with serve(pipeline) as service:
            client = Client(service, ASKER.name)
            found = {kind: compare(cases) for kind, cases in make_cases(store, client, loaded, questions).items()}
            client.close()
    print(f"{engine}: {n:,} records")
    for kind, (ours, bare) in found.items():
        print(
            f"  {kind:14} p50 {_p50(ours):9.2f} ms / {_p50(bare):9.2f} ms = {_p50(ours) / _p50(bare):5.2f}   "
            f"p99 {_p99(ours):9.2f} ms / {_p99(bare):9.2f} ms = {_p99(ours) / _p99(bare):5.2f}   ({len(ours)} questions)"
        )
    for kind, (ours, bare) in found.items():
        print_goal(f"end_to_end_{engine}_{kind}_p50_over_bare", round(_p50(ours) / _p50(bare), 2), "<=", GOAL)
        print_goal(f"end_to_end_{engine}_{kind}_p99_over_bare", round(_p99(ours) / _p99(bare), 2), "<=", GOAL)


def make_cases(store: BoltStore, client: Client, loaded: Loaded, questions: int) -> dict[str, list[Case]]:
    """Return the questions by kind, with the same put bare, about things that the investigator sees."""
    random = Random(7)
    view = store.view(ASKER)
    busy = store._connection.read(BUSY, least=NEIGHBOURS, most=4 * NEIGHBOURS)
    some = sorted(view.visible_things(random.sample(loaded.things, min(len(loaded.things), 2_000))))
    hubs = sorted(view.visible_things(busy)) or some
    names = sorted({first for first, _ in loaded.words})

    def of_entity(thing: str) -> Case:
        id_, things = view.handle("entity", thing), sorted(view.entity_of(thing).things)
        return (
            lambda: client.ask(ENTITY, id=id_),
            lambda: (store._connection.read(BARE_RECORDS, values=things), read_bare_links(store, things, NEIGHBOURS)),
        )

    def of_search(name: str) -> Case:
        return (
            lambda: client.ask(SEARCH, text=name),
            lambda: store._connection.read(BARE_SEARCH, word=name.lower()),
        )

    def of_neighbourhood(thing: str) -> Case:
        id_, things = view.handle("entity", thing), sorted(view.entity_of(thing).things)
        return (lambda: client.ask(AROUND, id=id_), lambda: read_around(store, things))

    return {
        "entity": [of_entity(hubs[i % len(hubs)]) for i in range(questions)],
        "search": [of_search(random.choice(names)) for _ in range(questions)],
        "neighbourhood": [of_neighbourhood(random.choice(some)) for _ in range(max(2, questions // 5))],
    }


def read_around(store: BoltStore, things: Sequence[str]) -> dict[str, dict[str, object]]:
    """Read what lies up to two links around some things, by bare Cypher; records by thing."""
    met: dict[str, dict[str, object]] = {}
    frontier = list(things)
    for _ in range(2):
        reached = [one["far"] for found in read_bare_links(store, frontier, REACHED) for one in found["found"]]
        frontier = [thing for record in reached if (thing := record["thing"]) not in met]
        met |= {record["thing"]: record for record in reached}
        if len(met) >= REACHED:
            break
    return met


def compare(cases: Sequence[Case]) -> tuple[list[float], list[float]]:
    """Return what the questions take with us and bare, in ms, each in ascending order; warmed up by a tenth of them."""
    for ask, ask_bare in cases[: len(cases) // 10 + 1]:
        ask()
        ask_bare()
    # By turns, so that what else the machine does falls on both.
    times = [(_time(ask), _time(ask_bare)) for ask, ask_bare in cases]
    ours, bare = (sorted(column) for column in zip(*times, strict=True))
    return list(ours), list(bare)


def _time(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1_000


def _p50(ordered: Sequence[float]) -> float:
    return float(median(ordered))


def _p99(ordered: Sequence[float]) -> float:
    return ordered[len(ordered) * 99 // 100]


if __name__ == "__main__":
    main()
