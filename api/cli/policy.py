"""The commands that print the policy as a person reads it, and compare two."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from api.cli.console import AsJson, out, plain, print_json
from api.settings import read_settings
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
_CONDITIONS = {
    "anyone": "anybody's",
    "member": "for every tier but the public",
    "own_organisation": "of the own organisation",
    "own_file": "of the own organisation and of no case",
    "released": "released to the own organisation",
    "own_case": "of an own case",
    "ordered": "opened by a judicial order",
    "source_team": "of the own organisation's source team",
    "named": "of, or released to, the own organisation and of no case but an own one",
    "otherwise": "otherwise",
}
_SEES = {
    Sees.SHARED: "what is shared with them, as below",
    Sees.EVERYTHING: "that everything exists, and no value of it",
    Sees.NOTHING: "no record at all",
}

PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (YAML).")]


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
    before: PolicyFile,
    after: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Another one (default: the policy in force).")
    ] = None,
    json: AsJson = False,
) -> None:
    """Say who gains and who loses what from one policy to another, cell by cell."""
    changes = find_changes(load_policy(before), load_policy(after) if after else read_settings().load_policy())
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
        _show_sharing(policy.sharing)
    never = _never(policy, tier)
    _show_cells(policy, tier, [name for name in policy.classes if name not in never])
    cubes = [
        f"{cube.name} (cells of {policy.floor} and more, to {policy.rounding})" for cube in _cubes_of(policy, tier)
    ]
    out.print(f"\ncounts: {_list(cubes)}", markup=False)
    out.print(f"never gets: {_list(never)}", markup=False)


def show_changes(changes: list[Change]) -> None:
    """Print changes by whom they concern, and how many there are."""
    table = _table("tier", "where", "effect", "from", "to")
    for change in changes:
        _row(table, change.tier or "all", change.place, change.effect, change.before, change.after)
    if changes:
        out.print(table)
    counts = count_effects(changes)
    out.print(f"gains {counts['gain']}, losses {counts['loss']}, other changes {counts['change']}")


def _show_sharing(sharing: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
    table = _table("marking", "what is shared")
    for part, terms in sharing.items():
        for term, conditions in terms.items():
            name = f"TLP {term}" if part == "tlp" else f"handling {term}"
            _row(table, name, " or ".join(_CONDITIONS[condition] for condition in conditions) or "nothing")
    out.print()
    out.print(table)


def _show_cells(policy: Policy, tier: Tier, classes: list[str]) -> None:
    table = _table("class", "of", "is given")
    for name in classes:
        for number, (categories, cell) in enumerate(_iter_groups(policy, tier, name)):
            _row(table, "" if number else name, ", ".join(categories), _describe(cell))
    if classes:
        out.print()
        out.print(table)


def _iter_groups(policy: Policy, tier: Tier, name: str) -> Iterator[tuple[list[str], Cell]]:
    """Yield the categories that follow each other with the same cell."""
    cells = [(category, policy.cells[name, category, tier.name]) for category in CATEGORIES]
    for cell, found in groupby(cells, key=lambda pair: pair[1]):
        yield [category for category, _ in found], cell


def _describe(cell: Cell) -> str:
    *conditional, last = cell.rules
    parts = [f"{_CONDITIONS[rule.condition]}: {_describe_treatment(rule)}" for rule in conditional]
    parts.append(f"otherwise {_describe_treatment(last)}" if conditional else _describe_treatment(last))
    return "; ".join(parts) + (" (may know what is withheld)" if cell.known else "")


def _describe_treatment(rule: Rule) -> str:
    return f"to the {rule.grain}" if rule.grain else _TREATMENTS[rule.treatment]


def _cell_document(cell: Cell) -> dict[str, Any]:
    return {"rules": cell.rules, "known": cell.known}


def _cubes_of(policy: Policy, tier: Tier) -> list[Cube]:
    return countable_cubes(policy, tier.name)


def _never(policy: Policy, tier: Tier) -> list[str]:
    return [name for name in policy.classes if policy.reachable(tier.name, name) == {Treatment.ABSENT}]


def _list(terms: list[str]) -> str:
    return ", ".join(terms) or "nothing"


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    # Text, not str: a policy file that is compared may come from anybody.
    table.add_row(*(Text(plain(cell)) for cell in cells))
