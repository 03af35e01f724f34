"""Finding: which entities meet typed filters, in which order, and which value a text was found in.

A filter looks at the values that its observer has in clear: one that is masked,
generalised or a pseudonym meets nothing, as if it were not there. An entity
meets several filters when each of them is met by a current record of it of the
schema asked for, one by this record and another by that: to its observer the
entity is one thing, whoever says what of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from rapidfuzz import fuzz

from graph.entities import Clusters
from graph.shown import Entity, Hit
from graph.treat import Treater
from graph.window import DAY, to_span
from ontology.key import concrete_schemata
from ontology.record import Record
from ontology.schema import Ontology, Property, Schema
from ontology.values.name import fold_name

# Shorter words would be found inside wallet addresses and hashes.
LONG = 5
# The types of values that have an order beside that of letters.
DATES = frozenset({"date"})
NUMBERS = frozenset({"number", "latitude", "longitude"})

Span = tuple[Any, Any]  # first and last, both included: numbers, or microseconds of a date
Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Equals:
    """A property has this very value, written as its type is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A property has one of these values; none of no values."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A property has a value that begins with a text, both folded to lower-case Latin letters and digits."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """A number or date lies between two others, both included; None leaves a side open.

    A date that is a year or a month lies there when a moment of it does.
    """

    name: str
    least: str | None = None
    most: str | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A date lies within so many days of another, counted from the nearest moments that the two can mean."""

    name: str
    date: str
    days: int


Filter = Equals | OneOf | Prefix | Range | Near


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of entities by their least value of a property or, descending, their greatest one."""

    name: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Filters and an order as compiled for a schema; `names` are the concrete schemata that it takes.

    `words` are some that the folded text of every record that meets the filter
    `anchor` holds, for engines to look for; none where no filter names any.
    """

    names: frozenset[str]
    tests: tuple[tuple[str, Test], ...]
    anchor: int
    words: tuple[str, ...]
    sort: Sort | None
    rank: Callable[[str], Any]

    @classmethod
    def of(cls, ontology: Ontology, schema: str, filters: Sequence[Filter], sort: Sort | None) -> "Question":
        """Compile filters and a sort.

        Raises InvalidValue for a value that its property cannot have, ValueError
        for a property that the schema does not have and for a filter that does not
        go with its type.
        """
        names = concrete_schemata(ontology, [schema])
        made = [(one.name, _make_test(_property_of(ontology[schema], one.name), one)) for one in filters]
        words = [_words_of(ontology[schema], one) for one in filters]
        anchor = next((place for place, found in enumerate(words) if found), 0)
        return cls(
            names=names,
            tests=tuple(made),
            anchor=anchor,
            words=words[anchor] if words else (),
            sort=sort,
            rank=_make_rank(_property_of(ontology[schema], sort.name)) if sort else str,
        )

    def is_met(self, place: int, values: Mapping[str, Sequence[str]]) -> bool:
        """Whether clear values meet the filter at a place."""
        name, test = self.tests[place]
        return any(map(test, values.get(name, ())))

    def is_anchored(self, values: Mapping[str, Sequence[str]]) -> bool:
        """Whether clear values meet the one filter by which records are looked for; all do where there is none."""
        return not self.tests or self.is_met(self.anchor, values)


@dataclass(slots=True)
class _Found:
    """What the records of one entity have in clear, as far as a question asks."""

    caption: str
    met: set[int] = field(default_factory=set)
    ranks: list[Any] = field(default_factory=list)


def choose_things(asked: Question, clusters: Clusters, records: Iterable[Record], treater: Treater) -> list[str]:
    """Return the entities that meet a question, each by its earliest thing, in its order.

    Takes current records of entities. Those without a clear value to sort by
    come last, ties by the least caption of a record, then by rank.
    """
    found: dict[int, _Found] = {}
    for record in records:
        if record.schema in asked.names:
            _add(found, clusters.of[record.thing], record, asked, treater)
    whole = set(range(len(asked.tests)))
    met = {clusters.members[index][0]: entity for index, entity in found.items() if entity.met == whole}
    ordered = sorted(met, key=lambda thing: (met[thing].caption, treater.rank(thing)))
    if asked.sort is None:
        return ordered
    choose = max if asked.sort.is_descending else min
    ranked = [thing for thing in ordered if met[thing].ranks]
    ranked.sort(key=lambda thing: choose(met[thing].ranks), reverse=asked.sort.is_descending)
    return ranked + [thing for thing in ordered if not met[thing].ranks]


def _add(found: dict[int, _Found], index: int, record: Record, asked: Question, treater: Treater) -> None:
    caption = treater.show_caption(record)
    entity = found.setdefault(index, _Found(caption))
    entity.caption = min(entity.caption, caption)
    values = treater.clear_values(record)
    entity.met.update(place for place in range(len(asked.tests)) if asked.is_met(place, values))
    if asked.sort:
        ranks = map(asked.rank, values.get(asked.sort.name, ()))
        entity.ranks += [rank for rank in ranks if rank is not None]


def is_in(word: str, tokens: Sequence[str]) -> bool:
    """Whether a token begins with a word, or holds it where the word is long enough not to be there by chance."""
    return any(token.startswith(word) or (len(word) >= LONG and word in token) for token in tokens)


def find_hit(
    entity: Entity,
    current: Mapping[str, Sequence[Record]],
    names: Collection[str] | None,
    words: Sequence[str],
    treater: Treater,
    score: Callable[[Record, Sequence[str]], float | None],
) -> Hit | None:
    """Return the best match of some words among an entity's records of some schemata (None: all), None for none.

    `current` holds the records behind what is shown, in the same order.
    """
    said = [said for shown in entity.records for said in zip(shown.facets, current[shown.thing], strict=True)]
    scored = (
        (-found, treater.show_caption(record), place)
        for place, (_, record) in enumerate(said)
        if (names is None or record.schema in names) and (found := score(record, words)) is not None
    )
    best = min(scored, default=None)
    if best is None:
        return None
    facet, record = said[best[2]]
    name, value = _find_value(treater.clear_values(record), words)
    return Hit(entity, name, value, -best[0], facet.provenance)


def _find_value(values: Mapping[str, Sequence[str]], words: Sequence[str]) -> tuple[str, str]:
    """Return the property and the value that hold most of some words; of equals the most alike, by name, then value.

    At least one of the values holds one of the words.
    """
    query = " ".join(words)
    folded = ((name, value, fold_name(value)) for name, found in values.items() for value in found)
    ranked = ((-_count(words, text), -fuzz.WRatio(query, text), name, value) for name, value, text in folded)
    *_, name, value = min(ranked)
    return name, value


def _count(words: Sequence[str], text: str) -> int:
    tokens = text.split()
    return sum(is_in(word, tokens) for word in words)


def _property_of(schema: Schema, name: str) -> Property:
    if name not in schema.properties:
        raise ValueError(f"expected a property of {schema.name}, found another name")
    return schema.properties[name]


def _words_of(schema: Schema, asked: Filter) -> tuple[str, ...]:
    """Return words that the folded text of a record holds when a value of it meets a filter."""
    match asked:
        case Equals(name, value) | OneOf(name, (value,)):
            return tuple(fold_name(_property_of(schema, name).type.clean(value)).split())
        case Prefix(_, text):
            return tuple(fold_name(text).split())
    return ()


def _make_test(prop: Property, asked: Filter) -> Test:
    match asked:
        case Equals(_, value):
            return _make_test(prop, OneOf(prop.name, (value,)))
        case OneOf(_, values):
            return frozenset(map(prop.type.clean, values)).__contains__
        case Prefix(_, text):
            folded = fold_name(text)
            return lambda value: folded != "" and fold_name(value).startswith(folded)
        case Range(_, least, most):
            spans = [_bound(prop, bound) if bound is not None else None for bound in (least, most)]
            first, last = (span[side] if span else None for side, span in enumerate(spans))
            return _make_span_test(prop, first, last)
        case Near(_, date, days):
            if prop.type.name not in DATES:
                raise ValueError(f"{prop.name}: expected a property with dates to be near to, found {prop.type.name}")
            start, end = _bound(prop, date)
            return _make_span_test(prop, start - days * DAY, end + days * DAY)


def _make_span_test(prop: Property, first: Any, last: Any) -> Test:
    to_bounds = _make_to_bounds(prop)

    def test(value: str) -> bool:
        span = to_bounds(value)
        return span is not None and (first is None or span[1] >= first) and (last is None or span[0] <= last)

    return test


def _bound(prop: Property, raw: str) -> Span:
    """Return the first and last of what a bound that is asked for can mean."""
    span = _make_to_bounds(prop)(prop.type.clean(raw))
    assert span is not None, "what is clean can be read"
    return span


def _make_to_bounds(prop: Property) -> Callable[[str], Span | None]:
    if prop.type.name in DATES:
        return to_span
    if prop.type.name in NUMBERS:
        return _to_number
    raise ValueError(f"{prop.name}: expected a property with dates or numbers to range over, found {prop.type.name}")


def _to_number(value: str) -> Span | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return (number, number) if number.is_finite() else None


def _make_rank(prop: Property) -> Callable[[str], Any]:
    if prop.type.name in DATES | NUMBERS:
        return _make_to_bounds(prop)
    return lambda value: (fold_name(value), value)
