"""Non-interference on a real Neo4j: the same pairs of stores as on the reference, and every answer equal to its bytes.

Each case draws a world and its twin as `noninterference` does, fills them one
after the other into the emptied database, and puts the same questions to each.
A pair is one question that was put to both: it holds when both answers of the
engine and both of the reference are the same bytes. An answer that differs
from the reference's is counted apart, since it may leak nothing. The server is
found or started as for the tests; without one the goals are missed.
"""

from collections import Counter
from contextlib import ExitStack
from itertools import count
from random import Random
from time import monotonic

from bench.campaigns.campaign import VIOLATION, Tally, read_arguments
from bench.campaigns.noninterference import NEAR, PAIRS, near_share
from bench.goal import print_goal
from graph.bolt import BoltStore
from ontology.observer import Observer
from tests.engines.neo4j import RELEASES, Server, Unavailable, open_server
from tests.engines.running import wipe
from tests.factory import SECRET
from tests.worlds.questions import Answer, iter_answers
from tests.worlds.twin import draw_pair
from tests.worlds.world import NOW, World, build, fill

STRANGE = "answers unlike the reference's"


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 1_000)
    with ExitStack() as stack:
        server = _find_server(stack)
        tally = run_pairs(server, n, seed) if server else Tally(Counter(), (), 0, seed, 1.0)
    tally.show(PAIRS)
    for name, times in sorted(tally.counts.items()):
        if name.startswith(("channel ", "tier ", "violation ")):
            print(f"  {name}: {times:,}")
    print_goal("neo4j_violations", tally.violations, "==", 0)
    print_goal("neo4j_unlike_reference", tally.counts[STRANGE], "==", 0)
    print_goal("neo4j_pairs", tally.counts[PAIRS], ">=", n)
    print_goal("neo4j_near_share", tally.counts[NEAR] / max(1, tally.counts[PAIRS]), ">=", 0.4)


def run_pairs(server: Server, n: int, first: int) -> Tally:
    """Try worlds from consecutive seeds until so many pairs were compared; one at a time, for there is one database."""
    started = monotonic()
    counts: Counter[str] = Counter()
    failed: list[int] = []
    for seed in count(first):
        found = try_world(server, seed)
        counts += found
        failed += [seed] if found[VIOLATION] or found[STRANGE] else []
        if counts[PAIRS] >= n:
            return Tally(counts, tuple(failed), seed - first + 1, first, monotonic() - started)
    raise AssertionError("seeds do not end")


def try_world(server: Server, seed: int) -> Counter[str]:
    """Compare every answer of a world on the engine with its twin's, and both with the reference's."""
    observer, world, twin = draw_pair(seed)
    found: Counter[str] = Counter()
    answered = zip(
        *(_ask(server, w, observer, seed) for w in (world, twin)),
        *(_ask_reference(w, observer, seed) for w in (world, twin)),
        strict=True,
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


def _find_server(stack: ExitStack) -> Server | None:
    for release in RELEASES:
        try:
            server = stack.enter_context(open_server(release))
        except Unavailable as exc:
            print(f"{release.name}: not run: {exc}")
        else:
            print(f"{release.name}: {server.version} ({server.how})")
            return server
    return None


if __name__ == "__main__":
    main()
