"""The guard: what a document may ask for, measured before it is validated.

Its own cost is linear in the document: each fragment is measured once, however
often it is spread, so that nesting cannot make the guard itself the weakness.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from graphql import parse
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TokenKind,
    ValueNode,
    VariableNode,
)

from api.errors import BadInput

MAX_PAGE = 100
DEFAULT_PAGE = 20

# The fields that take `first`, with what it is when it is not said, and at most; a test holds this against the schema.
PAGES: Mapping[str, tuple[int, int]] = {
    "search": (DEFAULT_PAGE, MAX_PAGE),
    "entities": (DEFAULT_PAGE, MAX_PAGE),
    "neighbours": (DEFAULT_PAGE, MAX_PAGE),
    "alerts": (DEFAULT_PAGE, MAX_PAGE),
    "watches": (DEFAULT_PAGE, MAX_PAGE),
    "neighbourhood": (100, 500),
    "paths": (10, MAX_PAGE),
}
# What a field costs, besides its page, that looks at much, in rows.
_WHOLE = {
    "counts": 2_000,
    "search": 1_000,
    "entities": 2_000,
    "neighbourhood": 1_000,
    "paths": 2_000,
    "__schema": 2_000,
}
_MAX_DIGITS = 3
_MAX_NUMBER = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may hold, its fragments written out.

    `depth` counts nested fields and fragments, `rows` the things on the largest
    pages that it could get, `repeats` how often the document writes one response
    name: the validator compares all fields of one name with each other. The
    introspection of GraphiQL fits.
    """

    tokens: int = 2000
    depth: int = 20
    fields: int = 1000
    aliases: int = 30
    directives: int = 50
    rows: int = 10_000
    repeats: int = 50


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of a document asks for; see Limits."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    rows: int = 0
    repeats: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.rows + other.rows,
            max(self.repeats, other.repeats),
        )


def read_document(text: str, variables: Mapping[str, Any] | None = None, limits: Limits | None = None) -> DocumentNode:
    """Parse a document and check that it stays within the limits.

    Raises BadInput, naming the limit, or the parser's GraphQLSyntaxError.
    """
    try:
        document = parse(text, max_tokens=(limits or Limits()).tokens)
    except RecursionError as exc:
        raise _too_deep(limits or Limits()) from exc
    _check_numbers(document)
    check_limits(document, variables, limits)
    return document


def _check_numbers(document: DocumentNode) -> None:
    """Refuse a number that no argument takes: reading one of thousands of digits is slow, or fails."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in (TokenKind.INT, TokenKind.FLOAT) and len(token.value or "") > _MAX_NUMBER:
            raise BadInput(f"expected numbers of at most {_MAX_NUMBER} characters, found a longer one")
        token = token.next


def check_limits(
    document: DocumentNode, variables: Mapping[str, Any] | None = None, limits: Limits | None = None
) -> None:
    """Raise BadInput, naming the limit, when a document goes beyond one with these variables."""
    limits = limits or Limits()
    try:
        cost = _Meter(document, variables or {}).measure()
    except RecursionError as exc:
        raise _too_deep(limits) from exc
    for part in fields(Cost):
        most = getattr(limits, part.name)
        if getattr(cost, part.name) > most:
            raise BadInput(f"expected at most {most} {_IN_WORDS[part.name]}, found more")


def _too_deep(limits: Limits) -> BadInput:
    return BadInput(f"expected at most {limits.depth} levels, found more")


_IN_WORDS = {
    "depth": "levels",
    "fields": "fields",
    "aliases": "aliases",
    "directives": "directives",
    "rows": "rows on all pages together",
    "repeats": "fields of one name",
}


class _Meter:
    """Measures one document; a fragment that spreads itself counts once and is the validator's to refuse."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._document = document
        self._variables = variables
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._measured: dict[str, Cost] = {}
        self._names: Counter[str] = Counter()

    def measure(self) -> Cost:
        """Return the cost of all operations together, and of fragments that none of them uses."""
        roots = [d for d in self._document.definitions if isinstance(d, OperationDefinitionNode)]
        named = [self._fragment(name) for name in self._fragments]
        cost = _total(
            self._selections(root.selection_set) + Cost(directives=len(root.directives or ())) for root in roots
        )
        return cost + Cost(depth=max((c.depth for c in named), default=0), repeats=max(self._names.values(), default=0))

    def _selections(self, selections: SelectionSetNode | None) -> Cost:
        return _total(self._selection(s) for s in selections.selections) if selections else Cost()

    def _selection(self, node: Any) -> Cost:
        below = self._below(node)
        is_field = isinstance(node, FieldNode)
        size = self._size(node) if is_field else 0
        whole = _WHOLE.get(node.name.value, 0) if is_field else 0
        if is_field:
            self._names[(node.alias or node.name).value] += 1
        return Cost(
            depth=1 + below.depth,
            fields=is_field + below.fields,
            aliases=(is_field and node.alias is not None) + below.aliases,
            directives=len(node.directives or ()) + below.directives,
            rows=(size * (1 + below.rows) if size else below.rows) + whole,
        )

    def _below(self, node: Any) -> Cost:
        return (
            self._fragment(node.name.value)
            if isinstance(node, FragmentSpreadNode)
            else self._selections(node.selection_set)
        )

    def _fragment(self, name: str) -> Cost:
        if name not in self._measured:
            self._measured[name] = Cost()
            found = self._fragments.get(name)
            self._measured[name] = self._selections(found.selection_set) if found else Cost()
        return self._measured[name]

    def _size(self, node: FieldNode) -> int:
        """Return how many things a field may list or read at most, 0 for one that is no list."""
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        if node.name.value in PAGES:
            default, most = PAGES[node.name.value]
            return self._page(arguments["first"], most) if "first" in arguments else default
        if node.name.value == "nodes" and "ids" in arguments:
            return self._length(arguments["ids"])
        return 0

    def _page(self, value: ValueNode, most: int) -> int:
        asked: Any = None
        if isinstance(value, IntValueNode) and len(value.value) <= _MAX_DIGITS:
            asked = int(value.value)
        elif isinstance(value, VariableNode):
            asked = self._variables.get(value.name.value)
        return max(1, min(asked, most)) if isinstance(asked, int) else most

    def _length(self, value: ValueNode) -> int:
        if isinstance(value, VariableNode):
            given = self._variables.get(value.name.value)
            return len(given) if isinstance(given, list) else 1
        return len(value.values) if isinstance(value, ListValueNode) else 1


def _total(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())
