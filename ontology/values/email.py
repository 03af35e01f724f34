"""E-mail addresses."""

from email_validator import EmailNotValidError, validate_email

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.domain import clean_domain
from ontology.values.raw import describe, tidy_lower

LONGEST = 320

_EXPECTED = "an e-mail address"
# The library refuses onion and other domains that public mail cannot reach, yet captures hold them:
# it judges what is before the @, our own domain type what is after it.
_STAND_IN = "example.org"


def clean_email(raw: str) -> str:
    """Return the address in lower case; whether anybody answers there is not asked."""
    text = tidy_lower(raw, expected=_EXPECTED, longest=LONGEST).removeprefix("mailto:").strip()
    local, at, domain = text.rpartition("@")
    if not at:
        raise InvalidValue(_EXPECTED, describe(text))
    return f"{_clean_local(local)}@{_clean_domain(domain)}"


def _clean_local(local: str) -> str:
    try:
        found = validate_email(f"{local}@{_STAND_IN}", check_deliverability=False)
    except EmailNotValidError as exc:
        raise InvalidValue(_EXPECTED, f"before the @ {describe(local)}") from exc
    return found.local_part.lower()


def _clean_domain(domain: str) -> str:
    try:
        return clean_domain(domain)
    except InvalidValue as exc:
        raise InvalidValue(_EXPECTED, f"after the @ {exc.found}") from exc


def mask_email(value: str) -> str | None:
    """Return the domain alone, as in ``•••@example.org``."""
    return f"•••@{value.rpartition('@')[2]}"


EMAIL = ValueType(
    name="email",
    description="An e-mail address in lower case.",
    clean=clean_email,
    mask=mask_email,
)
