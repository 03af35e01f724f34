"""Tests of models and their files."""

import re
from dataclasses import replace
from math import log2
from pathlib import Path

import pytest

from ontology.errors import SchemaError
from ontology.schema import default_ontology
from resolution.model import MODELS_FOLDER, Chance, dump_model, list_models, load_model, read_model


def _write(folder: Path, change: tuple[str, str]) -> Path:
    text = (MODELS_FOLDER / "person.yaml").read_text(encoding="utf-8")
    path = folder / "person.yaml"
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    return path


def test_every_model_that_a_schema_names_is_shipped() -> None:
    """No schema asks for a model that is not there."""
    assert {schema.model for schema in default_ontology().values() if schema.model} == set(list_models())


@pytest.mark.parametrize(
    ("schema", "model"), [("Person", "person"), ("Organization", "organization"), ("Address", "address")]
)
def test_each_comparison_reads_known_properties_of_one_field_class(schema: str, model: str) -> None:
    """A comparison is seen whole or not at all: its properties share one row of the policy."""
    known = default_ontology()[schema].properties

    for comparison in load_model(model).comparisons:
        assert len({known[name].field_class for name in comparison.reads}) == 1, comparison.name


@pytest.mark.parametrize("name", list_models())
def test_chances_of_a_comparison_sum_to_one(name: str) -> None:
    """Exactly one level is reached, by records of one thing as by those of two."""
    for comparison in load_model(name).comparisons:
        assert sum(level.chance.m for level in comparison.levels) == pytest.approx(1, abs=1e-6), comparison.name
        assert sum(level.chance.u for level in comparison.levels) == pytest.approx(1, abs=1e-4), comparison.name


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    """Any change of the file gives another version."""
    changed = read_model(_write(tmp_path, ("prior: -17.0", "prior: -16.0")))

    assert changed.version != load_model("person").version
    assert changed.version.startswith("person-3-")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("release: 3", "release: 3\nspeed: 3"), "speed"),
        (("as: names", "as: nicknames"), "nicknames"),
        (("test: share", "test: guess"), "guess"),
        (("columns: [full]", "columns: [empty]"), "columns"),
        (("m: 0.5, u: 0.0005", "m: 1.5, u: 0.0005"), "between 0 and 1"),
        (("m: 0.97, u: 0.5}\n    levels", "m: 0.97, u: 1}\n    levels"), "between 0 and 1"),
        (("[whole], m: 0.97, u: 0.5", "[whole], m: 0.5, u: 0.5"), "different weights"),
        (("part: mailboxes", "part: attics"), "attics"),
        (("{of: document", "{of: wallet"), "wallet"),
    ],
)
def test_a_fault_in_a_model_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """A wrong key, reader, test, column, chance or part stops the model, by name."""
    with pytest.raises(SchemaError, match=message):
        read_model(_write(tmp_path, change))


def test_an_unknown_model_is_named() -> None:
    """A model that is not shipped is an error that lists those that are."""
    with pytest.raises(SchemaError, match="address, organization, person"):
        load_model("vehicle")


@pytest.mark.parametrize("name", list_models())
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    """A model that is written and read is the same but for its version, which is of the text."""
    model = load_model(name)
    path = tmp_path / "model.yaml"
    path.write_text(dump_model(model, "Written again."), encoding="utf-8")

    found = read_model(path)

    assert replace(found, version=model.version) == model
    assert found.version.startswith(f"{name}-{model.release}-")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "expected a model in YAML"),
        ("- a", "expected a mapping, found list"),
        ("{}", "name: expected text, found nothing"),
        ("{name: a, release: x}", "release: expected a whole number, found text"),
        ("{name: a, release: 1, comparisons: []}", "keys: expected a list, found nothing"),
        ("{name: a, release: 1, comparisons: [], keys: []}", "comparisons: expected one or more"),
        ("{name: a, release: 1, comparisons: [1], keys: []}", "comparisons: expected a mapping, found number"),
        ("{name: a, release: 1, comparisons: [{name: b, as: dates}], keys: []}", "b: levels: expected a list"),
    ],
)
def test_what_is_no_model_is_named(tmp_path: Path, text: str, message: str) -> None:
    """Whatever a file holds, the fault says what was expected, and where."""
    path = tmp_path / "model.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SchemaError, match=re.escape(message)):
        read_model(path)


def test_weights_are_log2_bayes_factors() -> None:
    """Weights follow Fellegi and Sunter, in bits."""
    chance = Chance(0.8, 0.1)

    assert chance.weight == pytest.approx(3)
    assert chance.opposite_weight == pytest.approx(log2(2 / 9))
