"""Judging: what an observer decides about two things that they see."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from graph.store import Batch, Store
from ontology.errors import InvalidData
from ontology.judgement import Judgement, Verdict, judge
from ontology.label import Label
from ontology.observer import Observer

LONGEST_REASON = 2_000


def add_judgement(
    store: Store, observer: Observer, ids: tuple[str, str], verdict: Verdict, reason: str, now: datetime
) -> Judgement:
    """Keep an observer's judgement on the things of two visible ids and return it.

    It rests on all that they see of both, so whoever may not have all of that is
    not swayed by it. What they judged of the two before is withdrawn for whoever
    it sways, whatever they see by now. Raises NotVisible, or InvalidData for one
    thing given twice.
    """
    if len(reason) > LONGEST_REASON:
        raise InvalidData(f"at most {LONGEST_REASON} characters", "more", path="reason")
    view = store.view(observer)
    left, right = (view.thing_of(id_) for id_ in ids)
    if left == right:
        raise InvalidData("two records", "one given twice", path="left, right")
    label, grounds = view.grounds_of(ids)
    made = judge((left, right), verdict, by=observer.name, reason=reason, label=label, recorded_at=now, grounds=grounds)
    store.write(Batch(judgements=[*withdraw_all(view.judgements_by((made.left, made.right)), made), made]))
    return made


def withdraw_all(earlier: Iterable[Judgement], made: Judgement) -> list[Judgement]:
    """Return a withdrawal, at the moment of a new judgement, for all whom its author's earlier ones sway and it does not."""
    found: dict[tuple[Label, str], Judgement] = {}
    # What differs in grounds alone has one id; the fewer they are, the more it reaches.
    for judged in sorted(earlier, key=lambda judged: -len(judged.grounds)):
        if judged.grounds != made.grounds:
            found[judged.label, judged.reason] = judged
    return [replace(judged, verdict=Verdict.WITHDRAWN, recorded_at=made.recorded_at) for judged in found.values()]
