"""Relabelling: an observer asks that an assertion be handled otherwise, and for less strict handling another agrees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graph.judgements import LONGEST_REASON
from graph.store import Store
from graph.treat import facet_identity
from graph.view import View
from ontology.digest import make_id
from ontology.errors import InvalidData, NotVisible
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy import Right
from ontology.record import Link, Record, to_microseconds
from ontology.relabelling import Relabelling, is_stricter


@dataclass(frozen=True, slots=True)
class ShownRelabelling:
    """A relabelling of something that its observer sees, with the handling that it has and would have."""

    id: str
    record: str
    caption: str
    old: Label
    new: Label
    reason: str
    proposed_by: str
    proposed_at: datetime


def propose_relabelling(
    store: Store,
    observer: Observer,
    *,
    record: str,
    assertion: str,
    parts: Mapping[str, Any],
    reason: str,
    now: datetime,
) -> Relabelling:
    """Ask for other parts in the label of the assertion that two ids of a Provenance name.

    Carried out at once when an observer of the organisation that owns it makes
    it stricter; else kept until another of that organisation approves. Older
    versions, which would show in its place, follow whatever is not only less
    strict. Whoever is of another one is told no more than that, for what they guess right of a
    label is none of theirs. Raises NotVisible, or InvalidData for parts that
    cannot be, for another owner, or for an owner's change of nothing.
    """
    if len(reason) > LONGEST_REASON:
        raise InvalidData(f"at most {LONGEST_REASON} characters", "more", path="reason")
    if "owner" in parts:
        raise InvalidData("parts of a label besides its owner", "another owner", path="label.owner")
    view = store.view(observer)
    said = view.assertion_of(record, assertion)
    label = said.label.to_filled(parts)
    is_owner = said.label.owner == observer.organisation != ""
    if is_owner and label == said.label:
        raise InvalidData("parts of a label that differ from those in force", "the same", path="label")
    thing = said.thing if isinstance(said, Record) else said.left
    made = Relabelling(said.id, thing, label, reason, observer.name, now)
    if not (is_owner and is_stricter(label, said.label)):
        store.put_relabelling(made)
        return made
    done = replace(made, approved_by=observer.name, approved_at=now)
    _carry_out(store, view, said, done)
    return done


def list_open_relabellings(store: Store, observer: Observer) -> list[ShownRelabelling]:
    """Return the relabellings that wait for approval, of what an observer sees and their organisation owns."""
    view = store.view(observer)
    waiting = _iter_waiting(store)
    shown = (found for relabelling in waiting if (found := _show(view, relabelling)))
    # Not in the store's order: ids of assertions, which depend on values that may be hidden, break its ties.
    return sorted(shown, key=lambda found: (found.proposed_at, found.id))


def approve_relabelling(store: Store, observer: Observer, id_: str, now: datetime) -> Relabelling:
    """Carry out a relabelling that another observer proposed, as one of the organisation that owns the assertion.

    Less strict handling is the originator's to grant (originator control), and
    takes two who may: what somebody proposed who is gone, or has lost the right
    or the sight of it, waits for nobody. Raises NotVisible when its assertion is not visible to this
    one too, or is not as it was; InvalidData for their own proposal or another's
    property.
    """
    view = store.view(observer)
    identity = view.identity("relabelling", id_)
    visible = ((r, said) for r in _iter_waiting(store) if (said := view.find_assertion(r.thing, r.assertion)))
    found, said = next(((r, said) for r, said in visible if _identity(said, r) == identity), (None, None))
    if found is None or said is None:
        raise NotVisible
    if found.proposed_by == observer.name:
        raise InvalidData("an observer other than who proposed it", "the same", path="approver")
    if said.label.owner != observer.organisation:
        raise InvalidData("an observer of the organisation that owns it", "another", path="approver")
    done = replace(found, approved_by=observer.name, approved_at=now)
    if not _carry_out(store, view, said, done):
        raise NotVisible
    return done


def _iter_waiting(store: Store) -> Iterator[Relabelling]:
    """Yield the relabellings that nobody has approved, of those who could still propose them."""
    for relabelling in store.list_relabellings():
        proposer = None if relabelling.is_approved else store.get_observer(relabelling.proposed_by)
        may_propose = proposer is not None and store.policy.has_right(proposer, Right.LABEL)
        if proposer and may_propose and store.view(proposer).find_assertion(relabelling.thing, relabelling.assertion):
            yield relabelling


def _carry_out(store: Store, view: View, said: Record | Link, done: Relabelling) -> bool:
    """Put a relabelling in force; return whether its assertion was there.

    Unless it is only less strict, older versions get no less strict a label
    first: they would show to those from whom it takes the newest.
    """
    if not is_stricter(said.label, done.label):
        for older in view.versions_of(said):
            label = done.label if older.label == said.label else older.label.join(done.label)
            if older.label.owner == said.label.owner and label != older.label:
                store.relabel(replace(done, assertion=older.id, label=label))
    return store.relabel(done)


def _show(view: View, relabelling: Relabelling) -> ShownRelabelling | None:
    said = view.find_assertion(relabelling.thing, relabelling.assertion)
    if said is None or not said.label.owner == view.observer.organisation != "":
        return None
    entity = view.entity_of(relabelling.thing)
    return ShownRelabelling(
        id=view.handle("relabelling", _identity(said, relabelling)),
        record=next(r.id for r in entity.records if r.thing == relabelling.thing),
        caption=entity.caption,
        old=said.label,
        new=relabelling.label,
        reason=relabelling.reason,
        proposed_by=relabelling.proposed_by,
        proposed_at=relabelling.proposed_at,
    )


def _identity(said: Record | Link, relabelling: Relabelling) -> str:
    """Return what stands for a proposal where it is shown; its own id depends on values that may be hidden."""
    of = facet_identity(said) if isinstance(said, Record) else said.identity
    moment = str(to_microseconds(relabelling.proposed_at))
    return make_id("proposal", of, str(relabelling.label.lid), relabelling.reason, relabelling.proposed_by, moment)
