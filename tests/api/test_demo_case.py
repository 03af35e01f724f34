"""The demonstration case: complete, invented throughout, and showing what it promises."""

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.demo.make_case import WARC_FILE, make_warc
from api.pipeline import Handling, ImportReport, Pipeline
from api.settings import Settings
from graph.communities import find_communities
from graph.memory import MemoryStore
from graph.shown import Entity
from graph.view import View
from ontology.errors import NotVisible
from ontology.observer import Observer
from tests.factory import START

FOLDER = WARC_FILE.parent
CASE: dict[str, Any] = yaml.safe_load((FOLDER / "case.yaml").read_text(encoding="utf-8"))
# Numbers that regulators keep for film (Ofcom, Bundesnetzagentur); elsewhere blocks of zeros.
INVENTED_PHONES = (r"447700900\d{3}", r"491713920\d{3}", r"4917604069\d{3}", r"494066969\d{3}", r"493023125\d{3}",
                   r"40700000\d{3}", r"380990000\d{3}", r"359880000\d{3}")  # fmt: skip
SHELTER = "House 3, Lindenhof, Hamburg, Germany"


class Story:
    """The case as far as it was told, on the reference store."""

    def __init__(self, home: Path) -> None:
        self._minutes = 0
        self.store = MemoryStore(clock=self._tick)
        self.pipeline = Pipeline(Settings(home=home), self.store, clock=self._tick)
        self.observers = {spec["name"]: self._add(spec) for spec in CASE["observers"]}
        self.reports = {spec["file"]: self.take_in(spec) for spec in CASE["files"]}
        self.pipeline.resolve(lambda *_: None)

    def take_in(self, spec: dict[str, str]) -> ImportReport:
        """Import one file as its entry in the case says."""
        mapping = FOLDER / spec["mapping"] if "mapping" in spec else None
        handling = Handling.read(None, FOLDER / spec["label"], mapping)
        return self.pipeline.import_paths([FOLDER / spec["file"]], handling, lambda *_: None)

    def view(self, name: str) -> View:
        """Return what an observer of the case sees."""
        return self.pipeline.view(self.observers[name])

    def find(self, spec: dict[str, str]) -> Entity:
        """Return the first hit of a search that the case describes."""
        return self.view(spec["as"]).search(spec["search"], schema=spec.get("schema")).items[0]

    def see(self, name: str) -> Entity:
        """Return the case's main entity as an observer sees it; raises NotVisible."""
        found = self.view(name).entities_of(sorted(self.find(CASE["entity"]).things))
        if not found:
            raise NotVisible
        return next(iter(found.values()))

    def _add(self, spec: dict[str, Any]) -> Observer:
        cases = tuple(spec["cases"])
        observer = Observer(spec["name"], spec["organisation"], spec["tier"], cases, purpose=spec["purpose"])
        return self.pipeline.add_observer(observer)

    def _tick(self) -> Any:
        self._minutes += 1
        return START + timedelta(minutes=self._minutes)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Tell the case up to its resolution, once for all tests that only look."""
    return Story(tmp_path_factory.mktemp("home"))


def test_the_crawl_can_be_made_again() -> None:
    """The archive in the repository is what its writer writes."""
    assert gzip.decompress(WARC_FILE.read_bytes()) == make_warc()


def test_every_file_is_taken_in_whole(story: Story) -> None:
    """Nothing is rejected, and each file gives records and links."""
    assert [report.rejections for report in story.reports.values()] == [[]] * len(CASE["files"])
    assert all(report.records and report.links for report in story.reports.values())


def test_no_number_or_address_can_be_anybodys() -> None:
    """Numbers are of invented ranges, hosts of domains that nobody can have, handles named for what they are."""
    text = "".join(_iter_texts())
    phones = {re.sub(r"\D", "", found) for found in re.findall(r"\+\d[\d ]{7,16}\d", text)}
    handles = re.findall(r"t\.me/(\w+)", text)
    hosts = set(re.findall(r"(?:https?://|@)([a-z0-9.-]+\.[a-z]+)", text))

    assert phones
    assert [p for p in phones if not any(re.fullmatch(pattern, p) for pattern in INVENTED_PHONES)] == []
    assert [host for host in hosts if not host.endswith((".example", ".onion", "schema.org", "t.me"))] == []
    assert [handle for handle in handles if not handle.endswith("_example")] == []


def test_the_shelter_sees_its_own_client(story: Story) -> None:
    """The organisation that protects her has her name, and alone has the place where she is."""
    values = story.see("casa-lumina").values

    assert values["name"] == ("Oksana Melnyk",)
    assert values["shelterAddress"] == (SHELTER,)


def test_the_investigator_sees_both_sources_but_no_shelter(story: Story) -> None:
    """Intake and police record are one person; that a shelter is withheld is said, not where it is."""
    entity = story.see("nord-investigator")

    assert set(entity.values["name"]) == {"Oksana Melnyk", "Оксана Мельник"}
    assert entity.values["birthDate"] == ("2001-07-09",)
    assert entity.values["phone"] == ("+380990000077",)
    assert "shelterAddress" not in entity.values
    assert "shelter" in {redaction.field_class for redaction in entity.redactions}


def test_the_analyst_sees_a_pseudonym_a_year_and_a_country(story: Story) -> None:
    """What identifies her is gone; what statistics need is there."""
    values = story.see("fusion-analyst").values

    assert values["name"][0].startswith("P-")
    assert values["birthDate"] == ("2001",)
    assert values["recruitmentPlace"] == ("Ukraine",)
    assert not {"phone", "shelterAddress"} & values.keys()


def test_the_public_sees_wallets_and_companies_alone(story: Story) -> None:
    """She does not exist for the public, nor does any person."""
    view = story.view("public")

    assert view.counts() == {"Company": 4, "CryptoWallet": 5, "Organization": 1}
    with pytest.raises(NotVisible):
        story.see("public")


def test_names_of_two_scripts_are_one_suspect(story: Story) -> None:
    """The register writes him in Cyrillic, the police in Latin letters."""
    entity = story.view("nord-investigator").search("Dmytro Kovalenko").items[0]

    assert {"Дмитро Коваленко", "Dmytro Kovalenko"} <= set(entity.values["name"])


def test_the_merge_can_be_explained(story: Story) -> None:
    """Name, birth date and phone each add weight to one person."""
    spec = CASE["explain"]
    left, right = (
        next(r.id for r in story.find({**spec[side], "as": spec["as"]}).records if r.caption == spec[side]["search"])
        for side in ("left", "right")
    )
    found = story.view(spec["as"]).explain(left, right)

    assert found.same
    assert {w.comparison for w in found.weights if w.weight > 0} >= {"name", "birth", "phone"}


def test_the_ring_and_the_farm_are_two_communities(story: Story) -> None:
    """Recruiters and farm gang share boards and a place of departure, and still stay apart."""
    found = find_communities(story.view(CASE["communities"]["as"]))
    of = {member.caption: community.number for community in found for member in community.members}

    assert of["+40700000112"] == of["+380990000021"] == of["Дмитро Коваленко"]
    assert of["+447700900118"] == of["+447700900163"] == of["+359880000044"]
    assert of["+40700000112"] != of["+447700900118"]


def test_the_later_advert_raises_one_alert(tmp_path: Path) -> None:
    """It names the watched number; the one who watches is told, once."""
    story = Story(tmp_path)
    observer = story.observers[CASE["watch"]["as"]]
    story.pipeline.watch(observer, story.find(CASE["watch"]).id)

    before = story.pipeline.alerts(observer)
    for spec in [*CASE["later"], *CASE["later"]]:
        story.take_in(spec)
    after = story.pipeline.alerts(observer)

    assert before == []
    assert [alert.neighbour.entity.caption for alert in after] == ["Адміністратор у студію, Гамбург"]


def _iter_texts() -> Iterator[str]:
    for path in sorted(FOLDER.iterdir()):
        content = path.read_bytes()
        yield (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
