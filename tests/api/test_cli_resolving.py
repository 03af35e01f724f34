"""The commands that resolve without a store: their files, figures and faults."""

import csv
import io
import json
from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.cli import main
from api.cli.resolving import find_common_model, find_verdict
from ontology.schema import default_ontology
from resolution.model import dump_model, load_model

MAPPING = """
schema: Person
id: nr
properties: {name: name, birthDate: born, email: mail}
"""
ROWS = [
    {"nr": "c", "name": "Mirela Vosgan", "born": "1991-04-07", "mail": "mirela.v@example.org"},
    {"nr": "a", "name": "Dorin Sample", "born": "1964-11-30", "mail": ""},
    {"nr": "b", "name": "Мирела Восган", "born": "1991-04-07", "mail": "mirela.v@example.org"},
]
CLUSTERS = "id,entity\nc,c\na,a\nb,c\n"


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command as a shell would, in a folder that has no store and with settings that are wrong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VINCULUM_STORE", "nonsense")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "people.yaml").write_text(MAPPING)

    def call(*words: str | Path) -> Answer:
        monkeypatch.setattr("sys.argv", ["vinculum", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capfd.readouterr()
        return Answer(int(end.value.code or 0), printed.out, printed.err)

    return call


def _write_table(name: str = "people.csv", rows: list[dict[str, str]] = ROWS) -> Path:
    path = Path(name)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _write_pairs(*pairs: Any) -> Path:
    path = Path("pairs.jsonl")
    path.write_text("".join(f"{pair if isinstance(pair, str) else json.dumps(pair)}\n" for pair in pairs))
    return path


def _entity(schema: str, **properties: Any) -> dict[str, Any]:
    return {"schema": schema, "properties": properties}


def test_dedupe_writes_the_entity_of_each_row(run: Run) -> None:
    """Each row is a line in its order, with the id of the first row of its person; a summary goes to standard error."""
    answer = run("dedupe", _write_table(), "--mapping", "people.yaml", "--out", "clusters.csv")

    assert (answer.code, answer.out) == (0, "")
    assert Path("clusters.csv").read_text() == CLUSTERS
    assert answer.err.startswith("3 records, 1 pair, 2 entities, the largest of 2 records, ")
    assert sorted(path.name for path in Path().iterdir()) == ["clusters.csv", "people.csv", "people.yaml"]


def test_dedupe_writes_the_weight_of_each_comparison(run: Run) -> None:
    """A pair has its ends in input order, and prior and comparisons add up to its weight."""
    run("dedupe", _write_table(), "--mapping", "people.yaml", "--out", "clusters.csv", "--pairs", "pairs.csv")

    (pair,) = csv.DictReader(Path("pairs.csv").read_text().splitlines())
    model = load_model("person")
    names = [comparison.name for comparison in model.comparisons]
    assert list(pair) == ["left", "right", "weight", "probability", *names]
    assert (pair["left"], pair["right"]) == ("c", "b")
    prior = log2(1 / 3)
    assert float(pair["weight"]) == pytest.approx(prior + sum(float(pair[name]) for name in names), abs=1e-5)
    assert float(pair["probability"]) == pytest.approx(1 / (1 + 2 ** -float(pair["weight"])))


def test_dedupe_reads_parquet_and_json_lines_alike(run: Run) -> None:
    """The format is told from content: rows that are spread over tables of any format give the same answer."""
    one = _write_table("one.parquet", ROWS[:1])
    pq.write_table(pa.Table.from_pylist(ROWS[1:2]), "two.csv")
    Path("three").write_text(json.dumps(ROWS[2]))

    answer = run("dedupe", one, "two.csv", "three", "--mapping", "people.yaml", "--out", "-")

    assert answer.out == CLUSTERS


def test_dedupe_of_a_header_writes_headers(run: Run) -> None:
    """A table without rows gives files without lines and says so."""
    answer = run("dedupe", _write_table(rows=[]), "--mapping", "people.yaml", "--out", "c.csv", "--pairs", "p.csv")

    assert answer.err.startswith("0 records, 0 pairs, 0 entities")
    assert Path("c.csv").read_text() == "id,entity\n"
    assert Path("p.csv").read_text().startswith("left,right,weight,probability,name,")


def test_dedupe_counts_values_that_do_not_clean(run: Run) -> None:
    """What is left out is counted by column, with what was expected, and never shown."""
    rows = [{**ROWS[0], "born": "some secret"}, {**ROWS[1], "born": "another secret"}]

    answer = run("dedupe", _write_table(rows=rows), "--mapping", "people.yaml", "--out", "c.csv")

    assert answer.err.startswith("2 values of born left out: expected a date (YYYY")
    assert "secret" not in answer.err


def test_dedupe_trains_when_asked(run: Run) -> None:
    """Training on the tables gives an answer of the same form."""
    answer = run("dedupe", _write_table(), "--mapping", "people.yaml", "--out", "-", "--train")

    assert answer.code == 0
    assert [line.split(",")[0] for line in answer.out.splitlines()] == ["id", "c", "a", "b"]


def test_a_fault_leaves_earlier_files_as_they_were(run: Run) -> None:
    """Where a row is wrong, nothing is written: not even a draft stays, and an earlier answer is kept."""
    Path("c.csv").write_text("earlier")

    answer = run("dedupe", _write_table(rows=[*ROWS, ROWS[0]]), "--mapping", "people.yaml", "--out", "c.csv", "--pairs", "p")  # fmt: skip

    assert answer.code == 2
    assert "people.csv: line 5: expected a value in nr that no other row has" in answer.err
    assert Path("c.csv").read_text() == "earlier"
    assert sorted(path.name for path in Path().iterdir()) == ["c.csv", "people.csv", "people.yaml"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "people.csv"], "--out: expected another file than those that are read"),
        (["--out", "c", "--pairs", "./c"], "--pairs: expected another file than --out"),
        (["--out", "no/such/folder"], "no/such/folder: expected a file that can be written"),
        (["--out", "."], ".: expected a file that can be written, found a folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(run: Run, options: list[str], message: str) -> None:
    """What is read is never written over, and a place that takes no file is an error before any work."""
    answer = run("dedupe", _write_table(), "--mapping", "people.yaml", *options)

    assert (answer.code, message in answer.err) == (2, True)


def test_an_answer_goes_through_a_device(run: Run) -> None:
    """Where the target is no plain file, the answer is copied into it and it stays what it is."""
    answer = run("dedupe", _write_table(), "--mapping", "people.yaml", "--out", "/dev/null")

    assert answer.code == 0
    assert not Path("/dev/null").is_file()


def test_compare_writes_figures_and_verdicts(run: Run) -> None:
    """A line has weight, probability and verdict by its number, blank lines left out."""
    mirela = _entity("Person", name=["Mirela Vosgan"], birthDate="1991-04-07", email=["mirela.v@example.org"])
    path = _write_pairs(
        {"left": mirela, "right": mirela},
        "",
        {"left": mirela, "right": _entity("Person", name="Dorin Sample", birthDate="1964-11-30")},
        {"left": mirela, "right": _entity("Company", name="Mirela Vosgan")},
    )

    answer = run("compare", path, "--out", "-")

    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [(row["line"], row["verdict"]) for row in rows] == [("1", "match"), ("3", "different"), ("4", "different")]
    assert float(rows[0]["probability"]) == pytest.approx(1 / (1 + 2 ** -float(rows[0]["weight"])))
    assert (rows[2]["weight"], rows[2]["probability"]) == ("", "")
    assert answer.err.startswith("3 pairs: 1 match, 0 possible, 2 different, 0 invalid, ")


def test_a_trained_model_is_written_and_used(run: Run) -> None:
    """What is fitted to a table weighs its rows, and pairs, otherwise than the shipped model; the file holds no value."""
    said = [("Mirela Vosgan", "1991-04-07"), ("Dorin Sample", "1964-11-30"), ("Zhelyazko Tumbev", "")]
    rows = [
        {"nr": str(i), "name": said[i % 3][0], "born": said[i % 3][1], "mail": f"{i}@example.org"} for i in range(60)
    ]
    _write_table("t.csv", rows)
    path = _write_pairs({"left": _entity("Person", name="Ada Vosgan"), "right": _entity("Person", name="Ada Vosgan")})

    assert run("train", "t.csv", "--mapping", "people.yaml", "--out", "m.yaml").code == 0
    shipped, fitted = (run("compare", path, "--out", "-", *words).out for words in ((), ("--model", "m.yaml")))

    assert shipped != fitted
    assert "Vosgan" not in Path("m.yaml").read_text()
    assert run("dedupe", "t.csv", "--mapping", "people.yaml", "--out", "c.csv", "--model", "m.yaml").code == 0
    assert len(Path("c.csv").read_text().splitlines()) == 61


def test_a_model_of_something_else_is_refused(run: Run) -> None:
    """Organisations are not weighed by a model of people."""
    _write_table("t.csv")
    Path("m.yaml").write_text(dump_model(load_model("organization"), "Not of people."))

    answer = run("dedupe", "t.csv", "--mapping", "people.yaml", "--out", "c.csv", "--model", "m.yaml")

    assert answer.code == 2
    assert "m.yaml: expected the model person, which is that of Person, found another one" in answer.err
    assert not Path("c.csv").exists()


def test_compare_names_lines_that_cannot_be_read(run: Run) -> None:
    """A faulty line is invalid, named with what was expected of it, and the others are answered for."""
    person = _entity("Person", name="Ada", shoeSize="2")
    path = _write_pairs("{", {"left": person}, {"left": person, "right": _entity("Persn")}, {"left": person, "right": person})  # fmt: skip

    answer = run("compare", path, "--out", "scores.csv")

    verdicts = [row["verdict"] for row in csv.DictReader(Path("scores.csv").read_text().splitlines())]
    assert answer.code == 0
    assert verdicts == ["invalid", "invalid", "invalid", "possible"]
    assert "pairs.jsonl: line 1: expected JSON, found a syntax error" in answer.err
    assert "pairs.jsonl: line 2: expected a JSON object as right, found nothing" in answer.err
    assert "pairs.jsonl: line 3: expected the name of a schema of things as right.schema" in answer.err
    assert "4 values of shoeSize left out: expected a property of Person" in answer.err


def test_many_faults_are_counted(run: Run) -> None:
    """Beyond twenty, lines that cannot be read are only counted."""
    answer = run("compare", _write_pairs(*["?"] * 23), "--out", "-")

    assert "line 20: " in answer.err
    assert "line 21: " not in answer.err
    assert "... and 3 lines more that cannot be read" in answer.err


def test_compare_needs_a_file(run: Run) -> None:
    """A file that is not there is an error and no empty answer."""
    answer = run("compare", "nothing.jsonl", "--out", "scores.csv")

    assert (answer.code, Path("scores.csv").exists()) == (2, False)


@pytest.mark.parametrize(
    ("left", "right", "model"),
    [
        ("Person", "Person", "person"),
        ("Company", "Organization", "organization"),
        ("LegalEntity", "Person", "person"),
        ("Company", "LegalEntity", "organization"),
        ("Person", "Company", None),
        ("LegalEntity", "LegalEntity", None),
        ("Phone", "Phone", None),
    ],
)
def test_two_schemata_share_a_model_or_none(left: str, right: str, model: str | None) -> None:
    """Kin are compared by the model of what they have in common; a wider word by that of the narrower one."""
    ontology = default_ontology()

    assert find_common_model(ontology[left], ontology[right], ontology) == model


@pytest.mark.parametrize(("weight", "verdict"), [(0.0, "match"), (-0.1, "possible"), (-6.0, "possible"), (-6.1, "different")])  # fmt: skip
def test_the_verdict_follows_the_weight(weight: float, verdict: str) -> None:
    """From even odds on it is a match, from six bits below possible."""
    assert find_verdict(weight) == verdict
