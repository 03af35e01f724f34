"""Training: a model's chances from records that nobody has judged, by expectation maximisation.

`u` comes from pairs drawn at random, nearly all of which are of two things; `m`
from the pairs that each key proposes, by the comparisons that the key does not
read (Fellegi and Sunter 1969; Winkler 1988): among pairs that share a name,
names tell nothing of how often names agree. What the model had before counts as
so many pairs more, so that a level which is rare here keeps its weight. Both are
counted over at most `MOST_PAIRS` pairs, so the cost does not grow with their number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import log, log2

import numpy as np
import numpy.typing as npt

from ontology.record import Record
from resolution.model import Chance, Comparison, Level, Model
from resolution.table import MISSING, Compared, Findings, compare_table

# Of more proposed pairs so many are counted, drawn at random.
MOST_PAIRS = 1_000_000
_SEED = 1
# What the model had before counts as so many pairs of one thing, and of two.
_KNOWN_M = 50.0
_KNOWN_U = 2_000.0
_KNOWN_BLOCK_U = 100.0
_ROUNDS = 50
_LEAST = 1e-7
# The fewest pairs of a key that say anything.
_FEWEST = 30
_FITS = 3
_FARTHEST = 6.0  # bits by which a prior may differ from the guess
# So many records say as much of the prior as the guess does.
_FEW_RECORDS = 50
_NUDGE = 1e-9

Counts = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int64]
# Of each comparison, m and u of its levels.
Chances = list[tuple[Counts, Counts]]


@dataclass(frozen=True, slots=True)
class Patterns:
    """Distinct findings of pairs: levels (n, comparisons) by place, -1 missing; the rules that proposed; how many."""

    levels: Levels
    rules: Levels
    counts: Counts


def train_model(records: Iterable[Record], model: Model) -> Model:
    """Return the model with chances, and a prior, that fit these records; its keys and stop stay.

    The same for the same records in any order. With fewer than two records the
    model itself.
    """
    return fit_model(compare_table(records, model, draws=True), model)


def fit_model(compared: Compared, model: Model) -> Model:
    """Return the model with chances, and a prior, that fit a table which it compared with draws; its keys and stop stay."""
    count = len(compared.places)
    if compared.drawn is None or count < 2:
        return model
    chances, prior = _fit(_count(compared.drawn), _count(compared.proposed), model, count)
    comparisons = tuple(
        replace(comparison, levels=_make_levels(comparison, *chance))
        for comparison, chance in zip(model.comparisons, chances, strict=True)
    )
    digest = sha256(repr((comparisons, prior)).encode()).hexdigest()[:8]
    return replace(model, comparisons=comparisons, prior=prior, version=f"{model.name}-trained-{digest}")


def _fit(drawn: Patterns, proposed: Patterns, model: Model, count: int) -> tuple[Chances, float]:
    """Return chances and prior that fit; a few rounds, since pairs of one thing are among those drawn at random."""
    known = chances = _list_chances(model)
    prior = guess_prior(count)
    for _ in range(_FITS):
        u = _estimate_u(drawn, known, chances, prior)
        m = _estimate_m(proposed, model, known, u)
        chances = [_keep_fixed(*of) for of in zip(model.comparisons, m, u, strict=True)]
        prior = find_prior(_weigh(proposed, chances) / log(2), proposed.counts, count)
    return chances, prior


def _estimate_m(proposed: Patterns, model: Model, known: Chances, u: Sequence[Counts]) -> list[Counts]:
    """Return how often each level shows among pairs of one thing, counted key by key."""
    counted = [_KNOWN_M * m / m.sum() for m, _ in known]
    for place, rule in enumerate(model.keys):
        chosen = (proposed.rules >> place) & 1 == 1
        patterns = Patterns(proposed.levels[chosen], proposed.rules[chosen], proposed.counts[chosen])
        if patterns.counts.sum() < _FEWEST:
            continue
        read = {of for of, _ in rule.parts}
        told = [comparison.name not in read for comparison in model.comparisons]
        of_one = _find_those_of_one(patterns, known, u, told)
        for i, is_told in enumerate(told):
            if is_told:
                counted[i] = counted[i] + _count_levels(patterns.levels[:, i], of_one, len(u[i]))
    return [counts / counts.sum() for counts in counted]


def _find_those_of_one(patterns: Patterns, known: Chances, u: Sequence[Counts], told: Sequence[bool]) -> Counts:
    """Return how many pairs of each pattern that a key proposes are of one thing, by expectation maximisation.

    Pairs of two things that share a key share more than others do: siblings an
    address and a surname. So both have chances of their own there, which begin
    as they are known to be elsewhere; but what the key reads and so is not `told`
    begins, for two things, as all its pairs show it.
    """
    u = [
        of_two if is_told else _smooth(_count_levels(patterns.levels[:, i], patterns.counts, len(of_two)))
        for i, (of_two, is_told) in enumerate(zip(u, told, strict=True))
    ]
    chances = [(m / m.sum(), of_two) for (m, _), of_two in zip(known, u, strict=True)]
    share = 0.5
    of_one = patterns.counts
    for _ in range(_ROUNDS):
        of_one = patterns.counts * _share(_weigh(patterns, chances), log(share / (1 - share)))
        share = float(np.clip(of_one.sum() / patterns.counts.sum(), 0.001, 0.999))
        for i, (known_m, _) in enumerate(known):
            levels, number = patterns.levels[:, i], len(known_m)
            found = (
                _count_levels(levels, of_one, number) + _KNOWN_M * known_m,
                _count_levels(levels, patterns.counts - of_one, number) + _KNOWN_BLOCK_U * u[i],
            )
            chances[i] = (found[0] / found[0].sum(), found[1] / found[1].sum())
    return of_one


def _keep_fixed(comparison: Comparison, m: Counts, u: Counts) -> tuple[Counts, Counts]:
    """Return the chances with those levels that are fixed as they were."""
    fixed = np.array([level.is_fixed for level in comparison.levels])
    known_m, known_u = _list_levels(comparison)
    return np.where(fixed, known_m, m), np.where(fixed, known_u, u)


def guess_prior(count: int) -> float:
    """Return the prior in bits of two of so many records when each has about one other of its thing."""
    return -log2(max(2, count))


def _count(findings: Findings) -> Patterns:
    """Count what pairs showed, in `MOST_PAIRS` of them when there are more."""
    number = len(findings.rules)
    if number > MOST_PAIRS:
        findings = findings.take(np.random.default_rng(_SEED).choice(number, MOST_PAIRS, replace=False))
    rows = np.column_stack((findings.levels, findings.rules))
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    return Patterns(distinct[:, :-1], distinct[:, -1], counts * max(1.0, number / MOST_PAIRS))


def _list_chances(model: Model) -> Chances:
    return [_list_levels(comparison) for comparison in model.comparisons]


def _list_levels(comparison: Comparison) -> tuple[Counts, Counts]:
    chances = [level.chance for level in comparison.levels]
    return np.array([chance.m for chance in chances]), np.array([chance.u for chance in chances])


def _weigh(patterns: Patterns, chances: Chances) -> Counts:
    """Return what all comparisons add up to in each pattern, in natural units."""
    total = np.zeros(len(patterns.counts))
    for place, (m, u) in enumerate(chances):
        levels = patterns.levels[:, place]
        total += np.where(levels == MISSING, 0.0, np.log(m / u)[levels])
    return total


def _share(weights: Counts, odds: float) -> Counts:
    """Return the probability of each pattern to be of one thing, from its weight and the odds before it."""
    return 1.0 / (1.0 + np.exp(-np.clip(weights + odds, -500, 500)))


def _count_levels(levels: Levels, counts: Counts, number: int) -> Counts:
    said = levels != MISSING
    return np.bincount(levels[said], weights=counts[said], minlength=number).astype(np.float64)


def _smooth(counts: Counts) -> Counts:
    smooth: Counts = (counts + 1.0) / (counts + 1.0).sum()
    return smooth


def _estimate_u(drawn: Patterns, known: Chances, chances: Chances, prior: float) -> list[Counts]:
    """Return how often each level shows among pairs of two things: of those drawn, less what is likely of one."""
    of_two = drawn.counts * (1 - _share(_weigh(drawn, chances), prior * log(2)))
    found = []
    for place, (_, u) in enumerate(known):
        counted = _count_levels(drawn.levels[:, place], of_two, len(u))
        total = max(1.0, counted.sum())
        # What never showed is rarer than one in all that were drawn, and need not be rarer than it was known to be.
        least = np.minimum(u, 1 / total)
        found.append(np.maximum((counted + _KNOWN_U * u) / (total + _KNOWN_U), least))
    return found


def find_prior(weights: Counts, counts: Counts | float, count: int) -> float:
    """Return the prior in bits under which as many pairs of a table are of one thing as their weights then say.

    `weights` are those of the proposed pairs, in bits and without a prior, each
    had by so many pairs as `counts` says; `count` is the number of records. Few
    records say little, so with them it stays near the guess.
    """
    prior = guess = guess_prior(count)
    for _ in range(_ROUNDS):
        likely = float((counts * _share(weights * log(2), prior * log(2))).sum())
        prior = log2(max(likely, 1.0) / (count * (count - 1) / 2))
    found = min(max(prior, guess - _FARTHEST), guess + _FARTHEST)
    return guess + (found - guess) * count / (count + _FEW_RECORDS)


def _make_levels(comparison: Comparison, m: Counts, u: Counts) -> tuple[Level, ...]:
    """Return levels with other chances, which all weigh differently (see `read_model`)."""
    levels: list[Level] = []
    seen = {0.0}
    for level, one, two in zip(comparison.levels, m.tolist(), u.tolist(), strict=True):
        chance = Chance(min(max(one, _LEAST), 1 - _LEAST), min(max(two, _LEAST), 1 - _LEAST))
        while chance.weight in seen:
            chance = replace(chance, u=chance.u * (1 - _NUDGE))
        seen.add(chance.weight)
        levels.append(replace(level, chance=chance))
    return tuple(levels)
