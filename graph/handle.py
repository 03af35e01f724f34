"""Handles: what an observer is shown instead of stored ids and hidden values.

Both are keyed by the observer's organisation, so they are stable within one
and unlinkable between two. Neither depends on a value that is hidden.
"""

import base64
import hmac
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ontology.digest import canonical_json
from ontology.errors import InvalidCursor, NotVisible

_KINDS = {"entity": b"e", "link": b"l", "facet": b"f", "alert": b"a", "watch": b"w", "relabelling": b"r"}
_CURSOR = b"c"


class Handles:
    """The handles of one organisation.

    `secret` is the store's, at least 32 bytes. Ids are AES-SIV (RFC 5297) of 128
    bits: deterministic, and a forged or foreign one does not open.
    """

    def __init__(self, secret: bytes, organisation: str) -> None:
        self._secret = secret
        self._organisation = organisation

    def seal(self, kind: str, identity: str) -> str:
        """Return the shown id (45 characters, URL-safe, beginning with a letter) of 32 hex digits."""
        sealed = self._cipher.encrypt(bytes.fromhex(identity), [_KINDS[kind]])
        return _KINDS[kind].decode() + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, kind: str, shown: str) -> str:
        """Return the 32 hex digits behind a shown id.

        Raises NotVisible for whatever this organisation was never shown.
        """
        try:
            padded = shown[1:].encode("ascii") + b"=" * (-len(shown[1:]) % 4)
            identity = self._cipher.decrypt(base64.urlsafe_b64decode(padded), [_KINDS[kind]]).hex()
        except (ValueError, InvalidTag) as exc:
            raise NotVisible from exc
        # Base64 has several spellings of the same bytes; only the one that was shown names anything.
        if self.seal(kind, identity) != shown:
            raise NotVisible
        return identity

    def find(self, kind: str, shown: str) -> str | None:
        """Return the 32 hex digits behind a shown id, None for whatever this organisation was never shown."""
        try:
            return self.open(kind, shown)
        except NotVisible:
            return None

    def seal_cursor(self, identity: str, bound_to: bytes) -> str:
        """Return an opaque cursor (44 characters, URL-safe) for a place in a list, which opens for the same list alone.

        `bound_to` stands for who asks, with which rights, and what.
        """
        sealed = self._cipher.encrypt(bytes.fromhex(identity), [_CURSOR, bound_to])
        return _CURSOR.decode() + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open_cursor(self, cursor: str, bound_to: bytes) -> str:
        """Return the 32 hex digits behind a cursor; raises InvalidCursor for any but one of this very list."""
        try:
            padded = cursor[1:].encode("ascii") + b"=" * (-len(cursor[1:]) % 4)
            identity = self._cipher.decrypt(base64.urlsafe_b64decode(padded), [_CURSOR, bound_to]).hex()
        except (ValueError, InvalidTag) as exc:
            raise InvalidCursor from exc
        if self.seal_cursor(identity, bound_to) != cursor:
            raise InvalidCursor
        return identity

    def pseudonym(self, value_type: str, value: str) -> str:
        """Return the name that stands for a value within the organisation (P- and 10 characters)."""
        digest = hmac.digest(self._pseudonym_key, canonical_json([value_type, value]), "sha256")
        return "P-" + base64.b32encode(digest)[:10].decode()

    @cached_property
    def _cipher(self) -> AESSIV:
        return AESSIV(self._derive(b"id", 64))

    @cached_property
    def _pseudonym_key(self) -> bytes:
        return self._derive(b"pseudonym", 32)

    def _derive(self, purpose: bytes, length: int) -> bytes:
        info = canonical_json([purpose.decode(), self._organisation])
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._secret)
