"""The readers of a service's tokens: our own, and the provider's when the settings name one."""

import time
from collections.abc import Callable, Mapping
from functools import partial

from api.identity.jwks import KeySet, fetch
from api.identity.keys import ISSUER, TokenKeys
from api.identity.provider import Provider
from api.identity.token import one_refusal, read_claimed
from api.settings import Settings


class TokenReaders:
    """Reads each token with the reader of the issuer that it claims; that reader then holds it to its claim."""

    def __init__(self, readers: Mapping[str, Callable[[str], str]]) -> None:
        self._readers = dict(readers)

    def read(self, token: str) -> str:
        """Return the observer that a token names; raises AccessError, always with the same text."""
        with one_refusal():
            read = self._readers[read_claimed(token).issuer]
        return read(token)


def make_readers(settings: Settings, *, clock: Callable[[], float] = time.time) -> TokenReaders:
    """Return the readers that the settings name; raises SettingError for keys that cannot be used."""
    readers = {ISSUER: TokenKeys(settings.home / "keys", clock=clock).read}
    if settings.oidc_issuer:
        keys = KeySet(partial(fetch, settings.oidc_jwks))
        claim = settings.oidc_name_claim
        provider = Provider(settings.oidc_issuer, settings.oidc_audience, keys, name_claim=claim, clock=clock)
        readers[settings.oidc_issuer] = provider.read
    return TokenReaders(readers)
