"""Laws of labels and policy, each tried on as many drawn cases as asked for.

hidden  What is not known hides: a part not said is taken as its strictest (TLP
        RED, handling H2, category victim; no owner, no release list) and opens
        nothing that saying it would not; a term that is on no list, and a label
        that is not known, give nothing. H3 is left out of what handling might
        have been said to be: it is stricter than H2, which unsaid handling is.
join    Joining only tightens: whoever may have what two labels were joined to
        may have both. Where both labels are of one category, and need of the
        same kinds is named by both or neither, each class is also treated no
        more openly than under either; in general it is not, and how often is
        printed: what is derived must be treated as under both of its parts.
rights  More rights on one line of duty never show less: one more case, order or
        compartment of an observer, or a release to their organisation.

A case is telling when the law had something to hold back in it.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

from bench.campaigns.draw import CASES, COMPARTMENTS, draw_label, draw_observer
from bench.goal import print_goal
from ontology.errors import InvalidData
from ontology.label import BOTH, Label
from ontology.observer import Observer
from ontology.policy import Clearance, Sees
from ontology.policy_file import default_policy

AT_ONCE = 2_000
SHOWN = 10

# What shows more than what. Masked, coarser and renamed values are no more and no less than each other.
OPENNESS = {"clear": 3, "mask": 2, "generalise": 2, "pseudonym": 2, "count": 1, "absent": 0}
STRICTEST: Mapping[str, Any] = {"tlp": "RED", "handling": "H2", "category": "victim", "owner": "", "release": ()}
UNKNOWN = {"tlp": "PURPLE", "handling": "H9", "category": "somebody", "classification": "SECRET"}
_PARTS = ("handling", "tlp", "owner", "release", "cases", "compartments", "purposes", "category")


@dataclass(slots=True)
class Tried:
    """One case: its kind, whether it was telling, and what broke the law if anything did."""

    kind: str
    is_telling: bool
    violation: str | None = None


@dataclass(slots=True)
class Tally:
    """What trying a law many times found; `violations` says how it was broken, the first times."""

    cases: Counter[str] = field(default_factory=Counter)
    telling: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what was found elsewhere."""
        self.cases.update(other.cases)
        self.telling.update(other.telling)
        self.broken += other.broken
        self.violations = [*self.violations, *other.violations][:SHOWN]


def main() -> None:
    """Run the campaign and print its goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000, help="cases of each law")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for law in LAWS:
            started, tally = time.monotonic(), Tally()
            for found in pool.map(partial(try_law, law), *zip(*iter_chunks(args.n, args.seed), strict=True)):
                tally.add(found)
            _print_tally(law, tally, time.monotonic() - started, args.seed)
            print_goal(f"laws_{law}_violations", tally.broken, "==", 0)
            print_goal(f"laws_{law}_cases", tally.cases.total(), ">=", args.n)


def iter_chunks(n: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield seeds, each with how many cases to draw from it; `n` in all."""
    for number, start in enumerate(range(0, n, AT_ONCE)):
        yield f"{seed}:{number}", min(AT_ONCE, n - start)


def try_law(law: str, seed: str, n: int) -> Tally:
    """Try a law on cases drawn from a seed."""
    random, tally = Random(f"{law}:{seed}"), Tally()
    for _ in range(n):
        tried = LAWS[law](random)
        tally.cases[tried.kind] += 1
        tally.telling[tried.kind] += tried.is_telling
        if tried.violation is not None:
            tally.broken += 1
            tally.violations.append(f"{law}, {tried.kind}: {tried.violation}")
    return tally


def try_hidden(random: Random) -> Tried:
    """Leave a part unsaid, say a term that nobody knows, or ask of a label that is not there."""
    observer, label = draw_observer(random, _tiers()), draw_label(random)
    kind = random.choice(("unsaid", "unsaid", "unknown term", "unknown label"))
    if kind == "unsaid":
        return _try_unsaid(random, observer, label)
    if kind == "unknown term":
        return _try_unknown(random.choice(sorted(UNKNOWN)), observer, label)
    clearance = _compile(observer, label)
    is_open = 1 in clearance.allowed or any(level for level in _openness(clearance, 1).values())
    return Tried(kind, bool(clearance.allowed), f"{observer}" if is_open else None)


def try_join(random: Random) -> Tried:
    """Join two labels that differ in a few parts, and compare what is given under each."""
    observer, left = draw_observer(random, _tiers()), draw_label(random)
    right = _redraw(random, left)
    clearance = _compile(observer, left, right, left.join(right))
    allowed = set(clearance.allowed)
    kind = "comparable" if _are_comparable(left, right) else "not comparable"
    violation = f"{observer} {left} {right}"
    if 2 in allowed and not {0, 1} <= allowed:
        return Tried(kind, True, violation)
    levels = [_openness(clearance, lid) for lid in range(3)]
    is_opened = any(levels[2][name] > min(levels[0][name], levels[1][name]) for name in levels[2])
    if kind == "comparable":
        return Tried(kind, 2 in allowed, violation if is_opened else None)
    return Tried("a class shown more openly" if is_opened and 2 in allowed else kind, 2 in allowed)


def try_rights(random: Random) -> Tried:
    """Give an observer one right more, and compare what they are given."""
    observer, label = draw_observer(random, _tiers()), draw_label(random)
    kind = random.choice(("case", "order", "compartment", "release"))
    less, more, released = observer, observer, label
    if kind == "release":
        released = replace(label, release=tuple(sorted({*label.release, observer.organisation})))
    else:
        less, more = _lack_right(random, kind, observer, label)
    before, after = _compile(less, label), _compile(more, released)
    levels = _openness(before, 0), _openness(after, 0)
    is_less = len(after.allowed) < len(before.allowed) or any(levels[1][name] < levels[0][name] for name in levels[0])
    is_more = after.allowed != before.allowed or levels[0] != levels[1]
    return Tried(kind, is_more, f"{more} {label}" if is_less else None)


LAWS: Mapping[str, Callable[[Random], Tried]] = {"hidden": try_hidden, "join": try_join, "rights": try_rights}


def _try_unsaid(random: Random, observer: Observer, label: Label) -> Tried:
    part = random.choice(sorted(STRICTEST))
    said = {name: value for name, value in _sayable(label).items() if name != part}
    bare = Label.from_dict(said)
    full = Label.from_dict({**said, part: _sayable(label)[part]})
    clearance = _compile(observer, bare, full, replace(full, **{part: STRICTEST[part]}))
    opens_more = part != "category" and 0 in clearance.allowed and 1 not in clearance.allowed
    is_strictest = _openness(clearance, 0) == _openness(clearance, 2) and (0 in clearance.allowed) == (
        2 in clearance.allowed
    )
    is_telling = clearance.allowed == [1] or _openness(clearance, 0) != _openness(clearance, 1)
    return Tried(f"unsaid {part}", is_telling, f"{observer} {full}" if opens_more or not is_strictest else None)


def _try_unknown(part: str, observer: Observer, label: Label) -> Tried:
    """Say a term that is on no list: it must be refused and, should a store hold it all the same, give nothing."""
    said = {part: UNKNOWN[part]}
    strange = replace(label, **said)  # type: ignore[arg-type]  # each is a text, as the parts of that name are
    clearance = _compile(observer, replace(label, classification=""), strange)
    kind = f"unknown {part}" if part != "classification" else "classified"
    violation = f"{observer} {strange}" if _is_open(clearance, 1, part) or not _is_refused(said) else None
    return Tried(kind, 0 in clearance.allowed, violation)


def _is_open(clearance: Clearance, lid: int, part: str) -> bool:
    """Whether something is given in spite of an unknown part: of a category all classes, of the rest the assertion."""
    if part == "category":
        return any(_openness(clearance, lid).values())
    tier = default_policy().tiers.get(clearance.observer.tier)
    is_oversight = tier is not None and tier.sees is Sees.EVERYTHING and part != "classification"
    return lid in clearance.allowed and not is_oversight


def _is_refused(said: Mapping[str, Any]) -> bool:
    try:
        Label.from_dict(said)
    except InvalidData:
        return True
    return False


def _sayable(label: Label) -> dict[str, Any]:
    """Return the parts of a label as a source could say them: names one by one, and no H3."""
    return {
        "tlp": label.tlp,
        "handling": label.handling if label.handling != "H3" else "H1",
        "category": label.category,
        "owner": label.owner,
        "release": [name for name in label.release if name],
        "cases": [name for name in label.cases if "&" not in name],
        "compartments": [name for name in label.compartments if "&" not in name],
        "purposes": list(label.purposes) or ["investigation"],
    }


def _redraw(random: Random, label: Label) -> Label:
    other = draw_label(random)
    return replace(label, **{part: getattr(other, part) for part in random.sample(_PARTS, random.randrange(1, 4))})


def _are_comparable(left: Label, right: Label) -> bool:
    return (
        left.category == right.category
        and bool(left.cases) == bool(right.cases)
        and bool(left.compartments) == bool(right.compartments)
    )


def _lack_right(random: Random, kind: str, observer: Observer, label: Label) -> tuple[Observer, Observer]:
    """Return an observer without and with one right, where there is one that the label asks for."""
    part = f"{kind}s"
    asked = label.compartments if kind == "compartment" else label.cases
    names = [name for joined in asked for name in joined.split(BOTH)] or [*CASES, *COMPARTMENTS]
    held, name = getattr(observer, part), random.choice(names)
    rest = tuple(other for other in held if other != name)
    without: dict[str, Any] = {part: rest}
    return replace(observer, **without), replace(observer, **without | {part: tuple(sorted((*rest, name)))})


def _compile(observer: Observer, *labels: Label) -> Clearance:
    return default_policy().compile(observer, dict(enumerate(labels)))


def _openness(clearance: Clearance, lid: int) -> dict[str, int]:
    return {name: OPENNESS[clearance.treatment(lid, name)] for name in clearance.policy.classes}


def _tiers() -> tuple[str, ...]:
    return tuple(default_policy().tiers)


def _print_tally(law: str, tally: Tally, seconds: float, seed: int) -> None:
    n = tally.cases.total()
    print(f"{law}: {n} cases from seed {seed} in {seconds:.0f} s, {n / seconds:.0f} a second")
    for kind, cases in sorted(tally.cases.items()):
        print(f"  {kind}: {cases} cases, {tally.telling[kind]} of them telling")
    for violation in tally.violations:
        print(f"  VIOLATION {violation}")


if __name__ == "__main__":
    main()
