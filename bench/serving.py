"""Serving: what answering GraphQL costs, over writing the same answer as JSON.

From memory: `n` invented entities under 120 labels, of twelve scalars and five
neighbours each, are held as a View holds them, untreated, and one document asks
for all of them. The policy is at work in all but the floors, the all-clear
observer and the peer.

Over HTTP, each server a process of its own on loopback, one connection, the
processor time of the server per request:

- floor: a bare Starlette handler with `orjson.dumps` of the finished answer.
- ours, for the first time: the guard, the record executor and JSON for entities
  that nobody was shown before; again: with what was shown kept as fragments; by
  the id of a trusted document. Relay is the same entities as a connection, against
  the floor of that answer.
- mercurius with graphql-jit, where there is Node: it redacts nothing.

In process, from the document to bytes:

- ours again, and all clear: the same for an observer to whom everything is clear;
  what ours takes beyond that is the policy's share.
- stock: Strawberry as it comes, with a field extension that treats each value as
  the policy says; it answers for the same entities with the same fields.

Parsing and validating are remembered by all alike. Medians of processor time
over rounds taken by turns. Not here: the store, tokens, admission.
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from api.collector import settle
from api.trusted import make_id
from bench.goal import print_goal
from bench.peers.held import ANALYST, PLAIN, RELAY, STOCK, Held, ask_ours, ask_stock
from ontology.observer import SYSTEM

SIZES = (50, 500, 5_000)
HTTP_GOALS = {50: 5.0, 500: 3.0, 5_000: 3.0}
WARM_GOALS = {50: 2.5, 500: 1.6, 5_000: 1.6}
PEER = Path(__file__).parent / "peers" / "mercurius"
_ROUND_S = 0.15
_MOST = 200

Way = Callable[[], Awaitable[bytes]]


def main() -> None:
    """Measure each size and print the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=max(SIZES), help="entities at most")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    sizes = [size for size in SIZES if size <= args.n]
    measure_served(sizes, args.rounds)
    asyncio.run(measure_all(sizes, args.rounds))


@dataclass(frozen=True, slots=True)
class Asked:
    """One way of asking over HTTP: at which server, where, and what."""

    server: HTTPConnection
    path: str
    body: bytes

    def ask(self) -> bytes:
        """Return the answer."""
        self.server.request("POST", self.path, self.body, {"Content-Type": "application/json"})
        response = self.server.getresponse()
        found = response.read()
        if response.status != 200:
            raise RuntimeError(f"expected an answer, found status {response.status}")
        return found

    def cpu_ms(self) -> float:
        """Return the processor time that the server took so far."""
        self.server.request("GET", "/cpu")
        return float(self.server.getresponse().read())

    def measure(self, times: int) -> float:
        """Return the milliseconds of processor time that the server takes for a request."""
        before = self.cpu_ms()
        for _ in range(times):
            self.ask()
        return (self.cpu_ms() - before) / times


def measure_served(sizes: Sequence[int], rounds: int) -> None:
    """Measure all ways of answering over HTTP by turns, print their times and goals."""
    with ExitStack() as stack:
        served = stack.enter_context(_serve([sys.executable, "-m", "bench.peers.served", *map(str, sizes)]))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        peer = _serve_peer(stack, folder, served, sizes)
        for size in sizes:
            _measure_size(size, _ways(size, served, peer), rounds)


def _ways(size: int, served: HTTPConnection, peer: HTTPConnection | None) -> dict[str, Asked]:
    plain, relay, by_id = (
        orjson.dumps(asked) for asked in ({"query": PLAIN}, {"query": RELAY}, {"documentId": make_id(PLAIN)})
    )
    of_peer = orjson.dumps({"query": _peer_document(size)})
    return {
        "floor": Asked(served, f"/floor/{size}", b"{}"),
        "floor of relay": Asked(served, f"/floor_relay/{size}", b"{}"),
        "ours, first time": Asked(served, f"/cold/{size}", plain),
        "ours, again": Asked(served, f"/ours/{size}", plain),
        "ours, by id": Asked(served, f"/trusted/{size}", by_id),
        "relay, again": Asked(served, f"/ours/{size}", relay),
        **({"mercurius + jit": Asked(peer, "/graphql", of_peer)} if peer else {}),
    }


def _peer_document(size: int) -> str:
    # Its type is one, ours an interface with the type of each schema.
    return PLAIN.replace("entities", f"entities(size: {size})", 1).replace("... on Person", "... on Entity")


def _measure_size(size: int, ways: Mapping[str, Asked], rounds: int) -> None:
    answers = {name: orjson.loads(way.ask()) for name, way in ways.items()}
    for name in ("ours, first time", "ours, again", "ours, by id", *(["mercurius + jit"] if len(ways) > 6 else [])):
        if answers[name] != answers["floor"]:
            raise RuntimeError(f"{name}: expected the answer of the others, found another")
    times = {name: max(1, min(_MOST, int(_ROUND_S * 1_000 / way.measure(5)))) for name, way in ways.items()}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            took[name].append(way.measure(times[name]))
    ms = {name: median(found) for name, found in took.items()}
    floors = {name: ms["floor of relay" if name.startswith("relay") else "floor"] for name in ms}
    print(f"over HTTP: {size} entities, {len(orjson.dumps(answers['floor'])):,} bytes, ms:")
    for name, found in ms.items():
        print(f"  {name:18} {found:9.3f}   {found / floors[name]:7.2f} x floor")

    def goal(what: str, name: str, most: float) -> None:
        print_goal(f"serving_{size}_{what}_over_floor", round(ms[name] / floors[name], 2), "<=", most)

    goal("first", "ours, first time", HTTP_GOALS[size])
    goal("warm", "ours, by id" if size == min(HTTP_GOALS) else "ours, again", WARM_GOALS[size])
    goal("relay", "relay, again", 5.0)
    if size >= 500 and "mercurius + jit" in ms:
        ratio = ms["ours, first time"] / ms["mercurius + jit"]
        print_goal(f"serving_{size}_over_mercurius_jit", round(ratio, 2), "<=", 1.0)


@contextmanager
def _serve(command: Sequence[str]) -> Iterator[HTTPConnection]:
    """Start a server that prints its port, and connect to it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with closing(HTTPConnection("127.0.0.1", int(process.stdout.readline()))) as server:
                yield server
        finally:
            process.kill()


def _serve_peer(stack: ExitStack, folder: Path, served: HTTPConnection, sizes: Sequence[int]) -> HTTPConnection | None:
    """Start mercurius with the answers of our own server; None where there is no Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("mercurius + jit: not measured: expected node and npm on the path, found none")
        return None
    if not (PEER / "node_modules").exists():
        subprocess.run([npm, "ci", "--silent"], cwd=PEER, check=True)
    floors = {size: orjson.loads(Asked(served, f"/floor/{size}", b"{}").ask()) for size in sizes}
    held = folder / "entities.json"
    held.write_bytes(orjson.dumps({str(size): found["data"]["entities"] for size, found in floors.items()}))
    return stack.enter_context(_serve([node, str(PEER / "server.mjs"), str(held)]))


async def measure_all(sizes: Sequence[int], rounds: int) -> None:
    """Measure each size in process, all in one task, as a server's threads live as long as it does."""
    for size in sizes:
        await measure(size, rounds)


async def measure(size: int, rounds: int) -> None:
    """Take all ways of answering in process by turns, print their times and goals."""
    held, clear = (Held.make(size, observer) for observer in (ANALYST, SYSTEM))
    ways: dict[str, Way] = {
        "ours, first time": partial(ask_ours, PLAIN, held, is_cold=True),
        "all clear, first time": partial(ask_ours, PLAIN, clear, is_cold=True),
        "stock": partial(ask_stock, STOCK, held),
    }
    answers = {name: orjson.loads(await way()) for name, way in ways.items()}
    _compare(answers["ours, first time"]["data"]["entities"], answers["stock"]["data"]["stock"])
    settle()
    floor: Mapping[str, Way] = {"floor": partial(_dump, answers["ours, first time"])}
    times = await _take_turns({**floor, **ways}, {"stock": max(3, rounds // 5)}, rounds)
    print(f"in process: {size} entities, ms:")
    for name, took in times.items():
        print(f"  {name:22} {took:9.3f}   {took / times['floor']:7.1f} x floor")
    share = times["ours, first time"] / times["all clear, first time"]
    print_goal(f"serving_{size}_policy_share", round(share, 2), "<=", 1.15)
    if size >= 500:
        ratio = times["stock"] / times["ours, first time"]
        print_goal(f"serving_{size}_stock_over_ours", round(ratio, 1), ">=", 40.0)


async def _dump(answer: object) -> bytes:
    return orjson.dumps(answer)


def _compare(ours: Sequence[Mapping[str, Any]], stock: Sequence[Mapping[str, Any]]) -> None:
    if list(ours) != list(stock):
        raise RuntimeError("expected the same answer of both, found two")


async def _take_turns(ways: Mapping[str, Way], fewer: Mapping[str, int], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each way; `fewer` are the rounds of those that take long."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in _iter_due(ways, fewer, number):
            started = time.process_time()
            await ways[name]()
            times[name].append((time.process_time() - started) * 1_000)
    return {name: median(took) for name, took in times.items()}


def _iter_due(ways: Mapping[str, object], fewer: Mapping[str, int], number: int) -> Iterator[str]:
    yield from (name for name in ways if number < fewer.get(name, number + 1))


if __name__ == "__main__":
    main()
