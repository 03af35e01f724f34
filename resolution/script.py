"""Scripts that write few vowels, made ready for transliteration.

A letter of Hebrew or Arabic stands for a consonant or a long vowel, and general
transliteration must choose one. Names are compared by what both readings have
in common, so here a letter that may be a vowel becomes one that `sound` reads
as either, and the Arabic article stands apart, as it does in Latin.
"""

import re

_HEBREW = str.maketrans(
    {
        "ו": "w", "ש": "sh", "ח": "kh", "צ": "ts", "ץ": "ts", "א": "a", "ע": "a", "ק": "k", "כ": "kh", "ך": "kh",
    }
)  # fmt: skip
_MARKED = {"ג'": "j", "ז'": "zh", "צ'": "ch", "ץ'": "ch", "ג׳": "j", "ז׳": "zh", "צ׳": "ch", "ץ׳": "ch"}
_MARKS = re.compile("|".join(_MARKED))
_IS_HEBREW = re.compile("[\u0590-\u05ff]")
_ARTICLE = re.compile("(?<![\u0600-\u06ff])\u0627\u0644(?=[\u0600-\u06ff]{3})")
_ALEF = re.compile("(?<![\u0600-\u06ff])[\u0623\u0627\u0622\u0625]")


def prepare_name(value: str) -> str:
    """Return the name with the letters of such scripts written for what they may sound like."""
    if value.isascii():
        return value
    if _IS_HEBREW.search(value):
        value = _MARKS.sub(lambda found: _MARKED[found[0]], value).translate(_HEBREW)
    return _ALEF.sub("a", _ARTICLE.sub("al ", value))
