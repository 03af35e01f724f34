"""Projections: a View's entities and links as arrays."""

from collections.abc import Sequence
from datetime import timedelta

from graph.entities import Joins, make_clusters
from graph.memory import MemoryStore
from graph.projection import Projection, make_projection
from graph.store import Batch
from ontology.record import Link, Record
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record

HIDDEN = make_label(tlp="RED", owner="OTHER")


def _project(records: Sequence[Record], links: Sequence[Link], **options: Sequence[str]) -> Projection:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=records))
    store.write(Batch(links=links))
    return store.view(make_observer()).projection(**options)


def _people(count: int) -> list[Record]:
    return [make_record(key=str(place), minute=place) for place in range(count)]


def test_edges_join_entities_in_order_of_time() -> None:
    """Entities come by time, edges sorted with the lower index first, whatever a link's direction."""
    first, second, third = people = _people(3)

    found = _project(people, [make_link(third, first), make_link(second, third)])

    assert found.things == (first.thing, second.thing, third.thing)
    assert found.edges.tolist() == [[0, 2], [1, 2]]
    assert found.weights.tolist() == [1.0, 1.0]


def test_a_weight_counts_distinct_links() -> None:
    """Another type, direction or source is another link; a version of one is not."""
    left, right = _people(2)
    links = [
        make_link(left, right),
        make_link(left, right, properties={"role": ["again"]}, minute=5),
        make_link(right, left),
        make_link(left, right, "Family"),
        make_link(left, right, source="other"),
    ]

    assert _project([left, right], links).weights.tolist() == [4.0]


def test_links_of_one_entity_meet() -> None:
    """Links to two records of one phone are links to one entity, and one between them is none."""
    person = make_record(key="0")
    phones = [make_record("Phone", key, properties={"number": ["+40712345678"]}, minute=5) for key in "12"]
    links = [*(make_link(phone, person, "Contact") for phone in phones), make_link(phones[0], phones[1])]

    found = _project([person, *phones], links)

    assert found.edges.tolist() == [[0, 1]]
    assert found.weights.tolist() == [2.0]


def test_types_keep_links_of_these_schemata() -> None:
    """The entities stay, the other links go."""
    left, right = _people(2)

    found = _project([left, right], [make_link(left, right)], types=["Family"])

    assert (len(found.things), found.edges.shape, found.weights.shape) == (2, (0, 2), (0,))


def test_what_is_hidden_is_in_no_array() -> None:
    """Neither a hidden entity nor a hidden link, nor a link to a hidden end, takes a place."""
    left, right, hidden = *_people(2), make_record(key="9", label=HIDDEN)
    links = [make_link(left, right, label=HIDDEN), make_link(left, hidden)]

    found = _project([left, right, hidden], links)

    assert found.things == (left.thing, right.thing)
    assert found.edges.tolist() == []


def test_nothing_gives_empty_arrays() -> None:
    """An empty View is no special case for algorithms."""
    found = make_projection(make_clusters({}, Joins(), str.encode), [])

    assert (found.things, found.edges.shape, found.weights.shape) == ((), (0, 2), (0,))
