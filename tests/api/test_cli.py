"""The command line: its contract for scripts, on the embedded engine."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.cli import main
from api.settings import Settings
from graph.embedded import open_embedded

pytestmark = pytest.mark.embedded

LABEL = """
tlp: GREEN
handling: H0
category: suspect
cases: [A]
source: {name: register, organisation: Register}
"""
PEOPLE = [
    ("1", "Mara Invented", "1990-02-03"),
    ("2", "Mara Invénted", "1990-02-03"),
    ("3", "Bela Sample", "1971-05-06"),
]


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep one engine running, for the commands to attach to."""
    folder = tmp_path_factory.mktemp("home")
    with open_embedded(folder, heap="512m"):
        yield folder


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command as a shell would."""
    monkeypatch.setenv("VINCULUM_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str | Path) -> Answer:
        monkeypatch.setattr("sys.argv", ["vinculum", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return Answer(int(end.value.code or 0), printed.out, printed.err)

    return call


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Run:
    """Import some people, resolve them and add an observer on their case."""
    (tmp_path / "label.yaml").write_text(LABEL, encoding="utf-8")
    entities = [
        {"id": key, "schema": "Person", "properties": {"name": [name], "birthDate": [born], "nationality": ["ro"]}}
        for key, name, born in PEOPLE
    ]
    tie = {"id": "k", "schema": "Associate", "properties": {"person": ["1"], "associate": ["3"]}}
    file = tmp_path / "people.ftm.json"
    file.write_text("".join(json.dumps(entity) + "\n" for entity in [*entities, tie]), encoding="utf-8")
    assert run("import", file, "--label", tmp_path / "label.yaml", "--json").code == 0
    assert run("resolve", "--json").code == 0
    run("observer", "add", "anna", "--tier", "investigator", "--organisation", "Police", "--case", "A")
    run("observer", "add", "carl", "--tier", "analyst", "--organisation", "Lab")
    return run


def _find(run: Run, text: str) -> dict[str, Any]:
    found: dict[str, Any] = run("search", text, "--as", "anna", "--json").document["entities"][0]
    return found


def test_init_says_what_there_is(run: Run, home: Path) -> None:
    """Engine, version, home and schemata."""
    document = run("init", "--json").document

    assert document["engine"] == "embedded"
    assert document["home"] == str(home.resolve())
    assert {"Person", "CryptoWallet", "PostedOn"} <= set(document["schemata"])


def test_import_counts_and_names_rejections(run: Run, tmp_path: Path) -> None:
    """Good records are kept, a bad value is counted with file, place, expected and found."""
    file = tmp_path / "odd.json"
    entity = {"id": "o", "schema": "Person", "properties": {"name": ["Odd Person"], "birthDate": ["tomorrow"]}}
    file.write_text(json.dumps(entity) + "\n", encoding="utf-8")
    document = run("import", file, "--json").document

    assert (document["files"], document["captures"], document["records"]) == (1, 1, 1)
    assert set(document) >= {"links", "duplicates", "rejections", "seconds"}
    [rejection] = document["rejections"]
    assert set(rejection) == {"file", "where", "expected", "found"}
    assert rejection["where"].endswith("birthDate")
    assert "tomorrow" not in json.dumps(rejection)


def test_observers_are_listed(filled: Run) -> None:
    """Each with the rights that were given, acting for the purpose of the tier."""
    observers = {o["name"]: o for o in filled("observer", "list", "--json").document}

    assert observers["anna"]["cases"] == ["A"]
    assert observers["carl"]["purpose"] == "investigation"


def test_search_and_entity_show_what_is_visible(filled: Run) -> None:
    """The investigator on the case sees one person of two records; the analyst finds no name."""
    found = _find(filled, "mara")
    entity = filled("entity", found["id"], "--as", "anna", "--json").document

    assert found["records"] == 2
    assert entity["properties"]["name"] == ["Mara Invented", "Mara Invénted"]
    assert entity["neighbours"][0]["entity"]["caption"] == "Bela Sample"
    assert filled("search", "mara", "--as", "carl", "--json").document["total"] == 0
    assert "Mara" in filled("entity", found["id"], "--as", "anna").out


def test_tables_break_no_word_and_no_id_at_80_columns(filled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a wide terminal shows stands in a narrow one in whole words, with an id in one piece."""
    id_ = _find(filled, "mara")["id"]
    filled(
        "observer", "add", "nord-investigator", "--tier", "investigator", "--organisation", "Organisation of the North"
    )
    commands = (("search", "mara", "--as", "anna"), ("entity", id_, "--as", "anna"), ("observer", "list"))

    wide = [filled(*words).out for words in commands]
    monkeypatch.setenv("COLUMNS", "80")
    narrow = [filled(*words).out for words in commands]
    filled("observer", "remove", "nord-investigator")

    for one, other in zip(wide, narrow, strict=True):
        assert set(one.replace("─", "").split()) == set(other.replace("─", "").split())
    assert id_ in narrow[0].split()
    assert "(Person, 2 records)" in narrow[1]
    assert "how" in narrow[1].split()


def test_ids_of_another_organisation_name_nothing(filled: Run) -> None:
    """Absent, hidden and another's: one line, exit 2."""
    id_ = _find(filled, "mara")["id"]
    answers = [filled("entity", name, "--as", "carl") for name in (id_, "no-such-id")]

    assert [a.code for a in answers] == [2, 2]
    assert answers[0].err == answers[1].err
    assert "Traceback" not in answers[0].err


def test_explain_adds_up(filled: Run) -> None:
    """Prior and weights sum to the total, and the verdict follows from the stop."""
    entity = filled("entity", _find(filled, "mara")["id"], "--as", "anna", "--json").document
    left, right = (record["id"] for record in entity["records"])
    document = filled("explain", left, right, "--as", "anna", "--json").document

    assert document["same"] is True
    assert document["total"] == pytest.approx(document["prior"] + sum(w["weight"] for w in document["weights"]))
    assert document["total"] >= document["stop"]


def test_query_answers_graphql(filled: Run, tmp_path: Path) -> None:
    """A document from a file, with variables, is answered with data for the observer."""
    file = tmp_path / "q.graphql"
    text = "query($t: String!) { search(text: $t) { totalCount edges { node { caption } } } }"
    file.write_text(text, encoding="utf-8")
    document = filled("query", file, "--as", "anna", "--variables", '{"t": "bela"}').document

    assert document == {"data": {"search": {"totalCount": 1, "edges": [{"node": {"caption": "Bela Sample"}}]}}}


def test_watches_and_alerts(filled: Run, tmp_path: Path) -> None:
    """A later link to a watched entity raises an alert that names what came."""
    filled("watch", "add", _find(filled, "bela")["id"], "--as", "anna")
    later = [
        {"id": "9", "schema": "Person", "properties": {"name": ["Dana Later"]}},
        {"id": "k9", "schema": "Associate", "properties": {"person": ["9"], "associate": ["3"]}},
    ]
    file = tmp_path / "later.json"
    file.write_text("".join(json.dumps(entity) + "\n" for entity in later), encoding="utf-8")
    filled("import", file, "--label", tmp_path / "label.yaml")

    assert len(filled("watch", "list", "--as", "anna", "--json").document) == 1
    [alert] = filled("alerts", "--as", "anna", "--json").document
    assert alert["neighbour"]["entity"]["caption"] == "Dana Later"
    assert filled("alerts", "--as", "carl", "--json").document == []


def test_communities_are_drawn(filled: Run, tmp_path: Path) -> None:
    """The document lists communities and the picture is a page that names no other host."""
    picture = tmp_path / "p.html"
    document = filled("communities", "--as", "anna", "--html", picture, "--json").document

    assert isinstance(document["communities"], list)
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    "words",
    [
        ["import", "nowhere.json"],
        ["search", "x"],
        ["search", "x", "--as", "nobody"],
        ["search", "x", "--as", "anna", "--schema", "Spaceship"],
        ["observer", "add", "x", "--tier", "emperor", "--organisation", "o"],
        ["query", "nowhere.graphql", "--as", "anna"],
        ["no-such-command"],
    ],
)
def test_usage_ends_with_two(filled: Run, words: list[str]) -> None:
    """What the caller got wrong is one clear word and exit 2, without a traceback."""
    answer = filled(*words)

    assert answer.code == 2
    assert answer.err
    assert "Traceback" not in answer.err


def test_a_wrong_setting_ends_with_two(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is named."""
    monkeypatch.setenv("VINCULUM_PORT", "x")
    answer = run("init")

    assert (answer.code, "VINCULUM_PORT" in answer.err) == (2, True)


def test_help_names_every_setting(run: Run) -> None:
    """Whoever looks for one need not read the source."""
    shown = run("--help").out

    assert [name for name in Settings.model_fields if f"VINCULUM_{name.upper()} " not in shown] == []


@pytest.mark.parametrize(
    ("words", "who"),
    [
        (("search",), "whose eyes"),
        (("token",), "whoever holds the token is taken"),
        (("import",), "who imports"),
        (("export",), "who takes it out"),
        (("judge",), "who does it"),
        (("watch", "add"), "who does it"),
        (("label", "approve"), "who does it"),
        (("consent", "add"), "who records it"),
    ],
)
def test_help_says_who_acts(run: Run, words: tuple[str, ...], who: str) -> None:
    """Where something is done, --as is no matter of looking."""
    assert who in run(*words, "--help").out


@pytest.mark.parametrize("command", ["query", "export"])
def test_help_offers_no_json_where_it_is_the_answer(run: Run, command: str) -> None:
    """Scripts may say --json everywhere; people are not told of a choice that there is not."""
    assert "--json" not in run(command, "--help").out


def test_an_unreachable_store_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is named, the password never."""
    monkeypatch.setenv("VINCULUM_STORE", "bolt://127.0.0.1:1")
    monkeypatch.setenv("VINCULUM_STORE_PASSWORD", "sesame")
    answer = run("init")

    assert answer.code == 2
    assert "127.0.0.1:1" in answer.err
    assert "sesame" not in answer.err
