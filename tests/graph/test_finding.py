"""Finding: typed filters and sorts over what is seen in clear, and the pages that they come in."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.finding import Equals, Filter, Near, OneOf, Prefix, Range, Sort
from graph.memory import MemoryStore
from graph.shown import Entity
from graph.store import Batch, Store
from graph.view import View
from graph.window import to_span
from ontology.errors import InvalidCursor, InvalidValue
from ontology.policy import Treatment
from ontology.record import Record, to_microseconds
from tests.conftest import BOLT_ENGINES
from tests.factory import SECRET, START, make_label, make_observer, make_record
from tests.worlds.twin import draw_pair
from tests.worlds.world import build, fill, thing_of

SUSPECT = make_label(category="suspect")
HIDDEN = make_label(tlp="RED", owner="OTHER")
DAYS = st.dates(date(1990, 1, 1), date(1992, 12, 31))


def _view(records: Sequence[Record], tier: str = "investigator", **rights: Any) -> View:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=records))
    return store.view(make_observer(tier, **rights))


def _people(*properties: dict[str, list[str]]) -> list[Record]:
    return [make_record(key=str(place), properties=values) for place, values in enumerate(properties)]


def _captions(found: Sequence[Entity]) -> list[str]:
    return [entity.caption for entity in found]


PEOPLE = _people(
    {"name": ["Ada Example"], "birthDate": ["1990-05"], "nationality": ["ro"], "height": ["170"]},
    {"name": ["Bela Sample"], "birthDate": ["1991-02-03"], "nationality": ["bg", "ua"], "height": ["9.5"]},
    {"name": ["Олена Приклад"], "birthDate": ["1985"], "nationality": ["ua"]},
    {"name": ["Nobody"]},
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Equals("name", "Ada Example"), ["Ada Example"]),
        (Equals("name", " Ada  Example "), ["Ada Example"]),
        (Equals("name", "ada example"), []),
        (Equals("name", "Ada"), []),
        (Equals("nationality", "Ukraine"), ["Bela Sample", "Олена Приклад"]),
        (OneOf("nationality", ("ro", "bg")), ["Ada Example", "Bela Sample"]),
        (OneOf("nationality", ()), []),
        (Prefix("name", "OLENA pri"), ["Олена Приклад"]),
        (Prefix("name", "олена при"), ["Олена Приклад"]),
        (Prefix("name", "example"), []),
        (Prefix("name", "--"), []),
        (Range("birthDate", "1985-12-31", "1990-05-01"), ["Ada Example", "Олена Приклад"]),
        (Range("birthDate", "1990-06"), ["Bela Sample"]),
        (Range("birthDate", None, "1984"), []),
        (Range("birthDate"), ["Ada Example", "Bela Sample", "Олена Приклад"]),
        (Near("birthDate", "1991-02-01", 2), ["Bela Sample"]),
        (Near("birthDate", "1991-02-01", 1), []),
        (Near("birthDate", "1986-01-01", 1), ["Олена Приклад"]),
        (Near("birthDate", "1986-01-01", 0), []),
    ],
)
def test_each_filter_keeps_what_it_says(asked: Filter, expected: list[str]) -> None:
    """Worked by hand: values as their types write them, folded beginnings, dates as wide as their precision."""
    page = _view(PEOPLE).find("Person", [asked])

    assert (_captions(page.items), page.total, page.has_next) == (expected, len(expected), False)


def test_prefixes_take_one_spelling_of_letters() -> None:
    """What is found is what the transliteration of the value begins with."""
    view = _view(PEOPLE)

    assert [view.find("Person", [Prefix("name", text)]).total for text in ("olena", "olena pri", "olena prz")] == [
        1,
        1,
        0,
    ]


def test_numbers_range_by_size_and_not_by_letters() -> None:
    """Nine and a half is less than a hundred and seventy."""
    wallets = [
        make_record("CryptoWallet", key, properties={"publicKey": [f"wallet{key}"], "balance": [balance]})
        for key, balance in (("a", "170"), ("b", "9.5"), ("c", "-3"))
    ]
    view = _view(wallets)

    def found(*bounds: str | None) -> list[str]:
        return _captions(view.find("CryptoWallet", [Range("balance", *bounds)], sort=Sort("balance")).items)

    assert found("9.5", "170") == ["walletb", "walleta"]
    assert found(None, "9") == ["walletc"]


def test_every_filter_must_be_met_but_by_any_record() -> None:
    """Two records of one phone meet two filters together; neither phone does that has half of it."""
    records = [
        make_record("Phone", key, properties={"number": [number], **more})
        for key, number, more in (
            ("1", "+40712345678", {"carrier": ["North"]}),
            ("2", "+40712345678", {"firstSeen": ["2026-01-05"]}),
            ("3", "+40712345679", {"carrier": ["North"]}),
            ("4", "+40712345670", {"firstSeen": ["2026-01-05"]}),
        )
    ]
    filters: list[Filter] = [Equals("carrier", "North"), Near("firstSeen", "2026-01-05", 0)]

    for asked in (filters, filters[::-1]):
        assert _captions(_view(records).find("Phone", asked).items) == ["+40712345678"]


def test_a_schema_takes_its_heirs_along() -> None:
    """Legal entities are people and companies."""
    records = [make_record(schema, schema, properties={"name": ["Ada"]}) for schema in ("Person", "Company", "Vehicle")]
    view = _view(records)

    assert {entity.schema for entity in view.find("LegalEntity").items} == {"Person", "Company"}
    assert view.find("Thing", [Equals("name", "Ada")]).total == 3
    assert view.find("Ownership").total == 0


@pytest.mark.parametrize(
    ("tier", "organisation", "label", "expected"),
    [
        ("investigator", "ORG", SUSPECT, 1),
        ("analyst", "LAB", SUSPECT, 0),
        ("private", "BANK", SUSPECT, 0),
        ("investigator", "ORG", HIDDEN, 0),
    ],
)
def test_what_is_not_in_clear_meets_nothing(tier: str, organisation: str, label: Any, expected: int) -> None:
    """A pseudonymised, masked or generalised value and a hidden record meet no filter, by any form of the value."""
    record = make_record(label=label, properties={"name": ["Ada Example"], "phone": ["+40712345678"]})
    view = _view([record], tier, organisation=organisation)
    shown = [entity.caption for entity in view.entities_of([record.thing]).values()]

    assert view.find("Person", [Equals("name", "Ada Example")]).total == expected
    assert view.find("Person", [Prefix("phone", "40")]).total == expected
    assert expected or all(view.find("Person", [Prefix("name", caption)]).total == 0 for caption in shown)


def test_a_generalised_date_meets_no_filter() -> None:
    """Who sees the week of an event does not learn the day by asking for ranges, nor by sorting."""
    label = make_label(category="suspect")
    records = [
        make_record(key=str(day), label=label, properties={"name": [f"N{day}"], "deathDate": [f"2026-01-0{day}"]})
        for day in (7, 5, 6)
    ]
    filters: tuple[Filter, ...] = (Range("deathDate", "2026"), Near("deathDate", "2026-01-06", 99), Range("deathDate"))
    analyst, investigator = _view(records, "analyst", organisation="LAB"), _view(records)

    assert [analyst.find("Person", [asked]).total for asked in filters] == [0, 0, 0]
    assert [investigator.find("Person", [asked]).total for asked in filters] == [3, 3, 3]
    assert analyst.find("Person", sort=Sort("deathDate")).items == analyst.find("Person").items
    assert _captions(investigator.find("Person", sort=Sort("deathDate")).items) == ["N5", "N6", "N7"]


def test_a_superseded_record_meets_nothing() -> None:
    """Of two versions the later one counts, be it of another schema."""
    records = [
        make_record(key="1", properties={"name": ["Old Name"]}),
        make_record(key="1", properties={"name": ["New Name"]}, minute=5),
        make_record(key="2", properties={"name": ["Old Name"]}),
        make_record("Company", "2", properties={"name": ["New Name"]}, minute=5),
    ]
    view = _view(records)

    assert view.find("LegalEntity", [Equals("name", "Old Name")]).total == 0
    assert view.find("Person", [Range("birthDate")]).total == view.find("Person", [Prefix("name", "old")]).total == 0
    assert view.find("Person").total == 1
    assert view.find("LegalEntity", [Equals("name", "New Name")]).total == 2


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, ["A", "B", "C", "D"]),
        (Sort("birthDate"), ["C", "A", "B", "D"]),
        (Sort("birthDate", is_descending=True), ["A", "B", "C", "D"]),
        (Sort("name", is_descending=True), ["D", "C", "B", "A"]),
    ],
)
def test_sorts_put_last_what_has_nothing_to_sort_by(sort: Sort | None, expected: list[str]) -> None:
    """Ascending the least value counts, descending the greatest; ties go by caption, whatever the direction."""
    people = _people(
        {"name": ["A"], "birthDate": ["1990", "1980-01-02"]},
        {"name": ["B"], "birthDate": ["1990"]},
        {"name": ["C"], "birthDate": ["1980-01-01"]},
        {"name": ["D"]},
    )

    assert _captions(_view(people[::-1]).find("Person", sort=sort).items) == expected


def test_what_does_not_fit_the_schema_is_refused() -> None:
    """An unknown property and a filter of another type are mistakes of who asks; a value of no such type is told."""
    view = _view(PEOPLE)

    misfits: list[Filter] = [
        Equals("publicKey", "x"),
        Range("name", "a"),
        Near("name", "2026", 1),
        Prefix("lid", "1"),
    ]
    wrongs: list[Filter] = [
        Equals("nationality", "nowhere at all"),
        Range("birthDate", "soon"),
        Near("birthDate", "x", 1),
    ]
    for asked in misfits:
        with pytest.raises(ValueError, match="expected a property"):
            view.find("Person", [asked])
    with pytest.raises(ValueError, match="expected a property of Person"):
        view.find("Person", sort=Sort("nothing"))
    for wrong in wrongs:
        with pytest.raises(InvalidValue):
            view.find("Person", [wrong])


@settings(max_examples=25)
@given(st.integers(0, 9), st.integers(1, 4), st.sampled_from([None, Sort("birthDate"), Sort("name", True)]))
def test_following_the_cursors_gives_each_entity_once(count: int, first: int, sort: Sort | None) -> None:
    """Pages of any size together are the whole answer, and each knows the whole total."""
    people = _people(*({"name": [f"Ada {i % 3}"], "birthDate": [f"199{i % 4}"]} for i in range(count)))
    view = _view(people)
    whole = view.find("Person", [Prefix("name", "ada")], sort=sort, first=100)
    found: list[str] = []
    after = None

    while True:
        page = view.find("Person", [Prefix("name", "ada")], sort=sort, first=first, after=after)
        found += [entity.id for entity in page.items]
        assert page.total == count
        if not page.has_next:
            break
        after = page.cursors[-1]

    assert found == [entity.id for entity in whole.items]
    assert len(set(found)) == count


def test_a_cursor_opens_for_its_own_question_alone() -> None:
    """Another filter of the same words, sort or schema gives the one error."""
    view = _view(PEOPLE)
    cursor = view.find("Person", [Prefix("name", "a")], first=1).cursors[0]

    assert view.find("Person", [Prefix("name", "a")], after=cursor).items == ()
    for schema, asked, sort in (
        ("Person", Equals("name", "a"), None),
        ("Person", Prefix("name", "b"), None),
        ("LegalEntity", Prefix("name", "a"), None),
        ("Person", Prefix("name", "a"), Sort("name")),
    ):
        with pytest.raises(InvalidCursor):
            view.find(schema, [asked], sort=sort, after=cursor)
    with pytest.raises(InvalidCursor):
        view.search("a", after=cursor)


@given(DAYS, DAYS, st.integers(0, 500))
def test_near_and_range_agree_with_the_calendar(one: date, other: date, days: int) -> None:
    """Whole days are near each other as the calendar counts, and in a range as they compare."""
    view = _view(_people({"birthDate": [one.isoformat()]}))

    assert view.find("Person", [Near("birthDate", other.isoformat(), days)]).total == (abs((one - other).days) <= days)
    assert view.find("Person", [Range("birthDate", other.isoformat())]).total == (one >= other)
    assert view.find("Person", [Range("birthDate", None, other.isoformat())]).total == (one <= other)


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=6), st.decimals(-1000, 1000, places=2))
def test_numbers_sort_and_range_as_decimals(numbers: list[Decimal], least: Decimal) -> None:
    """The order is that of exact decimals."""
    wallets = [
        make_record("CryptoWallet", str(i), properties={"publicKey": [f"w{i}"], "balance": [f"{number:f}"]})
        for i, number in enumerate(numbers)
    ]

    found = _view(wallets).find("CryptoWallet", [Range("balance", f"{least:f}")], sort=Sort("balance")).items

    assert [Decimal(e.values["balance"][0]) for e in found] == sorted(n for n in numbers if n >= least)


@pytest.mark.parametrize(
    ("value", "first", "after"),
    [
        ("2024", datetime(2024, 1, 1), datetime(2025, 1, 1)),
        ("2024-02", datetime(2024, 2, 1), datetime(2024, 3, 1)),
        ("2023-12-31", datetime(2023, 12, 31), datetime(2024, 1, 1)),
        ("2023-12-31T23:59:59Z", datetime(2023, 12, 31, 23, 59, 59), datetime(2024, 1, 1)),
    ],
)  # fmt: skip
def test_a_date_spans_what_its_precision_leaves_open(value: str, first: datetime, after: datetime) -> None:
    """From its first microsecond to the last one before the next."""
    start, end = (to_microseconds(moment.replace(tzinfo=START.tzinfo)) for moment in (first, after))

    assert to_span(value) == (start, end - 1)


@pytest.mark.parametrize("value", ["", "soon", "2024-1", "20240101", "2024-13", "2024-01-01T00:00", "P-ABC", "9" * 30])
def test_what_is_no_date_has_no_span(value: str) -> None:
    """Whatever a store holds in the place of a date, no filter fails of it."""
    assert to_span(value) is None


def test_the_last_year_has_a_span() -> None:
    """A date at the end of the calendar can still be asked for, however near."""
    view = _view(_people({"birthDate": ["9999-12-31"]}))

    assert view.find("Person", [Near("birthDate", "9999", 10_000)]).total == 1


def test_many_matches_are_found_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading everything once and walking out from each match give one page."""
    people = [
        make_record(key=str(i), properties={"name": [f"Ada {i % 4}"], "birthDate": [f"199{i}"]}) for i in range(9)
    ]
    questions: list[dict[str, Any]] = [
        {"filters": [Prefix("name", "ada")], "sort": Sort("birthDate", is_descending=True)},
        {"filters": [Range("birthDate", "1992"), Prefix("name", "ada 1")]},
        {},
    ]
    walked = [_view(people).find("Person", first=5, **asked) for asked in questions]
    monkeypatch.setattr("graph.view.MANY", 3)
    read = [_view(people).find("Person", first=5, **asked) for asked in questions]

    assert walked == read


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.sampled_from([("Advertisement", "title"), ("Phone", "number"), ("CryptoWallet", "tagLabel")]),
    st.sampled_from(["ada", "hidden", "40712"]),
)
def test_what_is_found_is_what_shows_it_in_clear(seed: int, place: tuple[str, str], text: str) -> None:
    """Looking through everything that is shown, treatments and all, gives the same entities for every observer."""
    observer, world, _ = draw_pair(seed)
    schema, name = place
    view = build(world).view(observer)
    every = view.entities_of([thing_of(key) for key in world.keys]).values()
    # An entity is of every schema that one of its records is of, whichever it is shown as.
    shown = {e.id: e for e in every if schema in {r.schema for rs in view.facets_of(e.thing).values() for r in rs}}

    found = view.find(schema, [Prefix(name, text)], first=100)

    expected = {
        id_
        for id_, entity in shown.items()
        for record in entity.records
        for facet in record.facets
        for value in facet.values.get(name, ())
        if facet.treatments[name] is Treatment.CLEAR and value.lower().lstrip("+").startswith(text)
    }
    assert {entity.id for entity in found.items} == expected
    assert found.total == len(expected)
    assert view.find(schema).total == len(shown)


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_an_engine_finds_what_the_reference_finds(
    make_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of filters and sorts are the same on an engine, whether few or many match."""
    filters: list[list[Filter]] = [
        [],
        [Prefix("name", "ada")],
        [Equals("name", "Ada Example"), Range("birthDate", "1980", "1985")],
        [Near("deathDate", "2026-01-06", 2), OneOf("nationality", ("ro", "bg"))],
    ]  # fmt: skip
    observer, world, _ = draw_pair(6)
    reference, store = MemoryStore(secret=SECRET), make_store()
    for one in (reference, store):
        fill(world, one)
        one.write(Batch(records=PEOPLE))

    def answers(one: Store, random: Random) -> list[object]:
        sorts = (None, Sort("birthDate"), Sort("name", is_descending=True))
        return [
            one.view(observer).find("Person", asked, sort=random.choice(sorts), first=first)
            for first in (3, 100)
            for asked in filters
        ]

    for many in (2_000, 1):
        monkeypatch.setattr("graph.view.MANY", many)
        assert answers(store, Random(1)) == answers(reference, Random(1))
