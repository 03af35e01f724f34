"""The record executor: a selection is compiled once and run on whole lists of records.

graphql-core completes an answer value by value, which costs a hundred times
what writing it as JSON does. Here, where a resolver returns objects of our own
types, the fields selected of them (as graphql-core collects them, so that
fragments, merging, `@skip` and `@include` stay its work) are compiled to one
function for each type, and what lies below is fetched for a whole level at once.

Whatever is not compiled, and whatever raises, is left to graphql-core: answers,
errors and nulls are its own. What is shown is treated by the View, or by its selection; nothing in this
module decides what may be seen.
"""

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_named_type,
    is_abstract_type,
    is_introspection_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_specified_scalar_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.values import get_argument_values
from graphql.language import FieldNode, FragmentSpreadNode, InlineFragmentNode
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from graph.fragments import Fragments
from graph.selection import Column, Part, select
from graph.shown import Entity

# Metadata of a field: which column of an entity it is (part and name); the path to its value from what its type
# is resolved from (`.name`, `[1]`); what fetches it for many entities at once.
COLUMN = "column"
READ = "read"
BATCH = "batch"
# Marks the classes that stand for an entity of a View, which is their `found`; its loader is their `loader`.
SHOWN = "shows_entity"
_KEPT = 256

Sources = Sequence[Any]
Rows = list[dict[str, Any]]
# A field that is awaited, for which sources, and the rows that its values go to.
Waiting = tuple["Child", list[Any], Rows]


class NotCompilable(Exception):
    """A selection holds what is left to graphql-core."""


@dataclass(slots=True)
class Call:
    """One run of a plan. `pending` holds what must be awaited before it is complete, in the order met.

    `loader` is that of the first source: everything below comes from its View.
    """

    executor: "RecordExecutor"
    loader: Any
    pending: list[Waiting] = field(default_factory=list)

    def take(self) -> list[Waiting]:
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
        if not self.field.args:
            return {}
        first = self.details[0]
        given = get_argument_values(self.field, first.node, executor.variable_values, first.fragment_variable_values)
        config, scalars = executor.strawberry.config, executor.strawberry.schema_converter.scalar_registry
        return convert_arguments(given, self.definition.arguments, scalar_registry=scalars, config=config)

    def fetch(self, executor: "RecordExecutor", sources: Sources) -> Sequence[Any]:
        """Return the value of each source."""
        resolver = self.definition.base_resolver
        read = self.definition.metadata.get(READ)
        if read is not None or resolver is None:
            return _getter(read or f".{self.definition.python_name}")(sources)
        arguments = self.arguments(executor)
        return [resolver(source, **arguments) for source in sources]

    async def fetch_batch(self, call: Call, sources: Sources) -> Sequence[Any]:
        """Return the value of each source, all fetched together."""
        arguments = self.arguments(call.executor)
        found: Sequence[Any] = await self.definition.metadata[BATCH](sources, call.loader, **arguments)
        return found

    def show(self, call: Call, values: Sequence[Any]) -> list[Any]:
        """Return what is selected of each value; all items of lists are taken together."""
        if not self.is_list:
            return self.plan.run(call, values)
        items = iter(self.plan.run(call, [item for found in values if found for item in found]))
        return [None if found is None else list(islice(items, len(found))) for found in values]

    def put(self, call: Call, values: Sequence[Any], rows: Rows) -> None:
        """Give each row what is selected of its value."""
        for row, shown in zip(rows, self.show(call, values), strict=True):
            row[self.key] = shown


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is selected of one type: its children, and a function that makes rows of them and of the leaves."""

    make_rows: Callable[..., Rows]
    children: Sequence[Child]

    def run(self, call: Call, sources: Sources) -> Rows:
        """Return what is selected of each source."""
        shown = [child.show(call, child.fetch(call.executor, sources)) for child in self.children]
        return self.make_rows(sources, *shown)


@dataclass(frozen=True, slots=True)
class EntityPlan:
    """What is selected of the entities of one schema: its columns, which the policy treats, and its children."""

    columns: tuple[Column, ...]
    children: Sequence[Child]

    @property
    def place(self) -> object:
        """What it shares with the same selection of another schema."""
        return self.columns, tuple(child.place for child in self.children)

    def run(self, call: Call, entities: Sequence[Entity]) -> Rows:
        """Return what is selected of each entity; children that must be awaited are left pending."""
        rows = select(entities, self.columns)
        for child in self.children:
            if child.is_batched:
                call.pending.append((child, list(entities), rows))
            else:
                sources = [call.executor.strawberry.wrap(entity, call.loader) for entity in entities]
                child.put(call, child.fetch(call.executor, sources), rows)
        return rows


class Plan:
    """What is selected of a type, or of each type that implements it; compiled when a type is met first."""

    def __init__(self, named: Any, details: FieldDetailsList) -> None:
        self._named = named
        self._details = details
        self._objects: dict[type, ObjectPlan] = {}
        self._entities: dict[str, EntityPlan] = {}

    def run(self, call: Call, sources: Sources) -> list[Any]:
        """Return what is selected of each source, null for None."""
        return _run_by_kind(sources, type, lambda kind, some: self._run_kind(call, kind, some))

    def _run_kind(self, call: Call, kind: type, sources: Sources) -> list[Any]:
        if kind is type(None):
            return [None] * len(sources)
        if kind is not Entity and not hasattr(kind, SHOWN):
            return self._of(call.executor, kind).run(call, sources)
        entities = sources if kind is Entity else [source.found for source in sources]
        plans = {name: self._of_schema(call.executor, name) for name in {entity.schema for entity in entities}}
        if any(plan.children for plan in plans.values()):
            return self._run_plans(call, plans, entities)
        fragments: Fragments = call.executor.strawberry.fragments
        return fragments.show(self, entities, lambda some: self._run_plans(call, plans, some))

    def _run_plans(self, call: Call, plans: Mapping[str, EntityPlan], entities: Sequence[Entity]) -> Rows:
        """Run the plan of each schema; those with the same children run together."""
        if len({plan.place for plan in plans.values()}) == 1:
            return next(iter(plans.values())).run(call, entities)
        return _run_by_kind(entities, lambda entity: entity.schema, lambda name, some: plans[name].run(call, some))

    def _of(self, executor: "RecordExecutor", kind: type) -> ObjectPlan:
        plan = self._objects.get(kind)
        if plan is None:
            named = self._named
            if is_abstract_type(named):
                definition = getattr(kind, "__strawberry_definition__", None)
                named = executor.schema.type_map.get(definition.name) if definition else None
            if not isinstance(named, GraphQLObjectType):
                raise NotCompilable
            leaves, children = _compile(executor, named, self._details)
            if any(child.is_batched for child in children):
                raise NotCompilable
            plan = self._objects[kind] = ObjectPlan(leaves.compile(), children)
        return plan

    def _of_schema(self, executor: "RecordExecutor", name: str) -> EntityPlan:
        plan = self._entities.get(name)
        if plan is None:
            leaves, children = _compile(executor, executor.schema.type_map[name], self._details)
            plan = self._entities[name] = EntityPlan(tuple(leaves.columns), children)
        return plan


def _run_by_kind(
    sources: Sources, kind_of: Callable[[Any], Any], run: Callable[[Any, Sources], list[Any]]
) -> list[Any]:
    """Run the sources of each kind together, and return what comes of them in their order."""
    kinds = {kind_of(source) for source in sources}
    if len(kinds) == 1:
        return run(kinds.pop(), sources)
    shown: list[Any] = [None] * len(sources)
    for kind in kinds:
        places = [place for place, source in enumerate(sources) if kind_of(source) == kind]
        for place, row in zip(places, run(kind, [sources[place] for place in places]), strict=True):
            shown[place] = row
    return shown


def _compile(executor: "RecordExecutor", named: Any, selected: FieldDetailsList) -> tuple["_Leaves", Sequence[Child]]:
    """Sort what is selected of a type into leaves and children; raises NotCompilable."""
    grouped, defers, _ = executor.collect_subfields(named, selected)
    if defers:
        raise NotCompilable
    leaves, children = _Leaves(), []
    for key, details in grouped.items():
        name = details[0].node.name.value
        if name == "__typename":
            leaves.add_typename(key, named.name)
            continue
        found = named.fields[name]
        definition = found.extensions["strawberry-definition"]
        below, is_list = _unwrap(found)
        if is_leaf_type(below):
            leaves.add(key, definition, below, is_list=is_list)
            continue
        if definition.is_async and BATCH not in definition.metadata:
            raise NotCompilable
        leaves.add_child(key)
        children.append(Child(key, definition, found, details, is_list, Plan(below, details)))
    return leaves, children


def selects(info: GraphQLResolveInfo[Any], name: str) -> bool:
    """Whether a field is selected of what is being resolved, under whatever condition of type or variables."""
    pending = [node.selection_set for node in info.field_nodes]
    while pending:
        selected = pending.pop()
        for one in selected.selections if selected else ():
            if isinstance(one, FieldNode):
                if one.name.value == name:
                    return True
            elif isinstance(one, InlineFragmentNode):
                pending.append(one.selection_set)
            elif isinstance(one, FragmentSpreadNode):
                pending.append(info.fragments[one.name.value].selection_set)
    return False


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
        plan = None if self._is_stock else self._find_plan(named, details)
        if plan is None:
            return stock()
        first = next((source for source in sources if source is not None), None)
        call = Call(self, getattr(first, "loader", None))
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
                    child.put(call, await child.fetch_batch(call, sources), into)
        except Exception:
            found = self._leave(stock)
            return await found if isinstance(found, Awaitable) else found
        return pick(rows)

    def _leave(self, stock: Callable[[], Any]) -> Any:
        """Let graphql-core answer, whose errors and nulls are the standard's."""
        self._is_stock = True
        return stock()

    def _find_plan(self, named: Any, details: FieldDetailsList) -> Plan | None:
        is_ours = is_object_type(named) or is_abstract_type(named)
        if not is_ours or is_introspection_type(named):
            return None
        nodes = [one.node for one in details]
        flags = tuple((name, value) for name, value in self.variable_values.coerced.items() if type(value) is bool)
        plan: Plan = self.strawberry.plans.find((tuple(map(id, nodes)), flags), named, details)
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

    def find(self, place: object, named: Any, details: FieldDetailsList) -> Plan:
        """Return the plan of a place, made where there is none."""
        with self._lock:
            found = self._plans.pop(place, None) or Plan(named, details)
            self._plans[place] = found
            if len(self._plans) > self._kept:
                self._plans.popitem(last=False)
        return found


class _Leaves:
    """Writes the function that makes a row of the leaves of each source.

    Keys are names of GraphQL, and stand in its text as literals; whatever else
    it needs is passed to it as constants. Of entities, leaves are `columns`.
    """

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self._cells: list[str] = []
        self._children: list[str] = []
        self._constants: dict[str, Any] = {}

    def add_typename(self, key: str, name: str) -> None:
        """Give every row the name of its type under a key; of an entity that is its schema."""
        self.columns.append(Column(key, Part.SCHEMA))
        self._cells.append(f"{key!r}: {name!r}")

    def add_child(self, key: str) -> None:
        """Give every row what is shown of its next child under a key; of an entity that comes later."""
        self.columns.append(Column(key, Part.CONSTANT))
        self._children.append(f"child_{len(self._children)}")
        self._cells.append(f"{key!r}: {self._children[-1]}")

    def add(self, key: str, definition: StrawberryField, leaf: Any, *, is_list: bool) -> None:
        """Give every row the value of a field under a key; raises NotCompilable for one that takes arguments."""
        column = definition.metadata.get(COLUMN)
        if column is not None:
            self.columns.append(Column(key, *column))
            return
        if definition.arguments:
            raise NotCompilable
        self._cells.append(f"{key!r}: {self._convert(self._write(definition), leaf, is_list=is_list)}")

    def compile(self) -> Callable[..., Rows]:
        """Return the function, which takes sources and what is shown of each child."""
        return _reader("{" + ", ".join(self._cells) + "}", self._children, self._constants)

    def _write(self, definition: StrawberryField) -> str:
        if READ in definition.metadata:
            return f"source{definition.metadata[READ]}"
        if definition.base_resolver is None:
            return f"source.{definition.python_name}"
        # Past the library's own call, which checks what cannot be otherwise here.
        return f"{self._name(definition.base_resolver.wrapped_func)}(source)"

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


@cache
def _getter(path: str) -> Callable[..., list[Any]]:
    return _reader(f"source{path}", (), {})


def _reader(expression: str, more: Sequence[str], constants: Mapping[str, Any]) -> Callable[..., list[Any]]:
    """Return a function of sources, and of as many values as them for each of `more`, that evaluates an expression."""
    scope: dict[str, Any] = dict(constants)
    each = f"source, {', '.join(more)} in zip(sources, {', '.join(f'all_{name}' for name in more)})"
    taken = ", ".join(["sources", *(f"all_{name}" for name in more)])
    text = f"def read({taken}):\n    return [{expression} for {each if more else 'source in sources'}]"
    exec(compile(text, "<selection>", "exec"), scope)
    found: Callable[..., list[Any]] = scope["read"]
    return found


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
