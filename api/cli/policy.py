"""The commands that print the policy as a person reads it, and compare two."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from api.cli.console import AsJson, out, plain, print_json, print_table
from api.settings import read_settings
from ontology.condition import has_condition, iter_situations
from ontology.label import CATEGORIES
from ontology.policy import Cell, Cube, Policy, Rule, Sees, Tier, Treatment
from ontology.policy_diff import Change, Effect, find_changes
from ontology.policy_file import countable_cubes, default_policy, load_policy

policy_app = typer.Typer(no_args_is_help=True, help="Who is given what, and what a change of it would do.")

_TREATMENTS = {
    Treatment.CLEAR: "in clear",
    Treatment.MASK: "masked",
    Treatment.GENERALISE: "made coarser",
    Treatment.PSEUDONYM: "as a pseudonym",
    Treatment.COUNT: "counted only",
    Treatment.ABSENT: "nothing",
}
_ALWAYS = "always"
# Each goes on where a sentence about one of the tier says what they are given.
_CONDITIONS = {
    "anyone": _ALWAYS,
    "member": _ALWAYS,
    "own_organisation": "if their organisation owns it",
    "own_file": "if their organisation owns it and it names no case",
    "released": "if it is released to their organisation",
    "own_case": "if they are on its case",
    "ordered": "if a judicial order opens its case to them",
    "source_team": "if their organisation owns it and they are in its compartment",
    "named": "if their organisation owns it or it is released to it, and they are on its case where it names one",
}
_KNOWN = "*"
_SEES = {
    Sees.SHARED: "what is shared with them, as below",
    Sees.EVERYTHING: "that everything exists, and no value of it",
    Sees.NOTHING: "no record at all",
}


@policy_app.command()
def show(
    tier: Annotated[str, typer.Option(help=f"One of {', '.join(default_policy().tiers)}.")], json: AsJson = False
) -> None:
    """Show what a tier is given of each class of data, under which conditions, and what it never gets."""
    policy = read_settings().load_policy()
    if tier not in policy.tiers:
        raise typer.BadParameter(f"expected one of {', '.join(policy.tiers)}", param_hint="--tier")
    if json:
        print_json(tier_document(policy, policy.tiers[tier]))
    else:
        show_tier(policy, policy.tiers[tier])


@policy_app.command()
def diff(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="[OLD] NEW", help="Policy files (YAML). Without OLD, NEW is compared with the one in force."
        ),
    ],
    json: AsJson = False,
) -> None:
    """Say who gains and who loses what from an old policy to a new one, cell by cell.

    With one file the old one is the policy in force, so what is said is what would change if the file came into force.
    """
    if len(files) > 2:
        raise typer.BadParameter("expected one policy file, or the old one and the new one", param_hint="[OLD] NEW")
    before = load_policy(files[0]) if len(files) == 2 else read_settings().load_policy()
    changes = find_changes(before, load_policy(files[-1]))
    if json:
        print_json({"changes": changes, "counts": count_effects(changes)})
    else:
        show_changes(changes)


def tier_document(policy: Policy, tier: Tier) -> dict[str, Any]:
    """Return what a tier is given, for scripts."""
    return {
        "tier": tier.name,
        "description": tier.description,
        "purpose": tier.purpose,
        "rights": sorted(tier.rights),
        "sees": tier.sees,
        "merges": tier.merges or "visible",
        "sharing": policy.sharing if tier.sees is Sees.SHARED else {},
        "classes": {
            name: {category: _cell_document(policy.cells[name, category, tier.name]) for category in CATEGORIES}
            for name in policy.classes
        },
        "cubes": [cube.name for cube in _cubes_of(policy, tier)],
        "never": _never(policy, tier),
    }


def count_effects(changes: list[Change]) -> dict[str, int]:
    """Return how many changes are gains, losses and neither."""
    counts = Counter(change.effect for change in changes)
    return {effect.value: counts[effect] for effect in Effect}


def show_tier(policy: Policy, tier: Tier) -> None:
    """Print what a tier is given."""
    out.print(Text(tier.name, style="bold"))
    out.print(plain(tier.description), markup=False)
    out.print(f"acts for {tier.purpose} unless they say another purpose; may {_list(sorted(tier.rights))}")
    out.print(f"sees {_SEES[tier.sees]}; merges: {f'those of {tier.merges}' if tier.merges else 'what they see'}")
    if tier.sees is Sees.SHARED:
        _show_sharing(policy.sharing, tier)
    never = _never(policy, tier)
    _show_cells(policy, tier, [name for name in policy.classes if name not in never])
    cubes = [cube.name for cube in _cubes_of(policy, tier)]
    rounded = f"; no number under {policy.floor}, each to the nearest {policy.rounding}" if cubes else ""
    out.print(f"\ntables of counts: {_list(cubes)}{rounded}", markup=False)
    out.print(f"never gets: {_list(never)}", markup=False)


def show_changes(changes: list[Change]) -> None:
    """Print changes by whom they concern, and how many there are."""
    tiers: dict[tuple[str, str, str, str], list[str]] = {}
    for change in changes:
        row = (change.place, change.effect.value, change.before, change.after)
        tiers.setdefault(row, []).append(change.tier or "all")
    if changes:
        print_table(
            ("tier", "where", "effect", "from", "to"), [(", ".join(names), *row) for row, names in tiers.items()]
        )
    counts = count_effects(changes)
    out.print(f"gains {counts['gain']}, losses {counts['loss']}, other changes {counts['change']}")


def _show_sharing(sharing: Mapping[str, Mapping[str, tuple[str, ...]]], tier: Tier) -> None:
    rows = [
        (f"{'TLP' if part == 'tlp' else part} {term}", _describe_sharing(conditions, tier))
        for part, terms in sharing.items()
        for term, conditions in terms.items()
    ]
    out.print()
    print_table(("marking", "is shared with them"), rows)


def _describe_sharing(conditions: Iterable[str], tier: Tier) -> str:
    """Return when one of a tier may have what is marked so, without the conditions that they never meet."""
    situations = [*iter_situations(tier.name)]
    met = [_CONDITIONS[name] for name in conditions if any(has_condition(name, *situation) for situation in situations)]
    return _ALWAYS if _ALWAYS in met else ", or ".join(met) or "never"


def _show_cells(policy: Policy, tier: Tier, classes: list[str]) -> None:
    rows = [
        ("" if number else name, ", ".join(categories), _describe(cell))
        for name in classes
        for number, (categories, cell) in enumerate(_iter_groups(policy, tier, name))
    ]
    if rows:
        out.print()
        print_table(("class", "of", "is given"), rows)
    if any(cell.endswith(_KNOWN) for *_, cell in rows):
        out.print(f"{_KNOWN} they may know that it is withheld or changed, and whom to ask")


def _iter_groups(policy: Policy, tier: Tier, name: str) -> Iterator[tuple[list[str], Cell]]:
    """Yield the categories that follow each other with the same cell."""
    cells = [(category, policy.cells[name, category, tier.name]) for category in CATEGORIES]
    for cell, found in groupby(cells, key=lambda pair: pair[1]):
        yield [category for category, _ in found], cell


def _describe(cell: Cell) -> str:
    *conditional, last = cell.rules
    parts = [f"{_describe_treatment(rule)} {_CONDITIONS[rule.condition]}" for rule in conditional]
    parts.append(f"otherwise {_describe_treatment(last)}" if conditional else _describe_treatment(last))
    return "; ".join(parts) + (f" {_KNOWN}" if cell.known else "")


def _describe_treatment(rule: Rule) -> str:
    return f"only the {rule.grain}" if rule.grain else _TREATMENTS[rule.treatment]


def _cell_document(cell: Cell) -> dict[str, Any]:
    return {"rules": cell.rules, "known": cell.known}


def _cubes_of(policy: Policy, tier: Tier) -> list[Cube]:
    return countable_cubes(policy, tier.name)


def _never(policy: Policy, tier: Tier) -> list[str]:
    return [name for name in policy.classes if policy.reachable(tier.name, name) == {Treatment.ABSENT}]


def _list(terms: list[str]) -> str:
    return ", ".join(terms) or "nothing"
