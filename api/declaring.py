"""How GraphQL types are declared: where descriptions come from, how values are reached, what the policy asks of a field."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import strawberry

from api.executor import BATCH, READ
from ontology.judgement import Verdict
from ontology.policy import Treatment
from ontology.schema import default_ontology

# Metadata of a field: the class of its values, without which it is not in the schema of a tier; whether masked or
# generalised ones will not do.
FIELD_CLASS = "field_class"
CLEAR_ONLY = "clear_only"

Declared = TypeVar("Declared")


def described(cls: type[Declared]) -> type[Declared]:
    """Give a GraphQL type and its resolvers the descriptions that their docstrings hold."""
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
    definition.description = cleandoc(cls.__doc__ or "")
    for field in definition.fields:
        if field.base_resolver and not field.description:
            field.description = cleandoc(field.base_resolver.wrapped_func.__doc__ or "")
    return cls


def batched(fetch: Callable[..., Awaitable[Sequence[Any]]]) -> Callable[[Callable[..., Any]], Any]:
    """Declare a field whose values are fetched for many objects at once."""
    return lambda resolver: strawberry.field(resolver=resolver, metadata={BATCH: fetch})


def read(path: str) -> Any:
    """Declare a field whose value is at a path (`.name`, `[1]`) of what its type is resolved from."""
    return strawberry.field(resolver=eval(f"lambda self: self{path}"), metadata={READ: path})


def _make_enum(name: str, members: Iterable[str], description: str) -> Any:
    made: Any = StrEnum  # called for a new enum, whose members mypy could not know
    return strawberry.enum(made(name, {member: member for member in members}), description=description)


if TYPE_CHECKING:
    EntitySchema: TypeAlias = str
    LinkType: TypeAlias = str
else:
    EntitySchema = _make_enum(
        "EntitySchema",
        [schema.name for schema in default_ontology().values() if not schema.is_link and schema.name != "Link"],
        "The schemata of things; an abstract one stands for all that descend from it.",
    )
    LinkType = _make_enum("LinkType", [schema.name for schema in default_ontology().links()], "The schemata of links.")

strawberry.enum(Treatment, description="What is done to a value before anything else sees it.")
strawberry.enum(Verdict, description="What a judgement says of two records; withdrawn takes your earlier ones back.")
