"""Identity: who is calling, told by a bearer token, and nothing of what they may do.

A token is ours (`TokenKeys`) or an outside OpenID Connect provider's
(`Provider`). Either names an observer; what that observer may have is looked up
in the store with every request, so taking a right away needs no new token.
"""

from api.identity.keys import TokenKeys
from api.identity.provider import Provider
from api.identity.readers import TokenReaders, make_readers
from api.identity.token import LIFETIME_S, MAX_LIFETIME_S

__all__ = ["LIFETIME_S", "MAX_LIFETIME_S", "Provider", "TokenKeys", "TokenReaders", "make_readers"]
