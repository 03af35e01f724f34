"""Watch and Alert: a standing question on a View, and what a change added to its answer."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ontology.digest import make_id


@dataclass(frozen=True, slots=True)
class Watch:
    """An observer wants to know whenever something new links to an entity.

    `thing` is any record's thing of that entity. `checked_at` is the last moment
    up to which its answer was compared.
    """

    observer: str
    thing: str
    created_at: datetime
    checked_at: datetime

    @property
    def id(self) -> str:
        """The id of this observer's watch on this thing."""
        return make_id("watch", self.observer, self.thing)


@dataclass(frozen=True)
class Alert:
    """A link that an observer may see came to an entity that they watch.

    It names the link and the thing at its far end and holds no value of either:
    what may be shown is asked of a View whenever it is read.
    """

    watch: str
    observer: str
    thing: str
    link: str
    other: str
    raised_at: datetime

    @cached_property
    def id(self) -> str:
        """The id of this alert: one link raises one alert a watch, however often it is checked."""
        return make_id("alert", self.watch, self.link)
