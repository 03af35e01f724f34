"""Invented people and firms to resolve, and strategies that make more of them."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from ontology.record import Record
from resolution.model import load_model
from tests.factory import START, make_record

PERSON = load_model("person")
ORGANIZATION = load_model("organization")
NOW = START

Said = dict[str, list[str]]

_NAMES = [
    "Mirela Vosgan", "Vosgan Mirela", "Мирела Восган", "Mirela Ana Vosgan", "Mirella Vozgan", "Dorin Vosgan",
    "Mirela", "Salim Qadhrawi", "سليم قذراوي", "Salem Kadrawi", "Zhelyazko Tumbev", "Желязко Тумбев", "???", "M. V.",
]  # fmt: skip
_DATES = ["1991-04-07", "1991-07-04", "1991-04-17", "1991-04", "1991", "1991-01-01", "2001-04-07", "1964-11-30"]
CHOICES = {
    "name": _NAMES,
    "alias": _NAMES,
    "firstName": ["Mirela", "Dorin", "Salim"],
    "lastName": ["Vosgan", "Tumbev"],
    "birthDate": _DATES,
    "passportNumber": ["X1234567", "X1234568", "Y99"],
    "email": ["mirela.v@example.org", "mirela.v@example.net", "mirelav@example.org", "a@example.org"],
    "phone": ["+40700000001", "+40700000002"],
    "nationality": ["ro", "bg"],
    "gender": ["female", "male"],
    "birthPlace": ["Strugeni", "Strugani", "Varbitsa Nova"],
    "profession": ["seamstress", "seamstress and cook", "driver"],
    "notes": ["sings in the choir of Strugeni", "choir of Strugeni", "drives a white van to Varna", "?"],
    "keywords": ["choir", "white van", "Varna harbour"],
    "website": ["https://vosgan.example/", "https://tumbev.example/"],
    "deathDate": ["2020-02-03", "2020", "2021-05-06"],
    "address": ["Strada Lunga 4, Strugeni", "Str. Lunga 4 Strugeni", "Strugeni"],
}

properties = st.fixed_dictionaries(
    {},
    optional={name: st.lists(st.sampled_from(values), max_size=2, unique=True) for name, values in CHOICES.items()},
)


def make_people(said: Sequence[Said]) -> list[Record]:
    """Return one record for each, of as many people as far as the source knows."""
    return [make_record(key=str(place), properties=one) for place, one in enumerate(said)]


populations = st.lists(properties, min_size=2, max_size=8).map(make_people)


def draw_people(count: int, *, seed: int) -> list[Record]:
    """Return as many people with values at random."""
    random = Random(seed)
    said = [
        {name: random.sample(values, random.choice((0, 0, 1, 2))) for name, values in CHOICES.items()}
        for _ in range(count)
    ]
    return make_people(said)
