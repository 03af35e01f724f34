"""Our own tokens, signed with Ed25519 under a key that is made on first use."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from api.identity.token import LIFETIME_S, MAX_LIFETIME_S, TYPE, Expected, one_refusal, read_claimed, read_name
from ontology.errors import SettingError

KEY_FILE = "token.key"
ISSUER = "vinculum"
AUDIENCE = "vinculum-api"
_ALGORITHM = "Ed25519"  # RFC 9864: the name that says which curve
_EXPECTED = Expected(ISSUER, AUDIENCE, (_ALGORITHM,), also=("jti",))
_ID_BYTES = 16


class TokenKeys:
    """Issues tokens and reads them back, under the one key of a folder.

    The key is made where there is none. Raises SettingError for a key that
    others may read or that is none.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = _load_key(folder / KEY_FILE)
        self._header = {"alg": _ALGORITHM, "typ": TYPE, "kid": self._key.thumbprint()}

    def issue(self, observer: str, *, lifetime_s: int = LIFETIME_S) -> str:
        """Return a token that names an observer for so many seconds, an hour at most."""
        if lifetime_s > MAX_LIFETIME_S:
            raise ValueError(f"lifetime_s: expected at most {MAX_LIFETIME_S}")
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": observer,
            "iat": now,
            "exp": now + lifetime_s,
            "jti": secrets.token_urlsafe(_ID_BYTES),
        }
        return jwt.encode(self._header, claims, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str) -> str:
        """Return the observer that a token names.

        Raises AccessError, always with the same text, for one that we did not
        issue for this service or that has run out.
        """
        with one_refusal():
            if read_claimed(token).header != self._header:
                raise ValueError("another key or kind")
            return read_name(token, self._key, _EXPECTED, self._clock())


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
