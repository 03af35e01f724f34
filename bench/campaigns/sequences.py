"""Sequences: import, judge, relabel, grant, revoke, watch and read in any order, on two stores that differ in secret.

Each run draws an observer and does fifty things, one after the other, to a pair
of reference stores; `tests/worlds/machine.py` says what, and what must be the
same after each step. Runs come from Hypothesis, whose seed is the case's, a
hundred to a case, without shrinking: a violation is named by its case, and
trying that case alone again shows it.
"""

from collections import Counter

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from bench.campaigns.campaign import VIOLATION, Tally, read_arguments, run_cases
from bench.goal import print_goal
from tests.worlds.machine import ANSWERS, APART, STEPS, TwoStores, name_run

STEPS_A_RUN = 50
RUNS_A_CASE = 100
RUNS = name_run(STEPS_A_RUN)
# The rarest need a right that few have, and something proposed before.
LEAST_SHARE = 0.002
RULES = sorted(rule.function.__name__ for rule in TwoStores().rules)
_REPORTED = ("rule ", "answer ", "violation ")
_AT_LAST = "answer at last"  # everything that `noninterference` asks, at the end of each run


def main() -> None:
    """Run the campaign and print its goals."""
    n, first = read_arguments(__doc__, 1_000)
    tally = run_cases(try_case, range(first, first - (-n // RUNS_A_CASE)), chunk=1)
    tally.show(STEPS)
    show_coverage(tally)
    print_goal("sequences_violations", tally.violations, "==", 0)
    print_goal("sequences_runs", tally.counts[RUNS], ">=", n)
    print_goal("sequences_steps", tally.counts[STEPS], ">=", n * STEPS_A_RUN)
    least = min(tally.counts[f"rule {name}"] for name in RULES)
    print_goal("sequences_least_rule", least, ">=", LEAST_SHARE * n * STEPS_A_RUN)
    print_goal("sequences_apart_share", tally.counts[APART] / max(1, tally.counts[STEPS]), ">=", 0.8)


def try_case(number: int, runs: int = RUNS_A_CASE) -> Counter[str]:
    """Do so many runs and return what they counted."""
    found: Counter[str] = Counter()
    machine = seed(number)(type("TwoStores", (TwoStores,), {"counts": found}))
    try:
        # Hypothesis would cut some runs short, to learn whether fewer steps do.
        run_state_machine_as_test(machine, settings=make_settings(runs), _min_steps=STEPS_A_RUN)
    except AssertionError as exc:
        found[VIOLATION] += 1
        found[f"violation {exc}"] += 1
    return found


def make_settings(runs: int) -> settings:
    """Return how Hypothesis makes runs: so many, all as long as they may be, remembering and shrinking nothing."""
    return settings(
        max_examples=runs,
        # One more, for the step that draws who asks.
        stateful_step_count=STEPS_A_RUN + 1,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        print_blob=False,
    )


def show_coverage(tally: Tally) -> None:
    """Print how often each rule was followed and each answer compared."""
    for prefix in _REPORTED:
        for name, count in sorted(tally.counts.items()):
            if name.startswith(prefix) and not name.startswith(_AT_LAST):
                print(f"  {name}: {count:,}")
    print(f"  {_AT_LAST}: {sum(count for name, count in tally.counts.items() if name.startswith(_AT_LAST)):,}")
    for name in (ANSWERS, APART, "alerts", "vanished", "judged elsewhere", "tightened along"):
        print(f"  {name}: {tally.counts[name]:,}")


if __name__ == "__main__":
    main()
