"""Reading a policy file: what is faulty is named with its cell, and what is not changes the digest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ontology.errors import PolicyError
from ontology.policy import Policy
from ontology.policy_file import POLICY_FILE, default_policy, load_policy

Edit = Callable[[dict[str, Any]], object]
CUBE = "victims_by_age_and_special_form"


def _row(document: dict[str, Any], field_class: str, category: str) -> dict[str, Any]:
    """Return the tiers and cells of the row of one class that a category stands in."""
    cells: dict[str, dict[str, Any]] = document["classes"][field_class]["cells"]
    return next(row for categories, row in cells.items() if category in categories.split(", "))


def _put(field_class: str, category: str, tier: str, cell: object) -> Edit:
    """Return an edit that writes another cell for a tier, alone."""

    def edit(document: dict[str, Any]) -> None:
        row = _row(document, field_class, category)
        found = next(tiers for tiers in row if tier in tiers.split(", "))
        rest = [name for name in found.split(", ") if name != tier]
        old = row.pop(found)
        row.update({", ".join(rest): old} if rest else {}, **{tier: cell})

    return edit


def _drop(field_class: str, category: str, tier: str) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        _put(field_class, category, tier, "absent")(document)
        _row(document, field_class, category).pop(tier)

    return edit


@pytest.fixture
def document() -> dict[str, Any]:
    """Return the policy that ships, to be spoilt."""
    found: dict[str, Any] = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    return found


def _load(folder: Path, document: object) -> Policy:
    path = folder / "other.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_policy(path)


CELL_FAULTS: list[tuple[Edit, str]] = [
    # Missing.
    (lambda d: d["classes"].pop("notes"), "classes.notes: missing"),
    (lambda d: d["classes"]["notes"]["cells"].pop("none"), "classes.notes.cells.none.public: missing"),
    (_drop("notes", "none", "ngo"), "classes.notes.cells.none.ngo: missing"),
    (_drop("identity", "witness", "operator"), "classes.identity.cells.witness.operator: missing"),
    (lambda d: d["classes"]["notes"].pop("description"), "classes.notes.description: expected text, found nothing"),
    (lambda d: d["classes"]["notes"].pop("cells"), "classes.notes: cells: expected a mapping, found nothing"),
    # Twice.
    (
        lambda d: d["classes"]["notes"]["cells"]["none"].update(ngo="clear"),
        "classes.notes.cells.none.ngo: written twice",
    ),
    (
        lambda d: d["classes"]["notes"]["cells"].update({"none, other": d["classes"]["notes"]["cells"]["none"]}),
        "classes.notes.cells.none.public: written twice",
    ),
    # Unknown.
    (lambda d: d["classes"].update(gossip=d["classes"]["raw"]), "classes: unknown class gossip"),
    (lambda d: d["classes"]["raw"]["cells"].update(client={}), "classes.raw.cells: unknown category client"),
    (lambda d: d["classes"]["raw"]["cells"].update(none=[]), "classes.raw.cells.none: expected a mapping, found list"),
    (lambda d: d["classes"]["raw"].update(deny="all"), "classes.raw: unknown key deny"),
    (
        lambda d: d["classes"]["notes"]["cells"]["none"].update(king="clear"),
        "classes.notes.cells.none: unknown tier king",
    ),
    (_put("notes", "none", "ngo", "blur"), "classes.notes.cells.none.ngo: unknown treatment blur"),
    (
        _put("notes", "none", "ngo", {"otherwise": "blur"}),
        "classes.notes.cells.none.ngo.otherwise: unknown treatment blur",
    ),
    (
        _put("notes", "none", "ngo", {"own_case": ["clear"], "otherwise": "absent"}),
        "classes.notes.cells.none.ngo.own_case: expected a treatment, found list",
    ),
    (lambda d: d["classes"].update(contacz=d["classes"].pop("contact")), "classes: unknown class contacz"),
    (
        _put("notes", "none", "ngo", {"friend": "clear", "otherwise": "absent"}),
        "classes.notes.cells.none.ngo: unknown condition friend",
    ),
    (
        _put("event_time", "none", "ngo", "generalise hour"),
        "classes.event_time.cells.none.ngo: unknown grain hour",
    ),
    (
        _put("event_time", "none", "ngo", "mask day"),
        "classes.event_time.cells.none.ngo: unknown grain day",
    ),
    (_put("notes", "none", "ngo", "generalise day"), "classes.notes.cells.none.ngo: unknown grain day"),
    (
        _put("notes", "none", "ngo", {"otherwise": "clear", "known": "yes"}),
        "classes.notes.cells.none.ngo.known: expected true or false",
    ),
    # No cell at all.
    (
        _put("notes", "none", "ngo", {"own_case": "clear"}),
        "classes.notes.cells.none.ngo: expected a treatment, or conditions with otherwise",
    ),
    (
        _put("notes", "none", "ngo", ["clear"]),
        "classes.notes.cells.none.ngo: expected a treatment, or conditions with otherwise",
    ),
    # Rules that can never apply.
    (
        _put("notes", "none", "ngo", {"anyone": "clear", "otherwise": "absent"}),
        "classes.notes.cells.none.ngo.otherwise: can never apply",
    ),
    (
        _put("notes", "none", "public", {"own_organisation": "clear", "otherwise": "absent"}),
        "classes.notes.cells.none.public.own_organisation: can never apply",
    ),
    (
        _put("notes", "none", "ngo", {"own_organisation": "clear", "own_file": "clear", "otherwise": "absent"}),
        "classes.notes.cells.none.ngo.own_file: can never apply",
    ),
    (
        _put("notes", "none", "ngo", {"own_organisation": "clear", "source_team": "count", "otherwise": "absent"}),
        "classes.notes.cells.none.ngo.source_team: can never apply",
    ),
    # Rules out of order.
    (
        _put("notes", "none", "ngo", {"own_case": "absent", "otherwise": "clear"}),
        "classes.notes.cells.none.ngo.otherwise: shows more than the condition before it",
    ),
    (
        _put("notes", "none", "ngo", {"own_case": "clear", "released": "count", "otherwise": "pseudonym"}),
        "classes.notes.cells.none.ngo.otherwise: shows more than the condition before it",
    ),
    (
        _put("event_time", "none", "ngo", {"own_case": "generalise year", "otherwise": "generalise day"}),
        "classes.event_time.cells.none.ngo.otherwise: shows more than the condition before it, or other things",
    ),
    # Oversight.
    (
        _put("notes", "none", "auditor", "count"),
        "classes.notes.cells.none.auditor: expected absent for a tier that sees that everything exists",
    ),
    (
        _put("identity", "victim", "auditor", {"own_case": "clear", "otherwise": "absent"}),
        "classes.identity.cells.victim.auditor: expected absent for a tier that sees that everything exists",
    ),
    (
        _put("handling", "none", "operator", "clear"),
        "classes.handling.cells.none.operator: expected absent for a tier that sees nothing",
    ),
]
OTHER_FAULTS: list[tuple[Edit, str]] = [
    (lambda d: d.pop("sharing"), "sharing: expected a mapping, found nothing"),
    (lambda d: d.update(denies={}), "unknown key denies"),
    (lambda d: d.update(version=1), "version: expected 2"),
    (lambda d: d.pop("version"), "version: expected 2"),
    # Tiers.
    (lambda d: d["tiers"].update(system=d["tiers"]["ngo"]), "tiers.system: the name is reserved"),
    (lambda d: d["tiers"].update(ngo="everything"), "tiers.ngo.description: expected text, found nothing"),
    (lambda d: d["tiers"]["ngo"].update(purpose="gossip"), "tiers.ngo.purpose: unknown purpose gossip"),
    (lambda d: d["tiers"]["ngo"].update(rights=["erase"]), "tiers.ngo.rights: unknown right erase"),
    (lambda d: d["tiers"]["ngo"].update(rights=[["import"]]), "tiers.ngo.rights: expected a right, found list"),
    (lambda d: d["tiers"]["ngo"].update(rights="import"), "tiers.ngo.rights: expected a list, found text"),
    (lambda d: d["tiers"]["ngo"].pop("rights"), "tiers.ngo.rights: expected a list, found nothing"),
    (lambda d: d["tiers"]["ngo"].update(sees="all"), "tiers.ngo.sees: unknown term all"),
    (lambda d: d["tiers"]["ngo"].update(sees=["all"]), "tiers.ngo.sees: expected a term, found list"),
    (lambda d: d["tiers"]["ngo"].update(merges="of king"), "tiers.ngo.merges: unknown tier king"),
    (lambda d: d["tiers"]["ngo"].update(merges="all"), "tiers.ngo.merges: expected visible, or the tier whose merges"),
    (lambda d: d["tiers"]["ngo"].update(may="import"), "tiers.ngo: unknown key may"),
    # Contacts.
    (lambda d: d["contacts"].pop("otherwise"), "contacts.otherwise: missing"),
    (lambda d: d["contacts"].update(client="us"), "contacts: unknown key client"),
    (lambda d: d["contacts"].update(victim=7), "contacts.victim: expected text, found number"),
    # Sharing.
    (lambda d: d["sharing"]["tlp"].pop("AMBER"), "sharing.tlp.AMBER: missing"),
    (lambda d: d["sharing"]["tlp"].update(AMBER="anyone"), "sharing.tlp.AMBER: missing"),
    (lambda d: d["sharing"]["tlp"].update(PINK=["anyone"]), "sharing.tlp: unknown term PINK"),
    (lambda d: d["sharing"]["handling"].update(H3=["friend"]), "sharing.handling.H3: unknown condition friend"),
    (lambda d: d["sharing"]["handling"].update(H3=[{}]), "sharing.handling.H3: expected a condition, found mapping"),
    (lambda d: d["sharing"].update(pap={}), "sharing: unknown key pap"),
    # Cubes.
    (lambda d: d["cubes"].update(floor=0), "cubes.floor: expected a whole number of at least 1"),
    (lambda d: d["cubes"].update(rounding="5"), "cubes.rounding: expected a whole number of at least 1"),
    (lambda d: d["cubes"].update(floor=True), "cubes.floor: expected a whole number of at least 1"),
    (lambda d: d["cubes"].update(ceiling=9), "cubes: unknown key ceiling"),
    (lambda d: d["cubes"].pop("tables"), "cubes: tables: expected a mapping, found nothing"),
    (lambda d: d["cubes"]["tables"][CUBE].update(schema="Ghost"), f"cubes.tables.{CUBE}.schema: unknown schema Ghost"),
    (
        lambda d: d["cubes"]["tables"][CUBE].update(category="client"),
        f"cubes.tables.{CUBE}.category: unknown category client",
    ),
    (
        lambda d: d["cubes"]["tables"][CUBE].update(by=["ageBand", "aura"]),
        f"cubes.tables.{CUBE}.by: unknown property aura",
    ),
    (lambda d: d["cubes"]["tables"][CUBE].update(by=["ageBand"]), f"cubes.tables.{CUBE}.by: expected two properties"),
    (lambda d: d["cubes"]["tables"][CUBE].update(where="here"), f"cubes.tables.{CUBE}: unknown key where"),
]


@pytest.mark.parametrize(("edit", "message"), CELL_FAULTS)
def test_a_faulty_cell_is_named(tmp_path: Path, document: dict[str, Any], edit: Edit, message: str) -> None:
    """The error says which file and which cell to mend, and what is wrong with it."""
    edit(document)

    with pytest.raises(PolicyError) as found:
        _load(tmp_path, document)

    assert str(found.value).startswith(f"other.yaml: {message}")


@pytest.mark.parametrize(("edit", "message"), OTHER_FAULTS)
def test_a_fault_elsewhere_is_named(tmp_path: Path, document: dict[str, Any], edit: Edit, message: str) -> None:
    """The error says which file and which part to mend, and what is wrong with it."""
    edit(document)

    with pytest.raises(PolicyError) as found:
        _load(tmp_path, document)

    assert str(found.value).startswith(f"other.yaml: {message}")


@pytest.mark.parametrize(
    ("document", "found"), [(None, "nothing"), ([], "list"), ("clear", "text"), (7, "number"), (True, "true or false")]
)
def test_what_is_no_mapping_is_no_policy(tmp_path: Path, document: object, found: str) -> None:
    """An empty file, a list or a word gives one line, which says what it is."""
    with pytest.raises(PolicyError, match=rf"^other\.yaml: expected a mapping, found {found}$"):
        _load(tmp_path, document)


def test_a_line_written_twice_is_named(tmp_path: Path) -> None:
    """YAML would take the last of two lines and say nothing; which was meant is not guessed."""
    path = tmp_path / "other.yaml"
    text = POLICY_FILE.read_text(encoding="utf-8")
    path.write_text(text.replace("        analyst: count\n", "        analyst: count\n        analyst: clear\n"))
    line = text[: text.index("        analyst: count\n")].count("\n") + 1

    with pytest.raises(PolicyError, match=rf"^other\.yaml: line {line}: analyst: written twice$"):
        load_policy(path)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("tiers: [", 1, 9),
        ("version: 2\ntiers:\n  ngo: {secret: word\n", 4, 1),
        ("tiers: !!python/object:os.system {}", 1, 8),
        ("? [a]\n: b", 1, 3),
    ],
)
def test_a_policy_that_is_no_plain_yaml_is_named(tmp_path: Path, text: str, line: int, column: int) -> None:
    """A slip of the pen gives one line that says where it is and quotes nothing, not a traceback."""
    path = tmp_path / "other.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(
        PolicyError, match=rf"^other\.yaml: expected YAML, found a syntax error at line {line}, column {column}$"
    ):
        load_policy(path)


def test_a_policy_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is one that cannot be read as text."""
    (tmp_path / "other.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PolicyError, match=r"^none\.yaml: expected a readable file, found No such file"):
        load_policy(tmp_path / "none.yaml")
    with pytest.raises(PolicyError, match=r"^other\.yaml: expected YAML"):
        load_policy(tmp_path / "other.yaml")


def test_the_merges_of_another_tier_can_be_granted(tmp_path: Path, document: dict[str, Any]) -> None:
    """The policy then names the tier; by default everybody sees their own."""
    document["tiers"]["analyst"]["merges"] = "of investigator"

    policy = _load(tmp_path, document)

    assert policy.tiers["analyst"].merges == "investigator"
    assert {tier.merges for tier in default_policy().tiers.values()} == {None}


def test_any_change_changes_the_digest(tmp_path: Path, document: dict[str, Any]) -> None:
    """Caches that hang on the digest are never stale."""
    _put("notes", "none", "ngo", "absent")(document)

    assert _load(tmp_path, document).digest != default_policy().digest == load_policy(POLICY_FILE).digest
