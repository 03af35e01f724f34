"""The schema of each tier as text: what it holds, that its file is current, and how changes are told."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
)
from typer.testing import CliRunner, Result

from api.cli.schema import schema as command
from api.schema import make_schema, print_sdl
from api.sdl import Change, find_changes, write_schemata
from ontology.errors import InvalidData
from ontology.policy_file import default_policy

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "schema"
POLICY = yaml.safe_load((ROOT / "ontology" / "policy.yaml").read_text(encoding="utf-8"))
SCHEMATA = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in (ROOT / "ontology" / "schemata").glob("*.yaml")
}
TIERS = sorted(POLICY["tiers"])
RENEW = "vinculum schema --write docs/schema"
OLD = "type Query { a(x: Int): Int b: E } enum E { X Y }"
# Words of the interface itself that are properties as well: who the observer is, and how a weight is told.
OWN_WORDS = {"description", "name", "purpose", "type", "model", "weight"}

app = typer.Typer()
app.command()(command)


def treatments(cell: Any) -> set[str]:
    """Return what one cell of the policy file can give, without grains."""
    lines = {"otherwise": cell} if isinstance(cell, str) else cell
    return {term.split()[0] for key, term in lines.items() if key != "known"}


def iter_cells() -> Iterator[tuple[str, str, Any]]:
    """Read the policy file plainly: each class, tier and cell."""
    for field_class, spec in POLICY["classes"].items():
        for row in spec["cells"].values():
            for names, cell in row.items():
                yield from ((field_class, name.strip(), cell) for name in names.split(","))


def classes_of(tier: str) -> set[str]:
    """Return the classes of which a tier is ever given a value."""
    return {
        field_class
        for field_class, name, cell in iter_cells()
        if name == tier and treatments(cell) - {"count", "absent"}
    }


def properties_of(name: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a schema by its file and those of its parents."""
    found: dict[str, dict[str, Any]] = {}
    for parent in SCHEMATA[name].get("extends", ()):
        found = {**properties_of(parent), **found}
    return {**found, **SCHEMATA[name].get("properties", {})}


def forbidden_properties(tier: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return the properties that are nowhere of a class that a tier is given, by name."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for data in SCHEMATA.values():
        for name, spec in data.get("properties", {}).items():
            found.setdefault(name, []).append(spec)
    given = classes_of(tier)
    return {name: specs for name, specs in found.items() if given.isdisjoint(spec["class"] for spec in specs)}


def iter_names(schema: GraphQLSchema) -> Iterator[str]:
    """Yield every name that a document can use: types, fields, arguments, inputs, enum values."""
    for declared in schema.type_map.values():
        if declared.name.startswith("__"):
            continue
        yield declared.name
        if isinstance(declared, GraphQLEnumType):
            yield from declared.values
        elif isinstance(declared, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            yield from declared.fields
        if isinstance(declared, GraphQLObjectType | GraphQLInterfaceType):
            yield from (argument for field in declared.fields.values() for argument in field.args)


@cache
def built(tier: str) -> GraphQLSchema:
    """Return the schema of a tier as read back from its text."""
    return build_schema(print_sdl(tier))


def fields_of(schema: GraphQLSchema, name: str) -> set[str]:
    """Return the fields of a type."""
    declared = schema.type_map[name]
    assert isinstance(declared, GraphQLObjectType | GraphQLInterfaceType)
    return set(declared.fields)


def run(*words: str | Path) -> Result:
    """Run the command as a shell would."""
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("tier", TIERS)
def test_kept_schema_is_the_one_in_force(tier: str) -> None:
    """Whoever reads the file reads what is served; a change of it is committed with what it breaks in view."""
    file, now = KEPT / f"{tier}.graphql", print_sdl(tier) + "\n"
    kept = file.read_text(encoding="utf-8") if file.exists() else ""

    if kept != now:
        breaking = [c.description for c in find_changes(kept, now, path=file.name) if c.breaks] if kept else []
        pytest.fail(
            f"docs/schema/{file.name} is not what the code prints; it breaks clients: {len(breaking)}\n"
            + "".join(f"  {line}\n" for line in breaking)
            + f"renew all nine with: {RENEW}"
        )


def test_a_file_is_kept_for_each_tier_and_no_other() -> None:
    """A tier that is gone leaves no schema behind."""
    assert sorted(file.name for file in KEPT.iterdir()) == [f"{tier}.graphql" for tier in TIERS]


@pytest.mark.parametrize("tier", TIERS)
def test_types_have_just_the_properties_of_the_classes_given(tier: str) -> None:
    """A property is a field exactly when the policy file gives the tier some value of its class."""
    declared = built(tier)
    things = {name for name, t in declared.type_map.items() if isinstance(t, GraphQLObjectType) and t.interfaces}
    given = classes_of(tier)

    assert things <= SCHEMATA.keys()
    for name in things:
        expected = {key for key, spec in properties_of(name).items() if spec["class"] in given}
        assert fields_of(declared, name) - fields_of(declared, "Entity") == expected


@pytest.mark.parametrize("tier", TIERS)
def test_nothing_that_can_be_named_is_of_a_class_never_given(tier: str) -> None:
    """No type, field, argument, filter, sort or enum value has the name of a property that the tier never has."""
    assert {*iter_names(built(tier))} & {*forbidden_properties(tier)} <= OWN_WORDS


@pytest.mark.parametrize("tier", TIERS)
def test_no_description_tells_of_a_class_never_given(tier: str) -> None:
    """Neither what a hidden property means nor which standard it comes from is told, under any name."""
    text = print_sdl(tier)
    given = [spec for data in SCHEMATA.values() for spec in data.get("properties", {}).values()]
    told = {s["description"] for s in given if s["class"] in classes_of(tier)}
    terms = {term for s in given if s["class"] in classes_of(tier) for term in s.get("terms", ())}
    terms |= {term for data in SCHEMATA.values() for term in data.get("terms", ())}

    for specs in forbidden_properties(tier).values():
        for spec in specs:
            assert spec["description"] in told or spec["description"] not in text
            for term in {*spec.get("terms", ())} - terms:
                assert not re.search(rf"{re.escape(term)}[,.]", text)


@pytest.mark.parametrize("tier", ["public", "auditor", "operator"])
def test_printed_schema_is_the_served_one(tier: str) -> None:
    """What introspection answers is what the text says."""
    served: Any = make_schema(tier).introspect()

    assert {*iter_names(build_client_schema(served))} == {*iter_names(built(tier))}


def test_changes_are_told_by_kind_what_breaks_first() -> None:
    """By hand: a field and an enum value gone break clients; a new enum value and argument may surprise them."""
    new = "type Query { a(x: Int, y: Int): Int c: E } enum E { X Z }"

    assert find_changes(OLD, new, path="old") == [
        Change("FIELD_REMOVED", "Field Query.b was removed.", breaks=True),
        Change("VALUE_REMOVED_FROM_ENUM", "Enum value E.Y was removed.", breaks=True),
        Change("OPTIONAL_ARG_ADDED", "An optional argument Query.a(y:) was added.", breaks=False),
        Change("VALUE_ADDED_TO_ENUM", "Enum value E.Z was added.", breaks=False),
    ]


@pytest.mark.parametrize("tier", ["ngo", "operator"])
def test_a_schema_does_not_differ_from_itself(tier: str) -> None:
    """What was written is read back as the same."""
    assert find_changes(print_sdl(tier), print_sdl(tier), path="same") == []


@pytest.mark.parametrize("text", ["", "type Query {", "type Query { a: Missing }", "{ a }", "type A { a: Int }\x00"])
def test_a_file_that_is_no_schema_is_named(text: str) -> None:
    """An older file that cannot be read as a schema is refused with its name and none of its content."""
    with pytest.raises(InvalidData, match=r"^old\.graphql: expected a GraphQL schema in SDL") as failure:
        find_changes(text, OLD, path="old.graphql")

    assert "Missing" not in str(failure.value)


def test_schema_of_a_tier_is_printed() -> None:
    """Standard output is the schema and nothing else, so that it can be kept in a file."""
    assert run("--tier", "ngo").stdout == (KEPT / "ngo.graphql").read_text(encoding="utf-8")
    assert json.loads(run("--tier", "ngo", "--json").stdout) == {"tier": "ngo", "sdl": print_sdl("ngo")}


def test_changes_since_an_older_file_are_printed(tmp_path: Path) -> None:
    """A client that used what is gone learns of it, with the number of breaks at the end."""
    old = tmp_path / "old.graphql"
    old.write_text(print_sdl("operator").replace("tier: String!", "tier: String!\n  rank: String"), encoding="utf-8")

    told = run("--tier", "operator", "--against", old)
    assert told.stdout.splitlines() == ["breaks: FIELD_REMOVED: Field Observer.rank was removed.", "breaks clients: 1"]
    assert told.exit_code == 1
    assert run("--tier", "ngo", "--against", KEPT / "ngo.graphql").exit_code == 0
    assert json.loads(run("--tier", "operator", "--against", old, "--json").stdout) == {
        "breaks_clients": 1,
        "changes": [{"kind": "FIELD_REMOVED", "description": "Field Observer.rank was removed.", "breaks": True}],
    }


def test_all_schemata_are_written(tmp_path: Path) -> None:
    """One command renews the files, in a folder that it makes."""
    answer = run("--write", tmp_path / "new" / "schema")

    files = sorted((tmp_path / "new" / "schema").iterdir())
    assert [file.stem for file in files] == TIERS
    assert answer.stdout.split() == [str(file) for file in files]
    assert files[0].read_text(encoding="utf-8") == print_sdl(TIERS[0]) + "\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is said to be in the way."""
    (tmp_path / "taken").touch()

    with pytest.raises(InvalidData, match=r"taken: expected a folder that can be written"):
        write_schemata(tmp_path / "taken", default_policy())


@pytest.mark.parametrize(
    "words", [(), ("--tier", "king"), ("--tier", "ngo", "--write", "x"), ("--write", "x", "--against", "y")]
)
def test_misuse_of_the_command_is_refused(words: tuple[str, ...]) -> None:
    """Neither or both of a tier and a folder, a tier that is none, and a comparison of nothing end with 2."""
    assert run(*words).exit_code == 2
