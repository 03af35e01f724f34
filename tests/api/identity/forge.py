"""Tokens and key sets, written by hand with nothing of what reads them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SigningKey = Ed25519PrivateKey | EllipticCurvePrivateKey | bytes | None

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
P256 = generate_private_key(SECP256R1())


def encode(content: object) -> str:
    """Return one part of a token as it is written."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def write_token(header: object, claims: object, key: SigningKey) -> str:
    """Return a token with any header and claims, signed as the kind of key signs; bytes are a key for HS256."""
    signed = f"{encode(header)}.{encode(claims)}"
    return f"{signed}.{encode(_sign(signed.encode(), key))}"


def write_jwk(key: Ed25519PrivateKey | EllipticCurvePrivateKey, kid: str, **members: Any) -> dict[str, Any]:
    """Return the public half of a key as a JWK."""
    if isinstance(key, Ed25519PrivateKey):
        public = {"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().public_bytes_raw())}
    else:
        numbers = key.public_key().public_numbers()
        x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        public = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    return {**public, "kid": kid, **members}


def write_jwks(*keys: Mapping[str, Any]) -> bytes:
    """Return a JWK Set."""
    return json.dumps({"keys": keys}).encode()


def public_pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> bytes:
    """Return the public half of a key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _sign(content: bytes, key: SigningKey) -> bytes:
    if key is None:
        return b""
    if isinstance(key, bytes):
        return hmac.digest(key, content, hashlib.sha256)
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(content)
    return b"".join(n.to_bytes(32, "big") for n in decode_dss_signature(key.sign(content, ECDSA(SHA256()))))
