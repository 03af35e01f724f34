"""The commands about the policy: what a person reads, and the documents for scripts."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.policy import policy_app
from ontology.policy_file import POLICY_FILE, default_policy


def _run(*words: str | Path, columns: int = 200) -> str:
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(policy_app, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return result.stdout


def _run_json(*words: str | Path) -> Any:
    return json.loads(_run(*words, "--json"))


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """Write a policy under which analysts may not count special categories."""
    text = POLICY_FILE.read_text(encoding="utf-8")
    path = tmp_path / "stricter.yaml"
    path.write_text(text.replace("        analyst: count\n", "        analyst: absent\n"), encoding="utf-8")
    return path


@pytest.mark.parametrize("tier", default_policy().tiers)
def test_each_tier_is_shown(tier: str) -> None:
    """Who it is, every class by its name, and what it never gets."""
    shown = _run("show", "--tier", tier)

    assert shown.startswith(f"{tier}\n{default_policy().tiers[tier].description}\n")
    assert "never gets: " in shown
    assert [name for name in default_policy().classes if name not in shown] == []


def test_cells_are_shown_in_words() -> None:
    """Conditions and treatments are put so that an officer can check them against the regulation."""
    shown = " ".join(_run("show", "--tier", "magistrate").split())

    order = "if a judicial order opens its case to them"
    assert f"in clear {order}; masked if they are on its case; otherwise nothing *" in shown
    assert "TLP GREEN always" in shown
    assert "handling H2 if their organisation owns it, or if it is released to their organisation" in shown
    assert shown.count("they may know that it is withheld") == 1
    assert "never gets: raw" in shown


def test_sharing_is_shown_as_the_tier_meets_it() -> None:
    """The public is told that what is marked GREEN is never theirs, and of no condition that they cannot meet."""
    shown = " ".join(_run("show", "--tier", "public").split())

    assert "TLP CLEAR always TLP GREEN never TLP AMBER never TLP AMBER+STRICT never TLP RED never" in shown


@pytest.mark.parametrize("tier", default_policy().tiers)
def test_no_word_is_broken_at_80_columns(tier: str) -> None:
    """Each word of a line stands in what a wide terminal shows."""
    wide, narrow = (_run("show", "--tier", tier, columns=columns) for columns in (300, 80))

    assert set(narrow.replace("─", "").split()) == set(wide.replace("─", "").split())
    assert max(map(len, narrow.splitlines())) <= 80


def test_what_oversight_sees_is_said() -> None:
    """The auditor sees that everything exists; the operator sees nothing, so how things are shared is not told."""
    assert "sees that everything exists, and no value of it" in _run("show", "--tier", "auditor")
    assert "sees no record at all" in _run("show", "--tier", "operator")
    assert "TLP" not in _run("show", "--tier", "operator")


def test_a_tier_is_a_document_for_scripts() -> None:
    """With the terms of the policy file."""
    document = _run_json("show", "--tier", "analyst")

    assert document["rights"] == ["judge", "watch"]
    assert document["sharing"]["tlp"]["GREEN"] == ["member"]
    assert document["classes"]["event_time"]["victim"] == {
        "rules": [{"condition": "otherwise", "treatment": "generalise", "grain": "week"}],
        "known": True,
    }
    assert document["never"] == ["shelter", "raw"]
    assert "victims_by_age_and_special_form" in document["cubes"]


def test_the_public_is_given_no_cube_of_special_categories() -> None:
    """It counts victims by what it may count, and by nothing else."""
    cubes = _run_json("show", "--tier", "public")["cubes"]

    assert cubes == ["victims_by_exploitation_and_country", "victims_by_nationality_and_recruitment"]


def test_an_unknown_tier_is_a_usage_error() -> None:
    """The tiers that there are stand in the message."""
    result = CliRunner().invoke(policy_app, ["show", "--tier", "king"])

    assert result.exit_code == 2
    assert "magistrate" in result.stderr


def test_a_difference_is_shown_cell_by_cell(stricter: Path) -> None:
    """From the policy in force to the file, or from the first to the second."""
    shown = _run("diff", stricter)
    there = _run("diff", POLICY_FILE, stricter)
    back = _run("diff", stricter, POLICY_FILE)

    assert "special.victim" in shown
    assert "gains 0, losses 5, other changes 0" in shown
    assert there == shown
    assert "gains 5, losses 0, other changes 0" in back


def test_a_file_is_compared_with_the_policy_in_force(stricter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is the one that the settings name."""
    monkeypatch.setenv("VINCULUM_POLICY", str(stricter))

    assert "gains 5, losses 0, other changes 0" in _run("diff", POLICY_FILE)
    assert CliRunner().invoke(policy_app, ["diff", "a", "b", "c"]).exit_code == 2


def test_a_change_of_sharing_names_whom_it_concerns(tmp_path: Path) -> None:
    """The public never had it and oversight has everything, so neither is named."""
    path = tmp_path / "closer.yaml"
    text = POLICY_FILE.read_text(encoding="utf-8")
    path.write_text(
        text.replace("    AMBER: [own_organisation, released, own_case]", "    AMBER: [own_organisation, released]")
    )

    [row] = [line for line in _run("diff", path).splitlines() if "sharing.tlp.AMBER " in line]

    assert row.startswith("private, ngo, liaison, analyst, investigator, magistrate ")


def test_a_difference_is_a_document_for_scripts(stricter: Path) -> None:
    """With counts of gains, losses and other changes; the same policy has none."""
    document = _run_json("diff", stricter)

    assert document["counts"] == {"gain": 0, "loss": 5, "change": 0}
    assert document["changes"][0] == {
        "tier": "analyst",
        "place": "special.none",
        "before": "count",
        "after": "absent",
        "effect": "loss",
    }
    assert _run_json("diff", POLICY_FILE) == {"changes": [], "counts": {"gain": 0, "loss": 0, "change": 0}}
