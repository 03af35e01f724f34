"""Phones, e-mail addresses, web addresses, domains and handles."""

import pytest

from ontology.errors import InvalidValue
from ontology.values.domain import clean_domain
from ontology.values.email import clean_email, mask_email
from ontology.values.phone import clean_phone, generalise_phone, mask_phone
from ontology.values.url import clean_url, mask_url
from ontology.values.username import clean_username, mask_username

ONION = "a" * 55 + "d.onion"


@pytest.mark.parametrize(
    "raw",
    ["+44 20 7946 0958", "0044 (20) 7946-0958", "tel:+44-20-7946-0958", "+44 (0)20 7946 0958", "+44.20.7946.0958"],
)
def test_phones_are_stored_in_e164(raw: str) -> None:
    """Every way of writing one number gives one value."""
    assert clean_phone(raw) == "+442079460958"


@pytest.mark.parametrize(
    "raw", ["020 7946 0958", "+44", "+999 123 456 789", "+1-800-FLOWERS", "+44 20 7946 0958 0958 1"]
)
def test_phones_that_need_a_guess_are_refused(raw: str) -> None:
    """Without country code, of no country, with letters or of impossible length there is no number."""
    with pytest.raises(InvalidValue):
        clean_phone(raw)


def test_a_shown_phone_is_its_country_code() -> None:
    """Masked and generalised numbers tell the country alone."""
    assert mask_phone("+40721234567") == "+40 •••"
    assert generalise_phone("+12025550123") == "+1"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("Ana.Pop@Example.ORG", "ana.pop@example.org"),
        ("mailto:x+y@example.org", "x+y@example.org"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        (f"seller@{ONION}", f"seller@{ONION}"),
    ],
)
def test_emails_are_lower_case(raw: str, value: str) -> None:
    """Capitals go, other scripts take their ASCII form, and onion hosts are taken too."""
    assert clean_email(raw) == value


@pytest.mark.parametrize("raw", ["ana", "@example.org", "a@b", "a b@example.org", "a@@example.org", "a..b@example.org"])
def test_what_is_no_email_is_refused(raw: str) -> None:
    """Both sides of the at sign must be well formed."""
    with pytest.raises(InvalidValue):
        clean_email(raw)


def test_a_masked_email_is_its_domain() -> None:
    """The person goes, the service stays."""
    assert mask_email("ana@example.org") == "•••@example.org"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("HTTP://Example.ORG:80", "http://example.org/"),
        ("https://example.org:443/A?b=C#part", "https://example.org/A?b=C"),
        ("https://example.org:8443/a b", "https://example.org:8443/a%20b"),
        ("https://user:word@example.org/", "https://example.org/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        (f"http://{ONION}/x", f"http://{ONION}/x"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]/"),
        ("www.example.org/x", "http://www.example.org/x"),
    ],
)
def test_web_addresses_have_one_form(raw: str, value: str) -> None:
    """Case of the host, default port, fragment, user and blanks make no difference."""
    assert clean_url(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        "ftp://example.org",
        "javascript:alert(1)",
        "https://",
        "https://exa mple.org",
        "https://a.org:99999/",
        "http://[::1",
    ],
)
def test_what_is_no_web_address_is_refused(raw: str) -> None:
    """Other schemes, missing hosts and impossible ports are refused."""
    with pytest.raises(InvalidValue):
        clean_url(raw)


def test_a_masked_web_address_is_its_host() -> None:
    """Path and query may name a person."""
    assert mask_url("https://example.org:8443/ana") == "example.org"


@pytest.mark.parametrize(
    ("raw", "value"), [("Example.ORG.", "example.org"), ("пример.example", "xn--e1afmkfd.example"), (ONION, ONION)]
)
def test_domains_are_lower_case_ascii(raw: str, value: str) -> None:
    """The final dot goes and other scripts are encoded."""
    assert clean_domain(raw) == value


@pytest.mark.parametrize(
    "raw", ["localhost", "192.0.2.1", "-a.example", "a..example", "a/b.example", "x" * 64 + ".example"]
)
def test_what_is_no_domain_is_refused(raw: str) -> None:
    """Single words, numbers, misplaced hyphens and labels of more than 63 characters are refused."""
    with pytest.raises(InvalidValue):
        clean_domain(raw)


def test_handles_lose_their_at_sign_and_case() -> None:
    """Services treat the spellings of a handle as one."""
    assert clean_username("@Some_One") == "some_one"
    assert mask_username("some_one") == "s•••"
