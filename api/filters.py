"""The filters of GraphQL: an input type for each schema, with a filter for each property, of its type.

A filter looks at values in clear. So, like a field, it is left out of the
schema of a tier that is never given its property in clear (see `api.schema`).
"""

from collections.abc import Callable, Iterator
from typing import Any

import strawberry

from api.arguments import check_text
from api.declaring import CLEAR_ONLY, FIELD_CLASS
from api.errors import BadInput
from graph import finding
from ontology.errors import InvalidValue
from ontology.schema import Property, Schema, default_ontology

# Metadata of a field: which schema it filters.
SCHEMA = "schema"
MAX_VALUES = 100
_WHERE = "where: expected values that their properties can have"


@strawberry.input(description="A date that is near to another.")
class NearDate:
    """A date and how far from it."""

    date: str
    days: int


@strawberry.input(description="What a text is. All that is said must hold, of one value or of several.")
class TextFilter:
    """Conditions on a property with text."""

    equals: str | None = strawberry.field(default=strawberry.UNSET, description="This very value.")
    in_: list[str] | None = strawberry.field(default=strawberry.UNSET, name="in", description="One of these.")
    prefix: str | None = strawberry.field(
        default=strawberry.UNSET, description="It begins so, whatever the case and the script."
    )


@strawberry.input(description="What a number is. All that is said must hold.")
class NumberFilter:
    """Conditions on a property with numbers."""

    equals: str | None = strawberry.field(default=strawberry.UNSET, description="This very value.")
    in_: list[str] | None = strawberry.field(default=strawberry.UNSET, name="in", description="One of these.")
    least: str | None = strawberry.field(default=strawberry.UNSET, description="It is this or more.")
    most: str | None = strawberry.field(default=strawberry.UNSET, description="It is this or less.")


@strawberry.input(description="What a date is; one that is a year or a month lies where a moment of it does.")
class DateFilter:
    """Conditions on a property with dates."""

    equals: str | None = strawberry.field(default=strawberry.UNSET, description="This very value.")
    in_: list[str] | None = strawberry.field(default=strawberry.UNSET, name="in", description="One of these.")
    prefix: str | None = strawberry.field(
        default=strawberry.UNSET, description="It begins so, such as a year and a month."
    )
    least: str | None = strawberry.field(default=strawberry.UNSET, description="It is this or later.")
    most: str | None = strawberry.field(default=strawberry.UNSET, description="It is this or earlier.")
    near: NearDate | None = strawberry.field(
        default=strawberry.UNSET, description="It is within so many days of another."
    )


@strawberry.input(description="The order of a list: by a property's values in clear; what has none comes last.")
class SortBy:
    """An order."""

    property: str
    descending: bool = False


def read_filters(where: Any) -> tuple[str, list[finding.Filter]]:
    """Return the schema and the filters that an EntityFilter asks for; raises BadInput for one without a schema."""
    named = [(schema.name, given) for schema in _schemata() if (given := getattr(where, schema.name))]
    if len(named) != 1:
        raise BadInput("where: expected exactly one schema")
    ((name, given),) = named
    properties = default_ontology()[name].properties
    return name, [one for prop in properties if (asked := getattr(given, prop)) for one in _read(prop, asked)]


def _read(name: str, asked: TextFilter | NumberFilter | DateFilter) -> Iterator[finding.Filter]:
    """Yield the filters of one property. What is not said, and what is null, asks nothing."""
    given = {key: value for key, value in vars(asked).items() if value is not None and value is not strawberry.UNSET}
    for value in (given.get("equals"), given.get("prefix"), *given.get("in_", ())[:MAX_VALUES]):
        check_text("where", value or "")
    if "equals" in given:
        yield finding.Equals(name, given["equals"])
    if "in_" in given:
        if len(given["in_"]) > MAX_VALUES:
            raise BadInput(f"where: expected at most {MAX_VALUES} values, found more")
        yield finding.OneOf(name, tuple(given["in_"]))
    if "prefix" in given:
        yield finding.Prefix(name, given["prefix"])
    if "least" in given or "most" in given:
        yield finding.Range(name, given.get("least"), given.get("most"))
    if "near" in given:
        yield finding.Near(name, given["near"].date, given["near"].days)


def refuse_values(ask: Callable[[], Any]) -> Any:
    """Return what a question finds; raises BadInput, holding no value, where one does not fit its property."""
    try:
        return ask()
    except (ValueError, InvalidValue) as exc:
        raise BadInput(_WHERE) from exc


def _schemata() -> list[Schema]:
    return list(default_ontology().things())


def _filter_of(prop: Property) -> Any:
    if prop.type.name in finding.DATES:
        return DateFilter
    return NumberFilter if prop.type.name in finding.NUMBERS else TextFilter


def _make_filter(schema: Schema) -> Any:
    members: dict[str, Any] = {"__annotations__": {}}
    for name, prop in schema.properties.items():
        members["__annotations__"][name] = _filter_of(prop) | None
        members[name] = strawberry.field(
            default=strawberry.UNSET, name=name, metadata={FIELD_CLASS: prop.field_class, CLEAR_ONLY: True}
        )
    made: Any = type(f"{schema.name}Filter", (), members)
    return strawberry.input(made, description=f"What a {schema.label} is like: all that is said must hold.")


def _make_entity_filter() -> Any:
    members: dict[str, Any] = {"__annotations__": {}}
    for schema in _schemata():
        members["__annotations__"][schema.name] = _make_filter(schema) | None
        members[schema.name] = strawberry.field(
            default=strawberry.UNSET, name=schema.name, description=schema.description, metadata={SCHEMA: schema.name}
        )
    made: Any = type("EntityFilter", (), members)
    return strawberry.input(
        made, one_of=True, description="Which schema, heirs included, and what its entities are like; one schema."
    )


EntityFilter = _make_entity_filter()
