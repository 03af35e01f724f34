"""The keys of a provider: which are used, and when they are asked for again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.identity.jwks import MAX_BYTES, KeySet, fetch, read_keys
from ontology.errors import SettingError
from tests.api.identity.forge import ED25519, OTHER_ED25519, P256, encode, write_jwk, write_jwks

ED = write_jwk(ED25519, "ed")
EC = write_jwk(P256, "ec")


class Issuer:
    """A provider that publishes what it is told to, or fails, and notes when it was asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.now = 0.0
        self.keys = keys
        self.is_down = False
        self.asked: list[float] = []

    def fetch(self) -> bytes:
        """Return the published keys."""
        self.asked.append(self.now)
        if self.is_down:
            raise TimeoutError("https://login.example is down")
        return write_jwks(*self.keys)

    def key_set(self) -> KeySet:
        """Return a set of this provider's keys."""
        return KeySet(self.fetch, clock=lambda: self.now)


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (ED, {"Ed25519", "EdDSA"}),
        (EC, {"ES256"}),
        (ED | {"alg": "EdDSA", "use": "sig", "key_ops": ["verify"]}, {"EdDSA"}),
        (ED | {"alg": "Ed25519", "x5t": 1, "vendor": []}, {"Ed25519"}),
        (EC | {"alg": "ES256"}, {"ES256"}),
        (ED | {"alg": "ES256"}, set()),
        (EC | {"alg": "HS256"}, set()),
        (ED | {"alg": None}, set()),
        (ED | {"use": "enc"}, set()),
        (ED | {"key_ops": ["sign"]}, set()),
        (ED | {"key_ops": "verify"}, set()),
        (ED | {"kid": 1}, set()),
        (ED | {"crv": "Ed448"}, set()),
        (ED | {"crv": "X25519"}, set()),
        (EC | {"crv": "P-384"}, set()),
        (ED | {"x": "AAAA"}, set()),
        (ED | {"x": 1}, set()),
        (EC | {"y": EC["x"]}, set()),
        (EC | {"y": None}, set()),
        (ED | {"d": encode(ED25519.private_bytes_raw())}, set()),
        ({"kty": "oct", "kid": "ed", "k": "AAAA"}, set()),
        ({"kty": "oct", "kid": "ed", "k": "AAAA", "alg": "Ed25519", "crv": "Ed25519", "x": ED["x"]}, set()),
        ({"kty": "RSA", "kid": "ed", "n": "AQAB", "e": "AQAB", "alg": "RS256"}, set()),
        ({"kty": ["OKP"], "crv": {}, "kid": "ed"}, set()),
        ({}, set()),
        (1, set()),
        (None, set()),
    ],
)
def test_key_is_used_for_what_it_says(jwk: Any, algorithms: set[str]) -> None:
    """A key serves the algorithms of its type and curve that its own members allow; any other is passed over."""
    good = write_jwk(OTHER_ED25519, "good", alg="Ed25519")

    found = read_keys(write_jwks(jwk, good)).keys()

    assert {algorithm for kid, algorithm in found if kid != "good"} == algorithms
    assert ("good", "Ed25519") in found


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b"1", b"{}", b'{"keys": {}}', b'{"keys": []}', b"[" * 60_000]
)
def test_set_without_a_key_is_refused(content: bytes) -> None:
    """What is no set, and a set that holds nothing to use, stop the start without a word of what was in it."""
    with pytest.raises(SettingError, match=r"^VINCULUM_OIDC_JWKS: expected .*, found \w+$"):
        KeySet(lambda: content)


def test_provider_that_is_down_stops_the_start() -> None:
    """A service that could read no token of its provider says so at once."""
    issuer = Issuer(ED)
    issuer.is_down = True

    with pytest.raises(SettingError, match=r"found TimeoutError$"):
        issuer.key_set()


def test_new_key_is_found_when_it_is_asked_for() -> None:
    """A key that was added since is fetched with the first token that names it."""
    issuer = Issuer(ED)
    keys = issuer.key_set()
    issuer.keys, issuer.now = (ED, EC), 60.0

    assert keys.find("ec", "ES256") is not None
    assert issuer.asked == [0.0, 60.0]


def test_key_that_is_new_just_after_the_start_is_found() -> None:
    """A provider may change its key seconds after we started: the first question is asked at once, the next is not."""
    issuer = Issuer(ED)
    keys = issuer.key_set()
    issuer.keys, issuer.now = (ED, EC), 25.0

    assert keys.find("ec", "ES256") is not None
    assert keys.find("forged", "ES256") is None
    issuer.now = 84.0
    assert keys.find("forged", "ES256") is None
    assert issuer.asked == [0.0, 25.0]


def test_withdrawn_key_is_forgotten() -> None:
    """A key that the provider took back is refused five minutes later at most, with no unknown one in between."""
    issuer = Issuer(ED, EC)
    keys = issuer.key_set()
    issuer.keys, issuer.now = (ED,), 299.0
    before = keys.find("ec", "ES256")
    issuer.now = 300.0

    assert before is not None
    assert keys.find("ec", "ES256") is None
    assert keys.find("ed", "Ed25519") is not None


def test_failed_refresh_keeps_the_last_keys(caplog: pytest.LogCaptureFixture) -> None:
    """A provider that is down for hours stops nobody whose key is known, and the operator is told."""
    issuer = Issuer(ED)
    keys = issuer.key_set()
    issuer.is_down, issuer.now = True, 10_000.0

    assert keys.find("ed", "Ed25519") is not None
    assert keys.find("ec", "ES256") is None
    assert "the keys of before stay in use" in caplog.text
    assert "login.example" not in caplog.text
    issuer.is_down, issuer.keys, issuer.now = False, (ED, EC), 10_060.0
    assert keys.find("ec", "ES256") is not None


@given(st.lists(st.tuples(st.floats(0, 90), st.sampled_from(["ed", "ec", "forged"]), st.booleans()), max_size=60))
def test_provider_is_asked_once_a_minute_at_most(steps: list[tuple[float, str, bool]]) -> None:
    """A flood of forged ids is no flood of fetches after the start, whether the provider answers or not."""
    issuer = Issuer(ED)
    keys = issuer.key_set()

    for pause, kid, is_down in steps:
        issuer.now += pause
        issuer.is_down = is_down
        assert (keys.find(kid, "Ed25519") is not None) == (kid == "ed")

    assert all(later - earlier >= 60 for earlier, later in zip(issuer.asked[1:], issuer.asked[2:], strict=False))


def test_nobody_waits_for_somebody_elses_fetch() -> None:
    """While one thread asks the provider, the others are answered from the keys that are there."""
    asked, go_on = threading.Event(), threading.Event()
    answers = iter([write_jwks(ED), write_jwks(ED, EC)])
    now = 0.0

    def fetch_slowly() -> bytes:
        if now:
            asked.set()
            assert go_on.wait(10)
        return next(answers)

    keys = KeySet(fetch_slowly, clock=lambda: now)
    now = 1_000.0
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keys.find, "ec", "ES256")
        assert asked.wait(10)

        assert keys.find("ed", "Ed25519") is not None
        assert keys.find("ec", "ES256") is None

        go_on.set()
        assert first.result(10) is not None


def test_file_is_read_within_bounds(tmp_path: Path) -> None:
    """A file is read whole, and one that is too large is refused."""
    file = tmp_path / "jwks.json"
    file.write_bytes(b"x" * MAX_BYTES)

    assert fetch(str(file)) == b"x" * MAX_BYTES
    file.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ValueError, match="more than 65536 bytes"):
        fetch(str(file))


def test_address_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the environment is used, no redirect followed, and no more read than a key set may be long."""
    for key in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(key, "http://127.0.0.1:9")
    with _serve() as address:
        assert fetch(f"{address}/keys?v=1") == write_jwks(ED)
        with pytest.raises(ValueError, match="status 302"):
            fetch(f"{address}/moved")
        with pytest.raises(ValueError, match="status 404"):
            fetch(f"{address}/nothing")
        with pytest.raises(ValueError, match="more than 65536 bytes"):
            fetch(f"{address}/endless")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pages = {
            "/keys?v=1": (200, write_jwks(ED)),
            "/moved": (302, b""),
            "/endless": (200, b"x" * (MAX_BYTES + 1)),
        }
        status, body = pages.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Location", "/keys?v=1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def _serve() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
