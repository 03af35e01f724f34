"""A twin: a world changed in nothing but what one observer may not see, near what they do see.

What may change is told by the policy and the design's laws of resolution, not
by the code that is tested: labels that are not admitted, values by what their
treatment leaves of them, weights and keys by how their properties are seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle, islice
from random import Random

from ontology.judgement import Verdict
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import BlockingKey, Evidence
from ontology.policy import Clearance, Treatment
from ontology.policy_file import default_policy
from ontology.schema import Property, default_ontology
from tests.worlds.world import (
    KEYS,
    LABELS,
    OBSERVERS,
    POOLS,
    PRIOR,
    STOP,
    Bond,
    Likeness,
    Opinion,
    Thing,
    World,
    draw_bond,
    draw_likeness,
    draw_opinion,
    draw_properties,
    draw_thing,
    keep_apart,
    make_world,
)

# Observers in the order of cases: those come twice whose tiers have one of them here, or who alone are shown so little.
_RARE = ("public", "private", "ngo", "liaison", "analyst", "investigator elsewhere", "no order")
ASKING = (*OBSERVERS, *(o for o in OBSERVERS if o.name in _RARE))
_WITHHELD = frozenset({Treatment.ABSENT, Treatment.COUNT})


class Sight:
    """What one observer may have of the labels and values of worlds, by the policy alone."""

    def __init__(self, observer: Observer) -> None:
        self.clearance: Clearance = default_policy().compile(observer, {label.lid: label for label in LABELS})
        allowed = set(self.clearance.allowed)
        self.visible = tuple(label for label in LABELS if label.lid in allowed)
        self.evenly = tuple(self._iter_evenly())
        self.hidden = tuple(label for label in LABELS if label.lid not in allowed)
        self._allowed = allowed

    def _iter_evenly(self) -> Iterator[Label]:
        """Yield visible labels so that those under which the observer sees the same come as often as any others."""
        alike: defaultdict[tuple[object, ...], list[Label]] = defaultdict(list)
        classes = default_policy().classes
        for label in self.visible:
            alike[tuple(self.clearance.rule(label.lid, name) for name in classes)].append(label)
        most = max(map(len, alike.values()), default=0)
        for labels in alike.values():
            yield from islice(cycle(labels), most)

    def is_allowed(self, label: Label) -> bool:
        """Whether the observer may have assertions under a label."""
        return label.lid in self._allowed

    def image(self, schema: str, name: str, label: Label, value: str) -> str | None:
        """Return what is left of a value once it is treated, None when nothing is."""
        prop = default_ontology()[schema].properties.get(name)
        rule = self.clearance.rule(label.lid, prop.field_class) if prop else None
        if prop is None or rule is None or rule.treatment in _WITHHELD:
            return None
        if rule.treatment is Treatment.MASK:
            return prop.type.mask(value)
        if rule.treatment is Treatment.GENERALISE:
            return _coarsen(prop, rule.grain, value)
        return value

    def holds(self, opinion: Opinion) -> bool:
        """Whether a judgement counts for the observer: whether they may have all that it was made on."""
        return all(map(self.is_allowed, opinion.grounds))

    def reads_notes(self, labels: Iterable[Label]) -> bool:
        """Whether the observer may read notes under all of some labels."""
        return all(self.clearance.treatment(label.lid, "notes") is Treatment.CLEAR for label in labels)

    def seen(self, thing: Thing, names: Iterable[str]) -> Treatment:
        """Return the one treatment that all these properties of a record have, ABSENT when hidden or different."""
        if not self.is_allowed(thing.label):
            return Treatment.ABSENT
        properties = default_ontology()[thing.schema].properties
        found = {
            self.clearance.treatment(thing.label.lid, properties[name].field_class)
            for name in names
            if name in properties
        }
        return found.pop() if len(found) == 1 else Treatment.ABSENT


@cache
def sight_of(observer: Observer) -> Sight:
    """Return what an observer may have."""
    return Sight(observer)


def draw_pair(seed: int) -> tuple[Observer, World, World]:
    """Draw an observer, a world and a twin of it that differs in what the observer may not see."""
    observer = ASKING[seed % len(ASKING)]
    world = make_world(Random(seed), sight_of(observer).evenly)
    return observer, world, make_twin(world, observer, Random(f"{seed} twin"))


def make_twin(world: World, observer: Observer, random: Random) -> World:
    """Change only what the observer may not see: drop, alter and add hidden records, values, links, pairs, opinions."""
    sight = sight_of(observer)
    things = [_alter_thing(thing, sight, random) for thing in world.things]
    bonds = [_alter_bond(bond, sight, random) for bond in world.bonds]
    likenesses = [pair for found in world.likenesses if (pair := _alter_likeness(found, world, sight, random))]
    opinions = [o for found in world.opinions if (o := _alter_opinion(found, sight, random))]
    for _ in range(random.randint(1, 3) if sight.hidden else 0):
        near = random.choice(list(world.keys))
        schema = world.keys[near]
        label = random.choice(sight.hidden)
        # A hidden version of something visible, something hidden beside it, and what ties both to it.
        things.append(replace(draw_thing(random, near, schema, label), minute=random.randint(0, 90)))
        things.append(draw_thing(random, f"x{random.randrange(1000)}", schema, label))
        bonds.append(draw_bond(random, [near, *(t.key for t in things[-2:]), *world.keys], random.choice(sight.hidden)))
        opinions.append(_draw_hidden_opinion(world, random.choice(sight.hidden), random))
        left = random.randrange(len(world.things))
        if world.things[left].key != things[-1].key:
            likenesses.append(replace(draw_likeness(random, left, len(things) - 1), minute=0))
    # In which order they came is told by their moments alone.
    opinions = keep_apart(sorted(opinions, key=lambda opinion: not sight.holds(opinion)))
    random.shuffle(opinions)
    return World(world.keys, tuple(things), tuple(bonds), tuple(likenesses), tuple(opinions))


def _alter_thing(thing: Thing, sight: Sight, random: Random) -> Thing:
    """Drop a hidden record or give it other content; give a visible one other hidden values."""
    pool = _pool_of(thing)
    drawn = draw_properties(random, pool)
    extra = {"said": random.choice(("this", "that", "more"))}
    if not sight.is_allowed(thing.label):
        return replace(thing, properties=drawn, extra=extra, is_there=random.random() < 0.7)
    kept: dict[str, tuple[str, ...]] = {}
    for name, values in thing.properties.items():
        altered = tuple(_alter_value(thing, name, value, sight, random) for value in values)
        images = {sight.image(thing.schema, name, thing.label, value) for value in values}
        if images != {None}:
            kept[name] = altered
        elif random.random() < 0.7:
            kept[name] = drawn.get(name, altered)
    added = {
        name: values
        for name, values in drawn.items()
        if name not in thing.properties and _is_all_hidden(thing, name, values, sight) and random.random() < 0.5
    }
    # The fingerprint of a file is of all that is in it.
    is_raw_clear = sight.clearance.treatment(thing.label.lid, "raw") is Treatment.CLEAR
    return replace(thing, properties=kept | added, extra=extra, delivery=0 if is_raw_clear else random.randrange(3))


def _is_all_hidden(thing: Thing, name: str, values: Sequence[str], sight: Sight) -> bool:
    return all(sight.image(thing.schema, name, thing.label, value) is None for value in values)


def _alter_value(thing: Thing, name: str, value: str, sight: Sight, random: Random) -> str:
    """Return another value that looks the same to the observer, or the value itself."""
    image = sight.image(thing.schema, name, thing.label, value)
    pool = POOLS[_pool_of(thing)][name]
    alike = [other for other in pool if sight.image(thing.schema, name, thing.label, other) == image]
    return random.choice(alike or [value])


def _pool_of(thing: Thing) -> str:
    return thing.schema if thing.schema in POOLS else {"Company": "Organization", "LegalEntity": "Person"}[thing.schema]


def _alter_bond(bond: Bond, sight: Sight, random: Random) -> Bond:
    if sight.is_allowed(bond.label):
        prop = default_ontology()[bond.schema].properties["summary"]
        if sight.clearance.treatment(bond.label.lid, prop.field_class) in _WITHHELD:
            return replace(bond, properties={**bond.properties, "summary": (random.choice(("this", "that")),)})
        return bond
    return replace(bond, minute=random.randint(0, 60), is_there=random.random() < 0.5)


def _alter_opinion(opinion: Opinion, sight: Sight, random: Random) -> Opinion | None:
    if sight.holds(opinion):
        # Who may not read the notes of something does not read the reason of a judgement made on it.
        if sight.reads_notes(opinion.grounds):
            return opinion
        return replace(opinion, reason=random.choice(("this", "that")))
    return replace(opinion, verdict=random.choice(list(Verdict))) if random.random() < 0.5 else None


def _draw_hidden_opinion(world: World, ground: Label, random: Random) -> Opinion:
    """Draw a judgement that the observer may not have, often on what somebody judged at the same instant."""
    drawn = draw_opinion(random, list(world.keys), ground, [thing.label for thing in world.things])
    beside = random.choice(world.opinions) if world.opinions and random.random() < 0.5 else drawn
    return replace(drawn, left=beside.left, right=beside.right, minute=beside.minute)


def _alter_likeness(pair: Likeness, world: World, sight: Sight, random: Random) -> Likeness | None:
    """Change the weights and keys that the observer could not compute; drop a pair that they could not have proposed."""
    ends = (world.things[pair.left], world.things[pair.right])
    evidence = tuple(_alter_evidence(e, _seen_alike(ends, e.properties, sight), random) for e in pair.evidence)
    kept = tuple(key for key in pair.keys if _can_propose(key, ends, sight))
    hidden = tuple(key for key in KEYS if not _can_propose(key, ends, sight) and random.random() < 0.5)
    if (not kept or _most(pair, ends, sight) < STOP) and random.random() < 0.5:
        return None
    if not (kept or hidden):
        hidden = tuple(key for key in pair.keys if key not in kept)
    return replace(pair, keys=(*kept, *hidden), evidence=evidence)


def _seen_alike(ends: Sequence[Thing], names: Sequence[str], sight: Sight) -> Treatment:
    left, right = (sight.seen(end, names) for end in ends)
    return left if left is right else Treatment.ABSENT


def _can_propose(key: BlockingKey, ends: Sequence[Thing], sight: Sight) -> bool:
    seen = _seen_alike(ends, key.properties, sight)
    return seen is Treatment.CLEAR or (seen is Treatment.PSEUDONYM and key.is_equality)


def _alter_evidence(evidence: Evidence, seen: Treatment, random: Random) -> Evidence:
    if seen is Treatment.CLEAR:
        return evidence
    other = replace(evidence, weight=random.choice((-8.0, 20.0)), level=random.choice(("one", "two")))
    if seen is Treatment.PSEUDONYM:
        return other
    return replace(other, equality_weight=random.choice((-8.0, 20.0)))


def _most(pair: Likeness, ends: Sequence[Thing], sight: Sight) -> float:
    """Return the most that the visible comparisons of a pair could add up to."""
    total = PRIOR
    for evidence in pair.evidence:
        seen = _seen_alike(ends, evidence.properties, sight)
        if seen is Treatment.CLEAR:
            total += max(evidence.weight, 0.0)
        elif seen is Treatment.PSEUDONYM:
            total += max(evidence.equality_weight, 0.0)
    return total


def _coarsen(prop: Property, grain: str | None, value: str) -> str | None:
    return prop.type.grains.get(grain or "", prop.type.generalise)(value)
