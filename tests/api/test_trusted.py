"""Trusted documents: asked for by id, alone allowed to some tiers, and none that is not what its id says."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from api.trusted import TrustedDocuments
from ontology.errors import SettingError
from ontology.policy_file import default_policy
from tests.api.backend import INVESTIGATOR, NGO, PUBLIC
from tests.api.client import Client

ME = "{ observer { name } }"
# What the public's schema has not.
ALERTS = "{ alerts { id } }"
FIND = "query Find($text: String!) { search(text: $text) { totalCount } }"
GRAPHQL_JSON = "application/graphql-response+json"


def id_of(text: str) -> str:
    """Return the id of a text, worked out here."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def write(path: Path, content: Any) -> Path:
    """Write a manifest."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def documents(tmp_path: Path) -> TrustedDocuments:
    """Return the documents of a manifest of three."""
    manifest = write(tmp_path / "trusted.json", {id_of(text): text for text in (ME, FIND, ALERTS)})
    return TrustedDocuments.load(manifest, None, default_policy())


@pytest.fixture
def client(tmp_path: Path, documents: TrustedDocuments) -> Client:
    """Return a caller of a service with these documents."""
    return Client(tmp_path, documents=documents)


def refusal(client: Client, observer: Any, body: Any) -> tuple[int, bytes, str]:
    """Return status, bytes and code of a refusal."""
    response = client.post(observer, body, Accept=GRAPHQL_JSON)
    (error,) = response.json()["errors"]
    return response.status_code, response.content, error["extensions"]["code"]


def test_a_document_is_answered_by_its_id(client: Client) -> None:
    """The id stands for the text, with variables and the name of an operation as ever."""
    for observer in (PUBLIC, NGO):
        answer = client.post(observer, {"documentId": id_of(ME)})
        assert answer.json() == {"data": {"observer": {"name": observer.name}}}
    body = {"documentId": id_of(FIND), "variables": {"text": "lagoon"}, "operationName": "Find"}
    assert client.post(INVESTIGATOR, body).json() == {"data": {"search": {"totalCount": 1}}}


def test_some_tiers_ask_nothing_else(client: Client) -> None:
    """The public and private partners are refused any text, even that of a trusted document; others are not."""
    refused = {refusal(client, PUBLIC, {"query": text}) for text in (ME, "{ __schema { types { name } } }", "{")}

    assert {(status, code) for status, _, code in refused} == {(400, "NOT_TRUSTED")}
    assert len(refused) == 1
    assert client.post(NGO, {"query": ME}).status_code == 200


def test_what_is_not_trusted_is_unknown(client: Client) -> None:
    """Ids of nothing, of another form, and of a document that the tier's schema cannot answer give the same bytes."""
    ids = [id_of("{ __typename }"), id_of(ME).upper(), id_of(ME)[7:], ME, "", id_of(ALERTS)]

    refused = {refusal(client, PUBLIC, {"documentId": id_}) for id_ in ids}

    assert [(status, code) for status, _, code in refused] == [(400, "UNKNOWN_DOCUMENT")]
    assert client.backend.views == []
    assert client.post(INVESTIGATOR, {"documentId": id_of(ALERTS)}).json() == {"data": {"alerts": []}}


def test_without_a_manifest_nothing_is_trusted_and_nobody_bound(tmp_path: Path) -> None:
    """Every tier may send documents, and every id is unknown."""
    client = Client(tmp_path, documents=TrustedDocuments.load(None, None, default_policy()))

    assert client.post(PUBLIC, {"query": ME}).status_code == 200
    assert refusal(client, PUBLIC, {"documentId": id_of(ME)})[2] == "UNKNOWN_DOCUMENT"


@pytest.mark.parametrize(
    "body",
    [
        {"query": ME, "documentId": id_of(ME)},
        {"documentId": 1},
        {"documentId": [id_of(ME)]},
        {"documentId": None},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": id_of(ME)[7:]}}},
        {"documentId": id_of(ME), "extensions": []},
    ],
)
def test_an_id_is_text_and_stands_alone(client: Client, body: Any) -> None:
    """An id beside a query, or anything but text, is no question; nor is another protocol's way to say it."""
    assert refusal(client, NGO, body)[::2] == (400, "BAD_REQUEST")


def test_which_tiers_are_bound_can_be_said(tmp_path: Path) -> None:
    """A list names them instead of the default ones; an empty one names nobody."""
    manifest = write(tmp_path / "trusted.json", {})

    def only(tiers: str | None) -> set[str]:
        return set(TrustedDocuments.load(manifest, tiers, default_policy()).only)

    assert only(None) == {"public", "private"}
    assert only("ngo, liaison,") == {"ngo", "liaison"}
    assert only("") == set()
    with pytest.raises(SettingError, match=r"^VINCULUM_DOCUMENTS_ONLY: .* found ngos$"):
        only("ngo,ngos")
    with pytest.raises(SettingError, match=r"^VINCULUM_DOCUMENTS_ONLY: expected VINCULUM_DOCUMENTS"):
        TrustedDocuments.load(None, "ngo", default_policy())


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], "trusted.json: expected one JSON object"),
        ({id_of(ME): 1}, f"{id_of(ME)}: expected the text"),
        ({id_of(ME): FIND}, f"{id_of(ME)}: expected sha256:"),
        ({id_of(ME): ME, "sha256:0": ME}, "sha256:0: expected sha256:"),
        ({id_of(ME)[7:]: ME}, f"{id_of(ME)[7:]}: expected sha256:"),
        ({id_of("{"): "{"}, f"{id_of('{')}: expected a GraphQL document"),
    ],
)
def test_a_faulty_manifest_is_refused(content: Any, named: str, tmp_path: Path) -> None:
    """Nothing starts with an entry that is not what its id says; the entry is named."""
    manifest = write(tmp_path / "trusted.json", content)

    with pytest.raises(SettingError) as caught:
        TrustedDocuments.load(manifest, None, default_policy())

    assert str(caught.value).startswith("VINCULUM_DOCUMENTS: trusted.json: ")
    assert named in str(caught.value)


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing one and one that is no JSON are said so."""
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{")

    for path in (tmp_path / "none.json", broken):
        with pytest.raises(SettingError, match="expected a readable JSON file"):
            TrustedDocuments.load(path, None, default_policy())


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run a command as a shell would and return its exit code."""
    monkeypatch.setattr("sys.argv", ["vinculum", "documents", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_manifest_is_made_and_extended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was trusted stays so; the service finds what the command wrote, ends of lines and all."""
    manifest, first, second = tmp_path / "trusted.json", tmp_path / "me.graphql", tmp_path / "find.graphql"
    lines = "{\r\n  observer { name }\r\n}\n# Straße\n"
    first.write_bytes(lines.encode())
    second.write_bytes(FIND.encode())

    assert run(monkeypatch, str(first), "--manifest", str(manifest)) == 0
    assert capsys.readouterr().out == f"{id_of(lines)}  {first}\n"
    monkeypatch.setenv("VINCULUM_DOCUMENTS", str(manifest))
    assert run(monkeypatch, str(second), str(second), "--json") == 0

    listed = [{"file": str(second), "id": id_of(FIND)}] * 2
    assert json.loads(capsys.readouterr().out) == {"manifest": str(manifest), "documents": listed}
    assert json.loads(manifest.read_bytes()) == {id_of(lines): lines, id_of(FIND): FIND}
    found = TrustedDocuments.load(manifest, None, default_policy())
    assert {id_: document.text for id_, document in found.documents.items()} == json.loads(manifest.read_bytes())


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_what_is_no_document_is_not_trusted(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing file, half a document and bytes that are no text end with 2, and the manifest stays as it was."""
    manifest, file = tmp_path / "trusted.json", tmp_path / "bad.graphql"
    if content is not None:
        file.write_bytes(content)

    assert run(monkeypatch, str(file), "--manifest", str(manifest)) == 2
    assert not manifest.exists()
    monkeypatch.delenv("VINCULUM_DOCUMENTS", raising=False)
    assert run(monkeypatch, str(file)) == 2
