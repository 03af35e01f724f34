"""Judging: what an observer decides about two things that they see."""

from datetime import datetime

from graph.store import Batch, Store
from ontology.errors import InvalidData
from ontology.judgement import Judgement, Verdict, judge
from ontology.observer import Observer

LONGEST_REASON = 2_000


def add_judgement(
    store: Store, observer: Observer, ids: tuple[str, str], verdict: Verdict, reason: str, now: datetime
) -> Judgement:
    """Keep an observer's judgement on the things of two visible ids and return it.

    It rests on all that they see of both, so whoever may not have all of that is
    not swayed by it. Raises NotVisible, or InvalidData for one thing given twice.
    """
    if len(reason) > LONGEST_REASON:
        raise InvalidData(f"at most {LONGEST_REASON} characters", "more", path="reason")
    view = store.view(observer)
    left, right = (view.thing_of(id_) for id_ in ids)
    if left == right:
        raise InvalidData("two records", "one given twice", path="left, right")
    label, grounds = view.grounds_of(ids)
    made = judge((left, right), verdict, by=observer.name, reason=reason, label=label, recorded_at=now, grounds=grounds)
    store.write(Batch(judgements=[made]))
    return made
