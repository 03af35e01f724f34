"""Tokens: what each must be, whoever issued it, and the one refusal of all others.

A token is a JWT access token (RFC 7519, RFC 9068) that lives an hour at most.
What it says of itself before its signature was checked chooses the key to check
it with, and nothing else.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from ontology.errors import AccessError

Key = OKPKey | ECKey

LIFETIME_S = 5 * 60
MAX_LIFETIME_S = 60 * 60
TYPE = "at+jwt"
# How far ahead of ours an issuer's clock may be.
LEEWAY_S = 60
_TYPES = (TYPE, f"application/{TYPE}")
_MAX_LENGTH = 8_192
_REFUSAL = "expected a valid token"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token says of itself, with no proof that any of it is so."""

    header: Mapping[str, Any]
    issuer: str
    kid: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must hold: whose it is, for whom, how it may be signed, and which claim names the observer."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    name_claim: str = "sub"
    # Claims that must be there besides those that every token has.
    also: tuple[str, ...] = ()


class _Algorithms(JWSRegistry):
    """The algorithms that any token may be signed with: no symmetric one and no `none` is known here.

    EdDSA, deprecated by RFC 9864 for not saying which curve, is Ed25519 to us.
    """

    algorithms = {  # noqa: RUF012 - the library declares it without ClassVar
        "Ed25519": JWSRegistry.algorithms["Ed25519"],
        "EdDSA": JWSRegistry.algorithms["Ed25519"],
        "ES256": JWSRegistry.algorithms["ES256"],
    }


@contextmanager
def one_refusal() -> Iterator[None]:
    """Raise AccessError, always with the same text, for whatever is wrong with a token that is read within."""
    try:
        yield
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        # Why it failed would help nobody but a forger: no cause is kept.
        raise AccessError(_REFUSAL) from None


def read_claimed(token: str) -> Claimed:
    """Return what a token says of itself; to be called within `one_refusal`."""
    if len(token) > _MAX_LENGTH:
        raise ValueError("too long")
    header, claims = (_decode(part) for part in token.split(".")[:2])
    said = header["typ"], claims["iss"], header["kid"], header["alg"]
    if not all(isinstance(part, str) for part in said) or said[0].lower() not in _TYPES:
        raise ValueError("another kind of token")
    # Nothing that would have to be understood is, and the payload is always encoded.
    if header.keys() & {"crit", "b64"}:
        raise ValueError("an extension")
    return Claimed(MappingProxyType(header), *said[1:])


def read_name(token: str, key: Key, expected: Expected, now: float) -> str:
    """Return the name in a token that a key has signed and that holds what is expected; within `one_refusal`.

    The signature is checked before any claim is.
    """
    registry = _Algorithms(algorithms=expected.algorithms, strict_check_header=False)
    claims = jwt.decode(token, key, registry=registry).claims
    _check_claims(claims, expected, int(now))
    name = claims[expected.name_claim]
    if not isinstance(name, str):
        raise TypeError("no name")
    # A lone surrogate is no text that a store could be asked for.
    name.encode()
    return name


def _decode(part: str) -> dict[str, Any]:
    # Lenient about how Base64 is written, since whatever is believed is decoded again, strictly.
    decoded = json.loads(base64.urlsafe_b64decode(f"{part}=="))
    if not isinstance(decoded, dict):
        raise TypeError("no object")
    return decoded


def _check_claims(claims: dict[str, Any], expected: Expected, now: int) -> None:
    options: dict[str, jwt.ClaimsOption] = {
        name: {"essential": True} for name in ("iat", "exp", expected.name_claim, *expected.also)
    }
    options["iss"] = {"essential": True, "value": expected.issuer}
    options["aud"] = {"essential": True, "value": expected.audience}
    jwt.JWTClaimsRegistry(now, LEEWAY_S, **options).validate(claims)
    # The leeway is for clocks that run ahead, and prolongs nothing. A sum, since a difference of these may overflow.
    if claims["exp"] <= now or claims["exp"] > claims["iat"] + MAX_LIFETIME_S:
        raise ValueError("no such time")
