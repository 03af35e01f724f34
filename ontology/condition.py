"""Conditions: what the policy may ask of an observer and a label together.

Each grows with the observer's rights: one more case, order, compartment or
release never makes one false. So more rights never show less.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from ontology.label import BOTH, Label
from ontology.observer import Observer

PUBLIC_TIER = "public"
OTHERWISE = "otherwise"


def has_condition(name: str, observer: Observer, label: Label) -> bool:
    """Whether a condition of the policy holds between an observer and a label."""
    return CONDITIONS[name](observer, label)


def is_met(held: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether one of the names wanted is held, or all the names that it joins."""
    names = set(held)
    return any(names.issuperset(name.split(BOTH)) for name in wanted)


def iter_situations(tier: str) -> Iterator[tuple[Observer, Label]]:
    """Yield an observer of a tier and a label for every combination of what conditions can ask."""
    for owner, release, cases, compartments in product(("", "ORG"), ((), ("ORG",)), ((), ("A",)), ((), ("S",))):
        label = Label(owner=owner, release=release, cases=cases, compartments=compartments)
        for held, orders in product(((), ("A",)), ((), ("A",))):
            yield Observer("", "ORG", tier, cases=held, orders=orders, compartments=("S",)), label


def _is_anyone(observer: Observer, label: Label) -> bool:
    del observer, label
    return True


def _is_member(observer: Observer, label: Label) -> bool:
    del label
    return observer.tier != PUBLIC_TIER


def _is_owner(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and observer.organisation == label.owner != ""


def _is_own_file(observer: Observer, label: Label) -> bool:
    return _is_owner(observer, label) and not label.cases


def _is_released(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and observer.organisation in label.release


def _is_on_case(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and is_met(observer.cases, label.cases)


def _is_ordered(observer: Observer, label: Label) -> bool:
    return _is_member(observer, label) and is_met(observer.orders, label.cases)


def _is_source_team(observer: Observer, label: Label) -> bool:
    return _is_owner(observer, label) and is_met(observer.compartments, label.compartments)


def _is_named(observer: Observer, label: Label) -> bool:
    """Whether the observer is a named recipient: of the owner's or a released organisation and on the label's case."""
    is_recipient = _is_owner(observer, label) or _is_released(observer, label)
    return is_recipient and (not label.cases or _is_on_case(observer, label))


CONDITIONS: Mapping[str, Callable[[Observer, Label], bool]] = {
    "anyone": _is_anyone,
    OTHERWISE: _is_anyone,
    "member": _is_member,
    "own_organisation": _is_owner,
    "own_file": _is_own_file,
    "released": _is_released,
    "own_case": _is_on_case,
    "ordered": _is_ordered,
    "source_team": _is_source_team,
    "named": _is_named,
}
