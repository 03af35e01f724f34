"""Non-interference: pairs of stores that differ only in what one observer may not see, on the reference store.

Each case draws a small world from its seed, changes hidden things in it, and
compares every answer of both byte for byte. Prints how many pairs differed in
anything at all (a pair that does not proves nothing) and the seed of each
violation; `tests/graph/worlds.py` says what is drawn and what is asked.
"""

import argparse
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random

from bench.goal import print_goal
from ontology.observer import Observer
from tests.graph.worlds import OBSERVERS, make_twin, make_world, observe

CHUNK = 50


def main() -> None:
    """Run the campaign and print its goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2_000, help="how many pairs of stores")
    parser.add_argument("--seed", type=int, default=1, help="the first case")
    args = parser.parse_args()
    started = time.monotonic()
    cases = [(seed, OBSERVERS[seed % len(OBSERVERS)]) for seed in range(args.seed, args.seed + args.n)]
    counts: Counter[str] = Counter()
    violations: list[int] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for observer, differs, violation in pool.map(_try, *zip(*cases, strict=True), chunksize=CHUNK):
            counts[observer] += differs
            violations += [violation] if violation is not None else []
    seconds = time.monotonic() - started
    print(f"{args.n} pairs from seed {args.seed} in {seconds:.0f} s, {args.n / seconds:.0f} a second")
    for tier, differing in sorted(counts.items()):
        print(f"  {tier}: {differing} pairs that differ in something hidden")
    for seed in violations[:20]:
        print(f"  VIOLATION seed {seed}")
    print_goal("noninterference_violations", len(violations), "==", 0)
    print_goal("noninterference_hidden_difference_share", sum(counts.values()) / args.n, ">=", 0.4)


def _try(seed: int, observer: Observer) -> tuple[str, bool, int | None]:
    """Return the tier, whether the pair differs at all, and the seed if an answer does."""
    world = make_world(Random(seed))
    twin = make_twin(world, observer, Random(seed + 1))
    is_leak = observe(world, observer) != observe(twin, observer)
    return observer.tier, world != twin, seed if is_leak else None


if __name__ == "__main__":
    main()
