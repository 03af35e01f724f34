"""A planted leak: a mistake that a developer could make, patched into the real code for as long as a test lasts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from graph.store import Scope
from graph.view import View
from ontology.record import Record

Patch = Callable[[object, str, object], None]  # owner, name, what takes its place
Apply = Callable[[Patch], None]


class Detector(StrEnum):
    """What should find a leak: campaigns, and probes for what no campaign asks."""

    NONINTERFERENCE = "noninterference"
    GRAPHQL = "graphql"
    ISOLATION = "isolation"
    SEQUENCES = "sequences"
    POLICY = "policy"
    RELABELLING = "relabelling"
    CUBES = "cubes"
    LAWS = "laws"
    PICTURES = "pictures"
    EXPORTS = "exports"
    DERIVED = "derived labels"
    HANDLES = "handles"
    CANARIES = "canaries"
    RIGHTS = "rights"
    TIERS = "tiers"
    BOUNDS = "bounds"
    IMPORTS = "imports"
    TABLES = "tables"
    FILES = "files"
    TIMING = "timing"


@dataclass(frozen=True, slots=True)
class Plant:
    """One planted leak of a channel (1 to 34), what finds it, and how it is put in; its docstring says what is wrong."""

    channel: int
    name: str
    detector: Detector
    wrong: str
    apply: Apply


PLANTS: list[Plant] = []


def plant(channel: int, detector: Detector) -> Callable[[Apply], Apply]:
    """Register a function that plants a leak."""

    def register(apply: Apply) -> Apply:
        name: str = apply.__name__
        PLANTS.append(Plant(channel, name, detector, (apply.__doc__ or "").strip(), apply))
        return apply

    return register


def everything(view: View) -> Scope:
    """Return the scope that a View should never ask with: every label."""
    return Scope(sorted(view._reader.labels()), view.as_of)


def stored(view: View, things: Collection[str]) -> list[Record]:
    """Return all records of some things, hidden ones among them."""
    return view._reader.records_by_thing(everything(view), sorted(things))
