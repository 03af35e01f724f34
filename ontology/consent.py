"""Consent: what a handling code asks for before material is used further, and who gave it.

Handling codes bind use, not only reading (Europol's handling codes; Regulation
(EU) 2016/794, Article 19): H1 is not for judicial proceedings without the
consent of whoever supplied it, H2 is not passed on without it, H3 is under a
restriction of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from ontology.digest import make_id
from ontology.label import Label
from ontology.record import to_microseconds


class Use(StrEnum):
    """What material is taken out for: a proceeding before a court, or passing it on to an organisation."""

    COURT = "court"
    RELEASE = "release"


# A court is another hand too, so what may not be passed on does not reach it either.
_CONSENT_NEEDED = {Use.COURT: frozenset({"H1", "H2", "H3"}), Use.RELEASE: frozenset({"H2", "H3"})}


@dataclass(frozen=True)
class Consent:
    """That an organisation lets what it owns be used further.

    `to` is the number of the proceeding, or the organisation that it is passed
    on to. `reference` names the document that says so; `by` is the observer, of
    the owner's organisation, who recorded it.
    """

    owner: str
    use: Use
    to: str
    reference: str
    by: str
    recorded_at: datetime

    @cached_property
    def id(self) -> str:
        """The id of this consent, from its content."""
        moment = str(to_microseconds(self.recorded_at))
        return make_id("consent", self.owner, self.use.value, self.to, self.reference, self.by, moment)


def may_use(label: Label, use: Use, to: str, consents: Iterable[Consent]) -> bool:
    """Whether material under a label may be used so: its code does not ask for consent, or its owner gave it.

    What nobody owns alone, nobody can consent to.
    """
    if label.handling not in _CONSENT_NEEDED[use]:
        return True
    return label.owner != "" and any(c.owner == label.owner and c.use is use and c.to == to for c in consents)
