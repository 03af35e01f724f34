"""Our own tokens: only ours, only for us, only in time, and no telling why not."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from api.identity import TokenKeys
from api.identity.keys import KEY_FILE
from ontology.errors import AccessError, SettingError
from tests.api.identity.forge import OTHER_ED25519, P256, encode, public_pem, write_token

NOW = 1_500

# The key and thumbprint of RFC 8037, appendices A.1 and A.3.
KEY = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
HEADER: dict[str, Any] = {"alg": "Ed25519", "typ": "at+jwt", "kid": KID}
CLAIMS = {"iss": "vinculum", "aud": "vinculum-api", "sub": "ada", "iat": 1_000, "exp": 2_000, "jti": "1"}
NO_OBJECTS: list[object] = [
    [1],
    ["alg", "typ", "kid", "iss"],
    "alg typ kid iss",
    1,
    None,
    {},
    b"{",
    b"\xff",
    b"[" * 5_000,
]


def open_keys(folder: Path, now: float = NOW) -> TokenKeys:
    """Return the keys of a folder that holds the key of RFC 8037, with a clock that stands still."""
    file = folder / KEY_FILE
    file.touch(mode=0o600)
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return TokenKeys(folder, clock=lambda: now)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from([10**400, "at+jwt"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
header_changes = st.dictionaries(
    st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5c", "cty"]), values, max_size=2
)
claim_changes = st.dictionaries(st.sampled_from([*CLAIMS, "nbf", "scope"]), values, max_size=3)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TokenKeys:
    """Return keys at the moment that the claims above are good."""
    return open_keys(tmp_path_factory.mktemp("keys"))


def is_read(keys: TokenKeys, **claims: Any) -> bool:
    """Return whether the claims above, with some of them changed, are read when we have signed them."""
    try:
        return keys.read(write_token(HEADER, CLAIMS | claims, KEY)) == "ada"
    except AccessError:
        return False


def test_token_names_its_observer(keys: TokenKeys) -> None:
    """What was issued is read back, whatever script the name is in."""
    assert keys.read(keys.issue("Ζωή")) == "Ζωή"


def test_token_holds_identity_only(keys: TokenKeys) -> None:
    """No right is written into a token, which lives five minutes and has an id of its own."""
    header, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in keys.issue("ada").split(".")[:2])

    assert len(claims.pop("jti")) >= 16
    assert claims == {"iss": "vinculum", "aud": "vinculum-api", "sub": "ada", "iat": NOW, "exp": NOW + 300}
    assert header == HEADER
    assert keys.issue("ada") != keys.issue("ada")


def test_longest_token_lives_an_hour(keys: TokenKeys) -> None:
    """Nobody is given a token for longer than we would read one."""
    assert keys.read(keys.issue("ada", lifetime_s=3_600)) == "ada"
    with pytest.raises(ValueError, match="at most 3600"):
        keys.issue("ada", lifetime_s=3_601)


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


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, True),
        ({"exp": NOW + 1}, True),
        ({"exp": NOW}, False),
        ({"iat": NOW + 60, "exp": NOW + 70}, True),
        ({"iat": NOW + 61, "exp": NOW + 70}, False),
        ({"nbf": NOW + 60}, True),
        ({"nbf": NOW + 61}, False),
        ({"iat": 1_000, "exp": 4_600}, True),
        ({"iat": 1_000, "exp": 4_601}, False),
        ({"iat": 1_000.5, "exp": 2_000.5}, True),
        ({"iat": 1.5, "exp": 10**400}, False),
        ({"iat": 10**400, "exp": 10**400 + 1}, False),
        ({"exp": float("nan")}, False),
        ({"exp": float("inf")}, False),
        ({"iat": True}, False),
        ({"exp": "2000"}, False),
        ({"exp": None}, False),
    ],
)
def test_token_is_read_in_its_time_alone(keys: TokenKeys, claims: dict[str, Any], expected: bool) -> None:
    """It ends to the second, begins at most a minute ahead of our clock, and never lives for more than an hour."""
    assert is_read(keys, **claims) is expected


def test_every_other_token_is_refused_alike(keys: TokenKeys) -> None:
    """Expired, for others, unsigned, of another key or kind, and garbage give one and the same error."""
    good, none = keys.issue("ada"), HEADER | {"alg": "none"}
    body = good.split(".")[1]
    refused = [
        "",
        "x",
        ".",
        "..",
        "a.b.c",
        "é.é.é",
        "\ud800.a.b",
        good[:-4],
        good[:-8] + "AAAAAAAA",
        good + "=",
        good + "." + "A" * 30,
        good + "A" * 10_000,
        f"{encode(none)}.{body}.",
        write_token(none, CLAIMS, KEY),
        *(write_token(part, CLAIMS, KEY) for part in NO_OBJECTS),
        *(write_token(HEADER, part, KEY) for part in NO_OBJECTS),
        write_token(HEADER, CLAIMS, OTHER_ED25519),
        write_token(HEADER, CLAIMS, None),
        write_token(HEADER | {"alg": "HS256"}, CLAIMS, public_pem(KEY)),
        write_token(HEADER | {"alg": "HS256"}, CLAIMS, KEY.public_key().public_bytes_raw()),
        write_token(HEADER | {"alg": "ES256"}, CLAIMS, P256),
        write_token(HEADER | {"alg": "EdDSA"}, CLAIMS, KEY),
        write_token(HEADER | {"alg": "ed25519"}, CLAIMS, KEY),
        write_token(HEADER | {"alg": ["Ed25519"]}, CLAIMS, KEY),
        write_token(HEADER | {"typ": "JWT"}, CLAIMS, KEY),
        write_token(HEADER | {"typ": 1}, CLAIMS, KEY),
        write_token(HEADER | {"kid": "another"}, CLAIMS, KEY),
        write_token(HEADER | {"crit": []}, CLAIMS, KEY),
        write_token(HEADER | {"crit": ["exp"], "exp": 2_000}, CLAIMS, KEY),
        write_token(HEADER | {"b64": False}, CLAIMS, KEY),
        write_token(HEADER | {"jwk": {"kty": "OKP"}}, CLAIMS, KEY),
        *(write_token({k: v for k, v in HEADER.items() if k != part}, CLAIMS, KEY) for part in HEADER),
        *(write_token(HEADER, {k: v for k, v in CLAIMS.items() if k != claim}, KEY) for claim in CLAIMS),
        *(write_token(HEADER, CLAIMS | {"aud": aud}, KEY) for aud in ("another", "", [], ["another"], 1, None)),
        *(write_token(HEADER, CLAIMS | {"iss": iss}, KEY) for iss in ("another", "vinculum ", ["vinculum"])),
        *(write_token(HEADER, CLAIMS | {"sub": sub}, KEY) for sub in (["ada"], "", 1, {"a": 1}, "\ud800")),
    ]

    said = []
    for token in refused:
        with pytest.raises(AccessError) as caught:
            keys.read(token)
        said.append((str(caught.value), caught.value.__cause__))

    assert set(said) == {("expected a valid token", None)}


@given(st.data())
def test_no_other_spelling_of_a_token_is_read(keys: TokenKeys, data: st.DataObject) -> None:
    """Whatever is changed, taken out or put in, at whatever place, spoils a token."""
    good = write_token(HEADER, CLAIMS, KEY)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(start + 3, len(good))))
    put = data.draw(st.text("Ab0-_=.+/ \n", max_size=3) | st.text(max_size=3))
    changed = good[:start] + put + good[end:]

    if changed != good:
        with pytest.raises(AccessError, match=r"^expected a valid token$"):
            keys.read(changed)


@given(header_changes, claim_changes)
def test_nothing_that_is_signed_makes_a_fault(
    keys: TokenKeys, head: dict[str, object], claims: dict[str, object]
) -> None:
    """Even under our own signature, a header or claims of any shape give the name that they hold or the one refusal."""
    try:
        name = keys.read(write_token(HEADER | head, CLAIMS | claims, KEY))
    except AccessError:
        return

    assert HEADER | head == HEADER
    assert name == (CLAIMS | claims)["sub"]
