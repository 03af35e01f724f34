"""Tokens: only ours, only for us, only in time, and no telling why not."""

import base64
import json
import os
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from api.identity import DAY_S, KEY_FILE, TokenKeys
from ontology.errors import AccessError, SettingError

CLAIMS = {"iss": "vinculum", "aud": "vinculum-api", "sub": "ada", "iat": 1_000, "exp": 2_000}
HEADER = {"alg": "Ed25519", "typ": "at+jwt"}


@pytest.fixture
def keys(tmp_path: Path) -> TokenKeys:
    """Return keys whose clock stands still."""
    return TokenKeys(tmp_path, clock=lambda: 1_500.0)


def sign(folder: Path, claims: dict[str, object], header: dict[str, str] | None = None) -> str:
    """Return a token signed with the folder's own key."""
    key = OKPKey.import_key((folder / KEY_FILE).read_bytes())
    return jwt.encode(header or HEADER, claims, key, algorithms=["Ed25519"])


def encode(part: object) -> str:
    """Return one part of a token as it is written."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_token_names_its_observer(keys: TokenKeys) -> None:
    """What was issued is read back, whatever script the name is in."""
    assert keys.read(keys.issue("Ζωή")) == "Ζωή"


def test_token_holds_identity_only(keys: TokenKeys) -> None:
    """No right is written into a token."""
    payload = keys.issue("ada").split(".")[1]

    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    assert claims == {"iss": "vinculum", "aud": "vinculum-api", "sub": "ada", "iat": 1_500, "exp": 1_500 + DAY_S}


def test_key_is_kept_and_private(tmp_path: Path) -> None:
    """The key is made once, for its owner alone, and nothing is left beside it."""
    token = TokenKeys(tmp_path).issue("ada")

    assert TokenKeys(tmp_path).read(token) == "ada"
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [KEY_FILE]


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """A key that leaked through its mode is not used."""
    TokenKeys(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)

    with pytest.raises(SettingError, match="mode 600"):
        TokenKeys(tmp_path)


def test_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    """What is not an Ed25519 key is named as such."""
    (tmp_path / KEY_FILE).write_text("not a key")
    (tmp_path / KEY_FILE).chmod(0o600)

    with pytest.raises(SettingError, match="expected an Ed25519 key"):
        TokenKeys(tmp_path)


def test_same_claims_under_our_key_are_read(keys: TokenKeys, tmp_path: Path) -> None:
    """The claims that the refused ones below are made from would be good."""
    assert keys.read(sign(tmp_path, CLAIMS)) == "ada"


def test_every_other_token_is_refused_alike(keys: TokenKeys, tmp_path: Path) -> None:
    """Expired, for others, unsigned, of another key or kind, and garbage give one and the same error."""
    other, good = OKPKey.generate_key("Ed25519"), keys.issue("ada")
    public = OKPKey.import_key((tmp_path / KEY_FILE).read_bytes()).as_pem(private=False)
    body = good.split(".")[1]
    refused = [
        "",
        "x",
        "a.b.c",
        "é.é.é",
        good[:-4],
        good[:-8] + "AAAAAAAA",
        good + "." + "A" * 3000,
        f"{encode({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        f"{encode(HEADER)}.{encode([1])}.AAAA",
        jwt.encode(HEADER, CLAIMS, other, algorithms=["Ed25519"]),
        jwt.encode({"alg": "HS256", "typ": "at+jwt"}, CLAIMS, OctKey.import_key(public[30:90]), algorithms=["HS256"]),
        sign(tmp_path, CLAIMS, {"alg": "Ed25519"}),
        sign(tmp_path, CLAIMS, {"alg": "Ed25519", "typ": "JWT"}),
        sign(tmp_path, CLAIMS | {"exp": 1_499}),
        sign(tmp_path, CLAIMS | {"exp": "later"}),
        sign(tmp_path, CLAIMS | {"iat": 9_000, "exp": 9_999}),
        sign(tmp_path, CLAIMS | {"aud": "another"}),
        sign(tmp_path, CLAIMS | {"iss": "another"}),
        sign(tmp_path, CLAIMS | {"sub": ["ada"]}),
        sign(tmp_path, CLAIMS | {"sub": ""}),
        *(sign(tmp_path, {k: v for k, v in CLAIMS.items() if k != claim}) for claim in CLAIMS),
    ]

    said = []
    for token in refused:
        with pytest.raises(AccessError) as caught:
            keys.read(token)
        said.append((str(caught.value), caught.value.__cause__))

    assert set(said) == {("expected a valid token", None)}
