"""Tokens: who is calling, and nothing of what they may do.

A token is a JWT (RFC 7519, RFC 9068) signed with Ed25519 under a key that is
made on first use. It names an observer; what that observer may have is looked
up in the store with every request, so taking a right away needs no new token.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from ontology.errors import AccessError, SettingError

KEY_FILE = "token.key"
DAY_S = 86_400
_ISSUER = "vinculum"
_AUDIENCE = "vinculum-api"
_TYPE = "at+jwt"
_ALGORITHMS = ["Ed25519"]  # RFC 9864: the name that says which curve
_MAX_LENGTH = 2048
_REFUSAL = "expected a valid token"


class TokenKeys:
    """Issues tokens and reads them back, under the one key of a folder.

    The key is made where there is none. Raises SettingError for a key that
    others may read or that is none.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = _load_key(folder / KEY_FILE)

    def issue(self, observer: str, *, lifetime_s: int = DAY_S) -> str:
        """Return a token that names an observer for so many seconds."""
        now = int(self._clock())
        claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": observer, "iat": now, "exp": now + lifetime_s}
        return jwt.encode({"alg": _ALGORITHMS[0], "typ": _TYPE}, claims, self._key, algorithms=_ALGORITHMS)

    def read(self, token: str) -> str:
        """Return the observer that a token names.

        Raises AccessError, always with the same text, for one that we did not
        issue for this service or that has run out.
        """
        try:
            return self._read(token)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            # Why it failed would help nobody but a forger: no cause is kept.
            raise AccessError(_REFUSAL) from None

    def _read(self, token: str) -> str:
        if len(token) > _MAX_LENGTH:
            raise ValueError("too long")
        found = jwt.decode(token, self._key, algorithms=_ALGORITHMS)
        if found.header.get("typ") != _TYPE or not isinstance(found.claims.get("sub"), str):
            raise ValueError("another kind of token")
        jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            iss={"essential": True, "value": _ISSUER},
            aud={"essential": True, "value": _AUDIENCE},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        ).validate(found.claims)
        return str(found.claims["sub"])


def _load_key(path: Path) -> OKPKey:
    if not path.exists():
        _make_key(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SettingError(f"{path}: expected a key that its owner alone may read (mode 600)")
    try:
        key = OKPKey.import_key(path.read_bytes())
    except (JoseError, ValueError) as exc:
        raise SettingError(f"{path}: expected an Ed25519 key in PEM, found something else") from exc
    if key.curve_name != "Ed25519" or not key.is_private:
        raise SettingError(f"{path}: expected a private Ed25519 key, found another")
    return key


def _make_key(path: Path) -> None:
    """Write a new key, whole or not at all; where two make one at once the first stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:  # made with mode 600
        file.write(OKPKey.generate_key("Ed25519").as_pem(private=True))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
