"""A world: everything that a small store will hold, described apart from its records.

So a hidden value can change without the change reaching what refers to it.
Values come from tiny pools, so that hidden and visible things share names,
numbers and links: a leak needs something near the question.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from random import Random
from typing import Any

from graph.memory import MemoryStore
from graph.store import Batch, Store
from ontology.judgement import Judgement, Verdict, judge
from ontology.label import PURPOSES, Label
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.record import Link, Record, make_thing
from tests.factory import CAPTURE, SECRET, START, make_label, make_observer, make_record

SOURCE = "src"
NOW = START + timedelta(days=3)

# Each pool holds values that look the same once they are masked or generalised, and values that do not.
POOLS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Person": {
        "name": ["Ada Example", "Bela Sample", "Ada Hidden"],
        "birthDate": ["1980-01-02", "1980-05-06", "1985-03-04", "1991-03-04"],
        "nationality": ["ro", "bg", "ua"],
        "exploitationType": ["labour", "sexual"],
        "exploitationPlace": ["Dock 1, Hamburg, Germany", "Yard 2, Bremen, Germany", "Lane 3, Lyon, France"],
        "notes": ["seen with Ada", "hidden remark"],
        "phone": ["+40712345678", "+40712345679", "+359881234567"],
        "address": ["Row 1, Hamburg, Germany", "Row 2, Bremen, Germany", "Row 3, Lyon, France"],
        "shelterAddress": ["Hidden Street 1, Hamburg, Germany", "Hidden Street 2, Hamburg, Germany"],
        "ethnicity": ["one", "other"],
        "deathDate": ["2026-01-05T10:00:00Z", "2026-01-05T12:00:00Z", "2026-01-07", "2026-01-20", "2026-02-03"],
    },
    "Phone": {"number": ["+40712345678", "+40712345679"], "firstSeen": ["2026-01-05", "2026-01-06", "2026-02-07"]},
    "CryptoWallet": {
        "publicKey": ["walletone", "wallettwo"],
        "currency": ["BTC", "ETH"],
        "tagLabel": ["Ada Shop", "Hidden Shop"],
        "balance": ["1", "2"],
    },
    "Organization": {"name": ["Ada Limited", "Hidden Limited"], "country": ["ro", "de"]},
    "Advertisement": {
        "title": ["Ada works", "Hidden works"],
        "bodyText": ["call +40 712 345 678 now", "call +40 712 345 679 now", "hidden offer"],
        "price": ["100", "200"],
        "publishedAt": ["2026-01-05", "2026-01-06", "2026-01-21", "2026-03-01"],
        "location": ["Hamburg, Germany", "Bremen, Germany", "Lyon, France"],
        "language": ["de", "en"],
        "notes": ["ask Ada", "hidden hint"],
    },
}
# What may stand in for a schema in another facet of the same thing.
OTHER_SCHEMATA = {"Organization": "Company", "Person": "LegalEntity"}
JUDGES = ("somebody", "another")
WORDS = ("ada", "bela", "1980", "40712", "hidden", "hamburg", "walletone")


def _label(**parts: Any) -> Label:
    return make_label(purposes=tuple(sorted(PURPOSES)), **parts)


LABELS = (
    _label(),
    _label(category="victim"),
    _label(category="suspect", tlp="GREEN"),
    _label(category="suspect", tlp="GREEN", owner="POLICE", cases=("A",)),
    _label(category="convicted", tlp="GREEN", owner="BANK", release=("ABROAD",)),
    _label(category="other", tlp="GREEN", owner="HOME"),
    _label(category="victim", tlp="GREEN", owner="HOME", cases=("A",)),
    _label(category="victim", tlp="GREEN", owner="HOME", release=("ABROAD",)),
    _label(category="witness", tlp="GREEN", owner="POLICE", cases=("A",)),
    _label(category="witness", tlp="GREEN", owner="POLICE", cases=("A",), compartments=("TEAM",)),
    _label(category="suspect", tlp="AMBER", owner="POLICE", cases=("A",)),
    _label(category="victim", tlp="AMBER", owner="HOME", release=("POLICE", "LAB")),
    _label(category="victim", tlp="AMBER", owner="HOME", release=("POLICE", "LAB", "COURT"), cases=("A",)),
    _label(category="victim", tlp="RED", owner="HOME"),
    _label(category="suspect", tlp="RED", owner="POLICE", cases=("B",)),
    _label(category="none", tlp="AMBER", owner="LAB", cases=("B",)),
    _label(category="other", handling="H2", owner="LAB"),
    _label(compartments=("SECRET",)),
    _label(category="witness", tlp="GREEN", owner="LAB", compartments=("TEAM",)),
    _label(category="victim", cases=("A",)),
    _label(category="none", tlp="GREEN", owner="BANK"),
    _label(category="other", tlp="GREEN", owner="BANK"),
    _label(category="victim", tlp="GREEN", owner="BANK"),
    make_label(category="suspect", owner="BANK", purposes=("prevention",)),
    _label(category="suspect", tlp="GREEN", owner="POLICE", release=("ABROAD",)),
    _label(category="witness", tlp="GREEN", owner="HOME", compartments=("TEAM",)),
    _label(category="witness", tlp="GREEN", owner="ABROAD", compartments=("TEAM",)),
    _label(category="witness", tlp="GREEN", owner="BANK", compartments=("TEAM",)),
    _label(category="witness", tlp="GREEN", owner="COURT", compartments=("TEAM",)),
    _label(category="witness", tlp="GREEN", owner="COURT", cases=("A",)),
)  # fmt: skip
OBSERVERS = (
    make_observer("public", organisation="", purpose="statistics"),
    make_observer("private", organisation="BANK", purpose="prevention", compartments=("TEAM",)),
    make_observer("ngo", organisation="HOME", purpose="protection", compartments=("TEAM",)),
    make_observer("ngo", organisation="OTHER", purpose="protection", name="ngo elsewhere"),
    make_observer("liaison", organisation="ABROAD", compartments=("TEAM",)),
    make_observer("analyst", organisation="LAB", compartments=("TEAM",)),
    make_observer("investigator", organisation="POLICE", cases=("A",)),
    make_observer("investigator", organisation="POLICE", cases=("A", "B"), compartments=("TEAM",), name="source team"),
    make_observer("investigator", organisation="LAB", orders=("A",), name="investigator elsewhere"),
    make_observer("magistrate", organisation="COURT", purpose="prosecution", cases=("A",), orders=("A",)),
    make_observer(
        "magistrate", organisation="COURT", purpose="prosecution", cases=("A",), compartments=("TEAM",), name="no order"
    ),
    make_observer("auditor", organisation="OVERSIGHT", purpose="statistics"),
    make_observer("operator", organisation="ADMIN", purpose="statistics"),
)  # fmt: skip
KEYS = (
    BlockingKey("name", ("name",), is_equality=False),
    BlockingKey("birth date", ("birthDate",), is_equality=True),
    BlockingKey("whole name", ("name",), is_equality=True),
    BlockingKey("name and birth date", ("name", "birthDate"), is_equality=False),
)
PRIOR, STOP = -3.0, 4.0


@dataclass(frozen=True, slots=True)
class Thing:
    """One record to be: of which thing (`key`), which facet, under which label, with which values, when.

    `is_there` False keeps its place and leaves the record out; `delivery` tells apart captures that brought it.
    """

    schema: str
    key: str
    facet: str
    label: Label
    properties: Mapping[str, tuple[str, ...]]
    extra: Mapping[str, str]
    minute: int
    is_there: bool = True
    delivery: int = 0


@dataclass(frozen=True, slots=True)
class Bond:
    """One link to be, between two keys, of which there may be no record; `is_there` as in a thing."""

    schema: str
    left: str
    right: str
    label: Label
    properties: Mapping[str, tuple[str, ...]]
    minute: int
    is_there: bool = True


@dataclass(frozen=True, slots=True)
class Likeness:
    """One scored pair to be, between two records by their place in the world."""

    left: int
    right: int
    keys: tuple[BlockingKey, ...]
    evidence: tuple[Evidence, ...]
    minute: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """One judgement to be, on two keys, by somebody who judged on what has the labels of its `grounds`."""

    left: str
    right: str
    verdict: Verdict
    by: str
    reason: str
    label: Label
    grounds: tuple[Label, ...]
    minute: int


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a store will hold; `keys` are those that questions name, and their schemata."""

    keys: Mapping[str, str]
    things: tuple[Thing, ...]
    bonds: tuple[Bond, ...]
    likenesses: tuple[Likeness, ...]
    opinions: tuple[Opinion, ...]


def make_world(random: Random, favoured: Sequence[Label] = ()) -> World:
    """Draw a world of a few things, some with versions and facets, linked, compared and judged.

    Half of its records and links have favoured labels, where there are any: those that somebody may have.
    """

    def draw_label() -> Label:
        return random.choice(favoured) if favoured and random.random() < 0.5 else random.choice(LABELS)

    keys = {str(number): random.choice(list(POOLS)) for number in range(random.randint(3, 6))}
    versions = random.choices(list(keys), k=random.randint(2, 5))
    things = [draw_thing(random, key, keys[key], draw_label()) for key in (*versions, *keys)]
    bonds = [draw_bond(random, list(keys), draw_label()) for _ in range(random.randint(1, 6))]
    people = [i for i, t in enumerate(things) if t.schema in ("Person", "Organization")]
    pairs = [pair for pair in combinations(people, 2) if things[pair[0]].key != things[pair[1]].key]
    chosen = random.sample(pairs, min(len(pairs), 3))
    labels = [thing.label for thing in things]
    opinions = [draw_opinion(random, list(keys), draw_label(), labels) for _ in range(random.choice((0, 0, 1, 2)))]
    likenesses = [draw_likeness(random, *pair) for pair in chosen]
    return World(keys, tuple(things), tuple(bonds), tuple(likenesses), tuple(keep_apart(opinions)))


def draw_thing(random: Random, key: str, schema: str, label: Label | None = None) -> Thing:
    """Draw a record of a thing."""
    other = OTHER_SCHEMATA.get(schema)
    return Thing(
        schema=other if other and random.random() < 0.25 else schema,
        key=key,
        facet=random.choice(("", "", "", "marked")),
        label=label or random.choice(LABELS),
        properties=draw_properties(random, schema),
        extra={"said": random.choice(("this", "that"))},
        minute=random.randint(0, 60),
    )


def draw_properties(random: Random, schema: str) -> dict[str, tuple[str, ...]]:
    """Draw some properties of a schema, mostly with one value."""
    pool = POOLS[schema]
    names = [name for name in pool if random.random() < 0.7] or [next(iter(pool))]
    return {name: tuple(random.sample(list(pool[name]), random.choice((1, 1, 1, 2)))) for name in names}


def draw_bond(random: Random, keys: Sequence[str], label: Label | None = None) -> Bond:
    """Draw a link between two things."""
    properties = {"summary": (random.choice(("hidden why", "why")),), "startDate": ("2026-01-05",)}
    schema = random.choice(("UnknownLink", "Contact"))
    minute = random.randint(0, 60)
    return Bond(schema, random.choice(keys), random.choice(keys), label or random.choice(LABELS), properties, minute)


def draw_likeness(random: Random, left: int, right: int) -> Likeness:
    """Draw a scored pair of two records."""
    evidence = tuple(
        Evidence(name, properties, random.choice((-4.0, 3.0, 9.0)), random.choice((-2.0, 5.0, 9.0)), "drawn")
        for name, properties in (("name", ("name",)), ("birth date", ("birthDate",)), ("notes", ("notes",)))
    )
    return Likeness(left, right, tuple(random.sample(KEYS, random.randint(1, 2))), evidence, random.randint(0, 60))


def draw_opinion(random: Random, keys: Sequence[str], label: Label, labels: Sequence[Label]) -> Opinion:
    """Draw a judgement on two things, made on what has a label and maybe another; many are of one instant."""
    left, right = random.sample(list(keys), 2)
    others = random.choices(labels, k=random.choice((0, 0, 1)))
    return Opinion(
        left,
        right,
        verdict=random.choice(list(Verdict)),
        by=random.choice(JUDGES),
        reason=random.choice(("hidden reason", "plain")),
        label=random.choice((label, label, *others)),
        grounds=(label, *others),
        minute=random.choice((20, 40)),
    )


def keep_apart(opinions: Iterable[Opinion]) -> list[Opinion]:
    """Keep the first of opinions that differ in nothing but reason and grounds: nobody says the same twice at once."""
    first: dict[object, Opinion] = {}
    for o in opinions:
        first.setdefault((frozenset((o.left, o.right)), o.verdict, o.by, o.label, o.minute), o)
    return list(first.values())


def thing_of(key: str) -> str:
    """Return the thing that a world calls by a key."""
    return make_thing(SOURCE, key)


def build(world: World) -> MemoryStore:
    """Write a world into a new reference store."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    fill(world, store)
    return store


def fill(world: World, store: Store) -> None:
    """Write a world into an empty store."""
    records = [_make_record(thing, place) for place, thing in enumerate(world.things)]
    store.write(
        Batch(
            records=[record for record, thing in zip(records, world.things, strict=True) if thing.is_there],
            links=[_make_link(bond, place) for place, bond in enumerate(world.bonds) if bond.is_there],
            pairs=[
                _make_pair(pair, records)
                for pair in world.likenesses
                if world.things[pair.left].is_there and world.things[pair.right].is_there
            ],
            judgements=[
                made
                for opinion in world.opinions
                for made in (_make_judgement(opinion), *iter_meetings(opinion.grounds))
            ],
        )
    )


def _make_record(thing: Thing, place: int) -> Record:
    return Record(
        schema=thing.schema,
        source=SOURCE,
        source_key=thing.key,
        label=thing.label,
        capture=f"{thing.delivery:032x}{place:032x}",
        sequence=place,
        properties=thing.properties,
        recorded_at=START + timedelta(minutes=thing.minute),
        facet=thing.facet,
        extra=thing.extra,
    )


def _make_link(bond: Bond, place: int) -> Link:
    return Link(
        schema=bond.schema,
        source=SOURCE,
        source_key="",
        left=thing_of(bond.left),
        right=thing_of(bond.right),
        label=bond.label,
        capture=CAPTURE,
        sequence=place,
        properties=bond.properties,
        recorded_at=START + timedelta(minutes=bond.minute),
    )


def _make_pair(pair: Likeness, records: Sequence[Record]) -> Pair:
    left, right = sorted((records[pair.left].id, records[pair.right].id))
    moment = START + timedelta(minutes=pair.minute)
    return Pair(left, right, "model-1", PRIOR, STOP, pair.keys, pair.evidence, moment)


def _make_judgement(opinion: Opinion) -> Judgement:
    return judge(
        (thing_of(opinion.left), thing_of(opinion.right)),
        opinion.verdict,
        by=opinion.by,
        reason=opinion.reason,
        label=opinion.label,
        recorded_at=START + timedelta(minutes=opinion.minute),
        grounds=[label.lid for label in opinion.grounds],
    )


def iter_meetings(labels: Iterable[Label]) -> Iterator[Judgement]:
    """Yield judgements on nothing that there is, by which a store meets labels: one that it never met hides."""
    for label in labels:
        things = (thing_of("never there"), thing_of("nor here"))
        yield judge(things, Verdict.UNSURE, by="", reason="", label=label, recorded_at=START)


def low_record(key: str) -> Record:
    """Return a record that anybody could import."""
    return make_record("Person", key, label=LABELS[0], properties={"name": ["Newly Seen"]}, minute=90)
