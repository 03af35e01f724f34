"""The View: search, neighbours, explanations, counts and what it refuses."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graph.memory import MemoryStore
from graph.shown import Entity
from graph.store import Batch
from graph.view import View
from ontology.errors import InvalidCursor, NotVisible
from ontology.observer import SYSTEM
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.record import Link, Record
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record
from tests.worlds.twin import draw_pair
from tests.worlds.world import WORDS, build, thing_of

HIDDEN = make_label(tlp="RED", owner="OTHER")
SUSPECT = make_label(category="suspect")
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.lists(st.sampled_from(["Ada Example", "Bela Sample"]), min_size=1, max_size=2),
        "birthDate": st.just(["1980-01-02"]),
        "notes": st.just(["a remark"]),
        "shelterAddress": st.just(["Hidden Street 1"]),
    },
)  # fmt: skip


def _store(records: Sequence[Record], links: Sequence[Link] = (), pairs: Sequence[Pair] = ()) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=records))
    store.write(Batch(links=links, pairs=pairs))
    return store


def _people(*names: str) -> list[Record]:
    return [make_record(key=str(place), properties={"name": [name]}) for place, name in enumerate(names)]


def _captions(found: Sequence[Entity]) -> list[str]:
    return [entity.caption for entity in found]


def _walk(view: View, text: str, first: int) -> list[str]:
    """Follow the cursors of a search to its end."""
    found, after = [], None
    while True:
        page = view.search(text, first=first, after=after)
        found += [entity.id for entity in page.items]
        if not page.has_next:
            return found
        after = page.cursors[-1]


def test_the_best_match_comes_first() -> None:
    """A whole name goes before a longer one that holds it; equals by name."""
    view = _store(_people("Ada Example of Long Street Nowhere", "Ada Example", "Bela Sample")).view(make_observer())

    assert _captions(view.search("ada example").items) == ["Ada Example", "Ada Example of Long Street Nowhere"]


def test_equal_matches_come_in_order_of_name() -> None:
    """A tie is broken by what is shown, so that every engine gives one order."""
    view = _store(_people("Ada Zed", "Ada Abc", "Ada Mid")).view(make_observer())

    assert _captions(view.search("ada").items) == ["Ada Abc", "Ada Mid", "Ada Zed"]


@settings(max_examples=25)
@given(st.integers(min_value=0, max_value=9), st.integers(min_value=1, max_value=4))
def test_following_the_cursors_gives_each_result_once(count: int, first: int) -> None:
    """Pages of any size together are the whole answer."""
    view = _store(_people(*(f"Ada Example {place}" for place in range(count)))).view(make_observer())

    whole = view.search("ada", first=100)

    assert _walk(view, "ada", first) == [entity.id for entity in whole.items]
    assert len(set(whole.cursors)) == whole.total == count
    assert not view.search("ada", first=max(count, 1)).has_next


def test_pages_are_bounded() -> None:
    """Nobody gets more than a hundred at a time; a cursor that names nothing gives nothing."""
    view = _store(_people(*(f"Ada {place}" for place in range(102)))).view(make_observer())

    page = view.search("ada", first=1_000)

    assert (len(page.items), page.has_next, page.total) == (100, True, 102)
    with pytest.raises(InvalidCursor):
        view.search("ada", after="nothing")
    assert view.search("ada", first=0).items == ()


@pytest.mark.parametrize("text", ["Олена", "олена приклад", "Olena", "PRIKLAD, olena"])
def test_words_are_found_in_any_script(text: str) -> None:
    """A name is found as it was written and as it is read in Latin letters, whatever the order of words."""
    view = _store(_people("Олена Приклад", "Bela Sample")).view(make_observer())

    assert _captions(view.search(text).items) == ["Олена Приклад"]


@pytest.mark.parametrize("text", ["", "  ", "--", "ada nobody"])
def test_every_word_must_be_there(text: str) -> None:
    """A text without a word finds nothing, nor does one with a word too many."""
    assert _store(_people("Ada Example")).view(make_observer()).search(text).total == 0


def test_a_schema_takes_its_heirs_along() -> None:
    """Legal entities are people and companies; a phone is none."""
    records = [make_record(schema, schema, properties={"name": ["Ada"]}) for schema in ("Person", "Company")]
    view = _store([*records, make_record("Vehicle", "v", properties={"name": ["Ada"]})]).view(make_observer())

    found = view.search("ada", schema="LegalEntity")

    assert {entity.schema for entity in found.items} == {"Person", "Company"}
    assert view.search("ada").total == 3


def test_hidden_values_never_match() -> None:
    """Neither a pseudonymised name nor a hidden record, nor a pseudonym itself, is found by a search."""
    hidden = make_record(key="2", label=HIDDEN, properties={"name": ["Ada Hidden"]})
    view = _store([make_record(key="1", label=SUSPECT), hidden]).view(make_observer("analyst", organisation="LAB"))

    pseudonym = view.entity_of(make_record(key="1").thing).caption

    assert [view.search(text).total for text in ("ada", "hidden", pseudonym)] == [0, 0, 0]


def test_words_match_within_one_record() -> None:
    """An entity is found by what one of its records says, not by words of several."""
    number = ["+40712345678"]
    phones = [
        make_record("Phone", key, properties={"number": number, "carrier": [carrier]})
        for key, carrier in (("1", "North"), ("2", "South"))
    ]  # fmt: skip
    view = _store(phones).view(make_observer())

    assert view.search("north").total == view.search("south").total == 1
    assert view.search("north south").total == 0


def test_neighbours_read_from_the_asked_end() -> None:
    """One link has two verbs; the owner's side says owns."""
    owner, company = make_record(key="1"), make_record("Company", "2", properties={"name": ["Ada Limited"]})
    view = _store([owner, company], [make_link(owner, company, "Ownership")]).view(make_observer())

    outward, inward = (view.neighbours(view.entity_of(r.thing).id).items for r in (owner, company))

    assert [(n.verb, n.entity.caption) for n in outward] == [("owns", "Ada Limited")]
    assert [(n.verb, n.entity.caption) for n in inward] == [("is owned by", "Ada Example")]


def test_hidden_links_and_hidden_neighbours_are_absent() -> None:
    """A link shows when it and its far end may both be seen."""
    middle, seen, unseen = make_record(key="1"), make_record(key="2"), make_record(key="3", label=HIDDEN)
    links = [make_link(middle, seen, label=HIDDEN), make_link(middle, unseen)]
    store = _store([middle, seen, unseen], links)

    def count(organisation: str) -> int:
        view = store.view(make_observer(organisation=organisation))
        return view.neighbours(view.entity_of(middle.thing).id).total

    assert count("ORG") == 0
    assert count("OTHER") == 2


def test_neighbours_are_narrowed_and_paged() -> None:
    """Types keep links of these schemata; pages follow each other to the end."""
    middle, *others = _people("Middle", "Ada", "Bela", "Cleo")
    links = [
        make_link(middle, other, schema)
        for other, schema in zip(others, ("Family", "Family", "Associate"), strict=True)
    ]
    view = _store([middle, *others], links).view(make_observer())
    id_ = view.entity_of(middle.thing).id

    first = view.neighbours(id_, first=2)
    second = view.neighbours(id_, first=2, after=first.cursors[-1])

    assert [n.link.schema for n in (*first.items, *second.items)] == ["Associate", "Family", "Family"]
    assert (first.has_next, second.has_next, first.total) == (True, False, 3)
    assert {n.entity.caption for n in view.neighbours(id_, types=["Family"]).items} == {"Ada", "Bela"}


def test_the_latest_version_of_a_link_shows() -> None:
    """A source that says a link again says one link."""
    left, right = make_record(key="1"), make_record(key="2")
    links = [
        make_link(left, right, "Ownership", properties={"percentage": [share]}, minute=minute)
        for share, minute in (("20", 0), ("30", 5))
    ]
    view = _store([left, right], links).view(make_observer())

    found = view.neighbours(view.entity_of(left.thing).id).items

    assert [n.link.values for n in found] == [{"percentage": ("30",)}]


def test_a_link_inside_an_entity_is_no_neighbour() -> None:
    """Two records of one phone that a source has linked are still one phone."""
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "12"]
    view = _store(phones, [make_link(phones[0], phones[1])]).view(make_observer())

    assert view.neighbours(view.entity_of(phones[0].thing).id).total == 0


@given(st.lists(st.sampled_from([-4.0, -0.3, 0.1, 2.7, 9.0]), max_size=4))
def test_an_explanation_adds_up(weights: list[float]) -> None:
    """Prior and weights sum to the total, and the total against the stop is the verdict."""
    view, ids = _compared(weights)
    assume(-3.0 + sum(max(weight, 0.0) for weight in weights) >= 4.0)

    found = view.explain(*ids)

    assert found.total == pytest.approx(-3.0 + sum(weights), abs=1e-6)
    assert [w.weight for w in found.weights] == weights
    assert found.total is not None
    assert found.same == (found.total >= 4.0) == (view.entity(ids[0]) == view.entity(ids[1]))


def test_an_explanation_names_only_visible_comparisons() -> None:
    """To the analyst a name weighs by equality and notes weigh nothing."""
    view, ids = _compared([8.0, 3.0], properties=("name", "notes"), tier="analyst", label=SUSPECT)

    found = view.explain(*ids)

    assert [(w.comparison, w.weight, w.level) for w in found.weights] == [("0", 8.0, "equal")]
    assert found.total == 5.0


def test_a_pair_that_leans_on_hidden_weights_is_not_told() -> None:
    """That a pair is stored for what others see in it says nothing to who sees too little."""
    view, ids = _compared([5.0, 30.0], properties=("name", "notes"), tier="analyst", label=SUSPECT)

    assert (view.explain(*ids).by, view.explain(*ids).same) == ("nothing", False)


def test_an_equal_identifier_explains_itself() -> None:
    """Two records with one number need no bits; two strangers have none."""
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "12"]
    view = _store([*phones, make_record(key="3")]).view(make_observer())
    ids = [view.entity_of(thing).records for thing in (phones[0].thing, make_record(key="3").thing)]

    assert view.explain(ids[0][0].id, ids[0][1].id).by == "identifier"
    assert view.explain(ids[0][0].id, ids[1][0].id).by == "nothing"
    assert view.explain(ids[0][0].id, ids[1][0].id).total is None


@given(
    VALUES, VALUES, st.sampled_from(["ngo", "analyst", "investigator"]), st.sampled_from(["victim", "suspect", "none"])
)
def test_what_is_withheld_follows_policy_and_label(
    left: dict[str, list[str]], right: dict[str, list[str]], tier: str, category: str
) -> None:
    """An entity is marked the same whatever its values are, and whether it has any."""
    observer = make_observer(tier, organisation="LAB")
    label = make_label(category=category, owner="OWNER")

    shown = [
        _store([record]).view(observer).entity_of(record.thing)
        for record in (make_record(label=label, properties=values) for values in (left, right))
    ]

    assert shown[0].redactions == shown[1].redactions


def test_each_value_names_where_it_comes_from() -> None:
    """A value that two sources give has both."""
    number = ["+40712345678"]
    phones = [make_record("Phone", "1", source=source, properties={"number": number}) for source in ("one", "two")]
    entity = _store(phones).view(make_observer()).entity_of(phones[0].thing)

    assert entity.values["number"] == tuple(number)
    assert {(value, where.source) for value, where in entity.provenance("number")} == {
        (number[0], "one"),
        (number[0], "two"),
    }


def test_counts_are_of_what_is_visible() -> None:
    """Entities, not records; the hidden are not among them."""
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}) for key in "12"]
    view = _store([*phones, make_record(key="3"), make_record(key="4", label=HIDDEN)]).view(make_observer())

    assert view.counts() == {"Person": 1, "Phone": 1}


def test_absent_hidden_and_foreign_ids_are_the_same() -> None:
    """Whatever an observer may not have gives one error, in every question that takes an id."""
    hidden, seen = make_record(key="1", label=HIDDEN), make_record(key="2")
    store = _store([hidden, seen])
    view = store.view(make_observer())
    insider = store.view(make_observer(organisation="OTHER"))
    own_but_hidden = view._handles.seal("entity", hidden.thing)

    for id_ in ("nothing", insider.entity_of(hidden.thing).id, own_but_hidden, insider.entity_of(seen.thing).id):
        for ask in (view.entity, view.neighbours, view.thing_of, lambda id_: view.explain(id_, id_)):
            with pytest.raises(NotVisible, match=r"^nothing by that id is visible to this observer$"):
                ask(id_)


def test_records_in_full_are_for_resolution_alone() -> None:
    """No observer who can be added streams untreated records."""
    store = _store([make_record(), make_record("Phone", "2", properties={"number": ["+40712345678"]})])

    assert [record.schema for record in store.view(SYSTEM).iter_records(["LegalEntity"])] == ["Person"]
    with pytest.raises(NotVisible):
        next(store.view(make_observer()).iter_records(["Person"]))


def _compared(
    weights: Sequence[float], *, properties: Sequence[str] = (), tier: str = "investigator", label: object = None
) -> tuple[View, tuple[str, str]]:
    """Return a View of two people compared with these weights, and their ids."""
    marked = SUSPECT if label else None
    left, right = (make_record(key=key, label=marked) for key in "12")
    names = properties or ["name"] * len(weights)
    evidence = tuple(
        Evidence(str(place), (name,), weight, weight, "alike")
        for place, (name, weight) in enumerate(zip(names, weights, strict=True))
    )
    ends = sorted((left.id, right.id))
    key = BlockingKey("name", ("name",), is_equality=True)
    pair = Pair(ends[0], ends[1], "model-1", -3.0, 4.0, (key,), evidence, START)
    view = _store([left, right], pairs=[pair]).view(make_observer(tier))
    return view, (view._handles.seal("entity", left.thing), view._handles.seal("entity", right.thing))


def test_resolution_reads_what_is_current_for_anybody() -> None:
    """A hidden newer version does not keep the visible older one from being compared."""
    older, newer = make_record(key="1"), make_record(key="1", label=make_label(tlp="RED"), minute=9)
    superseded = make_record(key="1", minute=-9, sequence=1)
    view = _store([older, newer, superseded]).view(SYSTEM)

    assert {record.id for record in view.iter_records(["Person"])} == {older.id, newer.id}


def test_the_order_of_hidden_values_joins_nothing() -> None:
    """A phone with two numbers has one key, whichever its source names first."""
    numbers = ["+40712345678", "+40712345679"]
    counts = [
        _store(
            [
                make_record("Phone", "1", label=SUSPECT, properties={"number": order}),
                make_record("Phone", "2", label=SUSPECT, properties={"number": numbers[:1]}),
            ]
        )
        .view(make_observer("analyst"))
        .counts()
        for order in (numbers, numbers[::-1])
    ]

    assert counts[0] == counts[1]


def test_many_matches_are_ranked_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clustering everything and walking out from each match give one page."""
    people = [make_record(key=str(i), properties={"name": [f"Ada {i % 4}"]}) for i in range(9)]
    walked = _store(people).view(make_observer()).search("ada", first=5)
    monkeypatch.setattr("graph.view.MANY", 3)
    clustered = _store(people).view(make_observer()).search("ada", first=5)

    assert walked == clustered


def test_a_cursor_opens_for_its_own_question_alone() -> None:
    """Another text, schema, organisation, right, kind of list or moment: each the same error."""
    store = _store(_people("Ada One", "Ada Two", "Ada Three"))
    observer = make_observer()
    cursor = store.view(observer).search("ada", first=1).cursors[0]
    moment = START + timedelta(hours=1)

    assert store.view(observer).search("ada", first=5, after=cursor).total == 3
    for view, text, schema in (
        (store.view(observer), "two", None),
        (store.view(observer), "ada", "Person"),
        (store.view(make_observer(organisation="OTHER")), "ada", None),
        (store.view(make_observer(cases=("A",))), "ada", None),
        (store.view(observer, moment), "ada", None),
    ):
        with pytest.raises(InvalidCursor):
            view.search(text, schema=schema, after=cursor)
    with pytest.raises(InvalidCursor):
        store.view(observer).neighbours(store.view(observer).search("ada").items[0].id, after=cursor)


def test_a_cursor_holds_nothing_of_its_place() -> None:
    """Neither the id of the last item nor its thing stands in a cursor."""
    (person,) = _people("Ada Example")
    page = _store([person]).view(make_observer()).search("ada")

    assert page.items[0].id not in page.cursors[0]
    assert person.thing not in page.cursors[0]


def test_a_cube_counts_entities_of_past_months_from_the_floor_on() -> None:
    """Twelve in one country are rounded to ten, thirty-one in another to thirty; this month's are not counted yet."""
    label = make_label(category="victim", purposes=("statistics",))
    groups = (("Hamburg, Germany", 12, -60), ("Lyon, France", 31, -60), ("Hamburg, Germany", 40, 60))
    records = [
        make_record(
            key=f"{place} {number} {days}",
            label=label,
            properties={"exploitationType": ["labour"], "exploitationPlace": [place]},
            minute=days * 24 * 60,
        )
        for place, count, days in groups
        for number in range(count)
    ]
    view = _store(records).view(make_observer("public", organisation="", purpose="statistics"))

    tables = {table.cube.name: table for table in view.cubes()}

    table = tables.pop("victims_by_exploitation_and_country")
    assert table.cells == {("labour", "France"): 30, ("labour", "Germany"): 10}
    assert (table.rows, table.total) == ({"labour": 45}, 45)
    assert {name: (dict(t.cells), t.total) for name, t in tables.items()} == {
        "victims_by_nationality_and_recruitment": ({}, None)
    }


@pytest.mark.parametrize("seed", range(12))
def test_neighbours_of_many_are_those_of_each(seed: int) -> None:
    """Asked for together, the neighbours of some entities come on the same pages with the same cursors as singly."""
    observer, world, _ = draw_pair(seed)
    store = build(world)
    view = store.view(observer)
    entities = list({e.thing: e for e in view.entities_of([thing_of(key) for key in world.keys]).values()}.values())
    for first in (1, 20):
        together = view.neighbours_of(entities, first=first)

        assert together == [store.view(observer).neighbours(entity.id, first=first) for entity in entities]
        for entity, page in zip(entities, together, strict=True):
            for cursor in page.cursors:
                (after,) = view.neighbours_of([entity], first=1, after=cursor)
                assert after == store.view(observer).neighbours(entity.id, first=1, after=cursor)


def _ask_beyond_the_end(id_: str, view: View) -> object:
    try:
        return view.neighbours(id_, after="no cursor")
    except InvalidCursor as refused:
        return str(refused)


_ASKED: Sequence[Callable[[str, View], object]] = (
    lambda i, v: v.entity(i, with_links=True),
    lambda i, v: v.entity(i),
    lambda i, v: v.neighbours(i, first=2),
    lambda i, v: v.neighbours_of([v.entity(i)]),
    lambda i, v: v.neighbours_of([v.entity(i, with_links=True)], first=1),
    lambda i, v: v.explain(i, i),
    _ask_beyond_the_end,
)


@pytest.mark.parametrize("seed", range(24))
def test_answers_do_not_depend_on_what_was_asked_before(seed: int) -> None:
    """One View, asked in any order for entities with and without links, neighbours and hits, answers as a new one would."""
    observer, world, _ = draw_pair(seed)
    store, random = build(world), Random(seed)
    view = store.view(observer)
    ids = [view.handle("entity", thing) for thing in view.visible_things([thing_of(key) for key in world.keys])]
    asked = [partial(ask, id_) for id_ in ids for ask in _ASKED]
    asked += [partial(lambda word, v: v.search_hits(word), word) for word in WORDS]
    random.shuffle(asked)

    for question in asked:
        assert question(view) == question(store.view(observer))
