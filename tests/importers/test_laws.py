"""What holds of every importer, whatever the file says."""

import gzip
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.registry import FORMATS, read_file, sniff_format
from ontology.errors import UnusableSource
from ontology.record import Record
from ontology.rejection import Rejection
from ontology.schema import default_ontology
from tests.importers.samples import (
    ENTITIES,
    MAPPING,
    SAMPLES,
    STIX,
    TAGPACK,
    links,
    make_delivery,
    make_lines,
    make_warc,
    read,
    records,
)


@pytest.mark.parametrize("name", SAMPLES)
def test_content_alone_tells_the_format(tmp_path: Path, name: str) -> None:
    """A file without any extension is recognised, compressed or not."""
    path = tmp_path / "nameless"
    path.write_bytes(SAMPLES[name])

    assert sniff_format(path).name == name.removesuffix(".gz")


@pytest.mark.parametrize("name", SAMPLES)
def test_one_format_alone_claims_a_sample(name: str) -> None:
    """Formats with a standard of their own never claim each other's files."""
    head = gzip.decompress(SAMPLES[name]) if name.endswith(".gz") else SAMPLES[name]
    own = [form.name for form in FORMATS if form.name not in ("csv", "jsonl") and form.sniff(head)]

    assert own == [] if name == "csv" else own == [name.removesuffix(".gz")]


@pytest.mark.parametrize("name", SAMPLES)
def test_reading_twice_gives_the_same_ids(tmp_path: Path, name: str) -> None:
    """Importing is a function of the bytes."""
    first, second = read(tmp_path, SAMPLES[name], MAPPING), read(tmp_path, SAMPLES[name], MAPPING)

    assert first == second
    assert [i.id for i in first if not isinstance(i, Rejection)] == [
        i.id for i in second if not isinstance(i, Rejection)
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_compressing_a_file_changes_nothing(tmp_path: Path, name: str) -> None:
    """Gzip around any format gives the same items."""
    plain = SAMPLES[name] if not name.endswith(".gz") else gzip.decompress(SAMPLES[name])

    assert read(tmp_path, plain, MAPPING) == read(tmp_path, gzip.compress(plain), MAPPING)


@pytest.mark.parametrize("name", SAMPLES)
def test_values_are_clean_and_ends_are_there(tmp_path: Path, name: str) -> None:
    """Cleaning a value again changes nothing, every link joins records, and the order counts up."""
    items = read(tmp_path, SAMPLES[name], MAPPING)

    _check(items)
    things = {record.thing for record in records(items)}
    assert all({link.left, link.right} <= things for link in links(items))
    assert records(items)


def _check(items: list[Any]) -> None:
    ontology = default_ontology()
    kept = [item for item in items if not isinstance(item, Rejection)]
    for item in kept:
        for name, values in item.properties.items():
            prop = ontology[item.schema].properties[name]
            assert values
            assert [prop.type.clean(value) for value in values] == list(values)
        assert item.id
    assert [item.sequence for item in kept] == list(range(1, len(kept) + 1))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["Person", "p1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["id", "type", "schema", "properties", "name", "owner", "asset", "objects", "source_ref", "target_ref",
         "object_marking_refs", "granular_markings", "selectors", "marking_ref", "x_vinculum_label", "tlp"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(_JSON, max_size=4), st.sampled_from(["stix", "followthemoney"]))
def test_no_json_breaks_a_reader(values: list[Any], kind: str) -> None:
    """Whatever JSON stands among good objects, only items or one clear error come out, and the good ones stay."""
    text = (
        json.dumps(STIX | {"objects": [*STIX["objects"], *values]})
        if kind == "stix"
        else make_lines([*ENTITIES, *values])
    )
    with tempfile.TemporaryDirectory() as folder:
        items = read(Path(folder), text)

    _check(items)
    assert len(records(items)) >= 3


@settings(max_examples=150)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 10_000), st.binary(max_size=6), st.booleans())
def test_no_damage_breaks_a_reader(name: str, place: int, damage: bytes, is_cut: bool) -> None:
    """A file cut short or overwritten anywhere gives items, rejections, or one clear error."""
    content = SAMPLES[name]
    at = place % len(content)
    broken = content[:at] + (b"" if is_cut else damage + content[at + len(damage) :])
    items: list[Any] = []
    with tempfile.TemporaryDirectory() as folder, suppress(UnusableSource):
        items = read(Path(folder), broken, MAPPING)

    _check(items)


def test_a_first_line_longer_than_the_head_is_told(tmp_path: Path) -> None:
    """An entity so large that its line is not seen whole is still an entity."""
    large = {"id": "x", "schema": "Person", "properties": {"name": ["Mara"], "notes": ["word " * 20_000]}}

    assert len(records(read(tmp_path, make_lines([large, *ENTITIES])))) == 4


def test_a_bundle_with_sorted_keys_is_told(tmp_path: Path) -> None:
    """The order of members changes nothing, also when the type comes last."""
    sorted_bundle = json.dumps(STIX, sort_keys=True, indent=2)

    assert {item.thing for item in records(read(tmp_path, sorted_bundle))} == {
        item.thing for item in records(read(tmp_path, SAMPLES["stix"]))
    }


def test_good_pages_before_a_cut_stay(tmp_path: Path) -> None:
    """Half a gzip gives the pages that were whole, and one rejection that says where it ends."""
    pages = b"".join(make_warc(f"<title>Page {n}</title>", url=f"https://harvest.example/{n}") for n in range(400))
    items = read(tmp_path, gzip.compress(pages)[:-1500])
    faults = [item for item in items if isinstance(item, Rejection)]

    assert 0 < len(records(items, "HyperText")) < 400
    assert [(fault.expected, fault.found) for fault in faults] == [("a whole gzip stream", "its end missing")]
    assert isinstance(items[-1], Rejection)


def test_a_reader_takes_no_more_than_it_needs(tmp_path: Path) -> None:
    """The first item comes before the rest of the file is even well formed."""
    path = tmp_path / "in.dat"
    path.write_text(TAGPACK + "- label: no address\n" * 20_000 + "]", encoding="utf-8")
    stream = read_file(path, make_delivery())
    first = next(stream)
    stream.close()

    assert isinstance(first, Record)
