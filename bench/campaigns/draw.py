"""Drawing observers and labels: few names, so that they meet; strange ones, so that nothing is taken for granted."""

from itertools import product
from random import Random

from ontology.label import CATEGORIES, HANDLINGS, PURPOSES, TLPS, Label
from ontology.observer import Observer

ORGANISATIONS = ("X", "Y", "Z", "")
CASES = ("A", "B", "C")
COMPARTMENTS = ("S", "T")
# One question in so many is about a tier that there is not, and about material that must not be there.
RARELY = 40
# Every value of the parts that the policy asks of, seen from one organisation, with one case and one compartment.
_FLAGS = (False, True)


def draw_observer(random: Random, tiers: tuple[str, ...]) -> Observer:
    """Draw somebody of one of some tiers, and now and then of none."""
    return Observer(
        name="somebody",
        organisation=random.choice(ORGANISATIONS),
        tier=random.choice(tiers) if random.randrange(RARELY) else "nobody",
        cases=_draw_names(random, CASES),
        orders=_draw_names(random, CASES),
        compartments=_draw_names(random, COMPARTMENTS),
        purpose=random.choice(PURPOSES),
    )


def draw_label(random: Random) -> Label:
    """Draw a label, joined names and classified material among them."""
    return Label(
        handling=random.choice(HANDLINGS),
        tlp=random.choice(TLPS),
        classification="" if random.randrange(RARELY) else "SECRET",
        owner=random.choice(ORGANISATIONS),
        release=_draw_names(random, ORGANISATIONS),
        cases=_draw_needs(random, CASES),
        compartments=_draw_needs(random, COMPARTMENTS),
        purposes=PURPOSES if random.randrange(4) else _draw_names(random, PURPOSES),
        category=random.choice(CATEGORIES),
    )


def make_lattice_labels() -> list[Label]:
    """Return a label for every combination of what the policy asks of one (3,840)."""
    return [
        Label(
            tlp=tlp,
            handling=handling,
            category=category,
            owner="X" if is_own else "Y",
            release=("X",) if is_released else (),
            cases=("A",) if has_case else (),
            compartments=("S",) if has_compartment else (),
            purposes=("investigation",) if is_purpose else ("protection",),
        )
        for tlp, handling, category in product(TLPS, HANDLINGS, CATEGORIES)
        for is_own, is_released, has_case, has_compartment, is_purpose in product(*[_FLAGS] * 5)
    ]


def make_lattice_observers(tiers: tuple[str, ...]) -> list[Observer]:
    """Return an observer for every combination of tier and rights (8 a tier)."""
    return [
        Observer(
            name="somebody",
            organisation="X",
            tier=tier,
            cases=("A",) if is_on_case else (),
            orders=("A",) if is_ordered else (),
            compartments=("S",) if is_in else (),
            purpose="investigation",
        )
        for tier, (is_on_case, is_ordered, is_in) in product(tiers, product(*[_FLAGS] * 3))
    ]


def _draw_names(random: Random, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if random.random() < 0.4)


def _draw_needs(random: Random, names: tuple[str, ...]) -> tuple[str, ...]:
    """Draw names of which one suffices; some are two that are needed together."""
    found = {" & ".join(sorted(random.sample(names, random.choice((1, 1, 2))))) for _ in range(random.randrange(3))}
    return tuple(sorted(found))
