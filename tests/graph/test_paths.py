"""Paths: the shortest ways between entities over what is visible, in one order."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.memory import MemoryStore
from graph.shown import Path, Paths
from graph.store import Batch, Store
from graph.view import View
from graph.window import Window
from ontology.errors import NotVisible
from ontology.record import Link, Record
from tests.conftest import BOLT_ENGINES
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record
from tests.worlds.twin import draw_pair
from tests.worlds.world import build, fill, thing_of

HIDDEN = make_label(tlp="RED", owner="OTHER")
NAMES = "ABCDEFGHI"
PEOPLE = {name: make_record(key=name, properties={"name": [name]}) for name in NAMES}
EDGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=16)


def _store(links: Iterable[Link], records: Iterable[Record] = PEOPLE.values()) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=list(records), links=list(links)))
    return store


def _links(edges: Iterable[Sequence[str]]) -> list[Link]:
    return [make_link(PEOPLE[left], PEOPLE[right]) for left, right in edges]


def _ids(view: View, names: str) -> list[str]:
    return [view.entity_of(PEOPLE[name].thing).id for name in names]


def _ask(view: View, left: str = "A", right: str = "B", **asked: Any) -> Paths:
    return view.paths(_ids(view, left), _ids(view, right), **asked)


def _spell(found: Paths) -> list[str]:
    return ["".join(_names(path)) for path in found.items]


def _names(path: Path) -> list[str]:
    return [path.start.caption, *(step.entity.caption for step in path.steps)]


def test_all_shortest_paths_come_in_order_of_their_names() -> None:
    """Two ways of two links, worked by hand; the way of three links is longer and not there."""
    view = _store(_links(["AD", "DB", "AC", "CB", "AE", "EF", "FB"])).view(make_observer())

    found = _ask(view)

    assert _spell(found) == ["ACB", "ADB"]
    assert (found.has_next, found.is_complete) == (False, True)
    assert found.items[0].end.caption == "B"


def test_steps_read_along_the_way() -> None:
    """Each step says how the entity before it is linked to it, whatever the direction of the link."""
    firm = make_record("Company", "firm", properties={"name": ["Firm"]})
    links = [make_link(PEOPLE["A"], firm, "Ownership"), make_link(PEOPLE["B"], firm, "Ownership")]
    view = _store(links, [*PEOPLE.values(), firm]).view(make_observer())

    (path,) = _ask(view).items

    assert [(step.verb, step.entity.caption) for step in path.steps] == [("owns", "Firm"), ("is owned by", "B")]


def test_of_several_links_the_first_by_type_and_latest_leads() -> None:
    """Between two entities one link is shown, however many there are."""
    links = [
        make_link(PEOPLE["A"], PEOPLE["B"], schema, key=str(minute), minute=minute)
        for minute, schema in enumerate(("Family", "Associate", "Associate", "Family"))
    ]

    (path,) = _ask(_store(links).view(make_observer())).items

    (step,) = path.steps
    assert (step.link.schema, step.link.provenance.recorded_at) == ("Associate", START + timedelta(minutes=2))


@pytest.mark.parametrize(
    ("longest", "expected"), [(1, []), (4, []), (5, ["ACDEFB"]), (6, ["ACDEFB"]), (99, ["ACDEFB"])]
)
def test_a_path_is_no_longer_than_asked(longest: int, expected: list[str]) -> None:
    """Five links are found from five on; that there is nothing shorter is a whole answer."""
    found = _ask(_store(_links(["AC", "CD", "DE", "EF", "FB"])).view(make_observer()), longest=longest)

    assert (_spell(found), found.is_complete) == (expected, True)


def test_nobody_looks_further_than_six_links() -> None:
    """Seven links are too far, whatever is asked for."""
    view = _store(_links(["AC", "CD", "DE", "EF", "FG", "GH", "HB"])).view(make_observer())

    assert _spell(_ask(view, longest=99)) == []


def test_paths_keep_to_what_is_visible() -> None:
    """A shorter way over a hidden link or entity neither shows nor keeps the longer visible one from showing."""
    hidden = make_record(key="H0", label=HIDDEN, properties={"name": ["X"]})
    links = [
        *_links(["AC", "CD", "DB"]),
        make_link(PEOPLE["A"], PEOPLE["B"], label=HIDDEN),
        make_link(PEOPLE["A"], hidden),
        make_link(hidden, PEOPLE["B"]),
    ]
    store = _store(links, [*PEOPLE.values(), hidden])

    found = [_spell(_ask(store.view(make_observer(organisation=o)))) for o in ("ORG", "OTHER")]

    assert found == [["ACDB"], ["AB"]]


def test_a_path_goes_through_all_records_of_an_entity() -> None:
    """It comes in by one record of a phone and leaves by another."""
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "12"]
    links = [make_link(PEOPLE["A"], phones[0]), make_link(phones[1], PEOPLE["B"])]
    view = _store(links, [*PEOPLE.values(), *phones]).view(make_observer())

    assert _spell(_ask(view)) == ["A+40712345678B"]
    assert _spell(view.paths(view.entity_of(phones[0].thing).id, view.entity_of(phones[1].thing).id)) == [
        "+40712345678"
    ]


def test_each_of_some_is_joined_with_each_of_others() -> None:
    """Between sets every pair has its own shortest paths, the shortest first."""
    view = _store(_links(["AC", "CB", "AB", "DC", "EF"])).view(make_observer())

    assert _spell(_ask(view, "AD", "BE")) == ["AB", "DCB"]
    assert _spell(_ask(view, "AB", "BA")) == ["A", "B", "AB", "BA"]


def test_types_and_windows_narrow_the_ways() -> None:
    """A way over links of other types or times is no way."""
    links = [
        make_link(PEOPLE["A"], PEOPLE["B"], "Family", properties={"date": ["2010"]}),
        make_link(PEOPLE["A"], PEOPLE["C"], "Associate"),
        make_link(PEOPLE["C"], PEOPLE["B"], "Associate"),
    ]
    view = _store(links).view(make_observer())

    assert _spell(_ask(view)) == ["AB"]
    assert _spell(_ask(view, types=["Associate"])) == ["ACB"]
    assert _spell(_ask(view, window=Window(since=START - timedelta(days=1)))) == ["ACB"]
    assert _spell(_ask(view, window=Window(until=START.replace(year=2011)))) == ["AB"]


def test_what_is_asked_for_is_bounded() -> None:
    """More paths are promised and not given; more ends are refused; what is not visible is the one error."""
    view = _store(_links([*("A" + name for name in "CDEF"), *(name + "B" for name in "CDEF")])).view(make_observer())

    found = _ask(view, first=3)

    assert (_spell(found), found.has_next) == (["ACB", "ADB", "AEB"], True)
    assert not _ask(view, first=4).has_next
    with pytest.raises(ValueError, match="expected at most 20 ids on a side, found 21"):
        view.paths([str(i) for i in range(21)], [])
    with pytest.raises(NotVisible):
        view.paths(_ids(view, "A"), "nothing")


def test_a_search_that_was_stopped_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two entities more than the ends a way among many is missed, and that is told."""
    links = _links([*("A" + name for name in "CDEF"), "FG", "GH", "HB"])
    view = _store(links).view(make_observer())
    assert _ask(view).is_complete
    monkeypatch.setattr("graph.paths.MAX_VISITED", 4)

    assert not _ask(view).is_complete


@settings(max_examples=80)
@given(EDGES, st.integers(1, 6), st.sets(st.sampled_from("AC"), min_size=1), st.sets(st.sampled_from("BD"), min_size=1))
def test_paths_are_those_of_another_library(
    edges: list[tuple[str, str]], longest: int, lefts: set[str], rights: set[str]
) -> None:
    """All shortest paths of NetworkX between every two ends, no longer than asked, by length and then by name."""
    graph = nx.Graph(edges)
    graph.add_nodes_from(NAMES)
    expected = [
        "".join(way)
        for left in lefts
        for right in rights
        if nx.has_path(graph, left, right)
        for way in nx.all_shortest_paths(graph, left, right)
        if len(way) <= longest + 1
    ]

    view = _store(_links(edges)).view(make_observer())
    found = _ask(view, "".join(lefts), "".join(rights), longest=longest, first=100)

    assert _spell(found) == sorted(expected, key=lambda way: (len(way), way))
    assert found.is_complete
    for path in found.items:
        for (left, right), step in zip(pairwise(_names(path)), path.steps, strict=True):
            assert {step.link.left, step.link.right} == {PEOPLE[left].thing, PEOPLE[right].thing}


@pytest.mark.parametrize("engine_name", BOLT_ENGINES)
def test_an_engine_finds_the_paths_of_the_reference(make_store: Callable[[], Store]) -> None:
    """Ways, links and their order are the same on an engine."""
    for seed in (1, 6):
        observer, world, _ = draw_pair(seed)
        store = make_store()
        fill(world, store)
        reference, engine = build(world).view(observer), store.view(observer)
        ids = sorted({e.id for e in reference.entities_of([thing_of(key) for key in world.keys]).values()})

        assert engine.paths(ids, ids, longest=6, first=50) == reference.paths(ids, ids, longest=6, first=50)
