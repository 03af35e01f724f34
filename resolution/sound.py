"""How a word sounds, roughly enough that its romanisations agree.

One name reaches us as Oleksandr, Aleksandr or Alexander, as Mahmoud or mhmwd:
vowels and the spelling of hissing sounds depend on who transliterated. What is
left is a skeleton of consonants. The rules follow the common schemes for
Cyrillic and Arabic and the spelling of European languages; they favour recall.
"""

import re
from functools import lru_cache

_SHARED = {
    "shch": "s", "tsch": "s", "sch": "s", "tch": "s", "dzh": "s", "dz": "s", "dj": "s", "zh": "s", "sh": "s",
    "sz": "s", "cz": "s", "z": "s", "ce": "s", "ci": "s", "cy": "s", "ic$": "s",
    "kh": "k", "gh": "k", "ck": "k", "c": "k", "q": "k", "g": "k", "h": "k", "h$": "", "x": "ks",
    "ph": "f", "v": "f", "th": "t", "d$": "t", "dh": "d", "bh": "b", "rh": "r",
    "a": "", "e": "", "i": "", "o": "", "u": "", "y": "",
    # Between consonants, w is the long vowel of a script that writes no short ones.
    "^w": "f", "(?<=[aeiou])w": "f", "w(?=[aeiouy])": "f", "w": "",
}  # fmt: skip
# Where languages disagree, a word gets two skeletons: the first reads j and ch
# as German, Polish and Czech do, the second as French, Romanian and English do.
_READINGS = (
    {"j": "", "ch": "k", "ts": "s", "tz": "s", "ge": "k", "gi": "k"},
    {"j": "s", "ch": "s", "ts": "t", "tz": "t", "ge": "s", "gi": "s"},
)


@lru_cache(maxsize=1 << 17)
def make_sounds(word: str) -> tuple[str, ...]:
    """Return the one or two skeletons of a folded word; the word itself when it has no consonant."""
    skeletons = (_read(word, pattern, codes) for pattern, codes in _SPELLINGS)
    return tuple(dict.fromkeys(skeleton or word for skeleton in skeletons))


def _read(word: str, pattern: re.Pattern[str], codes: tuple[str | None, ...]) -> str:
    skeleton, before = "", ""
    for match in pattern.finditer(word):
        code = codes[(match.lastindex or 0) - 1]
        code = match[0] if code is None else code
        # A doubled consonant sounds like one.
        if code != before:
            skeleton += code
        before = code
    return skeleton


def _compile(reading: dict[str, str]) -> tuple[re.Pattern[str], tuple[str | None, ...]]:
    rules = _SHARED | reading
    spellings = sorted(rules, key=lambda s: (-len(s), s))
    pattern = "|".join(f"({spelling})" for spelling in [*spellings, "."])
    return re.compile(pattern), (*(rules[spelling] for spelling in spellings), None)


_SPELLINGS = tuple(map(_compile, _READINGS))
