"""What a reader finds around things in one question is what it finds in many, and is bounded as they are."""

import re
from collections.abc import Callable
from random import Random

import pytest

from graph import cypher
from graph.store import Keyed, Scope, Store, Surroundings
from ontology.key import make_key
from ontology.observer import SYSTEM
from ontology.schema import default_ontology
from tests.conftest import BOLT_ENGINES, MEMORY
from tests.worlds.world import fill, make_world

ONTOLOGY = default_ontology()
TEXTS = {"plain": cypher.SURROUNDINGS, "with links": cypher.surroundings_and_links(ONTOLOGY)}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_variable_is_bound(text: str) -> None:
    """No node is matched whose label and moment are not asked for; a pair, which has no label, by its records."""
    matched = re.findall(r"\((\w+):(?:Record|Judgement)", text)
    for variable in set(matched):
        is_judged = f"({variable}:Judgement" in text
        lids = f"all(lid IN {variable}.grounds WHERE lid IN $allowed)" if is_judged else f"{variable}.lid IN $allowed"
        bound = f"{lids} AND {variable}.recorded_at <= $as_of"
        assert text.count(bound) >= matched.count(variable) > 0
    assert "r.recorded_at <= $as_of" in text


@pytest.mark.parametrize("engine_name", [MEMORY, *BOLT_ENGINES])
def test_one_question_finds_what_many_find(make_store: Callable[[], Store]) -> None:
    """Records, keys, pairs, judgements and links around the things asked for, within the scope, are those of the others."""
    for seed in range(6):
        store = make_store()
        fill(make_world(Random(seed)), store)
        view = store.view(SYSTEM)
        reader, labels = view._reader, view._reader.labels()
        everything = Scope(sorted(labels), view.as_of)
        records = [record for chunk in reader.iter_records(everything, ()) for record in chunk]
        things = sorted({record.thing for record in records})[::2]
        scope = Scope(sorted(labels)[1:], view.as_of)
        keyed = [Keyed([s.name for s in ONTOLOGY.things()], scope.allowed[: len(labels) // 2])]

        found = reader.surroundings(scope, things, keyed, with_links=True)

        assert set(things) <= set(found.things)
        assert found.labels == len(labels)
        asked = {r.id for r in reader.records_by_thing(scope, found.things)}
        assert {r.id for r in found.records} == asked
        assert {p.id for _, _, p in found.pairs} == {p.id for p in reader.pairs_of(scope, asked)}
        assert {j.id for j in found.judgements} == {j.id for j in reader.judgements_of(scope, found.things)}
        assert sorted(link.id for link in found.links) == sorted(link.id for link in reader.links_of(scope, things))
        _check_keyed(found, keyed[0])


@pytest.mark.parametrize("engine_name", [MEMORY, *BOLT_ENGINES])
@pytest.mark.parametrize("with_links", [False, True])
def test_nothing_lies_around_what_is_not_there(store: Store, with_links: bool) -> None:
    """Things that no record is about, or none in the scope, have nothing around them."""
    fill(make_world(Random(1)), store)
    view = store.view(SYSTEM)
    records = [r for chunk in view._reader.iter_records(view._scope, ()) for r in chunk]
    nowhere = Scope([], view.as_of)

    for scope, things in ((view._scope, ["0" * 32]), (nowhere, [records[0].thing]), (nowhere, [])):
        found = view._reader.surroundings(scope, things, [], with_links=with_links)

        assert not any((found.records, found.keyed, found.pairs, found.judgements, found.links))


def _check_keyed(found: Surroundings, keyed: Keyed) -> None:
    keys = {make_key(ONTOLOGY[r.schema], r.properties) for r in found.records if r.lid in keyed.lids} - {None}
    assert found.keyed.keys() == keys
    for record in found.records:
        key = make_key(ONTOLOGY[record.schema], record.properties)
        assert key not in keys or key is None or record.thing in found.keyed[key]
