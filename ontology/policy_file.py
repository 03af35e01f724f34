"""Reading a policy: total, reachable and in order, or refused with the cell named."""

from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from ontology.condition import CONDITIONS, OTHERWISE, PUBLIC_TIER, has_condition, iter_situations
from ontology.digest import canonical_json
from ontology.errors import PolicyError, describe_kind
from ontology.label import CATEGORIES, HANDLINGS, PURPOSES, TLPS, Label
from ontology.observer import SYSTEM_TIER, Observer
from ontology.policy import OPENNESS, Cell, Cube, Policy, Right, Rule, Sees, Tier, Treatment
from ontology.schema import Ontology, default_ontology

POLICY_FILE = Path(__file__).with_name("policy.yaml")

# The parts of a label that say who may have an assertion at all, with their terms from laxest to strictest.
SHARED_BY: Mapping[str, tuple[str, ...]] = {"tlp": TLPS, "handling": HANDLINGS, "category": CATEGORIES}
# Classes of what no property holds: who said it, how it is handled, what had no place.
_OWN_CLASSES = ("source", "handling", "raw")
# Of what oversight may be given something: how an assertion is handled and, by a pseudonym, who said it.
_METADATA = frozenset({"source", "handling"})
# What the YAML library lets through of values such as a date that is none.
_UNREADABLE = (ValueError, KeyError, AttributeError, TypeError, RecursionError)
_MERGES_OF = "of "
_LEAST_FLOOR = 10
# Values of these are of short lists; of other types a table may count by the coarser form alone.
_LISTED = frozenset({"boolean", "code", "gender"})
_VERSION = 2

Cells = dict[tuple[str, str, str], Cell]


class _WrittenTwice(Exception):
    """A key stands twice in one mapping of YAML, which would take the last and say nothing."""


class _Loader(yaml.SafeLoader):
    """Reads YAML without tags, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; raises _WrittenTwice with the line and the key."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), name in zip(node.value, keys, strict=True):
            if isinstance(name, str) and keys.count(name) > 1:
                raise _WrittenTwice(f"line {key.start_mark.line + 1}: {name:.40}")
        return super().construct_mapping(node, deep)


@cache
def default_policy() -> Policy:
    """Return the policy that ships with Vinculum."""
    return load_policy(POLICY_FILE)


def countable_cubes(policy: Policy, tier: str) -> list[Cube]:
    """Return the cubes of which a tier of the policy may count, under some label, every property."""
    if tier not in policy.tiers:
        return []
    return [cube for cube in policy.cubes.values() if all(_can_count(policy, tier, cube, name) for name in cube.by)]


def _can_count(policy: Policy, tier: str, cube: Cube, name: str) -> bool:
    field_class = default_ontology()[cube.schema].properties[name].field_class
    rules = policy.cells[field_class, cube.category, tier].rules
    return any(rule.treatment is not Treatment.ABSENT for rule in rules)


def load_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises PolicyError, naming the cell, for one that is missing or written
    twice, that can never apply, that does not show less to whoever meets less,
    or that names an unknown tier, class, category, condition, treatment or grain.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except _WrittenTwice as exc:
        raise PolicyError(f"{path.name}: {exc}: written twice") from exc
    except OSError as exc:
        raise PolicyError(f"{path.name}: expected a readable file, found {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise PolicyError(f"{path.name}: expected YAML, found a syntax error{_place(exc)}") from exc
    except _UNREADABLE as exc:
        raise PolicyError(f"{path.name}: expected YAML, found a value that cannot be read") from exc
    return make_policy(data, path.name)


def _place(exc: Exception) -> str:
    """Return where a syntax error is, and nothing of what stands there; nothing where YAML does not say."""
    mark = exc.problem_mark if isinstance(exc, yaml.MarkedYAMLError) else None
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def make_policy(data: Any, file: str) -> Policy:
    """Check a policy that was read from YAML; `file` names it in errors."""
    if not isinstance(data, dict):
        raise PolicyError(f"{file}: expected a mapping, found {describe_kind(data)}")
    sections = ("tiers", "contacts", "sharing", "classes", "cubes")
    parts = {part: _section(data, part, file) for part in sections}
    _check_keys(data, (*sections, "version"), file)
    if data.get("version") != _VERSION:
        raise PolicyError(f"{file}: version: expected {_VERSION}")
    _check_keys(parts["sharing"], SHARED_BY, f"{file}: sharing")
    _check_keys(parts["cubes"], ("tables", "floor", "rounding"), f"{file}: cubes")
    tiers = _read_tiers(parts["tiers"], f"{file}: tiers")
    _check_keys(parts["contacts"], (*CATEGORIES, OTHERWISE), f"{file}: contacts")
    contacts = {key: _text(parts["contacts"], key, f"{file}: contacts") for key in parts["contacts"]}
    if OTHERWISE not in contacts:
        raise PolicyError(f"{file}: contacts.{OTHERWISE}: missing")
    cells = _read_classes(parts["classes"], tiers, f"{file}: classes")
    floor, rounding = (_number(parts["cubes"], key, f"{file}: cubes") for key in ("floor", "rounding"))
    if floor < _LEAST_FLOOR:
        raise PolicyError(f"{file}: cubes.floor: expected at least {_LEAST_FLOOR}")
    if floor % rounding:
        # Else a number of the floor could be rounded to one below it.
        raise PolicyError(f"{file}: cubes.floor: expected a multiple of the rounding")
    return Policy(
        tiers=tiers,
        sharing={part: _read_sharing(parts["sharing"], part, terms, file) for part, terms in SHARED_BY.items()},
        cells=cells,
        classes={name: spec["description"] for name, spec in parts["classes"].items()},
        contacts=contacts,
        cubes=_read_cubes(_section(parts["cubes"], "tables", f"{file}: cubes"), f"{file}: cubes.tables"),
        floor=floor,
        rounding=rounding,
        digest=_digest(data, file),
    )


def _digest(data: Any, file: str) -> str:
    try:
        return sha256(canonical_json(data)).hexdigest()
    except _UNREADABLE as exc:
        raise PolicyError(f"{file}: expected texts and numbers, found a value that cannot be kept") from exc


def _read_tiers(section: Mapping[Any, Any], where: str) -> dict[str, Tier]:
    tiers = {str(name): _read_tier(str(name), spec, f"{where}.{name}") for name, spec in section.items()}
    if PUBLIC_TIER not in tiers:
        # Whoever is of another tier counts as a member, so the public must be known by its name.
        raise PolicyError(f"{where}.{PUBLIC_TIER}: missing")
    if SYSTEM_TIER in tiers:
        raise PolicyError(f"{where}.{SYSTEM_TIER}: the name is reserved")
    for tier in tiers.values():
        if tier.merges:
            _check(tier.merges, tiers, f"{where}.{tier.name}.merges", "tier")
    return tiers


def _read_tier(name: str, spec: Any, where: str) -> Tier:
    description, purpose = _text(spec, "description", where), _text(spec, "purpose", where)
    _check_keys(spec, ("description", "purpose", "rights", "sees", "merges"), where)
    _check(purpose, PURPOSES, f"{where}.purpose", "purpose")
    rights = spec.get("rights")
    if not isinstance(rights, list):
        raise PolicyError(f"{where}.rights: expected a list, found {describe_kind(rights)}")
    for right in rights:
        _check(right, [r.value for r in Right], f"{where}.rights", "right")
    sees = spec.get("sees", Sees.SHARED.value)
    _check(sees, [s.value for s in Sees], f"{where}.sees", "term")
    merges = spec.get("merges", "visible")
    if merges != "visible" and not (isinstance(merges, str) and merges.startswith(_MERGES_OF)):
        raise PolicyError(f"{where}.merges: expected visible, or the tier whose merges are granted: of TIER")
    granted = None if merges == "visible" else merges.removeprefix(_MERGES_OF)
    if (rights or granted) and (name == PUBLIC_TIER or sees != Sees.SHARED):
        raise PolicyError(
            f"{where}: expected no rights and no granted merges for the public and for who sees no content"
        )
    return Tier(name, description, purpose, frozenset(Right(right) for right in rights), Sees(sees), granted)


def _read_sharing(data: Mapping[str, Any], part: str, terms: Iterable[str], file: str) -> dict[str, tuple[str, ...]]:
    found = _section(data, part, f"{file}: sharing")
    for term in found:
        _check(term, terms, f"{file}: sharing.{part}", "term")
    for term in terms:
        if not isinstance(found.get(term), list):
            raise PolicyError(f"{file}: sharing.{part}.{term}: missing")
        for condition in found[term]:
            _check(condition, CONDITIONS, f"{file}: sharing.{part}.{term}", "condition")
    _check_sharing([(term, found[term]) for term in terms], f"{file}: sharing.{part}")
    return {term: tuple(found[term]) for term in terms}


def _check_sharing(terms: list[tuple[str, list[str]]], where: str) -> None:
    """Refuse a stricter term that admits somebody whom a laxer one does not: a join takes the stricter."""
    for (lax, wide), (strict, narrow) in pairwise(terms):
        for tier in (PUBLIC_TIER, "member"):
            for observer, label in iter_situations(tier):
                if _admits_any(narrow, observer, label) and not _admits_any(wide, observer, label):
                    raise PolicyError(f"{where}.{strict}: admits somebody whom {lax} does not")


def _admits_any(conditions: Iterable[str], observer: Observer, label: Label) -> bool:
    return any(has_condition(condition, observer, label) for condition in conditions)


def _read_classes(section: Mapping[Any, Any], tiers: Mapping[str, Tier], where: str) -> Cells:
    known = {*default_ontology().field_classes(), *_OWN_CLASSES}
    # What is misspelt is missing too, and its name as it stands is what helps.
    _check_keys(section, known, where, "class")
    for field_class in sorted(known - section.keys()):
        raise PolicyError(f"{where}.{field_class}: missing")
    cells: Cells = {}
    for field_class, spec in section.items():
        _text(spec, "description", f"{where}.{field_class}")
        _check_keys(spec, ("description", "cells"), f"{where}.{field_class}")
        cells |= _read_class(field_class, spec, tiers, f"{where}.{field_class}")
    return cells


def _read_class(field_class: str, spec: Mapping[str, Any], tiers: Mapping[str, Tier], where: str) -> Cells:
    cells: Cells = {}
    for group, row in _section(spec, "cells", where).items():
        for category in _names(group):
            _check(category, CATEGORIES, f"{where}.cells", "category")
            if not isinstance(row, dict):
                raise PolicyError(f"{where}.cells.{category}: expected a mapping, found {describe_kind(row)}")
            for names, cell in row.items():
                for name in _names(names):
                    _check(name, tiers, f"{where}.cells.{category}", "tier")
                    place = f"{where}.cells.{category}.{name}"
                    if (field_class, category, name) in cells:
                        raise PolicyError(f"{place}: written twice")
                    cells[field_class, category, name] = _read_cell(cell, field_class, tiers[name], place)
    for category in CATEGORIES:
        for tier in tiers:
            if (field_class, category, tier) not in cells:
                raise PolicyError(f"{where}.cells.{category}.{tier}: missing")
    return cells


def _read_cell(cell: Any, field_class: str, tier: Tier, where: str) -> Cell:
    if isinstance(cell, str):
        rules: tuple[Rule, ...] = (_read_rule(OTHERWISE, cell, field_class, where),)
        _check_rules(rules, field_class, tier, where)
        return Cell(rules, known=False)
    if not isinstance(cell, dict) or OTHERWISE not in cell:
        raise PolicyError(f"{where}: expected a treatment, or conditions with {OTHERWISE}")
    if not isinstance(cell.get("known", False), bool):
        raise PolicyError(f"{where}.known: expected true or false")
    written = {condition: term for condition, term in cell.items() if condition not in ("known", OTHERWISE)}
    _check_keys(written, CONDITIONS, where, "condition")
    rules = tuple(
        _read_rule(condition, term, field_class, f"{where}.{condition}")
        for condition, term in (written | {OTHERWISE: cell[OTHERWISE]}).items()
    )
    _check_rules(rules, field_class, tier, where)
    return Cell(rules, known=cell.get("known", False))


def _read_rule(condition: str, term: Any, field_class: str, where: str) -> Rule:
    if not isinstance(term, str):
        raise PolicyError(f"{where}: expected a treatment, found {describe_kind(term)}")
    treatment, _, grain = term.partition(" ")
    _check(treatment, [t.value for t in Treatment], where, "treatment")
    if grain and (treatment != Treatment.GENERALISE or grain not in _grains(field_class)):
        raise PolicyError(f"{where}: unknown grain {grain:.40}")
    return Rule(condition, Treatment(treatment), grain or None)


def _check_rules(rules: tuple[Rule, ...], field_class: str, tier: Tier, where: str) -> None:
    applied = {
        next(i for i, rule in enumerate(rules) if has_condition(rule.condition, observer, label))
        for observer, label in iter_situations(tier.name)
    }
    for index, rule in enumerate(rules):
        if index not in applied:
            raise PolicyError(f"{where}.{rule.condition}: can never apply")
        if index and not _shows_no_more(rule, rules[index - 1]):
            raise PolicyError(f"{where}.{rule.condition}: shows more than the condition before it, or other things")
        is_given = rule.treatment is not Treatment.ABSENT
        if is_given and tier.sees is Sees.NOTHING:
            raise PolicyError(f"{where}: expected absent for a tier that sees nothing")
        if is_given and tier.sees is Sees.EVERYTHING and field_class not in _METADATA:
            raise PolicyError(f"{where}: expected absent for a tier that sees that everything exists")


def _shows_no_more(rule: Rule, before: Rule) -> bool:
    """Whether a rule shows less than another, or the same; masked, coarser and renamed are neither less nor more."""
    if (rule.treatment, rule.grain) == (before.treatment, before.grain):
        return True
    return OPENNESS[rule.treatment] < OPENNESS[before.treatment]


def _read_cubes(section: Mapping[Any, Any], where: str) -> dict[str, Cube]:
    ontology = default_ontology()
    cubes = {str(name): _read_cube(str(name), spec, ontology, f"{where}.{name}") for name, spec in section.items()}
    _check_cubes(cubes.values(), where)
    return cubes


def _check_cubes(cubes: Iterable[Cube], where: str) -> None:
    """Refuse two tables that share a property: one could be subtracted from the other."""
    used: dict[tuple[str, str, str], str] = {}
    for cube in cubes:
        for prop in cube.by:
            other = used.setdefault((cube.schema, cube.category, prop), cube.name)
            if other != cube.name:
                raise PolicyError(f"{where}.{cube.name}.by: {prop} is counted by in {other} too")


def _read_cube(name: str, spec: Any, ontology: Ontology, where: str) -> Cube:
    description, schema, category = (_text(spec, key, where) for key in ("description", "schema", "category"))
    _check_keys(spec, ("description", "schema", "category", "by"), where)
    _check(schema, ontology, f"{where}.schema", "schema")
    _check(category, CATEGORIES, f"{where}.category", "category")
    by = spec.get("by")
    if not (isinstance(by, list) and len(by) == 2):
        raise PolicyError(f"{where}.by: expected two properties")
    for prop in by:
        _check(prop, ontology[schema].properties, f"{where}.by", "property")
        kind = ontology[schema].properties[prop].type
        if not (kind.is_generalised or kind.name in _LISTED):
            raise PolicyError(f"{where}.by: {prop} has values that no table may hold")
    if by[0] == by[1]:
        raise PolicyError(f"{where}.by: expected two properties")
    return Cube(name, description, schema, category, (by[0], by[1]))


@cache
def _grains(field_class: str) -> frozenset[str]:
    """Return the grains that some type of value of a class knows."""
    properties = (prop for schema in default_ontology().values() for prop in schema.properties.values())
    return frozenset(grain for prop in properties if prop.field_class == field_class for grain in prop.type.grains)


def _names(group: Any) -> list[str]:
    return [name.strip() for name in str(group).split(",")]


def _section(data: Any, key: str, where: str) -> Mapping[Any, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise PolicyError(f"{where}: {key}: expected a mapping, found {describe_kind(found)}")
    return found


def _text(data: Any, key: str, where: str) -> str:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, str):
        raise PolicyError(f"{where}.{key}: expected text, found {describe_kind(found)}")
    return found


def _number(data: Mapping[Any, Any], key: str, where: str) -> int:
    found = data.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise PolicyError(f"{where}.{key}: expected a whole number of at least 1")
    return found


def _check_keys(section: Mapping[Any, Any], known: Iterable[str], where: str, what: str = "key") -> None:
    for key in section:
        _check(key, known, where, what)


def _check(term: Any, known: Iterable[str], where: str, what: str) -> None:
    if not isinstance(term, str):
        raise PolicyError(f"{where}: expected a {what}, found {describe_kind(term)}")
    if term not in set(known):
        raise PolicyError(f"{where}: unknown {what} {term:.40}")
