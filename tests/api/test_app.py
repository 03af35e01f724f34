"""The service over HTTP: what is refused, and that nothing of ours is told."""

import logging
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from ontology.errors import StoreError
from tests.api.backend import INVESTIGATOR, NGO, PUBLIC
from tests.api.client import Client

ME = {"query": "{ observer { name } }"}
GRAPHQL_JSON = "application/graphql-response+json"
SECRET = "Hidden Lane 1"  # what an error text of ours might hold


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a caller of the service over the invented case."""
    return Client(tmp_path)


def code(response: Any) -> str:
    """Return the code of the one error of an answer."""
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


def test_good_token_is_answered(client: Client) -> None:
    """Whoever the token names is who asks."""
    response = client.post(NGO, ME)

    assert response.json() == {"data": {"observer": {"name": "ngo"}}}
    assert response.headers["content-type"] == "application/json; charset=utf-8"


def test_every_caller_without_a_good_token_is_refused_alike(client: Client) -> None:
    """No token, one elsewhere than in the header, one of nobody and one of another key give the same bytes."""
    good = client.keys.issue("ngo")
    forged = jwt.encode(
        {"alg": "Ed25519", "typ": "at+jwt"}, {"sub": "ngo"}, OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"]
    )
    client.backend.demote(INVESTIGATOR, "a tier that is no more")
    tries = [
        {},
        {"headers": {"Authorization": good}},
        {"headers": {"Authorization": f"Basic {good}"}},
        {"headers": {"Authorization": "Bearer "}},
        {"headers": {"Authorization": f"Bearer {forged}"}},
        {"headers": {"Authorization": f"Bearer {client.keys.issue('nobody')}"}},
        {"headers": {"Authorization": f"Bearer {client.keys.issue('investigator')}"}},
        {"headers": {"Authorization": f"Bearer {client.keys.issue('ngo', lifetime_s=-1)}"}},
        {"headers": {"Cookie": f"token={good}"}},
        {"params": {"token": good, "access_token": good}},
    ]

    refused = [client.send("POST", "/graphql", json=ME, **parts) for parts in tries]

    assert {(r.status_code, r.content, r.headers["www-authenticate"]) for r in refused} == {
        (401, refused[0].content, "Bearer")
    }
    assert code(refused[0]) == "UNAUTHENTICATED"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_answered(client: Client, method: str) -> None:
    """A document in the address is never run."""
    headers = {"Authorization": f"Bearer {client.keys.issue('ngo')}"}

    response = client.send(method, "/graphql", params=ME, headers=headers)

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert "ngo" not in response.text


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/graphql",
        "application/json; charset=utf-16",
        "",
    ],
)
def test_only_json_is_read(client: Client, kind: str) -> None:
    """What a form of another page could send is refused, whatever its content."""
    assert code(client.post(NGO, ME, **{"Content-Type": kind})) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON; charset=UTF-8"])
def test_json_may_say_its_encoding(client: Client, kind: str) -> None:
    """The media type is read as RFC 9110 writes it."""
    assert client.post(NGO, ME, **{"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    "body", [[ME, ME], [], "text", 1, {}, {"query": 1}, {"query": ME["query"], "variables": []},
             {"query": ME["query"], "operationName": 1}, {"query": ME["query"], "extensions": []},
             {"query": ME["query"], "extensions": "text"}]
)  # fmt: skip
def test_body_is_one_question(client: Client, body: object) -> None:
    """Batches and bodies without a document are refused."""
    response = client.post(NGO, body)

    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("content", [b"", b"null", b"{", b'{"query": "\xff"}', b"[" * 50_000])
def test_body_that_is_no_json_is_refused(client: Client, content: bytes) -> None:
    """Half a body, bytes that are no text and a body that only nests give one answer."""
    headers = {"Authorization": f"Bearer {client.keys.issue('ngo')}", "Content-Type": "application/json"}

    assert code(client.send("POST", "/graphql", content=content, headers=headers)) == "BAD_REQUEST"


def test_large_body_is_refused(client: Client) -> None:
    """More than a hundred thousand bytes are not read."""
    response = client.post(NGO, ME | {"variables": {"x": "x" * 100_000}})

    assert (response.status_code, code(response)) == (413, "TOO_LARGE")


def test_answer_comes_in_the_type_that_is_accepted(client: Client) -> None:
    """GraphQL's own media type has status codes of its own; who accepts neither type is told."""
    wrong = {"query": "{ nothing }"}

    def status(body: object, accept: str) -> tuple[int, str]:
        response = client.post(NGO, body, Accept=accept)
        return response.status_code, response.headers["content-type"].partition(";")[0]

    assert status(ME, GRAPHQL_JSON) == (200, GRAPHQL_JSON)
    assert status(wrong, f"{GRAPHQL_JSON}; q=1, application/json") == (400, GRAPHQL_JSON)
    assert status(ME, "*/*") == (200, "application/json")
    assert status(wrong, "application/json") == (200, "application/json")
    assert status(ME, "text/html") == (406, "application/json")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json;q=0.9, application/graphql-response+json", GRAPHQL_JSON),
        ("application/json, application/graphql-response+json", GRAPHQL_JSON),
        ("application/json, application/graphql-response+json; charset=utf-8; q=0.4", "application/json"),
        ("application/graphql-response+json;q=0.5, */*;q=0.1", GRAPHQL_JSON),
        ("application/graphql-response+json;q=0.5, */*", "application/json"),
        ("application/graphql-response+json;q=0, application/*", "application/json"),
        ("application/json;q=0, */*", GRAPHQL_JSON),
        ("text/html, Application/*; Q=0.8", "application/json"),
        ("application/json;q=0, text/html", None),
        ("*/*;q=0.000", None),
        ("", "application/json"),
    ],
)
def test_weights_of_media_types_are_kept_to(client: Client, accept: str, kind: str | None) -> None:
    """RFC 9110: the most specific range gives a type its weight, the heaviest type is taken, one of no weight never."""
    response = client.post(NGO, ME, Accept=accept)

    assert response.status_code == (200 if kind else 406)
    assert response.headers["content-type"].partition(";")[0] == (kind or "application/json")


@pytest.mark.parametrize(
    "query",
    [
        "{ ...f0 } " + " ".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(25)),
        "{" + " ".join(f"a{i}: counts {{ count }}" for i in range(40)) + "}",
        '{ search(text: "a", first: 100) { edges { node { neighbours(first: 100) { totalCount } } } } }',
        "{" + "a{" * 300 + "b" + "}" * 301,
        "{" + "__typename " * 2500 + "}",
    ],
)
def test_document_that_asks_for_too_much_is_refused_before_anything_is_looked_up(client: Client, query: str) -> None:
    """Fragments that multiply, floods of aliases, pages of pages, depth and length are refused with a reason."""
    response = client.post(NGO, {"query": query}, Accept=GRAPHQL_JSON)

    assert (response.status_code, code(response)) == (400, "BAD_INPUT")
    assert client.backend.views == []


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "{"},
        {"query": "fragment f on Query { __typename }"},
        {"query": "query A { __typename } query B { __typename }"},
        {"query": "query A { __typename }", "operationName": "B"},
        {"query": "subscription { alerts { id } }"},
        {"query": "{ ...f } fragment f on Query { ...f }"},
        {"query": "query E($i: ID!) { entity(id: $i) { id } }"},
        {"query": "query E($s: EntitySchema) { search(text: 1, schema: $s) { totalCount } }"},
    ],
)
def test_mistake_in_a_document_is_explained(client: Client, body: dict[str, Any]) -> None:
    """The caller's own mistake is said in words, with no reference to a fault of ours."""
    response = client.post(NGO, body, Accept=GRAPHQL_JSON)

    assert {e["extensions"]["code"] for e in response.json()["errors"]} == {"BAD_INPUT"}
    assert all(e["message"] for e in response.json()["errors"])


def test_mistake_in_one_field_names_it(client: Client) -> None:
    """What was wrong with one field is said with the path to it, and the others are answered."""
    query = '{ observer { name } entity(id: "x", asOf: "2026-01-01T00:00:00") { id } }'

    answer = client.ask(NGO, query)

    assert answer["data"] == {"observer": {"name": "ngo"}, "entity": None}
    assert answer["errors"][0]["path"] == ["entity"]


def test_mistake_has_a_place(client: Client) -> None:
    """Line and column of the caller's document are told."""
    (error,) = client.post(NGO, {"query": "{\n  nothing\n}"}).json()["errors"]

    assert error["locations"] == [{"line": 2, "column": 3}]
    assert error["message"] == "Cannot query field 'nothing' on type 'Query'."


def test_made_up_name_is_not_quoted_at_length(client: Client) -> None:
    """An answer is not as large as the question for that."""
    assert len(client.post(NGO, {"query": "{" + "a" * 90_000 + "}"}).content) < 1_000


@pytest.mark.parametrize(
    "query",
    [
        "{ obzerver { name } }",
        '{ search(texd: "a") { totalCount } }',
        '{ search(text: "a", schema: Persom) { totalCount } }',
        '{ search(text: "a") { edges { node { ... on Persom { id } } } } }',
        "query Q($s: EntitySchemo) { __typename }",
    ],
)
def test_names_are_not_suggested(client: Client, query: str) -> None:
    """A wrong name is never answered with right ones."""
    assert "did you mean" not in client.post(NGO, {"query": query}).text.lower()


def test_wrong_variables_are_explained_without_suggestions(client: Client) -> None:
    """Values that do not fit their types are the caller's to correct."""
    query = 'query Q($s: EntitySchema, $t: DateTime) { search(text: "a", schema: $s, asOf: $t) { totalCount } }'

    for variables in ({"s": "Persom"}, {"t": "not a time"}, {"s": {"a": 1}}):
        response = client.post(NGO, {"query": query, "variables": variables})
        assert {e["extensions"]["code"] for e in response.json()["errors"]} == {"BAD_INPUT"}
        assert "did you mean" not in response.text.lower()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"query": "query($id: ID!) { entity(id: $id) { id } }", "variables": {"id": ["sesame"]}},
            "Variable '$id' has invalid value: ID cannot represent value",
        ),
        (
            {
                "query": "query($w: EntityFilter!) { entities(where: $w) { totalCount } }",
                "variables": {"w": {"Person": {"nothing": {"equals": "sesame"}}}},
            },
            "Variable '$w' has invalid value at .Person: Expected value of type 'PersonFilter' not to include unknown "
            "field 'nothing'.",
        ),
        (
            {
                "query": "query($t: DateTime) { counts(asOf: $t) { count } }",
                "variables": {"t": "2026 sesame: x, found"},
            },
            "Variable '$t' has invalid value: Value cannot represent a DateTime",
        ),
        ({"query": '{ entity(id: ["sesame"]) { id } }'}, "ID cannot represent a non-string and non-integer value"),
        ({"query": '{ counts(asOf: "sesame\\n2") { count } }'}, "Value cannot represent a DateTime"),
        (
            {"query": '{ search(text: "a", schema: sesame) { totalCount } }'},
            "Value does not exist in 'EntitySchema' enum.",
        ),
        (
            {"query": "{ entities(where: {Person: {name: {equals: 1.5}}}) { totalCount } }"},
            "String cannot represent a non string value",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_not_quoted(client: Client, body: dict[str, Any], message: str) -> None:
    """What it was to be is said, and where; the value, which may be somebody's number, is in no log for that."""
    response = client.post(NGO, body)

    assert [error["message"] for error in response.json()["errors"]] == [message]
    assert "sesame" not in response.text


def test_wrong_variables_are_a_refusal_like_any_other(client: Client) -> None:
    """A document whose variables do not fit is not run: its answer has no data, and GraphQL's own type has 400."""
    body = {"query": "query E($id: ID!) { entity(id: $id) { id } }", "variables": {"id": None}}

    for accept, status in ((GRAPHQL_JSON, 400), ("application/json", 200)):
        response = client.post(NGO, body, Accept=accept)
        assert (response.status_code, response.json().keys(), code(response)) == (status, {"errors"}, "BAD_INPUT")
    assert client.backend.views == []


def test_fault_of_ours_in_an_answer_leaves_its_data_null(client: Client) -> None:
    """What was run and failed as a whole has data, which is null, and 200."""
    client.backend.broken = RuntimeError(SECRET)

    response = client.post(NGO, {"query": "{ counts { count } }"}, Accept=GRAPHQL_JSON)

    assert (response.status_code, response.json()["data"], code(response)) == (200, None, "INTERNAL")


@pytest.mark.parametrize("fault", [RuntimeError(SECRET), StoreError(SECRET), ValueError(SECRET), KeyError(SECRET)])
def test_fault_of_ours_is_masked(client: Client, fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """One constant error with a reference; the log has the same reference, the kind and the place, and no text."""
    client.backend.broken = fault

    with caplog.at_level(logging.DEBUG):
        response = client.post(INVESTIGATOR, {"query": "{ a: counts { count } b: counts { count } observer { name } }"})

    (error,) = response.json()["errors"]
    assert error["message"] == "something failed on our side; the operator can find the reference"
    assert error.keys() == {"message", "extensions"}
    assert error["extensions"]["reference"] in caplog.text
    assert type(fault).__name__ in caplog.text
    assert SECRET not in response.text + caplog.text


def test_fault_outside_of_graphql_is_masked(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that a handler did not expect goes further, neither to the caller nor to the server's log."""

    def fail(_: str) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(client.backend, "observer", fail)

    response = client.post(NGO, ME)

    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert SECRET not in response.text + caplog.text


def test_host_must_be_one_of_ours(client: Client) -> None:
    """A request for another host is refused, so that no other name can be bound to the service."""
    assert client.send("GET", "/healthz", headers={"Host": "evil.example"}).status_code == 400
    assert client.send("GET", "/healthz", headers={"Host": "localhost:8000"}).status_code == 200


def test_health_and_readiness(client: Client) -> None:
    """The process answers whatever happens; it is ready while its store answers."""
    assert client.send("GET", "/healthz").json() == {"status": "ok"}
    assert client.send("GET", "/readyz").json() == {"status": "ready"}

    client.backend.broken = StoreError(SECRET)

    assert client.send("GET", "/healthz").status_code == 200
    response = client.send("GET", "/readyz")
    assert (response.status_code, code(response)) == (503, "UNAVAILABLE")
    assert SECRET not in response.text


def test_every_answer_is_kept_out_of_caches_and_pages(client: Client) -> None:
    """Good and bad answers alike carry the headers that keep them where they belong."""
    answers = [client.post(PUBLIC, ME), client.send("GET", "/nothing"), client.send("POST", "/graphql")]

    for response in answers:
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in response.headers


def test_page_is_off_unless_asked_for(client: Client) -> None:
    """Without the setting there is no GraphiQL."""
    for path in ("/", "/graphiql", "/graphiql/graphiql.js"):
        assert client.send("GET", path).status_code == 404
