"""User names: handles on an online service."""

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.raw import tidy_lower

LONGEST = 200

_EXPECTED = "a user name"


def clean_username(raw: str) -> str:
    """Return the handle in lower case without leading ``@``: services hold them to be the same."""
    value = tidy_lower(raw, expected=_EXPECTED, longest=LONGEST).lstrip("@ ")
    if not value:
        raise InvalidValue(_EXPECTED, "no character after @")
    return value


def mask_username(value: str) -> str | None:
    """Return the first character, as in ``m•••``."""
    return f"{value[0]}•••"


USERNAME = ValueType(
    name="username",
    description="A handle on an online service, in lower case without its at sign.",
    clean=clean_username,
    mask=mask_username,
)
