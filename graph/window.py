"""Windows: from one moment to another, and the time that a date with the precision of its source leaves open."""

from calendar import isleap, monthrange
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from graph.treat import Treater
from ontology.record import Link, Record, to_microseconds

# Where a link may say when it held. When a source made or changed its entry is another matter.
LINK_DATES = ("startDate", "date", "endDate")
DAY = 86_400_000_000  # in microseconds

_FIRST_MOMENT = "0001-01-01T00:00:00Z"
_YEAR, _MONTH, _DAY, _SECOND = (len(text) for text in ("YYYY", "YYYY-MM", "YYYY-MM-DD", _FIRST_MOMENT))


@dataclass(frozen=True, slots=True)
class Window:
    """The time between two moments, both of them included; None leaves a side open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, dates: Iterable[str], recorded_at: datetime) -> bool:
        """Whether something touches the window: from the first to the last of its dates or, without any, as recorded."""
        spans = [span for date in dates if (span := to_span(date))]
        moment = to_microseconds(recorded_at)
        first = min((start for start, _ in spans), default=moment)
        last = max((end for _, end in spans), default=moment)
        is_late_enough = self.since is None or last >= to_microseconds(self.since)
        return is_late_enough and (self.until is None or first <= to_microseconds(self.until))


def to_span(date: str) -> tuple[int, int] | None:
    """Return the first and last microsecond since 1970 UTC that a cleaned date can mean, None for what is no date."""
    try:
        first = datetime.fromisoformat(date + _FIRST_MOMENT[len(date) :])
    except ValueError:
        return None
    lengths = {
        _YEAR: (365 + isleap(first.year)) * DAY,
        _MONTH: monthrange(first.year, first.month)[1] * DAY,
        _DAY: DAY,
        _SECOND: 1_000_000,
    }
    if len(date) not in lengths or first.tzinfo is None:
        return None
    start = to_microseconds(first)
    return start, start + lengths[len(date)] - 1


def keep_links(links: Iterable[Link], types: Collection[str], window: Window | None, treater: Treater) -> list[Link]:
    """Keep the links of some types (empty: all) that touch a window, by their dates as far as those are seen in clear."""
    of_types = (link for link in links if not types or link.schema in types)
    return [link for link in of_types if window is None or window.holds(_dates(link, treater), link.recorded_at)]


def _dates(link: Link, treater: Treater) -> list[str]:
    # What is in clear is told by schema, label and properties alone, which links have as records do.
    clear = treater.clear_values(cast(Record, link))
    return [date for name in LINK_DATES for date in clear.get(name, ())]
