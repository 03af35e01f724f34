"""Tokens of an outside provider: only under its own keys, each for what it is for."""

from pathlib import Path
from typing import Any

import pytest

from api.identity import Provider, TokenKeys, TokenReaders, make_readers
from api.identity.jwks import KeySet
from api.identity.keys import ISSUER
from api.settings import Settings
from ontology.errors import AccessError, SettingError
from tests.api.identity.forge import (
    ED25519,
    OTHER_ED25519,
    P256,
    SigningKey,
    encode,
    public_pem,
    write_jwk,
    write_jwks,
    write_token,
)

NOW = 1_500
HOST = "https://login.example"
CLAIMS = {"iss": HOST, "aud": "vinculum", "sub": "ada", "iat": NOW, "exp": NOW + 300, "name": "Ada"}
JWKS = write_jwks(write_jwk(ED25519, "ed"), write_jwk(P256, "ec", alg="ES256", use="sig"))
SYMMETRIC = b"a secret that is long enough for HS256"


def header(alg: str, kid: str, typ: str = "at+jwt") -> dict[str, Any]:
    """Return the header of a token."""
    return {"alg": alg, "kid": kid, "typ": typ}


def make_provider(jwks: bytes = JWKS, **options: Any) -> Provider:
    """Return a provider with the keys above, whose clock stands still."""
    return Provider(HOST, "vinculum", KeySet(lambda: jwks), clock=lambda: NOW, **options)


@pytest.mark.parametrize(
    ("alg", "kid", "key"), [("Ed25519", "ed", ED25519), ("EdDSA", "ed", ED25519), ("ES256", "ec", P256)]
)
def test_every_algorithm_of_the_list_is_read(alg: str, kid: str, key: SigningKey) -> None:
    """Ed25519 under both its names, and ES256, under the key that the token names."""
    assert make_provider().read(write_token(header(alg, kid), CLAIMS, key)) == "ada"


@pytest.mark.parametrize(
    ("head", "claims"),
    [
        (header("Ed25519", "ed", "AT+JWT"), CLAIMS),
        (header("Ed25519", "ed", "application/at+jwt"), CLAIMS),
        (header("Ed25519", "ed") | {"x5t": "AAAA", "vendor": 1}, CLAIMS),
        (header("Ed25519", "ed"), CLAIMS | {"aud": ["others", "vinculum"]}),
        (header("Ed25519", "ed"), CLAIMS | {"scope": "all", "tier": "magistrate"}),
    ],
)
def test_what_providers_vary_is_read(head: dict[str, Any], claims: dict[str, Any]) -> None:
    """The case and prefix of the type, headers that nobody need understand, several audiences, claims of its own."""
    assert make_provider().read(write_token(head, claims, ED25519)) == "ada"


def test_another_claim_may_hold_the_name() -> None:
    """Observers may be known by what the provider calls them."""
    assert make_provider(name_claim="name").read(write_token(header("Ed25519", "ed"), CLAIMS, ED25519)) == "Ada"
    with pytest.raises(AccessError):
        make_provider(name_claim="mail").read(write_token(header("Ed25519", "ed"), CLAIMS, ED25519))


def test_every_other_token_is_refused_alike() -> None:
    """Forged, confused, stale and foreign tokens give one and the same error."""
    good = header("Ed25519", "ed")
    jwks = write_jwks(
        write_jwk(ED25519, "ed"),
        write_jwk(P256, "ec", alg="ES256", use="sig"),
        {"kty": "oct", "kid": "symmetric", "k": encode(SYMMETRIC), "alg": "HS256"},
        write_jwk(OTHER_ED25519, "sealing", use="enc"),
        write_jwk(OTHER_ED25519, "another algorithm", alg="ES256"),
    )
    refused = [
        "",
        "a.b.c",
        write_token(good, CLAIMS, OTHER_ED25519),
        write_token(good, CLAIMS, None),
        write_token(good | {"alg": "none"}, CLAIMS, None),
        write_token(header("ES256", "ed"), CLAIMS, P256),
        write_token(header("Ed25519", "ec"), CLAIMS, ED25519),
        write_token(header("HS256", "ed"), CLAIMS, public_pem(ED25519)),
        write_token(header("HS256", "symmetric"), CLAIMS, SYMMETRIC),
        write_token(header("Ed25519", "symmetric"), CLAIMS, SYMMETRIC),
        write_token(header("RS256", "ed"), CLAIMS, ED25519),
        write_token(header("Ed25519", "sealing"), CLAIMS, OTHER_ED25519),
        write_token(header("Ed25519", "another algorithm"), CLAIMS, OTHER_ED25519),
        write_token(header("Ed25519", "unknown"), CLAIMS, ED25519),
        write_token({"alg": "Ed25519", "typ": "at+jwt"}, CLAIMS, ED25519),
        write_token(header("Ed25519", "unknown") | {"jwk": write_jwk(OTHER_ED25519, "unknown")}, CLAIMS, OTHER_ED25519),
        write_token(header("Ed25519", "ed", "JWT"), CLAIMS, ED25519),
        write_token(header("Ed25519", "ed", "id_token+jwt"), CLAIMS, ED25519),
        *(write_token(good | {"crit": crit, "vendor": 1}, CLAIMS, ED25519) for crit in ([], ["kid"], ["vendor"])),
        write_token(good, CLAIMS | {"scope": "x" * 9_000}, ED25519),
        write_token(good, CLAIMS | {"iss": f"{HOST}/"}, ED25519),
        write_token(good, CLAIMS | {"iss": ISSUER}, ED25519),
        write_token(good, CLAIMS | {"aud": "others"}, ED25519),
        write_token(good, CLAIMS | {"exp": NOW}, ED25519),
        write_token(good, CLAIMS | {"exp": NOW + 3_601}, ED25519),
        write_token(good, CLAIMS | {"iat": NOW + 61}, ED25519),
        *(write_token(good, {k: v for k, v in CLAIMS.items() if k != claim}, ED25519) for claim in list(CLAIMS)[:5]),
    ]
    provider = make_provider(jwks)

    said = []
    for token in refused:
        with pytest.raises(AccessError) as caught:
            provider.read(token)
        said.append((str(caught.value), caught.value.__cause__))

    assert set(said) == {("expected a valid token", None)}


def test_keys_are_fetched_for_its_own_tokens_alone() -> None:
    """A token that could not be good whatever its key asks the provider for nothing."""
    asked: list[float] = []
    now = [0.0]

    def fetch() -> bytes:
        asked.append(now[0])
        return JWKS

    provider = Provider(HOST, "vinculum", KeySet(fetch, clock=lambda: now[0]), clock=lambda: NOW)
    asked.clear()
    now[0] = 100.0
    unknown = header("Ed25519", "unknown")
    for head, claims in (
        (unknown, CLAIMS | {"iss": "https://other.example"}),
        (unknown | {"alg": "HS256"}, CLAIMS),
        (unknown | {"typ": "JWT"}, CLAIMS),
        (unknown | {"crit": []}, CLAIMS),
    ):
        with pytest.raises(AccessError):
            provider.read(write_token(head, claims, ED25519))

    assert asked == []
    with pytest.raises(AccessError):
        provider.read(write_token(unknown, CLAIMS, ED25519))
    assert asked == [100.0]


def test_each_issuer_is_held_to_its_own_keys(tmp_path: Path) -> None:
    """A token is read by the reader of the issuer that it claims, and by no other."""
    ours = TokenKeys(tmp_path, clock=lambda: NOW)
    readers = TokenReaders({ISSUER: ours.read, HOST: make_provider().read})

    assert readers.read(ours.issue("anna")) == "anna"
    assert readers.read(write_token(header("Ed25519", "ed"), CLAIMS, ED25519)) == "ada"
    for iss in (ISSUER, "https://other.example", "", 1, None, ["vinculum"]):
        with pytest.raises(AccessError, match=r"^expected a valid token$"):
            readers.read(write_token(header("Ed25519", "ed"), CLAIMS | {"iss": iss}, ED25519))


def test_settings_name_the_readers(tmp_path: Path) -> None:
    """Our own tokens are always read; a provider's when its issuer, audience and keys are named."""
    file = tmp_path / "jwks.json"
    file.write_bytes(JWKS)
    outside = Settings(
        home=tmp_path, oidc_issuer=HOST, oidc_audience="vinculum", oidc_jwks=str(file), oidc_name_claim="name"
    )
    ours = TokenKeys(tmp_path / "keys", clock=lambda: NOW).issue("anna")
    theirs = write_token(header("Ed25519", "ed"), CLAIMS, ED25519)

    with_provider = make_readers(outside, clock=lambda: NOW)
    alone = make_readers(Settings(home=tmp_path), clock=lambda: NOW)

    assert (with_provider.read(ours), with_provider.read(theirs)) == ("anna", "Ada")
    assert alone.read(ours) == "anna"
    with pytest.raises(AccessError):
        alone.read(theirs)


def test_keys_that_cannot_be_read_stop_the_service(tmp_path: Path) -> None:
    """A setting that names no usable keys is named at the start."""
    outside = Settings(home=tmp_path, oidc_issuer=HOST, oidc_audience="vinculum", oidc_jwks=str(tmp_path / "none"))

    with pytest.raises(SettingError, match=r"^VINCULUM_OIDC_JWKS: expected a JWK Set .* found FileNotFoundError$"):
        make_readers(outside)
