"""The pipeline: files to records, whole or not at all, and what comes of them."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from api.answering import answer
from api.loaders import Context
from api.pipeline import Handling, ImportReport, Pipeline
from api.settings import Settings
from graph.handle import Handles
from graph.memory import MemoryStore
from graph.open import open_store
from graph.store import Batch
from ontology.consent import Use
from ontology.errors import AccessError, NotPermitted, UnusableSource
from ontology.judgement import Verdict
from ontology.observer import SYSTEM, Observer
from ontology.policy_file import default_policy
from tests.factory import SECRET, make_label, make_record

LABEL = """
tlp: GREEN
handling: H0
category: none
source: {name: board, organisation: Board}
"""
MAPPING = """
format: jsonl
entities:
  advert:
    schema: Advertisement
    keys: [id]
    properties:
      title: {column: title}
      bodyText: {column: text, extract: [phone, email]}
"""
ANNA = Observer("anna", "Police", "investigator")


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """Return a pipeline over the reference store."""
    with Pipeline(Settings(home=tmp_path / "home"), MemoryStore(secret=SECRET)) as made:
        made.add_observer(ANNA)
        yield made


def _handling(folder: Path) -> Handling:
    (folder / "label.yaml").write_text(LABEL, encoding="utf-8")
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    return Handling.read(None, folder / "label.yaml", folder / "mapping.yaml")


def _write_adverts(path: Path, count: int, *, first: int = 0) -> Path:
    rows = (
        {"id": number, "title": f"Work number {number}", "text": f"Call +49 30 2312{number % 10_000:04d} now"}
        for number in range(first, first + count)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _import(pipeline: Pipeline, *paths: Path, handling: Handling) -> ImportReport:
    return pipeline.import_paths(paths, handling, lambda *_: None)


def test_importing_twice_adds_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    """The second time all is known before, and the capture is the same file."""
    file, handling = _write_adverts(tmp_path / "ads.jsonl", 3), _handling(tmp_path)
    first, second = (_import(pipeline, file, handling=handling) for _ in range(2))

    assert (first.records, first.links, first.duplicates) == (6, 3, 0)
    assert (second.records, second.links, second.duplicates) == (0, 0, 9)
    assert len([f for f in (pipeline.settings.home / "captures").rglob("*") if f.is_file()]) == 1


def test_a_record_names_its_capture(pipeline: Pipeline, tmp_path: Path) -> None:
    """The bytes that a value came from can be found, and are what came; who may not have all of them is not told which."""
    file = _write_adverts(tmp_path / "ads.jsonl", 1)
    _import(pipeline, file, handling=_handling(tmp_path))
    entity, theirs = (pipeline.view(who).search("work number").items[0] for who in (SYSTEM, ANNA))
    sha256 = entity.records[0].facets[0].provenance.capture

    assert theirs.records[0].facets[0].provenance.capture is None
    assert sha256 is not None
    assert (pipeline.settings.home / "captures" / sha256[:2] / sha256).read_bytes() == file.read_bytes()


def test_without_a_label_only_the_owner_sees(pipeline: Pipeline, tmp_path: Path) -> None:
    """What nobody marked is strictest: shown to its owner's organisation alone, a victim's name not in clear."""
    entity = {"id": "p1", "schema": "Person", "properties": {"name": ["Mara Invented"], "gender": ["female"]}}
    file = tmp_path / "people.json"
    file.write_text(json.dumps(entity) + "\n", encoding="utf-8")
    _import(pipeline, file, handling=Handling.read("Police", None, None))
    others = [ANNA, Observer("o", "Elsewhere", "investigator"), Observer("p", "", "public", purpose="statistics")]

    assert [pipeline.view(observer).counts() for observer in others] == [{"Person": 1}, {}, {}]
    assert pipeline.view(ANNA).search("mara").total == 0


def test_a_folder_keeps_what_was_good(pipeline: Pipeline, tmp_path: Path) -> None:
    """Files that cannot be used are rejections of the report; the rest is taken in."""
    handling = _handling(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    _write_adverts(folder / "a.jsonl", 2)
    (folder / "b.jsonl").write_bytes(b"")
    (folder / "c.warc").write_bytes(b"%PDF-1.7")
    report = _import(pipeline, folder, handling=handling)

    assert (report.files, report.captures, report.records) == (3, 1, 4)
    assert {r.file for r in report.rejections} == {"b.jsonl", "c.warc"}


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"just words\n"])
def test_a_useless_file_stops_with_its_name(pipeline: Pipeline, tmp_path: Path, content: bytes) -> None:
    """One file that cannot be used as a whole is an error that names it."""
    file = tmp_path / "odd.bin"
    file.write_bytes(content)

    with pytest.raises(UnusableSource, match=r"odd\.bin: expected .*, found "):
        _import(pipeline, file, handling=Handling.read(None, None, None))


def test_an_empty_folder_is_unusable(pipeline: Pipeline, tmp_path: Path) -> None:
    """A folder without one readable file is an error."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(UnusableSource, match="at least one readable file"):
        _import(pipeline, tmp_path / "empty", handling=Handling.read(None, None, None))


def test_a_visible_link_raises_one_alert(pipeline: Pipeline, tmp_path: Path) -> None:
    """A later advert with a watched phone raises an alert, once, and none for an observer who may not see it."""
    handling = _handling(tmp_path)
    stranger = pipeline.add_observer(Observer("stranger", "", "public", purpose="statistics"))
    _import(pipeline, _write_adverts(tmp_path / "a.jsonl", 1), handling=handling)
    phone = pipeline.view(ANNA).search("4930", schema="Phone").items[0]
    pipeline.watch(ANNA, phone.id)
    later = _write_adverts(tmp_path / "b.jsonl", 1, first=10_000)
    counts = [_import(pipeline, later, handling=handling).alerts for _ in range(2)]

    assert counts == [1, 0]
    assert [a.neighbour.entity.caption for a in pipeline.alerts(ANNA)] == ["Work number 10000"]
    assert pipeline.store.list_alerts(stranger.name) == []
    with pytest.raises(NotPermitted, match="watch"):
        pipeline.alerts(stranger)


def test_an_unknown_tier_or_observer_is_refused(pipeline: Pipeline) -> None:
    """Rights come from the policy's tiers and from stored observers."""
    with pytest.raises(AccessError, match="tier"):
        pipeline.add_observer(Observer("x", "Police", "emperor"))
    with pytest.raises(AccessError, match="observer"):
        pipeline.find_observer("nobody")


@pytest.mark.embedded
def test_a_killed_import_ends_as_if_never_killed(tmp_path: Path) -> None:
    """An import killed on its way and run again holds what one that ran through holds."""
    _handling(tmp_path)
    file = _write_adverts(tmp_path / "ads.jsonl", 3_000)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with _start_import(killed, file) as process:
        _kill_midway(process)
    for home in (killed, whole):
        with _start_import(home, file) as process:
            process.communicate(timeout=120)
            assert process.returncode == 0

    assert _contents(killed) == _contents(whole)


def _start_import(home: Path, file: Path) -> subprocess.Popen[bytes]:
    folder = file.parent
    text = f"""
        from pathlib import Path
        from api.pipeline import Handling, Pipeline
        from api.settings import Settings

        folder = Path({str(folder)!r})
        handling = Handling.read(None, folder / "label.yaml", folder / "mapping.yaml")
        with Pipeline.open(Settings(home=Path({str(home)!r}))) as pipeline:
            pipeline.import_paths([Path({str(file)!r})], handling, lambda *_: print("batch", flush=True))
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE)


def _kill_midway(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == b"batch\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def _contents(home: Path) -> tuple[dict[str, int], list[str], list[str]]:
    with open_store("embedded", home=home, secret=SECRET) as store:
        view = store.view(SYSTEM)
        records = sorted(r.id for r in view.iter_records(["Advertisement", "Phone"]))
        links = sorted(str(weight) for weight in view.projection().weights)
        return view.counts(), records, links


def test_without_the_right_nothing_is_read(pipeline: Pipeline, tmp_path: Path) -> None:
    """An analyst cannot import, an investigator cannot be told what others had imported before."""
    analyst = pipeline.add_observer(Observer("ada", "Lab", "analyst"))
    file = _write_adverts(tmp_path / "ads.jsonl", 3)
    handling = replace(_handling(tmp_path), observer=analyst)

    with pytest.raises(NotPermitted, match="import"):
        _import(pipeline, file, handling=handling)
    assert pipeline.store.view(SYSTEM).counts() == {}


def test_an_observer_is_told_nothing_of_what_was_there(pipeline: Pipeline, tmp_path: Path) -> None:
    """The same file twice gives the same report, under a source of the observer's own organisation."""
    file = _write_adverts(tmp_path / "ads.jsonl", 3)
    handling = replace(_handling(tmp_path), observer=ANNA)

    first, second = (replace(_import(pipeline, file, handling=handling), seconds=0.0) for _ in range(2))

    assert first == second
    assert (first.duplicates, first.records) == (None, second.records)
    sources = {r.source for r in pipeline.store.view(SYSTEM).iter_records(["Advertisement"])}
    assert [re.fullmatch("Police/P-[A-Z2-7]{10}/board", source) is not None for source in sources] == [True]


def test_a_colleagues_guess_finds_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    """Whoever sends, under the same source, what a colleague sent before makes things of their own."""
    file = _write_adverts(tmp_path / "ads.jsonl", 1)
    _import(pipeline, file, handling=replace(_handling(tmp_path), observer=ANNA))
    before = {r.thing for r in pipeline.store.view(SYSTEM).iter_records(["Advertisement"])}

    _import(pipeline, file, handling=replace(_handling(tmp_path), observer=replace(ANNA, name="ben")))

    after = {r.thing for r in pipeline.store.view(SYSTEM).iter_records(["Advertisement"])}
    assert (len(before), len(after - before)) == (1, 1)


@pytest.mark.parametrize("is_hidden", [True, False])
def test_a_link_into_the_unknown_is_kept_and_said_to_wait(pipeline: Pipeline, tmp_path: Path, is_hidden: bool) -> None:
    """Whether its other end is hidden or absent, the observer is told the same."""
    if is_hidden:
        importer = Handles(pipeline.settings.secret, ANNA.organisation).pseudonym("importer", ANNA.name)
        source = f"Police/{importer}/board"
        secret = make_record("Person", "p2", source=source, label=make_label(tlp="RED", owner="Home"))
        pipeline.store.write(Batch(records=[secret]))
    lines = [
        {"id": "p1", "schema": "Person", "properties": {"name": ["Mara Invented"]}},
        {"id": "l1", "schema": "Associate", "properties": {"person": ["p1"], "associate": ["p2"]}},
    ]
    file = tmp_path / "one.ftm.json"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    report = _import(pipeline, file, handling=replace(_handling(tmp_path), observer=ANNA, mapping=None))

    assert (report.links, report.waiting, report.rejections) == (1, 1, [])


def test_rights_are_asked_before_anything_is_looked_up(pipeline: Pipeline) -> None:
    """Judging, labelling, consenting and watching are each for tiers with that right."""
    public = pipeline.add_observer(Observer("anybody", "", "public"))

    for right, action in (
        ("judge", lambda: pipeline.judge(public, ("x", "y"), Verdict.POSITIVE, "")),
        ("label", lambda: pipeline.propose_relabelling(public, record="x", assertion="y", parts={}, reason="")),
        ("label", lambda: pipeline.open_relabellings(public)),
        ("label", lambda: pipeline.approve_relabelling(public, "x")),
        ("label", lambda: pipeline.record_consent(public, Use.COURT, "1", "letter")),
        ("watch", lambda: pipeline.watch(public, "x")),
    ):
        with pytest.raises(NotPermitted, match=right):
            action()


def test_a_removed_observer_is_nobody(pipeline: Pipeline) -> None:
    """Their rights are gone for the next request, and removing them again says so."""
    pipeline.remove_observer("anna")

    assert pipeline.observer("anna") is None
    with pytest.raises(AccessError, match="found none"):
        pipeline.remove_observer("anna")


def test_another_policy_decides_everywhere(tmp_path: Path) -> None:
    """A tier that a policy of one's own gives fewer rights has them nowhere: at the store, the pipeline and the service."""
    shipped = default_policy()
    analyst = replace(shipped.tiers["analyst"], rights=frozenset())
    policy = replace(shipped, tiers={**shipped.tiers, "analyst": analyst}, digest="other")
    observer = Observer("ana", "Police", "analyst")
    with Pipeline(Settings(home=tmp_path / "home"), MemoryStore(secret=SECRET, policy=policy)) as pipeline:
        pipeline.add_observer(observer)
        told = asyncio.run(answer(Context(pipeline, observer), "{ __schema { mutationType { name } } }"))

        assert pipeline.view(observer).policy is pipeline.policy is policy
        assert orjson.loads(told.body) == {"data": {"__schema": {"mutationType": None}}}
        with pytest.raises(NotPermitted):
            pipeline.alerts(observer)
