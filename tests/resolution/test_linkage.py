"""Linkage: equal to a plain loop over clusters, for small and large components, and a function of each alone."""

from itertools import combinations
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolution import linkage
from resolution.linkage import find_clusters

STOP = 4.0
ABSENT = 0.0
Pairs = dict[tuple[int, int], float]

# Eighths of bits are exact, so that ties are ties however they are added up.
WEIGHTS = st.integers(-40, 80).map(lambda n: n / 8)


@st.composite
def draw_pairs(draw: st.DrawFn) -> tuple[int, Pairs]:
    """Draw how many records there are, and weights of some of their pairs."""
    count = draw(st.integers(1, 9))
    known = list(combinations(range(count), 2))
    chosen = draw(st.lists(st.sampled_from(known), unique=True)) if known else []
    return count, {pair: draw(WEIGHTS) for pair in chosen}


def _find(count: int, pairs: Pairs) -> list[int]:
    ends = np.array(list(pairs), np.int64).reshape(-1, 2)
    weights = np.array(list(pairs.values()), np.float64)
    return list(map(int, find_clusters(count, ends[:, 0], ends[:, 1], weights, STOP, absent=ABSENT)))


def _link_plainly(count: int, pairs: Pairs) -> list[int]:
    """Join the two clusters that are best to join, again and again."""
    clusters = [{record} for record in range(count)]
    while len(clusters) > 1:
        rated = []
        for one, other in combinations(sorted(clusters, key=min), 2):
            between = [pairs.get((min(x, y), max(x, y)), ABSENT) for x in one for y in other]
            rated.append((max(between) / 2 + sum(between) / len(between) / 2, -min(one), -min(other), one, other))
        best, *_, one, other = max(rated, key=lambda r: r[:3])
        if best < STOP:
            break
        clusters = [c for c in clusters if c not in (one, other)] + [one | other]
    return [min(next(c for c in clusters if record in c)) for record in range(count)]


@given(draw_pairs())
def test_it_is_mixed_linkage(drawn: tuple[int, Pairs]) -> None:
    """Clusters are those of a plain loop, whichever way their component goes."""
    expected = _link_plainly(*drawn)

    assert _find(*drawn) == expected
    with patch.object(linkage, "MOST_AT_ONCE", 1):
        assert _find(*drawn) == expected


@given(draw_pairs(), draw_pairs())
def test_a_cluster_is_a_function_of_its_component(one: tuple[int, Pairs], other: tuple[int, Pairs]) -> None:
    """What else there is, however like it, makes no difference."""
    (count, pairs), (more, others) = one, other
    both = pairs | {(left + count, right + count): weight for (left, right), weight in others.items()}

    assert _find(count + more, both) == [*_find(count, pairs), *(first + count for first in _find(more, others))]


@given(draw_pairs(), st.randoms(use_true_random=False))
def test_the_order_of_pairs_makes_no_difference(drawn: tuple[int, Pairs], random: Random) -> None:
    """Pairs may come in any order, and either record first."""
    count, pairs = drawn
    shuffled = list(pairs.items())
    random.shuffle(shuffled)
    turned = np.array([pair[::-1] for pair, _ in shuffled], np.int64).reshape(-1, 2)

    weights = np.array([weight for _, weight in shuffled], np.float64)
    found = find_clusters(count, turned[:, 0], turned[:, 1], weights, STOP, absent=ABSENT)

    assert found.tolist() == _find(count, pairs)


def test_one_lucky_pair_joins_no_two_families() -> None:
    """Two groups whose members are sure of each other stay two, though one pair across reaches the stop."""
    families: Pairs = {pair: 12.0 for group in ((0, 1, 2), (3, 4, 5)) for pair in combinations(group, 2)}

    assert _find(6, {**families, (2, 3): 5.0}) == [0, 0, 0, 3, 3, 3]
    assert _find(6, {**families, (2, 3): 12.0, (1, 3): 12.0}) == [0] * 6


@pytest.mark.parametrize("at_once", [1, 50])
def test_what_must_be_apart_is_apart(at_once: int) -> None:
    """A pair that is never to be together is not brought together by a third, however sure that is of both."""
    with patch.object(linkage, "MOST_AT_ONCE", at_once):
        found = _find(3, {(0, 1): 40.0, (1, 2): 30.0, (0, 2): float("-inf")})

    assert found == [0, 0, 2]


def test_a_component_may_be_large() -> None:
    """A thousand records that are one, and no pairs at all, are linked too."""
    chain = {(n, n + 1): 30.0 for n in range(999)}
    star = {(0, n): 30.0 for n in range(1, 1000)}

    assert len(set(_find(1000, {**chain, **star}))) < 1000
    assert _find(3, {}) == [0, 1, 2]
