"""Load: what many clients at once get of one service, in time, in refusals and in memory.

A store of `n` invented records, as `bench/view.py` makes it, on the embedded
engine, is served by `vinculum serve` in a process of its own. Each client asks
over a connection of its own, one question after the other, for 50 entities
of ten fields by their ids (`nodes`), the entities drawn anew for each question.

- 32 clients: every question is answered.
- 256 clients: more than are let in and may wait. What is answered is answered in
  time, the rest are refused cleanly: status 503, with Retry-After, and an error in
  GraphQL's form. A client that is refused waits as long as it is told.
- `--minutes` of 32 clients, after a minute that fills what is kept: the resident
  memory of the service at the end over that at the start.

The clients are threads of this process and share its processors with the
service and the engine, so the times are those of a machine that does all three.
"""

import argparse
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random

import orjson

from bench.goal import print_goal
from bench.peers.service import Service, bolt_store, open_pipeline, serve
from bench.view import OBSERVERS, load

NODES = 50
ASKER = OBSERVERS[0]
QUERY = (
    "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Entity { id schema caption } ... on Person "
    "{ name firstName lastName birthDate nationality gender passportNumber } ... on Advertisement "
    "{ title bodyText location publishedAt price currency phone } ... on Phone "
    "{ number country } } }"
)
_SECONDS = 20.0


@dataclass(slots=True)
class Seen:
    """What clients saw: seconds of each answer, refusals, and whatever else there was."""

    answered: list[float] = field(default_factory=list)
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Seen") -> None:
        """Take in what another client saw."""
        self.answered += other.answered
        self.refused += other.refused
        self.faults += other.faults

    def p(self, part: float) -> float:
        """Return the time in which a part of the answers came, in ms."""
        ordered = sorted(self.answered)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1_000 if ordered else float("inf")


def main() -> None:
    """Run the loads and print the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="records")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of each load")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the load under which memory is watched")
    args = parser.parse_args()
    with open_pipeline("embedded") as pipeline:
        store = bolt_store(pipeline)
        loaded = load(store, args.n)
        store.put_observer(ASKER)
        view = store.view(ASKER)
        ids = [view.handle("entity", thing) for thing in sorted(view.visible_things(loaded.things))]
        with serve(pipeline) as service:
            # What was just started is slow for some seconds.
            ask_all(service, ids, 32, args.seconds / 2)
            few, many = (ask_all(service, ids, clients, args.seconds) for clients in (32, 256))
            show(32, few)
            show(256, many)
            kept = _watch_memory(service, ids, args.minutes * 60)
    print_goal("load_32_clients_p99_ms", round(few.p(0.99), 1), "<=", 500)
    print_goal("load_32_clients_not_answered", few.refused + few.faults.total(), "==", 0)
    print_goal("load_256_clients_p99_ms", round(many.p(0.99), 1), "<=", 1_000)
    print_goal("load_256_clients_faults", many.faults.total(), "==", 0)
    print_goal("load_memory_growth", round(kept, 3), "<=", 1.05)


def ask_all(service: Service, ids: Sequence[str], clients: int, seconds: float) -> Seen:
    """Let so many clients ask for so long, and return what they saw together."""
    seen = [Seen() for _ in range(clients)]
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_ask, args=(service, ids, Random(number), until, one))
        for number, one in enumerate(seen)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = Seen()
    for one in seen:
        total.add(one)
    return total


def show(clients: int, seen: Seen) -> None:
    """Print what clients saw."""
    print(
        f"{clients} clients: {len(seen.answered):,} answered, {seen.refused:,} refused, {dict(seen.faults)} faults;"
        f" p50 {seen.p(0.5):.1f} ms, p99 {seen.p(0.99):.1f} ms, longest {seen.p(1.0):.1f} ms"
    )


def _ask(service: Service, ids: Sequence[str], random: Random, until: float, seen: Seen) -> None:
    headers, connection = service.headers(ASKER.name), HTTPConnection("127.0.0.1", service.port, timeout=30)
    while time.monotonic() < until:
        body = orjson.dumps({"query": QUERY, "variables": {"ids": random.sample(ids, min(NODES, len(ids)))}})
        started = time.perf_counter()
        try:
            connection.request("POST", "/graphql", body, headers)
            response = connection.getresponse()
            answer = orjson.loads(response.read())
        except (OSError, HTTPException, orjson.JSONDecodeError) as exc:
            seen.faults[type(exc).__name__] += 1
            connection.close()
            continue
        if response.status == 200 and "errors" not in answer:
            seen.answered.append(time.perf_counter() - started)
        elif response.status == 503 and answer["errors"][0]["extensions"]["code"] == "OVERLOADED":
            seen.refused += 1
            time.sleep(float(response.headers["Retry-After"]))
        else:
            seen.faults[f"status {response.status}"] += 1
    connection.close()


def _watch_memory(service: Service, ids: Sequence[str], seconds: float) -> float:
    """Return the resident memory of the service after a load over that before; the first tenth of the time is left out."""
    ask_all(service, ids, 32, seconds / 10)
    before = _resident_mb(service.pid)
    seen = ask_all(service, ids, 32, seconds)
    after = _resident_mb(service.pid)
    print(
        f"{seconds / 60:g} minutes: {len(seen.answered):,} answered, {seen.faults.total()} faults;"
        f" {before:.0f} MB before, {after:.0f} MB after"
    )
    return after / before


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1_024


if __name__ == "__main__":
    main()
