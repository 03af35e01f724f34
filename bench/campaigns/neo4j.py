"""Non-interference on a real Neo4j: the same pairs of stores as on the reference, and every answer equal to its bytes.

Each case draws a world and its twin as `noninterference` does, fills them one
after the other into the emptied database, and puts the same questions to each.
A pair is one question that was put to both: it holds when both answers of the
engine and both of the reference are the same bytes. An answer that differs
from the reference's is counted apart, since it may leak nothing. Two servers
are started as for the tests, or the one that is named is used; without any
the goals are missed.
"""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import chain, zip_longest
from multiprocessing import get_context
from random import Random
from time import monotonic

from bench.campaigns.campaign import VIOLATION, Tally, read_arguments
from bench.campaigns.noninterference import NEAR, PAIRS, PAIRS_A_WORLD, near_share
from bench.goal import print_goal
from graph.bolt import BoltStore
from ontology.observer import Observer
from tests.engines.neo4j import RELEASES, Server, Unavailable, open_server
from tests.engines.running import wipe
from tests.factory import SECRET
from tests.worlds.questions import Answer, Channel, iter_answers
from tests.worlds.twin import draw_pair
from tests.worlds.world import NOW, World, build, fill

STRANGE = "answers unlike the reference's"
NOTHING: Answer = (Channel.EXISTENCE, "nothing more", b"")
LANES = 2


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 1_000)
    with ExitStack() as stack:
        servers = _find_servers(stack)
        worlds = range(seed, seed - (-n // PAIRS_A_WORLD))
        tally = run_worlds(servers, worlds) if servers else Tally(Counter(), (), 0, seed, 1.0)
    tally.show(PAIRS)
    for name, times in sorted(tally.counts.items()):
        if name.startswith(("channel ", "tier ", "violation ")):
            print(f"  {name}: {times:,}")
    print_goal("neo4j_violations", tally.violations, "==", 0)
    print_goal("neo4j_unlike_reference", tally.counts[STRANGE], "==", 0)
    print_goal("neo4j_pairs", tally.counts[PAIRS], ">=", n)
    print_goal("neo4j_near_share", tally.counts[NEAR] / max(1, tally.counts[PAIRS]), ">=", 0.4)


def run_worlds(servers: Sequence[Server], seeds: Sequence[int]) -> Tally:
    """Try a world for each seed, one at a time on each server, for a server has one database."""
    started = monotonic()
    counts: Counter[str] = Counter()
    # A driver's threads do not survive a fork.
    with ProcessPoolExecutor(len(servers), mp_context=get_context("spawn")) as pool:
        lanes = [pool.submit(try_worlds, server, seeds[i :: len(servers)]) for i, server in enumerate(servers)]
        found = sorted(chain.from_iterable(lane.result() for lane in lanes), key=lambda case: case[0])
    for _, case in found:
        counts += case
    failed = tuple(seed for seed, case in found if case[VIOLATION] or case[STRANGE])
    return Tally(counts, failed, len(seeds), seeds[0], monotonic() - started)


def try_worlds(server: Server, seeds: Sequence[int]) -> list[tuple[int, Counter[str]]]:
    """Try worlds one after the other."""
    return [(seed, try_world(server, seed)) for seed in seeds]


def try_world(server: Server, seed: int) -> Counter[str]:
    """Compare every answer of a world on the engine with its twin's, and both with the reference's."""
    observer, world, twin = draw_pair(seed)
    found: Counter[str] = Counter()
    answered = zip_longest(
        *(_ask(server, w, observer, seed) for w in (world, twin)),
        *(_ask_reference(w, observer, seed) for w in (world, twin)),
        # Where more can be asked of one than of the other, that is a difference too.
        fillvalue=NOTHING,
    )
    for answer, other, *references in answered:
        found[PAIRS] += 1
        found[f"channel {answer[0].name}"] += 1
        found[f"tier {observer.tier}"] += 1
        if answer != other:
            found[VIOLATION] += 1
            found[f"violation {answer[0].name}: {answer[1]}"] += 1
        found[STRANGE] += sum(one != same for one, same in zip((answer, other), references, strict=True))
    found[NEAR] = int(found[PAIRS] * near_share(world, twin))
    return found


def _ask(server: Server, world: World, observer: Observer, seed: int) -> list[Answer]:
    wipe(server)
    # Opened anew for each world, so that nothing remembered from one can answer for another.
    with _open(server) as store:
        fill(world, store)
        return [*iter_answers(world, store, observer, Random(f"{seed} questions"))]


def _ask_reference(world: World, observer: Observer, seed: int) -> list[Answer]:
    return [*iter_answers(world, build(world), observer, Random(f"{seed} questions"))]


def _open(server: Server) -> BoltStore:
    return BoltStore(
        server.address, server.user, server.password, database=server.database, secret=SECRET, clock=lambda: NOW
    )


def _find_servers(stack: ExitStack) -> list[Server]:
    """Return servers of the first release that can be had: the one that is named, or as many as are tried at once."""
    for release in RELEASES:
        try:
            servers = [stack.enter_context(open_server(release))]
        except Unavailable as exc:
            print(f"{release.name}: not run: {exc}")
            continue
        if not os.environ.get("NEO4J_URI"):
            servers += [stack.enter_context(open_server(release)) for _ in range(LANES - 1)]
        print(f"{release.name}: {servers[0].version} ({servers[0].how}), {len(servers)} at once")
        return servers
    return []


if __name__ == "__main__":
    main()
