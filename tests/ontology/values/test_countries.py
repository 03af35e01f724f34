"""Countries and languages."""

import pytest

from ontology.errors import InvalidValue
from ontology.values.country import clean_country, generalise_country
from ontology.values.language import clean_language


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("RO", "ro"),
        ("rou", "ro"),
        ("Romania", "ro"),
        ("Rumänien", "ro"),
        ("Румыния", "ro"),
        ("Türkiye", "tr"),
        ("Republic of Moldova", "md"),
        ("UK", "gb"),
        ("us-ny", "us"),
        ("Kosovo", "xk"),
        ("eu", "eu"),
        ("SU", "su"),
        ("yu", "yu"),
        ("cs", "cs"),
        ("dd", "dd"),
        ("Niger", "ne"),
        ("Nigeria", "ng"),
        ("Guinea-Bissau", "gw"),
    ],
)
def test_countries_are_known_by_code_and_name(raw: str, code: str) -> None:
    """Codes of two and three letters and names in several languages give the two-letter code."""
    assert clean_country(raw) == code


@pytest.mark.parametrize("raw", ["zz", "Atlantis", "150", "qo", "xyz"])
def test_what_is_no_country_is_refused(raw: str) -> None:
    """Regions, placeholders and fiction have no code."""
    with pytest.raises(InvalidValue):
        clean_country(raw)


@pytest.mark.parametrize(
    ("code", "region"),
    [("ro", "Eastern Europe"), ("ng", "Western Africa"), ("xk", "Southern Europe"), ("aq", "world"), ("eu", "Europe")],
)
def test_a_generalised_country_is_its_region(code: str, region: str) -> None:
    """Regions are those of the United Nations (M49)."""
    assert generalise_country(code) == region


@pytest.mark.parametrize(
    ("raw", "code"),
    [("en", "en"), ("ENG", "en"), ("pt-BR", "pt"), ("zh_Hant_TW", "zh"), ("rum", "ro"), ("iw", "he"), ("rom", "rom")],
)
def test_languages_take_the_shortest_code(raw: str, code: str) -> None:
    """Two letters where ISO 639-1 has them, three where it has not."""
    assert clean_language(raw) == code


def test_an_unknown_language_is_refused() -> None:
    """Letters alone make no language."""
    with pytest.raises(InvalidValue):
        clean_language("qq")
