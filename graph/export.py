"""Export: what an observer takes out, as far as handling codes let it be used and its recipient may have it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graph.shown import Entity
from graph.store import Store
from ontology.consent import Use, may_use
from ontology.label import Label
from ontology.observer import Observer

_COURT_TIER = "magistrate"


@dataclass(frozen=True, slots=True)
class Refusal:
    """How many assertions were left out because their handling code asks for a consent that nobody recorded."""

    handling: str
    contact: str
    count: int


@dataclass(frozen=True, slots=True)
class Export:
    """What may be taken out: entities in the order asked for, each without what was refused.

    `left_out` counts those asked for of which nothing is in it: for who takes it
    out, and no part of what leaves.
    """

    use: Use
    to: str
    entities: tuple[Entity, ...]
    refused: tuple[Refusal, ...]
    left_out: int


def make_export(
    store: Store, observer: Observer, ids: Sequence[str], use: Use, to: str, recipient: Observer | None = None
) -> Export:
    """Return what an observer may take out: before a court in the proceeding `to`, or on to the organisation `to`.

    It is never more than the observer's own View shows. A release names its
    recipient and is of both only, each value as whoever of them is shown less of
    it sees it; that records are one thing is the observer's word. What needs a
    consent for a court needs it for a release to one too. Raises
    NotVisible for an id that the observer may not see; what the recipient may
    not have is left out without a word.
    """
    view = store.view(observer)
    consents = store.list_consents()
    refused: Counter[tuple[str, str]] = Counter()

    uses = {use, Use.COURT} if recipient and recipient.tier == _COURT_TIER else {use}

    def may_leave(label: Label) -> bool:
        is_free = all(may_use(label, one, to, consents) for one in uses)
        if not is_free:
            refused[label.handling, view.contact_of(label)] += 1
        return is_free

    found = list(dict.fromkeys(view.entity(id_).thing for id_ in ids))
    entities = [e for thing in found if (e := view.show_part(view.facets_of(thing), may_leave, recipient))]
    refusals = tuple(Refusal(*reason, count) for reason, count in sorted(refused.items()))
    return Export(use, to, tuple(entities), refusals, len(found) - len(entities))
