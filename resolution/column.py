"""Columns: what a comparison looks at, read from one record.

Each column is a list of texts (`parts`: of lists of words; `numbers`: of
integers). All are functions of the record's cleaned values alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Any, TypeVar

from ontology.record import Properties
from ontology.values.name import fold_name
from resolution.likeness import load_widespread
from resolution.script import prepare_name

WHOLE = "whole"

T = TypeVar("T")

# Column name -> values without repetition.
Columns = Mapping[str, list[Any]]

_YEAR, _MONTH, _DAY = len("YYYY"), len("YYYY-MM"), len("YYYY-MM-DD")
_FIRST_NAMES = ("firstName",)
_BETWEEN_NAMES = ("secondName", "middleName", "fatherName")
_LAST_NAMES = ("lastName",)
# info@ and anna@ are many people's.
_SHORTEST_MAILBOX = 6
# Words of texts that say what they are about are seldom shorter; of long texts the beginning is read.
_SHORTEST_CONTENT = 4
_MOST_CONTENT = 500


@dataclass(frozen=True, slots=True)
class Reader:
    """How the values of some properties become columns.

    `whole` holds the values as they are, for who can see only whether they are
    equal; it is empty exactly when there is nothing to compare.
    """

    columns: tuple[str, ...]
    read: Callable[[Properties, tuple[str, ...], frozenset[str]], Columns]


def read_values(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read values that are compared as they are."""
    del ignored
    return {WHOLE: _unique(value for name in names for value in properties.get(name, ()))}


def read_texts(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read texts: `folded` are their folded words in order, `numbered` those with a digit in them."""
    whole = [value for value in read_values(properties, names, ignored)[WHOLE] if _fold(value, ignored)]
    folded = _unique(" ".join(_fold(value, ignored)) for value in whole)
    numbered = [text for text in folded if any(map(str.isdigit, text))]
    return {WHOLE: whole, "folded": folded, "numbered": numbered}


def read_words(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read free texts: `folded` as of `read_texts`, and `content` their longer words, whichever text they are in."""
    whole = [value for value in read_values(properties, names, ignored)[WHOLE] if _fold(value, ignored)]
    words = [_fold(value, ignored) for value in whole]
    content = _unique(word for text in words for word in text if len(word) >= _SHORTEST_CONTENT)
    return {WHOLE: whole, "folded": _unique(map(" ".join, words)), "content": content[:_MOST_CONTENT]}


def read_emails(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read e-mail addresses: `mailboxes` are the longer names before the @, whatever the provider."""
    whole = read_values(properties, names, ignored)[WHOLE]
    boxes = (value.rpartition("@")[0] for value in whole)
    return {WHOLE: whole, "mailboxes": _unique(box for box in boxes if len(box) >= _SHORTEST_MAILBOX)}


def read_dates(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read dates: those known to the `days`, the same with day and month `swapped`, and their parts.

    `numbers` count days since the year 1; `only_months` and `only_years` are
    dates that say no more than that. The first of January says only the year:
    so do offices write that they know no more.
    """
    whole = read_values(properties, names, ignored)[WHOLE]
    known = _unique(value[:_YEAR] if value[_YEAR:_DAY] == "-01-01" else value[:_DAY] for value in whole)
    days = [value for value in known if len(value) == _DAY]
    return {
        WHOLE: whole,
        "days": days,
        "swapped": [f"{day[:_YEAR]}-{day[-2:]}-{day[_YEAR + 1 : _MONTH]}" for day in days],
        "numbers": [date.fromisoformat(day).toordinal() for day in days],
        "birthdays": _unique(day[_YEAR + 1 :] for day in days),
        "months": _unique(value[:_MONTH] for value in known if len(value) >= _MONTH),
        "years": _unique(value[:_YEAR] for value in known),
        "only_months": [value for value in known if len(value) == _MONTH],
        "only_years": [value for value in known if len(value) == _YEAR],
    }


def read_names(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read names of people, whose words may stand in any order.

    `parts` are the sorted words of each name, `words` those of all, `full` the names
    of two words or more, `rare` those of them with a word that few people have, and
    `lone` the words that are a name alone; `several` and `single` are the names of
    several words and of one, as they are.
    """

    def read(chosen: tuple[str, ...]) -> list[str]:
        return [value for name in names if name in chosen for value in properties.get(name, ())]

    given, between, family = read(_FIRST_NAMES), read(_BETWEEN_NAMES), read(_LAST_NAMES)
    # What stands between is of one of several names, or of none: all of it together with each.
    first_names = ["\n".join((first, *between)) for first in given]
    joined = ["\n".join(both) for both in product(first_names, family)] or first_names + family
    written = read(tuple(set(names) - {*_FIRST_NAMES, *_BETWEEN_NAMES, *_LAST_NAMES}))
    return _name_columns([*written, *joined], ignored, shortest=2)


def read_titles(properties: Properties, names: tuple[str, ...], ignored: frozenset[str]) -> Columns:
    """Read names of organisations, of which one word may be all; columns as of `read_names`."""
    return _name_columns([v for name in names for v in properties.get(name, ())], ignored, shortest=1)


_NAME_COLUMNS = (WHOLE, "parts", "words", "lone", "full", "rare", "several", "single")

READERS: dict[str, Reader] = {
    "values": Reader((WHOLE,), read_values),
    "texts": Reader((WHOLE, "folded", "numbered"), read_texts),
    "words": Reader((WHOLE, "folded", "content"), read_words),
    "emails": Reader((WHOLE, "mailboxes"), read_emails),
    "dates": Reader(
        (WHOLE, "days", "swapped", "numbers", "birthdays", "months", "years", "only_months", "only_years"), read_dates
    ),
    "names": Reader(_NAME_COLUMNS, read_names),
    "titles": Reader(_NAME_COLUMNS, read_titles),
}


def _name_columns(values: Iterable[str], ignored: frozenset[str], *, shortest: int) -> Columns:
    whole = _unique(value for value in values if _fold(value, ignored))
    parts = _unique(tuple(sorted(set(_fold(value, ignored)))) for value in whole)
    full = [words for words in parts if len(words) >= shortest]
    return {
        WHOLE: whole,
        "parts": [list(words) for words in parts],
        "words": _unique(word for words in parts for word in words),
        "lone": [words[0] for words in parts if len(words) == 1],
        "full": [" ".join(words) for words in full],
        "several": [value for value in whole if len(_fold(value, ignored)) > 1],
        "single": [value for value in whole if len(_fold(value, ignored)) == 1],
        "rare": [" ".join(words) for words in full if not load_widespread().issuperset(words)],
    }


@lru_cache(maxsize=1 << 16)
def _fold(value: str, ignored: frozenset[str]) -> tuple[str, ...]:
    words: list[str] = []
    initials = ""
    for word in [*fold_name(prepare_name(value)).split(), ""]:
        # S.R.L. folds to three letters, which are one word.
        if len(word) == 1 and ignored:
            initials += word
            continue
        words += [w for w in (initials, word) if w]
        initials = ""
    return tuple(w for w in words if w not in ignored) or tuple(words)


def _unique(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
