"""Bad input: one clear line each, what was good kept, never a traceback."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from importers.registry import sniff_format
from ontology.errors import UnusableSource
from tests.importers.samples import (
    BITCOIN,
    BITCOIN_WRONG,
    ENTITIES,
    MAPPING,
    PAGES,
    SAMPLES,
    STIX,
    TABLE,
    TAGPACK,
    make_lines,
    make_warc,
    read,
    records,
    rejections,
)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04rest", "a ZIP archive (unpack it first)"),
        (b"%PDF-1.7 rest", "a PDF document"),
        (b"\x00\x01\x02\x03" * 9, "binary data"),
        (b"\xff\xfea\x00b\x00", "UTF-16 text (UTF-8 is needed)"),
        ("id,name\n7,Mara\n".encode("utf-16-le"), "UTF-16 text (UTF-8 is needed)"),
        (
            b'[\n{"schema": "Person", "properties": {}},\n{"schema": "Person", "properties": {}}\n]',
            "a JSON array (one object a line is needed)",
        ),
        (b"[1, 2, 3]", "a JSON array (one object a line is needed)"),
        (b'{\n "type": "private_group",\n "messages": []\n}', "JSON of another kind"),
        (b"<html><body>hello</body></html>", "HTML or XML"),
        (b"Dear colleague,\nplease find attached\n", "text of no known format"),
        (gzip.compress(b""), "none, or damaged bytes"),
        (gzip.compress(gzip.compress(b"x" * 999)), "gzip inside gzip"),
        (b"\x1f\x8b rubbish", "none, or damaged bytes"),
    ],
)
def test_what_is_no_format_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    """A file that is not what its name says is told by what it holds."""
    path = tmp_path / "crawl.warc"
    path.write_bytes(content)

    with pytest.raises(UnusableSource) as caught:
        sniff_format(path)
    assert caught.value.found == found
    assert caught.value.path == "crawl.warc"


def test_a_table_needs_a_mapping(tmp_path: Path) -> None:
    """CSV and JSON lines without a mapping say which option gives one."""
    for content in (TABLE, '{"a": 1}\n{"a": 2}\n'):
        with pytest.raises(UnusableSource, match="--mapping FILE"):
            read(tmp_path, content)


def test_an_alias_in_yaml_stops_the_pack(tmp_path: Path) -> None:
    """A YAML bomb is refused at its first alias, and the tags before it stay."""
    bomb = TAGPACK + "- address: x\n  context: &a [z, z]\n- address: y\n  context: [*a, *a]\n"
    items = read(tmp_path, bomb)

    assert len(records(items, "CryptoWallet")) == 3
    assert rejections(items)[-1].expected == "no YAML alias"
    assert rejections(items)[-1].where.startswith("line ")


@pytest.mark.parametrize(
    "tail", ["- address: " + "[" * 5000, "- context: " + "{a: " * 5000, "- a: [" + "x, " * 20_000 + "]"]
)
def test_deep_or_wide_yaml_stops_the_pack(tmp_path: Path, tail: str) -> None:
    """Nesting and size have bounds; what came before stays."""
    items = read(tmp_path, TAGPACK + tail)

    assert len(records(items, "CryptoWallet")) == 2
    assert rejections(items)[-1].expected.startswith("at most ")


def test_an_unknown_stix_type_leaves_the_rest(tmp_path: Path) -> None:
    """One object that the ontology has no place for is one rejection."""
    strange = {"type": "x-spaceship", "id": "x-spaceship--1"}
    bundle = STIX | {"objects": [strange, *STIX["objects"]]}
    items = read(tmp_path, json.dumps(bundle))

    assert [(r.where, r.found) for r in rejections(items)] == [("objects[0].type", "x-spaceship")]
    assert len(records(items)) == len(records(read(tmp_path, SAMPLES["stix"])))


def test_a_wrong_checksum_is_rejected_in_its_place(tmp_path: Path) -> None:
    """An address that fits no checksum is named by its tag and field, unquoted; the tag stays, and names no wallet."""
    items = read(tmp_path, TAGPACK.replace(BITCOIN, BITCOIN_WRONG))
    fault = rejections(items)[0]
    first, second = records(items, "CryptoWallet")

    assert fault.where == "tags[0].address"
    assert "checksum" in fault.expected
    assert BITCOIN_WRONG not in f"{fault}"
    assert ("publicKey" in first.properties, "publicKey" in second.properties) == (False, True)
    assert (first.properties["tagLabel"] != (), first.extra["address"]) == (True, BITCOIN_WRONG)


def test_invalid_utf8_is_rejected_by_line(tmp_path: Path) -> None:
    """One line of other bytes is left out, whatever the line format."""
    lines = make_lines(ENTITIES).encode().splitlines(keepends=True)
    entities = read(tmp_path, b"".join([*lines[:2], b'{"id": "\xff"}\n', *lines[2:]]))
    table = read(tmp_path, TABLE.encode() + b"9,Na\xefve,,,\n", MAPPING)

    assert [(r.where, r.expected) for r in rejections(entities)] == [("line 3", "UTF-8 text")]
    assert len(records(entities)) == 3
    assert [(r.where, r.expected) for r in rejections(table)] == [("line 4", "UTF-8 text")]


@pytest.mark.parametrize("name", ["stix", "tagpack"])
def test_invalid_utf8_stops_a_document(tmp_path: Path, name: str) -> None:
    """A format that is one document ends where other bytes begin."""
    content = SAMPLES[name].replace(b"Harvest", b"H\xff").replace(b"Fee", b"F\xff")
    try:
        faults = [(r.expected, r.found) for r in rejections(read(tmp_path, content))]
    except UnusableSource as fault:
        faults = [(fault.expected, fault.found)]

    assert len(faults) == 1
    assert "UTF-8" in faults[0][0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": "x", "id": "y"}', "each key once in a JSON object"),
        ('{"id": NaN}', "a finite number"),
        ('{"id": 1e999}', "a finite number"),
        ('{"id": "\\ud800"}', "Unicode text"),
        ('{"id": "\\u0000"}', "text without NUL"),
        ('{"id": ' + "[" * 100 + "]" * 100 + "}", "at most 64 levels of nesting"),
        ("[" * 200_000, "at most 64 levels of nesting"),
        ('{"id": ', "JSON"),
        ("[]", "a JSON object"),
        ('{"id": "x\0"}', "text without NUL"),
    ],
)
def test_hostile_json_lines_are_rejected_one_by_one(tmp_path: Path, line: str, expected: str) -> None:
    """A line that breaks a rule of JSON is one rejection with its number."""
    items = read(tmp_path, make_lines(ENTITIES) + line + "\n")

    assert [(r.where, r.expected) for r in rejections(items)] == [("line 5", expected)]
    assert len(records(items)) == 3


def test_a_line_without_end_is_skipped(tmp_path: Path) -> None:
    """A line over the bound is left out and the next one read."""
    items = read(tmp_path, PAGES + "x" * (17 * 2**20) + "\n" + PAGES.splitlines()[1] + "\n")

    assert [r.found for r in rejections(items)] == ["a longer one"]
    assert len(records(items)) == 2


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    """Data that expands beyond reason stops the file where it does."""
    content = gzip.compress(make_lines(ENTITIES).encode() + b" " * (80 * 2**20))
    items = read(tmp_path, content)

    assert len(records(items)) == 3
    assert rejections(items)[-1].expected == "gzip that expands at most 300 times"


def test_a_bundle_cut_short_keeps_its_beginning(tmp_path: Path) -> None:
    """Objects before the end of half a bundle stay."""
    text = json.dumps(STIX)
    items = read(tmp_path, text[: text.index(WALLET_START)])

    assert len(records(items)) == 3
    assert len(rejections(items)) == 1
    assert [(r.where, r.expected, r.found) for r in rejections(items)] == [
        ("objects[3]", "a whole JSON value", "an early end")
    ]


WALLET_START = '"id": "cryptocurrency-wallet'


def test_a_page_nested_beyond_reason_gives_its_text(tmp_path: Path) -> None:
    """Nesting that would take minutes to parse costs the structure, not the text."""
    items = read(tmp_path, make_warc("<div>" * 30_000 + "call +40 721 234 567"))

    assert records(items, "Phone")[0].properties["number"] == ("+40721234567",)


def test_a_damaged_archive_keeps_its_beginning(tmp_path: Path) -> None:
    """What follows the last whole record is one rejection."""
    for tail in (make_warc()[:400], b"not a record\r\n\r\n"):
        items = read(tmp_path, make_warc() + tail)

        assert len(records(items, "HyperText")) == 1
        assert len(rejections(items)) == 1


def test_a_csv_row_of_another_width_is_rejected(tmp_path: Path) -> None:
    """A row whose cells do not match the header is left out, by the line where it begins."""
    items = read(tmp_path, TABLE + '9,"Two\nlines",,1970,\n10,too,few\n', MAPPING)

    assert [(r.where, r.expected, r.found) for r in rejections(items)] == [("line 6", "5 cells", "3")]
    assert len(records(items, "Person")) == 3


@pytest.mark.parametrize("missing", ["director", "organization"])
def test_an_edge_without_an_end_is_rejected(tmp_path: Path, missing: str) -> None:
    """A FollowTheMoney edge needs both ends."""
    edge: dict[str, Any] = json.loads(json.dumps(ENTITIES[3]))
    del edge["properties"][missing]
    items = read(tmp_path, make_lines([*ENTITIES[:3], edge]))

    assert [r.where for r in rejections(items)] == [f"line 4.properties.{missing}"]


def test_a_stix_object_with_a_fault_is_not_called_cut(tmp_path: Path) -> None:
    """What is wrong in the middle of a bundle is a syntax error there."""
    items = read(tmp_path, json.dumps(STIX).replace('"name": "Harvest"', '"name" "Harvest"'))

    assert [(r.where, r.found) for r in rejections(items)] == [("objects[2]", "a syntax error")]


_JSON_MAPPING = {
    "format": "jsonl",
    "entities": {"person": {"schema": "Person", "keys": ["id"], "properties": {"name": {"column": "name"}}}},
}
_NAMES = {"entities": _JSON_MAPPING["entities"]}


@pytest.mark.parametrize(
    "head",
    ['{"id": 1, "na', '{"id": NaN}', '{"id": 1, "id": 2}', "rubbish", "[]", '{"id": "\0"}', '{"id": "' + "x" * 70_000],
)
def test_a_faulty_first_line_costs_only_itself(tmp_path: Path, head: str) -> None:
    """With a mapping the rows after the first say nothing less for it."""
    items = read(tmp_path, head + '\n{"id": 7, "name": "Mara"}\n', _JSON_MAPPING)

    assert [r.where for r in rejections(items)] == ["line 1"]
    assert [record.source_key for record in records(items)] == ["Person/7"]


@pytest.mark.parametrize("content", [make_lines(ENTITIES), PAGES])
def test_a_faulty_first_line_hides_no_format(tmp_path: Path, content: str) -> None:
    """A format of JSON lines is told by the first line that fits it."""
    items = read(tmp_path, '{"id": \n' + content)

    assert [(r.where, r.expected) for r in rejections(items)] == [("line 1", "JSON")]
    assert len(records(items)) == len(records(read(tmp_path, content)))


@pytest.mark.parametrize(
    ("row", "expected"),
    [("8", "2 cells"), ("8,a,b", "2 cells"), ("8,\0", "text without NUL"), ("8,a\rb", "cells in quotes")],
)
def test_a_faulty_first_row_costs_only_itself(tmp_path: Path, row: str, expected: str) -> None:
    """A table is what its mapping says, whatever its first row."""
    items = read(tmp_path, f"id,name\n{row}\n7,Mara\n", _NAMES)

    assert [r.where for r in rejections(items)] == ["line 2"]
    assert rejections(items)[0].expected.startswith(expected)
    assert [record.source_key for record in records(items)] == ["Person/7"]


def test_small_and_odd_tables_are_tables(tmp_path: Path) -> None:
    """One column, no row, and a vertical tab in a cell are no faults."""
    single = {"entities": {"p": {"schema": "Person", "keys": ["name"], "properties": {"name": {"column": "name"}}}}}

    assert [r.properties["name"] for r in records(read(tmp_path, "name\nMara\n", single))] == [("Mara",)]
    assert read(tmp_path, "id,name\n", _NAMES) == []
    assert len(records(read(tmp_path, "id,name\n7,Mara\x0bInvented\n8,Ion\n", _NAMES))) == 2


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7 rest", "a PDF document"),
        ("id,name\n7,Mara\n".encode("utf-16"), "UTF-16 text (UTF-8 is needed)"),
        ("id,name\n7,Mara\n".encode("utf-16-be"), "UTF-16 text (UTF-8 is needed)"),
        (bytes(range(8)) * 9, "binary data"),
    ],
)
@pytest.mark.parametrize("mapping", [_NAMES, _JSON_MAPPING])
def test_a_mapping_makes_no_table_of_other_things(
    tmp_path: Path, content: bytes, found: str, mapping: dict[str, Any]
) -> None:
    """What is certainly no text of ours is named, mapping or not."""
    with pytest.raises(UnusableSource) as caught:
        read(tmp_path, content, mapping)
    assert caught.value.found == found


def test_an_array_is_no_json_lines(tmp_path: Path) -> None:
    """A document over many lines is named once, not rejected line by line."""
    with pytest.raises(UnusableSource, match="a JSON array"):
        read(tmp_path, '[\n{"id": 7, "name": "Mara"}\n]', _JSON_MAPPING)
