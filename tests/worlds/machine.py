"""A state machine over two stores: what an observer may see is done to both, what they may not see to each apart.

Whatever the order in which things are imported, judged, relabelled, watched,
granted, revoked and read, the observer gets the same bytes from both. What is
low (seen under any of the rights that the observer has in turn) goes to both
stores with other hidden values in each; what is high goes to one of them, or
to each something else, dated now or back. A third store, which never held
anything but what is low as it is labelled now, must answer the same as well:
so nothing stays behind of what a relabelling hid.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import ClassVar, Generic, TypeVar, cast

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from graph.handle import Handles
from graph.judgements import add_judgement, withdraw_all
from graph.memory import MemoryStore
from graph.relabellings import approve_relabelling, list_open_relabellings, propose_relabelling
from graph.shown import Provenance
from graph.store import Batch
from graph.view import View
from graph.watches import add_watch, check_watches, list_alerts
from ontology.errors import VinculumError
from ontology.judgement import Judgement, Verdict, judge
from ontology.label import Label
from ontology.observer import Observer
from ontology.pair import Pair
from ontology.policy import Right, Treatment
from ontology.policy_file import default_policy
from ontology.record import Link, Record
from ontology.relabelling import Relabelling, is_stricter
from ontology.watch import Watch
from tests.factory import SECRET, START
from tests.worlds.questions import iter_answers, plain
from tests.worlds.twin import ASKING, Sight, sight_of
from tests.worlds.world import (
    JUDGES,
    LABELS,
    OBSERVERS,
    POOLS,
    PRIOR,
    SOURCE,
    STOP,
    WORDS,
    Bond,
    Likeness,
    Thing,
    World,
    draw_bond,
    draw_likeness,
    draw_properties,
    draw_thing,
    iter_meetings,
    thing_of,
)

STEPS = "steps"
ANSWERS = "answers"
APART = "steps with a hidden difference"
HIDDEN_KEYS = ("x1", "x2")
SEEDS = st.integers(min_value=0, max_value=2**32 - 1)

Description = TypeVar("Description", Thing, Bond)
Assertion = TypeVar("Assertion", Record, Link)
Question = Callable[[View, "Asked", Random], object]

_LABEL_OF = {label.lid: label for label in LABELS}
_SEEN = (Treatment.CLEAR, Treatment.PSEUDONYM)


class Leak(AssertionError):
    """Two stores that are the same to an observer answered differently, or one remembered what was hidden."""


@dataclass(slots=True)
class Held(Generic[Description, Assertion]):
    """A low record or link: how it is described for each store, and as it stands there, under one label.

    `former` is how it stood before each relabelling.
    """

    described: tuple[Description, Description]
    said: tuple[Assertion, Assertion]
    former: list[tuple[Assertion, Assertion]] = field(default_factory=list)

    @property
    def label(self) -> Label:
        """The label in force."""
        return self.said[0].label

    @property
    def thing(self) -> str:
        """What it is said of, the left end of a link."""
        return _thing_of(self.said[0])

    def relabel(self, label: Label) -> None:
        """Put it under another label."""
        one, other = self.described
        self.described = (replace(one, label=label), replace(other, label=label))
        mine, theirs = self.said
        self.former.append(self.said)
        self.said = (replace(mine, label=label), replace(theirs, label=label))


HeldRecord = Held[Thing, Record]
HeldLink = Held[Bond, Link]


@dataclass(frozen=True, slots=True)
class HeldPair:
    """A scored pair of two low records; None for a store that does not have it."""

    ends: tuple[HeldRecord, HeldRecord]
    likenesses: tuple[Likeness | None, Likeness | None]
    moment: datetime

    def in_store(self, index: int) -> Pair | None:
        """Return the pair as one store has it."""
        likeness = self.likenesses[index]
        ends = (self.ends[0].said[index], self.ends[1].said[index])
        return _make_pair(ends, likeness, self.moment) if likeness else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What questions are about: the ids, under the observer's organisation, of everything that has a name."""

    ids: Sequence[str]
    things: Sequence[str]


class Eyes:
    """What an observer may have under any of the rights that they have in turn, by the policy alone."""

    def __init__(self, forms: Sequence[Observer]) -> None:
        self._forms = forms
        self._sights = [sight_of(form) for form in forms]
        self.low = tuple(label for label in LABELS if self.is_low(label))
        self.high = tuple(label for label in LABELS if not self.is_low(label))

    def is_low(self, label: Label) -> bool:
        """Whether the observer may at any time have assertions under a label."""
        return any(sight.is_allowed(label) for sight in self._sights)

    def images(self, said: Thing | Bond) -> list[dict[str, tuple[str, ...]]]:
        """Return what is left of the values of a record or link under each of the rights."""
        return [
            {name: image for name, values in said.properties.items() if (image := _images(form, said, name, values))}
            for form, sight in zip(self._forms, self._sights, strict=True)
            if sight.is_allowed(said.label)
        ]

    def likeness(self, ends: Sequence[Thing], likeness: Likeness | None) -> list[object]:
        """Return what is left of a scored pair under each of the rights."""
        return [_likeness_image(sight, ends, likeness) if likeness else None for sight in self._sights]

    def alter(self, said: Description, pool: Mapping[str, Sequence[str]], random: Random) -> Description:
        """Return other values that look the same to the observer."""
        kept = {
            name: tuple(self._alter_value(said, name, value, pool, random) for value in values)
            for name, values in said.properties.items()
            if not self._is_withheld(said, name, values) or random.random() < 0.7
        }
        return replace(said, properties=kept)

    def add_withheld(self, thing: Thing, schema: str, random: Random) -> Thing:
        """Return a record with more values that the observer may not have."""
        added = {
            name: values
            for name, values in draw_properties(random, schema).items()
            if name not in thing.properties and self._is_withheld(thing, name, values)
        }
        return replace(thing, properties={**thing.properties, **added}, extra={"said": random.choice(("this", "that"))})

    def reads_notes(self, labels: Sequence[Label]) -> bool:
        """Whether the observer may at any time read notes under all of some labels."""
        return any(sight.reads_notes(labels) for sight in self._sights)

    def _is_withheld(self, said: Thing | Bond, name: str, values: Sequence[str]) -> bool:
        return not any(_images(form, said, name, values) for form in self._forms)

    def _alter_value(
        self, said: Thing | Bond, name: str, value: str, pool: Mapping[str, Sequence[str]], random: Random
    ) -> str:
        seen = self._image(said, name, value)
        return random.choice([other for other in pool.get(name, (value,)) if self._image(said, name, other) == seen])

    def _image(self, said: Thing | Bond, name: str, value: str) -> list[str | None]:
        return [_image(form, said.schema, name, said.label.lid, value) for form in self._forms]


def _iter_judging(asker: Observer, eyes: Eyes) -> Iterator[tuple[Observer, Sequence[Label]]]:
    """Yield others who may judge, and the labels of what they may have and the asker may not."""
    for other in OBSERVERS:
        labels = [label for label in sight_of(other).visible if label in eyes.high]
        if other.name != asker.name and labels and default_policy().has_right(other, Right.JUDGE):
            yield other, labels


def name_run(steps: int) -> str:
    """Return how whole runs of so many steps are counted."""
    return f"runs of {steps} steps"


def forms_of(observer: Observer) -> tuple[Observer, ...]:
    """Return rights that an observer may have in turn: theirs, without what they need to know, and anybody's."""
    fewer = replace(observer, cases=(), orders=(), compartments=())
    return tuple(dict.fromkeys((observer, fewer, replace(observer, tier="public", purpose="statistics"))))


class TwoStores(RuleBasedStateMachine):
    """Two stores that differ in what is high alone. `counts` is the class's: a run adds to it."""

    counts: ClassVar[Counter[str]] = Counter()

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        """Draw who asks, with which rights in turn, and what the first records are."""
        random = Random(f"{seed} begin")
        self.steps = 0
        self.failed = False
        self.now = START
        self.is_apart = False
        self.most = random.choice(ASKING)
        self.forms = forms_of(self.most)[: random.randint(1, 3)]
        self.rights: Observer | None = self.most
        self.eyes = Eyes(self.forms)
        self.judging = [*_iter_judging(self.most, self.eyes)]
        self.keys = {str(number): random.choice(list(POOLS)) for number in range(random.randint(3, 5))}
        self.stores = (self._open(), self._open())
        self.records: list[HeldRecord] = []
        self.links: list[HeldLink] = []
        self.pairs: list[HeldPair] = []
        self.judgements: list[Judgement] = []
        self.proposals: dict[datetime, tuple[HeldRecord | HeldLink, Label]] = {}
        self.hidden: tuple[list[Record], list[Record]] = ([], [])
        self.remembered: dict[tuple[Observer, datetime, str, int], bytes] = {}
        things = [*map(thing_of, (*self.keys, *HIDDEN_KEYS, "nowhere"))]
        handles = Handles(SECRET, self.most.organisation)
        self.asked = Asked([handles.seal("entity", thing) for thing in things], things)
        for store in self.stores:
            store.put_observer(self.most)
        self._import_low(random, 5)
        self._import_high(random)

    @rule(seed=SEEDS)
    def import_low(self, seed: int) -> None:
        """Import a few records, links and scored pairs, with other hidden values in each store."""
        self._import_low(self._step("import_low", seed), 3)

    @rule(seed=SEEDS)
    def import_again(self, seed: int) -> None:
        """Import again what was imported before, in the handling that it came with, or any that it had since."""
        random = self._step("import_again", seed)
        records = [random.choice((held.said, *held.former)) for held in _some(self.records, random)]
        links = [random.choice((held.said, *held.former)) for held in _some(self.links, random)]
        self._write(records, links, _some(self.pairs, random))

    @rule(seed=SEEDS)
    def judge_low(self, seed: int) -> None:
        """Keep visible judgements of others on two things, made at one instant and delivered in any order."""
        random = self._step("judge_low", seed)
        if not self.eyes.low:
            return
        things = self._draw_things(random)
        made: tuple[list[Judgement], list[Judgement]] = ([], [])
        for by in random.sample(JUDGES, random.choice((1, 1, 2))):
            grounds = [random.choice(self.eyes.low), *self._draw_grounds(random)]
            judged = replace(self._draw_judgement(random, things, grounds, "plain"), by=by)
            other = judged if self.eyes.reads_notes(grounds) else replace(judged, reason="hidden reason")
            made[0].append(judged)
            made[1].insert(0, other)
        self.judgements += made[0]
        self._same(
            "judge", [store.write(Batch(judgements=some)) for store, some in zip(self.stores, made, strict=True)]
        )
        self._check_both()

    @precondition(lambda self: self._may(Right.JUDGE))
    @rule(seed=SEEDS)
    def judge(self, seed: int) -> None:
        """Judge as the observer."""
        random = self._step("judge", seed)
        left, right = random.sample(self.asked.ids, 2)
        verdict = random.choice(list(Verdict))
        made = self._both(
            "judge", lambda store: add_judgement(store, self._who, (left, right), verdict, "because", self.now)
        )
        if made:
            # Earlier ones of the observer's, as far as they see them, are withdrawn for whomever they sway.
            ends, allowed = (made[0].left, made[0].right), {label.lid for label in sight_of(self._who).visible}
            earlier = [
                judged
                for judged in self.judgements
                if (judged.left, judged.right) == ends
                and (judged.by, judged.label.owner) == (self._who.name, self._who.organisation)
                and allowed.issuperset(judged.grounds)
            ]
            self.judgements += [*withdraw_all(earlier, made[0]), made[0]]
        self._check_both()

    @precondition(lambda self: self.judging)
    @rule(seed=SEEDS)
    def judge_elsewhere(self, seed: int) -> None:
        """Judge, in one store or in each otherwise, as somebody who sees something there that the observer does not."""
        random = self._step("judge_elsewhere", seed)
        for index in self._draw_stores(random):
            colleagues = [one for one in self.judging if one[0].organisation == self.most.organisation]
            judge, labels = random.choice(colleagues if colleagues and random.random() < 0.7 else self.judging)
            store = self.stores[index]
            thing = draw_thing(random, key := random.choice(list(self.keys)), self.keys[key], random.choice(labels))
            record = _make_record(thing, self._place(random), self.now)
            self.hidden[index].append(record)
            store.write(Batch(records=[record]))
            store.put_observer(judge)
            handles, other = Handles(SECRET, judge.organisation), random.choice(self.asked.things)
            ids = (handles.seal("entity", record.thing), handles.seal("entity", other))
            # Another's, which they may not see or have just seen.
            with suppress(VinculumError):
                add_judgement(store, judge, ids, random.choice(list(Verdict)), "hidden reason", self.now)
                self.counts["judged elsewhere"] += 1
            self._check_one(index)

    @rule(seed=SEEDS)
    def relabel_low(self, seed: int) -> None:
        """Carry out a relabelling that the observer notices: something vanishes, comes back or is shown otherwise."""
        random = self._step("relabel_low", seed)
        held, label = self._draw_relabelling(random, [*self.records, *self.links], LABELS)
        if held is None or label is None:
            return
        done = [store.relabel(_approved(one, label, self.now)) for store, one in self._in_stores(held)]
        self._same("relabel", done)
        self._carry_out(held, label)

    @precondition(lambda self: self._may(Right.LABEL))
    @rule(seed=SEEDS)
    def propose_relabelling(self, seed: int) -> None:
        """Ask, as the observer, that something be handled otherwise."""
        random = self._step("propose_relabelling", seed)
        held, named = self._draw_visible(random)
        if held is None or named is None:
            return
        # Another owner is refused; only a stricter label of one's own is in force at once.
        labels = [label for label in LABELS if label.owner == held.label.owner or random.random() < 0.05]
        stricter = [label for label in labels if is_stricter(label, held.label)]
        _, label = self._draw_relabelling(random, [held], stricter if random.random() < 0.5 else labels)
        if label is None or not self._may_carry_out(held, label):
            return
        parts = {part: value for part, value in asdict(label).items() if value != getattr(held.label, part)}
        made = self._both(
            "propose",
            lambda store: propose_relabelling(
                store,
                self._who,
                record=named.record,
                assertion=named.assertion,
                parts=parts,
                reason="reviewed",
                now=self.now,
            ),
            lambda found: [found.is_approved, found.label.lid, found.thing],
        )
        if made and made[0].is_approved:
            self._carry_out_with_versions(held, label)
        elif made:
            self.proposals[self.now] = (held, label)

    @precondition(lambda self: self._may(Right.LABEL) and self.proposals)
    @rule(seed=SEEDS)
    def approve_relabelling(self, seed: int) -> None:
        """Approve, as a colleague, what the observer proposed, as far as it still changes nothing hidden into shown."""
        random = self._step("approve_relabelling", seed)
        colleague = replace(self._who, name="colleague")
        shown = [list_open_relabellings(store, colleague) for store in self.stores]
        self._same("open relabellings", shown)
        proposed = self.proposals
        fit = [r for r in shown[0] if r.proposed_at in proposed and self._may_carry_out(*proposed[r.proposed_at])]
        if not fit:
            return
        chosen = random.choice(fit)
        held, label = self.proposals[chosen.proposed_at]
        made = self._both(
            "approve",
            lambda store: approve_relabelling(store, colleague, chosen.id, self.now),
            lambda found: [found.is_approved, found.label.lid],
        )
        if made:
            self._carry_out_with_versions(held, label)

    @rule(seed=SEEDS)
    def change_rights(self, seed: int) -> None:
        """Give the observer other rights, in both stores: fewer, or theirs again."""
        random = self._step("change_rights", seed)
        self.rights = random.choice(self.forms)
        for store in self.stores:
            store.put_observer(self.rights)

    @rule(seed=SEEDS)
    def remove_observer(self, seed: int) -> None:
        """Take all rights from the observer; another step gives them back."""
        self._step("remove_observer", seed)
        self._same("remove", [store.remove_observer(self.most.name) for store in self.stores])
        self.rights = None

    @precondition(lambda self: self.rights is None)
    @rule(seed=SEEDS)
    def add_observer_again(self, seed: int) -> None:
        """Add the observer again."""
        self._step("add_observer_again", seed)
        self.rights = self.most
        for store in self.stores:
            store.put_observer(self.most)

    @precondition(lambda self: self._may(Right.WATCH))
    @rule(seed=SEEDS)
    def watch(self, seed: int) -> None:
        """Watch something, visible or not, as the observer."""
        random = self._step("watch", seed)
        id_ = random.choice(self.asked.ids)
        # When it was last checked is told to nobody.
        self._both("watch", lambda store: add_watch(store, self._who, id_, self.now), _show_watch)

    @rule(seed=SEEDS)
    def check_watches(self, seed: int) -> None:
        """Check all watches in both stores."""
        self._step("check_watches", seed)
        self._check_both()

    @precondition(lambda self: self.eyes.high)
    @rule(seed=SEEDS)
    def import_high(self, seed: int) -> None:
        """Import hidden records, links, pairs and judgements, now or dated back, into one store or each its own."""
        self._import_high(self._step("import_high", seed))

    @precondition(lambda self: any(self.hidden))
    @rule(seed=SEEDS)
    def relabel_high(self, seed: int) -> None:
        """Relabel something hidden so that it stays hidden, or propose to."""
        random = self._step("relabel_high", seed)
        for index in self._draw_stores(random):
            if not self.hidden[index]:
                continue
            place = random.randrange(len(self.hidden[index]))
            record, label = self.hidden[index][place], random.choice(self.eyes.high)
            if random.random() < 0.3:
                asked = replace(_approved(record, label, self.now), approved_by=None, approved_at=None)
                self.stores[index].put_relabelling(asked)
                continue
            self.stores[index].relabel(_approved(record, label, self.now))
            self.hidden[index][place] = replace(record, label=label)
            self._check_one(index)

    @rule(seed=SEEDS)
    def others(self, seed: int) -> None:
        """Grant and revoke others' rights and let them watch, in one store or in each otherwise."""
        random = self._step("others", seed)
        for index in self._draw_stores(random):
            other = random.choice([one for one in OBSERVERS if one.name != self.most.name])
            store = self.stores[index]
            if random.random() < 0.3:
                store.remove_observer(other.name)
            else:
                store.put_observer(other)
                store.put_watch(Watch(other.name, random.choice(self.asked.things), START, START))
            self._check_one(index)

    @rule(seed=SEEDS)
    def never_held(self, seed: int) -> None:
        """Compare with a store that never held what is high or was hidden by a relabelling."""
        random = self._step("never_held", seed)
        if self.rights is None:
            return
        bare = self._make_bare()
        for _ in range(6):
            moment = random.choice((self.now, self._draw_moment(random)))
            name, asked = random.choice(list(QUESTIONS)), random.getrandbits(32)
            found = [self._ask(store.view(self.rights, moment), name, asked) for store in (self.stores[0], bare)]
            self._same(f"{name}, of what was never held", found)

    @invariant()
    def answers_are_the_same(self) -> None:
        """Ask both stores a few questions, now and of the past, and again what was asked before."""
        if not getattr(self, "steps", 0):
            return
        random = Random(f"{self.asking} {self.steps}")
        self.counts[APART] += self.is_apart
        found = [store.get_observer(self.most.name) for store in self.stores]
        if found != [self.rights, self.rights]:
            self._fail("rights")
        if self.rights is None:
            return
        moment = self._draw_moment(random)
        for when, times in ((self.now, 3), (moment, 2)):
            views = [store.view(self.rights, when) for store in self.stores]
            for name in random.sample(list(QUESTIONS), times):
                asked = random.getrandbits(32)
                answers = [self._ask(view, name, asked) for view in views]
                self._same(name, answers)
                if when < self.now:
                    self.remembered[self.rights, when, name, asked] = answers[0]
        self._compare_stored(self.rights)
        self._ask_again(random)

    def teardown(self) -> None:
        """Ask both stores everything, unless they differed already."""
        steps = getattr(self, "steps", 0)
        if not steps or self.failed:
            return
        world = World(self.keys, (), (), (), ())
        answers = [
            iter_answers(world, store, self.rights or self.most, Random(f"{self.asking} last")) for store in self.stores
        ]
        for one, other in zip(*answers, strict=True):
            self._same(f"at last {one[1]}", [one, other])
        self.counts[name_run(steps)] += 1

    def _import_low(self, random: Random, most: int) -> None:
        if not self.eyes.low:
            return
        records = [self._draw_record(random) for _ in range(random.randint(1, most))]
        links = [self._draw_link(random) for _ in range(random.randint(0, most))]
        self.records += records
        self.links += links
        pairs = [pair for _ in range(random.randint(0, most)) if (pair := self._draw_pair(random))]
        self._write([held.said for held in records], [held.said for held in links], pairs)
        self._check_both()

    def _import_high(self, random: Random) -> None:
        for index in self._draw_stores(random) if self.eyes.high else ():
            records = [self._draw_hidden_record(random) for _ in range(random.randint(0, 2))]
            links = [self._draw_hidden_link(random) for _ in range(random.randint(0, 2))]
            opinions = [self._draw_hidden_judgement(random) for _ in range(random.randint(0, 1))]
            self.hidden[index].extend(records)
            self.stores[index].write(Batch(records=records, links=links, judgements=opinions))
            pairs = [pair for _ in range(2) if (pair := self._draw_hidden_pair(index, random))]
            self.stores[index].write(Batch(pairs=pairs))
            self._check_one(index)

    def _step(self, name: str, seed: int) -> Random:
        self.steps += 1
        self.now += timedelta(minutes=1)
        self.asking = seed
        self.counts[STEPS] += 1
        self.counts[f"rule {name}"] += 1
        return Random(f"{seed} {self.steps}")

    @property
    def _who(self) -> Observer:
        assert self.rights is not None
        return self.rights

    def _may(self, right: Right) -> bool:
        return self.rights is not None and default_policy().has_right(self.rights, right)

    def _open(self) -> MemoryStore:
        """Return a store that has met every label."""
        store = MemoryStore(secret=SECRET, clock=lambda: self.now)
        store.write(Batch(judgements=[*iter_meetings(LABELS)]))
        return store

    def _same(self, what: str, found: Sequence[object]) -> None:
        self.counts[ANSWERS] += 1
        self.counts[f"answer {what}"] += 1
        one, other = (answer if isinstance(answer, bytes) else _dump(answer) for answer in found)
        if one != other:
            self._fail(what)

    def _fail(self, what: str) -> None:
        self.failed = True
        raise Leak(what)

    def _both(
        self,
        what: str,
        act: Callable[[MemoryStore], "Result"],
        report: Callable[["Result"], object] = lambda found: found,
    ) -> list["Result"]:
        """Do something in both stores that reports the same, and return what it made, nothing where it was refused."""
        made: list[Result] = []
        told: list[object] = []
        for store in self.stores:
            try:
                made.append(act(store))
                told.append(report(made[-1]))
            except VinculumError as exc:
                told.append(f"{type(exc).__name__}: {exc}")
        self._same(what, told)
        return made

    def _in_stores(self, held: HeldRecord | HeldLink) -> Iterator[tuple[MemoryStore, Record | Link]]:
        yield from zip(self.stores, held.said, strict=True)

    def _write(
        self,
        records: Sequence[tuple[Record, Record]],
        links: Sequence[tuple[Link, Link]],
        pairs: Sequence[HeldPair],
    ) -> None:
        told = [
            store.write(Batch(records=[said[index] for said in records], links=[said[index] for said in links]))
            for index, store in enumerate(self.stores)
        ]
        self._same("import", told)
        # Resolution writes pairs; what it reports is no observer's, and the hidden ones of a store count in it.
        for index, store in enumerate(self.stores):
            store.write(Batch(pairs=[pair for held in pairs if (pair := held.in_store(index))]))

    def _check_both(self) -> None:
        for store in self.stores:
            check_watches(store, lambda: self.now)

    def _check_one(self, index: int) -> None:
        """Check watches as every import does."""
        check_watches(self.stores[index], lambda: self.now)

    def _compare_stored(self, observer: Observer) -> None:
        alerts = [list_alerts(store, observer, self.now) for store in self.stores]
        self.counts["alerts"] += len(alerts[0])
        self._same("alerts", alerts)
        self._same("watches", [[*map(_show_watch, store.list_watches(observer.name))] for store in self.stores])
        self._same("open relabellings", [list_open_relabellings(store, observer) for store in self.stores])

    def _ask(self, view: View, name: str, seed: int) -> bytes:
        try:
            return _dump(QUESTIONS[name](view, self.asked, Random(seed)))
        except VinculumError as exc:
            return f"{type(exc).__name__}: {exc}".encode()

    def _ask_again(self, random: Random) -> None:
        """What was recorded by a moment is the same whenever it is asked, under the same rights and labels."""
        known = [key for key in self.remembered if key[0] == self.rights]
        if not known:
            return
        observer, moment, name, seed = key = random.choice(known)
        store = random.choice(self.stores)
        self._same(f"{name}, asked again", [self.remembered[key], self._ask(store.view(observer, moment), name, seed)])

    def _draw_moment(self, random: Random) -> datetime:
        return START + timedelta(minutes=random.randint(0, self.steps))

    def _draw_stores(self, random: Random) -> Sequence[int]:
        self.is_apart = True
        return random.choice(((0,), (1,), (0, 1)))

    def _place(self, random: Random) -> tuple[str, int]:
        """Return a capture that nothing else has, and a place in it: versions of one instant are ordered by both."""
        return f"{random.getrandbits(256):064x}", random.randint(0, 3)

    def _draw_record(self, random: Random) -> HeldRecord:
        key = random.choice(list(self.keys))
        one = draw_thing(random, key, self.keys[key], random.choice(self.eyes.low))
        if self.records and random.random() < 0.3:
            # A version of what there is, under any label of the same owner.
            earlier = random.choice(self.records).described[0]
            key, labels = earlier.key, [label for label in self.eyes.low if label.owner == earlier.label.owner]
            label = random.choice(labels or [earlier.label])
            one = replace(draw_thing(random, key, self.keys[key], label), facet=earlier.facet)
        altered = self.eyes.alter(one, POOLS[self.keys[key]], random)
        other = self.eyes.add_withheld(altered, self.keys[key], random)
        self.is_apart = self.is_apart or one != other
        place = self._place(random)
        return Held((one, other), (_make_record(one, place, self.now), _make_record(other, place, self.now)))

    def _draw_link(self, random: Random) -> HeldLink:
        ends = [*self.keys, *self.keys, *HIDDEN_KEYS, "nowhere"]
        one = draw_bond(random, ends, random.choice(self.eyes.low))
        other = self.eyes.alter(one, {"summary": ("hidden why", "why")}, random)
        self.is_apart = self.is_apart or one != other
        place, key = self._place(random), random.choice(("", "again"))
        return Held((one, other), (_make_link(one, place, key, self.now), _make_link(other, place, key, self.now)))

    def _draw_pair(self, random: Random) -> HeldPair | None:
        """Draw a scored pair of two records that have none yet; scores depend on the two records alone."""
        scored = {frozenset(map(id, pair.ends)) for pair in self.pairs}
        people = [held for held in self.records if held.described[0].schema in ("Person", "Organization")]
        if len(people) < 2:
            return None
        ends = (left, right) = cast("tuple[HeldRecord, HeldRecord]", tuple(random.sample(people, 2)))
        if frozenset(map(id, ends)) in scored or left.said[0].thing == right.said[0].thing:
            return None
        described = [end.described[0] for end in ends]
        one = draw_likeness(random, 0, 0)
        # Another that looks the same, as far as a few tries find one; or none, where the first cannot be seen.
        tries = [draw_likeness(random, 0, 0) for _ in range(3)]
        fit = [
            two for two in (*tries, None) if self.eyes.likeness(described, two) == self.eyes.likeness(described, one)
        ]
        other = random.choice([one, *fit])
        self.is_apart = self.is_apart or one != other
        pair = HeldPair(ends, (one, other), self.now)
        self.pairs.append(pair)
        return pair

    def _draw_grounds(self, random: Random) -> list[Label]:
        """Draw the label of something else that was judged on, or none."""
        return [held.label for held in random.sample(self.records, random.choice((0, 0, min(1, len(self.records)))))]

    def _draw_things(self, random: Random) -> tuple[str, str]:
        left, right = random.sample(self.asked.things, 2)
        return left, right

    def _draw_judgement(
        self, random: Random, things: tuple[str, str], grounds: Sequence[Label], reason: str
    ) -> Judgement:
        return judge(
            things,
            random.choice(list(Verdict)),
            by=random.choice(JUDGES),
            reason=reason,
            label=random.choice(grounds),
            recorded_at=self.now,
            grounds=[label.lid for label in grounds],
        )

    def _draw_relabelling(
        self, random: Random, among: Sequence[HeldRecord | HeldLink], labels: Sequence[Label]
    ) -> tuple[HeldRecord | HeldLink | None, Label | None]:
        """Draw something low and one of some labels, under which nothing that differs between the stores would show."""
        if not among:
            return None, None
        held = random.choice(among)
        some = random.sample(labels, min(6, len(labels)))
        fit = [label for label in some if label != held.label and self._may_be(held, label)]
        return held, random.choice(fit) if fit else None

    def _may_be(self, held: HeldRecord | HeldLink, label: Label) -> bool:
        one, other = (self.eyes.images(replace(said, label=label)) for said in held.described)
        return one == other and all(self._may_score(pair, held, label) for pair in self.pairs if held in pair.ends)

    def _may_score(self, pair: HeldPair, held: object, label: Label) -> bool:
        ends = [replace(e.described[0], label=label) if e is held else e.described[0] for e in pair.ends]
        one, other = (self.eyes.likeness(ends, likeness) for likeness in pair.likenesses)
        return one == other

    def _may_carry_out(self, held: HeldRecord | HeldLink, label: Label) -> bool:
        """Whether neither something nor a version that would be tightened along would show what differs."""
        return all(
            version_label in LABELS and self._may_be(version, version_label)
            for version, version_label in ((held, label), *self._tightened_along(held, label))
        )

    def _tightened_along(self, held: HeldRecord | HeldLink, label: Label) -> list[tuple[HeldRecord | HeldLink, Label]]:
        """Return the older versions that whoever relabels something sees, and the labels that these get as well.

        None where it becomes less strict and nothing else.
        """
        if is_stricter(held.label, label):
            return []
        visible = sight_of(self._who).visible
        among: list[HeldRecord | HeldLink] = [*self.records, *self.links]
        return [
            (one, label if one.label == held.label else one.label.join(label))
            for one in among
            if one is not held
            and _identity_of(one.said[0]) == _identity_of(held.said[0])
            and one.label in visible
            and one.label.owner == held.label.owner
        ]

    def _carry_out_with_versions(self, held: HeldRecord | HeldLink, label: Label) -> None:
        """Follow a relabelling by an observer, which takes older versions along where it is stricter."""
        for version, version_label in self._tightened_along(held, label):
            if version_label != version.label:
                self.counts["tightened along"] += 1
                self._carry_out(version, version_label)
        self._carry_out(held, label)

    def _draw_visible(self, random: Random) -> tuple[HeldRecord | HeldLink | None, Provenance | None]:
        """Draw something low that the observer sees now, and how it is named to them."""
        view = self.stores[0].view(self._who)
        entities = list(view.entities_of(self.asked.things).values())
        named = [facet.provenance for entity in entities for record in entity.records for facet in record.facets]
        for entity in entities:
            named += [neighbour.link.provenance for neighbour in view.neighbours(entity.id).items]
        known: dict[str, HeldRecord | HeldLink] = {held.said[0].id: held for held in self.records}
        known |= {held.said[0].id: held for held in self.links}
        found: tuple[HeldRecord | HeldLink | None, Provenance | None] = (None, None)
        # Rather something of their own organisation, which they may tighten alone.
        for chosen in random.sample(named, min(3, len(named))):
            # A link may have a left end that the observer sees as another thing's.
            with suppress(VinculumError):
                found = known.get(view.assertion_of(chosen.record, chosen.assertion).id), chosen
            if found[0] and found[0].label.owner == self._who.organisation:
                break
        return found

    def _carry_out(self, held: HeldRecord | HeldLink, label: Label) -> None:
        """Follow a relabelling, and see that under a hidden label nothing of it is left at any moment."""
        old = held.said
        held.relabel(label)
        if isinstance(old[0], Record):
            self.judgements = [
                judged.to_grounded(old[0].lid, label.lid) if held.thing in (judged.left, judged.right) else judged
                for judged in self.judgements
            ]
        self.remembered.clear()
        self._check_both()
        if self.rights is None or label in sight_of(self.rights).visible:
            return
        self.counts["vanished"] += 1
        thing = held.thing
        for moment in (old[0].recorded_at, self.now):
            for index, store in enumerate(self.stores):
                view = store.view(self.rights, moment)
                if any(view.find_assertion(thing, one.id) for one in (old[index], held.said[index])):
                    self._fail("what was hidden by relabelling")

    def _make_bare(self) -> MemoryStore:
        bare = self._open()
        bare.put_observer(self._who)
        records = [held for held in self.records if self.eyes.is_low(held.label)]
        pairs = (pair.in_store(0) for pair in self.pairs if all(end in records for end in pair.ends))
        bare.write(
            Batch(
                records=[held.said[0] for held in records],
                links=[held.said[0] for held in self.links if self.eyes.is_low(held.label)],
                pairs=[pair for pair in pairs if pair],
                judgements=self.judgements,
            )
        )
        return bare

    def _draw_hidden_record(self, random: Random) -> Record:
        key = random.choice((*self.keys, *HIDDEN_KEYS))
        schema = self.keys.get(key) or random.choice(list(POOLS))
        thing = draw_thing(random, key, schema, random.choice(self.eyes.high))
        return _make_record(thing, self._place(random), self._draw_when(random))

    def _draw_hidden_link(self, random: Random) -> Link:
        bond = draw_bond(random, [*self.keys, *HIDDEN_KEYS], random.choice(self.eyes.high))
        return _make_link(bond, self._place(random), random.choice(("", "again")), self._draw_when(random))

    def _draw_hidden_judgement(self, random: Random) -> Judgement:
        """Draw a judgement made on something hidden, often beside a visible one and of the same instant."""
        beside = random.choice(self.judgements) if self.judgements and random.random() < 0.5 else None
        things = (beside.left, beside.right) if beside else self._draw_things(random)
        grounds = [random.choice(self.eyes.high), *self._draw_grounds(random)]
        drawn = self._draw_judgement(random, things, grounds, "hidden reason")
        return replace(drawn, recorded_at=beside.recorded_at if beside else self._draw_when(random))

    def _draw_hidden_pair(self, index: int, random: Random) -> Pair | None:
        """Draw a scored pair of something hidden with anything."""
        others = [*self.hidden[index], *(held.said[index] for held in self.records)]
        if not self.hidden[index]:
            return None
        ends = (random.choice(self.hidden[index]), random.choice(others))
        if ends[0].thing == ends[1].thing:
            return None
        return _make_pair(ends, draw_likeness(random, 0, 0), self._draw_when(random))

    def _draw_when(self, random: Random) -> datetime:
        return random.choice((self.now, self._draw_moment(random)))


Result = TypeVar("Result")


def _ask_entity(view: View, asked: Asked, random: Random) -> object:
    return view.entity(random.choice(asked.ids))


def _ask_neighbours(view: View, asked: Asked, random: Random) -> object:
    id_ = random.choice(asked.ids)
    page = view.neighbours(id_, first=random.choice((1, 20)))
    return [page, view.neighbours(id_, after=page.cursors[-1]) if page.has_next else None]


def _ask_search(view: View, _: Asked, random: Random) -> object:
    word = random.choice(WORDS)
    schema = random.choice((None, None, "Person", "LegalEntity"))
    page = view.search(word, schema=schema, first=random.choice((1, 20)))
    return [page, view.search(word, schema=schema, after=page.cursors[-1]) if page.has_next else None]


def _ask_explanation(view: View, asked: Asked, random: Random) -> object:
    return view.explain(*random.sample(asked.ids, 2))


def _ask_label(view: View, asked: Asked, random: Random) -> object:
    return view.label_of(random.sample(asked.ids, 2))


def _ask_ties(view: View, asked: Asked, _: Random) -> object:
    return view.ties(list({entity.id: entity for entity in view.entities_of(asked.things).values()}.values()))


def _ask_projection(view: View, _: Asked, random: Random) -> object:
    found = view.projection(types=random.choice(((), ("Contact",))))
    return [found.things, found.edges, found.weights]


def _ask_cubes(view: View, _: Asked, __: Random) -> object:
    return [
        [t.cube.name, sorted(t.cells.items()), sorted(t.rows.items()), sorted(t.columns.items()), t.total]
        for t in view.cubes()
    ]


QUESTIONS: Mapping[str, Question] = {
    "entity": _ask_entity,
    "neighbours": _ask_neighbours,
    "search": _ask_search,
    "explain": _ask_explanation,
    "label": _ask_label,
    "ties": _ask_ties,
    "projection": _ask_projection,
    "cubes": _ask_cubes,
    "counts": lambda view, asked, random: view.counts(),
    "things": lambda view, asked, random: sorted(view.visible_things(asked.things)),
}


@cache
def _image(form: Observer, schema: str, name: str, lid: int, value: str) -> str | None:
    return sight_of(form).image(schema, name, _LABEL_OF[lid], value)


def _images(form: Observer, said: Thing | Bond, name: str, values: Iterable[str]) -> tuple[str, ...]:
    found = (_image(form, said.schema, name, said.label.lid, value) for value in values)
    return tuple(image for image in found if image is not None)


def _likeness_image(sight: Sight, ends: Sequence[Thing], likeness: Likeness) -> object:
    """Return the keys and weights of a pair that are seen, None when they never reach the threshold."""

    def seen(names: Sequence[str]) -> Treatment:
        left, right = (sight.seen(end, names) for end in ends)
        return left if left is right else Treatment.ABSENT

    ways = [(key, seen(key.properties)) for key in likeness.keys]
    is_proposed = any(how is Treatment.CLEAR or (how is Treatment.PSEUDONYM and key.is_equality) for key, how in ways)
    weights = [
        (e.comparison, how, e.weight if how is Treatment.CLEAR else e.equality_weight)
        for e in likeness.evidence
        if (how := seen(e.properties)) in _SEEN
    ]
    return weights if is_proposed and PRIOR + sum(max(w, 0.0) for _, _, w in weights) >= STOP else None


def _make_record(thing: Thing, place: tuple[str, int], moment: datetime) -> Record:
    return Record(
        schema=thing.schema,
        source=SOURCE,
        source_key=thing.key,
        label=thing.label,
        capture=place[0],
        sequence=place[1],
        properties=thing.properties,
        recorded_at=moment,
        facet=thing.facet,
        extra=thing.extra,
    )


def _make_link(bond: Bond, place: tuple[str, int], key: str, moment: datetime) -> Link:
    return Link(
        schema=bond.schema,
        source=SOURCE,
        source_key=key,
        left=thing_of(bond.left),
        right=thing_of(bond.right),
        label=bond.label,
        capture=place[0],
        sequence=place[1],
        properties=bond.properties,
        recorded_at=moment,
    )


def _make_pair(ends: tuple[Record, Record], likeness: Likeness, moment: datetime) -> Pair:
    left, right = sorted(end.id for end in ends)
    return Pair(left, right, "model-1", PRIOR, STOP, likeness.keys, likeness.evidence, moment)


def _approved(said: Record | Link, label: Label, moment: datetime) -> Relabelling:
    return Relabelling(said.id, _thing_of(said), label, "reviewed", "one", moment, "another", moment)


def _thing_of(said: Record | Link) -> str:
    return said.thing if isinstance(said, Record) else said.left


def _identity_of(said: Record | Link) -> object:
    """Return what the versions of a facet or a link have in common."""
    return (said.thing, said.facet) if isinstance(said, Record) else said.identity


def _show_watch(watch: Watch) -> object:
    return [watch.id, watch.thing, watch.created_at]


def _some(items: Sequence["Item"], random: Random) -> list["Item"]:
    return random.sample(items, min(len(items), 2))


Item = TypeVar("Item")


def _dump(answer: object) -> bytes:
    return orjson.dumps(answer, default=plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
