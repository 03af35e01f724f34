"""Entities: which visible records are one thing."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.entities import choose_current, cluster_all
from graph.handle import Handles
from graph.memory import MemoryStore
from graph.shown import Entity
from graph.store import Batch, Scope
from graph.treat import Treater
from ontology.errors import NotVisible
from ontology.judgement import Judgement
from ontology.observer import Observer
from ontology.pair import BlockingKey, Evidence, Pair
from ontology.policy_file import POLICY_FILE, default_policy, make_policy
from ontology.record import Record
from ontology.schema import default_ontology
from tests.factory import SECRET, START, make_label, make_observer, make_record
from tests.worlds.world import OBSERVERS, build, make_world

SUSPECT = make_label(category="suspect")
NUMBER = {"number": ["+40712345678"]}
NAME = BlockingKey("name", ("name",), is_equality=True)
YEAR = BlockingKey("year", ("birthDate",), is_equality=False)


def _store(records: Sequence[Record], pairs: Sequence[Pair] = (), judgements: Sequence[Judgement] = ()) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1))
    store.write(Batch(records=records, pairs=pairs, judgements=judgements))
    return store


def _pair(left: Record, right: Record, *evidence: Evidence, key: BlockingKey = NAME, minute: int = 0) -> Pair:
    ends = sorted((left.id, right.id))
    return Pair(ends[0], ends[1], "model-1", -3.0, 4.0, (key,), evidence, START + timedelta(minutes=minute))


def _by_name(weight: float, equality_weight: float | None = None) -> Evidence:
    return Evidence("name", ("name",), weight, weight if equality_weight is None else equality_weight, "alike")


def _is_one(store: MemoryStore, observer: Observer, left: Record, right: Record) -> bool:
    found = store.view(observer).entities_of([left.thing, right.thing])
    return found[left.thing] == found[right.thing]


@settings(max_examples=60)
@given(st.integers(min_value=0, max_value=2**32), st.sampled_from(OBSERVERS))
def test_walking_out_gives_what_clustering_everything_gives(seed: int, observer: Observer) -> None:
    """The entity around each visible record is its component of the whole, and nothing hidden has one."""
    store = build(make_world(Random(seed)))
    view = store.view(observer)
    clearance = default_policy().compile(observer, store.labels())
    treater = Treater(default_ontology(), clearance, Handles(SECRET, observer.organisation))

    clusters, _ = cluster_all(store, Scope(clearance.allowed, view.as_of), treater)

    for thing in sorted(_things(store)):
        found = view.entities_of([thing])
        assert set(found) == ({thing} & clusters.of.keys())
        for entity in found.values():
            assert entity.things == set(clusters.members[clusters.of[thing]])
            assert entity.thing == clusters.members[clusters.of[thing]][0]


@settings(max_examples=30)
@given(st.integers(min_value=0, max_value=2**32), st.sampled_from(OBSERVERS), st.randoms(use_true_random=False))
def test_the_order_of_importing_does_not_count(seed: int, observer: Observer, random: Random) -> None:
    """A store that was filled in another order shows the same entities."""
    store = build(make_world(Random(seed)))
    everything = Scope(sorted(store.labels()), START + timedelta(days=1))
    records = [record for chunk in store.iter_records(everything, ()) for record in chunk]
    pairs = [pair for chunk in store.iter_pairs(everything) for pair in chunk]
    judgements = [judgement for chunk in store.iter_judgements(everything) for judgement in chunk]
    random.shuffle(records)
    random.shuffle(pairs)
    random.shuffle(judgements)

    there, back = (_store(records, pairs, judgements), _store(records[::-1], pairs[::-1], judgements[::-1]))

    assert _entities(there, observer) == _entities(back, observer)


def test_one_number_is_one_phone() -> None:
    """Records of two sources with an equal identifier are one thing, named by the earliest."""
    late, early = (make_record("Phone", key, properties=NUMBER, minute=minute) for key, minute in (("1", 5), ("2", 0)))
    view = _store([late, early]).view(make_observer())

    entity = view.entity_of(late.thing)

    assert entity.things == {late.thing, early.thing}
    assert entity.thing == early.thing
    assert view.entity(view.entity_of(early.thing).id) == entity


def test_keys_must_be_seen_alike_to_be_equal() -> None:
    """A number in clear and one by pseudonym do not join for the analyst; to an investigator both are clear."""
    known = make_record("Phone", "1", properties=NUMBER)
    suspects = [make_record("Phone", key, properties=NUMBER, label=SUSPECT) for key in "23"]
    store = _store([known, *suspects])

    assert not _is_one(store, make_observer("analyst"), known, suspects[0])
    assert _is_one(store, make_observer("analyst"), *suspects)
    assert _is_one(store, make_observer(), known, suspects[0])


def test_a_pair_counts_from_its_stop() -> None:
    """Prior -3 and stop 4: seven bits join, anything less does not."""
    left, right, far = (make_record(key=key) for key in "123")
    store = _store([left, right, far], [_pair(left, right, _by_name(7.0)), _pair(left, far, _by_name(6.9))])

    assert _is_one(store, make_observer(), left, right)
    assert not _is_one(store, make_observer(), left, far)


def test_hidden_comparisons_do_not_count() -> None:
    """What joins two records for the case team does not join them for who sees less of them."""
    label = make_label(category="suspect", cases=("A",))
    left, right = (make_record(key=key, label=label) for key in "12")
    store = _store([left, right], [_pair(left, right, _by_name(9.0, 5.0))])

    assert _is_one(store, make_observer(cases=("A",)), left, right)
    assert not _is_one(store, make_observer("analyst"), left, right)
    assert not _is_one(store, make_observer("ngo", organisation="X"), left, right)


def test_a_pair_needs_a_key_that_can_be_seen() -> None:
    """Weights that would suffice do not count when the rule that proposed the pair reads what is hidden."""
    left, right = (make_record(key=key, label=SUSPECT) for key in "12")
    store = _store([left, right], [_pair(left, right, _by_name(9.0), key=YEAR)])

    assert not _is_one(store, make_observer("analyst"), left, right)


def test_a_bridge_that_is_hidden_joins_nothing() -> None:
    """Two records that are one thing by way of a third are two for who does not see the third."""
    left, right = make_record(key="1"), make_record(key="2")
    bridge = make_record(key="3", label=make_label(tlp="RED", owner="OTHER"))
    store = _store([left, right, bridge], [_pair(r, bridge, _by_name(9.0)) for r in (left, right)])

    assert not _is_one(store, make_observer(), left, right)
    assert _is_one(store, make_observer(organisation="OTHER"), left, right)


def test_a_later_record_supersedes_an_earlier_one() -> None:
    """The latest version shows; of one moment the later in the file; and both stay."""
    versions = [
        make_record(properties={"name": [name]}, minute=minute, sequence=sequence)
        for name, minute, sequence in (("Ada First", 0, 9), ("Ada Last", 5, 2), ("Ada Middle", 5, 1))
    ]
    store = _store(versions)

    assert store.view(make_observer()).entity_of(versions[0].thing).values["name"] == ("Ada Last",)
    before = store.view(make_observer(), START + timedelta(minutes=1))
    assert before.entity_of(versions[0].thing).values["name"] == ("Ada First",)


def test_a_superseded_version_joins_nothing() -> None:
    """A number that its source has corrected is no number of that phone any more."""
    other = make_record("Phone", "1", properties=NUMBER)
    wrong = make_record("Phone", "2", properties=NUMBER)
    right = make_record("Phone", "2", properties={"number": ["+40712345679"]}, minute=5)
    store = _store([other, wrong, right])

    assert not _is_one(store, make_observer(), other, right)
    assert store.view(make_observer(), START).entity_of(other.thing).things == {other.thing, wrong.thing}


def test_a_version_that_is_hidden_supersedes_nothing() -> None:
    """Who may not see the correction sees what they saw."""
    first = make_record()
    hidden = make_record(properties={"name": ["Ada Hidden"]}, minute=5, label=make_label(tlp="RED", owner="OTHER"))

    assert _store([first, hidden]).view(make_observer()).entity_of(first.thing).values["name"] == ("Ada Example",)


def test_facets_make_one_entity() -> None:
    """What a source marks higher is a part of the same thing for who may see it."""
    main = make_record()
    marked = make_record(
        properties={"alias": ["Adele"]}, facet="RED", label=make_label(tlp="RED", owner="OTHER"), minute=5
    )
    store = _store([main, marked])

    assert store.view(make_observer()).entity_of(main.thing).values == {"name": ("Ada Example",)}
    assert set(store.view(make_observer(organisation="OTHER")).entity_of(main.thing).values) == {"name", "alias"}


def test_nothing_is_there_before_it_was_recorded() -> None:
    """A View of yesterday knows neither the record nor the pair of today."""
    left, right, late = make_record(key="1"), make_record(key="2"), make_record(key="3", minute=9)
    store = _store([left, right, late], [_pair(left, right, _by_name(9.0), minute=5)])
    view = store.view(make_observer(), START + timedelta(minutes=1))

    assert view.entity_of(left.thing).things == {left.thing}
    assert view.counts() == {"Person": 2}
    with pytest.raises(NotVisible):
        view.entity_of(late.thing)


def test_current_records_do_not_hang_on_the_order_met() -> None:
    """The choice of the latest is the same whichever version an engine gives first."""
    records = [make_record(minute=minute, properties={"name": [f"Ada {minute}"]}) for minute in range(3)]
    records.append(make_record(facet="marked"))

    assert choose_current(records) == choose_current(records[::-1])
    assert [r.facet for r in choose_current(records)[records[0].thing]] == ["", "marked"]


def _things(store: MemoryStore) -> set[str]:
    everything = Scope(sorted(store.labels()), START + timedelta(days=1))
    return {record.thing for chunk in store.iter_records(everything, ()) for record in chunk}


def _entities(store: MemoryStore, observer: Observer) -> dict[str, Entity]:
    return store.view(observer).entities_of(sorted(_things(store)))


def test_a_tier_may_be_granted_the_merges_of_another() -> None:
    """Two names that an analyst sees by pseudonym are alike to an investigator; the policy may grant that alone."""
    data = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    data["tiers"]["analyst"]["merges"] = "of investigator"
    label = make_label(category="suspect", tlp="GREEN", owner="LAB")
    left, right = (make_record(key=key, label=label, properties={"name": [f"Ada {key}"]}) for key in "12")
    clear = BlockingKey("name", ("name",), is_equality=False)
    analyst = make_observer("analyst", organisation="LAB")

    found = {}
    for name, policy in (("shipped", default_policy()), ("granted", make_policy(data, "policy.yaml"))):
        store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=1), policy=policy)
        store.write(Batch(records=[left, right], pairs=[_pair(left, right, _by_name(9.0, -2.0), key=clear)]))
        found[name] = store.view(analyst).entities_of([left.thing, right.thing])

    assert len({entity.id for entity in found["shipped"].values()}) == 2
    assert len({entity.id for entity in found["granted"].values()}) == 1
    assert all(value.startswith("P-") for e in found["granted"].values() for value in e.values["name"])
