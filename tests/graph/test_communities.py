"""Communities: cells that are found apart, whatever their size, their hubs and the size of the graph."""

from collections.abc import Iterable, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.communities import METHODS, Community, find_communities
from graph.memory import MemoryStore
from graph.store import Batch
from graph.view import View
from ontology.record import Link, Record
from tests.factory import START, make_label, make_link, make_observer, make_record


def make_cell(name: str, size: int) -> tuple[list[Record], list[Link]]:
    """Return people who are all associates of each other."""
    people = [make_record(key=f"{name}{i}", properties={"name": [f"{name} {i}"]}) for i in range(size)]
    return people, [make_link(left, right, "Associate") for left, right in combinations(people, 2)]


def make_view(records: Iterable[Record], links: Iterable[Link], *, tier: str = "investigator") -> View:
    """Return what an investigator sees of these."""
    store = MemoryStore()
    store.write(Batch(records=list(records), links=list(links)))
    return store.view(make_observer(tier), START)


def names_of(communities: Sequence[Community]) -> list[set[str]]:
    """Return the captions of each community's members."""
    return [{member.caption for member in community.members} for community in communities]


def test_two_cells_with_one_link_between_them_stay_apart() -> None:
    """Each cell is one community; links are counted inside it alone."""
    (reds, red_links), (blues, blue_links) = make_cell("red", 6), make_cell("blue", 5)
    view = make_view([*reds, *blues], [*red_links, *blue_links, make_link(reds[0], blues[0])])

    found = find_communities(view)

    assert names_of(found) == [{f"red {i}" for i in range(6)}, {f"blue {i}" for i in range(5)}]
    assert [(c.number, c.size, c.links) for c in found] == [(1, 6, 15), (2, 5, 10)]


def test_small_cells_do_not_vanish_in_a_large_graph() -> None:
    """A hundred and fifty cells of six in a ring of single links are found one by one."""
    cells = [make_cell(f"cell{n}x", 6) for n in range(150)]
    bridges = [make_link(cells[n][0][0], cells[(n + 1) % 150][0][1]) for n in range(150)]
    view = make_view([r for people, _ in cells for r in people], [link for _, ls in cells for link in ls] + bridges)

    found = find_communities(view)

    assert sorted(map(sorted, names_of(found))) == sorted([f"cell{n}x {i}" for i in range(6)] for n in range(150))


def test_what_holds_a_cell_together_comes_first() -> None:
    """Members are ranked by their ties inside; one tie alone holds nothing together."""
    phone = make_record("Phone", "phone", properties={"number": ["+447700900101"]})
    ads = [make_record("Advertisement", f"ad{i}", properties={"title": [f"Offer {i}"]}) for i in range(4)]

    [found] = find_communities(make_view([*ads, phone], [make_link(ad, phone, "Mentions") for ad in ads]))

    assert found.members[0].caption == "+447700900101"
    assert [entity.caption for entity in found.shared] == ["+447700900101"]


def test_a_hub_does_not_join_what_it_touches() -> None:
    """One number that everybody called leaves four cells four."""
    cells = [make_cell(name, 6) for name in ("ash", "birch", "cedar", "dogwood")]
    hub = make_record("Phone", "hub", properties={"number": ["+447700900999"]})
    people = [person for members, _ in cells for person in members]
    links = [link for _, inside in cells for link in inside] + [make_link(person, hub, "Uses") for person in people]

    found = names_of(find_communities(make_view([*people, hub], links)))

    assert len(found) == 4
    assert all(len({name.split()[0] for name in names if name != "+447700900999"}) == 1 for names in found)


def test_where_an_advert_stood_is_no_tie_unless_asked_for() -> None:
    """Links to a board are left out by default and kept by name."""
    board = make_record("OnlineService", "board", properties={"domain": ["board.example"]})
    ads = [make_record("Advertisement", f"ad{i}", properties={"title": [f"Offer {i}"]}) for i in range(4)]
    view = make_view([*ads, board], [make_link(ad, board, "PostedOn") for ad in ads])

    assert find_communities(view) == []
    assert [c.size for c in find_communities(view, types=["PostedOn"])] == [5]


def test_nothing_comes_of_entities_without_links_or_of_pairs() -> None:
    """A thousand tags without links give no community, and a pair is too small for one."""
    wallets = [make_record(key=f"w{i}", properties={"name": [f"Person {i}"]}) for i in range(1000)]

    assert find_communities(make_view(wallets, [])) == []
    assert find_communities(make_view(wallets, [make_link(wallets[0], wallets[1])])) == []
    assert len(find_communities(make_view(wallets, [make_link(wallets[0], wallets[1])]), smallest=2)) == 1


def test_an_empty_view_has_no_communities() -> None:
    """No record, no community."""
    assert find_communities(make_view([], [])) == []


@pytest.mark.parametrize("method", METHODS)
def test_every_method_partitions_and_repeats_itself(method: str) -> None:
    """Nobody is in two communities, and asking again gives the same answer."""
    (reds, red_links), (blues, blue_links) = make_cell("red", 7), make_cell("blue", 6)
    view = make_view([*reds, *blues], [*red_links, *blue_links, make_link(reds[0], blues[0])])

    found = find_communities(view, method=method)
    members = [member.thing for community in found for member in community.members]

    assert len(members) == len(set(members)) == 13
    assert find_communities(view, method=method) == found


def test_an_unknown_method_is_named() -> None:
    """The error lists the methods there are."""
    with pytest.raises(ValueError, match="leiden, label_propagation, surprise, walktrap"):
        find_communities(make_view([], []), method="guess")


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30), st.integers(1, 30))
def test_what_is_hidden_changes_no_community(pairs: list[tuple[int, int]], hidden: int) -> None:
    """Records and links that an observer may not have leave their communities as they are."""
    secret = make_label(tlp="RED", owner="OTHER", category="suspect")
    people = [make_record(key=f"p{i}", properties={"name": [f"Person {i}"]}) for i in range(12)]
    links = [make_link(people[a], people[b]) for a, b in pairs if a != b]
    ghosts = [make_record(key=f"g{i}", label=secret) for i in range(hidden)]
    ties = [make_link(ghost, people[i % 12], label=secret) for i, ghost in enumerate(ghosts)]
    ties += [make_link(people[i % 12], people[(i * 5 + 1) % 12], "Associate", label=secret) for i in range(hidden)]

    assert find_communities(make_view([*people, *ghosts], [*links, *ties])) == find_communities(
        make_view(people, links)
    )
