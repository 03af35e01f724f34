"""Probes: what no campaign asks, each yielding after every try what was leaked, or None.

Those that draw worlds go on for ever; the others end when all is looked at.
"""

import asyncio
import base64
import binascii
import gc
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import yaml
from graphql import GraphQLObjectType, build_schema
from scipy.stats import ttest_ind

from api.guard import read_document
from api.identity import TokenKeys
from api.pipeline import Handling, Pipeline
from api.schema import print_sdl
from api.settings import Settings
from bench.campaigns.graphql import Served, make_concrete_world
from bench.oracles.plain import read_cells
from bench.oracles.plain import read_document as read_policy
from graph import embedded
from graph.communities import find_communities
from graph.export import make_export
from graph.handle import Handles
from graph.memory import MemoryStore
from graph.render import render_picture
from graph.store import Batch
from graph.view import View
from graph.watches import add_watch
from ontology.consent import Use
from ontology.errors import InvalidCursor, NotVisible, PolicyError, SettingError, StoreError, VinculumError
from ontology.label import Label
from ontology.observer import Observer
from ontology.policy_file import POLICY_FILE, default_policy, make_policy
from ontology.relabelling import Relabelling
from ontology.schema import default_ontology
from tests.api import backend as case
from tests.api.client import Client
from tests.factory import SECRET, START, make_label, make_link, make_observer, make_record
from tests.worlds.twin import draw_pair, sight_of
from tests.worlds.world import NOW, OBSERVERS, World, build, make_world, thing_of

Tries = Iterator[str | None]

_CANARY = "canary value 4711"
_KINDS = ("link", "facet", "alert", "watch", "relabelling")
_NESTED = 18  # each fragment spread twice: 262,144 fields
_ENOUGH_S = 0.5
# The reference looks at the label of each hidden record; more than this is more than a look, when it is sure.
_LOOK_S, _T = 5e-6, 4.5
_CROWD = 300
_SAMPLES = 40
_LISTENS = re.compile(r"-D\S*host=(.*)", re.IGNORECASE)


def try_pictures() -> Tries:
    """Draw the picture of a world and of its twin."""
    with TemporaryDirectory() as folder:
        for seed in count(1):
            observer, *pair = draw_pair(seed)
            drawn = [_draw(world, observer, Path(folder) / "picture.html") for world in pair]
            yield None if drawn[0] == drawn[1] else f"seed {seed}"


def _draw(world: World, observer: Observer, path: Path) -> bytes:
    view = build(world).view(observer)
    render_picture(view, find_communities(view, smallest=1), path)
    return path.read_bytes()


def try_exports() -> Tries:
    """Release all that an observer sees to another, who must see each record of it themselves."""
    for seed in count(1):
        random = Random(f"{seed} export")
        observer, recipient = random.sample(OBSERVERS, 2)
        world = make_world(random, sight_of(observer).evenly)
        store = build(world)
        view, theirs = store.view(observer), store.view(recipient)
        ids = [entity.id for entity in view.entities_of([thing_of(key) for key in world.keys]).values()]
        found = make_export(store, observer, ids, Use.RELEASE, recipient.organisation, recipient)
        things = {thing for entity in found.entities for thing in entity.things}
        yield None if things == theirs.visible_things(things) else f"seed {seed}"


def try_derived() -> Tries:
    """Label what an observer derives from two records: who else may have that may have all of both."""
    for seed in count(1):
        random = Random(f"{seed} derived")
        observer = random.choice(OBSERVERS)
        world = make_world(random, sight_of(observer).evenly)
        view = build(world).view(observer)
        seen = sorted(view.visible_things([thing_of(key) for key in world.keys]))
        for pair in pairwise(seen):
            label = view.label_of([view.handle("entity", thing) for thing in pair])
            facets = [record.label for thing in pair for record in _facets(view, thing)]
            yield None if all(_may_have(o, [label]) <= _may_have(o, facets) for o in _others(observer)) else f"{seed}"


def _facets(view: View, thing: str) -> list[Any]:
    return view.facets_of(thing)[thing]


def _others(observer: Observer) -> list[Observer]:
    # A colleague may have it as its owner.
    return [other for other in OBSERVERS if other.organisation != observer.organisation]


def _may_have(observer: Observer, labels: Sequence[Label]) -> bool:
    clearance = default_policy().compile(observer, dict(enumerate(labels)))
    return len(clearance.allowed) == len(labels)


def try_relabelling() -> Tries:
    """Import a record and a link again after they were hidden by a relabelling."""
    left, right = make_record(key="1"), make_record(key="2")
    link, hidden = make_link(left, right), make_label(tlp="RED", owner="OTHER")
    observer = make_observer(organisation="X")
    for said, thing in ((link, link.left), (left, left.thing)):
        store = MemoryStore(secret=SECRET, clock=lambda: NOW)
        store.write(Batch(records=[left, right], links=[link]))
        store.relabel(Relabelling(said.id, thing, hidden, "secret", "anna", START, "ben", START))
        store.write(Batch(records=[left, right], links=[link]))
        view = store.view(observer)
        yield "what was hidden" if view.find_assertion(thing, said.id) or view.links_of_entity(right.thing) else None


def try_handles() -> Tries:
    """Use ids, cursors and pseudonyms where they were not given."""
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    store.write(Batch(records=[make_record(key=str(n), properties={"name": [f"Ada {n}"]}) for n in range(3)]))
    anna, colleague, stranger = (
        make_observer(organisation=name, name=who) for name, who in (("X", "anna"), ("X", "ben"), ("Y", "carl"))
    )
    view, page = store.view(anna), store.view(anna).search("ada", first=1)
    [id_], [cursor] = [item.id for item in page.items], page.cursors
    yield _is_refused(NotVisible, store.view(stranger).entity, id_)
    for kind in _KINDS:
        yield _is_refused(NotVisible, view.entity, view.handle(kind, page.items[0].thing))
    for asker, text in ((colleague, "ada"), (stranger, "ada"), (replace(anna, cases=("A",)), "ada"), (anna, "ad")):
        yield _is_refused(InvalidCursor, store.view(asker).search, text, after=cursor)
    pseudonyms = {Handles(SECRET, organisation).pseudonym("name", "Ada") for organisation in ("X", "Y", "")}
    yield None if len(pseudonyms) == 3 else "a pseudonym that two organisations share"


def _is_refused(error: type[VinculumError], question: Callable[..., object], *given: str, **named: str) -> str | None:
    try:
        question(*given, **named)
    except error:
        return None
    return f"expected {error.__name__}, found an answer"


def try_canaries() -> Tries:
    """Look through answers and logs for stored ids, for texts of faults, for tokens and for values."""
    with TemporaryDirectory() as folder, _logged() as lines:
        client = Client(Path(folder))
        stored_ids = [record.thing for record in (case.COMPANY, case.PERSON)]
        for observer in case.OBSERVERS:
            query = (
                '{search(text:"blue",first:1){edges{cursor node{id records{id} neighbours{edges{cursor link{id}}}}}}}'
            )
            yield _find_ids(client.post(observer, {"query": query}).text, stored_ids)
        for fault in (RuntimeError(_CANARY), StoreError(_CANARY), KeyError(_CANARY)):
            client.backend.broken = fault
            told = client.post(case.INVESTIGATOR, {"query": "{counts{count}}"}).text
            yield _find_text(told, _CANARY) or _find_text("\n".join(lines), _CANARY)
        client.backend.broken = None
        for token in ("not-a-token-4711", TokenKeys(Path(folder), clock=lambda: 0).issue("anna")):
            client.send(
                "POST", "/graphql", json={"query": "{counts{count}}"}, headers={"Authorization": f"Bearer {token}"}
            )
            yield _find_text("\n".join(lines), token)
        yield next((found for text in ("Ada Example", "Hidden Lane", "blue") if (found := _find_text("\n".join(lines), text))), None)  # fmt: skip


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Collect what is logged, whatever the level."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter().format(record))

    root, handler = logging.getLogger(), Collect()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _find_text(text: str, canary: str) -> str | None:
    return "a canary" if canary in text else None


def _find_ids(text: str, ids: Sequence[str]) -> str | None:
    """Return whether a text holds a stored id, plainly or in a word that is Base64."""
    plain = [
        *re.findall("[0-9a-f]{32}", text),
        *(_decode(word).hex() for word in re.findall("[A-Za-z0-9_-]{20,}", text)),
    ]
    return "a stored id" if any(id_ in word for id_ in ids for word in plain) else None


def _decode(word: str) -> bytes:
    # Our ids begin with a letter that is not of the Base64.
    try:
        return base64.urlsafe_b64decode(word[1:] + "=" * (-len(word[1:]) % 4))
    except (ValueError, binascii.Error):
        return b""


def try_rights() -> Tries:
    """Take rights away between two requests: the next is answered as to somebody who never had them."""
    for seed in count(1):
        random = Random(f"{seed} rights")
        observer = random.choice([o for o in OBSERVERS if o.tier not in ("auditor", "operator")])
        world = make_concrete_world(seed, sight_of(observer).evenly)
        less = random.choice((replace(observer, tier="public", purpose="statistics"), replace(observer, cases=())))
        yield asyncio.run(_demote(world, observer, less))


async def _demote(world: World, observer: Observer, less: Observer) -> str | None:
    afresh = replace(less, name="afresh")
    served, other = Served(world, [observer]), Served(world, [afresh])
    bodies = [orjson.dumps({"query": query}) for query in _READING]
    for body in bodies:
        await served.post(observer, body)
    served.store.put_observer(less)
    if [await served.post(less, body) for body in bodies] != [await other.post(afresh, body) for body in bodies]:
        return "an answer by former rights"
    served.store.remove_observer(less.name)
    return None if {(await served.post(less, body)).status for body in bodies} == {401} else "an answer to nobody"


_READING = ("{counts{schema count}}", *(f'{{search(text:"{word}"){{totalCount edges{{node{{id caption}}}}}}}}' for word in ("ada", "hidden")))  # fmt: skip


def try_isolation() -> Tries:
    """Ask one process as many observers in turn: each is told what a View of their own says."""
    for seed in count(1):
        random = Random(f"{seed} isolation")
        asking = random.sample([o for o in OBSERVERS if o.tier not in ("auditor", "operator")], 3)
        world = make_concrete_world(seed, sight_of(asking[0]).visible)
        yield asyncio.run(_ask_in_turn(Served(world, asking), asking))


async def _ask_in_turn(served: Served, asking: Sequence[Observer]) -> str | None:
    for observer in asking:
        told = (await served.post(observer, orjson.dumps({"query": _READING[0]}))).read()["data"]["counts"]
        if {one["schema"]: one["count"] for one in told} != served.store.view(observer).counts():
            return "an answer to somebody else"
    return None


def try_tiers() -> Tries:
    """Look for what a tier may never have in its schema, and for what it may not be told in errors."""
    cells = read_cells(read_policy(POLICY_FILE))
    tiers = list(default_policy().tiers)
    for tier in (*tiers, *reversed(tiers)):
        given = {name for (of, _, name), rules in cells.items() if of == tier and any(_is_shown(r) for r in rules)}
        yield _find_forbidden(print_sdl(tier), given)
    with TemporaryDirectory() as folder:
        client = Client(Path(folder))
        for query in (
            '{serch(text:"a"){totalCount}}',
            "{counts{schem}}",
            '{search(text:"a",schema:Persn){totalCount}}',
        ):
            yield _find_text(client.post(case.INVESTIGATOR, {"query": query}).text, "Did you mean")


def _is_shown(rule: tuple[str, str]) -> bool:
    return rule[1] not in ("absent", "count")


def _find_forbidden(sdl: str, given: set[str]) -> str | None:
    """Return a type whose fields are not those of which the tier may be given values."""
    types = build_schema(sdl).type_map
    for schema in default_ontology().things():
        made = types.get(schema.name)
        fields = made.fields.keys() & schema.properties.keys() if isinstance(made, GraphQLObjectType) else set()
        if fields != {name for name, prop in schema.properties.items() if prop.field_class in given}:
            return f"the fields of {schema.name}"
    return None


def try_bounds() -> Tries:
    """Ask for more than may be asked for, and for what takes long to refuse."""
    with TemporaryDirectory() as folder:
        client = Client(Path(folder))
        id_ = client.backend.id_of(case.INVESTIGATOR, "blue")
        for query in (
            '{search(text:"ada",first:101){totalCount}}',
            f'{{entity(id:"{id_}"){{neighbours(first:101){{totalCount}}}}}}',
            "{alerts(first:101){id}}",
            f"{{nodes(ids:[{','.join([chr(34) + id_ + chr(34)] * 101)}]){{id}}}}",
            "{" * 25 + "a" + "}" * 25,
        ):
            answer = client.post(case.INVESTIGATOR, {"query": query}).json()
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            yield None if codes == ["BAD_INPUT"] else "more than may be asked for"
    fragments = " ".join(f"fragment f{n} on Query{{...f{n - 1} ...f{n - 1}}}" for n in range(1, _NESTED))
    started = time.process_time()
    _is_refused(VinculumError, _measure, f"{{...f{_NESTED - 1}}} fragment f0 on Query{{a}} {fragments}")
    yield None if time.process_time() - started < _ENOUGH_S else "a guard that is the weakness"


def _measure(text: str) -> None:
    try:
        read_document(text)
    except Exception as exc:
        raise NotVisible from exc


def try_imports() -> Tries:
    """Import as somebody to whom it is hidden what is there already, and who watches it."""
    for label, prepare in ((_HIDDEN, _import_before), (_SHOWN, _watch_before)):
        with TemporaryDirectory() as folder:
            reports = [_import(Path(folder), label, then) for then in (prepare, lambda _pipeline, _home: None)]
        yield None if reports[0] == reports[1] else prepare.__name__


_IMPORTER = make_observer(organisation="POLICE", name="importer")
_HIDDEN = "tlp: RED\nhandling: H0\ncategory: witness\ncompartments: [TEAM]\nsource: {name: board, organisation: POLICE}"
_SHOWN = "tlp: CLEAR\nhandling: H0\ncategory: none\nsource: {name: board, organisation: POLICE}"
_MAPPING = """
format: jsonl
entities:
  advert:
    schema: Advertisement
    keys: [id]
    properties:
      title: {column: title}
      bodyText: {column: text, extract: [phone]}
"""


def _import(home: Path, label: str, prepare: Callable[[Pipeline, Path], None]) -> dict[str, Any]:
    with Pipeline(Settings(home=home / "home"), MemoryStore(secret=SECRET)) as pipeline:
        pipeline.add_observer(_IMPORTER)
        _take_in(pipeline, home, _SHOWN, 1)
        prepare(pipeline, home)
        return asdict(_take_in(pipeline, home, label, 2)) | {"seconds": 0}


def _import_before(pipeline: Pipeline, home: Path) -> None:
    _take_in(pipeline, home, _HIDDEN, 2)


def _watch_before(pipeline: Pipeline, home: Path) -> None:
    del home
    watcher = pipeline.add_observer(make_observer(organisation="POLICE", name="watcher"))
    view = pipeline.view(watcher)
    for item in view.search("4930231255").items:
        add_watch(pipeline.store, watcher, item.id, view.as_of)


def _take_in(pipeline: Pipeline, home: Path, label: str, number: int) -> Any:
    parts = {"label.yaml": label, "mapping.yaml": _MAPPING}
    for name, text in parts.items():
        (home / name).write_text(text, encoding="utf-8")
    path = home / f"{number}.jsonl"
    path.write_text(orjson.dumps({"id": number, "title": f"Work {number}", "text": "Call +49 30 231255 now"}).decode())
    handling = Handling.read(None, home / "label.yaml", home / "mapping.yaml", _IMPORTER)
    return pipeline.import_paths([path], handling, lambda _what, _more: None)


def try_tables() -> Tries:
    """Count with hidden things beside, and ask for two tables that share a property."""
    tables = [_table(extra) for extra in (0, 30)]
    yield None if tables[0] == tables[1] else "a table that counts hidden things"
    data = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    cubes = data["cubes"]["tables"]
    first = next(iter(cubes.values()))
    cubes["another"] = {**first, "by": [first["by"][0], "gender"]}
    yield _is_refused(PolicyError, lambda: make_policy(data, "policy.yaml"))


def _table(hidden: int) -> object:
    store = MemoryStore(secret=SECRET, clock=lambda: START + timedelta(days=40))
    purposes = ("investigation", "statistics")
    seen = make_label(category="victim", purposes=purposes)
    unseen = make_label(category="victim", tlp="RED", owner="OTHER", purposes=purposes)
    values = {"exploitationType": ["labour"], "exploitationPlace": ["Dock 1, Hamburg, Germany"]}
    labels = [seen] * 24 + [unseen] * hidden
    store.write(Batch(records=[make_record(key=str(n), label=one, properties=values) for n, one in enumerate(labels)]))
    return store.view(make_observer("analyst", organisation="LAB")).cubes()[0]


def try_files() -> Tries:
    """Look at who could read the keys that are kept, and from where the engine could be reached."""
    mask = os.umask(0)
    try:
        with TemporaryDirectory() as name:
            folder = Path(name)
            yield _make_keys(folder)
            for file in folder.rglob("*"):
                yield f"{file.name} for others to read" if file.is_file() and file.stat().st_mode & 0o077 else None
    finally:
        os.umask(mask)
    command = embedded._command(Path("nowhere"), 1, "1g", "development")
    hosts = [found[1] for part in command if (found := _LISTENS.match(part))]
    yield None if hosts and set(hosts) <= {"127.0.0.1", "localhost", "::1"} else "an engine that others can reach"


def _make_keys(folder: Path) -> str | None:
    try:
        TokenKeys(folder / "keys")
    except SettingError:
        return "a key that is refused once it is made"
    _ = Settings(home=folder).secret
    embedded._write_private(folder / "password", b"password")
    return None


def try_timing() -> Tries:
    """Time searches beside hidden records and without, and ids that are hidden or absent."""
    stores = [_crowd(hidden) for hidden in (0, _CROWD)]
    views = [store.view(make_observer("public", organisation="", purpose="statistics")) for store in stores]
    ids = [views[1].handle("entity", thing_of(key)) for key in ("nowhere", "hidden")]
    while True:
        yield _compare(lambda: views[0].search("ada"), lambda: views[1].search("ada"))
        yield _compare(*(partial(_is_refused, NotVisible, views[1].entity, id_) for id_ in ids))


def _crowd(hidden: int) -> MemoryStore:
    store = MemoryStore(secret=SECRET, clock=lambda: NOW)
    unseen, values = make_label(tlp="RED"), {"name": ["Ada Limited"], "country": ["ro"]}
    seen = [make_record("Organization", str(n), properties=values) for n in range(10)]
    more = [make_record("Organization", "hidden", label=unseen, properties=values, sequence=n) for n in range(hidden)]
    store.write(Batch(records=[*seen, *more]))
    return store


def _compare(one: Callable[[], object], other: Callable[[], object]) -> str | None:
    """Ask two things in turn and return whether one surely takes longer than a look at what is hidden."""
    times: tuple[list[float], list[float]] = ([], [])
    gc.disable()
    for _ in range(_SAMPLES):
        for question, taken in zip((one, other), times, strict=True):
            started = time.perf_counter()
            question()
            taken.append(time.perf_counter() - started)
    gc.enable()
    apart = abs(median(times[0]) - median(times[1]))
    t = abs(ttest_ind(*times, equal_var=False, trim=0.1).statistic)
    return f"t {t:.0f}" if apart > _LOOK_S * _CROWD and t > _T else None
