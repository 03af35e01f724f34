"""View: what asking a View costs, over the same question put without one by bare Cypher.

A store of `n` invented records (two in five persons, two in five advertisements,
one in five phone numbers; a tenth of the persons told of by two sources and
joined by a scored pair; numbers that several sources name; 200 labels) and about
as many links is made on each engine by bare CREATE. An investigator, who sees
most, and a worker of an NGO, who sees little, then ask for

- an entity by its id. Bare: the records of its things, which are given.
- the first 20 neighbours of an entity. Bare: the links of its things, which are
  given, by type and the latest first, with the records at their far ends, 20 of them.
- a page of 20 that a search finds, for a name and for a family name. Bare: the
  records whose text contains the words, 20 of them, in no order.
- how many entities there are of each schema. Bare: things by schema.

Each asks for what the other does and gives the count of all it found; bare Cypher
does not say which records are one thing, ranks nothing, treats nothing, has no
label to look at and is told which things to read. Each question is a request:
the View is made for it. Both go through the same driver and connection, by
turns, and what is compared is wall time, in the middle (p50) and at the end
(p99) of the same questions.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from neo4j import ManagedTransaction

from bench.goal import print_goal
from graph import cypher, embedded, row
from graph.bolt import BoltStore
from graph.embedded import open_embedded
from graph.shown import Entity
from graph.writing import Writing
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.record import Link, Record
from ontology.schema import default_ontology
from tests.engines.neo4j import LONG_TERM, Unavailable, open_server

START = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = bytes(32)
BATCH = 5_000
ENGINES = ("embedded", LONG_TERM.name)
OBSERVERS = (
    Observer("ivo", "ORG-0", "investigator", cases=("CASE-0", "CASE-1", "CASE-2"), purpose="investigation"),
    Observer("nel", "ORG-9", "ngo", purpose="protection"),
)
GOAL = 2.0
# As many different names as an archive of this kind has.
FIRST_NAMES = 400
LAST_NAMES = 2_500

Question = Callable[[], object]

_LINKS = "|".join(schema.name for schema in default_ontology().links())
BARE_RECORDS = "UNWIND $values AS value MATCH (n:Record {thing: value}) RETURN collect(properties(n)) AS found"
BARE_LINKS = (
    f"UNWIND $values AS value MATCH (a:Record {{thing: value}})-[r:{_LINKS}]-(b:Record) "
    "WITH r, b ORDER BY type(r), r.recorded_at DESC WITH collect({link: r, far: b}) AS near "
    "RETURN {total: size(near), found: "
    "[one IN near[..$most] | {type: type(one.link), link: properties(one.link), far: properties(one.far)}]} AS found"
)
BARE_SEARCH = (
    "MATCH (n:Record) WHERE n.text CONTAINS $longest AND all(word IN $words WHERE n.text CONTAINS word) "
    "WITH collect(n) AS hits "
    "RETURN {total: size(hits), found: [n IN hits[..20] | properties(n)]} AS found"
)
BARE_COUNTS = (
    "MATCH (n:Record) WITH n.schema AS schema, count(DISTINCT n.thing) AS things "
    "RETURN {schema: schema, things: things} AS found"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One question with a View, and the same put bare."""

    ask: Question
    ask_bare: Question


def main() -> None:
    """Measure each engine and print the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="records")
    parser.add_argument(
        "--questions", type=int, default=200, help="entities and hops; a fifth searches, a fiftieth counts"
    )
    parser.add_argument("--engine", choices=ENGINES, help="one engine only")
    args = parser.parse_args()
    for name in [args.engine] if args.engine else ENGINES:
        try:
            with _open_store(name) as store:
                started = time.monotonic()
                loaded = load(store, args.n)
                print(f"{name}: {args.n:,} records, made in {time.monotonic() - started:.0f} s")
                measure(name, store, loaded, args.questions)
        except Unavailable as exc:
            print(f"{name}: not measured: {exc}")


def measure(name: str, store: BoltStore, loaded: "Loaded", questions: int) -> None:
    """Put every kind of question as every observer, and print figures and goals."""
    ratios = {}
    for observer in OBSERVERS:
        for kind, cases in make_cases(store, observer, loaded, questions).items():
            ratios[observer.tier, kind] = _compare(f"{name} {observer.tier:12} {kind:7}", cases)
    for (tier, kind), ratio in ratios.items():
        print_goal(f"view_{name}_{tier}_{kind}_p50_over_bare", round(ratio, 2), "<=", GOAL)


def make_cases(store: BoltStore, observer: Observer, loaded: "Loaded", questions: int) -> dict[str, list[Case]]:
    """Return the questions of one observer by kind, about things that they see."""
    random = Random(5)
    view = store.view(observer)
    visible = sorted(view.visible_things(random.sample(loaded.things, min(len(loaded.things), 2_000))))
    things = random.sample(visible, min(len(visible), questions))
    entities = [view.entity_of(thing) for thing in things]
    names = random.sample(loaded.words, max(2, questions // 5))
    return {
        "entity": [_entity_case(store, observer, entity) for entity in entities],
        "hop": [_hop_case(store, observer, entity) for entity in entities],
        "search": [_search_case(store, observer, names[i] if i % 2 else names[i][1:]) for i in range(len(names))],
        "count": [_count_case(store, observer)] * max(2, questions // 50),
    }


def _entity_case(store: BoltStore, observer: Observer, entity: Entity) -> Case:
    things = sorted(entity.things)
    return Case(
        lambda: store.view(observer).entity(entity.id),
        lambda: store._connection.read(BARE_RECORDS, values=things),
    )


def _hop_case(store: BoltStore, observer: Observer, entity: Entity) -> Case:
    things = sorted(entity.things)
    return Case(
        lambda: store.view(observer).neighbours(entity.id, first=20),
        lambda: read_bare_links(store, things, 20),
    )


def read_bare_links(store: BoltStore, things: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Read the links of some things by bare Cypher, so many of them with the records at their far ends, and count all."""
    return store._connection.read(BARE_LINKS, values=things, most=most)


def _search_case(store: BoltStore, observer: Observer, words: Sequence[str]) -> Case:
    folded = [word.lower() for word in words]
    return Case(
        lambda: store.view(observer).search(" ".join(words), first=20),
        lambda: store._connection.read(BARE_SEARCH, words=folded, longest=max(folded, key=len)),
    )


def _count_case(store: BoltStore, observer: Observer) -> Case:
    return Case(lambda: store.view(observer).counts(), lambda: store._connection.read(BARE_COUNTS))


def _compare(title: str, cases: Sequence[Case]) -> float:
    """Print what the questions take with a View and without, and return the ratio in the middle."""
    for case in cases[: len(cases) // 10]:
        case.ask()
        case.ask_bare()
    # By turns, so that what else the machine does falls on both.
    times = [(_time(case.ask), _time(case.ask_bare)) for case in cases]
    shown, bare = (sorted(column) for column in zip(*times, strict=True))
    p50, bare_p50 = float(median(shown)), float(median(bare))
    p99, bare_p99 = _last(shown), _last(bare)
    print(
        f"  {title} p50 {p50:9.2f} ms / {bare_p50:9.2f} ms = {p50 / bare_p50:5.2f}   "
        f"p99 {p99:9.2f} ms / {bare_p99:9.2f} ms = {p99 / bare_p99:5.2f}   ({len(cases)} questions)"
    )
    return p50 / bare_p50


def _last(ordered: Sequence[float]) -> float:
    """Return the 99th of a hundred."""
    return ordered[len(ordered) * 99 // 100]


def _time(question: Question) -> float:
    """Return the milliseconds that a question takes."""
    started = time.perf_counter()
    question()
    return (time.perf_counter() - started) * 1_000


@contextlib.contextmanager
def _open_store(name: str) -> Iterator[BoltStore]:
    with tempfile.TemporaryDirectory(prefix="vinculum-bench-") as folder, contextlib.ExitStack() as stack:
        if name == "embedded":
            engine = stack.enter_context(open_embedded(Path(folder)))
            where = (engine.address, embedded.USER, engine.runtime.password, embedded.DATABASE)
        else:
            server = stack.enter_context(open_server(LONG_TERM))
            where = (server.address, server.user, server.password, server.database)
        address, user, password, database = where
        with BoltStore(address, user, password, database=database, secret=SECRET) as store:
            yield store


def make_labels() -> list[Label]:
    """Return 200 labels: most for members, some for one organisation or one case alone."""
    random = Random(2)
    labels = [
        Label(
            handling=random.choice(("H0", "H0", "H1", "H2")),
            tlp=random.choice(("GREEN", "GREEN", "AMBER", "AMBER", "AMBER+STRICT")),
            owner=random.choice(("ORG-0", "ORG-0", "ORG-0", "ORG-1", "ORG-2", "ORG-9")),
            release=random.choice(((), ("ORG-0",), ("ORG-0",), ("ORG-0", "ORG-9"))),
            cases=(f"CASE-{random.randrange(4)}",),
            purposes=random.choice((*[("investigation",)] * 4, ("investigation", "protection"))),
            category=random.choice(("suspect", "victim", "other", "none")),
            review_date=f"2027-{number % 12 + 1:02}-{number // 12 + 1:02}",
        )
        for number in range(200)
    ]
    return labels


def make_records(count: int, labels: Sequence[Label]) -> Iterator[Record]:
    """Yield invented records, ten to a group: four persons, four advertisements, two phone numbers."""
    random = Random(3)
    for number in range(count):
        place = number % 10
        if place < 4:
            # The fourth of every third group tells of the first of its group again.
            told = number - 3 if place == 3 and number // 10 % 3 == 0 else number
            schema, properties = "Person", _describe_person(Random(told))
        elif place < 8:
            schema, properties = "Advertisement", _describe_advertisement(random, number)
        else:
            schema, properties = "Phone", {"number": (_phone(random, count),), "country": ("nl",)}
        yield Record(
            schema=schema,
            source=f"source-{random.randrange(20)}",
            source_key=str(number),
            label=labels[int(random.random() ** 2 * len(labels))],
            capture=f"{number // 1_000:064x}",
            sequence=number % 1_000,
            properties=dict(sorted(properties.items())),
            recorded_at=START + timedelta(seconds=number),
        )


def make_links(records: Sequence[tuple[str, str, Label]]) -> Iterator[tuple[str, str, Link]]:
    """Yield the links within and across groups, with the records that each hangs on, from (id, thing, label)."""
    random = Random(4)
    for number, (id_, thing, label) in enumerate(records):
        place = number % 10
        if place == 9:
            continue
        if place < 8:
            # To a number of the group mostly, to a few known everywhere now and then.
            busy = int(random.random() ** 4 * len(records) / 10) if random.random() < 0.2 else number // 10
            other = min(busy * 10 + 8 + random.randrange(2), len(records) - 1)
            schema = "Contact" if place < 4 else "Mentions"
        else:
            other, schema = number - random.randrange(1, 5), "Mentions"
        if other == number:
            continue
        link = Link(
            schema=schema if schema == "Contact" or place < 8 else "UnknownLink",
            source=f"source-{random.randrange(20)}",
            source_key=str(number),
            left=thing,
            right=records[other][1],
            label=label,
            capture="0" * 64,
            sequence=number % 1_000,
            properties={},
            recorded_at=START + timedelta(seconds=number),
        )
        yield id_, records[other][0], link


def make_pair(left: str, right: str) -> Pair:
    """Return a scored pair of two records that tell of one person."""
    return Pair(
        left=min(left, right),
        right=max(left, right),
        model="person-1",
        prior=-20.0,
        stop=6.0,
        keys=(BlockingKey("name and birth year", ("lastName", "birthDate"), is_equality=True),),
        evidence=(
            Evidence("name", ("firstName", "lastName"), 18.0, 16.0, "equal"),
            Evidence("birth date", ("birthDate",), 12.0, 11.0, "equal"),
        ),
        recorded_at=START,
    )


def _describe_person(random: Random) -> dict[str, tuple[str, ...]]:
    first, last = random.randrange(FIRST_NAMES), random.randrange(LAST_NAMES)
    return {
        "name": (f"First{first:03} Last{last:04}",),
        "firstName": (f"First{first:03}",),
        "lastName": (f"Last{last:04}",),
        "birthDate": (f"{random.randrange(1960, 2005)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",),
        "nationality": (random.choice(("nl", "ro", "ng", "vn", "bg")),),
        "gender": ("female",),
        "passportNumber": (f"P{random.randrange(10**8):08}",),
    }


def _describe_advertisement(random: Random, number: int) -> dict[str, tuple[str, ...]]:
    return {
        "title": (f"Offer {number}",),
        "bodyText": (f"Work abroad, well paid, ask for code{random.randrange(50_000)} this week",),
        "location": (f"Street {random.randrange(500)}, Amsterdam, NL",),
        "publishedAt": (f"2025-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",),
        "price": (str(random.randrange(50, 900)),),
        "currency": ("EUR",),
    }


def _phone(random: Random, count: int) -> str:
    # Of 2 in 10 records; each number is named by one source or two.
    return f"+316{random.randrange(count * 3 // 10):08}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was written, as much as asking needs: things, and names, by the order of writing."""

    things: list[str]
    words: list[tuple[str, str]]


def load(store: BoltStore, count: int) -> Loaded:
    """Write the store's content by bare CREATE, in batches of one schema."""
    labels = make_labels()
    ontology = default_ontology()
    connection = store._connection
    interned = [row.from_label(label) for label in labels]
    connection.write(lambda work: Writing(work, ontology).add("Label", interned))
    written: list[tuple[str, str, Label]] = []
    words: list[tuple[str, str]] = []
    records = make_records(count, labels)
    while chunk := list(islice(records, BATCH)):
        for name in sorted({record.schema for record in chunk}):
            schema = ontology[name]
            rows = [row.from_record(record, schema) for record in chunk if record.schema == name]
            _create(store, cypher.create_records(schema), rows)
        written += [(record.id, record.thing, record.label) for record in chunk]
        words += [
            (record.properties["firstName"][0], record.properties["lastName"][0])
            for record in chunk
            if record.schema == "Person"
        ]
    _create_links(store, written)
    pairs = [make_pair(written[i][0], written[i + 3][0]) for i in range(0, len(written) - 3, 30)]
    rows = [{"from": pair.left, "to": pair.right, "properties": row.from_pair(pair)} for pair in pairs]
    _create(store, cypher.create_relations("SAME_AS"), rows)
    return Loaded([thing for _, thing, _ in written], words)


def _create_links(store: BoltStore, written: Sequence[tuple[str, str, Label]]) -> None:
    links = make_links(written)
    while chunk := list(islice(links, BATCH * 4)):
        for name in sorted({link.schema for _, _, link in chunk}):
            rows = [
                {"from": left, "to": right, "properties": row.from_link(link)}
                for left, right, link in chunk
                if link.schema == name
            ]
            _create(store, cypher.create_relations(name), rows)


def _create(store: BoltStore, text: str, rows: Sequence[row.Row]) -> None:
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        store._connection.write(partial(_run, text, some))


def _run(text: str, rows: Sequence[row.Row], work: ManagedTransaction) -> None:
    work.run(text, rows=rows).consume()


if __name__ == "__main__":
    main()
