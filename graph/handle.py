"""Handles: what an observer is shown instead of stored ids and hidden values.

Both are keyed by the observer's organisation, so they are stable within one
and unlinkable between two. Neither depends on a value that is hidden.
"""

import base64
import hashlib
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ontology.digest import canonical_json
from ontology.errors import InvalidCursor, NotVisible

_KINDS = {"entity": b"e", "link": b"l", "facet": b"f", "alert": b"a", "watch": b"w", "relabelling": b"r"}
_CURSOR = b"c"
# Two letters of base 32 (RFC 4648) for each ten bits; a pseudonym has fifty.
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
_SHIFTS = range(40, -1, -10)
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


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
        inner, outer = (state.copy() for state in self._pseudonym_states)
        inner.update(canonical_json([value_type, value]))
        outer.update(inner.digest())
        number = int.from_bytes(outer.digest()[:7], "big") >> 6
        return "P-" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])

    def rank(self, identity: str) -> bytes:
        """Return what breaks a tie between things or links by nothing that anybody can know.

        Stored ids come from a source and its keys, so whoever may import could
        choose keys that fall before or after a hidden one and read it from the order.
        """
        return hashlib.blake2b(identity.encode(), digest_size=8, key=self._rank_key).digest()

    @cached_property
    def _rank_key(self) -> bytes:
        return self._derive(b"rank", 32)

    @cached_property
    def _cipher(self) -> AESSIV:
        return AESSIV(self._derive(b"id", 64))

    @cached_property
    def _pseudonym_states(self) -> tuple["hashlib._Hash", "hashlib._Hash"]:
        # HMAC-SHA256 (RFC 2104) with the key taken in once: a fifth of the time of taking it in for every value.
        key = self._derive(b"pseudonym", 32).ljust(hashlib.sha256().block_size, b"\0")
        return hashlib.sha256(key.translate(_INNER)), hashlib.sha256(key.translate(_OUTER))

    def _derive(self, purpose: bytes, length: int) -> bytes:
        info = canonical_json([purpose.decode(), self._organisation])
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._secret)
