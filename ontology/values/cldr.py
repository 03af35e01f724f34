"""What Unicode CLDR knows of countries and languages, through Babel."""

from functools import cache

from babel import Locale
from babel.core import get_global

NAME_LOCALES = (
    "en", "fr", "es", "pt", "de", "it", "nl", "ro", "pl", "hu", "bg", "ru", "uk", "sq", "sr", "sr_Latn", "tr", "ar", "fa", "vi", "th", "zh",
)  # fmt: skip


def get_territory_name(code: str) -> str | None:
    """Return the English name of a country (upper-case code) or region (three digits)."""
    return Locale("en").territories.get(code)


def list_territory_names(locale: str) -> list[tuple[str, str]]:
    """Return (name, upper-case code) of every territory in one language, in order of code."""
    return sorted((name, code) for code, name in Locale.parse(locale).territories.items())


@cache
def load_territory_aliases() -> dict[str, tuple[str, ...]]:
    """Return today's codes for each three-letter or withdrawn country code, upper-case."""
    return {code: tuple(now) for code, now in get_global("territory_aliases").items() if code.isalpha()}


@cache
def load_languages() -> dict[str, str]:
    """Return the shortest code for every known language code and English name, lower-case."""
    english = {str(code): name for code, name in Locale("en").languages.items()}
    codes = {code: code for code in english if code.isascii() and code.isalpha()}
    aliases = {old: new.split("_")[0] for old, new in get_global("language_aliases").items() if old.isalpha()}
    found = codes | {old: aliases.get(new, new) for old, new in aliases.items()}
    names = {name.lower(): found[code] for code, name in english.items() if code in codes}
    return names | found
