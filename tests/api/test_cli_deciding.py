"""The commands that decide: judgements, labels by two, consents and exports, on the embedded engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_cli import Run, filled, home, run

pytestmark = pytest.mark.embedded
__all__ = ["filled", "home", "run"]  # fixtures


@pytest.fixture
def staffed(filled: Run) -> Run:
    """Add two observers of the organisation that owns what was imported."""
    for name in ("dora", "emil"):
        filled(
            "observer", "add", name, "--tier", "investigator", "--organisation", "Register", "--case", "A",
            "--compartment", "S", "--order", "A", "--json",
        )  # fmt: skip
    return filled


def _entity(run: Run, text: str, observer: str = "dora") -> dict[str, Any]:
    found = run("search", text, "--as", observer, "--json").document["entities"][0]
    entity: dict[str, Any] = run("entity", found["id"], "--as", observer, "--json").document
    return entity


def test_a_judgement_is_explained_and_withdrawn(staffed: Run) -> None:
    """Two people are one by word of an observer, and two again when that is taken back."""
    left, right = (_entity(staffed, name)["records"][0]["id"] for name in ("mara", "bela"))

    made = staffed(
        "judge", left, right, "--verdict", "positive", "--reason", "alike", "--as", "dora", "--json"
    ).document
    back = staffed("judge", left, right, "--verdict", "withdrawn", "--as", "dora", "--json").document

    assert (made["verdict"], made["by"], made["judged"]["reason"]) == ("same", "judgement", "alike")
    assert (back["verdict"], back["judged"]) == ("not the same", None)
    assert staffed("judge", left, right, "--verdict", "maybe", "--as", "dora").code == 2


def test_who_judged_and_why_is_told(staffed: Run) -> None:
    """Within the organisation, whether the pair was weighed before or nothing but the judgement is known of it."""
    left, right = (_entity(staffed, name)["records"][0]["id"] for name in ("mara", "bela"))
    said = ("--verdict", "unsure", "--reason", "[b]alike[/b]")

    judged = staffed("judge", left, right, *said, "--as", "dora").out
    explained = staffed("explain", left, right, "--as", "emil").out
    staffed("judge", left, right, "--verdict", "withdrawn", "--as", "dora")

    assert "judged unsure by dora: [b]alike[/b]\n" in judged
    assert explained == judged
    assert "judged" not in staffed("explain", left, right, "--as", "emil").out


def test_a_proposal_that_waits_names_the_next_command(staffed: Run) -> None:
    """The second observer runs what the first was shown, with their own name; a list is written in brackets."""
    facet = _entity(staffed, "bela")["records"][0]["facets"][0]
    words = ("label", "propose", facet["record"], facet["assertion"], "--as", "dora", "--set")

    shown = staffed(*words, "cases=[A, B]", "--set", "tlp=GREEN", "--reason", "both").out
    command = shown.splitlines()[-1].strip().removeprefix("vinculum ").replace("NAME", "emil")
    listed = staffed("label", "list", "--as", "emil").out
    refused = staffed(*words, "cases=A")

    assert "cases: A to A, B" in listed
    assert command.split()[2] in listed
    assert staffed(*command.split()).out == "in force\n"
    assert (refused.code, refused.err) == (
        2,
        "vinculum: label.cases: expected a list of texts such as [A, B], found text\n",
    )
    assert "'cases=[A, B]'" in staffed("label", "propose", "--help").out


def test_a_label_is_lowered_by_two(staffed: Run) -> None:
    """What one proposes another of the owner approves; then the stranger to the case sees more."""
    facet = _entity(staffed, "bela")["records"][0]["facets"][0]
    words = ("label", "propose", facet["record"], facet["assertion"], "--as", "dora", "--set")

    proposed = staffed(*words, "category=none", "--json").document
    [waiting] = staffed("label", "list", "--as", "emil", "--json").document
    assert waiting["changes"] == {"category": {"from": "suspect", "to": "none"}}
    assert proposed == {"in_force": False, "id": waiting["id"]}
    assert staffed("label", "approve", waiting["id"], "--as", "dora").code == 2
    assert staffed("label", "approve", waiting["id"], "--as", "emil", "--json").document["in_force"]
    assert staffed("search", "bela", "--as", "carl", "--json").document["total"] == 1
    assert staffed(*words, "colour").code == 2


def test_a_court_gets_what_the_owner_consents_to(staffed: Run, tmp_path: Path) -> None:
    """Refused and counted without consent to this proceeding, whole with it."""
    label = "tlp: GREEN\nhandling: H1\ncategory: other\nsource: {name: register, organisation: Register}\n"
    (tmp_path / "h1.yaml").write_text(label, encoding="utf-8")
    file = tmp_path / "h1.json"
    file.write_text(json.dumps({"id": "c", "schema": "Company", "properties": {"name": ["Closed Limited"]}}) + "\n")
    staffed("import", file, "--label", tmp_path / "h1.yaml")
    ask = ("export", _entity(staffed, "closed")["id"], "--for", "court", "--to", "12/26", "--as", "dora")

    before = staffed(*ask).document
    staffed("consent", "add", "--for", "court", "--to", "12/26", "--reference", "letter", "--as", "dora")
    after = staffed(*ask).document

    assert (before["entities"], [r["handling"] for r in before["refused"]]) == ([], ["H1"])
    assert ([e["caption"] for e in after["entities"]], after["refused"]) == (["Closed Limited"], [])
    assert staffed("export", "x", "--for", "press", "--to", "y", "--as", "dora").code == 2


def test_a_removed_observer_can_ask_nothing(staffed: Run) -> None:
    """The command ends with two and names nobody."""
    assert staffed("observer", "remove", "emil", "--json").document == {"removed": "emil"}
    assert staffed("search", "bela", "--as", "emil").code == 2
    assert staffed("observer", "remove", "emil").code == 2


def test_without_the_right_the_command_says_which(staffed: Run, tmp_path: Path) -> None:
    """An analyst may judge and may not import or label."""
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"id": "z", "schema": "Person", "properties": {"name": ["Z"]}}) + "\n", encoding="utf-8")

    answers = [
        staffed("import", file, "--as", "carl"),
        staffed("label", "list", "--as", "carl"),
    ]

    assert [answer.code for answer in answers] == [2, 2]
    assert "right to import" in answers[0].err
    assert "right to label" in answers[1].err
