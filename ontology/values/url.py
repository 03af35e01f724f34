"""Web addresses: http and https, onion hosts included."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.domain import clean_domain
from ontology.values.raw import bound, describe, tidy

LONGEST = 8_000

_EXPECTED = "a web address (http or https)"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile("https?://", re.IGNORECASE)
_SAFE = "/%:@!$&'()*+,;=~?-._[]"


def clean_url(raw: str) -> str:
    """Return the address with scheme and host in lower case, without default port, fragment and user.

    Text that begins with ``www.`` is read as http.
    """
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST)
    if text[:4].lower() == "www.":
        text = f"http://{text}"
    if not _SCHEME.match(text):
        raise InvalidValue(_EXPECTED, f"no http or https scheme in {describe(text)}")
    value = _normalise(text)
    bound(value, expected=_EXPECTED, longest=LONGEST)
    return value


def _normalise(text: str) -> str:
    parts, port = _split(text)
    scheme = parts.scheme.lower()
    host = _clean_host(parts.hostname or "")
    place = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return urlunsplit(
        (
            scheme,
            place,
            quote(parts.path or "/", safe=_SAFE),
            quote(parts.query, safe=_SAFE),
            "",
        )
    )


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError as exc:
        raise InvalidValue(_EXPECTED, "a host or port that cannot be read") from exc


def _clean_host(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return clean_domain(host)
    if "%" in host:
        raise InvalidValue(_EXPECTED, "an address with a zone")
    return f"[{address}]" if address.version == 6 else str(address)


def mask_url(value: str) -> str | None:
    """Return the host alone."""
    return urlsplit(value).hostname


URL = ValueType(
    name="url",
    description="A web address with scheme and host in lower case, without its fragment.",
    clean=clean_url,
    mask=mask_url,
)
