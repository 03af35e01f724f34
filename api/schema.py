"""The GraphQL schema of each tier.

A field whose class a tier is never given as a value is not in that tier's
types, so nothing can name it: no query, no introspection, no error text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

import strawberry
from strawberry.printer import print_schema
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from api.answers import Alert, Explanation, Observer, SchemaCount, Table, Watch
from api.arguments import check_first, check_moment, check_number, check_text, make_window
from api.checked import CheckedDocuments
from api.declaring import CLEAR_ONLY, FIELD_CLASS, EntitySchema, LinkType, described
from api.errors import BadInput
from api.executor import Plans, RecordExecutor, selects
from api.filters import SCHEMA, EntityFilter, SortBy, read_filters, refuse_values
from api.guard import DEFAULT_PAGE, MAX_PAGE, PAGES
from api.loaders import Context
from api.nodes import ENTITY_TYPES, Entity, EntityConnection, Listed, Node, Paged, list_items, make_entity
from api.ways import Around, Neighbourhood, Paths, Ways
from graph.finding import Sort
from graph.fragments import Fragments
from graph.neighbourhood import MAX_DEPTH, MAX_REACHED
from graph.paths import MAX_ENDS, MAX_LONGEST
from ontology.errors import NotVisible
from ontology.judgement import Verdict
from ontology.policy import Policy, Right, Sees, Tier, Treatment
from ontology.policy_file import countable_cubes, default_policy
from ontology.schema import default_ontology

_SCHEMATA: dict[tuple[str, str], "TierSchema"] = {}  # by tier and the policy's digest
_SHOWN = frozenset(Treatment) - {Treatment.COUNT, Treatment.ABSENT}

Info = strawberry.Info[Context, None]


@described
@strawberry.type
class Query:
    """What can be asked. All of it is answered from what you may see alone; `asOf` asks what was known by a moment."""

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID, as_of: datetime | None = None) -> Node | None:
        """Whatever an id names, null where you may see nothing by it (Relay)."""
        return await _find_entity(info, id, as_of)

    @strawberry.field
    async def nodes(self, info: Info, ids: list[strawberry.ID], as_of: datetime | None = None) -> list[Node | None]:
        """What each of some ids names, in their order, null where you may see nothing by one."""
        if len(ids) > MAX_PAGE:
            raise BadInput(f"ids: expected at most {MAX_PAGE}, found more")
        loader = info.context.loader(check_moment(as_of))
        found = await loader.ask(lambda view: view.entities(ids))
        return [make_entity(entity, loader) if entity else None for entity in found]

    @strawberry.field
    async def entity(self, info: Info, id: strawberry.ID, as_of: datetime | None = None) -> Entity | None:
        """The entity that an id names, null where you may see nothing by it."""
        return await _find_entity(info, id, as_of)

    @strawberry.field
    async def search(
        self,
        info: Info,
        text: str,
        schema: EntitySchema | None = None,
        first: int = DEFAULT_PAGE,
        after: str | None = None,
        as_of: datetime | None = None,
    ) -> EntityConnection:
        """The entities with a record that holds every word of a text in values that you see in clear, best first."""
        size, loader = check_first(first), info.context.loader(check_moment(as_of))
        check_text("text", text)
        page = await loader.ask(lambda view: view.search_hits(text, schema=schema, first=size, after=after))
        return cast(EntityConnection, Paged(list_items(page, lambda hit: Listed(hit.entity, hit)), loader, after))

    @strawberry.field
    async def entities(
        self,
        info: Info,
        where: EntityFilter,
        sort: SortBy | None = None,
        first: int = DEFAULT_PAGE,
        after: str | None = None,
        as_of: datetime | None = None,
    ) -> EntityConnection:
        """The entities of a schema whose values, as you see them in clear, meet some filters."""
        schema, filters = read_filters(where)
        order = Sort(_check_sort(info, schema, sort.property), sort.descending) if sort else None
        size, loader = check_first(first), info.context.loader(check_moment(as_of))
        page = await loader.ask(
            lambda view: refuse_values(lambda: view.find(schema, filters, sort=order, first=size, after=after))
        )
        return cast(EntityConnection, Paged(list_items(page, Listed), loader, after))

    @strawberry.field
    async def neighbourhood(
        self,
        info: Info,
        id: strawberry.ID,
        depth: int = 1,
        types: list[LinkType] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int = PAGES["neighbourhood"][0],
        as_of: datetime | None = None,
    ) -> Neighbourhood | None:
        """What lies up to three links around an entity, null where you may see nothing by the id."""
        size, steps = check_first(first, MAX_REACHED), check_number("depth", depth, 1, MAX_DEPTH)
        window, loader = make_window(since, until), info.context.loader(check_moment(as_of))
        try:
            found = await loader.ask(
                lambda view: view.neighbourhood(id, depth=steps, types=types or (), window=window, first=size)
            )
        except NotVisible:
            return None
        return cast(Neighbourhood, Around(found, loader))

    @strawberry.field
    async def paths(
        self,
        info: Info,
        left: list[strawberry.ID],
        right: list[strawberry.ID],
        longest: int = 4,
        types: list[LinkType] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int = PAGES["paths"][0],
        as_of: datetime | None = None,
    ) -> Paths | None:
        """The shortest ways from some entities to others, null where you may see nothing by one of the ids."""
        size, steps = check_first(first), check_number("longest", longest, 1, MAX_LONGEST)
        for name, ids in (("left", left), ("right", right)):
            check_number(f"number of ids in {name}", len(ids), 1, MAX_ENDS)
        window, loader = make_window(since, until), info.context.loader(check_moment(as_of))
        try:
            found = await loader.ask(
                lambda view: view.paths(left, right, longest=steps, types=types or (), window=window, first=size)
            )
        except NotVisible:
            return None
        return cast(Paths, Ways(found, loader))

    @strawberry.field
    async def explain(
        self, info: Info, left: strawberry.ID, right: strawberry.ID, as_of: datetime | None = None
    ) -> Explanation | None:
        """Why two ids name one thing or two, null where you may see nothing by either."""
        try:
            found = await info.context.loader(check_moment(as_of)).ask(lambda view: view.explain(left, right))
        except NotVisible:
            return None
        return Explanation.of(found)

    @strawberry.field
    async def counts(self, info: Info, as_of: datetime | None = None) -> list[SchemaCount]:
        """How many entities of each schema you may see."""
        found = await info.context.loader(check_moment(as_of)).ask(lambda view: view.counts())
        return [SchemaCount(schema=EntitySchema(schema), count=count) for schema, count in found.items()]

    @strawberry.field
    async def cubes(self, info: Info) -> list[Table]:
        """The fixed tables of counts as of the first of this month; no group under the policy's floor is in them."""
        return [Table.of(table) for table in await info.context.loader().ask(lambda view: view.cubes())]

    @strawberry.field
    async def watches(self, info: Info, first: int = DEFAULT_PAGE) -> list[Watch]:
        """What you watch."""
        size, loader = check_first(first), info.context.loader()
        found = await info.context.call(lambda backend, observer: backend.watches(observer))
        return await Watch.of_all(found[:size], loader)

    @strawberry.field
    async def alerts(self, info: Info, first: int = DEFAULT_PAGE) -> list[Alert]:
        """What came to entities that you watch, newest first."""
        size, loader = check_first(first), info.context.loader()
        found = await info.context.call(lambda backend, observer: backend.alerts(observer))
        return [Alert.of(alert, loader) for alert in found[:size]]

    @strawberry.field
    def observer(self, info: Info) -> Observer:
        """You, as the store knows you."""
        me = info.context.observer
        return Observer(
            name=me.name, organisation=me.organisation, tier=me.tier, purpose=me.purpose, cases=list(me.cases)
        )


@described
@strawberry.type
class Mutation:
    """What you may change."""

    @strawberry.mutation
    async def judge(
        self, info: Info, left: strawberry.ID, right: strawberry.ID, verdict: Verdict, reason: str = ""
    ) -> Explanation | None:
        """Say whether two records are one thing, and why; the explanation that results.

        Whoever may not have all that you see of both is not swayed. Null where you may see nothing by an id.
        """
        try:
            await info.context.call(lambda backend, observer: backend.judge(observer, (left, right), verdict, reason))
            found = await info.context.loader().ask(lambda view: view.explain(left, right))
        except NotVisible:
            return None
        return Explanation.of(found)

    @strawberry.mutation
    async def watch_entity(self, info: Info, id: strawberry.ID) -> Watch | None:
        """Watch an entity: what newly links to it raises an alert. Null where you may see nothing by the id."""
        try:
            found = await info.context.call(lambda backend, observer: backend.watch(observer, id))
        except NotVisible:
            return None
        (shown,) = await Watch.of_all([found], info.context.loader())
        return shown


class TierSchema(strawberry.Schema):
    """The schema of one tier: the types of everybody without the fields that it is never given or may not use."""

    def __init__(self, tier: str, policy: Policy) -> None:
        self._tier = policy.tiers[tier]
        self._policy = policy
        self._gifts = _Gifts.of(self._tier, policy)
        self.checked = CheckedDocuments()
        self.plans = Plans()
        self.fragments = Fragments()
        self.wrap = make_entity
        super().__init__(
            query=Query,
            mutation=Mutation if self._tier.rights & {Right.JUDGE, Right.WATCH} else None,
            types=ENTITY_TYPES.values() if self._gifts.records else (),
            execution_context_class=RecordExecutor,
        )

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Return the fields of a type that the tier can be given."""
        return [field for field in super().get_fields(type_definition) if self._is_given(field, type_definition.name)]

    def _is_given(self, field: StrawberryField, of: str) -> bool:
        asked = _ASKED.get((of, field.python_name)) or _ASKED.get(("", field.python_name))
        if asked is not None and not asked(self._gifts):
            return False
        if SCHEMA in field.metadata:
            properties = default_ontology()[field.metadata[SCHEMA]].properties.values()
            return any(Treatment.CLEAR in self._reachable(prop.field_class) for prop in properties)
        field_class = field.metadata.get(FIELD_CLASS)
        if field_class is None:
            return True
        wanted = {Treatment.CLEAR} if field.metadata.get(CLEAR_ONLY) else _SHOWN
        return not wanted.isdisjoint(self._reachable(field_class))

    def _reachable(self, field_class: str) -> frozenset[Treatment]:
        return self._policy.reachable(self._tier.name, field_class)


@dataclass(frozen=True, slots=True)
class _Gifts:
    """What a tier can be given at all: rights, records, values, values in clear, markers, tables of counts."""

    rights: frozenset[Right]
    records: bool
    values: bool
    clear: bool
    markers: bool
    cubes: bool

    @classmethod
    def of(cls, tier: Tier, policy: Policy) -> Self:
        """Read them off the policy."""
        classes = default_ontology().field_classes()
        given = {treatment for name in classes for treatment in policy.reachable(tier.name, name)}
        markers = (cell.known for (_, _, name), cell in policy.cells.items() if name == tier.name)
        return cls(
            rights=tier.rights,
            records=tier.sees is not Sees.NOTHING,
            values=not _SHOWN.isdisjoint(given),
            clear=Treatment.CLEAR in given,
            markers=any(markers),
            cubes=bool(countable_cubes(policy, tier.name)),
        )


# What a field asks of a tier, by the names of its type (empty: any) and in Python. Whatever is not here is for all.
_ASKED: Mapping[tuple[str, str], Callable[[_Gifts], bool]] = {
    **{("Query", name): lambda gifts: gifts.records for name in ("node", "nodes", "entity", "counts", "explain")},
    **{("Query", name): lambda gifts: gifts.records for name in ("neighbourhood", "paths")},
    **{("Query", name): lambda gifts: gifts.clear for name in ("search", "entities")},
    ("Query", "cubes"): lambda gifts: gifts.cubes,
    ("Query", "watches"): lambda gifts: Right.WATCH in gifts.rights,
    ("Query", "alerts"): lambda gifts: Right.WATCH in gifts.rights,
    ("Mutation", "watch_entity"): lambda gifts: Right.WATCH in gifts.rights,
    ("Mutation", "judge"): lambda gifts: Right.JUDGE in gifts.rights,
    ("Record", "values"): lambda gifts: gifts.values,
    ("Link", "properties"): lambda gifts: gifts.values,
    ("Explanation", "weights"): lambda gifts: gifts.values,
    ("", "redactions"): lambda gifts: gifts.markers,
}


def make_schema(tier: str, policy: Policy | None = None) -> TierSchema:
    """Return the schema of a tier under a policy (None: the one that ships); made once for each."""
    policy = policy or default_policy()
    if (tier, policy.digest) not in _SCHEMATA:
        _SCHEMATA[tier, policy.digest] = TierSchema(tier, policy)
    return _SCHEMATA[tier, policy.digest]


def print_sdl(tier: str, policy: Policy | None = None) -> str:
    """Return the schema of a tier in the GraphQL schema definition language."""
    return print_schema(make_schema(tier, policy))


async def _find_entity(info: Info, id_: str, as_of: datetime | None) -> Entity | None:
    """Return what an id names; absent, hidden, forged and another organisation's are one and the same None."""
    loader = info.context.loader(check_moment(as_of))
    with_links = selects(info._raw_info, "neighbours")
    try:
        return make_entity(await loader.ask(lambda view: view.entity(id_, with_links=with_links)), loader)
    except NotVisible:
        return None


def _check_sort(info: Info, schema: str, name: str) -> str:
    """Return a property to sort by; raises BadInput for one that the schema of the tier has no filter for."""
    known: Any = info.schema._schema.type_map[f"{schema}Filter"]
    if name not in known.fields:
        raise BadInput("sort: expected a property that there is a filter for")
    return name
