"""Anchor: which record of a thing a link hangs on, since a link names things and a graph joins records."""

from collections.abc import Iterable
from dataclasses import dataclass

from ontology.digest import make_id
from ontology.record import Link


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that an end of a link may hang on."""

    id: str
    lid: int


def choose_anchor(link: Link, candidates: Iterable[Candidate]) -> str | None:
    """Return the id of the record of one thing that an end of this link hangs on, None without candidates.

    One under the link's own label comes first, since whoever may see the link
    may then see it, then the least id. No answer hangs on the choice: a link
    shows where any record of each of its things does.
    """
    best = min(candidates, key=lambda c: (c.lid != link.lid, c.id), default=None)
    return best.id if best else None


def make_stub_id(thing: str) -> str:
    """Return the id of what an end of a link hangs on as long as its thing has no record.

    A stub has no label and no moment, so no scope holds it.
    """
    return make_id("stub", thing)
