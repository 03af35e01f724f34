"""Rego: the policy file as data of the Rego language, what its terms mean as rules, asked through `regopy`."""

import json
from collections.abc import Sequence
from typing import Any

from regopy import Interpreter

from bench.oracles.plain import Answer, Document, read_cells, read_classes
from ontology.label import Label
from ontology.observer import Observer

_QUERY = "answers = data.vinculum.answers"
_RULES = """
package vinculum

import rego.v1

answers := [[answer(o, l) | some l in input.labels] | some o in input.observers]

answer(o, l) := {"may_have": may_have(o, l), "terms": terms} if {
	held := {name | some name in data.conditions; holds(name, o, l)}
	terms := [term | some class in data.classes; term := treatment(o, l, class, held)]
}

treatment(o, l, class, held) := found[0] if {
	rules := object.get(data.cells, [o.tier, l.category, class], [])
	found := array.concat([rule[1] | some rule in rules; rule[0] in held], ["absent"])
}

default may_have(_, _) := false

may_have(o, l) if {
	data.sees[o.tier] == "everything"
	l.classification == ""
}

may_have(o, l) if {
	data.sees[o.tier] == "shared"
	l.classification == ""
	o.purpose in l.purposes
	is_compartment_met(o, l)
	some by_tlp in data.sharing.tlp[l.tlp]
	holds(by_tlp, o, l)
	some by_handling in data.sharing.handling[l.handling]
	holds(by_handling, o, l)
	some by_category in data.sharing.category[l.category]
	holds(by_category, o, l)
}

is_compartment_met(_, l) if count(l.compartments) == 0

is_compartment_met(o, l) if meets(o.compartments, l.compartments)

meets(held, wanted) if {
	some name in wanted
	every part in split(name, " & ") { part in held }
}

belongs(o) if o.tier != "public"

owns(o, l) if {
	belongs(o)
	l.owner != ""
	l.owner == o.organisation
}

is_released(o, l) if {
	belongs(o)
	o.organisation in l.release
}

is_on_case(o, l) if {
	belongs(o)
	meets(o.cases, l.cases)
}

is_recipient(o, l) if owns(o, l)

is_recipient(o, l) if is_released(o, l)

holds("anyone", _, _) if true

holds("otherwise", _, _) if true

holds("member", o, _) if belongs(o)

holds("own_organisation", o, l) if owns(o, l)

holds("own_file", o, l) if {
	owns(o, l)
	count(l.cases) == 0
}

holds("released", o, l) if is_released(o, l)

holds("own_case", o, l) if is_on_case(o, l)

holds("ordered", o, l) if {
	belongs(o)
	meets(o.orders, l.cases)
}

holds("source_team", o, l) if {
	owns(o, l)
	meets(o.compartments, l.compartments)
}

holds("named", o, l) if {
	is_recipient(o, l)
	count(l.cases) == 0
}

holds("named", o, l) if {
	is_recipient(o, l)
	is_on_case(o, l)
}
"""


class RegoReading:
    """Decides by evaluating a whole table of questions in Rego."""

    def __init__(self, document: Document) -> None:
        self._rego = Interpreter()
        self._rego.add_module("vinculum", _RULES)
        self._rego.add_data(make_rego_data(document))
        self._bundle = self._rego.build(_QUERY)

    def decide(self, observers: Sequence[Observer], labels: Sequence[Label]) -> list[list[Answer]]:
        """Return an answer for each observer (rows) and label (columns)."""
        questions = {"observers": [_to_rego(o) for o in observers], "labels": [_to_rego_label(x) for x in labels]}
        self._rego.set_input_term(json.dumps(questions))
        output = json.loads(str(self._rego.query_bundle(self._bundle)))
        rows = output["bindings"]["answers"]
        return [[Answer(found["may_have"], tuple(found["terms"])) for found in row] for row in rows]


def make_rego_data(document: Document) -> dict[str, Any]:
    """Return a policy file as the base document that the rules look into."""
    cells: dict[str, dict[str, dict[str, Any]]] = {}
    for (tier, category, name), rules in read_cells(document).items():
        cells.setdefault(tier, {}).setdefault(category, {})[name] = rules
    return {
        "classes": read_classes(document),
        "cells": cells,
        "conditions": sorted({condition for rules in read_cells(document).values() for condition, _ in rules}),
        "sees": {tier: spec.get("sees", "shared") for tier, spec in document["tiers"].items()},
        "sharing": document["sharing"],
    }


def _to_rego(observer: Observer) -> dict[str, Any]:
    parts = ("tier", "organisation", "purpose", "cases", "orders", "compartments")
    return {part: getattr(observer, part) for part in parts}


def _to_rego_label(label: Label) -> dict[str, Any]:
    parts = ("classification", "tlp", "handling", "category", "owner", "release", "cases", "compartments", "purposes")
    return {part: getattr(label, part) for part in parts}
