"""Projection: a View's entities and links as arrays, for algorithms."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.entities import Clusters
from ontology.record import Link


@dataclass(frozen=True, slots=True)
class Projection:
    """Entities and the links between them.

    `things` names each entity by its earliest record, in order of time; `edges`
    is (m, 2) int64, indices into it, one row for each linked pair of entities
    with the lower index first, sorted; `weights` is (m,) float64, how many
    distinct links (by source, its key, type and ends) the pair has.
    """

    things: tuple[str, ...]
    edges: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


def make_projection(clusters: Clusters, links: Iterable[Link]) -> Projection:
    """Group links by the entities at their ends, leaving out those inside one entity."""
    distinct = {(link.source, link.source_key, link.schema, link.left, link.right) for link in links}
    ends = np.array(
        [
            (clusters.of[left], clusters.of[right])
            for *_, left, right in distinct
            if left in clusters.of and right in clusters.of and clusters.of[left] != clusters.of[right]
        ],
        dtype=np.int64,
    ).reshape(-1, 2)
    ends.sort(axis=1)
    edges, counts = np.unique(ends, axis=0, return_counts=True)
    things = tuple(members[0] for members in clusters.members)
    return Projection(things, edges, counts.astype(np.float64))
