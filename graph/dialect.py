"""Dialect: the few things in which the engines behind one driver differ."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one engine wants to be treated.

    `has_bookmarks`: a read can be told to wait for what was written before.
    `awaits_indexes`: indexes are built behind the back of whoever asked for them.
    """

    engine: str
    has_bookmarks: bool
    awaits_indexes: bool


EMBEDDED = Dialect("embedded", has_bookmarks=False, awaits_indexes=False)
NEO4J = Dialect("neo4j", has_bookmarks=True, awaits_indexes=True)


def read_agent(agent: str) -> tuple[Dialect, str]:
    """Return the dialect and version of an engine from how it names itself when greeted."""
    embedded = re.search(r"ArcadeDB ([\w.-]+)", agent)
    if embedded:
        return EMBEDDED, embedded[1]
    return NEO4J, agent.partition("/")[2] or agent
