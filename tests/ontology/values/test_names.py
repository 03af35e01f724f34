"""Names, places, codes and free text."""

import pytest

from ontology.errors import InvalidValue
from ontology.values.code import clean_code
from ontology.values.name import clean_name, compare_names, fold_name, mask_name
from ontology.values.place import clean_place, generalise_place
from ontology.values.text import clean_text, mask_text


def test_a_name_is_composed_and_spaced_once() -> None:
    """Combining accents are composed; runs of blanks and invisible marks vanish."""
    assert clean_name("  Ma\u0301ria \t\u200b Kova\u0301cˇ\n") == "Mária Kovácˇ"


def test_a_name_needs_a_letter_or_digit() -> None:
    """Dashes that stand for a missing name are no name."""
    with pytest.raises(InvalidValue, match="no letter or digit"):
        clean_name("---")


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("Mária O'Neill-Kováč", "maria oneill kovac"),
        ("Мария", "mariya"),
        ("Σοφία", "sofia"),
        ("Łukasz Ćwik", "lukasz cwik"),
        ("--", ""),
    ],
)
def test_names_fold_to_plain_latin_words(raw: str, folded: str) -> None:
    """Scripts, accents, case and punctuation do not survive folding."""
    assert fold_name(raw) == folded


def test_word_order_and_accents_do_not_matter_to_a_comparison() -> None:
    """The family name may come first and accents may be lost."""
    assert compare_names("Mária Kováč", "KOVAC Maria") == 1.0
    assert compare_names("Mária Kováč", "Maria Kovacs") > 0.9
    assert compare_names("Mária Kováč", "Dimitri Zhuk") < 0.5


def test_names_that_fold_to_nothing_are_not_alike() -> None:
    """Two different values without any Latin form have nothing in common."""
    assert compare_names("--", "++") == 0.0


def test_a_masked_name_is_its_initials() -> None:
    """Five initials at most remain, in the script of the name."""
    assert mask_name("maria kováč") == "M. K."
    assert mask_name("Ян (Yan) a b c d") == "Я. Y. A. B. C."


def test_codes_are_lower_case_with_underscores() -> None:
    """A term of a vocabulary has one spelling."""
    assert clean_code("  Forced  Labour ") == "forced_labour"


def test_text_keeps_lines_and_loses_controls() -> None:
    """Every kind of line end becomes one; NUL, bells and half characters go."""
    assert clean_text("a\r\nb\rc\u2028d\0\x07\ud800\te\u0301 ") == "a\nb\nc\nd é"


def test_text_of_a_million_characters_is_the_longest() -> None:
    """The bound is exact."""
    assert len(clean_text("x" * 1_000_000)) == 1_000_000
    with pytest.raises(InvalidValue, match="1000001 characters"):
        clean_text("x" * 1_000_001)


def test_masked_text_holds_no_number_and_no_contact() -> None:
    """Digits of any script become dots; handles, mails, links and long codes go whole."""
    shown = mask_text("Call +40 721 or t.me/anna, @anna a@b.example https://x.example ٣ " + "Q" * 30)

    assert shown == "Call +•• ••• or ••• ••• ••• ••• • •••"


def test_places_are_spaced() -> None:
    """Parts are separated by a comma and a space, empty ones left out."""
    assert clean_place("Strada Lungă 5 ,, Brașov,România") == "Strada Lungă 5, Brașov, România"


@pytest.mark.parametrize(
    ("place", "country"),
    [
        ("Strada Lungă 5, Brașov, România", "Romania"),
        ("Україна, Харків, вулиця Сумська", "Ukraine"),
        ("Germany, Hamburg, Lindenhof Shelter", "Germany"),
        ("House 3, Lindenhof, Hamburg, Germany", "Germany"),
        ("1 High Street, London, UK", "United Kingdom"),
        ("Romania", "Romania"),
        ("Flat B, Rose House", None),
        ("Strada Lungă", None),
        ("Strada Lungă 5, 500035", None),
        ("Rose House, Sacramento, CA", None),
        ("Rose House, us-ny", None),
    ],
)
def test_a_place_generalises_to_its_country_alone(place: str, country: str | None) -> None:
    """At either end and in any language a country remains in English, and of anything else nothing."""
    assert generalise_place(place) == country
    if country:
        assert generalise_place(country) == country
