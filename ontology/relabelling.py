"""Relabelling: that an assertion be handled otherwise from now on, proposed by one and approved by another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from ontology.digest import make_id
from ontology.label import Label
from ontology.pair import Pair
from ontology.record import to_microseconds


@dataclass(frozen=True)
class Relabelling:
    """A new label for one assertion (the id of a record or link), and who asked for it.

    `thing` is what the record is of, or the left end of the link.
    Whoever approves is another than `proposed_by`; `approved_by` and
    `approved_at` are None as long as nobody has. Kept for ever, so that each
    change of handling can be accounted for.
    """

    assertion: str
    thing: str
    label: Label
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None

    @cached_property
    def id(self) -> str:
        """The id of this proposal, the same before and after its approval."""
        moment = str(to_microseconds(self.proposed_at))
        return make_id("relabelling", self.assertion, str(self.label.lid), self.reason, self.proposed_by, moment)

    @property
    def is_approved(self) -> bool:
        """Whether somebody approved it."""
        return self.approved_by is not None and self.approved_at is not None


def is_stricter(new: Label, old: Label) -> bool:
    """Whether a label differs from another only in being stricter, by parts of which stricter always shows less.

    A case, a compartment, a category or an owner may open to one observer what
    it shuts to another, so a change of these is never only stricter.
    """
    opening = any(getattr(new, part) != getattr(old, part) for part in _OPENING)
    # A label joined with itself has its lists in the order of joins.
    return not opening and new.join(old) == new.join(new)


_OPENING = ("cases", "compartments", "category", "owner", "basis", "minor", "expiry_date", "review_date", "legal_hold")


def move_pairs(pairs: Iterable[Pair], old: str, new: str) -> Iterator[Pair]:
    """Yield the pairs that a record's successor has with other records: what was compared is the same."""
    for pair in pairs:
        left, right = sorted(new if end == old else end for end in (pair.left, pair.right))
        if left != right:
            yield replace(pair, left=left, right=right)
