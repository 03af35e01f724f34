"""Non-interference through GraphQL: what a caller gets of two stores that differ in what they may not see alone.

Each case draws a world and a twin of it, serves both in this process, each by
an app of its own, and posts the same documents with the same token to both.
One pair is one document: status, every header and every byte of the body must
be equal. A masked fault of ours carries a random reference, so it is a
violation wherever it occurs. `tests/worlds` says what is drawn and asked.

Not covered: time (the `timing` campaign), the engines (a View of an engine
equals that of the reference, which is another test), and what comes before the
app: the HTTP server, its parser, TLS.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from anyio import sleep_forever

from api.admission import Limits
from api.app import create_app
from api.identity import TokenKeys
from api.pipeline import Pipeline
from api.schema import make_schema
from api.settings import Settings
from bench.campaigns.campaign import VIOLATION, Tally, read_arguments, run_cases
from bench.campaigns.noninterference import NEAR, PAIRS, near_share
from bench.goal import print_goal
from graph.watches import check_watches
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.worlds.documents import Asker, Asking, Document
from tests.worlds.questions import EARLY
from tests.worlds.twin import ASKING, make_twin, sight_of
from tests.worlds.world import NOW, Thing, World, build, make_world

INTERNAL = "masked faults"
TOLD = "answers with data"
# Pairs that a world gives on average, a little less, so that a campaign never falls short.
PAIRS_A_WORLD = 50
FULL = 1_000_000
WANTED_A_CHANNEL = 10_000

_SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/graphql",
    "raw_path": b"/graphql",
    "query_string": b"",
    "root_path": "",
    "server": ("localhost", 80),
    "client": ("127.0.0.1", 1),
}
_FOREVER_S = 86_400.0
_HEADERS = [(b"host", b"localhost"), (b"content-type", b"application/json")]

Message = MutableMapping[str, Any]
Post = Callable[[bytes], Awaitable["Reply"]]
Compare = Callable[[Document, "Reply", "Reply"], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """All that a caller gets."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def read(self) -> dict[str, Any]:
        """Return the body as JSON."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found


class Served:
    """A world in a store of its own, served in this process; `now` is what its clock says."""

    def __init__(self, world: World, observers: Iterable[Observer]) -> None:
        self.now: datetime = NOW
        self.store = build(world)
        for observer in observers:
            self.store.put_observer(observer)
        pipeline = Pipeline(Settings(home=Path("nowhere")), self.store, clock=lambda: self.now)
        # A process that is stopped for a while must not make a difference.
        self._app = create_app(pipeline, keys=token_keys(), limits=Limits(deadline_s=_FOREVER_S))

    async def post(self, observer: Observer, body: bytes) -> Reply:
        """Return what an observer gets for a request body."""
        given = [{"type": "http.request", "body": body, "more_body": False}]
        got: list[Message] = []

        async def receive() -> Message:
            # Nobody leaves before the answer.
            if not given:
                await sleep_forever()
            return given.pop()

        async def send(message: Message) -> None:
            got.append(message)

        token = (b"authorization", b"Bearer " + token_of(observer.name))
        app: Callable[..., Awaitable[None]] = self._app
        await app({**_SCOPE, "headers": [*_HEADERS, token]}, receive, send)
        start, *parts = got
        return Reply(start["status"], tuple(start["headers"]), b"".join(part.get("body", b"") for part in parts))


@cache
def token_keys() -> TokenKeys:
    """Return the keys of this process, in whose eyes time stands still."""
    with TemporaryDirectory() as folder:
        return TokenKeys(Path(folder), clock=NOW.timestamp)


@cache
def token_of(name: str) -> bytes:
    """Return an observer's token."""
    return token_keys().issue(name).encode()


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 50_000)
    tally = run_cases(try_world, range(seed, seed + max(len(ASKING), -(-n // PAIRS_A_WORLD))))
    tally.show(PAIRS)
    show_coverage(tally)
    print_goal("graphql_violations", tally.violations, "==", 0)
    print_goal("graphql_masked_faults", tally.counts[INTERNAL], "==", 0)
    print_goal("graphql_pairs", tally.counts[PAIRS], ">=", n)
    print_goal("graphql_near_share", tally.counts[NEAR] / tally.counts[PAIRS], ">=", 0.4)
    least = min(count for name, count in tally.counts.items() if name.startswith("channel "))
    print_goal("graphql_least_channel", least, ">=", WANTED_A_CHANNEL * min(1.0, n / FULL))


def try_world(seed: int) -> Counter[str]:
    """Compare every answer of a world with its twin's."""
    settle()
    observer, world, twin = draw_concrete_pair(seed)
    found: Counter[str] = Counter()

    def compare(document: Document, one: Reply, other: Reply) -> None:
        found.update((PAIRS, f"channel {document.channel.name}", f"tier {observer.tier}", f"status {one.status}"))
        found[TOLD] += one.body.startswith(b'{"data":{')
        is_masked = b'"INTERNAL"' in one.body + other.body
        if is_masked or one != other:
            found[VIOLATION] += 1
            found[f"violation {document.channel.name}: {document.what}"] += 1
            found[INTERNAL] += is_masked

    asker = Asker(world, observer, Random(f"{seed} documents"))
    asyncio.run(_ask_both(asker, Served(world, [observer]), Served(twin, [observer]), observer, compare))
    # Documents are spread evenly over the things that a world names, or touch them all.
    found[NEAR] = int(found[PAIRS] * near_share(world, twin))
    return found


@cache
def settle() -> None:
    """Load what every case of this process needs, and keep the collector from looking at it again."""
    for tier in default_policy().tiers:
        make_schema(tier)
    gc.collect()
    gc.freeze()


def draw_concrete_pair(seed: int) -> tuple[Observer, World, World]:
    """Draw a pair as `draw_pair` does, of things in concrete schemata: no importer makes others, and the API has none."""
    observer = ASKING[seed % len(ASKING)]
    world = make_concrete_world(seed, sight_of(observer).evenly)
    return observer, world, make_twin(world, observer, Random(f"{seed} twin"))


def make_concrete_world(seed: int, favoured: Sequence[Label] = ()) -> World:
    """Draw a world of things in concrete schemata."""
    drawn = make_world(Random(seed), favoured)
    return replace(drawn, things=tuple(_make_concrete(thing, drawn) for thing in drawn.things))


def _make_concrete(thing: Thing, world: World) -> Thing:
    return replace(thing, schema=world.keys[thing.key]) if default_ontology()[thing.schema].abstract else thing


async def _ask_both(asker: Asker, one: Served, other: Served, observer: Observer, compare: Compare) -> None:
    """Ask both in turn, so that what the one was asked cannot stay with the other unnoticed."""

    async def post(body: bytes) -> Reply:
        return await one.post(observer, body)

    async def ask(documents: Asking) -> None:
        async for document, reply in ask_in_turn(documents, post):
            compare(document, reply, await other.post(observer, document.body))

    one.now = other.now = EARLY
    await ask(asker.watching())
    one.now = other.now = NOW
    for served in (one, other):
        check_watches(served.store, lambda: NOW)
    await ask(asker.reading())
    await ask(asker.writing())


async def ask_in_turn(documents: Asking, post: Post) -> AsyncIterator[tuple[Document, Reply]]:
    """Post documents, each drawn in view of the answers before it; yield them with their answers."""
    document = next(documents, None)
    while document:
        reply = await post(document.body)
        yield document, reply
        try:
            document = documents.send(reply.read())
        except StopIteration:
            return


def show_coverage(tally: Tally) -> None:
    """Print how often each channel, tier and status was tried, and what was violated."""
    print(f"  {TOLD}: {tally.counts[TOLD]:,}")
    for prefix in ("channel", "tier", "status", "violation"):
        for name, count in sorted(tally.counts.items()):
            if name.startswith(f"{prefix} "):
                print(f"  {name}: {count:,}")


if __name__ == "__main__":
    main()
