"""Captures, label files and mapping files."""

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.capture import CaptureStore
from importers.guard import load_yaml, parse_json
from importers.label_file import read_label_file
from importers.mapping import make_mapping, read_mapping
from ontology.errors import InvalidData, InvalidValue, UnusableSource
from tests.importers.samples import MAPPING


def _write(folder: Path, text: str, name: str = "label.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_capture_is_kept_under_its_hash(tmp_path: Path) -> None:
    """The bytes are there, readable by their owner alone, and keeping them again adds nothing."""
    store, source = CaptureStore(tmp_path / "home"), _write(tmp_path, "as received")
    kept, again = store.keep(source), store.keep(source)

    assert kept == again
    assert kept.sha256 == hashlib.sha256(b"as received").hexdigest()
    assert kept.size == 11
    assert kept.path == tmp_path / "home" / "captures" / kept.sha256[:2] / kept.sha256
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    assert [p.name for p in (tmp_path / "home" / "captures").iterdir()] == [kept.sha256[:2]]


def test_an_altered_capture_is_found_out(tmp_path: Path) -> None:
    """Verifying reads the bytes again; what is not there does not verify either."""
    store = CaptureStore(tmp_path)
    kept = store.keep(_write(tmp_path, "as received"))

    assert store.verify(kept.sha256)
    kept.path.write_bytes(b"as altered")
    assert not store.verify(kept.sha256)
    assert not store.verify("0" * 64)


def test_a_capture_needs_a_file_and_an_address(tmp_path: Path) -> None:
    """No file is an unusable source, and no path can be smuggled in as an address."""
    with pytest.raises(UnusableSource):
        CaptureStore(tmp_path).keep(tmp_path / "nothing")
    with pytest.raises(InvalidData):
        CaptureStore(tmp_path).verify("../../etc/passwd")


def test_a_label_file_is_read(tmp_path: Path) -> None:
    """Parts, parts by schema, and the source; what is not said is strictest."""
    text = """
tlp: amber
handling: H1
review_date: 2027-01-01
schemata:
  CryptoWallet: {category: none}
source: {name: intake, organisation: Blue Harbour, kind: ngo}
"""
    label, schemata, source = read_label_file(_write(tmp_path, text))

    assert (label.tlp, label.handling, label.pap, label.category) == ("AMBER", "H1", "RED", "victim")
    assert label.review_date == "2027-01-01"
    assert schemata == {"CryptoWallet": {"category": "none"}}
    assert source is not None
    assert (source.name, source.kind, source.legal_basis) == ("intake", "ngo", "")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("tlp: mauve", "label.yaml.tlp"),
        ("colour: red", "label.yaml.colour"),
        ("schemata: {Spaceship: {tlp: RED}}", "label.yaml.schemata.Spaceship"),
        ("schemata: {Person: {tlp: mauve}}", "label.yaml.schemata.Person.tlp"),
        ("schemata: [Person]", "label.yaml.schemata"),
        ("source: {name: x}", "label.yaml.source.organisation"),
        ("source: {name: x, organisation: y, boss: z}", "label.yaml.source.boss"),
        ("classification: SECRET UE", "label.yaml.classification"),
        ("- tlp", "label.yaml"),
        ("tlp: RED\ntlp: CLEAR", "label.yaml: line 1"),
        ("a: ]", "label.yaml: line 1"),
        ("a: &x [1]\nb: *x", "label.yaml: line 2"),
        ("", "label.yaml"),
    ],
)
def test_a_wrong_label_file_is_named_by_key(tmp_path: Path, text: str, path: str) -> None:
    """The error says which file and which key."""
    with pytest.raises(InvalidData) as caught:
        read_label_file(_write(tmp_path, text))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"entities": {}}, "map.yaml: entities"),
        ({"format": "xlsx"}, "map.yaml: format"),
        ({"colour": 1}, "map.yaml.colour"),
        ({"entities": {"p": {"schema": "Spaceship", "keys": ["id"]}}}, "map.yaml: entities.p.schema"),
        ({"entities": {"p": {"schema": "Thing", "keys": ["id"]}}}, "map.yaml: entities.p.schema"),
        ({"entities": {"p": {"schema": "Ownership", "keys": ["id"]}}}, "map.yaml: entities.p.schema"),
        ({"entities": {"p": {"schema": "Person"}}}, "map.yaml: entities.p.keys"),
        (
            {"entities": {"p": {"schema": "Person", "keys": ["id"], "properties": {"wings": {"column": "w"}}}}},
            "map.yaml: entities.p.properties.wings",
        ),
        (
            {"entities": {"p": {"schema": "Person", "keys": ["id"], "properties": {"name": {}}}}},
            "map.yaml: entities.p.properties.name",
        ),
        (
            {"entities": {"p": {"schema": "Person", "keys": ["id"], "properties": {"name": {"column": "n", "extract": ["dna"]}}}}},
            "map.yaml: entities.p.properties.name.extract",
        ),
        ({"links": [{"schema": "Contact", "left": "phone", "right": "nobody"}]}, "map.yaml: links[0].right"),
        ({"links": [{"schema": "Family", "left": "phone", "right": "person"}]}, "map.yaml: links[0].left"),
        ({"csv": {"delimiter": "::"}}, "map.yaml: csv.delimiter"),
        ({"links": [{"schema": "Contact", "left": "phone", "right": "person", "keys": [1]}]}, "map.yaml: links[0].keys"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_named_by_key(change: dict[str, Any], path: str) -> None:
    """A mapping is checked against the ontology before any row is read."""
    with pytest.raises(InvalidData) as caught:
        make_mapping({**MAPPING, **change}, "map.yaml")
    assert caught.value.path == path


def test_a_mapping_file_is_read(tmp_path: Path) -> None:
    """YAML gives the same as the parts that it says."""
    text = "format: tsv\nentities:\n  p: {schema: Person, keys: [id], properties: {name: {column: n}}}\n"
    mapping = read_mapping(_write(tmp_path, text, "map.yaml"))

    assert (mapping.format, mapping.delimiter, sorted(mapping.columns)) == ("tsv", "\t", ["id", "n"])


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """No file by that name is an error of the data, not of ours."""
    with pytest.raises(InvalidData, match="expected a file"):
        load_yaml(tmp_path / "none.yaml")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=100)
@given(_VALUES, st.booleans())
def test_strict_json_reads_what_is_plain(value: Any, is_ascii: bool) -> None:
    """Strictness changes no good value."""
    assert parse_json(json.dumps(value, ensure_ascii=is_ascii)) == value


def test_integers_too_large_stay_as_written() -> None:
    """A number that other readers would round keeps its digits."""
    assert parse_json("[9007199254740993, 9007199254740992]") == ["9007199254740993", 9007199254740992]
    assert parse_json("1" * 9999) == "1" * 9999
    with pytest.raises(InvalidValue):
        parse_json("1e999")


@pytest.mark.parametrize("form", ["%d/%m/%Q", "dd/mm/yyyy", "%", "%Y %Y", "%m/%Y"])
def test_a_wrong_date_format_is_named_by_key(form: str) -> None:
    """A format that reads no day is refused before any row is read."""
    person = {"schema": "Person", "keys": ["id"], "properties": {"birthDate": {"column": "born", "format": form}}}
    with pytest.raises(InvalidData) as caught:
        make_mapping({"entities": {"p": person}}, "map.yaml")

    assert caught.value.path == "map.yaml: entities.p.properties.birthDate.format"


@pytest.mark.parametrize(
    ("data", "path"), [({"entities": {1: {"schema": "Person"}}}, "map.yaml.entities"), ({1: "csv"}, "map.yaml")]
)
def test_a_key_that_is_no_text_is_said(data: dict[Any, Any], path: str) -> None:
    """YAML reads a bare number as one; the error says so."""
    with pytest.raises(InvalidData, match=r"expected text as key, .*, found int") as caught:
        make_mapping(data, "map.yaml")

    assert caught.value.path == path
