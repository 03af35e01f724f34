"""Timing: whether how long an answer takes tells that something hidden is there (T10).

Three stores of some thousand records hold the same visible things and the same
hidden ones far from the question. One of them also holds hidden things right
beside it, about what one more investigation would bring: people of the same
name with links and pairs to the one that is asked about, a hidden facet of it,
a judgement, and a label of their own. The third is the first over again: it
tells how far two arms differ for no reason, and what it reaches is the least
that this machine can show. All are drawn anew in every block, so that no
accident of memory stays with one arm.

`process` times the View's question alone, in one thread, the collector off, by
the processor time of the thread, which other programs do not stretch; waiting
(locks, disks) is in `http` alone.
`http` times whole requests to a real server as `vinculum serve` runs it, on
loopback in a process of its own, which serves each store at a port. Both are
over the reference store, so that nothing but the hidden things differs. Arms
and questions come in random order. Per question: Welch's t of two arms, also
without the slowest 5 % of both together (cropping after Reparaz, Balasch and
Verbauwhede, "Dude, is my code constant time?", 2017), and how well the best
threshold on one answer's time tells the arms apart (area under the curve).

Not covered: the engines and their caches; an attacker who averages many answers
of a quiet server (t in process is what speaks for them), who loads the server,
or who shares its processor; differences of more than the amount above; other
observers than one of a shelter; writes; what a time tells of visible things,
which is no secret from whoever sees them.
"""

import gc
import http.client
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from socket import create_server
from statistics import median
from typing import Any

import numpy as np
import orjson
import uvicorn
from numpy.typing import NDArray
from scipy.stats import rankdata

from api.app import create_app
from api.pipeline import Pipeline
from api.settings import Settings
from bench.campaigns.campaign import read_arguments
from bench.campaigns.graphql import token_keys
from bench.goal import print_goal
from graph.handle import Handles
from graph.memory import MemoryStore
from graph.store import Batch, Store
from graph.view import View
from ontology.errors import NotVisible
from ontology.judgement import Verdict, judge
from ontology.label import Label
from ontology.pair import Evidence, Pair
from ontology.record import Link, Record
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record
from tests.worlds.questions import plain
from tests.worlds.world import KEYS, NOW, PRIOR, STOP

ABSENT, AGAIN, PRESENT = ARMS = ("absent", "absent again", "present")
OBSERVER = make_observer("ngo", organisation="HOME", purpose="protection")
PEOPLE, COMPANIES, LINKS, FAR = 2_000, 400, 3_000, 800
NEAR = 12
BLOCK = 250  # samples of each arm and question
CROP = 0.95
T_GOAL, AUC_GOAL = 4.5, 0.52
_OFFICES = 40
_GIVEN = [f"{a}{b}" for a, b in product(("Ada", "Bel", "Cor", "Dan", "Eli", "Fio", "Gar", "Hel"), ("na", "ra", "lin", "mir", "so"))]  # fmt: skip
_FAMILY = [f"{a}{b}" for a, b in product(("Exam", "Sam", "Test", "Speci", "Dum", "Mod"), ("ple", "men", "my", "el", "er"))]  # fmt: skip

Times = NDArray[np.float64]
Ask = Callable[[str, str], tuple[float, bytes]]  # question, arm -> seconds, answer


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked about in one block: ids as the observer would be shown them, and a word."""

    target: str
    other: str
    hidden: str
    word: str


@dataclass(frozen=True, slots=True)
class Question:
    """One operation, asked of a View and as a document."""

    name: str
    ask: Callable[[View, Place], object]
    query: str


QUESTIONS = (
    Question("hidden_entity", lambda v, p: v.entity(p.hidden), "query($hidden:ID!){entity(id:$hidden){id}}"),
    Question("entity", lambda v, p: v.entity(p.target), "query($target:ID!){entity(id:$target){id records{id}}}"),
    Question(
        "search", lambda v, p: v.search(p.word), "query($word:String!){search(text:$word){totalCount edges{node{id}}}}"
    ),
    Question("counts", lambda v, _: v.counts(), "{counts{schema count}}"),
    Question(
        "neighbours",
        lambda v, p: v.neighbours(p.target),
        "query($target:ID!){entity(id:$target){neighbours{totalCount edges{node{id}}}}}",
    ),
    Question(
        "explain",
        lambda v, p: v.explain(p.target, p.other),
        "query($target:ID!,$other:ID!){explain(left:$target,right:$other){same by total}}",
    ),
)


@dataclass(slots=True)
class Samples:
    """Seconds by question and arm; `unequal` counts answers that are not the same in all arms."""

    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    unequal: int = 0

    def of(self, question: str, arm: str) -> Times:
        """Return the seconds of one arm, (n,) float64."""
        return np.array(self.times[question, arm])


@dataclass(frozen=True, slots=True)
class Difference:
    """How two arms of one question differ; medians in seconds."""

    t: float
    t_cropped: float
    auc: float
    medians: tuple[float, float]


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 2_000)
    for name, serve in (("process", in_process), ("http", over_http)):
        started = time.monotonic()
        samples = take_samples(serve, n, seed)
        print(f"{name}: {n:,} samples an arm, seed {seed}, {time.monotonic() - started:.0f} s")
        print_goal(f"timing_{name}_unequal_answers", samples.unequal, "==", 0)
        for question in QUESTIONS:
            found = difference(samples.of(question.name, ABSENT), samples.of(question.name, PRESENT))
            show(question.name, found)
            show("  control", difference(samples.of(question.name, ABSENT), samples.of(question.name, AGAIN)))
            if name == "process":
                print_goal(f"timing_process_t_{question.name}", abs(found.t_cropped), "<=", T_GOAL)
            else:
                print_goal(f"timing_http_auc_{question.name}", found.auc, "<=", AUC_GOAL)


def show(name: str, found: Difference) -> None:
    """Print how two arms differ."""
    one, other = (1e6 * seconds for seconds in found.medians)
    print(
        f"  {name}: median {one:,.1f} and {other:,.1f} us ({100 * (other / one - 1):+.2f} %),"
        f" t {found.t:.2f}, cropped {found.t_cropped:.2f}, AUC {found.auc:.4f}"
    )


def difference(one: Times, other: Times) -> Difference:
    """Compare two arms; the most that is left of either when cropped is the 95th percentile of both together."""
    most = np.quantile(np.concatenate([one, other]), CROP)
    return Difference(
        welch_t(one, other),
        welch_t(one[one <= most], other[other <= most]),
        best_auc(one, other),
        (median(one), median(other)),
    )


def welch_t(one: Times, other: Times) -> float:
    """Return Welch's t, positive where the second takes longer."""
    error = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
    return float((other.mean() - one.mean()) / np.sqrt(error))


def best_auc(one: Times, other: Times) -> float:
    """Return the chance that a threshold ranks one sample of each arm rightly, guessing which way round (0.5 to 1.0)."""
    ranks = rankdata(np.concatenate([one, other]))[len(one) :]
    auc = (ranks.sum() - len(other) * (len(other) + 1) / 2) / (len(one) * len(other))
    return float(max(auc, 1 - auc))


def take_samples(serve: Callable[[int], Any], n: int, seed: int) -> Samples:
    """Time every question in every arm n times, in random order, in blocks of stores drawn anew."""
    samples = Samples({(q.name, arm): [] for q, arm in product(QUESTIONS, ARMS)})
    for block, done in enumerate(range(0, n, BLOCK)):
        with serve(seed + block) as ask:
            _take_block(ask, min(BLOCK, n - done), Random(f"{seed + block} order"), samples)
    return samples


def _take_block(ask: Ask, n: int, random: Random, samples: Samples) -> None:
    for question in QUESTIONS:
        answers = {ask(question.name, arm)[1] for _, arm in product(range(3), ARMS)}
        samples.unequal += len(answers) - 1
    order = [(question.name, arm) for question, arm, _ in product(QUESTIONS, ARMS, range(n))]
    random.shuffle(order)
    for question_name, arm in order:
        samples.times[question_name, arm].append(ask(question_name, arm)[0])


@contextmanager
def in_process(seed: int) -> Iterator[Ask]:
    """Ask Views of the three stores of a block, each made for its question."""
    place, stores = draw_stores(seed)
    questions = {question.name: question.ask for question in QUESTIONS}

    def ask(question: str, arm: str) -> tuple[float, bytes]:
        store, put = stores[arm], questions[question]
        started = time.thread_time()
        try:
            # Entities are treated as they are written.
            answer = orjson.dumps(put(store.view(OBSERVER), place), default=plain)
        except NotVisible:
            answer = b""
        return time.thread_time() - started, answer

    gc.collect()
    gc.disable()
    try:
        yield ask
    finally:
        gc.enable()


@contextmanager
def over_http(seed: int) -> Iterator[Ask]:
    """Ask a server of the three stores of a block, over one connection to each."""
    place, _ = draw_stores(seed)
    mine, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=_serve, args=(seed, theirs))
    server.start()
    # The child alone holds its end, so that there is nothing to wait for once it is gone.
    theirs.close()
    try:
        ports, token = mine.recv()
        lines = {arm: http.client.HTTPConnection("127.0.0.1", port, timeout=60) for arm, port in ports.items()}
        yield _asker(place, lines, token)
        for line in lines.values():
            line.close()
    finally:
        server.terminate()
        server.join()


def _asker(place: Place, lines: Mapping[str, http.client.HTTPConnection], token: str) -> Ask:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    variables = {name: getattr(place, name) for name in Place.__slots__}
    bodies = {
        question.name: orjson.dumps(
            {"query": question.query, "variables": {n: v for n, v in variables.items() if f"${n}:" in question.query}}
        )
        for question in QUESTIONS
    }

    def ask(question: str, arm: str) -> tuple[float, bytes]:
        line, body = lines[arm], bodies[question]
        started = time.perf_counter()
        line.request("POST", "/graphql", body, headers)
        answer = line.getresponse().read()
        return time.perf_counter() - started, answer

    return ask


def _serve(seed: int, client: Connection) -> None:
    """Serve the three stores of a block until terminated, each at a port."""
    _, stores = draw_stores(seed)
    keys = token_keys()
    apps: dict[int, Any] = {}
    listeners = {arm: create_server(("127.0.0.1", 0)) for arm in ARMS}
    ports = {arm: listener.getsockname()[1] for arm, listener in listeners.items()}
    for arm, store in stores.items():
        pipeline = Pipeline(Settings(home=Path("nowhere")), store, clock=lambda: NOW)
        apps[ports[arm]] = create_app(pipeline, keys=keys)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    client.send((ports, keys.issue(OBSERVER.name)))
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        serve, lifespan="off", log_level="warning", server_header=False, access_log=False, timeout_keep_alive=60
    )
    uvicorn.Server(config).run(sockets=list(listeners.values()))


def draw_stores(seed: int) -> tuple[Place, dict[str, Store]]:
    """Return the place that a block asks about and a store for each arm, filled in random order."""
    stores: dict[str, Store] = {}
    case = _Case(Random(f"{seed} case"))
    for arm in Random(f"{seed} arms").sample(ARMS, len(ARMS)):
        store = MemoryStore(secret=SECRET, clock=lambda: NOW)
        store.put_observer(OBSERVER)
        case.write(store, is_near=arm == PRESENT)
        stores[arm] = store
    return case.place, stores


class _Case:
    """What the stores of one block hold."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._people = [self._person(str(n), n % 60) for n in range(PEOPLE)]
        self._firms = [
            make_record("Company", f"c{n}", properties={"name": [f"{random.choice(_FAMILY)} Limited {n}"]})
            for n in range(COMPANIES)
        ]
        known = [*self._people, *self._firms]
        self._links = [self._link(str(n), *random.sample(known, 2)) for n in range(LINKS)]
        self._far = [self._person(f"f{n}", n % 60, label=_office(n % _OFFICES)) for n in range(FAR)]
        self._target, self._other = random.sample(self._people, 2)
        given = self._target.properties["name"][0].split()[0]
        label = _office(_OFFICES)
        self._near = [self._person(f"n{n}", 30, label=label, given=given) for n in range(NEAR)]
        self._facet = make_record(
            "Person", self._target.source_key, facet="case", label=label, properties={"notes": ["a hidden remark"]}
        )
        self._near_links = [make_link(self._target, n, label=label) for n in self._near]
        handles = Handles(SECRET, OBSERVER.organisation)
        target, other, hidden = (handles.seal("entity", r.thing) for r in (self._target, self._other, self._near[0]))
        self.place = Place(target, other, hidden, given.lower())

    def write(self, store: Store, *, is_near: bool) -> None:
        """Write it all, and what is near and hidden or not."""
        store.write(Batch(records=[*self._people, *self._firms, *self._far], links=self._links))
        if is_near:
            verdict = judge(
                (self._target.thing, self._other.thing),
                Verdict.UNSURE,
                by="somebody",
                reason="alike",
                label=_office(_OFFICES),
                recorded_at=START,
            )
            pairs = [_pair(self._target, near) for near in self._near[: NEAR // 3]]
            store.write(Batch(records=[*self._near, self._facet], links=self._near_links))
            store.write(Batch(pairs=pairs, judgements=[verdict]))

    def _link(self, key: str, *ends: Record) -> Link:
        left, right = ends
        return make_link(left, right, key=key, properties={"summary": ["seen together"]})

    def _person(self, key: str, minute: int, *, label: Label | None = None, given: str | None = None) -> Record:
        name = f"{given or self._random.choice(_GIVEN)} {self._random.choice(_FAMILY)}"
        birth = f"19{self._random.randint(60, 99)}-0{self._random.randint(1, 9)}-11"
        return make_record("Person", key, label=label, properties={"name": [name], "birthDate": [birth]}, minute=minute)


def _office(number: int) -> Label:
    return make_label(tlp="RED", category="suspect", owner=f"OFFICE {number}", cases=(f"CASE {number}",))


def _pair(left: Record, right: Record) -> Pair:
    ends: Sequence[str] = sorted((left.id, right.id))
    evidence = Evidence("name", ("name",), 9.0, 5.0, "exact")
    return Pair(ends[0], ends[1], "model-1", PRIOR, STOP, KEYS[:1], (evidence,), START)


if __name__ == "__main__":
    main()
