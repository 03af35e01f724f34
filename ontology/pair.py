"""Pair and Evidence: two records that may be one thing, and what each comparison found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ontology.digest import make_id


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison of two records found, as match weight in bits.

    Weights are log2 Bayes factors (Fellegi and Sunter 1969) and add up with the
    prior. `properties` are those that the comparison reads. `weight` is the
    whole weight, term frequency included; `equality_weight` is what somebody
    who can only tell equal from different would find, without term frequency.
    `level` names the level reached, in words.
    """

    comparison: str
    properties: tuple[str, ...]
    weight: float
    equality_weight: float
    level: str


@dataclass(frozen=True, slots=True)
class BlockingKey:
    """A rule that proposed a pair: the properties that it reads.

    `is_equality` says that the rule compares whole values for equality, so a
    pseudonym shows as much; otherwise it needs the values in clear.
    """

    name: str
    properties: tuple[str, ...]
    is_equality: bool


@dataclass(frozen=True)
class Pair:
    """A scored pair of records (by record id, `left` < `right`) under one model version.

    `prior` and `stop` are in bits: the pair counts as one thing for an observer
    when prior plus the weights they may see reach `stop`.
    """

    left: str
    right: str
    model: str
    prior: float
    stop: float
    keys: tuple[BlockingKey, ...]
    evidence: tuple[Evidence, ...]
    recorded_at: datetime

    @cached_property
    def id(self) -> str:
        """The id of this pair under this model version."""
        return make_id("pair", self.left, self.right, self.model)


def sum_weights(prior: float, weights: Iterable[float]) -> float:
    """Add weights in bits in their given order, rounded to a millionth so that engines agree."""
    return round(prior + sum(weights), 6)
