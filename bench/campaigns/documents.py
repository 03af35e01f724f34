"""Documents: whatever can be asked, the record executor answers as the stock one does, and nothing of ours fails.

hypothesis-graphql draws shapes, each valid under the schema of a tier. A shape
is varied: which of its root fields are asked, what its arguments are (ids and
cursors of the world and of answers before, words, moments, numbers, things that
do not fit), what of them comes as a variable, what is aliased, skipped,
included and put in a fragment of its own. Each variation is one document. It is
posted to two services over equal worlds, one with our executor, one with
Strawberry's own: status, headers and bytes must be equal (but see `is_race`),
no answer may be a fault of ours, and no error may hold a value of the world which its document did
not hold.

Not covered: time, the engines, and what comes before the app.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random
from typing import Any

import hypothesis
import orjson
from graphql.language import IntValueNode, StringValueNode
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis_graphql import mutations, queries
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.executor import RecordExecutor
from api.schema import make_schema
from bench.campaigns.campaign import VIOLATION, Tally, read_arguments, run_cases
from bench.campaigns.graphql import Reply, Served, ask_in_turn, make_concrete_world, settle
from bench.goal import print_goal
from graph.handle import Handles
from graph.watches import check_watches
from ontology.observer import Observer
from tests.factory import SECRET
from tests.worlds.documents import Asker
from tests.worlds.questions import EARLY
from tests.worlds.twin import ASKING, sight_of
from tests.worlds.world import NOW, OBSERVERS, POOLS, WORDS, World, thing_of

DOCUMENTS = "documents"
SHAPES = "shapes"
ANSWERED = "fully answered"
REFUSED = "not run"
LEFT = "left to graphql-core"
FAULTS = "server errors"
UNMASKED = "unmasked texts"
UNLIKE = "unlike stock"
LATE = "not answered in time"
RACED = "without data for one error or several"

SHAPES_A_CASE = 10
DOCUMENTS_A_SHAPE = 20
DOCUMENTS_A_CASE = SHAPES_A_CASE * DOCUMENTS_A_SHAPE
_CHANGING = 2  # shapes of a case that are mutations, where there are any
_LEAST_LENGTH = 5  # of a value whose place in an error is no accident

_INT = 70_000_000  # what stands for an Int in a shape, since only numbers are read as one
_HOLDER = re.compile(rf'(?:(\w+): )?(?:"@(ID|String|DateTime)(\d)"|{_INT // 10}(\d))')
_ROOT = re.compile(r"^  \w.*?(?=^  \w|^\})", re.MULTILINE | re.DOTALL)
_LEAF = re.compile(r"^(\s+)([a-z]\w*)$", re.MULTILINE)
_SPREAD = re.compile(r"^(\s+)\.\.\. on (\w+) \{\n(.*?)^\1\}$", re.MULTILINE | re.DOTALL)
_IN_ANSWERS = re.compile(rb'"(id|cursor|endCursor|startCursor)":"([^"]+)"')
_MOMENTS = (EARLY.isoformat(), NOW.isoformat(), "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "no moment")
_NUMBERS = (0, 1, 1, 2, 3, 20, 100, 101, -1, 2**31 - 1)
_MISFITS: Sequence[Any] = (None, {}, [], {"a": [1]}, 1e30, "", "\u0000", True, 0.5)
_PROPERTIES = sorted({name for pool in POOLS.values() for name in pool})
_VALUES = sorted({value for pool in POOLS.values() for values in pool.values() for value in values})


@dataclass(slots=True)
class Known:
    """What whoever asks knows of a world: its ids, and what answers gave."""

    ids: list[str]
    given: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, world: World, observer: Observer) -> "Known":
        """Return what an observer could know from the start; a foreign and a raw id among it."""
        mine, other = (Handles(SECRET, name) for name in (observer.organisation, OBSERVERS[5].organisation))
        things = [thing_of(key) for key in world.keys]
        return cls([mine.seal("entity", thing) for thing in things], [other.seal("entity", things[0]), things[0]])

    def learn(self, reply: Reply) -> None:
        """Take the ids and cursors of an answer."""
        for name, value in _IN_ANSWERS.findall(reply.body):
            (self.given if name == b"id" else self.cursors).append(value.decode())


@dataclass(frozen=True, slots=True)
class Variation:
    """One document: its text and variables."""

    text: str
    variables: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """The request."""
        return orjson.dumps({"query": self.text, "variables": self.variables})


class Varying:
    """Makes one variation of a shape; equal `random` states and knowledge make the same."""

    def __init__(self, random: Random, known: Known) -> None:
        self._random = random
        self._known = known
        self._variables: dict[str, Any] = {}
        self._declared: list[str] = []
        self._fragments: list[str] = []
        self._filled: dict[str, str] = {}

    def make(self, shape: str) -> Variation:
        """Return a document of the shape."""
        kind = "mutation" if shape.startswith("mutation") else "query"
        roots = _ROOT.findall(shape)
        body = "".join(sorted(self._random.sample(roots, self._random.randint(1, min(4, len(roots)))), key=roots.index))
        body = _SPREAD.sub(self._name_fragment, body)
        body = _HOLDER.sub(self._fill, _LEAF.sub(self._dress, body))
        fragments = [_HOLDER.sub(self._fill, _LEAF.sub(self._dress, text)) for text in self._fragments]
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        return Variation("".join([f"{kind}{declared} {{\n{body}}}\n", *fragments]), self._variables)

    def _name_fragment(self, found: re.Match[str]) -> str:
        if self._random.random() < 0.8:
            return found[0]
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {found[2]} {{\n{found[3]}}}\n")
        return f"{found[1]}...{name}"

    def _dress(self, leaf: re.Match[str]) -> str:
        space, name = leaf.groups()
        how = self._random.random()
        if how < 0.08:
            flag = self._declare("Boolean", self._random.random() < 0.5)
            return f"{space}{name} @{self._random.choice(('include', 'skip'))}(if: {flag})"
        if how < 0.12:
            return f"{space}alias{self._random.randrange(10**6)}: {name}"
        return f"{space}{name}{' __typename' if how < 0.18 else ''}"

    def _fill(self, holder: re.Match[str]) -> str:
        """Write a value, equal for equal places, so that fields that were the same still are."""
        if holder[0] not in self._filled:
            argument, kind, *_ = holder.groups()
            value = self._draw(argument or "", kind or "Int")
            is_variable = self._random.random() < 0.3
            text = self._declare(kind or "Int", value) if is_variable else orjson.dumps(value).decode()
            self._filled[holder[0]] = f"{argument}: {text}" if argument else text
        return self._filled[holder[0]]

    def _declare(self, kind: str, value: Any) -> str:
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {kind}!")
        self._variables[name] = value if self._random.random() < 0.99 else self._random.choice(_MISFITS)
        return f"${name}"

    def _draw(self, argument: str, kind: str) -> Any:
        pick = self._random.choice
        if kind == "ID":
            return pick(self._known.ids if self._random.random() < 0.8 else [*self._known.given, "", "nothing"])
        if kind == "DateTime":
            return pick(_MOMENTS[:-1] if self._random.random() < 0.97 else _MOMENTS)
        if kind == "Int":
            is_steps = argument in ("depth", "longest")
            return self._random.randint(1, 3) if is_steps and self._random.random() < 0.9 else pick(_NUMBERS)
        if argument == "after":
            return pick([*self._known.cursors, "cAAAA", ""])
        return pick(_PROPERTIES if argument == "property" else (*WORDS, *_VALUES, ""))


class Counting(RecordExecutor):
    """Our executor; says whether anything was left to graphql-core since it was last looked at."""

    has_left = False

    def _leave(self, stock: Any) -> Any:
        Counting.has_left = True
        return super()._leave(stock)


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, 20_000)
    tally = run_cases(try_case, range(seed, seed + max(len(ASKING), -(-n // DOCUMENTS_A_CASE) + 1)), chunk=1)
    tally.show(DOCUMENTS)
    show_tiers(tally)
    print_goal("documents_server_errors", tally.counts[FAULTS], "==", 0)
    print_goal("documents_unmasked", tally.counts[UNMASKED], "==", 0)
    print_goal("documents_unlike_stock", tally.counts[UNLIKE], "==", 0)
    print_goal("documents", tally.counts[DOCUMENTS], ">=", n)


def show_tiers(tally: Tally) -> None:
    """Print what became of the documents of each tier."""
    print(
        f"  {tally.counts[SHAPES]:,} shapes; {tally.violations:,} violations; {tally.counts[LATE]:,} {LATE}; {tally.counts[RACED]:,} {RACED}"
    )
    for tier in dict.fromkeys(observer.tier for observer in ASKING):
        parts = [f"{tally.counts[f'{tier} {what}']:,} {what}" for what in (DOCUMENTS, ANSWERED, REFUSED, LEFT)]
        print(f"  {tier}: {', '.join(parts)}")


def try_case(seed: int) -> Counter[str]:
    """Ask two services of one world what is drawn for one tier."""
    settle()
    observer = ASKING[seed % len(ASKING)]
    world = make_concrete_world(seed, sight_of(observer).evenly)
    shapes = draw_shapes(observer.tier, seed)
    found = asyncio.run(_ask_all(observer, world, shapes, Random(f"{seed} variations")))
    found[SHAPES] = len(shapes)
    return found


def draw_shapes(tier: str, seed: int, number: int = SHAPES_A_CASE) -> list[str]:
    """Draw so many documents with holders in place of values; valid under the tier's schema once those are filled."""
    asking, changing = _strategies(tier)
    if changing is None:
        return _draw(asking, seed, number)
    return _draw(asking, seed, number - _CHANGING) + _draw(changing, seed, _CHANGING)


def _draw(strategy: st.SearchStrategy[str], seed: int, number: int) -> list[str]:
    drawn: list[str] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        # Its first is always the smallest there is.
        max_examples=number + 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(strategy)
    def take(shape: str) -> None:
        drawn.append(shape)

    take()
    return drawn[-number:]


@cache
def _strategies(tier: str) -> tuple[st.SearchStrategy[str], st.SearchStrategy[str] | None]:
    schema = make_schema(tier)._schema
    scalars = {
        **{name: _hold(name, most) for name, most in (("ID", 5), ("String", 5), ("DateTime", 2))},
        "Int": st.integers(0, 4).map(lambda n: IntValueNode(value=str(_INT + n))),
    }
    change = mutations(schema, custom_scalars=scalars) if schema.mutation_type else None
    return queries(schema, custom_scalars=scalars), change


def _hold(kind: str, most: int) -> st.SearchStrategy[StringValueNode]:
    return st.integers(0, most).map(lambda n: StringValueNode(value=f"@{kind}{n}"))


async def _ask_all(observer: Observer, world: World, shapes: Sequence[str], random: Random) -> Counter[str]:
    ours, theirs = Served(world, [observer]), Served(world, [observer])
    await _watch(ours, theirs, observer, world)
    known, found = Known.of(world, observer), Counter[str]()
    for shape in shapes:
        for _ in range(DOCUMENTS_A_SHAPE):
            asked = Varying(random, known).make(shape)
            Counting.has_left = False
            mine = await _post(ours, Counting, observer, asked.body)
            stock = await _post(theirs, StrawberryGraphQLCoreExecutionContext, observer, asked.body)
            if is_late(mine) or is_late(stock):
                # What a mutation changed is not known then, so the worlds may differ from here on.
                found[LATE] += 1
                return found
            compare(asked, mine, stock, found)
            count(observer.tier, mine, found)
            known.learn(mine)
    return found


async def _watch(ours: Served, theirs: Served, observer: Observer, world: World) -> None:
    """Let the observer watch everything, so that alerts are there to be asked for."""
    for served in (ours, theirs):
        served.now = EARLY
        watching = Asker(world, observer, Random(0)).watching()
        async for _ in ask_in_turn(watching, partial(served.post, observer)):
            pass
        served.now = NOW
        check_watches(served.store, lambda: NOW)


async def _post(served: Served, executor: type, observer: Observer, body: bytes) -> Reply:
    schema = make_schema(observer.tier)
    schema.execution_context_class = executor
    try:
        return await served.post(observer, body)
    finally:
        schema.execution_context_class = RecordExecutor


def compare(asked: Variation, mine: Reply, stock: Reply, found: Counter[str]) -> None:
    """Count what is wrong with two answers to a document."""
    faults = sum(is_fault(reply) for reply in (mine, stock))
    is_raced = mine != stock and is_race(mine, stock)
    found[RACED] += is_raced
    # References of faults are random, so two faults are one finding.
    wrong = {
        FAULTS: faults > 0,
        UNMASKED: any(iter_unmasked(asked, mine)) or any(iter_unmasked(asked, stock)),
        UNLIKE: faults < 2 and mine != stock and not is_raced,
    }
    for what, is_so in wrong.items():
        found[what] += is_so
        found[VIOLATION] += is_so


def count(tier: str, reply: Reply, found: Counter[str]) -> None:
    """Count what became of a document."""
    answer = reply.read()
    found.update((DOCUMENTS, f"{tier} {DOCUMENTS}"))
    found[f"{tier} {ANSWERED}"] += "errors" not in answer
    found[f"{tier} {REFUSED}"] += "data" not in answer
    found[f"{tier} {LEFT}"] += Counting.has_left


def is_race(mine: Reply, stock: Reply) -> bool:
    """Whether two answers have no data at all, and one has only some of the errors of the other.

    When one field leaves nothing of the data, graphql-core waits for no other: which
    errors it has by then depends on threads, and the stock executor differs from itself.
    """
    one, other = mine.read(), stock.read()
    if any("data" not in answer or answer["data"] is not None or not answer["errors"] for answer in (one, other)):
        return False
    few, many = sorted((one["errors"], other["errors"]), key=len)
    return all(error in many for error in few)


def is_late(reply: Reply) -> bool:
    """Whether an answer says that there was no time for one, which is a matter of the machine."""
    return reply.status in (503, 504)


def is_fault(reply: Reply) -> bool:
    """Whether an answer stands for something that failed on our side."""
    return reply.status >= 500 or b'"INTERNAL"' in reply.body


def iter_unmasked(asked: Variation, reply: Reply) -> Iterator[str]:
    """Yield the values of worlds that the errors of an answer hold and its document does not."""
    errors = reply.read().get("errors")
    if errors:
        told, said = orjson.dumps(errors).decode().casefold(), asked.body.decode().casefold()
        yield from (value for value in _secrets() if value in told and value not in said)


@cache
def _secrets() -> list[str]:
    # Words that the texts of errors may use by themselves are not told by them.
    return [value.casefold() for value in _VALUES if len(value) >= _LEAST_LENGTH and not value.isalpha()]


if __name__ == "__main__":
    main()
