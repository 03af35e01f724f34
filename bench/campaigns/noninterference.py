"""Non-interference: pairs of stores that differ only in what one observer may not see, on the reference store.

Each case draws a small world from its seed and a twin of it, and puts the same
questions to both; each question is a pair of answers that must be equal byte
for byte. Coverage is counted in the world: which treatment was at work for
which tier and class, and whether something that differs lies within two hops
of what the question touches. `tests/worlds` says what is drawn and asked.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import zip_longest
from random import Random

from bench.campaigns.campaign import VIOLATION, Tally, read_arguments, run_cases
from bench.goal import print_goal
from ontology.condition import has_condition, iter_situations
from ontology.label import CATEGORIES
from ontology.observer import Observer
from ontology.policy import Policy, Sees
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.worlds.questions import Channel, iter_answers
from tests.worlds.twin import ASKING, draw_pair, sight_of
from tests.worlds.world import World, build

PAIRS = "pairs"
NEAR = "pairs with a hidden difference within two hops"
CELL = "cell"
# Pairs that a world gives on average, a little less, so that a campaign never falls short.
PAIRS_A_WORLD = 100
WANTED_A_CELL = 1_000
WANTED_A_CHANNEL = 200_000
FULL = 10_000_000
# Beside an answer to a question that came up in one of the two alone.
_NOT_ASKED = (Channel.EXISTENCE, "not asked", b"")


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 100_000)
    tally = run_cases(try_world, range(seed, seed + max(len(ASKING), -(-n // PAIRS_A_WORLD))))
    tally.show(PAIRS)
    show_coverage(tally)
    print_goal("noninterference_violations", tally.violations, "==", 0)
    print_goal("noninterference_pairs", tally.counts[PAIRS], ">=", n)
    print_goal("noninterference_near_share", tally.counts[NEAR] / tally.counts[PAIRS], ">=", 0.4)
    share = min(1.0, n / FULL)
    cells = {cell: tally.counts[cell] for cell in reachable_cells()}
    print_goal("noninterference_least_cell", min(cells.values()), ">=", WANTED_A_CELL * share)
    least = min(tally.counts[f"channel {channel.name}"] for channel in Channel)
    print_goal("noninterference_least_channel", least, ">=", WANTED_A_CHANNEL * share)


def try_world(seed: int) -> Counter[str]:
    """Compare every answer of a world with its twin's."""
    observer, world, twin = draw_pair(seed)
    found: Counter[str] = Counter(iter_cells(world, observer))
    answers, others = (iter_answers(w, build(w), observer, Random(f"{seed} questions")) for w in (world, twin))
    for answer, other in zip_longest(answers, others, fillvalue=_NOT_ASKED):
        found[PAIRS] += 1
        found[f"channel {answer[0].name}"] += 1
        found[f"tier {observer.tier}"] += 1
        if answer != other:
            found[VIOLATION] += 1
            found[f"violation {answer[0].name}: {answer[1]}"] += 1
    # Questions are spread evenly over the things that a world names, or touch them all.
    found[NEAR] = int(found[PAIRS] * near_share(world, twin))
    return found


def near_share(world: World, twin: World) -> float:
    """Return for how many of the things that questions name a difference lies within two hops, from 0.0 to 1.0.

    A hop is a link, a scored pair or a judgement, of either world; the difference is a record of the thing itself, of
    one that it is tied to, or such a tie.
    """
    ties = {tie for w in (world, twin) for tie in _ties(w)}
    added = {thing.key for thing in twin.things[len(world.things) :]}
    altered = {one.key for one, other in zip(world.things, twin.things, strict=False) if one != other}
    changed = added | altered | {end for tie in _ties(world) ^ _ties(twin) for end in tie}
    reached = [_reach(_reach({key}, ties), ties) for key in world.keys]
    return sum(bool(keys & changed) for keys in reached) / len(reached)


def _reach(keys: set[str], ties: Iterable[tuple[str, str]]) -> set[str]:
    return keys | {end for tie in ties if not keys.isdisjoint(tie) for end in tie}


def _ties(world: World) -> set[tuple[str, str]]:
    pairs = ((world.things[p.left].key, world.things[p.right].key) for p in world.likenesses)
    bonds = ((b.left, b.right) for b in world.bonds if b.is_there)
    return {*pairs, *bonds, *((o.left, o.right) for o in world.opinions)}


def iter_cells(world: World, observer: Observer) -> Iterable[str]:
    """Yield the treatments that are at work in a world: tier, class and treatment of each value of a visible record."""
    sight = sight_of(observer)
    for thing in world.things:
        if not (thing.is_there and sight.is_allowed(thing.label)):
            continue
        properties = default_ontology()[thing.schema].properties
        classes = {properties[name].field_class for name in thing.properties if name in properties}
        for name in sorted(classes | {"source", "handling", "raw"}):
            yield name_cell(observer.tier, name, sight.clearance.treatment(thing.label.lid, name).value)


def name_cell(tier: str, field_class: str, treatment: str) -> str:
    """Return how a tier, a class and a treatment are counted together."""
    return f"{CELL} {tier} {field_class} {treatment}"


def reachable_cells() -> list[str]:
    """Return every tier, class and treatment that the policy can give to somebody who may have the record."""
    policy = default_policy()
    return sorted(
        {
            name_cell(tier.name, name, rule.treatment.value)
            for tier in policy.tiers.values()
            if tier.sees is not Sees.NOTHING
            for name in policy.classes
            for category in CATEGORIES
            if tier.sees is Sees.EVERYTHING or _is_shared(policy, category, tier.name)
            for rule in policy.cells[name, category, tier.name].rules
        }
    )


def _is_shared(policy: Policy, category: str, tier: str) -> bool:
    """Whether the policy can let a tier have anything that concerns somebody of a category."""
    conditions = policy.sharing["category"][category]
    return any(has_condition(c, *situation) for situation in iter_situations(tier) for c in conditions)


def show_coverage(tally: Tally) -> None:
    """Print how often each channel, tier and cell was tried."""
    for prefix in ("channel", "tier", "violation"):
        for name, count in sorted(tally.counts.items()):
            if name.startswith(f"{prefix} "):
                print(f"  {name}: {count:,}")
    cells = reachable_cells()
    print(f"  cells: {len(cells)}; the least tried:")
    for cell in sorted(cells, key=lambda cell: tally.counts[cell])[:8]:
        print(f"    {cell.removeprefix(CELL)}: {tally.counts[cell]:,}")


if __name__ == "__main__":
    main()
