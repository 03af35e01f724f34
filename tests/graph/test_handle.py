"""Handles: ids and pseudonyms of one organisation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.handle import Handles
from graph.memory import MemoryStore
from graph.store import Batch
from ontology.errors import NotVisible
from tests.factory import SECRET, make_label, make_link, make_observer, make_record

KINDS = ("entity", "link", "alert", "watch")
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
kinds = st.sampled_from(KINDS)
ONE = Handles(SECRET, "ONE")
OTHER = Handles(SECRET, "OTHER")
LABEL = make_label(category="victim", tlp="GREEN", owner="HOME")
TEXT = "nothing by that id is visible to this observer"


@given(kinds, ids)
def test_what_is_sealed_opens(kind: str, identity: str) -> None:
    """An organisation can come back with an id that it was shown."""
    shown = ONE.seal(kind, identity)

    assert ONE.open(kind, shown) == identity
    assert identity not in shown
    assert Handles(SECRET, "ONE").seal(kind, identity) == shown


@given(kinds, kinds, ids)
def test_another_organisations_or_kinds_id_does_not_open(kind: str, asked: str, identity: str) -> None:
    """An id is of use to whom it was shown and for what it was shown alone, and always with the one error."""
    attempts = [OTHER.seal(kind, identity), Handles(b"x" * 32, "ONE").seal(kind, identity)]
    attempts += [ONE.seal(kind, identity)] if kind != asked else []

    for attempt in attempts:
        with pytest.raises(NotVisible, match=f"^{TEXT}$"):
            ONE.open(asked, attempt)


@given(ids, st.integers(min_value=0, max_value=42), st.characters(codec="ascii"))
def test_a_changed_id_does_not_open(identity: str, place: int, character: str) -> None:
    """No id can be made from another, not even another spelling of the same."""
    shown = ONE.seal("entity", identity)
    changed = shown[:place] + character + shown[place + 1 :]

    for attempt in {changed, shown + character, shown[:place] + character + shown[place:]} - {shown}:
        with pytest.raises(NotVisible):
            ONE.open("entity", attempt)


@pytest.mark.parametrize("attempt", ["", "A", "=", "é", "0" * 32, "no id at all", "A" * 10_000])
def test_nonsense_is_not_visible(attempt: str) -> None:
    """What never was an id gives the same answer as what is hidden."""
    with pytest.raises(NotVisible, match=f"^{TEXT}$"):
        ONE.open("entity", attempt)


@given(st.text(), st.text())
def test_pseudonyms_tell_equal_from_different(left: str, right: str) -> None:
    """Within an organisation a value has one name, and no other value has it."""
    assert (ONE.pseudonym("name", left) == ONE.pseudonym("name", right)) == (left == right)
    assert len(ONE.pseudonym("name", left)) == 12


def test_pseudonyms_of_two_organisations_or_types_cannot_be_matched() -> None:
    """Two organisations cannot find out by comparing notes that they hold the same value."""
    found = {ONE.pseudonym("name", "ada"), OTHER.pseudonym("name", "ada"), ONE.pseudonym("username", "ada")}

    assert len(found) == 3


def test_a_rank_is_known_to_nobody() -> None:
    """The order of ties is an organisation's own: neither that of stored ids, nor another's, nor of another secret."""
    identities = [f"{number:032x}" for number in range(100)]
    handles = (ONE, Handles(SECRET, "ONE"), OTHER, Handles(b"x" * 32, "ONE"))

    orders = [sorted(identities, key=one.rank) for one in handles]

    assert orders[0] == orders[1]
    assert all(orders[0] != other for other in (identities, orders[2], orders[3]))


def test_ties_go_by_rank_in_every_list() -> None:
    """Of things that look the same, those whose stored ids are less come no earlier, in any list."""
    records = [make_record("Phone", str(n), label=LABEL, properties={"number": [f"+4070000{n:04}"]}) for n in range(40)]
    ends = [make_link(records[0], other, label=LABEL) for other in records[1:]]
    store = MemoryStore(secret=SECRET)
    store.write(Batch(records=records, links=ends))
    # To an analyst every victim's phone looks like every other.
    view = store.view(make_observer("analyst", organisation="ONE", purpose="investigation"))
    entities = {entity.id: entity.thing for entity in view.entities_of([r.thing for r in records]).values()}
    found = [entity.thing for entity in view.find("Phone", [], first=100).items]
    beside = [
        n.entity.thing
        for n in view.neighbours(next(i for i, t in entities.items() if t == records[0].thing), first=100).items
    ]

    assert len(found) == 40
    assert found == sorted(found, key=ONE.rank)
    assert sorted(found) != found
    assert len(beside) == 39
    assert sorted(beside) != beside
