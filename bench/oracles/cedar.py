"""Cedar: the policy file written as permits of the Cedar language, and asked through `cedarpy`.

A treatment is permitted when its condition holds and none before it does, so
that of each class at most one permit holds. One request asks for all permits
that hold between an observer and a label; nothing is forbidden, and what no
permit names is absent.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cedarpy import AuthzResult, Entities, PolicySet, is_authorized_batch

from bench.oracles.plain import Answer, Document, Rules, read_cells, read_classes
from ontology.label import Label
from ontology.observer import Observer

_MAY_HAVE = "may have"
_BETWEEN = ": "
# Cedar has no quantifiers: a label's alternatives of need to know are attributes of their own, this many at most.
_ALTERNATIVES = 9


class CedarReading:
    """Decides by asking Cedar which permits hold."""

    def __init__(self, document: Document) -> None:
        self._classes = read_classes(document)
        self._policies = PolicySet.from_str(make_cedar(document))

    def decide(self, observers: Sequence[Observer], labels: Sequence[Label]) -> list[list[Answer]]:
        """Return an answer for each observer (rows) and label (columns)."""
        entities = [_observer_entity(i, o) for i, o in enumerate(observers)]
        entities += [_label_entity(i, label) for i, label in enumerate(labels)]
        requests = [
            {"principal": f'Observer::"{i}"', "action": 'Action::"read"', "resource": f'Label::"{j}"'}
            for i in range(len(observers))
            for j in range(len(labels))
        ]
        found = is_authorized_batch(requests, self._policies, Entities.from_json_str(json.dumps(entities)))
        answers = iter([self._answer(result) for result in found])
        return [[next(answers) for _ in labels] for _ in observers]

    def _answer(self, result: AuthzResult) -> Answer:
        if result.diagnostics.errors:
            raise ValueError(result.diagnostics.errors[0])
        permits = set(result.diagnostics.id_annotations_by_reason.values())
        terms = dict(permit.split(_BETWEEN) for permit in permits - {_MAY_HAVE})
        return Answer(_MAY_HAVE in permits, tuple(terms.get(name, "absent") for name in self._classes))


def make_cedar(document: Document) -> str:
    """Write a policy file as Cedar policies."""
    return "\n".join([*_iter_admissions(document), *_iter_treatments(document)])


def _iter_admissions(document: Document) -> Iterator[str]:
    for tier, spec in document["tiers"].items():
        sees = spec.get("sees", "shared")
        if sees == "everything":
            yield _permit(_MAY_HAVE, f'in Tier::"{tier}"', "", "!resource.classified")
        elif sees == "shared":
            shared = f"({_need('compartment', 'principal.compartments')} || !(resource has compartment0))"
            parts = [_sharing(document, part) for part in ("tlp", "handling", "category")]
            when = ["!resource.classified", "resource.purposes.contains(principal.purpose)", shared, *parts]
            yield _permit(_MAY_HAVE, f'in Tier::"{tier}"', "", " && ".join(when))


def _sharing(document: Document, part: str) -> str:
    terms = document["sharing"][part].items()
    lines = [f"({_term(part, term)} && {_any(_CONDITIONS[c] for c in conditions)})" for term, conditions in terms]
    return _any(lines)


def _term(part: str, term: str) -> str:
    return f'resource in Category::"{term}"' if part == "category" else f'resource.{part} == "{term}"'


def _iter_treatments(document: Document) -> Iterator[str]:
    for (tier, category, name), rules in read_cells(document).items():
        for term, when in _iter_rules(rules):
            if term != "absent":
                yield _permit(f"{name}{_BETWEEN}{term}", f'in Tier::"{tier}"', f'in Category::"{category}"', when)


def _iter_rules(rules: Rules) -> Iterator[tuple[str, str]]:
    before: list[str] = []
    for condition, term in rules:
        yield term, " && ".join([*(f"!{other}" for other in before), _CONDITIONS[condition]])
        before.append(_CONDITIONS[condition])


def _permit(name: str, who: str, what: str, when: str) -> str:
    scope = f'principal {who}, action == Action::"read", resource {what}'.strip()
    return f'@id("{name}") permit({scope}) when {{ {when} }};'


def _any(expressions: Iterator[str] | list[str]) -> str:
    return f"({' || '.join(expressions) or 'false'})"


def _need(kind: str, held: str) -> str:
    names = [f"{kind}{i}" for i in range(_ALTERNATIVES)]
    return _any([f"(resource has {name} && {held}.containsAll(resource.{name}))" for name in names])


_MEMBER = "principal.member"
_OWNER = f'({_MEMBER} && resource.owner != "" && resource.owner == principal.organisation)'
_RELEASED = f"({_MEMBER} && resource.release.contains(principal.organisation))"
_ON_CASE = f"({_MEMBER} && {_need('case', 'principal.cases')})"
_CONDITIONS = {
    "anyone": "true",
    "otherwise": "true",
    "member": _MEMBER,
    "own_organisation": _OWNER,
    "own_file": f"({_OWNER} && !(resource has case0))",
    "released": _RELEASED,
    "own_case": _ON_CASE,
    "ordered": f"({_MEMBER} && {_need('case', 'principal.orders')})",
    "source_team": f"({_OWNER} && {_need('compartment', 'principal.compartments')})",
    "named": f"(({_OWNER} || {_RELEASED}) && (!(resource has case0) || {_ON_CASE}))",
}


def _observer_entity(number: int, observer: Observer) -> dict[str, Any]:
    attributes = {
        "member": observer.tier != "public",
        "organisation": observer.organisation,
        "purpose": observer.purpose,
        "cases": observer.cases,
        "orders": observer.orders,
        "compartments": observer.compartments,
    }
    return _entity("Observer", number, attributes, "Tier", observer.tier)


def _label_entity(number: int, label: Label) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "classified": label.classification != "",
        "tlp": label.tlp,
        "handling": label.handling,
        "owner": label.owner,
        "release": label.release,
        "purposes": label.purposes,
    }
    for kind, names in (("case", label.cases), ("compartment", label.compartments)):
        if len(names) > _ALTERNATIVES:
            raise ValueError(f"expected at most {_ALTERNATIVES} names of a {kind}, found {len(names)}")
        attributes |= {f"{kind}{i}": name.split(" & ") for i, name in enumerate(names)}
    return _entity("Label", number, attributes, "Category", label.category)


def _entity(kind: str, number: int, attributes: dict[str, Any], parent: str, name: str) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": str(number)},
        "attrs": attributes,
        "parents": [{"type": parent, "id": name}],
    }
