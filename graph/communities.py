"""Communities: groups of entities that are linked more among themselves than with the rest.

Two things would pull everything into one group. Links that say where something
stood, not who belongs together, are left out unless they are asked for. A hub
(a helpline in a thousand texts) keeps its links, but each link is weighed down
by the number of entities that the busier of its ends has links with.
"""

import contextlib
import io
import logging
import random
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.shown import Entity
from graph.view import View

log = logging.getLogger(__name__)

METHODS = ("leiden", "label_propagation", "surprise", "walktrap")
# What carries an assertion rather than ties two parties: a board of adverts, a report, a medium.
CARRIERS = frozenset({"PostedOn", "AccountOn", "Hosts", "ReportedIn", "FoundOn"})
# On planted cells of 5 to 23 entities with boards over all of them, 7 to 10 found them in graphs of 60 to 14,000
# entities (normalised mutual information 0.99); 5 splits and 12 joins some.
SCALE = 10.0

_NOTE = "Note: to be able to use"


@dataclass(frozen=True, slots=True)
class Community:
    """A group of entities. `number` counts from 1, the largest community first.

    `members` come best connected inside the community first, `links` counts the
    links among them, and `shared` is what holds them together: up to three
    members with ties to two others inside at least, and to half as many as the first.
    """

    number: int
    members: tuple[Entity, ...]
    links: int
    shared: tuple[Entity, ...]

    @property
    def size(self) -> int:
        """How many entities it has."""
        return len(self.members)


def find_communities(
    view: View,
    *,
    method: str = METHODS[0],
    types: Collection[str] = (),
    scale: float = SCALE,
    smallest: int = 3,
    seed: int = 1,
) -> list[Community]:
    """Find the communities of what a View shows, largest first.

    `types` keeps links of these schemata alone (empty: all but `CARRIERS`). With
    the method leiden `scale` says how large communities may grow before a link
    no longer joins two of them; it means the same in small graphs as in large
    ones, and more gives fewer and larger communities. Entities without links and communities with fewer members than `smallest` are left out. The
    same View and arguments give the same answer. The first call takes some
    seconds more, for cdlib is slow to load.
    """
    if method not in METHODS:
        raise ValueError(f"expected one of {', '.join(METHODS)} as method")
    projection = view.projection(types=types or [s.name for s in view.ontology.links() if s.name not in CARRIERS])
    if not len(projection.edges):
        return []
    linked, places = np.unique(projection.edges, return_inverse=True)
    ends = places.reshape(-1, 2)
    groups = _cluster(ends, projection.weights, method, scale, seed)
    groups = sorted((g for g in groups if len(g) >= smallest), key=lambda group: (-len(group), group[0]))
    things = [[projection.things[linked[node]] for node in group] for group in groups]
    entities = view.entities_of([thing for group in things for thing in group])
    ties, links = _count_inside(groups, ends, projection.weights)
    return [
        _make_community(number, [entities[thing] for thing in names], [int(ties[node]) for node in group], int(count))
        for number, (names, group, count) in enumerate(zip(things, groups, links, strict=True), start=1)
    ]


def _make_community(number: int, entities: Sequence[Entity], ties: Sequence[int], links: int) -> Community:
    ranked = sorted(range(len(entities)), key=lambda i: (-ties[i], i))
    return Community(
        number=number,
        members=tuple(entities[i] for i in ranked),
        links=links,
        shared=tuple(entities[i] for i in ranked[:3] if ties[i] >= max(2, ties[ranked[0]] / 2)),
    )


def _count_inside(
    groups: Sequence[Sequence[int]], ends: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return how many ties each node has inside its group, and how many links each group has inside."""
    count = int(ends.max()) + 1
    group_of = np.full(count, -1, dtype=np.int64)
    for index, group in enumerate(groups):
        group_of[group] = index
    left, right = group_of[ends[:, 0]], group_of[ends[:, 1]]
    inside = (left == right) & (left >= 0)
    ties = np.bincount(ends[inside].ravel(), minlength=count)
    links = np.bincount(left[inside], weights=weights[inside], minlength=len(groups))
    return ties.astype(np.int64), links.astype(np.float64)


def _cluster(
    ends: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], method: str, scale: float, seed: int
) -> list[list[int]]:
    """Return groups of the nodes 0..n-1, each in ascending order; every node has a link."""
    import igraph  # draws a second's worth of imports along, which most commands never need

    degree = np.bincount(ends.ravel())
    # igraph from arrays: networkx takes several times as long to build, and cdlib would convert it to this.
    graph = igraph.Graph(n=len(degree), edges=ends)
    graph.vs["name"] = range(len(degree))
    graph.es["weight"] = weights / np.maximum(degree[ends[:, 0]], degree[ends[:, 1]])
    with _seeded(seed):
        found = _run(method, graph, scale, seed)
    return [sorted(int(node) for node in group) for group in found]


def _run(method: str, graph: Any, scale: float, seed: int) -> list[list[int]]:
    algorithms = _load_cdlib()
    if method == "leiden":
        # At a fixed resolution modularity joins small cells as the graph grows; one that grows along does not.
        resolution = 2 * sum(graph.es["weight"]) / scale**2
        partition = algorithms.leiden(graph, weights="weight", resolution_parameter=resolution, seed=seed)
    elif method == "surprise":
        partition = algorithms.surprise_communities(graph, weights="weight", seed=seed)
    elif method == "label_propagation":
        partition = algorithms.label_propagation(graph, weights="weight")
    else:
        partition = algorithms.walktrap(graph, weights="weight")
    return list(partition.communities)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """While it lasts, igraph draws its random numbers from a generator of this seed."""
    import igraph

    igraph.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)


def _load_cdlib() -> ModuleType:
    """Import cdlib when it is first needed: that takes seconds, and most commands never do."""
    said = io.StringIO()
    # It prints a note for each optional package that is not there, and its docstrings hold escapes that Python
    # warns of while compiling them.
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", SyntaxWarning)
        from cdlib import algorithms
    for line in said.getvalue().splitlines():
        if line and not line.startswith(_NOTE):
            log.warning("cdlib: %s", line)
    return algorithms  # type: ignore[no-any-return]
