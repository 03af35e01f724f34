"""Parts of blocking keys: what of a record's columns two records must have in common."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

from resolution.column import WHOLE
from resolution.sound import make_sounds

# Of long names (patronymics, titles, whole sentences) the longest words identify best.
_MOST_WORDS = 3
_SHORTEST_MARK = 4


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a key: the column that it is made of, and how."""

    column: str
    make: Callable[[Sequence[Any]], Iterable[str]]


def make_word_sounds(names: Iterable[Sequence[str]]) -> set[str]:
    """Return how each of the longest words of each name sounds."""
    return {sound for words in names for word in _longest(tuple(words)) for sound in make_sounds(word)}


def make_pair_sounds(names: Iterable[Sequence[str]]) -> set[str]:
    """Return how each two of the longest words of each name sound, order aside."""
    return {pair for words in names for pair in _pairs(tuple(words))}


def make_first_sounds(names: Iterable[Sequence[str]]) -> set[str]:
    """Return the first consonant of each of the longest words of each name."""
    return {sound[0] for sound in make_word_sounds(names)}


def make_acronyms(names: Iterable[Sequence[str]]) -> set[str]:
    """Return the first letters of names of several words, and words that may be such letters, in alphabetical order."""
    names = list(names)
    initials = {"".join(sorted(word[0] for word in words)) for words in names if len(words) > 2}
    return initials | {
        "".join(sorted(word)) for words in names for word in words if word.isalpha() and 2 < len(word) < 7
    }


def make_marks(texts: Iterable[str]) -> set[str]:
    """Return, of each text, each of its first numbers with the sound of each of its longest words."""
    marks = set()
    for text in texts:
        words = text.split()
        numbers = [word for word in words if word.isdigit()][:_MOST_WORDS]
        longest = _longest(tuple(word for word in words if word.isalpha() and len(word) >= _SHORTEST_MARK))
        marks |= {f"{number} {sound}" for number in numbers for word in longest for sound in make_sounds(word)}
    return marks


PARTS: dict[str, Part] = {
    "marks": Part("numbered", make_marks),
    "acronyms": Part("parts", make_acronyms),
    WHOLE: Part(WHOLE, set),
    "full": Part("full", set),
    "words": Part("parts", make_word_sounds),
    "pairs": Part("parts", make_pair_sounds),
    "initials": Part("parts", make_first_sounds),
    "years": Part("years", set),
    "months": Part("months", set),
    "days": Part("days", set),
    "birthdays": Part("birthdays", set),
    "mailboxes": Part("mailboxes", set),
    "numbered": Part("numbered", set),
    "folded": Part("folded", set),
}


@lru_cache(maxsize=1 << 16)
def _longest(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(words, key=lambda word: (-len(word), word))[:_MOST_WORDS])


@lru_cache(maxsize=1 << 16)
def _pairs(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        " ".join(sorted((make_sounds(first)[reading], make_sounds(second)[reading])))
        for first, second in combinations(_longest(words), 2)
        for reading in (0, -1)
    )
