"""Differences between two policies: who gains and who loses what, cell by cell.

What is compared is what rules do, not how they are written: a cell gains when
in some situation it shows more, and in none less.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any, TypeVar

from ontology.condition import has_condition, iter_situations
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import OPENNESS, Cell, Cube, Policy, Rule, Sees, Tier, Treatment
from ontology.values.date import DATE

NOBODY = "nothing"
# Finest first; what names no grain is a year.
_GRAINS = (*DATE.grains,)
_WIDER = (Sees.NOTHING, Sees.SHARED, Sees.EVERYTHING)

Situation = tuple[Observer, Label]
_K = TypeVar("_K")
_V = TypeVar("_V")


class Effect(StrEnum):
    """What a change does to those whom it concerns: more, less, or something else."""

    GAIN = "gain"
    LOSS = "loss"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `tier` is None where it concerns all; `place` says where in the file it stands."""

    tier: str | None
    place: str
    before: str
    after: str
    effect: Effect


def find_changes(before: Policy, after: Policy) -> list[Change]:
    """Return how a policy differs from an earlier one: by tier, those of all tiers first, then by place in the file."""
    changes = [
        *_iter_sharing_changes(before, after),
        *_iter_cube_changes(before, after),
        *_iter_contact_changes(before, after),
        *_iter_tier_changes(before, after),
        *_iter_cell_changes(before, after),
    ]
    order = {name: number for number, name in enumerate([None, *before.tiers, *after.tiers])}
    return sorted(changes, key=lambda change: order[change.tier])


def describe_cell(cell: Cell) -> str:
    """Return a cell in words: ``clear if own_case, else pseudonym (known)``."""
    *conditional, last = cell.rules
    parts = [f"{describe_rule(rule)} if {rule.condition}" for rule in conditional]
    parts.append(f"else {describe_rule(last)}" if conditional else describe_rule(last))
    return ", ".join(parts) + (" (known)" if cell.known else "")


def describe_rule(rule: Rule) -> str:
    """Return what a rule does, as the policy file writes it."""
    return f"{rule.treatment} {rule.grain}" if rule.grain else rule.treatment.value


def _iter_sharing_changes(before: Policy, after: Policy) -> Iterator[Change]:
    tiers = [name for name, tier in after.tiers.items() if name in before.tiers and tier.sees is Sees.SHARED]
    terms = [(part, term) for part, terms in after.sharing.items() for term in terms]
    for name, (part, term) in product(tiers, terms):
        earlier, later = before.sharing[part][term], after.sharing[part][term]
        if set(earlier) == set(later):
            continue
        situations = [*iter_situations(name)]
        effect = _compare([_is_any_met(earlier, s) for s in situations], [_is_any_met(later, s) for s in situations])
        if effect:
            yield Change(name, f"sharing.{part}.{term}", _list(earlier), _list(later), effect)


def _iter_cube_changes(before: Policy, after: Policy) -> Iterator[Change]:
    for part in ("floor", "rounding"):
        old, new = getattr(before, part), getattr(after, part)
        if old != new:
            yield Change(None, f"cubes.{part}", str(old), str(new), Effect.GAIN if new < old else Effect.LOSS)
    for name, (one, other) in _pair(before.cubes, after.cubes):
        if _describe_cube(one) != _describe_cube(other):
            effect = Effect.GAIN if one is None else Effect.LOSS if other is None else Effect.CHANGE
            yield Change(None, f"cubes.{name}", _describe_cube(one), _describe_cube(other), effect)


def _iter_contact_changes(before: Policy, after: Policy) -> Iterator[Change]:
    for name, (one, other) in _pair(before.contacts, after.contacts):
        if one != other:
            yield Change(None, f"contacts.{name}", one or NOBODY, other or NOBODY, Effect.CHANGE)


def _iter_tier_changes(before: Policy, after: Policy) -> Iterator[Change]:
    for name, (one, other) in _pair(before.tiers, after.tiers):
        if one is None or other is None:
            effect = Effect.GAIN if one is None else Effect.LOSS
            yield Change(name, "tier", _describe_tier(one), _describe_tier(other), effect)
        else:
            yield from _iter_changes_of_tier(one, other)


def _iter_changes_of_tier(before: Tier, after: Tier) -> Iterator[Change]:
    name = after.name
    for right in sorted(before.rights ^ after.rights):
        has = right in after.rights
        old, new = (NOBODY, right.value) if has else (right.value, NOBODY)
        yield Change(name, "rights", old, new, Effect.GAIN if has else Effect.LOSS)
    if before.sees != after.sees:
        is_wider = _WIDER.index(after.sees) > _WIDER.index(before.sees)
        yield Change(name, "sees", before.sees, after.sees, Effect.GAIN if is_wider else Effect.LOSS)
    if before.purpose != after.purpose:
        yield Change(name, "purpose", before.purpose, after.purpose, Effect.CHANGE)
    if before.merges != after.merges:
        effect = Effect.GAIN if not before.merges else Effect.LOSS if not after.merges else Effect.CHANGE
        yield Change(name, "merges", before.merges or "visible", after.merges or "visible", effect)


def _iter_cell_changes(before: Policy, after: Policy) -> Iterator[Change]:
    for (name, category, tier), (one, other) in _pair(before.cells, after.cells):
        if one is not None and other is not None and one != other:
            place = f"{name}.{category}"
            yield Change(tier, place, describe_cell(one), describe_cell(other), _compare_cells(one, other, tier))


def _compare_cells(before: Cell, after: Cell, tier: str) -> Effect:
    found = [(_apply(before, situation), _apply(after, situation)) for situation in iter_situations(tier)]
    if any(_is_incomparable(one, other) for one, other in found):
        return Effect.CHANGE
    earlier = [(*_shows(one), before.known) for one, _ in found]
    later = [(*_shows(other), after.known) for _, other in found]
    return _compare(earlier, later) or Effect.CHANGE


def _apply(cell: Cell, situation: Situation) -> Rule:
    return next(rule for rule in cell.rules if has_condition(rule.condition, *situation))


def _shows(rule: Rule) -> tuple[int, int]:
    """Return how much a rule shows, more being greater."""
    coarseness = _GRAINS.index(rule.grain or "year") if rule.treatment is Treatment.GENERALISE else 0
    return OPENNESS[rule.treatment], -coarseness


def _is_incomparable(one: Rule, other: Rule) -> bool:
    return one.treatment is not other.treatment and OPENNESS[one.treatment] == OPENNESS[other.treatment]


def _compare(before: Iterable[Any], after: Iterable[Any]) -> Effect | None:
    """Return whether there is more or less in every situation, None when there is the same in each."""
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    if not pairs:
        return None
    if all(other > one for one, other in pairs):
        return Effect.GAIN
    return Effect.LOSS if all(other < one for one, other in pairs) else Effect.CHANGE


def _is_any_met(conditions: Iterable[str], situation: Situation) -> bool:
    return any(has_condition(condition, *situation) for condition in conditions)


def _pair(before: Mapping[_K, _V], after: Mapping[_K, _V]) -> Iterator[tuple[_K, tuple[_V | None, _V | None]]]:
    for key in {**before, **after}:
        yield key, (before.get(key), after.get(key))


def _list(terms: Iterable[str]) -> str:
    return ", ".join(sorted(terms)) or NOBODY


def _describe_cube(cube: Cube | None) -> str:
    return f"{cube.schema} of category {cube.category} by {cube.by[0]} and {cube.by[1]}" if cube else NOBODY


def _describe_tier(tier: Tier | None) -> str:
    return f"sees {tier.sees}, may {_list(tier.rights)}" if tier else NOBODY
