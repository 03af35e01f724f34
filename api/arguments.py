"""Arguments: what a document may give, checked before it is used."""

from datetime import datetime

from api.errors import BadInput
from api.guard import MAX_PAGE
from graph.window import Window

MAX_TEXT = 500


def check_first(first: int, most: int = MAX_PAGE) -> int:
    """Return the size of a page; raises BadInput for one that is out of bounds."""
    return check_number("first", first, 0, most)


def check_number(name: str, number: int, least: int, most: int) -> int:
    """Return a number that an argument gives; raises BadInput for one that is out of bounds."""
    if not least <= number <= most:
        raise BadInput(f"{name}: expected {least} to {most}, found another number")
    return number


def check_text(name: str, text: str) -> str:
    """Return a text that an argument gives; raises BadInput for one that is longer than anything looked for."""
    if len(text) > MAX_TEXT:
        raise BadInput(f"{name}: expected at most {MAX_TEXT} characters, found more")
    return text


def check_moment(moment: datetime | None, name: str = "asOf") -> datetime | None:
    """Return a moment that an argument gives; raises BadInput for one that does not say where on Earth."""
    if moment is not None and moment.utcoffset() is None:
        raise BadInput(f"{name}: expected a time with its offset from UTC, such as 2026-01-31T12:00:00Z")
    return moment


def make_window(since: datetime | None, until: datetime | None) -> Window | None:
    """Return the time between two moments, None for all time."""
    if since is None and until is None:
        return None
    return Window(check_moment(since, "since"), check_moment(until, "until"))
