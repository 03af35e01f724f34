"""The GraphQL types of what lies around an entity, and of the ways from one to another."""

from itertools import repeat
from typing import Any, NamedTuple

import strawberry

from api.assertions import Link
from api.declaring import described, read
from api.loaders import Loader
from api.nodes import Entity, entity_at
from graph import shown

# One of many things that a View shows, with the loader of that View.
_Of = tuple[Any, Loader]


class Around(NamedTuple):
    """A neighbourhood, as its type is resolved from it."""

    found: shown.Neighbourhood
    loader: Loader

    @property
    def reached(self) -> list[_Of]:
        """The entities in it."""
        return list(zip(self.found.reached, repeat(self.loader), strict=False))

    @property
    def links(self) -> list[_Of]:
        """The links in it."""
        return list(zip(self.found.links, repeat(self.loader), strict=False))


class Ways(NamedTuple):
    """Paths, as their type is resolved from them."""

    found: shown.Paths
    loader: Loader

    @property
    def items(self) -> list["Way"]:
        """Each of them."""
        return [Way(path, self.loader) for path in self.found.items]


class Way(NamedTuple):
    """One path, as its type is resolved from it."""

    found: shown.Path
    loader: Loader

    @property
    def steps(self) -> list[_Of]:
        """Its steps."""
        return list(zip(self.found.steps, repeat(self.loader), strict=False))


@described
@strawberry.type
class Reached:
    """An entity in a neighbourhood, and over how many links it is reached."""

    entity: Entity = entity_at("[0].entity", "The entity.")
    distance: int = read("[0].distance")


@described
@strawberry.type
class LinkBetween:
    """A link between two entities. The verb reads from the left one."""

    left: Entity = entity_at("[0].left", "Where it begins.")
    verb: str = read("[0].verb")
    right: Entity = entity_at("[0].right", "Where it ends.")

    @strawberry.field
    def link(self: Any) -> Link:
        """The link."""
        return Link.of(self[0].link)


@described
@strawberry.type
class Neighbourhood:
    """What lies around an entity: the nearest first, and the links among these and it."""

    entity: Entity = entity_at("[0].entity", "The entity in the middle.")
    reached: list[Reached] = read(".reached")
    links: list[LinkBetween] = read(".links")
    is_complete: bool = read("[0].is_complete")


@described
@strawberry.type
class Step:
    """One link of a path, and the entity that it leads to. The verb reads from the entity before."""

    verb: str = read("[0].verb")
    node: Entity = entity_at("[0].entity", "The entity that it leads to.")

    @strawberry.field
    def link(self: Any) -> Link:
        """The link."""
        return Link.of(self[0].link)


@described
@strawberry.type
class Path:
    """A way from one entity to another; without steps the two are one."""

    start: Entity = entity_at("[0].start", "Where it begins.")
    steps: list[Step] = read(".steps")


@described
@strawberry.type
class Paths:
    """The shortest paths that were found. Where they are not complete there may be others, and shorter ones."""

    items: list[Path] = read(".items")
    has_more: bool = read("[0].has_next")
    is_complete: bool = read("[0].is_complete")
