"""The schema of each tier as text: printed, kept in files, and compared with an older one."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLError, GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes, find_dangerous_changes

from api.schema import print_sdl
from ontology.errors import InvalidData
from ontology.policy import Policy


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a schema: its kind as graphql-core names it, in words, and whether it breaks clients.

    One that does not is dangerous: it can surprise a client that did not expect it.
    """

    kind: str
    description: str
    breaks: bool


def find_changes(old: str, new: str, *, path: str) -> list[Change]:
    """Return what changed from one SDL text to another, what breaks clients first; additions that harm nobody are left out.

    Raises InvalidData, naming `path`, when the old text is no schema.
    """
    schemata = _read(old, path), build_schema(new)
    found = [Change(c.type.name, c.description, breaks=True) for c in find_breaking_changes(*schemata)]
    found += [Change(c.type.name, c.description, breaks=False) for c in find_dangerous_changes(*schemata)]
    return sorted(found, key=lambda change: (not change.breaks, change.kind, change.description))


def write_schemata(folder: Path, policy: Policy) -> list[Path]:
    """Write the schema of every tier of a policy, each to a file of its name, and return the files."""
    return list(_write_all(folder, policy))


def _write_all(folder: Path, policy: Policy) -> Iterable[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for tier in sorted(policy.tiers):
            path = folder / f"{tier}.graphql"
            path.write_text(print_sdl(tier, policy) + "\n", encoding="utf-8")
            yield path
    except OSError as exc:
        raise InvalidData("a folder that can be written", exc.strerror or "an error", path=str(folder)) from exc


def _read(text: str, path: str) -> GraphQLSchema:
    try:
        schema = build_schema(text)
    except (GraphQLError, TypeError, RecursionError) as exc:
        raise InvalidData("a GraphQL schema in SDL", "something else", path=path) from exc
    # A document of queries is read without complaint, as a schema of nothing.
    if schema.query_type is None:
        raise InvalidData("a GraphQL schema in SDL", "no type Query", path=path)
    return schema
