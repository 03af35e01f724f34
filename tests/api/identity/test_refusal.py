"""The one refusal over HTTP, and rights that are looked up with every request."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.identity import Provider, TokenKeys, TokenReaders
from api.identity.jwks import KeySet
from api.identity.keys import ISSUER, KEY_FILE
from ontology.observer import Observer
from tests.api.backend import INVESTIGATOR, NGO
from tests.api.client import Client
from tests.api.identity.forge import ED25519, OTHER_ED25519, P256, encode, write_jwk, write_jwks, write_token

NOW = 1_500
HOST = "https://login.example"
GUIDE = Path(__file__).parents[3] / "docs" / "operator.md"
ME = {"query": "{ observer { name tier } }"}
HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "ed"}
CLAIMS = {"iss": HOST, "aud": "vinculum", "sub": "ngo", "iat": NOW, "exp": NOW + 300}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a caller of a service that reads our own tokens and a provider's, whose clocks stand still."""
    client = Client(tmp_path)
    client.keys = TokenKeys(tmp_path, clock=lambda: NOW)
    key_set = KeySet(lambda: write_jwks(write_jwk(ED25519, "ed"), write_jwk(P256, "ec")))
    provider = Provider(HOST, "vinculum", key_set, clock=lambda: NOW)
    client.app = create_app(client.backend, keys=TokenReaders({ISSUER: client.keys.read, HOST: provider.read}))
    return client


def ask(client: Client, *headers: tuple[str, str], body: Any = ME) -> httpx.Response:
    """Return the answer to a request with some headers."""
    return client.send("POST", "/graphql", json=body, headers=list(headers))


def bearer(token: str) -> tuple[str, str]:
    """Return the header that carries a token."""
    return "Authorization", f"Bearer {token}"


def test_tokens_of_both_issuers_are_answered(client: Client) -> None:
    """The refused ones below are made from tokens that are good."""
    for token in (client.keys.issue("ngo"), write_token(HEADER, CLAIMS, ED25519)):
        assert ask(client, bearer(token)).json() == {"data": {"observer": {"name": "ngo", "tier": "ngo"}}}


def test_every_bad_token_gets_the_same_bytes(client: Client, tmp_path: Path) -> None:
    """Why a token is bad, whether its observer exists and what else was asked change no byte of the refusal."""
    good, gone = client.keys.issue("ngo"), replace(NGO, name="gone")
    client.backend.store.put_observer(gone)
    client.backend.store.remove_observer("gone")
    client.backend.demote(INVESTIGATOR, "a tier that is no more")
    other = TokenKeys(tmp_path / "other", clock=lambda: NOW)
    bad = [
        "",
        "garbage",
        "a.b.c",
        "\xe9.\xff.\x80",
        good[:-2],
        good + "A" * 10_000,
        client.keys.issue("ngo", lifetime_s=0),
        client.keys.issue("gone"),
        client.keys.issue("nobody"),
        client.keys.issue("investigator"),
        client.keys.issue("system"),
        client.keys.issue(""),
        other.issue("ngo"),
        f"{encode(HEADER | {'alg': 'none'})}.{good.split('.')[1]}.",
        write_token(HEADER, CLAIMS | {"sub": "gone"}, ED25519),
        write_token(HEADER, CLAIMS | {"sub": "investigator"}, ED25519),
        write_token(HEADER, CLAIMS | {"sub": "\ud800"}, ED25519),
        write_token(HEADER, CLAIMS | {"aud": "others"}, ED25519),
        write_token(HEADER, CLAIMS | {"iss": ISSUER}, ED25519),
        write_token(HEADER, CLAIMS | {"iss": "https://other.example"}, ED25519),
        write_token(HEADER, CLAIMS | {"exp": NOW - 1}, ED25519),
        write_token(HEADER, CLAIMS | {"exp": NOW + 3_601}, ED25519),
        write_token(HEADER, CLAIMS, OTHER_ED25519),
        write_token(HEADER | {"alg": "none"}, CLAIMS, None),
        write_token(HEADER | {"alg": "ES256"}, CLAIMS, P256),
        write_token(HEADER | {"alg": "HS256"}, CLAIMS, ED25519.public_key().public_bytes_raw()),
        write_token(HEADER | {"alg": "HS256"}, CLAIMS, (tmp_path / KEY_FILE).read_bytes()),
        write_token(HEADER | {"kid": "unknown"}, CLAIMS, ED25519),
        write_token(HEADER | {"crit": ["exp"]}, CLAIMS, ED25519),
    ]

    refused = [
        *(client.send("POST", "/graphql", json=ME, headers=[(b"authorization", b"Bearer " + _raw(t))]) for t in bad),
        ask(client),
        ask(client, bearer("bad"), body=[]),
        ask(client, bearer("bad"), ("Accept", "text/html")),
        ask(client, ("Authorization", good)),
        ask(client, ("Authorization", f"Basic {good}")),
        ask(client, ("Authorization", f"DPoP {good}")),
        ask(client, bearer(good), bearer(good)),
        ask(client, bearer("bad"), bearer(good)),
        ask(client, ("Cookie", f"token={good}")),
        client.send("POST", "/graphql", json=ME, params={"access_token": good}),
    ]

    assert len({(r.status_code, r.content, tuple(r.headers.raw)) for r in refused}) == 1
    assert refused[0].status_code == 401
    assert refused[0].headers["www-authenticate"] == "Bearer"
    assert client.backend.views == []


def test_refusal_is_the_documented_one(client: Client) -> None:
    """The operator's guide shows the answer letter by letter."""
    assert ask(client, bearer("bad")).text in GUIDE.read_text(encoding="utf-8")


def test_store_is_asked_for_signed_names_alone(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot sign learns nothing from how long a name takes to look up, since none is looked up."""
    asked: list[str] = []
    monkeypatch.setattr(client.backend, "observer", asked.append)

    for name in ("ngo", "nobody"):
        ask(client, bearer(write_token(HEADER, CLAIMS | {"sub": name}, OTHER_ED25519)))
    ask(client, bearer(client.keys.issue("nobody")))

    assert asked == ["nobody"]


def test_rights_are_those_of_the_moment(client: Client) -> None:
    """With one and the same token, what was given or taken away holds from the next request on."""
    token = bearer(client.keys.issue("ngo"))

    def tier_as(observer: Observer) -> str:
        client.backend.store.put_observer(observer)
        return str(ask(client, token).json()["data"]["observer"]["tier"])

    assert [tier_as(replace(NGO, tier=tier)) for tier in ("ngo", "public", "investigator", "ngo")] == [
        "ngo", "public", "investigator", "ngo"
    ]  # fmt: skip
    client.backend.store.remove_observer("ngo")
    assert ask(client, token).status_code == 401
    client.backend.store.put_observer(NGO)
    assert ask(client, token).status_code == 200


def test_taking_rights_away_empties_the_next_answer(client: Client) -> None:
    """No View outlives the request that it was made for."""
    token = bearer(client.keys.issue("ngo"))
    search = {"query": '{ search(text: "Ada", first: 1) { totalCount } }'}

    before = ask(client, token, body=search).json()
    client.backend.demote(NGO, "public")
    after = ask(client, token, body=search).json()

    assert before == {"data": {"search": {"totalCount": 1}}}
    assert after == {"data": {"search": {"totalCount": 0}}}


def _raw(token: str) -> bytes:
    return token.encode("latin-1", errors="replace")
