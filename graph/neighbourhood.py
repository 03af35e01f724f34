"""Neighbourhood: what lies around entities, found level by level.

However many entities a level has, it takes one question for the links out of
all of them and one walk for the entities that these lead to.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from graph.entities import Rank, choose_latest
from graph.shown import Entity, LinkBetween, Reached
from graph.treat import Treater
from ontology.record import Link, to_microseconds
from ontology.schema import Ontology

MAX_DEPTH = 3
MAX_REACHED = 500
MAX_LINKS = 5_000
# How many things are walked out from at once.
_CHUNK = 1_000

Ask = Callable[[Collection[str]], Sequence[Link]]  # the links with an end among some things, in order
Show = Callable[[Collection[str]], dict[str, Entity]]  # the entities of those things that are visible


class Exploration:
    """A part of a View's graph, found by going out from some entities.

    An entity is named by its earliest thing. `entities` are in the order in which
    they were met, `beside` tells which of them are linked, and `links` are those
    between two of them. `rank` breaks ties.
    """

    def __init__(self, entities: Iterable[Entity], ask: Ask, show: Show, rank: Rank) -> None:
        self._ask = ask
        self._show = show
        self.rank = rank
        self._owner: dict[str, str] = {}
        self._left: set[str] = set()
        self.entities: dict[str, Entity] = {}
        self.beside: dict[str, set[str]] = defaultdict(set)
        self.links: dict[str, Link] = {}
        for entity in entities:
            self._add(entity)

    def go_on(self, names: Iterable[str], room: int) -> bool:
        """Meet what some entities are linked with, at most so many new entities; return whether that is all."""
        new = [name for name in names if name not in self._left]
        links = self._ask({thing for name in new for thing in self.entities[name].things}) if new else ()
        self._left.update(new)
        is_all = self._meet(links, room)
        for link in links:
            left, right = self._owner.get(link.left), self._owner.get(link.right)
            if left and right and left != right:
                self.links[link.identity] = link
                self.beside[left].add(right)
                self.beside[right].add(left)
        return is_all

    def ends(self, link: Link) -> tuple[Entity, Entity]:
        """Return the entities at the ends of one of its links."""
        return self.entities[self._owner[link.left]], self.entities[self._owner[link.right]]

    def _meet(self, links: Iterable[Link], room: int) -> bool:
        far = dict.fromkeys(end for link in links for end in (link.left, link.right))
        things = [thing for thing in far if thing not in self._owner]
        while things and room > 0:
            chunk = things[: min(room, _CHUNK)]
            before = len(self.entities)
            shown = self._show(chunk)
            for entity in (shown[thing] for thing in chunk if thing in shown):
                self._add(entity)
            room -= len(self.entities) - before
            things = [thing for thing in things[len(chunk) :] if thing not in self._owner]
        return not things

    def _add(self, entity: Entity) -> None:
        if entity.thing not in self.entities:
            self.entities[entity.thing] = entity
            self._owner |= dict.fromkeys(entity.things, entity.thing)


def find_neighbourhood(explored: Exploration, start: Entity, depth: int, first: int) -> tuple[list[Reached], bool]:
    """Go out from an entity so many links far; return at most `first` entities, the nearest first, and whether that is all.

    Those equally far are in the order of the links that lead to them. The links
    among what is returned have been met then.
    """
    distances = {start.thing: 0}
    frontier, is_all = [start.thing], True
    for distance in range(1, max(1, min(depth, MAX_DEPTH)) + 1):
        room = max(0, min(first, MAX_REACHED)) + 1 - len(distances)
        is_all = explored.go_on(frontier, room) and is_all
        frontier = [name for name in explored.entities if name not in distances]
        distances |= dict.fromkeys(frontier, distance)
    explored.go_on(frontier, 0)
    reached = [Reached(explored.entities[name], distance) for name, distance in distances.items() if distance]
    return reached, is_all


def show_link(explored: Exploration, link: Link, ontology: Ontology, treater: Treater) -> LinkBetween:
    """Return what is shown of a link that was met, and of its ends."""
    left, right = explored.ends(link)
    end = ontology[link.schema].left
    return LinkBetween(left, end.label if end else ontology[link.schema].label, right, treater.show_link(link))


def order_links(links: Iterable[Link], rank: Rank) -> list[Link]:
    """Return of each link the latest version, by type and the latest first, ties by rank."""

    def order(item: tuple[str, Link]) -> tuple[str, int, bytes]:
        identity, link = item
        return link.schema, -to_microseconds(link.recorded_at), rank(identity)

    latest = choose_latest(links, lambda link: link.identity)
    return [link for _, link in sorted(latest.items(), key=order)]
