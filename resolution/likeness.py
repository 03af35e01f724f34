"""How alike two names are: words aligned in any order, whoever spelt, shortened, transliterated or glued them.

The words of both names are matched one to one, the most alike first. What is
left over on one side alone (a patronymic, a second given name) costs little;
what is left over on both (Boris for Benjamin) costs more than a matched word is
worth. Titles, particles and the words that every firm bears weigh little, legal
forms count only against each other, and numbers must agree.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz.distance import OSA, Indel

from ontology.values.name import romanise
from resolution.script import prepare_name
from resolution.sound import make_sounds

PERSON, FIRM, PLACE = "person", "firm", "place"

_WORDS_FILE = Path(__file__).parent / "words.yaml"
# The most names of a record that are looked at: each is compared with each.
_MOST_NAMES = 12
_MOST_WORDS = 16

_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
# Capitals without a vowel between them, or two of any kind.
_INITIALS = re.compile("(?<![A-Za-z'])(?:[A-Z]{2}|[B-DF-HJ-NP-TV-Z]{3})(?![A-Za-z'])")
_POINTS = re.compile(r"\b((?:\w\.\s?){2,})(?!\w)")
_JOINING = re.compile("['`’]")
_WORD = re.compile("[a-z0-9&]+")
_LOOKALIKE = str.maketrans("013457", "oieast")
# Letters past those of Latin.
_FOREIGN = re.compile("[\u0370-\u1dff\u2c00-\ua6ff\ua800-\ud7ff]")

# Weights of words beside a telling one.
_INITIAL, _SMALL, _COMMON = 0.35, 0.1, 0.35
# What words cost that are left over on one side, and on both.
_ALONE, _AGAINST = 0.22, 1.5
_LEAST_ALIKE = 0.6
_OTHER_FORM, _OTHER_YEARS = 0.75, 0.4
# A person's only word is many people's.
_ONE_WORD, _LONE_WORDS = 0.55, 0.49
_OTHER_NUMBER = 1.2


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: its words in order with their weights, legal forms or years, numbers, and the telling words.

    `starts` are the first sounds and letters of its words; `is_latin` unless it was romanised.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]
    starts: frozenset[str]
    forms: frozenset[str]
    numbers: frozenset[str]
    joined: str
    is_latin: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What some words are in names of one kind: their weights, and what they are written for."""

    small: frozenset[str]
    common: frozenset[str]
    forms: Mapping[str, str]
    phrases: tuple[tuple[str, str], ...]
    same: Mapping[str, str]
    written: Mapping[str, str]


def find_likeness(left: Sequence[str], right: Sequence[str], kind: str) -> float:
    """Return how alike the most alike of two records' names are, from 0.0 to 1.0; `kind` is PERSON, FIRM or PLACE.

    Symmetric, and a function of the names alone.
    """
    return _find(tuple(left[:_MOST_NAMES]), tuple(right[:_MOST_NAMES]), kind)


@lru_cache(maxsize=1 << 12)
def _find(left: tuple[str, ...], right: tuple[str, ...], kind: str) -> float:
    # Asked again and again for one pair, with each bound.
    return max((compare_names(x, y, kind) for x in left for y in right), default=0.0)


def compare_names(left: str, right: str, kind: str) -> float:
    """Return how alike two names are, from 0.0 to 1.0."""
    return _compare(*sorted((left, right)), kind)


@lru_cache(maxsize=1 << 16)
def _compare(left: str, right: str, kind: str) -> float:
    one, other = parse_name(left, kind), parse_name(right, kind)
    # Nothing alike begins alike in no word: most names of two people are told apart by this alone.
    if one.starts.isdisjoint(other.starts):
        return 0.0
    # Another number is another house.
    if kind == PLACE and one.numbers and other.numbers and one.numbers.isdisjoint(other.numbers):
        return 0.0
    if sorted(one.words) == sorted(other.words):
        alike = 1.0
    else:
        alike = max(_align(one, other), _compare_joined(one, other), _compare_short(one, other, kind))
    telling = sorted((_count_telling(one), _count_telling(other)))
    if kind == PERSON and telling[0] < 2:
        alike *= _ONE_WORD if telling[1] > 1 else _LONE_WORDS
    if one.forms and other.forms and one.forms.isdisjoint(other.forms):
        alike *= _OTHER_YEARS if kind == PERSON else _OTHER_FORM
    return alike


@lru_cache(maxsize=1 << 17)
def parse_name(name: str, kind: str) -> Name:
    """Take a name apart; words are lower-case ASCII letters and digits."""
    vocabulary = load_vocabulary(kind)
    text = _GLUED.sub(" ", romanise(prepare_name(_replace_written(name, kind))))
    text = (
        _part_initials(text)
        if kind == PERSON
        else _POINTS.sub(lambda found: re.sub(r"[.\s]", "", found[1]) + " ", text)
    )
    text = " ".join(_WORD.findall(_JOINING.sub("", text.lower())))
    text = _replace_phrases(text, vocabulary)
    words = [vocabulary.same.get(word, word) for word in _WORD.findall(text)][:_MOST_WORDS]
    forms = frozenset(vocabulary.forms[word] for word in words if word in vocabulary.forms)
    told = [word for word in words if word not in vocabulary.forms] or words
    if kind == PERSON:
        # Libraries write the years of a life beside a name.
        forms = frozenset(word for word in words if len(word) == 4 and word.isdigit())
        told = [word.translate(_LOOKALIKE) for word in told if re.search("[a-z]", word)] or told
    told = list(dict.fromkeys(told))
    numbers = frozenset(word for word in told if word.isdigit())
    weights = tuple(_weigh(word, vocabulary) for word in told)
    telling = "".join(word for word, weight in zip(told, weights, strict=True) if weight > _SMALL)
    starts = frozenset(
        part[0].translate(_BONES)
        for word in told
        for part in (word, *read_word(word).sounds, *read_word(word).bones)
        if part
    )
    return Name(tuple(told), weights, starts, forms, numbers, telling, is_latin=not _FOREIGN.search(name))


@cache
def load_vocabulary(kind: str) -> Vocabulary:
    """Return what is known of words in names of a kind."""
    data = _read_words()[kind]
    forms = {word: form for form, words in data["forms"].items() for word in words}
    phrases = ((phrase, form) for form, phrases in data["phrases"].items() for phrase in phrases)
    same = {word: meant for meant, words in data["same"].items() for word in words}
    longest_first = tuple(sorted(phrases, key=lambda pair: -len(pair[0])))
    written = dict(sorted(data["written"].items(), key=lambda item: -len(item[0])))
    return Vocabulary(frozenset(data["small"]), frozenset(data["common"]), forms, longest_first, same, written)


@cache
def load_widespread() -> frozenset[str]:
    """Return words that very many people have in their names, folded."""
    return frozenset(_read_words()[PERSON]["widespread"])


@cache
def _read_words() -> Any:
    return yaml.safe_load(_WORDS_FILE.read_text(encoding="utf-8"))


def compare_words(left: str, right: str, *, crossed: bool = False) -> float:
    """Return how alike two words are, from 0.0 to 1.0: equal, spelt or transliterated otherwise, or mistyped.

    `crossed` says that they come from two scripts, so that one of them at least was transliterated by ear.
    """
    if left == right:
        return 1.0
    return _compare_unlike(left, right, crossed) if left < right else _compare_unlike(right, left, crossed)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared: written in the one way, its sounds and consonants, and whether it has hardly a vowel."""

    simple: str
    sounds: frozenset[str]
    bones: frozenset[str]
    is_bare: bool


@lru_cache(maxsize=1 << 18)
def read_word(word: str) -> Word:
    """Return what a word is compared by."""
    # As when it comes from a script that writes few.
    is_bare = len(word.translate(_NO_VOWELS)) >= len(word) - (len(word) - 1) // 5
    said = [word]
    if is_bare:
        # There w is a long vowel, and j may be said as g.
        said = [_LONG.sub("", word), _LONG.sub("", word.replace("j", "g"))]
    bones = frozenset(sound.translate(_BONES) for spelt in said for sound in make_sounds(spelt))
    return Word(_simplify(word), frozenset(make_sounds(word)), bones, is_bare)


@lru_cache(maxsize=1 << 18)
def _compare_unlike(left: str, right: str, crossed: bool) -> float:
    one, other = read_word(left), read_word(right)
    if one.simple == other.simple:
        return 0.97
    longest = max(len(one.simple), len(other.simple))
    edits = min(OSA.distance(x, y, score_cutoff=_MOST_EDITS) for x, y in ((left, right), (one.simple, other.simple)))
    typed = 0.0
    if edits <= _MOST_EDITS:
        typed = next((alike for least, most, alike in _TYPED if longest >= least and edits <= most), 0.0)
    if crossed or one.is_bare or other.is_bare:
        heard = _compare_bones(one, other)
    else:
        heard = 0.7 if _is_said_alike(one, other) and Indel.normalized_similarity(left, right) > 0.6 else 0.0
    return max(typed, heard, _compare_start(left, right))


# From so many letters on, so many edits leave words so much alike.
_TYPED = ((9, 1, 0.93), (7, 1, 0.91), (5, 1, 0.88), (9, 2, 0.82), (4, 1, 0.72), (12, 3, 0.72), (7, 2, 0.66))
_MOST_EDITS = 3


def _is_said_alike(one: Word, other: Word) -> bool:
    return any(len(sound) > 3 for sound in one.sounds & other.sounds)


def _compare_bones(one: Word, other: Word) -> float:
    """Compare consonants alone: words of scripts that write no vowels have no more, and those of two scripts little."""
    if any(len(sound) > 2 for sound in one.sounds & other.sounds):
        return 0.92
    longest = max(map(len, one.bones | other.bones))
    if not one.bones.isdisjoint(other.bones):
        return 0.9 if longest > 2 else 0.8
    edits = min(OSA.distance(x, y, score_cutoff=1) for x in one.bones for y in other.bones)
    return 0.8 if edits == 1 and longest > 3 else 0.0


_NO_VOWELS = dict.fromkeys(map(ord, "aeiou"))
# Arabic has no p and no v, Hebrew one letter each for b and v, p and f.
_BONES = str.maketrans("pfvd", "bbbt")
_LONG = re.compile("w(?![aeiou])")


def _compare_start(left: str, right: str) -> float:
    """A short form is the beginning of the name; an initial is of any name that begins so."""
    short, long = sorted((left, right), key=len)
    if not long.startswith(short):
        return 0.0
    return 0.8 if len(short) > 2 else 0.75 if len(short) == 1 else 0.0


def _align(one: Name, other: Name) -> float:
    """Match words, the most alike first, and weigh what was matched against what was not."""
    left, right = _match_glued(one, other)
    crossed = one.is_latin != other.is_latin
    found = sorted(
        ((alike, i, j) for i, x in enumerate(left) for j, y in enumerate(right) if (alike := _alike(x, y, crossed))),
        key=lambda match: (-match[0], match[1], match[2]),
    )
    matched = whole = 0.0
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    for alike, i, j in found:
        if i in free_left and j in free_right:
            free_left.discard(i)
            free_right.discard(j)
            # Between one edit and a sure match lies most of what tells people apart.
            weight = min(left[i][1], right[j][1])
            whole += weight
            matched += weight * (1 - 2.5 * (1 - alike))
    alone = [_left_over([left[i] for i in free_left], one), _left_over([right[j] for j in free_right], other)]
    against = min(alone)
    numbers = one.numbers ^ other.numbers
    against += _OTHER_NUMBER * (1.0 if one.numbers and other.numbers else 0.5) if numbers else 0.0
    total = whole + _AGAINST * against + _ALONE * (max(alone) - min(alone))
    return max(0.0, matched) / total if total > 0 else 0.0


def _count_telling(name: Name) -> int:
    return sum(weight > _SMALL for weight in name.weights)


def _alike(one: tuple[str, float], other: tuple[str, float], crossed: bool) -> float:
    (left, _), (right, _) = one, other
    if left.isdigit() or right.isdigit():
        return float(left == right)
    alike = compare_words(left, right, crossed=crossed)
    return alike if alike >= _LEAST_ALIKE else 0.0


def _left_over(words: Sequence[tuple[str, float]], name: Name) -> float:
    return sum(weight for word, weight in words if word not in name.numbers)


def _match_glued(one: Name, other: Name) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Return both names' words, with neighbours put together that are one word in the other name."""
    left, right = list(one.words), list(other.words)
    return _weighed(_glue(left, set(right)), one), _weighed(_glue(right, set(left)), other)


def _glue(words: list[str], known: set[str]) -> list[str]:
    long = [word for word in known if len(word) > 4]
    for size in (3, 2) if long else ():
        for start in range(len(words) - size + 1):
            together = "".join(words[start : start + size])
            if len(together) < 5 or min(map(len, words[start : start + size])) < 2:
                continue
            if any(compare_words(together, word) >= 0.9 for word in long if abs(len(together) - len(word)) < 5):
                return [*words[:start], together, *_glue(words[start + size :], known)]
    return words


def _weighed(words: Sequence[str], name: Name) -> list[tuple[str, float]]:
    known = dict(zip(name.words, name.weights, strict=True))
    return [(word, known.get(word, 1.0)) for word in words]


def _compare_joined(one: Name, other: Name) -> float:
    """Names written as one word, or divided elsewhere, are alike as a whole, but numbers must agree."""
    if min(len(one.joined), len(other.joined)) < 6 or one.numbers != other.numbers:
        return 0.0
    alike = compare_words(one.joined, other.joined)
    return 0.95 * alike if alike >= 0.9 else 0.0


def _compare_short(one: Name, other: Name, kind: str) -> float:
    """An organisation may be named by the first letters of its words."""
    if kind != FIRM:
        return 0.0
    return max(_find_acronym(one, other), _find_acronym(other, one))


def _find_acronym(short: Name, long: Name) -> float:
    letters = "".join(word[0] for word in long.words)
    is_short = len(letters) > 2 and letters in short.words
    return 0.8 if is_short and len(short.words) <= 2 else 0.0


def _replace_written(name: str, kind: str) -> str:
    """Write common words of scripts without spaces, by what they mean, in Latin letters."""
    if not _FOREIGN.search(name):
        return name
    for word, meant in load_vocabulary(kind).written.items():
        if word in name:
            name = name.replace(word, f" {meant} ")
    return name


def _part_initials(text: str) -> str:
    """Part initials that stand together as in Smith JA or J.A. Smith."""
    if any(map(str.islower, text)):
        text = _INITIALS.sub(lambda found: " ".join(found[0]), text)
    return text.replace(".", " ")


def _weigh(word: str, vocabulary: Vocabulary) -> float:
    if word in vocabulary.small:
        return _SMALL
    if len(word) == 1 and not word.isdigit():
        return _INITIAL
    if word in vocabulary.common:
        return _COMMON
    return 1.0


def _replace_phrases(text: str, vocabulary: Vocabulary) -> str:
    """Write legal forms of several words as one."""
    for phrase, form in vocabulary.phrases:
        if phrase in text:
            text = text.replace(phrase, f" {form} ")
    return text


def _simplify(word: str) -> str:
    """Return how a word would be written were there one way to transliterate it."""
    for pattern, plain in _PLAIN:
        word = pattern.sub(plain, word)
    return word


_PLAIN = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("ph", "f"), ("shch|sch|tsch", "sh"), ("tch|tsh|cz|ch", "c"), ("sz|sh", "s"), ("zh|dj|dzh", "z"),
        ("kh|gh", "h"), ("ck|q|c(?=[aou])", "k"), ("x", "ks"), ("w", "v"), ("th", "t"), ("tz|ts", "c"),
        ("iy$|ij$|yj$|ii$|yi$|ey$|ei$|y$|ie$", "i"), ("ee", "i"), ("oo|ou", "u"), ("ae", "a"), ("oe|eo", "o"), ("ue|eu", "u"), ("ya|ja", "ia"),
        ("yu|ju", "iu"), ("yo|jo|io", "e"), ("ye|je", "e"), ("y|j", "i"), ("m(?=[dtkcs])", "n"), (r"(?<=[bcdfgklmnprstvz])h", ""),
        (r"(.)\1", r"\1"), ("h$", ""),
    )
)  # fmt: skip
