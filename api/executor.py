"""The record executor: a selection is compiled once and run on whole lists of records.

graphql-core completes an answer value by value, which costs a hundred times
what writing it as JSON does. Here, where a resolver returns objects of our own
types, the fields selected of them (as graphql-core collects them, so that
fragments, merging, `@skip` and `@include` stay its work) are compiled to one
function for each type, and what lies below is fetched for a whole level at once.

Whatever is not compiled, and whatever raises, is left to graphql-core: answers,
errors and nulls are its own. What is shown was treated by the View before it
comes here; nothing in this module decides what may be seen.
"""

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_specified_scalar_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.values import get_argument_values
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

# Metadata of a field: where its values are in what a View shows, and what fetches it for many objects at once.
PROPERTY = "property"
BATCH = "batch"
_KEPT = 256

Sources = Sequence[Any]
# A field that is awaited, for which sources, and the rows that its values go to.
Waiting = tuple["Child", list[Any], list[dict[str, Any]]]


class NotCompilable(Exception):
    """A selection holds what is left to graphql-core."""


@dataclass(slots=True)
class Call:
    """One run of a plan. `pending` holds what must be awaited before it is complete, in the order met."""

    executor: "RecordExecutor"
    pending: list["Waiting"] = field(default_factory=list)

    def take(self) -> list["Waiting"]:
        """Return what is pending, the same field of different types together, and have nothing pending."""
        together: dict[object, Waiting] = {}
        for child, sources, rows in self.pending:
            _, all_sources, all_rows = together.setdefault(child.place, (child, [], []))
            all_sources += sources
            all_rows += rows
        self.pending = []
        return list(together.values())


@dataclass(frozen=True, slots=True)
class Child:
    """A field whose values are objects: how they are fetched for some sources, and what is selected of them."""

    key: str
    definition: StrawberryField
    field: GraphQLField
    details: FieldDetailsList
    is_list: bool
    plan: "Plan"

    @property
    def place(self) -> object:
        """What it shares with the same field of another type: where it stands in the document, and what fetches it."""
        return tuple(id(one.node) for one in self.details), self.definition.metadata.get(BATCH)

    @property
    def is_batched(self) -> bool:
        """Whether values are fetched for all sources at once, and awaited."""
        return BATCH in self.definition.metadata

    def arguments(self, executor: "RecordExecutor") -> dict[str, Any]:
        """Return the arguments of the field as its resolver takes them."""
        first = self.details[0]
        given = get_argument_values(self.field, first.node, executor.variable_values, first.fragment_variable_values)
        config, scalars = executor.strawberry.config, executor.strawberry.schema_converter.scalar_registry
        return convert_arguments(given, self.definition.arguments, scalar_registry=scalars, config=config)

    def fetch(self, executor: "RecordExecutor", sources: Sources) -> Sequence[Any]:
        """Return the value of each source."""
        resolver = self.definition.base_resolver
        if resolver is None:
            name = self.definition.python_name
            return [getattr(source, name) for source in sources]
        arguments = self.arguments(executor)
        return [resolver(source, **arguments) for source in sources]

    async def fetch_batch(self, executor: "RecordExecutor", sources: Sources) -> Sequence[Any]:
        """Return the value of each source, all fetched together."""
        found: Sequence[Any] = await self.definition.metadata[BATCH](sources, **self.arguments(executor))
        return found

    def put(self, call: Call, values: Sequence[Any], rows: Sequence[dict[str, Any]]) -> None:
        """Give each row what is selected of its value."""
        key = self.key
        if not self.is_list:
            for row, shown in zip(rows, self.plan.run(call, values), strict=True):
                row[key] = shown
            return
        shown_all = self.plan.run(call, [item for items in values if items for item in items])
        start = 0
        for row, items in zip(rows, values, strict=True):
            if items is not None:
                row[key] = shown_all[start : start + len(items)]
                start += len(items)


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is selected of one type: a function for all its leaves, and its children in their order."""

    leaves: Callable[[Sources], list[dict[str, Any]]]
    children: Sequence[Child]

    def run(self, call: Call, sources: Sources) -> list[dict[str, Any]]:
        """Return what is selected of each source; children that must be awaited are left pending."""
        rows = self.leaves(sources)
        for child in self.children:
            if child.is_batched:
                call.pending.append((child, list(sources), rows))
            else:
                child.put(call, child.fetch(call.executor, sources), rows)
        return rows


class Plan:
    """What is selected of a type, or of each type that implements it; compiled when a type is met first."""

    def __init__(self, details: FieldDetailsList) -> None:
        self._details = details
        self._by_type: dict[type, ObjectPlan] = {}

    def run(self, call: Call, sources: Sources) -> list[Any]:
        """Return what is selected of each source, null for None."""
        types = {type(source) for source in sources}
        if len(types) == 1 and type(None) not in types:
            return self._of(call.executor, types.pop()).run(call, sources)
        shown: list[Any] = [None] * len(sources)
        for kind in types - {type(None)}:
            places = [place for place, source in enumerate(sources) if type(source) is kind]
            rows = self._of(call.executor, kind).run(call, [sources[place] for place in places])
            for place, row in zip(places, rows, strict=True):
                shown[place] = row
        return shown

    def _of(self, executor: "RecordExecutor", kind: type) -> ObjectPlan:
        plan = self._by_type.get(kind)
        if plan is None:
            definition = getattr(kind, "__strawberry_definition__", None)
            named = executor.schema.type_map.get(definition.name) if definition else None
            if not isinstance(named, GraphQLObjectType):
                raise NotCompilable
            plan = self._by_type[kind] = self._compile(executor, named)
        return plan

    def _compile(self, executor: "RecordExecutor", named: GraphQLObjectType) -> ObjectPlan:
        grouped, defers, _ = executor.collect_subfields(named, self._details)
        if defers:
            raise NotCompilable
        columns = _Columns()
        children = []
        for key, details in grouped.items():
            name = details[0].node.name.value
            if name == "__typename":
                columns.add_constant(key, named.name)
                continue
            found = named.fields[name]
            definition = found.extensions["strawberry-definition"]
            below, is_list = _unwrap(found)
            if is_leaf_type(below):
                columns.add_leaf(key, definition, below, is_list=is_list)
                continue
            columns.add_constant(key, None)
            if definition.is_async and BATCH not in definition.metadata:
                raise NotCompilable
            children.append(Child(key, definition, found, details, is_list, Plan(details)))
        return ObjectPlan(columns.compile(), children)


class RecordExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with whole selections compiled where they are of our own types."""

    # Once something raised, the rest of the request is left to graphql-core too.
    _is_stock = False

    @property
    def strawberry(self) -> Any:
        """The Strawberry schema that is asked."""
        return self.schema._strawberry_schema  # type: ignore[attr-defined]

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """Complete a list by a plan where its items are objects of ours."""

        def stock() -> Any:
            return super(RecordExecutor, self).complete_list_value(
                return_type, field_details_list, info, path, result, position_context
            )

        item = return_type.of_type.of_type if is_non_null_type(return_type.of_type) else return_type.of_type
        if not isinstance(result, list | tuple):
            return stock()
        return self._complete(item, field_details_list, result, lambda rows: rows, stock)

    def complete_object_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """Complete an object by a plan where it is of ours."""

        def stock() -> Any:
            return super(RecordExecutor, self).complete_object_value(
                return_type, field_details_list, info, path, result, position_context
            )

        return self._complete(return_type, field_details_list, [result], lambda rows: rows[0], stock)

    def complete_abstract_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """Complete an object of an interface by a plan where it is of ours."""

        def stock() -> Any:
            return super(RecordExecutor, self).complete_abstract_value(
                return_type, field_details_list, info, path, result, position_context
            )

        return self._complete(return_type, field_details_list, [result], lambda rows: rows[0], stock)

    def _complete(
        self,
        named: Any,
        details: FieldDetailsList,
        sources: Sources,
        pick: Callable[[list[Any]], Any],
        stock: Callable[[], Any],
    ) -> Any:
        plan = None if self._is_stock else self._find_plan(named, details, sources)
        if plan is None:
            return stock()
        call = Call(self)
        try:
            rows = plan.run(call, sources)
        except Exception:
            return self._leave(stock)
        return self._finish(call, rows, pick, stock) if call.pending else pick(rows)

    async def _finish(
        self, call: Call, rows: list[Any], pick: Callable[[list[Any]], Any], stock: Callable[[], Any]
    ) -> Any:
        try:
            while call.pending:
                for child, sources, into in call.take():
                    child.put(call, await child.fetch_batch(self, sources), into)
        except Exception:
            found = self._leave(stock)
            return await found if isinstance(found, Awaitable) else found
        return pick(rows)

    def _leave(self, stock: Callable[[], Any]) -> Any:
        """Let graphql-core answer, whose errors and nulls are the standard's."""
        self._is_stock = True
        return stock()

    def _find_plan(self, named: Any, details: FieldDetailsList, sources: Sources) -> Plan | None:
        if not (is_object_type(named) or is_abstract_type(named)):
            return None
        if any(source is not None and not hasattr(source, "__strawberry_definition__") for source in sources[:1]):
            return None
        nodes = [one.node for one in details]
        flags = tuple((name, value) for name, value in self.variable_values.coerced.items() if type(value) is bool)
        plan: Plan = self.strawberry.plans.find((tuple(map(id, nodes)), flags), details)
        return plan


class Plans:
    """Keeps the plans of a schema, the one found longest ago going first.

    Found by the nodes of the document, which a plan holds, so that no other
    document can have the same: documents are never shared between organisations.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._plans: OrderedDict[object, Plan] = OrderedDict()

    def find(self, place: object, details: FieldDetailsList) -> Plan:
        """Return the plan of a place, made where there is none."""
        with self._lock:
            found = self._plans.pop(place, None) or Plan(details)
            self._plans[place] = found
            if len(self._plans) > self._kept:
                self._plans.popitem(last=False)
        return found


class _Columns:
    """Writes the function that makes a row of the leaves of each source.

    Keys are names of GraphQL, and stand in its text as literals; whatever else
    it needs is passed to it as constants.
    """

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._constants: dict[str, Any] = {}
        self._has_values = False

    def add_constant(self, key: str, value: str | None) -> None:
        """Give every row the same text, or null, under a key."""
        self._cells.append(f"{key!r}: {value!r}")

    def add_leaf(self, key: str, definition: StrawberryField, leaf: Any, *, is_list: bool) -> None:
        """Give every row the value of a field under a key; raises NotCompilable for one that must be called with more."""
        name = definition.metadata.get(PROPERTY)
        if name is not None:
            self._has_values = True
            self._cells.append(f"{key!r}: values.get({name!r}) or None")
            return
        if definition.arguments:
            raise NotCompilable
        resolver = definition.base_resolver
        value = f"{self._name(resolver)}(source)" if resolver else f"source.{definition.python_name}"
        self._cells.append(f"{key!r}: {self._convert(value, leaf, is_list=is_list)}")

    def compile(self) -> Callable[[Sources], list[dict[str, Any]]]:
        """Return the function."""
        row = "{" + ", ".join(self._cells) + "}"
        each = "for source in sources"
        if self._has_values:
            each += " for values in (source._shown.values,)"
        scope: dict[str, Any] = dict(self._constants)
        exec(compile(f"def leaves(sources):\n    return [{row} {each}]", "<selection>", "exec"), scope)
        found: Callable[[Sources], list[dict[str, Any]]] = scope["leaves"]
        return found

    def _convert(self, value: str, leaf: Any, *, is_list: bool) -> str:
        if is_specified_scalar_type(leaf):
            return value
        convert = self._name(_converter(leaf))
        if is_list:
            return f"[{convert}(one) for one in {value}]"
        return f"None if (one := {value}) is None else {convert}(one)"

    def _name(self, constant: Any) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants[name] = constant
        return name


class _Names(dict[Any, str]):
    """The name of each value of an enum, as graphql-core gives it."""

    def __init__(self, leaf: GraphQLEnumType) -> None:
        super().__init__()
        self._leaf = leaf

    def __missing__(self, value: Any) -> str:
        """Look a name up."""
        name = self[value] = self._leaf.coerce_output_value(value)
        return name


def _converter(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    return _Names(leaf).__getitem__ if isinstance(leaf, GraphQLEnumType) else leaf.coerce_output_value


def _unwrap(found: GraphQLField) -> tuple[Any, bool]:
    """Return the named type of a field, and whether it is a list of that; raises NotCompilable for a list of lists."""
    outer: Any = found.type
    outer = outer.of_type if is_non_null_type(outer) else outer
    if not is_list_type(outer):
        return outer, False
    inner = outer.of_type.of_type if is_non_null_type(outer.of_type) else outer.of_type
    if inner is not get_named_type(inner):
        raise NotCompilable
    return inner, True
