"""Judgement: what somebody decided about two things, as an assertion like the rest."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Self

from ontology.digest import make_id
from ontology.label import Label
from ontology.record import to_microseconds


class Verdict(StrEnum):
    """What a judgement says of two things; `WITHDRAWN` takes its author's earlier ones back."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Judgement:
    """A decision on two things (`left` < `right`), by an observer or a rule.

    `grounds` are the labels (lids, ascending; never empty) of all that it was
    judged on: it counts for whoever may have all of these, and for nobody else.
    `label` says how its reason is to be handled, and whose it is. Of those on one
    pair that a View holds and that their authors have not withdrawn, the latest
    decides. `reason` is free text. `recorded_at` is aware, UTC.
    """

    left: str
    right: str
    verdict: Verdict
    by: str
    reason: str
    label: Label
    recorded_at: datetime
    grounds: tuple[int, ...]

    @cached_property
    def id(self) -> str:
        """The id of just this judgement, from its content; not from its grounds, which a relabelling adds to."""
        moment = str(to_microseconds(self.recorded_at))
        parts = (self.left, self.right, self.verdict.value, self.by, self.reason, str(self.label.lid), moment)
        return make_id("judgement", *parts)

    @property
    def lid(self) -> int:
        """The label as interned."""
        return self.label.lid

    def to_grounded(self, old: int, new: int) -> Self:
        """Return this judgement after something that it was judged on has another label: that is asked for as well."""
        if old not in self.grounds:
            return self
        return replace(self, grounds=tuple(sorted({*self.grounds, new})))


def judge(
    things: tuple[str, str],
    verdict: Verdict,
    *,
    by: str,
    reason: str,
    label: Label,
    recorded_at: datetime,
    grounds: Iterable[int] = (),
) -> Judgement:
    """Return the judgement on two things given in either order; raises ValueError for one thing given twice.

    Without `grounds` its own label is what it was judged on.
    """
    left, right = sorted(things)
    if left == right:
        raise ValueError("expected two things")
    return Judgement(left, right, verdict, by, reason, label, recorded_at, tuple(sorted(set(grounds))) or (label.lid,))
