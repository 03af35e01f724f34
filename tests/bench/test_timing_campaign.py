"""The timing campaign: its statistics, a short budget of it, and proof that work on hidden things is found."""

from collections.abc import Collection
from hashlib import sha256
from itertools import product

import numpy as np
import pytest
from scipy import stats

from bench.campaigns.timing import (
    ABSENT,
    AGAIN,
    ARMS,
    NEAR,
    PRESENT,
    QUESTIONS,
    T_GOAL,
    best_auc,
    difference,
    draw_stores,
    in_process,
    over_http,
    take_samples,
    welch_t,
)
from graph.memory import MemoryStore
from graph.store import Scope
from ontology.observer import SYSTEM
from ontology.record import Record

ONE = np.random.default_rng(4).lognormal(0.0, 1.0, 400)
OTHER = np.random.default_rng(5).lognormal(0.2, 1.3, 300)


def test_statistics_are_those_of_the_books() -> None:
    """Welch's t is scipy's, and the area under the curve is Mann and Whitney's U by the number of pairs."""
    u = stats.mannwhitneyu(OTHER, ONE).statistic / (len(ONE) * len(OTHER))

    assert welch_t(ONE, OTHER) == pytest.approx(stats.ttest_ind(OTHER, ONE, equal_var=False).statistic)
    assert best_auc(ONE, OTHER) == best_auc(OTHER, ONE) == pytest.approx(max(u, 1 - u))
    assert best_auc(ONE, ONE) == 0.5


def test_the_slowest_of_both_arms_are_cropped_alike() -> None:
    """One slow answer in a hundred drowns a difference until it is left out."""
    one = np.tile([1.0, 1.1], 500)
    slow = np.where(np.arange(1000) % 100 == 0, 1000.0, 0.0)

    found = difference(one + slow, one + 0.1 + slow)

    assert abs(found.t) < T_GOAL < found.t_cropped
    assert found.medians == pytest.approx((1.1, 1.2))


def test_arms_differ_in_what_is_hidden_alone() -> None:
    """All arms answer every question alike, in process and over HTTP, and one of them holds more."""
    _, stores = draw_stores(1)
    held = {arm: len(stores[arm].view(SYSTEM).visible_things(_things(stores[arm]))) for arm in ARMS}

    samples = [take_samples(serve, 1, 1) for serve in (in_process, over_http)]

    assert held[PRESENT] == held[ABSENT] + NEAR == held[AGAIN] + NEAR
    assert [found.unequal for found in samples] == [0, 0]
    assert all(len(found.of(q.name, arm)) == 1 for found in samples for q, arm in product(QUESTIONS, ARMS))


def test_time_spent_on_what_is_hidden_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that works on every hidden record it passes is told from one that has none to pass."""
    by_thing = MemoryStore.records_by_thing

    def linger(store: MemoryStore, scope: Scope, things: Collection[str]) -> list[Record]:
        found = by_thing(store, scope, things)
        passed = len(store._records_by_thing.find(things)) - len(found)
        sha256(bytes(1_000_000 * passed))
        return found

    monkeypatch.setattr(MemoryStore, "records_by_thing", linger)

    samples = take_samples(in_process, 20, 1)

    told = difference(samples.of("hidden_entity", ABSENT), samples.of("hidden_entity", PRESENT))
    assert told.t_cropped > T_GOAL
    assert told.auc > 0.9


def _things(store: object) -> set[str]:
    assert isinstance(store, MemoryStore)
    return {record.thing for record in store._records.values()}
