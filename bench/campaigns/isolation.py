"""Isolation: what many clients get of one process at once is, byte for byte, what each of them gets alone.

Each case draws a world. Every one of 64 clients, eight of each tier that sees
something, first asks its documents alone, of a process that serves nobody else
before or after. Then one process with one app and one store serves them all at
once, several rounds, each client in another order every time. An answer that is
not the client's own is a violation; it is mixed when it is what another client
gets for the same document.

Threads are made to take turns ten times as often as usual, so that they
meet in the middle of things. Not covered: several processes behind one address,
which share nothing but the engine, and clients that write while others read
(the `sequences` and `revocation` campaigns).
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from random import Random
from typing import TypeVar

from bench.campaigns.campaign import VIOLATION, Tally, read_arguments, run_cases
from bench.campaigns.graphql import Reply, Served, ask_in_turn, make_concrete_world, settle
from bench.goal import print_goal
from graph.watches import check_watches
from ontology.observer import Observer
from ontology.policy import Sees
from ontology.policy_file import default_policy
from tests.worlds.documents import Asker, Document
from tests.worlds.questions import EARLY
from tests.worlds.world import NOW, OBSERVERS, World

ANSWERS = "answers"
MIXED = "mixed answers"
CLIENTS_A_TIER = 8
ROUNDS = 8
# Answers of one client that a round gives on average, a little less.
ANSWERS_A_ROUND = 40
_TURN_S = 5e-4

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A document, and what one client got for it alone."""

    document: Document
    reply: Reply


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 100_000)
    cases = -(-n // (ANSWERS_A_ROUND * ROUNDS * len(make_clients())))
    tally = run_cases(try_world, range(seed, seed + cases), chunk=1)
    tally.show(ANSWERS)
    show_coverage(tally)
    print_goal("isolation_violations", tally.violations, "==", 0)
    print_goal("isolation_mixed_answers", tally.counts[MIXED], "==", 0)
    print_goal("isolation_answers", tally.counts[ANSWERS], ">=", n)
    tiers = {client.tier for client in make_clients()}
    print_goal("isolation_tiers", sum(tally.counts[f"tier {tier}"] > 0 for tier in tiers), "==", 8)
    print_goal("isolation_clients", len(make_clients()), "==", 64)


def make_clients(a_tier: int = CLIENTS_A_TIER) -> list[Observer]:
    """Return the clients: of each tier by turns with the rights of its observers, a quarter in other organisations."""
    clients = []
    for tier in default_policy().tiers.values():
        known = [observer for observer in OBSERVERS if observer.tier == tier.name]
        for number in range(a_tier if tier.sees is not Sees.NOTHING else 0):
            rights = known[number % len(known)]
            organisation = f"ELSEWHERE {number}" if number % 4 == 3 else rights.organisation
            clients.append(replace(rights, name=f"{tier.name} {number}", organisation=organisation))
    return clients


def try_world(seed: int, *, a_tier: int = CLIENTS_A_TIER, rounds: int = ROUNDS) -> Counter[str]:
    """Compare what all clients get at once with what each of them gets alone."""
    clients = make_clients(a_tier)
    settle()
    for client in clients:
        Asker(make_concrete_world(seed), client, Random())
    # Nothing is asked of this process, so that each child begins as if nobody had ever asked.
    alone = {client: apart(partial(ask_alone, seed, client)) for client in clients}
    return apart(partial(ask_together, seed, alone, rounds))


def apart(work: Callable[[], Answer]) -> Answer:
    """Return what a call gives in a process of its own, a copy of this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(work).result()


def ask_alone(seed: int, client: Observer) -> list[Exchange]:
    """Return what a client asks of a world, and gets when nobody else is there."""
    world = make_concrete_world(seed)
    asker = Asker(world, client, Random(f"{seed} {client.name}"))
    exchanges: list[Exchange] = []

    async def ask() -> None:
        served = await _serve(world, {client: asker})
        async for document, reply in ask_in_turn(asker.reading(), partial(served.post, client)):
            exchanges.append(Exchange(document, reply))

    asyncio.run(ask())
    return exchanges


def ask_together(seed: int, alone: Mapping[Observer, Sequence[Exchange]], rounds: int) -> Counter[str]:
    """Count, of what all clients get at once, what is not what each of them got alone."""
    world, random = make_concrete_world(seed), Random(f"{seed} order")
    askers = {client: Asker(world, client, Random(f"{seed} {client.name}")) for client in alone}
    theirs = {(e.document.body, e.reply) for exchanges in alone.values() for e in exchanges}
    found: Counter[str] = Counter()

    async def ask(served: Served, client: Observer, exchanges: Sequence[Exchange]) -> None:
        for exchange in random.sample(exchanges, len(exchanges)):
            reply = await served.post(client, exchange.document.body)
            found.update((ANSWERS, f"tier {client.tier}", f"channel {exchange.document.channel.name}"))
            if reply != exchange.reply:
                found[VIOLATION] += 1
                found[MIXED] += (exchange.document.body, reply) in theirs
                found[f"violation {exchange.document.what}"] += 1

    async def ask_all() -> None:
        served = await _serve(world, askers)
        for _ in range(rounds):
            await asyncio.gather(*(ask(served, client, exchanges) for client, exchanges in alone.items()))

    sys.setswitchinterval(_TURN_S)
    asyncio.run(ask_all())
    return found


async def _serve(world: World, askers: dict[Observer, Asker]) -> Served:
    """Serve a world of which some clients have watched what they could, and were told what came."""
    served = Served(world, askers)
    served.now = EARLY
    for client, asker in askers.items():
        async for _ in ask_in_turn(asker.watching(), partial(served.post, client)):
            pass
    served.now = NOW
    check_watches(served.store, lambda: NOW)
    return served


def show_coverage(tally: Tally) -> None:
    """Print how often each tier and channel was tried, and what was violated."""
    for prefix in ("channel", "tier", "violation"):
        for name, count in sorted(tally.counts.items()):
            if name.startswith(f"{prefix} "):
                print(f"  {name}: {count:,}")


if __name__ == "__main__":
    main()
