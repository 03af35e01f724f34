"""Attacks: what is known to stop or to open GraphQL services, sent to ours over a real socket.

The service runs in a process of its own, as `vinculum serve` runs it, over a
small invented world. Every attack is sent some times. It is withstood when each
answer is the same constant refusal with no data, or, where a bounded answer is
right, that. What an attack costs is the processor time of the server's process
beyond that of a plain refused document (median), and the most memory beyond
what it had (by the kernel's high-water mark, set back before each).

Clairvoyance: a caller of the public tier guesses names, each at every place of a
document where a name can stand. Whatever is told of a name that is not in that
tier's schema must be, letter for letter, what is told of a name that nobody has
made; and no text may hold a name of another tier's that the caller did not send.

Not covered: attacks by load (the admission's tests and the serving benchmark),
TLS, and what a proxy before the service makes of a request.
"""

import base64
import gzip
import http.client
import os
import re
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import orjson
import uvicorn
from graphql import GraphQLSchema
from joserfc import jwt

from api.admission import Limits
from api.app import create_app
from api.identity import TokenKeys
from api.pipeline import Pipeline
from api.schema import make_schema
from api.settings import Settings
from bench.campaigns.campaign import read_arguments
from bench.campaigns.graphql import settle, token_keys
from bench.goal import print_goal
from graph.memory import MemoryStore
from graph.store import Batch
from ontology.policy_file import default_policy
from ontology.schema import default_ontology
from tests.factory import SECRET, make_label, make_link, make_observer, make_record
from tests.worlds.world import NOW

WANTED = 60
WANTED_WORDS = 10_000
MOST_MS, MOST_MB = 20.0, 50.0
TRIES = 5
PEOPLE = 100
TIER = "public"
NOBODYS = "zqWhatNobodyMade"
HIDDEN_VALUE = "Hidden Lane 1"

_WAIT_S = 30.0
_QUIET_S = 0.02
_IDLE_S = 1.0
_MOST_ANSWER = 2_000_000
_MOST_REFUSAL = 10_000
_INVESTIGATOR = make_observer("investigator", organisation="POLICE", cases=("A",))
_PUBLIC = make_observer(TIER, organisation="", purpose="statistics")
_REFUSED_PLAINLY = "{ nothing }"
_NAME = re.compile(r"[A-Za-z_]\w*")
_COMMON = (
    "id name user users admin password token secret email phone address account hidden internal private debug test key"
    " role owner victim suspect witness case report file note source label handling class rank score weight data value"
    " list count total first last date time from to start end type kind status state code text body title url path link"
    " node edge query mutation create update delete remove add set get find all by of is has not new old raw full real"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; status 0 for a connection that was closed without an answer."""

    status: int
    body: bytes = b""

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors of a GraphQL answer, none for another."""
        found: list[dict[str, Any]] = self._read().get("errors", [])
        return found

    @property
    def codes(self) -> set[str]:
        """The codes of its errors."""
        return {error["extensions"]["code"] for error in self.errors}

    @property
    def has_data(self) -> bool:
        """Whether it holds anything that was asked for."""
        return any(found is not None for found in (self._read().get("data") or {}).values())

    def _read(self) -> dict[str, Any]:
        with suppress(orjson.JSONDecodeError):
            found = orjson.loads(self.body)
            return found if isinstance(found, dict) else {}
        return {}


@dataclass(frozen=True, slots=True)
class Target:
    """A service: where it is, its process, tokens by what they are, and ids of its world as an investigator has them."""

    address: tuple[str, int]
    pid: int
    tokens: Mapping[str, str]
    ids: Sequence[str]

    @property
    def host(self) -> str:
        """What a request to it has as Host."""
        return f"{self.address[0]}:{self.address[1]}"

    def post(self, content: object, *more: str, **headers: str | None) -> bytes:
        """Return a request with content (bytes as they are, or JSON); None leaves a usual header out."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return self.write("POST /graphql HTTP/1.1", body, *more, **headers)

    def write(self, line: str, body: bytes | None, *more: str, **headers: str | None) -> bytes:
        """Return a request with this first line, and `more` header lines."""
        usual: dict[str, str | None] = {
            "Host": self.host,
            "Authorization": f"Bearer {self.tokens['good']}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body or b"")),
            "Connection": "close",
        }
        usual |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [line, *(f"{name}: {value}" for name, value in usual.items() if value is not None), *more]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


Send = Callable[[Target], Reply]
Judge = Callable[[Reply], bool]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack; `counts` says of an answer whether the attack was withstood, `tries` how often it is sent."""

    name: str
    send: Send
    counts: Judge
    tries: int = TRIES


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of an attack, and what it cost beyond a plain refusal; `reply` is the last."""

    attack: Attack
    is_withstood: bool
    ms: float
    mb: float
    reply: Reply


def refused(*codes: str) -> Judge:
    """Return whether an answer is a small refusal with one of these codes, and holds nothing of the world."""

    def judge(reply: Reply) -> bool:
        is_small = len(reply.body) <= _MOST_REFUSAL and HIDDEN_VALUE.encode() not in reply.body
        return is_small and not reply.has_data and bool(reply.codes) and reply.codes <= set(codes)

    return judge


def answered(most: int = _MOST_ANSWER) -> Judge:
    """Return whether an answer is one with data and of a bounded size, in which nothing failed on our side."""
    return lambda reply: reply.status == 200 and reply.has_data and not reply.errors and len(reply.body) <= most


def turned_away(reply: Reply) -> bool:
    """Whether the HTTP server itself refused, or closed the connection."""
    return reply.status in (0, 400, 431) and not reply.errors and len(reply.body) <= _MOST_REFUSAL


def either(*judges: Judge) -> Judge:
    """Return whether one of some judges lets an answer count."""
    return lambda reply: any(judge(reply) for judge in judges)


def main() -> None:
    """Run the campaign and print its goals."""
    n, seed = read_arguments(__doc__, WANTED_WORDS)
    with serving() as target:
        trials = list(iter_trials(target, ATTACKS))
        words = make_words(n, seed)
        learnt = find_learnt(target, words)
    show(trials)
    print(f"{len(words):,} names guessed from seed {seed}, of which {len(_hidden_names() & set(words)):,} are hidden")
    for name in sorted(learnt):
        print(f"  VIOLATION {name} is told of")
    print_goal("attacks", len(trials), ">=", WANTED)
    print_goal("attacks_refused", sum(trial.is_withstood for trial in trials), "==", len(trials))
    print_goal("attacks_slowest_ms", max(trial.ms for trial in trials), "<=", MOST_MS)
    print_goal("attacks_most_mb", max(trial.mb for trial in trials), "<=", MOST_MB)
    print_goal("attacks_names_learnt", len(learnt), "==", 0)
    print_goal("attacks_names_guessed", len(words), ">=", n)


def show(trials: Sequence[Trial]) -> None:
    """Print every attack, the dearest first, and those that were not withstood again."""
    for trial in sorted(trials, key=lambda trial: -trial.ms):
        codes = ",".join(sorted(trial.reply.codes)) or ("data" if trial.reply.has_data else "closed")
        print(f"  {trial.ms:7.1f} ms {trial.mb:6.1f} MB  {trial.reply.status:3} {codes:24} {trial.attack.name}")
    for trial in trials:
        if not trial.is_withstood:
            print(f"  VIOLATION {trial.attack.name}: {trial.reply.status} {trial.reply.body[:300]!r}")


def iter_trials(target: Target, attacks: Iterable[Attack]) -> Iterator[Trial]:
    """Try attacks one after the other, once the service has warmed up."""
    plain = document(_REFUSED_PLAINLY)
    for _ in range(TRIES):
        plain(target)
    idle = _find_idle(target.pid)
    floor_ms = median(_measure(target, plain, idle)[0] for _ in range(2 * TRIES))
    for attack in attacks:
        tried = [_measure(target, attack.send, idle) for _ in range(attack.tries)]
        replies = [reply for _, _, reply in tried]
        is_constant = all(attack.counts(reply) for reply in replies) and len({reply.body for reply in replies}) == 1
        ms = max(0.0, median(ms for ms, _, _ in tried) - floor_ms)
        yield Trial(attack, is_constant, ms, max(mb for _, mb, _ in tried), replies[-1])


def _measure(target: Target, send: Send, idle: float) -> tuple[float, float, Reply]:
    """Return what a request costs the server in processor time (ms) and memory (MB), and its answer."""
    Path(f"/proc/{target.pid}/clear_refs").write_text("5")  # the high-water mark
    before_mb, before_s, started = _memory_mb(target.pid, "VmRSS"), _spent_s(target.pid), time.monotonic()
    reply = send(target)
    spent_s = _rest(target.pid) - before_s - idle * (time.monotonic() - started)
    return spent_s * 1e3, _memory_mb(target.pid, "VmHWM") - before_mb, reply


def _find_idle(pid: int) -> float:
    """Return the share of its time that a server spends on nothing."""
    before_s = _spent_s(pid)
    time.sleep(_IDLE_S)
    return (_spent_s(pid) - before_s) / _IDLE_S


def _spent_s(pid: int) -> float:
    # The kernel's clock of another process's processor time, ended threads included (clock_getcpuclockid).
    return time.clock_gettime(~pid << 3 | 2)


def _rest(pid: int) -> float:
    """Wait until a process rests, and return the processor time that it had spent by then."""
    spent, until = _spent_s(pid), time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        time.sleep(_QUIET_S)
        last, spent = spent, _spent_s(pid)
        if spent - last < _QUIET_S / 20:
            return last
    return spent


def _memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def whole(make: Callable[[Target], bytes]) -> Send:
    """Send a request at once, and read its answer."""
    return lambda target: exchange(target, [make(target)])


def document(text: str | Callable[[Target], str], variables: Any = None, **more: Any) -> Send:
    """Post a document; `variables` may be a function of the target, `more` are further members of the request."""

    def make(target: Target) -> bytes:
        asked = {"query": text(target) if callable(text) else text, **more}
        given = variables(target) if callable(variables) else variables
        return target.post(asked if given is None else asked | {"variables": given})

    return whole(make)


def raw(body: bytes, **headers: str | None) -> Send:
    """Post a body as it is."""
    return whole(lambda target: target.post(body, **headers))


def exchange(target: Target, parts: Iterable[bytes], *, pause_s: float = 0.0) -> Reply:
    """Send parts of a request until there is an answer, and read it."""
    with socket.create_connection(target.address, timeout=_WAIT_S) as line:
        with suppress(ConnectionError):
            for piece in _pieces(parts):
                if select.select([line], [], [], pause_s)[0]:
                    break
                line.sendall(piece)
        return _read(line)


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from (part[at : at + 65_536] for at in range(0, len(part), 65_536))


def _read(line: socket.socket) -> Reply:
    response = http.client.HTTPResponse(line)
    try:
        response.begin()
        return Reply(response.status, response.read())
    except http.client.IncompleteRead as exc:
        # Of HEAD there is no more.
        return Reply(response.status, exc.partial)
    except (OSError, http.client.HTTPException):
        return Reply(0)


# What a caller gets wrong, and what the service takes no more of.
BAD = refused("BAD_INPUT")
BAD_REQUEST = refused("BAD_REQUEST")
NOT_JSON = refused("UNSUPPORTED_MEDIA_TYPE")
TOO_LARGE = refused("TOO_LARGE")
TOO_SLOW = refused("TOO_SLOW")
NOT_FOUND = refused("NOT_FOUND")
NOT_ALLOWED = refused("METHOD_NOT_ALLOWED")
UNAUTHENTICATED = refused("UNAUTHENTICATED")

_ME = "{ observer { name } }"
_AROUND = "neighbourhood(id: $i, depth: 3, first: 500) { reached { distance entity { id } } isComplete }"
_WAYS = "paths(left: $l, right: $r, longest: 6, first: 100) { items { start { id } steps { verb } } hasMore }"
_DEEP_TYPES = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"


def _many(number: int, text: str, between: str = " ") -> str:
    """Return a text so many times, with its number for each #."""
    return between.join(text.replace("#", str(n)) for n in range(number))


def _nested(number: int, name: str, inner: str) -> str:
    return f"{name} {{ " * number + inner + " }" * number


def _bomb(levels: int, *, cyclic: bool = False, wide: int = 2) -> str:
    last = "F0" if cyclic else ""
    parts = [f"fragment F{n} on Query {{ {f'...F{n + 1} ' * wide}}}" for n in range(levels - 1)]
    end = f"...{last}" if cyclic else "observer { name }"
    return " ".join(["{ ...F0 }", *parts, f"fragment F{levels - 1} on Query {{ {end} }}"])


def _ends(number: int) -> Callable[[Target], Any]:
    return lambda t: {"l": _cycle(t.ids[:20], number), "r": _cycle(t.ids[20:40], number)}


def _cycle(ids: Sequence[str], number: int) -> list[str]:
    return [ids[n % len(ids)] for n in range(number)]


def _aliases(number: int, text: str, header: str = "") -> str:
    return f"{header}{{ {_many(number, f'a#: {text}')} }}"


_AROUND_HEADER, _WAYS_HEADER = "query($i: ID!) ", "query($l: [ID!]!, $r: [ID!]!) "


def _first_id(target: Target) -> Any:
    return {"i": target.ids[0]}


def _documents() -> Iterator[Attack]:
    """Yield what a document can be."""
    flood = _aliases(10_000, "counts { count }")
    yield Attack("10,000 aliases", document(flood[:90_000] + "}"), BAD)
    yield Attack("31 aliases", document(_aliases(31, "observer { name }")), BAD)
    spread = "fragment F on Query { " + _many(10, "a#: observer { name }") + " }"
    yield Attack("aliases in a fragment spread four times", document("{ ...F ...F ...F ...F } " + spread), BAD)
    yield Attack("fragments doubling 30 times", document(_bomb(19)), BAD)
    yield Attack("fragments doubling beyond all depth", document(_bomb(150)), BAD)
    yield Attack("fragments eightfold 15 times", document(_bomb(15, wide=8)), BAD)
    yield Attack("fragment of itself", document("{ ...F } fragment F on Query { ...F }"), BAD)
    yield Attack("fragments in a ring", document(_bomb(10, cyclic=True, wide=1)), BAD)
    yield Attack("fragments doubling in a ring", document(_bomb(15, cyclic=True)), BAD)
    ring = "fragment E on Entity { neighbours { edges { node { ...E } } } }"
    yield Attack("ring of fragments through fields", document("{ entity(id: 1) { ...E } } " + ring), BAD)
    wide = _many(190, "fragment F# on Query { observer { name } }")
    yield Attack("190 fragments", document("{ " + _many(190, "...F#") + " } " + wide), BAD)
    unused = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(150))
    yield Attack("fragments that nobody spreads", document("{ observer { name } } " + unused), BAD)
    yield Attack("inline fragments 400 deep", document("{ " + _nested(400, "... on Query", "__typename") + " }"), BAD)
    yield Attack("inline fragments 9,000 deep", document("{ " + _nested(9_000, "...", "a") + " }"), BAD)
    yield Attack("fields 900 deep", document("{ " + _nested(900, "a", "b") + " }"), BAD)
    yield Attack("braces 90,000 deep", document("{" * 90_000), BAD)
    deep = _nested(10, "neighbours { edges { node", "id").replace(" }" * 10, " } } }" * 10)
    yield Attack("neighbours of neighbours tenfold", document(f"{{ entity(id: 1) {{ {deep} }} }}"), BAD)
    yield Attack("lists in lists 45,000 deep", document("{ nodes(ids: " + "[" * 45_000 + "]" * 45_000), BAD)
    yield Attack("lists in lists 900 deep", document("{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }"), BAD)
    objects = "{a:" * 400 + "1" + "}" * 400
    yield Attack("objects in objects 400 deep", document(f"{{ entities(where: {objects}) {{ totalCount }} }}"), BAD)
    skips = "@skip(if: false) "
    yield Attack("600 unknown directives", document("{ observer { name " + "@a " * 600 + "} }"), BAD)
    yield Attack("51 directives of one kind", document("{ observer { name " + skips * 51 + "} }"), BAD)
    yield Attack("45 directives of one kind", document("{ observer { name " + skips * 45 + "} }"), BAD)
    spread = "fragment F on Query { observer { " + _many(20, "name @skip(if: false)") + " } }"
    yield Attack("directives in a fragment spread ninefold", document("{ " + "...F " * 9 + "} " + spread), BAD)
    yield Attack("one field 900 times", document("{ " + "observer { name } " * 900 + "}"), BAD)
    same = "{ observer { " + _many(45, "name") + " } }"
    yield Attack("one field 45 times", document(same), answered(200))
    conflicts = " ".join(f"... on Entity {{ a: records {{ b: {'id' if n % 2 else 'caption'} }} }}" for n in range(15))
    yield Attack("fields in conflict", document(f"{{ entity(id: 1) {{ {conflicts} }} }}"), BAD)
    pairs = " ".join(f"... on Query {{ {_nested(6, 'a: observer', 'name')} }}" for _ in range(8))
    yield Attack("nested fields in conflict", document(f"{{ {pairs} }}"), BAD)
    yield Attack("600 arguments", document("{ entity(" + _many(600, "a#: 1") + ") { id } }"), BAD)
    yield Attack("one argument 600 times", document("{ entity(" + _many(600, "id: 1") + ") { id } }"), BAD)
    yield Attack("500 operations", document(_many(500, "query Q# { a }")), BAD)
    yield Attack("two operations of one name", document("query Q { a } query Q { b }", operationName="Q"), BAD)
    yield Attack("200 fields that there are not", document("{ " + _many(200, "nothing#") + " }"), BAD)
    yield Attack("90 KB of comments", document("#" + "a" * 90_000 + "\n{ nothing }"), BAD)
    yield Attack("30,000 lines of comments", document("#\n" * 30_000 + "{ nothing }"), BAD)
    yield Attack("90 KB of commas", document("," * 90_000 + "{ nothing }"), BAD)
    yield Attack("name of 90 KB", document("{ " + "a" * 90_000 + " }"), BAD)
    yield Attack("text of 90 KB", document('{ entity(id: "' + "a" * 90_000 + '") { nothing } }'), BAD)
    yield Attack(
        "block text of 30,000 lines", document('{ entity(id: """' + " \n" * 30_000 + '""") { nothing } }'), BAD
    )
    yield Attack("escapes without end", document('{ entity(id: "' + "\\u0041" * 7_000), BAD)
    yield Attack("number of 90,000 digits", document("{ search(text: 1, first: " + "9" * 90_000 + ") { a } }"), BAD)
    yield Attack("no document but a schema", document("type Query { a: Int }"), BAD)
    yield Attack("schema beside a document", document("{ observer { name } } extend type Query { a: Int }"), BAD)
    yield Attack("document of nothing", document(" "), BAD)
    yield Attack("document with NUL bytes", document("{ observer\u0000 { name } }"), BAD)
    yield Attack("subscription by POST", document("subscription { alerts { id } }"), BAD)
    yield Attack("@defer and @stream", document("{ ... @defer { observer { name } } counts @stream { count } }"), BAD)
    yield Attack("mutation that is not there", document("mutation { deleteAll { id } }"), BAD)


def _lists() -> Iterator[Attack]:
    """Yield what asks for much."""
    ids = "query($i: [ID!]!) { nodes(ids: $i) { id } }"
    yield Attack("10,000 ids", document(ids, {"i": ["x"] * 10_000}), BAD)
    yield Attack("20,000 ids", document(ids, {"i": ["x"] * 20_000}), BAD)
    yield Attack("101 ids", document(ids, {"i": ["x"] * 101}), BAD)
    yield Attack("900 ids in the document", document("{ nodes(ids: [" + "1 " * 900 + "]) { id } }"), BAD)
    among = "query($v: [String!]) { entities(where: {Person: {name: {in: $v}}}) { totalCount } }"
    yield Attack("one of 100,000 values", document(among, {"v": ["x"] * 100_000}), TOO_LARGE)
    yield Attack("one of 20,000 values", document(among, {"v": ["x"] * 20_000}), BAD)
    yield Attack("one of 100 values that are too long", document(among, {"v": ["x" * 900] * 100}), BAD)
    for first in ("2147483647", "2147483648", "-1", "99999999999999999999", "1e3"):
        text = f'{{ search(text: "ada", first: {first}) {{ totalCount }} }}'
        yield Attack(f"first: {first}", document(text), BAD)
    most = 'query($f: Int) { search(text: "ada", first: $f) { totalCount } }'
    yield Attack("first by variable", document(most, {"f": 2**31 - 1}), BAD)
    yield Attack("first by default", document(most.replace("Int", "Int = 2147483647")), BAD)
    pages = "search(text: 1, first: 100) { edges { node { neighbours(first: 100) { edges { node { id } } } } } }"
    yield Attack("pages in pages", document(f"{{ {pages} }}"), BAD)
    two = "entity(id: 1) { neighbours(first: 100) { edges { node { neighbours(first: 100) { totalCount } } } } }"
    yield Attack("pages in pages of an entity", document(f"{{ {two} }}"), BAD)
    yield Attack("neighbourhoods at their bounds, 30 times", document(_aliases(30, _AROUND, _AROUND_HEADER), _first_id), BAD)  # fmt: skip
    yield Attack("neighbourhoods at their bounds, 6 times", document(_aliases(6, _AROUND, _AROUND_HEADER), _first_id), answered())  # fmt: skip
    yield Attack("paths at their bounds, 30 times", document(_aliases(30, _WAYS, _WAYS_HEADER), _ends(20)), BAD)
    yield Attack("paths at their bounds, 4 times", document(_aliases(4, _WAYS, _WAYS_HEADER), _ends(20)), answered())
    yield Attack("paths between 1,000 ids", document(f"{_WAYS_HEADER}{{ {_WAYS} }}", _ends(1_000)), BAD)
    yield Attack("paths of any length", document(f"{_WAYS_HEADER}{{ {_WAYS.replace('6', '999')} }}", _ends(1)), BAD)
    far = _AROUND.replace("depth: 3", "depth: 2147483647")
    yield Attack("neighbourhood of any depth", document(f"{_AROUND_HEADER}{{ {far} }}", _first_id), BAD)
    yield Attack("counts 30 times", document(_aliases(30, "counts { count }")), BAD)
    yield Attack("counts 5 times", document(_aliases(5, "counts { count }")), answered())
    found = "entities(where: {Person: {}}, first: 100) { totalCount edges { node { id } } }"
    yield Attack("all entities 30 times", document(_aliases(30, found)), BAD)
    yield Attack("all entities 4 times", document(_aliases(4, found)), answered())
    yield Attack("search 30 times", document(_aliases(30, "search(text: 1) { totalCount }")), BAD)
    yield Attack("search for 90 KB", document("query($t: String!) { search(text: $t) { totalCount } }", {"t": "ada " * 22_000}), BAD)  # fmt: skip
    moments = _many(29, 'a#: entity(id: 1, asOf: "20##-01-01T00:00:00Z") { id }').replace("2020", "2021")
    yield Attack("29 moments", document("{ " + re.sub(r'"20\d+', _moment, moments) + " }"), either(BAD, _is_null))


def _moment(found: re.Match[str]) -> str:
    return f'"20{int(found[0][3:][:2]) + 10:02}'


def _is_null(reply: Reply) -> bool:
    return reply.status == 200 and not reply.errors and not reply.has_data and bool(reply.body)


def _one_of() -> Iterator[Attack]:
    """Yield what confuses inputs of which one member is wanted."""
    for name, where in (
        ("two schemata", "{Person: {}, Company: {}}"),
        ("no schema", "{}"),
        ("null for a schema", "{Person: null}"),
        ("a list of schemata", "[{Person: {}}, {Company: {}}]"),
        ("one schema twice", "{Person: {}, Person: {}}"),
    ):
        yield Attack(name, document(f"{{ entities(where: {where}) {{ totalCount }} }}"), BAD)
    text = "query($w: EntityFilter!) { entities(where: $w) { totalCount } }"
    yield Attack("two schemata by variable", document(text, {"w": {"Person": {}, "Company": {}}}), BAD)
    yield Attack("null beside a schema by variable", document(text, {"w": {"Person": {}, "Company": None}}), BAD)
    empty = "query($p: PersonFilter) { entities(where: {Person: $p}) { totalCount } }"
    yield Attack("schema by a variable that may be null", document(empty), BAD)


def _introspection() -> Iterator[Attack]:
    """Yield what asks for the schema again and again."""
    yield Attack("types of types of types", document(_DEEP_TYPES), BAD)
    loop = _nested(8, "ofType { fields { type", "name").replace(" }" * 8, " } } }" * 8)
    yield Attack("fields of wrapped types", document(f"{{ __schema {{ types {{ fields {{ type {{ {loop} }} }} }} }} }}"), BAD)  # fmt: skip
    both = "fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { type { ...V } } } "
    last = "fragment V on __Type { fields { type { interfaces { fields { name } } } } }"
    yield Attack("types of types in fragments", document("{ __schema { types { ...T } } } " + both + last), BAD)
    yield Attack("30 whole schemata", document(_aliases(30, "__schema { types { name fields { name args { name } } } }")), either(BAD, answered()))  # fmt: skip
    yield Attack("31 schemata", document(_aliases(31, "__schema { types { name } }")), BAD)
    types = '__type(name: "Person") { fields { name description type { name } } }'
    yield Attack("one type 10 times", document(_aliases(10, types)), answered())
    listed = "__schema { types { name fields { name } } }"
    yield Attack("24 lists of all fields", document(_aliases(24, listed)), either(BAD, answered()))
    yield Attack("possible types of possible types", document("{ __schema { types { possibleTypes { interfaces { possibleTypes { name } } } } } }"), BAD)  # fmt: skip


def _variables() -> Iterator[Attack]:
    """Yield what confuses types."""
    by_id = "query($v: ID!) { entity(id: $v) { id } }"
    by_text = "query($v: String!) { search(text: $v) { totalCount } }"
    by_number = 'query($v: Int!) { search(text: "ada", first: $v) { totalCount } }'
    by_moment = "query($v: DateTime!) { counts(asOf: $v) { count } }"
    by_flag = "query($v: Boolean!) { observer { name @skip(if: $v) } }"
    by_enum = 'query($v: EntitySchema!) { search(text: "ada", schema: $v) { totalCount } }'
    for name, text, value in (
        ("object for an id", by_id, {"a": 1}),
        ("array for an id", by_id, ["x"]),
        ("null for an id", by_id, None),
        ("fraction for an id", by_id, 1.5),
        ("object for a text", by_text, {"$ne": ""}),
        ("number for a text", by_text, 7),
        ("text for a number", by_number, "7"),
        ("number beyond 32 bits", by_number, 2**40),
        ("number beyond 64 bits", by_number, 1e300),
        ("array for a number", by_number, [1]),
        ("flag for a number", by_number, True),
        ("number for a moment", by_moment, 1e300),
        ("moment beyond all time", by_moment, "99999-12-31T00:00:00Z"),
        ("moment without zone", by_moment, "2026-01-01"),
        ("object for a moment", by_moment, {"year": 2026}),
        ("text for a flag", by_flag, "false"),
        ("unknown term", by_enum, "zqNoTerm"),
        ("array for a term", by_enum, [["Person"]]),
    ):
        yield Attack(name, document(text, {"v": value}), BAD)
    yield Attack("no value", document(by_id, {}), BAD)
    yield Attack("text of 10 MB", document(by_text, {"v": "a" * 10_000_000}), TOO_LARGE)
    yield Attack("id of 90 KB", document(by_id, {"v": "a" * 90_000}), _is_null)
    yield Attack("id with NUL bytes", document(by_id, {"v": "\u0000" * 100}), _is_null)
    yield Attack("values 500 deep", document(by_id, raw_variables(b'{"v":' + b"[" * 500 + b"]" * 500 + b"}")), BAD)
    many = {f"v{n}": n for n in range(5_000)}
    yield Attack("5,000 values that nobody asked for", document(_ME, many), answered(200))
    unused = "query(" + _many(390, "$v#: Int") + ") { observer { name } }"
    yield Attack("390 variables that nobody uses", document(unused), BAD)
    wrong = "query(" + _many(390, "$v#: Int!") + ") { observer { name } }"
    yield Attack("390 variables of the wrong type", document(wrong, {f"v{n}": "x" for n in range(390)}), BAD)
    nested = "query($v: " + "[" * 500 + "Int" + "]" * 500 + ") { observer { name @skip(if: $v) } }"
    yield Attack("variable of 500 nested lists", document(nested), BAD)


def raw_variables(content: bytes) -> Any:
    """Return variables that are written as they are."""
    return orjson.Fragment(content)


def _bodies() -> Iterator[Attack]:
    """Yield what is no request."""
    me = orjson.dumps({"query": _ME})
    yield Attack("batch of two", raw(b"[" + me + b"," + me + b"]"), BAD_REQUEST)
    yield Attack("batch of 2,000", raw(b"[" + b",".join([me] * 2_000) + b"]"), BAD_REQUEST)
    yield Attack("document twice", raw(b'{"query":"{ nothing }","query":"{ observer { name } }"}'), answered(200))
    yield Attack("document and its id", document(_ME, documentId="x"), BAD_REQUEST)
    yield Attack("list of documents", raw(orjson.dumps({"query": [_ME]})), BAD_REQUEST)
    yield Attack("hash of a document", raw(orjson.dumps({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a" * 64}}})), BAD_REQUEST)  # fmt: skip
    yield Attack("unknown document id", raw(orjson.dumps({"documentId": "../../etc/passwd"})), refused("UNKNOWN_DOCUMENT"))  # fmt: skip
    yield Attack("operation that is not there", document("query A { observer { name } }", operationName="B"), BAD)
    yield Attack("operation of two", document("query A { a } query B { b }"), BAD)
    yield Attack("operation's name is an object", document(_ME, operationName={"a": 1}), BAD_REQUEST)
    yield Attack("operation's name of 90 KB", document(_ME, operationName="a" * 90_000), BAD)
    yield Attack("operation's name is empty", document(_ME, operationName=""), either(BAD, answered(200)))
    yield Attack("extensions are a list", document(_ME, extensions=[]), BAD_REQUEST)
    for name, body in (
        ("bytes that are no UTF-8", b'{"query":"{ observer\xff\xfe { name } }"}'),
        ("UTF-8 with a mark", b"\xef\xbb\xbf" + me),
        ("UTF-16", '{"query":"{ observer { name } }"}'.encode("utf-16")),
        ("half a surrogate", b'{"query":"\\ud800"}'),
        ("JSON 45,000 deep", b"[" * 45_000 + b"]" * 45_000),
        ("JSON objects 15,000 deep", b'{"a":' * 15_000),
        ("JSON that is not a number", b'{"query":"{ nothing }","variables":{"a":NaN}}'),
        ("half of a body's JSON", me[:-5]),
        ("nothing", b""),
        ("null", b"null"),
        ("text", b'"{ observer { name } }"'),
    ):
        yield Attack(name, raw(body), BAD_REQUEST)
    yield Attack("4,000 equal keys", raw(b"{" + b'"query":"{ nothing }",' * 4_000 + me[1:]), answered(200))
    yield Attack("number beyond all", raw(b'{"query":"{ nothing }","variables":{"a":1' + b"0" * 90_000 + b"}}"), either(BAD, BAD_REQUEST))  # fmt: skip
    yield Attack("body of 10 MB", raw(b" " * 10_000_000), TOO_LARGE)
    yield Attack("body just too large", raw(me + b" " * 100_000), TOO_LARGE)
    yield Attack("packed body", raw(gzip.compress(me), Content_Encoding="gzip"), BAD_REQUEST)
    yield Attack("packed bomb", raw(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"), BAD_REQUEST)


def _browsers() -> Iterator[Attack]:
    """Yield what another page could make a browser send, and what addresses may be mistaken for ours."""
    form = b"query=%7B+observer+%7B+name+%7D+%7D"
    part = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{ observer { name } }\r\n--x--\r\n'
    json = orjson.dumps({"query": _ME})
    for kind, body in (
        ("text/plain", json),
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data; boundary=x", part),
        ("application/graphql", _ME.encode()),
        ("text/plain; application/json", json),
        ("application/json, text/plain", json),
        ("application/json; charset=utf-7", json),
        ("application/jsonx", json),
    ):
        yield Attack(f"content type {kind}", raw(body, Content_Type=kind), NOT_JSON)
    yield Attack("no content type", raw(json, Content_Type=None), NOT_JSON)
    asked = "query=%7Bobserver%7Bname%7D%7D"
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"):
        yield Attack(f"{method} with a document", _line(f"{method} /graphql?{asked} HTTP/1.1", b""), either(NOT_ALLOWED, turned_away))  # fmt: skip
    yield Attack("HEAD", _line("HEAD /graphql HTTP/1.1", b""), lambda reply: reply == Reply(405))
    yield Attack("document in the address of a POST", _line(f"POST /graphql?{asked} HTTP/1.1", b""), BAD_REQUEST)
    yield Attack("method by a header", _line(f"GET /graphql?{asked} HTTP/1.1", b"", X_HTTP_Method_Override="POST"), NOT_ALLOWED)  # fmt: skip
    for path in ("/graphql/", "//graphql", "/graphql//", "/GraphQL", "/graphql/../graphql", "/graphql;a", "/graphql%00"):  # fmt: skip
        yield Attack(f"path {path}", _line(f"POST {path} HTTP/1.1", json), either(NOT_FOUND, turned_away))
    for path in ("/metrics", "/../../etc/passwd", "/graphiql", "/openapi.json", "/.git/config"):
        yield Attack(f"page {path}", _line(f"GET {path} HTTP/1.1", b""), either(NOT_FOUND, turned_away))
    yield Attack("path of 100 KB", _line(f"POST /{'a' * 100_000} HTTP/1.1", json), either(NOT_FOUND, turned_away))
    yield Attack("query string of 60 KB", _line(f"POST /graphql?{'a' * 60_000} HTTP/1.1", b"{}"), either(BAD_REQUEST, turned_away))  # fmt: skip
    yield Attack("websocket", _upgrade("GET", "websocket"), either(NOT_ALLOWED, NOT_FOUND, turned_away, _is_forbidden))
    yield Attack("websocket by POST", _upgrade("POST", "websocket"), either(BAD_REQUEST, turned_away, _is_forbidden))
    yield Attack("HTTP/2 upgrade", _upgrade("GET", "h2c"), either(NOT_ALLOWED, turned_away))
    yield Attack("events for a subscription", raw(json, Accept="text/event-stream"), refused("NOT_ACCEPTABLE"))
    yield Attack("parts for a subscription", raw(json, Accept="multipart/mixed"), refused("NOT_ACCEPTABLE"))
    yield Attack("5,000 media types", raw(json, Accept="a/b;q=0.1," * 5_000), either(refused("NOT_ACCEPTABLE"), turned_away))  # fmt: skip


def _is_forbidden(reply: Reply) -> bool:
    return reply.status in (403, 405, 426, 501) and not reply.has_data


def _line(line: str, body: bytes, **headers: str | None) -> Send:
    return whole(lambda target: target.write(line, body, **headers))


def _upgrade(method: str, to: str) -> Send:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": to,
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "graphql-transport-ws",
    }
    return whole(lambda target: target.write(f"{method} /graphql HTTP/1.1", b"", **headers))


def _hosts() -> Iterator[Attack]:
    """Yield names that the service has not, and headers that are none."""
    json = orjson.dumps({"query": _ME})
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:80@localhost", "", "*"):  # fmt: skip
        yield Attack(f"host {host or 'of no name'}", raw(json, Host=host), turned_away)
    yield Attack("no host", raw(json, Host=None), turned_away)
    yield Attack("two hosts", whole(lambda t: t.post(json, "Host: evil.example")), either(turned_away, answered(200)))
    yield Attack("forwarded host", raw(json, X_Forwarded_Host="evil.example"), answered(200))
    yield Attack("2,000 headers", whole(lambda t: t.post(json, *(f"X-{n}: a" for n in range(2_000)))), either(turned_away, answered(200)))  # fmt: skip
    yield Attack("header of 1 MB", raw(json, X_Long="a" * 1_000_000), either(turned_away, answered(200)))
    yield Attack("header with line breaks", raw(json, X_Two="a\r\nX-Three: b\r\n c"), either(turned_away, answered(200)))  # fmt: skip


def _framing() -> Iterator[Attack]:
    """Yield what makes servers differ on where a request ends."""
    json = orjson.dumps({"query": _ME})
    inner = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    for name, more, body in (
        ("length and chunks", ("Content-Length: 4", "Transfer-Encoding: chunked"), b"0\r\n\r\n" + inner),
        ("chunks and length", ("Transfer-Encoding: chunked", "Content-Length: 6"), b"0\r\n\r\nG"),
        ("two lengths", ("Content-Length: 5", f"Content-Length: {len(json)}"), json),
        ("length below nothing", ("Content-Length: -1",), json),
        ("length with a sign", (f"Content-Length: +{len(json)}",), json),
        ("length that is none", ("Content-Length: 1e9",), json),
        ("length of many digits", (f"Content-Length: {'9' * 40}",), json),
        ("chunks of no size", ("Transfer-Encoding: chunked",), b"zz\r\n" + json),
        ("chunk of more than 64 bits", ("Transfer-Encoding: chunked",), b"f" * 20 + b"\r\n" + json),
        ("coding of another name", ("Transfer-Encoding: xchunked",), json),
        ("two codings", ("Transfer-Encoding: chunked, identity",), b"0\r\n\r\n"),
        ("coding behind a tab", ("Transfer-Encoding:\tchunked",), b"0\r\n\r\n"),
        ("space before a colon", (f"Content-Length : {len(json)}",), json),
    ):  # fmt: skip
        yield Attack(name, _frame(more, body), either(BAD_REQUEST, NOT_JSON, turned_away))
    chunk = b"%x\r\n%b\r\n" % (60_000, b" " * 60_000)
    yield Attack("chunks without end", lambda t: exchange(t, [_head(t, "Transfer-Encoding: chunked"), *([chunk] * 200)]), TOO_LARGE)  # fmt: skip
    tiny = b"".join(b"1\r\n \r\n" for _ in range(20_000)) + b"0\r\n\r\n"
    yield Attack("20,000 chunks of a byte", _frame(("Transfer-Encoding: chunked",), tiny), BAD_REQUEST)
    yield Attack("bytes that are no HTTP", whole(lambda _: b"\x16\x03\x01" + bytes(range(256)) * 10), turned_away)
    yield Attack("HTTP/0.9", whole(lambda _: b"GET /graphql\r\n\r\n"), either(NOT_ALLOWED, turned_away, BAD_REQUEST))
    yield Attack("HTTP/9.9", _line("POST /graphql HTTP/9.9", json), either(turned_away, BAD_REQUEST))
    yield Attack("20 requests that stop in their headers", _stop_in(lambda t: t.post(json)[:60]), answered(200))
    yield Attack("20 requests that stop in their bodies", _stop_in(lambda t: t.post(json)[:-5]), answered(200))
    yield Attack("20 connections that say nothing", _stop_in(lambda _: b""), answered(200))
    yield Attack("body that stops", lambda t: exchange(t, [t.post(json)[:-5]]), TOO_SLOW, tries=1)
    yield Attack("chunks that stop", lambda t: exchange(t, [_head(t, "Transfer-Encoding: chunked") + b"5\r\n{"]), TOO_SLOW, tries=1)  # fmt: skip
    yield Attack("chunks that trickle", _trickle, TOO_SLOW, tries=1)


def _head(target: Target, *more: str) -> bytes:
    return target.post(b"", *more, Content_Length=None)


def _frame(more: Sequence[str], body: bytes) -> Send:
    return whole(lambda target: _head(target, *more) + body)


def _trickle(target: Target) -> Reply:
    chunks = [b"1\r\n \r\n"] * int(_WAIT_S * 4)
    return exchange(target, [_head(target, "Transfer-Encoding: chunked"), *chunks], pause_s=0.25)


def _stop_in(half: Callable[[Target], bytes]) -> Send:
    """Hold 20 connections that wait, and ask plainly meanwhile."""

    def send(target: Target) -> Reply:
        with ExitStack() as held:
            for _ in range(20):
                line = held.enter_context(socket.create_connection(target.address, timeout=_WAIT_S))
                line.sendall(half(target))
            return document(_ME)(target)

    return send


def _tokens() -> Iterator[Attack]:
    """Yield who is nobody."""
    json = orjson.dumps({"query": _ME})
    yield Attack("no token", raw(json, Authorization=None), UNAUTHENTICATED)
    yield Attack("empty token", raw(json, Authorization="Bearer "), UNAUTHENTICATED)
    yield Attack("basic authentication", raw(json, Authorization="Basic YTpi"), UNAUTHENTICATED)
    yield Attack("token of 50 KB", raw(json, Authorization=f"Bearer {'a' * 50_000}"), UNAUTHENTICATED)
    yield Attack("token of dots", raw(json, Authorization=f"Bearer {'.' * 2_000}"), UNAUTHENTICATED)
    deep = base64.urlsafe_b64encode(b"[" * 3_000).decode()
    yield Attack("token that nests", raw(json, Authorization=f"Bearer {deep}.{deep}.a"), UNAUTHENTICATED)
    for kind in ("none", "expired", "elsewhere", "nobody", "hmac"):
        yield Attack(f"token: {kind}", whole(partial(_with_token, kind)), UNAUTHENTICATED)
    yield Attack("two tokens", whole(lambda t: t.post(json, "Authorization: Bearer a")), UNAUTHENTICATED)
    yield Attack("token in a cookie", whole(lambda t: t.post(json, f"Cookie: token={t.tokens['good']}", Authorization=None)), UNAUTHENTICATED)  # fmt: skip
    yield Attack("token in the address", whole(lambda t: t.write(f"POST /graphql?access_token={t.tokens['good']} HTTP/1.1", json, Authorization=None)), UNAUTHENTICATED)  # fmt: skip
    yield Attack("large body without a token", raw(b" " * 1_000_000, Authorization=None), UNAUTHENTICATED)


def _with_token(kind: str, target: Target) -> bytes:
    return target.post({"query": _ME}, Authorization=f"Bearer {target.tokens[kind]}")


ATTACKS: Sequence[Attack] = tuple(
    attack
    for attacks in (
        _documents,
        _lists,
        _one_of,
        _introspection,
        _variables,
        _bodies,
        _browsers,
        _hosts,
        _framing,
        _tokens,
    )
    for attack in attacks()
)


@dataclass(slots=True)
class Guesser:
    """Guesses names as one tier, over one connection."""

    target: Target
    _line: http.client.HTTPConnection = field(init=False)
    _told: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._line = http.client.HTTPConnection(*self.target.address, timeout=_WAIT_S)
        self._told = self._ask(NOBODYS)

    def learns(self, word: str) -> set[str]:
        """Return the hidden names that the service tells of when a word is guessed."""
        told = self._ask(word)
        learnt = set(_NAME.findall(" ".join(told))) & _hidden_names()
        learnt -= {word, *_NAME.findall(" ".join(self._told))}
        expected = tuple(text.replace(NOBODYS, word) for text in self._told)
        if word not in _names_of(make_schema(TIER)._schema) and told != expected:
            learnt.add(word)
        return learnt

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def _ask(self, word: str) -> tuple[str, ...]:
        return tuple(self._post(asked) for asked in _guesses(word))

    def _post(self, asked: object) -> str:
        headers = {"Authorization": f"Bearer {self.target.tokens[TIER]}", "Content-Type": "application/json"}
        self._line.request("POST", "/graphql", orjson.dumps(asked), headers)
        return self._line.getresponse().read().decode()


def find_learnt(target: Target, words: Iterable[str]) -> set[str]:
    """Return the names that are not in the schema of a tier and that it can learn by guessing words."""
    with closing(Guesser(target)) as guesser:
        return {name for word in words for name in guesser.learns(word)}


def make_words(number: int, seed: int) -> list[str]:
    """Return names to guess: all that any tier or the ontology has, then what one could make of their words."""
    known = sorted(_all_names())
    parts = sorted(
        {part.lower() for name in known for part in re.findall(r"[A-Z]?[a-z]+", name)} | set(_COMMON.split())
    )
    made = [one + other.capitalize() for one, other in product(parts, parts)]
    drawn = Random(seed).sample(made, min(len(made), number))
    return list(dict.fromkeys([*known, *parts, *drawn]))[: max(number, 0)]


def _guesses(word: str) -> list[object]:
    """Return requests with a word wherever a name can stand: at the end of lines, so that all else keeps its place."""
    places = (
        "{",
        f"  {word}",
        f'  entity(id: "A",\n{word}: 1) {{ ... on\n{word} {{ id }} ... on Organization {{\n{word} }} }}',
        f'  search(text: "a", schema:\n{word}) {{ totalCount }}',
        f"  entities(where: {{\n{word}: {{}}}}) {{ totalCount }}",
        f"  zqMore: entities(where: {{Organization: {{\n{word}: {{}}}}}}) {{ totalCount }}",
        f"  __typename @\n{word}",
        "}",
    )
    fields = make_schema(TIER)._schema.query_type
    sort = "entities(where: {Organization: {}}, sort: {property: $w}) { totalCount }"
    sorts = sort if fields and "entities" in fields.fields else ""
    run = f"query($w: String!) {{ __type(name: $w) {{ name }} {sorts} }}"
    change = f"mutation {{\n{word} {{ id }} }}"
    return [{"query": "\n".join(places)}, {"query": run, "variables": {"w": word}}, {"query": change}]


@cache
def _hidden_names() -> frozenset[str]:
    """Return the names that other tiers or the ontology have and this one has not."""
    return _all_names() - _names_of(make_schema(TIER)._schema)


@cache
def _all_names() -> frozenset[str]:
    ontology = default_ontology()
    of_ontology = {name for schema in map(ontology.__getitem__, ontology) for name in (schema.name, *schema.properties)}
    of_tiers = (_names_of(make_schema(tier)._schema) for tier in default_policy().tiers)
    # What stands for a value and not for a name cannot be guessed at as one.
    return frozenset(of_ontology.union(*of_tiers)) - {"true", "false", "null"}


@cache
def _names_of(schema: GraphQLSchema) -> frozenset[str]:
    names = {directive.name for directive in schema.directives}
    for type_ in schema.type_map.values():
        names.add(type_.name)
        fields = getattr(type_, "fields", {})
        names.update(fields, getattr(type_, "values", {}))
        names.update(argument for found in fields.values() for argument in getattr(found, "args", {}))
    return frozenset(names)


def do_nothing() -> None:
    """Leave the service as it is."""


@contextmanager
def serving(*, limits: Limits | None = None, prepare: Callable[[], None] = do_nothing) -> Iterator[Target]:
    """Run the service in a process of its own; `prepare` is called in it first, and must be a function of a module."""
    mine, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=_serve, args=(theirs, limits, prepare))
    server.start()
    # The child alone holds its end, so that there is nothing to wait for once it is gone.
    theirs.close()
    try:
        yield mine.recv()
    finally:
        server.terminate()
        server.join()


def _serve(client: Connection, limits: Limits | None, prepare: Callable[[], None]) -> None:
    """Serve a small world until terminated, as `vinculum serve` does."""
    prepare()
    store, ids = make_store()
    keys = token_keys()
    app = create_app(Pipeline(Settings(home=Path("nowhere")), store, clock=lambda: NOW), keys=keys, limits=limits)
    listener = socket.create_server(("127.0.0.1", 0))
    settle()
    client.send(Target(listener.getsockname(), os.getpid(), make_tokens(keys), ids))
    uvicorn.Server(uvicorn.Config(app, log_level="critical", server_header=False, access_log=False)).run([listener])


def make_store() -> tuple[MemoryStore, list[str]]:
    """Return a small world in which all is near to all, and its ids as an investigator has them."""
    random = Random(5)
    victim = make_label(category="victim", tlp="RED", owner="HOME")
    people = [
        make_record("Person", str(n), properties={"name": [f"Ada Example {n}"], "birthDate": ["1980-01-02"]})
        for n in range(PEOPLE)
    ]
    hidden = make_record("Person", "h", label=victim, properties={"shelterAddress": [HIDDEN_VALUE]})
    ends = [(people[0], other) for other in people[1:40]] + [tuple(random.sample(people, 2)) for _ in range(PEOPLE)]
    links = [make_link(left, right, key=str(n)) for n, (left, right) in enumerate(ends)]
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[*people, hidden], links=links))
    for observer in (_INVESTIGATOR, _PUBLIC):
        store.put_observer(observer)
    return store, [store.view(_INVESTIGATOR).handle("entity", person.thing) for person in people]


def make_tokens(keys: TokenKeys) -> dict[str, str]:
    """Return tokens by what they are: good ones, and ones that are good but for one thing."""
    good = keys.issue(_INVESTIGATOR.name)
    claims = orjson.loads(base64.urlsafe_b64decode(good.split(".")[1] + "=="))
    return {
        "good": good,
        TIER: keys.issue(_PUBLIC.name),
        "expired": keys.issue(_INVESTIGATOR.name, lifetime_s=-60),
        "nobody": keys.issue("nobody"),
        "none": ".".join([_encode(keys._header | {"alg": "none"}), good.split(".")[1], ""]),
        "hmac": ".".join([_encode(keys._header | {"alg": "HS256"}), *good.split(".")[1:]]),
        "elsewhere": jwt.encode(keys._header, claims | {"aud": "elsewhere"}, keys._key, algorithms=["Ed25519"]),
    }


def _encode(content: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
