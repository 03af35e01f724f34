"""Judgement: what somebody decided about two things, as an assertion like the rest."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

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
    """A decision on two things (`left` < `right`), by an observer or a rule, under its own label.

    Never altered: of those on one pair that a View holds and that their authors
    have not withdrawn, the latest decides.
    `reason` is free text. `recorded_at` is aware, UTC.
    """

    left: str
    right: str
    verdict: Verdict
    by: str
    reason: str
    label: Label
    recorded_at: datetime

    @cached_property
    def id(self) -> str:
        """The id of just this judgement, from its content."""
        moment = str(to_microseconds(self.recorded_at))
        parts = (self.left, self.right, self.verdict.value, self.by, self.reason, str(self.label.lid), moment)
        return make_id("judgement", *parts)

    @property
    def lid(self) -> int:
        """The label as interned."""
        return self.label.lid


def judge(
    things: tuple[str, str], verdict: Verdict, *, by: str, reason: str, label: Label, recorded_at: datetime
) -> Judgement:
    """Return the judgement on two things given in either order; raises ValueError for one thing given twice."""
    left, right = sorted(things)
    if left == right:
        raise ValueError("expected two things")
    return Judgement(left, right, verdict, by, reason, label, recorded_at)
