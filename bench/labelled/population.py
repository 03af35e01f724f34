"""A synthetic population of people, as records of them are: drawn from a seed, in any number.

Names are made of syllables, in several languages with their own, some names of
which very many people have; a second romanisation, slips, order, initials and
years alone vary what is written; fields are missing as often as not; families
share a name and a house, and one phone advertises several people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bench.labelled.tables import LABEL, NOW
from ontology.record import Record

_LANGUAGES = 12
_GIVEN, _FAMILY = 400, 3_000
_TOWNS = 800
# How often a field is said at all.
_SAID = {"birthDate": 0.75, "nationality": 0.7, "gender": 0.8, "phone": 0.4, "email": 0.35, "address": 0.55}
_RECORDS = (1, 1, 1, 1, 2, 2, 3)
_SIBLINGS = (1, 1, 1, 2, 3)
_SLIP, _ORDER, _INITIAL, _YEAR_ONLY, _OTHER_SPELLING = 0.12, 0.2, 0.06, 0.15, 0.3
_SPELLINGS = (("sh", "sch"), ("k", "c"), ("y", "i"), ("kh", "h"), ("ts", "c"), ("f", "ph"), ("u", "ou"), ("v", "w"))


@dataclass(frozen=True, slots=True)
class _Person:
    given: str
    family: str
    born: str
    values: dict[str, str]


def iter_population(count: int, seed: int = 1) -> Iterator[tuple[Record, int]]:
    """Yield so many records, each with the number of whom it is about."""
    random = Random(seed)
    languages = [_Language(random) for _ in range(_LANGUAGES)]
    made, number = 0, 0
    while True:
        language = random.choice(languages)
        family, street = _draw(random, language.family), f"{_draw(random, language.towns)} {random.randint(1, 200)}"
        phone = f"+{random.randint(10**10, 10**11 - 1)}"
        for _ in range(random.choice(_SIBLINGS)):
            number += 1
            person = _draw_person(random, language, family, street, phone)
            for _ in range(random.choice(_RECORDS)):
                if made == count:
                    return
                yield _make_record(random, made, person), number
                made += 1


class _Language:
    """Names and towns of one language, the first of each the most frequent."""

    def __init__(self, random: Random) -> None:
        consonants = random.sample(
            ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "kh", "ts", "y"], 12
        )
        vowels = random.sample(["a", "e", "i", "o", "u", "ia", "ei"], 4)
        syllables = [c + v for c in consonants for v in vowels]

        def make(number: int, least: int, most: int) -> list[str]:
            return [
                "".join(random.choices(syllables, k=random.randint(least, most))).capitalize() for _ in range(number)
            ]

        self.given, self.family, self.towns = (
            make(_GIVEN, 2, 3),
            make(_FAMILY, 2, 4),
            make(_TOWNS // _LANGUAGES, 2, 4),
        )
        self.country = random.choice(["ro", "bg", "ua", "md", "ng", "vn", "br", "th", "ph", "co", "hu", "pl"])


def _draw(random: Random, names: Sequence[str]) -> str:
    """Draw the first names most often, as 1 / rank about."""
    return names[int(len(names) ** random.random()) - 1]


def _draw_person(random: Random, language: _Language, family: str, street: str, phone: str) -> _Person:
    given = _draw(random, language.given)
    born = f"{random.randint(1950, 2008)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    own = f"+{random.randint(10**10, 10**11 - 1)}" if random.random() < 0.8 else phone
    values = {
        "nationality": language.country,
        "gender": random.choice(("female", "male")),
        "phone": own,
        "email": f"{given}.{family}{random.randint(1, 999)}@example.org".lower(),
        "address": street,
    }
    return _Person(given, family, born, values)


def _make_record(random: Random, place: int, person: _Person) -> Record:
    given, family = (_misspell(random, name) for name in (person.given, person.family))
    if random.random() < _INITIAL:
        given = f"{given[0]}."
    name = f"{family}, {given}" if random.random() < _ORDER else f"{given} {family}"
    said = {"name": (name,)}
    said |= {field: (value,) for field, value in person.values.items() if random.random() < _SAID[field]}
    if random.random() < _SAID["birthDate"]:
        born = person.born[:4] if random.random() < _YEAR_ONLY else person.born
        said["birthDate"] = (
            f"{born[:-1]}{random.randint(1, 8)}" if len(born) > 4 and random.random() < _SLIP else born,
        )
    return Record("Person", "population", str(place), LABEL, "0" * 64, place, said, NOW)


def _misspell(random: Random, name: str) -> str:
    if random.random() < _OTHER_SPELLING:
        first, second = random.choice(_SPELLINGS)
        name = name.lower().replace(first, second).capitalize()
    if random.random() < _SLIP and len(name) > 3:
        place = random.randrange(1, len(name) - 1)
        slip = random.choice((name[place + 1] + name[place], name[place], name[place : place + 2] + "a"))
        name = name[:place] + slip + name[place + 2 :]
    return name
