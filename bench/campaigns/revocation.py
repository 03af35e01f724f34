"""Revocation: whoever asks after a revocation was acknowledged is answered under the new rights.

In a race two readers ask again and again, as the service does for every
request: the rights are looked up, then a View is opened. Meanwhile a writer
takes rights away and says so. A request that starts after that and is answered
under the old rights is a violation; one that was under way may go either way.
One that fails is counted by itself. Most races are on the reference store, some over HTTP, some on
the embedded engine and on a Neo4j, where readers and writer have a store each,
as two processes would. Backends that are broken on purpose, since they remember
rights or Views for a few milliseconds, show how soon a fault would be found.

What this does not show: several servers of a cluster, of which one may lag
behind, and a request that began before the revocation and goes on for long.
"""

import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event, get_ident
from typing import Any

import anyio
import httpx

from api.app import create_app
from api.identity import TokenKeys
from api.loaders import Backend
from api.pipeline import Pipeline
from api.settings import Settings
from bench.campaigns.campaign import VIOLATION, read_arguments, run_cases
from bench.goal import print_goal
from graph.bolt import BoltStore
from graph.handle import Handles
from graph.memory import MemoryStore
from graph.store import Batch, Store
from graph.view import View
from ontology.errors import NotVisible
from ontology.observer import Observer
from ontology.relabelling import Relabelling
from tests.engines.neo4j import Server, Unavailable
from tests.engines.running import EMBEDDED, NEO4J, Engines, wipe
from tests.factory import SECRET, START, make_label, make_observer, make_record

RACES = "races"
FAILED = "requests that failed"
READERS = 2
AFTERWARDS = 2  # requests of each reader that start after the acknowledgement
RACES_A_CASE = 200
CONTROL_RACES = 400
REMEMBERED_S = 0.003  # how long a broken backend remembers
LONGEST_WAIT_S = 0.002  # before a revocation
# Of so many races one goes over HTTP, and of so many one to each engine.
HTTP_SHARE, ENGINE_SHARE = 10, 50
THREE_SIGMA = 0.0027

OPEN = make_label(category="suspect", tlp="AMBER", owner="POLICE", cases=("A",), purposes=("investigation",))
SHUT = replace(OPEN, compartments=("SECRET",))
RECORD = make_record(label=OPEN)
READER = make_observer("investigator", organisation="LAB", cases=("A",), name="reader")
ID = Handles(SECRET, READER.organisation).seal("entity", RECORD.thing)
QUESTIONS: tuple[Callable[[View], object], ...] = (
    lambda view: view.entity(ID),
    lambda view: view.search("ada").items,
    lambda view: view.counts(),
)
DOCUMENTS = (
    f'{{ found: entity(id: "{ID}") {{ id }} }}',
    '{ found: search(text: "ada") { edges { node { id } } } }',
    "{ found: counts { count } }",
)


class Answer(StrEnum):
    """What a request got: the content, an answer without it, a refusal, or the excuse that something went wrong."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    REFUSED = "refused"
    FAILED = "failed"


Ask = Callable[[], Answer]


class Lane:
    """One reader's rights in a store, taken away and given back; `store` is the writer's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._record = RECORD
        self._turns = 0
        store.write(Batch(records=[RECORD]))
        self.ways: dict[str, tuple[Callable[[], object], Answer]] = {
            "remove": (lambda: store.remove_observer(READER.name), Answer.REFUSED),
            "fewer cases": (lambda: store.put_observer(replace(READER, cases=())), Answer.HIDDEN),
            "other purpose": (lambda: store.put_observer(replace(READER, purpose="statistics")), Answer.HIDDEN),
            "other tier": (lambda: store.put_observer(replace(READER, tier="operator")), Answer.HIDDEN),
            "relabel": (lambda: self._relabel(shut=True), Answer.HIDDEN),
        }

    def grant(self) -> None:
        """Give back everything that a revocation took."""
        self._store.put_observer(READER)
        self._relabel(shut=False)

    def _relabel(self, *, shut: bool) -> None:
        label = SHUT if shut else OPEN
        if label == self._record.label:
            return
        self._turns += 1
        moment = START + timedelta(seconds=self._turns)
        asked = Relabelling(self._record.id, RECORD.thing, label, "reviewed", "one", moment, "another", moment)
        if not self._store.relabel(asked):
            raise AssertionError("the record to relabel is there")
        self._record = replace(self._record, label=label)


class Remembering:
    """A backend that is broken: it remembers rights, or Views, for a moment."""

    def __init__(self, backend: Backend, what: str) -> None:
        self._backend = backend
        self._what = what
        self._known: dict[tuple[str, object], tuple[float, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def observer(self, name: str) -> Observer | None:
        """Return rights that were looked up a moment ago."""
        look_up = partial(self._backend.observer, name)
        return self._remember(("observers", name), look_up) if self._what == "observers" else look_up()

    def view(self, observer: Observer, as_of: datetime | None) -> View:
        """Return a View that was opened a moment ago."""
        open_view = partial(self._backend.view, observer, as_of)
        # One for each thread, as Views are; by name, as a careless key would be.
        key = (observer.name, get_ident())
        return self._remember(key, open_view) if self._what == "views" else open_view()

    def _remember(self, key: tuple[str, object], find: Callable[[], Any]) -> Any:
        kept_at, found = self._known.get(key, (-math.inf, None))
        if time.monotonic() - kept_at > REMEMBERED_S:
            found = find()
            self._known[key] = (time.monotonic(), found)
        return found


CONTROLS = ("observers", "views")


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 5_000)
    engine_races = n // ENGINE_SHARE
    counts: Counter[str] = Counter()
    for name, try_case, races in (
        ("reference", try_case_in_process, n - n // HTTP_SHARE - 2 * engine_races),
        ("http", try_case_over_http, n // HTTP_SHARE),
    ):
        tally = run_cases(try_case, range(seed, seed - (-races // RACES_A_CASE)), chunk=1)
        print(f"{name}:")
        tally.show(RACES)
        counts += tally.counts
    with Engines() as engines:
        for name in (EMBEDDED, NEO4J[0]):
            found = _try_engine(engines, name, engine_races, seed)
            counts += found
            print_goal(f"revocation_races_{name}", found[RACES], ">=", engine_races)
    show_counts(counts)
    for what in CONTROLS:
        show_control(what, seed, n)
    print_goal("revocation_violations", counts[VIOLATION], "==", 0)
    print_goal("revocation_failed_requests", counts[FAILED], "==", 0)
    print_goal("revocation_races", counts[RACES], ">=", n)
    print_goal("revocation_meanwhile", counts["requests meanwhile"] / max(1, counts[RACES]), ">=", 0.5)


def try_case_in_process(seed: int, races: int = RACES_A_CASE, control: str = "") -> Counter[str]:
    """Race on a reference store of its own."""
    with _open_pipeline(MemoryStore(secret=SECRET)) as pipeline:
        backend = Remembering(pipeline, control) if control else pipeline
        return run_races(Lane(pipeline.store), [make_ask(backend) for _ in range(READERS)], races, seed)


def try_case_over_http(seed: int, races: int = RACES_A_CASE, control: str = "") -> Counter[str]:
    """Race on a reference store of its own, asked with a token over HTTP in this process."""
    with _open_pipeline(MemoryStore(secret=SECRET)) as pipeline:
        backend = Remembering(pipeline, control) if control else pipeline
        asks = [make_http_ask(backend, pipeline.settings.home) for _ in range(READERS)]
        return run_races(Lane(pipeline.store), asks, races, seed)


def try_on_server(server: Server, races: int, seed: int) -> Counter[str]:
    """Race on an engine, through one store that is read and another that is written."""
    wipe(server)
    with _open_bolt(server) as written, _open_pipeline(_open_bolt(server)) as pipeline:
        asks = [make_ask(pipeline), make_http_ask(pipeline, pipeline.settings.home)]
        return run_races(Lane(written), asks, races, seed)


def run_races(lane: Lane, asks: Sequence[Ask], races: int, seed: int) -> Counter[str]:
    """Race so many times, each way of revoking in turn, with a reader for each way of asking."""
    random = Random(f"{seed} races")
    counts: Counter[str] = Counter()
    with _quick_switches(), ThreadPoolExecutor(len(asks)) as pool:
        for number in range(races):
            way = list(lane.ways)[number % len(lane.ways)]
            lane.grant()
            counts += race(lane, way, asks, random.uniform(0, LONGEST_WAIT_S), pool)
    return counts


def race(lane: Lane, way: str, asks: Sequence[Ask], wait_s: float, pool: ThreadPoolExecutor) -> Counter[str]:
    """Revoke while readers ask, and count what they were answered before, meanwhile and after."""
    revoke, expected = lane.ways[way]
    told = Event()
    ready = [Event() for _ in asks]
    readers = [pool.submit(_read, one, told, begun) for one, begun in zip(asks, ready, strict=True)]
    for begun in ready:
        begun.wait()
    time.sleep(wait_s)
    revoke()
    told.set()
    seen = [answer for reader in readers for answer in reader.result()]
    wrong = Counter(
        f"violation {way}: {answer} {when}"
        for when, answer in seen
        if answer not in ({expected} if when == "after" else {expected, Answer.SHOWN, Answer.FAILED})
    )
    wrong += Counter(f"violation {way}: nothing shown before" for _ in [0] if seen[0] != ("before", Answer.SHOWN))
    found = Counter(f"requests {when}" for when, _ in seen)
    found[FAILED] = sum(answer is Answer.FAILED for _, answer in seen)
    return found + wrong + Counter({RACES: 1, f"revoked by {way}": 1, VIOLATION: int(bool(wrong))})


def make_ask(backend: Backend) -> Ask:
    """Return what asks as the service does for each request, each time the next of some questions."""
    questions = cycle(QUESTIONS)

    def ask() -> Answer:
        observer = backend.observer(READER.name)
        if observer is None:
            return Answer.REFUSED
        try:
            return Answer.SHOWN if next(questions)(backend.view(observer, None)) else Answer.HIDDEN
        except NotVisible:
            return Answer.HIDDEN
        except LookupError:
            # What the View met at first is gone when it looks again.
            return Answer.FAILED

    return ask


def make_http_ask(backend: Backend, home: Path) -> Ask:
    """Return what asks a service over a backend, with a token, each time the next of some documents."""
    keys = TokenKeys(home)
    app = create_app(backend, keys=keys)
    headers = {"Authorization": f"Bearer {keys.issue(READER.name)}"}
    documents = cycle(DOCUMENTS)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.post("/graphql", json={"query": next(documents)}, headers=headers)

    return lambda: _read_response(anyio.run(send))


def _read_response(response: httpx.Response) -> Answer:
    if response.status_code == 401:
        return Answer.REFUSED
    found = response.json()
    if any(error["extensions"]["code"] == "INTERNAL" for error in found.get("errors", ())):
        return Answer.FAILED
    # A tier that may see nothing has a schema without these fields, and so no data.
    answer = (found.get("data") or {}).get("found")
    return Answer.SHOWN if answer and answer != {"edges": []} else Answer.HIDDEN


def show_counts(counts: Counter[str]) -> None:
    """Print how often each way of revoking was tried, and when requests started."""
    for prefix in ("revoked", "requests", "violation "):
        for name, count in sorted(counts.items()):
            if name.startswith(prefix):
                print(f"  {name}: {count:,}")


def show_control(what: str, seed: int, n: int) -> None:
    """Break the backend, and say in how many races that is found but once in 370 times (three sigma)."""
    found = try_case_in_process(seed, CONTROL_RACES, what)
    share = found[VIOLATION] / found[RACES]
    needed = math.ceil(math.log(THREE_SIGMA) / math.log1p(-share)) if 0 < share < 1 else math.inf if share == 0 else 1
    print(f"control, {what} remembered for {REMEMBERED_S * 1000:g} ms: found in {share:.1%} of {found[RACES]:,} races")
    print_goal(f"revocation_control_{what}_races_to_three_sigma", needed, "<=", n)


def _read(ask_once: Ask, told: Event, begun: Event) -> list[tuple[str, Answer]]:
    """Ask until some requests have started after the revocation was acknowledged."""
    seen: list[tuple[str, Answer]] = []
    after = 0
    while after < AFTERWARDS:
        is_after = told.is_set()
        answer = ask_once()
        after += is_after
        seen.append(("after" if is_after else "meanwhile" if told.is_set() else "before", answer))
        begun.set()
    return seen


def _try_engine(engines: Engines, name: str, races: int, seed: int) -> Counter[str]:
    try:
        server = engines.get(name)
    except Unavailable as exc:
        print(f"{name}: not run: {exc}")
        return Counter()
    started = time.monotonic()
    found = try_on_server(server, races, seed)
    rate = found[RACES] / (time.monotonic() - started)
    print(f"{name} ({engines.used[name]}): {found[RACES]:,} {RACES}, {rate:,.0f} a second")
    return found


def _open_bolt(server: Server) -> BoltStore:
    return BoltStore(server.address, server.user, server.password, database=server.database, secret=SECRET)


@contextmanager
def _open_pipeline(store: Store) -> Iterator[Pipeline]:
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="vinculum-races-"))
        yield stack.enter_context(Pipeline(Settings(home=Path(home)), store))


@contextmanager
def _quick_switches() -> Iterator[None]:
    """Let threads take turns often: with the usual 5 ms nobody would be interrupted in a request."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


if __name__ == "__main__":
    main()
