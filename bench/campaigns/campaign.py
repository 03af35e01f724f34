"""How a campaign runs: cases from consecutive seeds, over all processors, counted."""

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

VIOLATION = "violations"
_SHOWN = 20

Try = Callable[[int], Counter[str]]


@dataclass(frozen=True, slots=True)
class Tally:
    """What the cases of a campaign counted; `seeds` are those in which something was violated."""

    counts: Counter[str]
    seeds: tuple[int, ...]
    cases: int
    first: int
    seconds: float

    @property
    def violations(self) -> int:
        """How often the law was broken."""
        return self.counts[VIOLATION]

    def show(self, what: str) -> None:
        """Print how much was tried, how fast, and where it failed."""
        rate = self.counts[what] / self.seconds
        print(
            f"{self.counts[what]:,} {what} in {self.cases:,} cases from seed {self.first}"
            f" in {self.seconds:.0f} s, {rate:,.0f} a second"
        )
        for seed in self.seeds[:_SHOWN]:
            print(f"  VIOLATION seed {seed}")


def read_arguments(description: str | None, default: int) -> tuple[int, int]:
    """Return `--n` and `--seed` of the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--n", type=int, default=default)
    parser.add_argument("--seed", type=int, default=1, help="the first case")
    args = parser.parse_args()
    return args.n, args.seed


def run_cases(try_case: Try, seeds: Sequence[int], *, chunk: int = 20, processes: int | None = None) -> Tally:
    """Try a case for each seed, over so many processes (None: one a processor), and add up what they count."""
    started = time.monotonic()
    counts: Counter[str] = Counter()
    failed: list[int] = []
    with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
        for seed, found in zip(seeds, pool.map(try_case, seeds, chunksize=chunk), strict=True):
            counts += found
            failed += [seed] if found[VIOLATION] else []
    return Tally(counts, tuple(failed), len(seeds), seeds[0], time.monotonic() - started)
