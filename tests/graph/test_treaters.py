"""What is kept between requests is kept for one observer alone, and not for ever."""

import hmac
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from graph import treat, treaters
from graph.handle import Handles
from graph.treaters import Treaters
from ontology.digest import canonical_json
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.factory import SECRET, make_label, make_observer

LABELS = {label.lid: label for label in (make_label(), make_label(category="suspect", tlp="GREEN"))}
ANALYST = make_observer("analyst")


def make_treaters() -> Treaters:
    """Return treaters that keep nothing yet."""
    return Treaters(SECRET, default_ontology(), default_policy())


def test_the_same_rights_find_the_same_and_others_do_not() -> None:
    """One more case, another organisation or one more label makes another treater."""
    kept = make_treaters()
    first = kept.find(ANALYST, LABELS)
    more = {**LABELS, 1: make_label(owner="Z")}

    assert kept.find(replace(ANALYST), dict(LABELS)) is first
    assert kept.find(replace(ANALYST, cases=("A",)), LABELS) is not first
    assert kept.find(replace(ANALYST, organisation="Z"), LABELS) is not first
    assert kept.find(ANALYST, more).allowed != first.allowed


def test_few_are_kept() -> None:
    """Those who asked longest ago are forgotten."""
    kept = make_treaters()
    first = kept.find(ANALYST, LABELS)
    for number in range(treaters._KEPT):
        kept.find(replace(ANALYST, name=str(number)), LABELS)

    assert kept.find(ANALYST, LABELS) is not first
    assert len(kept._made) == treaters._KEPT


def test_what_a_treater_remembers_is_bounded() -> None:
    """Values beyond what is remembered are worked out again, and are the same."""
    treater = make_treaters().find(ANALYST, LABELS)
    lid = next(lid for lid, label in LABELS.items() if label.category == "suspect")
    values = [(f"Somebody {number}",) for number in range(treat._REMEMBERED * 2 + 1)]

    shown = [treater.values("Person", lid, {"name": value})["name"] for value in values]

    assert len(set(shown)) == len(values)
    assert shown[:9] == [treater.values("Person", lid, {"name": value})["name"] for value in values[:9]]
    assert all(len(kept) <= treat._REMEMBERED for kept in treater._treats.values())


@given(st.text(), st.sampled_from(["name", "phone"]))
def test_a_pseudonym_is_an_hmac(value: str, value_type: str) -> None:
    """Fifty bits of HMAC-SHA256 as the standard library computes it, in base 32."""
    handles = Handles(SECRET, "ORG")
    digest = hmac.digest(handles._derive(b"pseudonym", 32), canonical_json([value_type, value]), "sha256")

    number = int.from_bytes(digest, "big") >> (256 - 50)
    letters = ["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[number >> shift & 31] for shift in range(45, -1, -5)]
    assert handles.pseudonym(value_type, value) == "P-" + "".join(letters)
