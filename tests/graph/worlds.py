"""Small random worlds, and twins of them that differ only in what one observer may not see.

A world is described apart from its records, so that a hidden value can change
without the change reaching what refers to it. Values come from tiny pools, so
that hidden and visible things share names, numbers and links: a leak needs
something near the question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from random import Random

import orjson

from api.document import (
    alert_document,
    community_document,
    entity_document,
    explanation_document,
    neighbour_document,
    page_document,
)
from graph.communities import find_communities
from graph.memory import MemoryStore
from graph.store import Batch, Store
from graph.view import View
from graph.watches import check_watches, list_alerts
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.policy import Clearance, Treatment, default_policy
from ontology.record import Link, Record
from ontology.schema import default_ontology
from ontology.watch import Watch
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record

WORDS = ("ada", "bela", "1980", "40712", "hidden")
POOLS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Person": {
        "name": ["Ada Example", "Bela Sample", "Ada Hidden"],
        "birthDate": ["1980-01-02", "1980-05-06", "1991-03-04"],
        "nationality": ["ro", "bg", "ua"],
        "notes": ["seen with Ada", "hidden remark"],
        "shelterAddress": ["Hidden Street 1, Exampletown"],
    },
    "Phone": {"number": ["+40712345678", "+40712345679"]},
    "CryptoWallet": {"publicKey": ["walletone", "wallettwo"], "tagLabel": ["Ada Shop", "Hidden Shop"]},
    "Organization": {"name": ["Ada Limited", "Hidden Limited"], "country": ["ro", "de"]},
}
LABELS = (
    make_label(),
    make_label(tlp="GREEN", category="suspect"),
    make_label(tlp="AMBER", category="suspect", owner="POLICE", cases=("A",)),
    make_label(tlp="AMBER", category="victim", owner="HOME", release=("POLICE", "LAB")),
    make_label(tlp="AMBER", category="victim", owner="HOME", release=("POLICE", "LAB"), cases=("A",)),
    make_label(tlp="RED", category="victim", owner="HOME"),
    make_label(tlp="RED", category="suspect", owner="POLICE", cases=("B",)),
    make_label(tlp="GREEN", category="witness", owner="POLICE"),
    make_label(handling="H2", category="other", owner="LAB"),
    make_label(compartments=("SECRET",)),
)  # fmt: skip
OBSERVERS = (
    make_observer("public", purpose="statistics", organisation=""),
    make_observer("ngo", organisation="HOME", purpose="protection"),
    make_observer("analyst", organisation="LAB"),
    make_observer("investigator", organisation="POLICE", cases=("A",)),
)
KEYS = (
    BlockingKey("name", ("name",), is_equality=False),
    BlockingKey("birth date", ("birthDate",), is_equality=True),
    BlockingKey("name and birth date", ("name", "birthDate"), is_equality=False),
)


@dataclass(frozen=True)
class Thing:
    """One record to be: which thing (`key`), which facet, under which label, with which values, when."""

    schema: str
    key: str
    facet: str
    label: Label
    properties: Mapping[str, tuple[str, ...]]
    minute: int


@dataclass(frozen=True)
class Bond:
    """One link to be, between two keys."""

    schema: str
    left: str
    right: str
    label: Label
    minute: int


@dataclass(frozen=True)
class Likeness:
    """One scored pair to be, between two records by their place in the world."""

    left: int
    right: int
    keys: tuple[BlockingKey, ...]
    evidence: tuple[Evidence, ...]
    minute: int


@dataclass(frozen=True)
class World:
    """Everything that a store will hold."""

    things: tuple[Thing, ...]
    bonds: tuple[Bond, ...]
    likenesses: tuple[Likeness, ...]


def make_world(random: Random) -> World:
    """Draw a world of a few things, some with versions and facets, linked and compared."""
    keys = [(str(number), random.choice(list(POOLS))) for number in range(random.randint(3, 7))]
    things = [_draw_thing(random, *random.choice(keys)) for _ in range(random.randint(3, 6))]
    things += [_draw_thing(random, key, schema) for key, schema in keys]
    bonds = [_draw_bond(random, [t.key for t in things]) for _ in range(random.randint(1, 7))]
    people = [i for i, t in enumerate(things) if t.schema in ("Person", "Organization")]
    pairs = [pair for pair in combinations(people, 2) if things[pair[0]].key != things[pair[1]].key]
    chosen = random.sample(pairs, min(len(pairs), 4))
    return World(tuple(things), tuple(bonds), tuple(_draw_likeness(random, *pair) for pair in chosen))


def make_twin(world: World, observer: Observer, random: Random) -> World:
    """Change only what the observer may not see: drop, alter and add hidden records, values, links and pairs."""
    clearance = _clearance(observer)
    bonds = [b for b in world.bonds if clearance.is_allowed(b.label) or random.random() < 0.5]
    hidden = [label for label in LABELS if not clearance.is_allowed(label)]
    things = [_alter_thing(thing, clearance, random) for thing in world.things]
    altered = [_alter_likeness(pair, world, clearance, random) for pair in world.likenesses]
    likenesses = [pair for pair in altered if pair]
    for _ in range(random.randint(1, 4) if hidden else 0):
        near = random.choice(world.things)
        things.append(replace(_draw_thing(random, near.key, near.schema), label=random.choice(hidden)))
        things.append(replace(_draw_thing(random, f"x{random.random()}", near.schema), label=random.choice(hidden)))
        bonds.append(replace(_draw_bond(random, [t.key for t in things]), label=random.choice(hidden)))
        new = replace(_draw_likeness(random, 0, 0), left=random.randrange(len(world.things)), right=len(things) - 1)
        likenesses.append(new)
    return World(tuple(things), tuple(bonds), tuple(likenesses))


def observe(world: World, observer: Observer, store: Store | None = None) -> bytes:
    """Return every answer that the observer can get of a world in an empty store, as one run of bytes."""
    store, ids = build(world) if store is None else (store, fill(world, store))
    store.put_observer(observer)
    early = store.view(observer, START + timedelta(minutes=30))
    view = store.view(observer)
    shown = [view.entity(id_) for id_ in _visible_ids(view, ids)]
    for entity in shown:
        if early.entities_of([entity.thing]):
            moment = START + timedelta(minutes=30)
            store.put_watch(Watch(observer.name, entity.thing, moment, moment))
    check_watches(store, lambda: START + timedelta(days=2))
    answers = {
        "entities": [entity_document(entity) for entity in shown],
        "neighbours": [[neighbour_document(n) for n in view.neighbours(e.id, first=100).items] for e in shown],
        "search": [page_document(view.search(word, first=2)) for word in WORDS],
        "people": page_document(view.search("ada", schema="Person", first=1)),
        "counts": view.counts(),
        "communities": [community_document(c) for c in find_communities(view)],
        "explain": [
            explanation_document(view.explain(left.records[0].id, right.records[-1].id))
            for left, right in combinations(shown[:4], 2)
        ],
        "alerts": [alert_document(alert) for alert in list_alerts(store, observer)],
        "ties": [(tie.left.id, tie.verb, tie.right.id) for tie in view.ties(shown)],
        "early": early.counts(),
    }
    return orjson.dumps(answers, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def build(world: World) -> tuple[MemoryStore, dict[str, str]]:
    """Write a world into a reference store; return it and the thing of each key."""
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=3))
    return store, fill(world, store)


def fill(world: World, store: Store) -> dict[str, str]:
    """Write a world into an empty store; return the thing of each key."""
    records = [_make_record(thing, place) for place, thing in enumerate(world.things)]
    store.write(Batch(records=records))
    by_key = {thing.key: record for thing, record in zip(world.things, records, strict=True)}
    store.write(Batch(links=[_make_link(bond, by_key) for bond in world.bonds]))
    store.write(Batch(pairs=[_make_pair(pair, records) for pair in world.likenesses]))
    return {key: record.thing for key, record in by_key.items()}


class _Sight:
    """Which labels and values an observer may have, by the policy alone."""

    def __init__(self, clearance: Clearance) -> None:
        self._clearance = clearance
        self._allowed = set(clearance.allowed)

    def is_allowed(self, label: Label) -> bool:
        """Whether the observer may have assertions under a label."""
        return label.lid in self._allowed

    def is_hidden(self, schema: str, name: str, label: Label) -> bool:
        """Whether nothing at all of a property is shown under a label."""
        field_class = default_ontology()[schema].properties[name].field_class
        return self._clearance.treatment(label.lid, field_class) in (Treatment.ABSENT, Treatment.COUNT)


def _clearance(observer: Observer) -> _Sight:
    return _Sight(default_policy().compile(observer, {label.lid: label for label in LABELS}))


def _draw_thing(random: Random, key: str, schema: str) -> Thing:
    pool = POOLS[schema]
    names = [name for name in pool if random.random() < 0.8] or [next(iter(pool))]
    properties = {name: (random.choice(list(pool[name])),) for name in names}
    facet = random.choice(["", "", "", "marked"])
    return Thing(schema, key, facet, random.choice(LABELS), properties, random.randint(0, 60))


def _draw_bond(random: Random, keys: Sequence[str]) -> Bond:
    left, right = random.choice(keys), random.choice(keys)
    return Bond(random.choice(["UnknownLink", "Contact"]), left, right, random.choice(LABELS), random.randint(0, 60))


def _draw_likeness(random: Random, left: int, right: int) -> Likeness:
    evidence = tuple(
        Evidence(name, properties, random.choice([-4.0, 3.0, 9.0]), random.choice([-2.0, 5.0, 9.0]), "drawn")
        for name, properties in (("name", ("name",)), ("birth date", ("birthDate",)), ("notes", ("notes",)))
    )
    return Likeness(left, right, tuple(random.sample(KEYS, random.randint(1, 2))), evidence, random.randint(0, 60))


def _alter_thing(thing: Thing, sight: _Sight, random: Random) -> Thing:
    """Give a hidden record other content, and a visible one other hidden values."""
    drawn = _draw_thing(random, thing.key, thing.schema).properties
    if not sight.is_allowed(thing.label):
        return replace(thing, properties=drawn)
    kept = {n: v for n, v in thing.properties.items() if not sight.is_hidden(thing.schema, n, thing.label)}
    hidden = {n: v for n, v in drawn.items() if sight.is_hidden(thing.schema, n, thing.label)}
    return replace(thing, properties=kept | hidden)


def _alter_likeness(pair: Likeness, world: World, sight: _Sight, random: Random) -> Likeness | None:
    """Change the weights and keys that lean on a value hidden in either record; drop a pair of hidden keys alone."""
    ends = [world.things[pair.left], world.things[pair.right]]

    def is_hidden(names: Sequence[str]) -> bool:
        return any(
            not sight.is_allowed(end.label) or sight.is_hidden(end.schema, name, end.label)
            for end in ends
            for name in names
            if name in default_ontology()[end.schema].properties
        )

    weights = [
        replace(e, weight=random.choice([-8.0, 20.0]), equality_weight=20.0) if is_hidden(e.properties) else e
        for e in pair.evidence
    ]
    keys = [key for key in pair.keys if not is_hidden(key.properties)]
    if not keys and random.random() < 0.5:
        return None
    keys += [key for key in KEYS if is_hidden(key.properties) and random.random() < 0.5]
    return replace(pair, evidence=tuple(weights), keys=tuple(keys))


def _make_record(thing: Thing, place: int) -> Record:
    return make_record(
        thing.schema,
        thing.key,
        label=thing.label,
        properties=thing.properties,
        minute=thing.minute,
        sequence=place,
        facet=thing.facet,
        capture=f"{place:064x}",
    )


def _make_link(bond: Bond, by_key: Mapping[str, Record]) -> Link:
    return make_link(by_key[bond.left], by_key[bond.right], bond.schema, label=bond.label, minute=bond.minute)


def _make_pair(pair: Likeness, records: Sequence[Record]) -> Pair:
    left, right = sorted((records[pair.left].id, records[pair.right].id))
    moment = START + timedelta(minutes=pair.minute)
    return Pair(left, right, "model-1", -3.0, 4.0, pair.keys, pair.evidence, moment)


def _visible_ids(view: View, things: Mapping[str, str]) -> list[str]:
    """Return the ids of the entities that are visible, in the order of the world's own keys."""
    found = view.entities_of([thing for key, thing in things.items() if not key.startswith("x")])
    return list(dict.fromkeys(found[thing].id for thing in sorted(found)))
