"""Leaks: mistakes that a developer could make, two for each leak channel, put into the code one at a time and hunted.

Every hunt runs in a process of its own: the mistake is patched in, and its
detector, which is another campaign or a probe of `tests/planted`, tries one
case after the other until it finds a violation or its time is up. Before that,
each detector must find nothing in the code as it is in the same time, which is
that of its processor. The seconds that are printed are those of the clock, from
planting on. A detector that stops with an error has found nothing.
"""

import argparse
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count, zip_longest
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random
from statistics import median

import pytest

from bench.campaigns import cubes, graphql, laws, policy, sequences
from bench.campaigns.campaign import VIOLATION
from bench.goal import print_goal
from bench.oracles.plain import PlainReading, read_document
from ontology.policy_file import POLICY_FILE
from tests.planted import PLANTS, Detector, Plant, probes
from tests.worlds.questions import iter_answers
from tests.worlds.twin import draw_pair
from tests.worlds.world import build

SECONDS = 12.0
RUNS_AT_ONCE = 5
CASES_AT_ONCE = 500
DECISIONS_AT_ONCE = 10_000

# How long to wait for a hunt: its process has to start, and shares its processor with others.
_START_S, _PATIENCE = 120.0, 10

Tries = Iterator[str | None]
Job = tuple[str | None, Detector]


@dataclass(frozen=True, slots=True)
class Hunt:
    """What came of a hunt: what was found (None: nothing), or the kind of error that stopped it."""

    found: str | None
    stopped: str | None
    tries: int
    seconds: float


def main() -> None:
    """Run the campaign and print its goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=len(PLANTS), help="how many leaks, in order of their channels")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor time that each hunt may take")
    args = parser.parse_args()
    chosen = PLANTS[: args.n]
    detectors = sorted({plant.detector for plant in chosen})
    clean = list(_show(_hunt_all([(None, detector) for detector in detectors], args.seconds)))
    hunts = list(_show(_hunt_all([(plant.name, plant.detector) for plant in chosen], args.seconds)))
    found = [hunted.seconds for hunted in hunts if hunted.found]
    print_goal("leaks_found", len(found), "==", args.n)
    print_goal("leaks_median_s", median(found or [args.seconds]), "<=", 60)
    print_goal("leaks_false_alarms", sum(bool(hunted.found or hunted.stopped) for hunted in clean), "==", 0)


def _show(hunts: Iterable[tuple[Job, Hunt]]) -> Iterator[Hunt]:
    """Print what came of each hunt as it ends: the channel, what was planted, what hunted for it, whether it was found."""
    for (name, detector), hunted in hunts:
        channel = find_plant(name).channel if name else ""
        came = f"{_describe(hunted)} in {hunted.tries} tries, {hunted.seconds:.2f} s"
        print(f"{channel:>2} {name or 'nothing planted':<50} {detector:<16} {came}", flush=True)
        yield hunted


def hunt(name: str | None, detector: Detector, seconds: float) -> Hunt:
    """Plant a leak (None: none) and let a detector look for it for so many seconds of this process, and any of others."""
    tries, started, spent = 0, time.monotonic(), time.process_time()
    with pytest.MonkeyPatch.context() as monkeypatch:
        if name is not None:
            find_plant(name).apply(monkeypatch.setattr)
        try:
            for found in DETECTORS[detector]():
                tries += 1
                if found or time.process_time() - spent > seconds:
                    return Hunt(found, None, tries, time.monotonic() - started)
        except Exception as exc:
            return Hunt(None, f"{type(exc).__name__}: {exc}", tries, time.monotonic() - started)
    return Hunt(None, None, tries, time.monotonic() - started)


def find_plant(name: str) -> Plant:
    """Return a planted leak by its name."""
    return next(plant for plant in PLANTS if plant.name == name)


def _hunt_all(jobs: Sequence[Job], seconds: float) -> Iterator[tuple[Job, Hunt]]:
    """Hunt each in a fresh process, as many at once as there are processors; whatever takes times comes last, alone."""
    for is_timed in (False, True):
        chosen = [job for job in jobs if (job[1] is Detector.TIMING) == is_timed]
        with ThreadPoolExecutor(1 if is_timed else os.cpu_count()) as pool:
            yield from zip(chosen, pool.map(lambda job: _hunt_apart(job[0], job[1], seconds), chosen), strict=True)


def _hunt_apart(name: str | None, detector: Detector, seconds: float) -> Hunt:
    """Hunt in a process of its own, which is ended with all that it started when its time is long up."""
    # Each is a copy of a process that has read the code and run nothing of it.
    context = get_context("forkserver")
    context.set_forkserver_preload(["bench.campaigns.policy", "bench.campaigns.sequences", "tests.planted.probes"])
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send_hunt, args=(theirs, name, detector, seconds))
    process.start()
    theirs.close()
    try:
        found: Hunt = (
            mine.recv() if mine.poll(_START_S + _PATIENCE * seconds) else Hunt(None, "its time", 0, _PATIENCE * seconds)
        )
    except EOFError:
        found = Hunt(None, "its end", 0, 0.0)
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    return found


def _send_hunt(connection: Connection, name: str | None, detector: Detector, seconds: float) -> None:
    os.setsid()
    logging.disable(logging.NOTSET if detector is Detector.CANARIES else logging.CRITICAL)
    connection.send(hunt(name, detector, seconds))


def _describe(hunted: Hunt) -> str:
    return "found" if hunted.found else f"stopped by {hunted.stopped}" if hunted.stopped else "nothing"


def _try_answers() -> Tries:
    """Put the questions of non-interference to consecutive worlds and their twins, until an answer differs."""
    for seed in count(1):
        observer, *worlds = draw_pair(seed)
        answers = (iter_answers(world, build(world), observer, Random(f"{seed} questions")) for world in worlds)
        yield next((f"{(one or other or ())[:2]}" for one, other in zip_longest(*answers) if one != other), None)


def _try_worlds(try_world: Callable[[int], Counter[str]]) -> Tries:
    """Try consecutive worlds of a campaign and yield what each violated first."""
    for seed in count(1):
        counts = try_world(seed)
        yield next((name for name in counts if name.startswith("violation ")), None) if counts[VIOLATION] else None


def _try_cubes() -> Tries:
    for seed in count(1):
        counts = cubes.run_query_set(seed)
        yield "a table that gives away a group" if counts["recovered"] or counts["broken"] else None


def _try_policy() -> Tries:
    readings: dict[str, policy.Reading] = {
        "compiler": policy.CompilerReading(),
        "plain": PlainReading(read_document(POLICY_FILE)),
    }
    for questions in chain.from_iterable(policy.iter_drawn(DECISIONS_AT_ONCE, seed) for seed in count(1)):
        yield next(iter(policy.compare(questions, readings).differences), None)


def _try_laws() -> Tries:
    for number in count(1):
        for law in laws.LAWS:
            yield next(iter(laws.try_law(law, str(number), CASES_AT_ONCE).violations), None)


DETECTORS: Mapping[Detector, Callable[[], Tries]] = {
    Detector.NONINTERFERENCE: _try_answers,
    Detector.GRAPHQL: lambda: _try_worlds(graphql.try_world),
    Detector.ISOLATION: probes.try_isolation,
    Detector.SEQUENCES: lambda: _try_worlds(lambda number: sequences.try_case(number, RUNS_AT_ONCE)),
    Detector.RELABELLING: probes.try_relabelling,
    Detector.POLICY: _try_policy,
    Detector.CUBES: _try_cubes,
    Detector.LAWS: _try_laws,
    Detector.PICTURES: probes.try_pictures,
    Detector.EXPORTS: probes.try_exports,
    Detector.DERIVED: probes.try_derived,
    Detector.HANDLES: probes.try_handles,
    Detector.CANARIES: probes.try_canaries,
    Detector.RIGHTS: probes.try_rights,
    Detector.TIERS: probes.try_tiers,
    Detector.BOUNDS: probes.try_bounds,
    Detector.IMPORTS: probes.try_imports,
    Detector.TABLES: probes.try_tables,
    Detector.FILES: probes.try_files,
    Detector.TIMING: probes.try_timing,
}


if __name__ == "__main__":
    main()
