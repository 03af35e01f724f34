"""The public keys of an outside provider: a JWK Set (RFC 7517) from a file or an address, read again as it ages.

Of a set only those keys are kept that could have signed a token for us; the
rest, symmetric keys and private halves among them, might as well not be there.
"""

import json
import logging
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from api.identity.token import Key
from ontology.errors import SettingError

log = logging.getLogger(__name__)

# A key that the provider withdrew is good here for so long.
REFRESH_S = 5 * 60
# Nobody's tokens make us ask the provider more often than this.
PAUSE_S = 60
MAX_BYTES = 65_536
TIMEOUT_S = 3.0
_SETTING = "VINCULUM_OIDC_JWKS"

# Type and curve of a key -> the algorithms that it may be used with, and its public members.
_ALGORITHMS = {("OKP", "Ed25519"): ("Ed25519", "EdDSA"), ("EC", "P-256"): ("ES256",)}
_MEMBERS = {"OKP": ("kty", "crv", "x"), "EC": ("kty", "crv", "x", "y")}

Keys = Mapping[tuple[str, str], Key]  # by kid and algorithm


class KeySet:
    """The keys of a provider, as `fetch` returns them; several threads may ask.

    They are read when this is made, which raises SettingError where there is
    none to use, and again when one is asked for that is not known or when they
    are `REFRESH_S` old: by one thread at a time, at most once in `PAUSE_S`, while the
    others go on with what is there. The first time needs no pause after the start:
    a key that was changed since is no flood. If it fails, the last good keys stay.
    """

    def __init__(self, fetch: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._tried_at = -math.inf
        self._read_at = clock()
        self._keys = self._load()

    def find(self, kid: str, algorithm: str) -> Key | None:
        """Return the key of an id that may be used with an algorithm, None when the provider has none."""
        key = self._keys.get((kid, algorithm))
        if key is None or self._clock() - self._read_at >= REFRESH_S:
            self._refresh()
            key = self._keys.get((kid, algorithm))
        return key

    def _refresh(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            now = self._clock()
            if now - self._tried_at < PAUSE_S:
                return
            self._tried_at = now
            self._keys = self._load()
            self._read_at = now
        except SettingError as exc:
            log.warning("%s; the keys of before stay in use", exc)
        finally:
            self._lock.release()

    def _load(self) -> Keys:
        try:
            return read_keys(self._fetch())
        except (OSError, HTTPException, ValueError, RecursionError) as exc:
            reason = str(exc) if isinstance(exc, _Unfit) else type(exc).__name__
            raise SettingError(
                f"{_SETTING}: expected a JWK Set with a key for Ed25519 or ES256, found {reason}"
            ) from exc


def read_keys(content: bytes) -> Keys:
    """Return the keys of a JWK Set that tokens can be checked with; raises ValueError when there is none.

    A key is passed over unless it has a `kid`, is of a type and curve that we know, and is for
    signatures by its own `use`, `key_ops` and `alg`. Of two keys for the same use the first counts.
    """
    document = json.loads(content)
    found = document.get("keys") if isinstance(document, dict) else None
    keys: dict[tuple[str, str], Key] = {}
    for jwk in found if isinstance(found, list) else ():
        for algorithm, key in _usable(jwk):
            keys.setdefault((jwk["kid"], algorithm), key)
    if not keys:
        raise _Unfit("none")
    return keys


def fetch(place: str) -> bytes:
    """Return what is at a file path, or at an http:// or https:// address.

    An address is asked directly: no redirect is followed and no proxy is taken from the environment.
    Raises OSError, HTTPException, or ValueError for more than `MAX_BYTES`.
    """
    content = _fetch_address(urlsplit(place)) if "://" in place else _read_file(Path(place))
    if len(content) > MAX_BYTES:
        raise _Unfit(f"more than {MAX_BYTES} bytes")
    return content


class _Unfit(ValueError):
    """Says what was found in words that may be shown."""


def _usable(jwk: Any) -> Iterator[tuple[str, Key]]:
    """Yield a key with each algorithm that it may be used with."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return
    kind, operations = (str(jwk.get("kty")), str(jwk.get("crv"))), jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return
    algorithms = [name for name in _ALGORITHMS.get(kind, ()) if jwk.get("alg", name) == name]
    key = _make_key({name: jwk.get(name) for name in _MEMBERS[kind[0]]}) if algorithms else None
    if key is not None:
        yield from ((name, key) for name in algorithms)


def _make_key(members: dict[str, Any]) -> Key | None:
    try:
        return OKPKey.import_key(members) if members["kty"] == "OKP" else ECKey.import_key(members)
    except (JoseError, ValueError, TypeError):
        return None


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _fetch_address(parts: SplitResult) -> bytes:
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    with closing(_connect(parts)) as connection:
        connection.request("GET", target, headers={"Accept": "application/jwk-set+json, application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise _Unfit(f"an answer with status {response.status}")
        return response.read(MAX_BYTES + 1)


def _connect(parts: SplitResult) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    return HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
