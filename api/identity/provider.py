"""An outside OpenID Connect provider, whose access tokens name our observers."""

import time
from collections.abc import Callable

from api.identity.jwks import KeySet
from api.identity.token import Expected, one_refusal, read_claimed, read_name

# No RSA: RS256, which most RSA providers mean, is the older padding that RFC 8017 keeps for compatibility alone, and
# every algorithm more is one more to be confused with. Providers can be told to sign with ES256.
ALGORITHMS = ("Ed25519", "EdDSA", "ES256")


class Provider:
    """Reads the tokens that one issuer made for one audience, under the keys that it publishes."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: KeySet,
        *,
        name_claim: str = "sub",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._expected = Expected(issuer, audience, ALGORITHMS, name_claim)
        self._keys = keys
        self._clock = clock

    def read(self, token: str) -> str:
        """Return the observer that a token names; blocks while keys are fetched.

        Raises AccessError, always with the same text, for one that this issuer
        did not make for this audience or that has run out.
        """
        with one_refusal():
            claimed = read_claimed(token)
            if claimed.issuer != self._expected.issuer or claimed.algorithm not in ALGORITHMS:
                raise ValueError("another issuer or algorithm")
            key = self._keys.find(claimed.kid, claimed.algorithm)
            if key is None:
                raise ValueError("no such key")
            return read_name(token, key, self._expected, self._clock())
