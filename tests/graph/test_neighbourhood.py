"""Neighbourhoods: what lies so many links away, how far, in which window, and how it is linked."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import neighbourhood
from graph.memory import MemoryStore
from graph.shown import Neighbourhood
from graph.store import Batch, Scope, Store
from graph.view import View
from graph.window import Window
from ontology.errors import InvalidCursor, NotVisible
from ontology.record import Link, Record
from tests.conftest import BOLT_ENGINES, MEMORY
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record
from tests.worlds.twin import draw_pair
from tests.worlds.world import build, fill, thing_of

HIDDEN = make_label(tlp="RED", owner="OTHER")
NAMES = "ABCDEFGH"
PEOPLE = {name: make_record(key=name, properties={"name": [name]}) for name in NAMES}
EDGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14)


def _store(links: Iterable[Link], records: Iterable[Record] = PEOPLE.values()) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=list(records), links=list(links)))
    return store


def _links(edges: Iterable[Sequence[str]], schema: str = "UnknownLink") -> list[Link]:
    return [make_link(PEOPLE[left], PEOPLE[right], schema) for left, right in edges]


def _around(view: View, name: str = "A", **asked: Any) -> Neighbourhood:
    return view.neighbourhood(view.entity_of(PEOPLE[name].thing).id, **asked)


def _reached(found: Neighbourhood) -> list[tuple[str, int]]:
    return [(one.entity.caption, one.distance) for one in found.reached]


def _between(found: Neighbourhood) -> set[str]:
    return {link.left.caption + link.right.caption for link in found.links}


def test_levels_come_one_after_the_other() -> None:
    """A chain is reached link by link, up to the depth; what is beyond is not linked to either."""
    view = _store(_links(["AB", "CB", "CD", "DE"])).view(make_observer())

    found = [_around(view, depth=depth) for depth in (1, 2, 3, 9)]

    assert [_reached(one) for one in found] == [
        [("B", 1)],
        [("B", 1), ("C", 2)],
        [("B", 1), ("C", 2), ("D", 3)],
        [("B", 1), ("C", 2), ("D", 3)],
    ]
    assert [_between(one) for one in found] == [{"AB"}, {"AB", "CB"}, {"AB", "CB", "CD"}, {"AB", "CB", "CD"}]
    assert all(one.is_complete and one.entity.caption == "A" for one in found)


def test_links_among_the_last_are_shown() -> None:
    """A triangle is whole at depth one; links read from their left end."""
    owner, company = PEOPLE["B"], make_record("Company", "firm", properties={"name": ["Firm"]})
    links = [*_links(["AB"]), make_link(PEOPLE["A"], company), make_link(owner, company, "Ownership")]
    found = _around(_store(links, [*PEOPLE.values(), company]).view(make_observer()))

    assert {(link.left.caption, link.verb, link.right.caption) for link in found.links} >= {("B", "owns", "Firm")}
    assert len(found.links) == 3
    assert [link.link.schema for link in found.links] == ["Ownership", "UnknownLink", "UnknownLink"]


def test_what_is_shown_is_bounded_and_says_so() -> None:
    """The nearest stay, those of the latest links first; nothing is left out when all fits exactly."""
    links = [make_link(PEOPLE["A"], PEOPLE[name], minute=minute) for minute, name in enumerate("BCDE")]
    view = _store([*links, *_links(["EF"])]).view(make_observer())

    assert [(_reached(f), f.is_complete) for f in (_around(view, depth=2, first=n) for n in (2, 4, 5, 0))] == [
        ([("E", 1), ("D", 1)], False),
        ([("E", 1), ("D", 1), ("C", 1), ("B", 1)], False),
        ([("E", 1), ("D", 1), ("C", 1), ("B", 1), ("F", 2)], True),
        ([], False),
    ]
    assert _around(view, first=4).is_complete


def test_links_are_bounded_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """More links than may be shown are cut, the first by type and the latest staying."""
    links = [make_link(PEOPLE["A"], PEOPLE["B"], key=str(i), minute=i) for i in range(5)]
    view = _store(links).view(make_observer())
    monkeypatch.setattr("graph.view.MAX_LINKS", 3)

    found = _around(view)

    assert [(link.link.provenance.recorded_at - START).seconds // 60 for link in found.links] == [4, 3, 2]
    assert not found.is_complete


def test_hidden_links_lead_nowhere() -> None:
    """A way over a hidden link or a hidden entity is no way; what lies behind both is reached by those who may."""
    links = [make_link(PEOPLE["A"], PEOPLE["B"], label=HIDDEN), *_links(["BC"])]
    hidden = make_record(key="hidden", label=HIDDEN)
    links += [make_link(PEOPLE["A"], hidden), make_link(hidden, PEOPLE["D"])]
    store = _store(links, [*PEOPLE.values(), hidden])

    reached = [
        {name for name, _ in _reached(_around(store.view(make_observer(organisation=organisation)), depth=2))}
        for organisation in ("ORG", "OTHER")
    ]

    assert reached == [set(), {"B", "C", "D", "Ada Example"}]


def test_an_entity_is_left_by_every_record_of_it() -> None:
    """Two records of one phone are one step, and links between them none."""
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "12"]
    links = [make_link(PEOPLE["A"], phones[0]), make_link(phones[0], phones[1]), make_link(phones[1], PEOPLE["B"])]

    found = _around(_store(links, [*PEOPLE.values(), *phones]).view(make_observer()), depth=2)

    assert _reached(found) == [("+40712345678", 1), ("B", 2)]
    assert len(found.links) == 2


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "BCDEF"),
        ("2020-01-01", "2020-12-31", "CE"),
        ("2019-12-31", "2019-12-31", "E"),
        ("2021-06-15", None, "BDEF"),
        ("2021-06-15", "2021-06-20", "DE"),
        ("2023-01-01", "2025-12-31", ""),
        ("2026-01-01", None, "BF"),
        (None, "2019-01-01", "E"),
        (None, "2018-12-31", ""),
    ],
)
def test_a_window_keeps_what_touches_it(since: str | None, until: str | None, expected: str) -> None:
    """By the dates of a link with their precision, by when it was recorded where it has none; worked by hand."""
    dates: dict[str, dict[str, list[str]]] = {
        "B": {},
        "C": {"date": ["2020-03"]},
        "D": {"startDate": ["2021-06-18"]},
        "E": {"startDate": ["2019"], "endDate": ["2022-12-31T12:00:00Z"]},
        "F": {"createdAt": ["2020-01-01"]},
    }
    links = [make_link(PEOPLE["A"], PEOPLE[name], properties=said) for name, said in dates.items()]
    view = _store(links).view(make_observer())
    moments = [START.fromisoformat(day).replace(tzinfo=START.tzinfo) if day else None for day in (since, until)]
    window = Window(*moments)

    id_ = view.entity_of(PEOPLE["A"].thing).id
    page = view.neighbours(id_, window=window)

    assert {name for name, _ in _reached(_around(view, window=window))} == set(expected)
    assert {neighbour.entity.caption for neighbour in page.items} == set(expected)
    assert page.total == len(expected)


def test_a_date_that_is_not_in_clear_dates_nothing() -> None:
    """Who sees a week of it is told by when it was recorded, so that two days of that week look the same."""
    label = make_label(category="suspect")
    windows = [Window(START + timedelta(days=day), START + timedelta(days=day + 1)) for day in range(-1, 9)]

    def answers(day: str, tier: str) -> list[int]:
        link = make_link(PEOPLE["A"], PEOPLE["B"], label=label, properties={"startDate": [day]})
        view = _store([link]).view(make_observer(tier, organisation="LAB"))
        return [len(_around(view, window=window).reached) for window in windows]

    assert answers("2026-01-05", "analyst") == answers("2026-01-07", "analyst") == [1, 1] + [0] * 8
    assert answers("2026-01-05", "investigator") != answers("2026-01-07", "investigator")


def test_a_window_is_of_the_latest_version() -> None:
    """A link that was dated anew is where it is now, and types narrow as well."""
    links = [
        make_link(PEOPLE["A"], PEOPLE["B"], "Family", properties={"date": [year]}, minute=minute)
        for minute, year in enumerate(("2010", "2015"))
    ]
    view = _store([*links, *_links(["AC"])]).view(make_observer())
    then, now = (Window(START.replace(year=year), START.replace(year=year, month=12)) for year in (2010, 2015))

    assert _reached(_around(view, window=then)) == []
    assert _reached(_around(view, window=now)) == [("B", 1)]
    assert _reached(_around(view, types=["Associate"], window=now)) == []


def test_a_cursor_of_neighbours_is_bound_to_its_window() -> None:
    """Another window is another question."""
    view = _store(_links(["AB", "AC"])).view(make_observer())
    id_ = view.entity_of(PEOPLE["A"].thing).id
    window = Window(since=START - timedelta(days=1))
    cursor = view.neighbours(id_, window=window, first=1).cursors[0]

    assert len(view.neighbours(id_, window=window, after=cursor).items) == 1
    with pytest.raises(InvalidCursor):
        view.neighbours(id_, after=cursor)


def test_what_is_not_visible_has_no_neighbourhood() -> None:
    """Absent and hidden give the one error."""
    hidden = make_record(key="hidden", label=HIDDEN)
    view = _store([], [hidden]).view(make_observer())

    for id_ in ("nothing", view._handles.seal("entity", hidden.thing)):
        with pytest.raises(NotVisible):
            view.neighbourhood(id_)


@settings(max_examples=60)
@given(EDGES, st.integers(1, 3))
def test_distances_are_those_of_a_plain_search(edges: list[tuple[str, str]], depth: int) -> None:
    """Breadth first over the pairs, by hand, gives the same entities as far away and the same links among them."""
    found = _around(_store(_links(edges)).view(make_observer()), depth=depth)
    distances = {name: far for name, far in _plain_distances(edges, "A").items() if far <= depth}

    assert dict(_reached(found)) == {name: far for name, far in distances.items() if far}
    assert [far for _, far in _reached(found)] == sorted(far for far in distances.values() if far)
    assert _between(found) == {a + b for a, b in edges if a != b and {a, b} <= distances.keys()}
    assert found.is_complete


def test_a_level_takes_one_question_for_all_its_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many entities a level has: a question for the links of each level, and a walk."""
    asked: list[int] = []
    honest = MemoryStore.links_of

    def links_of(self: MemoryStore, scope: Scope, things: Collection[str]) -> list[Link]:
        asked.append(len(things))
        return honest(self, scope, things)

    monkeypatch.setattr(MemoryStore, "links_of", links_of)

    _around(_store(_links(["AB", "AC", "AD", "BE", "CF"])).view(make_observer()), depth=2)

    assert asked == [1, 3, 2]


def test_many_are_walked_out_from_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer does not depend on how many are walked out from at once."""
    view = _store(_links(["AB", "AC", "AD", "BE", "CF", "DG"])).view(make_observer())
    whole = _around(view, depth=3)
    monkeypatch.setattr(neighbourhood, "_CHUNK", 1)

    assert _around(view, depth=3) == whole


@pytest.mark.parametrize("engine_name", [MEMORY, *BOLT_ENGINES])
def test_links_of_a_record_that_is_linked_to_its_own_entity_count(store: Store) -> None:
    """Two records of one phone that are linked to each other: whichever is asked for has the neighbours of both."""
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "123"]
    links = [make_link(phones[0], phones[1]), make_link(phones[2], phones[1]), make_link(phones[1], PEOPLE["B"])]
    store.write(Batch(records=[*phones, PEOPLE["B"]], links=links))
    view = store.view(make_observer())

    for phone in phones:
        id_ = view.handle("entity", phone.thing)
        assert [neighbour.entity.caption for neighbour in view.neighbours(id_).items] == ["B"]
        assert _reached(view.neighbourhood(id_)) == [("B", 1)]


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_an_engine_reaches_what_the_reference_reaches(make_store: Callable[[], Store]) -> None:
    """Entities, distances, links and their order are the same on an engine."""
    for seed in (1, 6):
        observer, world, _ = draw_pair(seed)
        store = make_store()
        fill(world, store)
        windows = (None, Window(since=START + timedelta(days=4)))
        reference, engine = build(world).view(observer), store.view(observer)

        for entity in reference.entities_of([thing_of(key) for key in world.keys]).values():
            for window in windows:
                asked: dict[str, Any] = {"depth": 3, "window": window, "first": 3}
                assert engine.neighbourhood(entity.id, **asked) == reference.neighbourhood(entity.id, **asked)


def _plain_distances(edges: Iterable[tuple[str, str]], start: str) -> dict[str, int]:
    distances, waiting = {start: 0}, deque([start])
    while waiting:
        here = waiting.popleft()
        for edge in edges:
            for near, far in (edge, edge[::-1]):
                if near == here and far not in distances:
                    distances[far] = distances[here] + 1
                    waiting.append(far)
    return distances
